"""Claims judge a meal by what held on its day: hours, household and assessment that were changed since say nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import whole_week
from tests.factories.diners import approved_diner
from tests.factories.orders import MORNING, PORK, a_diner, a_kitchen
from tests.factories.people import XIWU, district, steward
from tests.factories.subsidies import GOVERNMENT_80, Place, a_place, computed, findings, served
from timebank.canteens.diners.actions import join_household, leave_household
from timebank.canteens.network.actions import set_hours
from timebank.canteens.network.rules import MealHours
from timebank.canteens.orders.actions import OrderChange, change_order, place_order, place_orders
from timebank.canteens.orders.models import MealOrder, MealService
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.people.models import ElderFile

NOON = datetime(2026, 3, 10, 11, 30, tzinfo=clock.LOCAL)
TO_THE_DOOR = ("government", "government_delivery", 300)


@pytest.fixture(autouse=True)
def _in_march() -> Iterator[None]:
    clock.freeze(datetime(2026, 3, 3, 9, tzinfo=clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def place(unverified_bank: Database) -> Place:
    return a_place(unverified_bank)


def eat(bank: Database, place: Place, diner: Actor, *borne: tuple[str, str, int], **how: object) -> UUID:
    with bank.unit_of_work() as session:
        return served(session, place, diner, *borne, **how)  # type: ignore[arg-type]


def found_in_april(bank: Database, place: Place) -> list[tuple[str, UUID | None, int]]:
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    return [(one.kind, one.order_id, one.fen) for one in findings(bank, computed(bank, place))]


def from_now_on(bank: Database, place: Place, week: list[MealHours]) -> None:
    with bank.unit_of_work() as session:
        set_hours(session, actor=steward(XIWU), canteen_id=place.id, week=week)


def test_a_meal_that_is_no_longer_served_was_served_on_its_day(unverified_bank: Database, place: Place) -> None:
    eat(unverified_bank, place, place.diner, GOVERNMENT_80)
    from_now_on(unverified_bank, place, whole_week(meals=[Meal.SUPPER]))
    assert found_in_april(unverified_bank, place) == []


def test_longer_hours_set_afterwards_cover_nothing_that_was_before(unverified_bank: Database, place: Place) -> None:
    order_id = eat(unverified_bank, place, place.diner, GOVERNMENT_80, at=NOON.replace(hour=15))
    longer = [MealHours(day, Meal.LUNCH, time(10), time(15, 30), 100) for day in range(1, 8)]
    from_now_on(unverified_bank, place, longer)
    assert found_in_april(unverified_bank, place) == [("served_outside_hours", order_id, 400)]


def two_of_a_household(bank: Database, *, together: bool) -> tuple[Actor, Actor]:
    with bank.unit_of_work() as session:
        one = approved_diner(session, categories=["disabled"])
        return one, approved_diner(session, categories=["disabled"], household_of=one if together else None)


def test_whoever_moved_out_since_was_of_the_household_on_the_day(unverified_bank: Database, place: Place) -> None:
    one, other = two_of_a_household(unverified_bank, together=True)
    eat(unverified_bank, a_place(unverified_bank), one, TO_THE_DOOR, delivery_fen=300)
    second = eat(unverified_bank, place, other, TO_THE_DOOR, delivery_fen=300, at=NOON + timedelta(minutes=5))
    with unverified_bank.unit_of_work() as session:
        leave_household(session, actor=district(), person_id=one.person(), evidence="户口簿")
    assert found_in_april(unverified_bank, place) == [("over_daily_limit", second, 300)]


def test_whoever_moved_in_since_was_of_another_household_on_the_day(unverified_bank: Database, place: Place) -> None:
    one, other = two_of_a_household(unverified_bank, together=False)
    for diner in (one, other):
        eat(unverified_bank, place, diner, TO_THE_DOOR, delivery_fen=300)
    with unverified_bank.unit_of_work() as session:
        ids = {"person_id": one.person(), "with_person_id": other.person()}
        join_household(session, actor=district(), **ids, evidence="户口簿")
    assert found_in_april(unverified_bank, place) == []


@pytest.mark.parametrize(
    ("then", "now", "found"), [(3, 0, []), (0, 3, ["category_not_valid"])], ids=["recovered", "fell ill"]
)
def test_the_level_of_the_day_counts_and_not_that_of_today(
    unverified_bank: Database, place: Place, then: int, now: int, found: list[str]
) -> None:
    assess(unverified_bank, place.diner, then)
    eat(unverified_bank, place, place.diner, TO_THE_DOOR, delivery_fen=300)
    assess(unverified_bank, place.diner, now)
    assert [kind for kind, _, _ in found_in_april(unverified_bank, place)] == found


def assess(bank: Database, diner: Actor, level: int) -> None:
    with bank.unit_of_work() as session:
        file = session.get(ElderFile, diner.person())
        if file is None:
            file = ElderFile(person_id=diner.person(), circumstances=[], village=None)
            session.add(file)
        file.assessment_level = level


def hours_of(session: Session, day: date) -> tuple[str, str]:
    row = session.scalars(select(MealService).where(MealService.served_on == day, MealService.meal == "lunch")).one()
    session.refresh(row)
    return tuple(f"{moment.astimezone(clock.LOCAL):%H:%M}" for moment in (row.opens_at, row.closes_at))  # type: ignore[return-value]


def test_an_order_keeps_what_it_was_priced_by_and_its_meal_the_hours_of_the_day(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
    assess(bank, diner, 2)
    later = [MealHours(day, Meal.LUNCH, time(11), time(14), 100) for day in range(1, 8)]
    with bank.unit_of_work() as session:
        order = place_order(session, actor=diner, wanted=kitchen.lunch(diner))
        assert (order.assessment_level, hours_of(session, kitchen.day)) == (2, ("10:00", "13:30"))
        household = order.household_id
        assert household is not None
        set_hours(session, actor=steward(XIWU), canteen_id=kitchen.canteen.id, week=later)
        place_order(session, actor=other, wanted=kitchen.lunch(other))
        assert hours_of(session, kitchen.day) == ("11:00", "14:00")
    assess(bank, diner, 3)
    with bank.unit_of_work() as session:
        leave_household(session, actor=district(), person_id=diner.person(), evidence="户口簿")
        kept = session.get_one(MealOrder, order.id)
        assert (kept.assessment_level, kept.household_id) == (2, household)
        pork = OrderChange(Way.EAT_IN, ((kitchen.dish(PORK), 1),))
        change_order(session, actor=diner, order_id=order.id, change=pork)
        assert kept.assessment_level == 3
        assert kept.household_id != household


def test_hours_set_anew_do_not_reach_back_to_a_day_that_is_over(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
        place_order(session, actor=diner, wanted=kitchen.lunch(diner))
    clock.freeze(MORNING + timedelta(days=1))
    later = [MealHours(day, Meal.LUNCH, time(11), time(14), 100) for day in range(1, 8)]
    with bank.unit_of_work() as session:
        set_hours(session, actor=steward(XIWU), canteen_id=kitchen.canteen.id, week=later)
        place_orders(session, actor=other, wanted=[kitchen.lunch(other)])
        assert hours_of(session, kitchen.day) == ("10:00", "13:30")
