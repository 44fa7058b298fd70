"""Requests and answers about weekly menus."""

from marshmallow import fields

from app.api.canteens.fields import QueryDegrees
from app.api.dishes.schemas import FORMS, MOST_PRICE_FEN
from app.api.fields import Answer, Body, Choice, Day, Flag, Id, Moment, PageQuery, Part, QueryFlag, Several, Text, Whole
from app.api.operation import Page
from timebank.canteens.pricing.rules import Meal

MEALS = [str(meal) for meal in Meal]
MOST_ITEMS = 600
MOST_PORTIONS = 100_000


class MenuItemBody(Body):
    """An item of a menu; what is left out is taken from the dish, if one is named."""

    served_on = Day(required=True)
    meal = Choice(MEALS, required=True)
    dish_id = Id(load_default=None, allow_none=True)
    name = Text(longest=60, load_default=None, allow_none=True)
    portion = Text(longest=60, shortest=0, load_default=None, allow_none=True)
    price_fen = Whole(1, MOST_PRICE_FEN, load_default=None, allow_none=True)
    is_love_meal = Flag(load_default=False)
    diet_forms = Several(Choice(FORMS), lowest=1, highest=len(FORMS), load_default=None, allow_none=True)
    diet_tags = Several(Text(longest=20), lowest=0, highest=30, load_default=None, allow_none=True)
    allergens = Several(Text(longest=20), lowest=0, highest=30, load_default=None, allow_none=True)
    sources = Text(longest=200, shortest=0, load_default=None, allow_none=True, metadata={"description": "食材来源"})
    portions_limit = Whole(0, MOST_PORTIONS, load_default=None, allow_none=True)


class DraftMenuBody(Body):
    """A week's draft, whole; the week is named by its Monday.

    With ``only_if_empty`` a draft that holds anything already stays as it is, and the answer is a refusal.
    """

    canteen_id = Id(required=True)
    week_starts_on = Day(required=True)
    # Not ``items``: on a schema that name is taken.
    entries = Several(Part(MenuItemBody), lowest=0, highest=MOST_ITEMS, required=True, data_key="items")
    only_if_empty = Flag(load_default=False, metadata={"description": "草稿已有内容时不动它"})


class CopyMenuBody(Body):
    """Which week into which, each named by its Monday; from the canteen itself, or from its kitchen."""

    canteen_id = Id(required=True)
    from_canteen_id = Id(load_default=None, allow_none=True)
    from_week = Day(required=True)
    to_week = Day(required=True)


class PriceBody(Body):
    """The new price, in fen, and why."""

    price_fen = Whole(1, MOST_PRICE_FEN, required=True)
    reason = Text(longest=200, required=True)


class PortionsBody(Body):
    """How many portions can be ordered in all; null takes the limit away."""

    portions_limit = Whole(0, MOST_PORTIONS, required=True, allow_none=True)


class WithdrawBody(Body):
    """Why."""

    reason = Text(longest=200, required=True)


class MenusQuery(PageQuery):
    """Whose weeks."""

    canteen_id = Id(required=True)


class ShowMenuQuery(PageQuery):
    """Whose menu, from which day to which; today alone where no day is named, a month at most."""

    canteen_id = Id(required=True)
    first = Day(data_key="from")
    last = Day(data_key="to")


class MenuAnswer(Answer):
    """One week's menu of a canteen."""

    menu_id = Id(required=True, attribute="menu.id")
    canteen_id = Id(required=True, attribute="menu.canteen_id")
    week_starts_on = fields.Date(required=True, attribute="menu.week_starts_on")
    state = fields.String(required=True, attribute="menu.state")
    state_name = fields.String(required=True)
    items_count = fields.Integer(required=True, attribute="items")
    love_meals_count = fields.Integer(required=True, attribute="love_meals")
    drafted_at = Moment(required=True, attribute="menu.drafted_at")
    drafted_by_name = fields.String(required=True, attribute="menu.drafted_by_name")
    released_at = Moment(required=True, allow_none=True, attribute="menu.released_at")
    released_by_name = fields.String(required=True, allow_none=True, attribute="menu.released_by_name")


