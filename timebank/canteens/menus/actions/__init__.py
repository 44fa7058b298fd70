"""What people can do with dishes and menus."""

from timebank.canteens.menus.actions.after_release import (
    change_price,
    limit_portions,
    mark_sold_out,
    put_on_sale,
    withdraw_item,
)
from timebank.canteens.menus.actions.dishes import DishForm, archive_dish, change_dish, enter_dish
from timebank.canteens.menus.actions.draft import (
    add_item,
    change_item,
    copy_menu,
    draft_menu,
    open_draft,
    open_menu,
    remove_item,
)
from timebank.canteens.menus.actions.items import ItemForm
from timebank.canteens.menus.actions.release import release_menu

__all__ = [
    "DishForm",
    "ItemForm",
    "add_item",
    "archive_dish",
    "change_dish",
    "change_item",
    "change_price",
    "copy_menu",
    "draft_menu",
    "enter_dish",
    "limit_portions",
    "mark_sold_out",
    "open_draft",
    "open_menu",
    "put_on_sale",
    "release_menu",
    "remove_item",
    "withdraw_item",
]
