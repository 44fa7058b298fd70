"""What the database itself refuses of dishes and menus, tried by raw SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.menus import an_item, drafted_menu, item_named, released_menu
from tests.factories.people import XIWU
from tests.factories.tasks import NINE
from timebank.canteens.menus import actions
from timebank.canteens.menus.actions import DishForm
from timebank.core import clock
from timebank.core.db import Database

NEXT = date(2026, 3, 16)
Facts = dict[str, object]


@pytest.fixture
def facts(bank: Database) -> Facts:
    """Ids of a released menu with one changed price and one withdrawn item, of a draft and of dishes."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        canteen, other = open_canteen(session, XIWU), open_canteen(session, XIWU)
        clerk, form = canteen_clerk(canteen), DishForm("红烧肉", 1200)
        menu, draft = released_menu(session, canteen.id), drafted_menu(session, canteen.id, NEXT)
        item, gone = (item_named(session, menu, name, date(2026, 3, 10)) for name in ("红烧肉", "清蒸鱼"))
        actions.change_price(session, actor=clerk, menu_item_id=item, price_fen=1300, reason="肉价上涨")
        actions.withdraw_item(session, actor=clerk, menu_item_id=gone, reason="缺货")
        dish = actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=form)
        old = actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=DishForm("旧菜", 100))
        actions.archive_dish(session, actor=clerk, dish_id=old.id)
        foreign = actions.enter_dish(session, actor=canteen_clerk(other), canteen_id=other.id, form=form)
        return {
            **{"canteen": canteen.id, "other": other.id, "menu": menu.id, "draft": draft.id, "item": item},
            **{"gone": gone, "dish": dish.id, "old": old.id, "foreign": foreign.id},
            "drafted": an_item(session, draft, name="汤", price_fen=None).id,
            "now": NINE,
        }


_CHANGE = (
    "INSERT INTO menu_price_change (id, menu_item_id, number, old_price_fen, new_price_fen, reason, changed_at,"
    " changed_by_name) VALUES (gen_random_uuid(), :item, {number}, {old}, {new}, '{reason}', :now, '沈师傅')"
)
_ITEM = (
    "INSERT INTO menu_item (id, menu_id, canteen_id, dish_id, served_on, meal, name, portion, price_fen, is_love_meal,"
    " diet_forms, sources, portions_ordered) VALUES (gen_random_uuid(), {menu}, {canteen}, {dish}, '{day}', 'lunch',"
    " '新菜', '', {price}, false, '{{normal}}', '', {ordered})"
)


def _item(
    menu: str = ":menu", canteen: str = ":canteen", dish: str = "NULL", day: str = "2026-03-10", price: str = "1",
    ordered: str = "0",
) -> str:  # fmt: skip
    return _ITEM.format(menu=menu, canteen=canteen, dish=dish, day=day, price=price, ordered=ordered)


def _change(number: int = 2, old: int = 1300, new: int = 1400, reason: str = "又涨") -> str:
    return _CHANGE.format(number=number, old=old, new=new, reason=reason)


_OF_AN_ITEM = {
    "menu_id": ":draft",
    "canteen_id": ":other",
    "dish_id": ":dish",
    "served_on": "DATE '2026-03-11'",
    "meal": "'supper'",
    "name": "'五花肉'",
    "portion": "'半份'",
    "is_love_meal": "true",
    "diet_forms": "'{soft}'",
    "diet_tags": "'{低盐}'",
    "allergens": "'{花生}'",
    "sources": "'别处'",
    "id": "gen_random_uuid()",
    "price_fen": "1400",
}