class MenuPage(Page):
    """Weeks, newest first."""

    items = fields.List(fields.Nested(MenuAnswer), required=True)


class MenuItemAnswer(Answer):
    """One item; ``portions_left`` null is without limit, 0 where nothing can be ordered."""

    menu_item_id = Id(required=True, attribute="item.id")
    menu_id = Id(required=True, attribute="item.menu_id")
    canteen_id = Id(required=True, attribute="item.canteen_id")
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    dish_id = Id(required=True, allow_none=True, attribute="item.dish_id")
    served_on = fields.Date(required=True, attribute="item.served_on")
    meal = fields.String(required=True, attribute="item.meal")
    meal_name = fields.String(required=True)
    name = fields.String(required=True, attribute="item.name")
    portion = fields.String(required=True, attribute="item.portion")
    price_fen = fields.Integer(required=True, allow_none=True, attribute="item.price_fen")
    is_love_meal = fields.Boolean(required=True, attribute="item.is_love_meal")
    diet_forms = fields.List(fields.String(), required=True, attribute="item.diet_forms")
    diet_form_names = fields.List(fields.String(), required=True)
    diet_tags = fields.List(fields.String(), required=True, attribute="item.diet_tags")
    allergens = fields.List(fields.String(), required=True, attribute="item.allergens")
    sources = fields.String(required=True, attribute="item.sources")
    portions_limit = fields.Integer(required=True, allow_none=True, attribute="item.portions_limit")
    portions_ordered = fields.Integer(required=True, attribute="item.portions_ordered")
    portions_left = fields.Integer(required=True, allow_none=True)
    on_offer = fields.Boolean(required=True)
    sold_out_at = Moment(required=True, allow_none=True, attribute="item.sold_out_at")
    withdrawn_at = Moment(required=True, allow_none=True, attribute="item.withdrawn_at")


class MenuItemPage(Page):
    """Items in the order of days and meals."""

    items = fields.List(fields.Nested(MenuItemAnswer), required=True)


class PriceChangeItem(Answer):
    """One change of a price; orders made before keep the old one."""

    number = fields.Integer(required=True)
    old_price_fen = fields.Integer(required=True)
    new_price_fen = fields.Integer(required=True)
    reason = fields.String(required=True)
    changed_at = Moment(required=True)
    changed_by_name = fields.String(required=True)


class PriceChangePage(Page):
    """Changes of an item's price, newest first."""

    items = fields.List(fields.Nested(PriceChangeItem), required=True)


class TodayQuery(PageQuery):
    """Which meal, in which township, near which place; all may be left out."""

    meal = Choice(MEALS)
    township_code = Text(longest=12)
    latitude = QueryDegrees(90)
    longitude = QueryDegrees(180)


class TodayItem(Answer):
    """What one canteen offers today; ``distance_m`` null where a place is unknown."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    township_code = fields.String(required=True)
    address = fields.String(required=True)
    distance_m = fields.Integer(required=True, allow_none=True)
    dishes = fields.List(fields.Nested(MenuItemAnswer), required=True)


class TodayPage(Page):
    """Canteens, the nearest first."""

    items = fields.List(fields.Nested(TodayItem), required=True)


class ImportMenuQuery(Body):
    """Whose week the workbook is for, and what the file is called; ``dry_run`` changes nothing."""

    canteen_id = Id(required=True)
    week_starts_on = Day(required=True)
    file_name = Text(longest=200, required=True)
    dry_run = QueryFlag(load_default=False)


class ReturnedRow(Answer):
    """A row that did not go in, and why."""

    row = fields.Integer(required=True)
    reason = fields.String(required=True)
    reason_name = fields.String(required=True)


class MenuImportAnswer(Answer):
    """How many rows went in, were changed, were there before; those that come back."""

    menu_id = Id(required=True, allow_none=True, metadata={"description": "试运行而没有草稿时为 null"})
    canteen_id = Id(required=True)
    week_starts_on = fields.Date(required=True)
    added = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    already_present = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(ReturnedRow), required=True)
    dry_run = fields.Boolean(required=True)
