"""Releasing a week's menu: everything is checked, every fault named at once, and then it is out or nothing changed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import PERIODS, accepted_canteen, canteen_clerk, open_canteen
from tests.factories.menus import LOVE_MEALS, an_item, drafted_menu, released_menu
from tests.factories.people import XIWU, district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.canteens.menus import actions
from timebank.canteens.menus.actions import ItemForm
from timebank.canteens.menus.models import Menu
from timebank.canteens.menus.queries import items_by_ids, items_of, items_on
from timebank.canteens.network import actions as network
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.rules import MealHours
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import Conflict, Refused

TUESDAY = date(2026, 3, 10)
NEXT = date(2026, 3, 16)


@pytest.fixture
def canteen(bank: Database) -> Canteen:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return open_canteen(session, XIWU)


def full_draft(session: Session, canteen: Canteen, days: range = range(7), week: date = NEXT) -> Menu:
    """A draft with two love meals at lunch on each of ``days``."""
    menu = drafted_menu(session, canteen.id, week)
    for day in days:
        for name, price_fen in LOVE_MEALS.items():
            an_item(session, menu, week + timedelta(days=day), name=name, price_fen=price_fen, is_love_meal=True)
    return menu


def refused(bank: Database, canteen: Canteen, menu: Menu) -> Refused:
    """Why the menu is not released; it stays a draft."""
    with pytest.raises(Refused) as refusal, bank.unit_of_work() as session:
        actions.release_menu(session, actor=canteen_clerk(canteen), menu_id=menu.id)
    with bank.session() as session:
        assert session.get_one(Menu, menu.id).state == "draft"
    return refusal.value


def test_a_menu_without_faults_is_released_and_can_be_ordered_from(bank: Database, canteen: Canteen) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        menu = full_draft(session, canteen)
        ids = [item.id for item in items_of(session, menu.id)]
        assert items_by_ids(session, ids) == {}
        assert items_on(session, canteen.id, NEXT, "lunch") == []
        actions.release_menu(session, actor=clerk, menu_id=menu.id)
    with bank.unit_of_work() as session:
        menu = session.get_one(Menu, menu.id)
        assert (menu.state, menu.released_at, menu.released_by_name) == ("released", NINE, clerk.name)
        assert set(items_by_ids(session, ids, lock=True)) == set(ids)
        assert {item.name for item in items_on(session, canteen.id, NEXT, "lunch")} == set(LOVE_MEALS)
        assert session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "menu_released")).all() == [
            {"items": 14}
        ]


def test_a_menu_with_faults_is_refused_with_all_of_them_and_stays_a_draft(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        only_lunch = [MealHours(day, "lunch", *PERIODS["lunch"], 50) for day in range(1, 7)]  # type: ignore[index]
        network.set_hours(session, actor=district(), canteen_id=canteen.id, week=only_lunch)
        thursday = NEXT + timedelta(days=3)
        network.add_closed_days(
            session, actor=district(), canteen_id=canteen.id, first_on=thursday, last_on=thursday, reason="停电"
        )
        menu = full_draft(session, canteen, range(4))
        an_item(session, menu, NEXT, "supper", name="晚汤")
        an_item(session, menu, NEXT + timedelta(days=1), name="没价的鱼", price_fen=None)
        an_item(session, menu, NEXT + timedelta(days=6), name="周日肉")
    found = refused(bank, canteen, menu)
    assert found.code == "menu_not_releasable"
    assert [(f["served_on"], f["meal"], f["name"], f["fault"]) for f in found.facts["faults"]] == [
        ("2026-03-16", "supper", "晚汤", "meal_not_served"),
        ("2026-03-17", "lunch", "没价的鱼", "price_missing"),
        ("2026-03-19", "lunch", "家常爱心饭", "day_not_served"),
        ("2026-03-19", "lunch", "爱心套餐", "day_not_served"),
        ("2026-03-20", "", "", "love_meals_too_few"),
        ("2026-03-21", "", "", "love_meals_too_few"),
        ("2026-03-22", "lunch", "周日肉", "day_not_served"),
    ]


def test_how_many_love_meals_and_how_dear_is_the_townships_policy(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        menu = full_draft(session, canteen)
        change_policy(session, "love_meals_min_per_day", 3, township_code=XIWU)
        change_policy(session, "love_meal_max_fen", 700, township_code=XIWU)
    found = [fault["fault"] for fault in refused(bank, canteen, menu).facts["faults"]]
    assert (found.count("love_meals_too_few"), found.count("love_meal_too_dear")) == (7, 7)


def test_empty_menus_past_weeks_and_canteens_that_are_not_open_are_refused(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        empty = drafted_menu(session, canteen.id, NEXT)
        over = full_draft(session, canteen, week=date(2026, 3, 2))
        waiting = accepted_canteen(session, XIWU)
        early = full_draft(session, waiting)
    assert refused(bank, canteen, empty).code == "menu_empty"
    assert refused(bank, canteen, over).code == "menu_week_over"
    assert refused(bank, waiting, early).code == "canteen_not_open"


def test_the_present_week_is_released_for_the_days_that_are_left(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        menu = full_draft(session, canteen, range(1, 7), date(2026, 3, 9))
        assert actions.release_menu(session, actor=district(), menu_id=menu.id).state == "released"


def test_an_item_that_joins_a_released_week_is_checked_as_on_release(bank: Database, canteen: Canteen) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        menu = released_menu(session, canteen.id, date(2026, 3, 9))
        form = ItemForm(TUESDAY, "lunch", name="新菜", price_fen=900)
        added = actions.add_item(session, actor=clerk, menu_id=menu.id, form=form)
        assert added.id in items_by_ids(session, [added.id])
    for form, code, fault in (
        (ItemForm(TUESDAY, "lunch", name="又一道"), "menu_not_releasable", "price_missing"),
        (
            ItemForm(TUESDAY, "lunch", name="贵爱心", price_fen=801, is_love_meal=True),
            "menu_not_releasable",
            "love_meal_too_dear",
        ),
        (ItemForm(TUESDAY, "lunch", name="新 菜", price_fen=900), "dish_twice", None),
        (ItemForm(date(2026, 3, 9), "lunch", name="昨天的", price_fen=900), "menu_day_over", None),
    ):
        with bank.unit_of_work() as session, pytest.raises(Refused, match=code) as refusal:
            actions.add_item(session, actor=clerk, menu_id=menu.id, form=form)
        if fault is not None:
            assert [one["fault"] for one in refusal.value.facts["faults"]] == [fault]


def test_a_menu_is_released_once(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        menu = full_draft(session, canteen)
        actions.release_menu(session, actor=district(), menu_id=menu.id)
        with pytest.raises(Conflict, match="menu_released"):
            actions.release_menu(session, actor=district(), menu_id=menu.id)