REFUSED = [
    "DELETE FROM menu_dish WHERE id = :dish",
    "UPDATE menu_dish SET canteen_id = :other WHERE id = :dish",
    "UPDATE menu_dish SET entered_by_name = '别人' WHERE id = :dish",
    "UPDATE menu_dish SET archived_at = NULL WHERE id = :old",
    "UPDATE menu_dish SET price_fen = 1 WHERE id = :old",
    "DELETE FROM menu WHERE id = :draft",
    "UPDATE menu SET state = 'draft', released_at = NULL, released_by_name = NULL WHERE id = :menu",
    "UPDATE menu SET released_by_name = '别人' WHERE id = :menu",
    "UPDATE menu SET week_starts_on = '2026-03-23' WHERE id = :draft",
    "UPDATE menu SET canteen_id = :other WHERE id = :draft",
    "UPDATE menu SET state = 'released', released_at = :now, released_by_name = '沈师傅' WHERE id = :draft",
    "INSERT INTO menu (id, canteen_id, week_starts_on, state, drafted_at, drafted_by_name, released_at,"
    " released_by_name) VALUES (gen_random_uuid(), :other, '2026-03-16', 'released', :now, '甲', :now, '甲')",
    "DELETE FROM menu_item WHERE id = :item",
    *(f"UPDATE menu_item SET {column} = {value} WHERE id = :item" for column, value in _OF_AN_ITEM.items()),
    "UPDATE menu_item SET price_fen = NULL WHERE id = :item",
    "UPDATE menu_item SET price_fen = 1200 WHERE id = :item",
    "UPDATE menu_item SET withdrawn_at = NULL WHERE id = :gone",
    "UPDATE menu_item SET sold_out_at = :now WHERE id = :gone",
    "UPDATE menu_item SET portions_ordered = 1 WHERE id = :drafted",
    "UPDATE menu_item SET withdrawn_at = :now WHERE id = :drafted",
    "UPDATE menu_item SET served_on = '2026-03-23' WHERE id = :drafted",
    "UPDATE menu_item SET dish_id = :foreign WHERE id = :drafted",
    _item(day="2026-03-16"),
    _item(canteen=":other"),
    _item(dish=":foreign"),
    _item(price="NULL"),
    _item(ordered="1"),
    "UPDATE menu_price_change SET reason = '别的'",
    "DELETE FROM menu_price_change",
    _change(old=1200),
    _change(number=3),
    "TRUNCATE menu_price_change CASCADE",
    "TRUNCATE menu_item CASCADE",
    "TRUNCATE menu CASCADE",
    "TRUNCATE menu_dish CASCADE",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_history_and_what_was_released_stay_as_they_are(bank: Database, facts: Facts, statement: str) -> None:
    with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
        session.execute(text(statement), facts)
    assert getattr(refused.value.orig, "sqlstate", None) == "TB001"


CHECKED = [
    "UPDATE menu_item SET portions_limit = 3, portions_ordered = 4 WHERE id = :item",
    "UPDATE menu_item SET portions_ordered = -1 WHERE id = :item",
    "UPDATE menu_item SET portions_limit = -1 WHERE id = :item",
    "UPDATE menu_item SET withdrawn_at = :now, portions_ordered = 1 WHERE id = :item",
    "UPDATE menu_item SET meal = 'brunch' WHERE id = :drafted",
    "UPDATE menu_item SET diet_forms = '{frozen}' WHERE id = :drafted",
    "UPDATE menu_item SET diet_forms = '{}' WHERE id = :drafted",
    "UPDATE menu_item SET name = '' WHERE id = :drafted",
    "UPDATE menu_item SET price_fen = 0 WHERE id = :drafted",
    "UPDATE menu_dish SET price_fen = 0 WHERE id = :dish",
    "UPDATE menu_dish SET name = '' WHERE id = :dish",
    "UPDATE menu_dish SET diet_forms = '{}' WHERE id = :dish",
    _change(new=1300),
    _change(reason=""),
    "INSERT INTO menu (id, canteen_id, week_starts_on, state, drafted_at, drafted_by_name)"
    " VALUES (gen_random_uuid(), :canteen, '2026-03-17', 'draft', :now, '甲')",
    "INSERT INTO menu (id, canteen_id, week_starts_on, state, drafted_at, drafted_by_name)"
    " VALUES (gen_random_uuid(), :canteen, '2026-03-16', 'draft', :now, '甲')",
    "INSERT INTO menu_item SELECT gen_random_uuid(), menu_id, canteen_id, dish_id, served_on, meal, name, portion,"
    " price_fen, is_love_meal, diet_forms, diet_tags, allergens, sources FROM menu_item WHERE id = :drafted",
]


@pytest.mark.parametrize("statement", CHECKED)
def test_what_cannot_be_is_not_kept(bank: Database, facts: Facts, statement: str) -> None:
    with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
        session.execute(text(statement), facts)
    assert getattr(refused.value.orig, "sqlstate", None) in ("23514", "23505")


def test_a_price_change_that_did_not_happen_is_refused_when_the_unit_of_work_ends(bank: Database, facts: Facts) -> None:
    with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
        session.execute(text(_change()), facts)
    assert getattr(refused.value.orig, "sqlstate", None) == "TB001"


def test_a_price_goes_back_and_forth_only_with_a_word_each_time(bank: Database, facts: Facts) -> None:
    """An old change from 1200 to 1300 is no licence for another one."""

    def write(session: Session) -> Callable[[str], object]:
        return lambda statement: session.execute(text(statement), facts)

    with bank.unit_of_work() as session:
        run = write(session)
        run(_change(number=2, old=1300, new=1200))
        run("UPDATE menu_item SET price_fen = 1200 WHERE id = :item")
    with pytest.raises(DBAPIError, match="without a word"), bank.unit_of_work() as session:
        write(session)("UPDATE menu_item SET price_fen = 1300 WHERE id = :item")


def test_orders_count_portions_of_what_is_released(bank: Database, facts: Facts) -> None:
    with bank.unit_of_work() as session:
        for portions in (3, 0):
            session.execute(text(f"UPDATE menu_item SET portions_ordered = {portions} WHERE id = :item"), facts)
