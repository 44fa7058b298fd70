"""What a canteen serves on which day: hours, closed days, and the answer to whoever wants to order."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.factories.canteens import apply_for_canteen, open_canteen, whole_week
from tests.factories.people import XIWU, steward
from tests.factories.tasks import NINE
from timebank.canteens.network import actions
from timebank.canteens.network.models import Canteen, CanteenClosedDay, CanteenHours
from timebank.canteens.network.queries import Service, services_on
from timebank.canteens.network.rules import MealHours
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError, NotFound, Refused
from timebank.core.ids import new_id

TODAY, TOMORROW = NINE.date(), NINE.date() + timedelta(days=1)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def here(bank: Database) -> Canteen:
    with bank.unit_of_work() as session:
        return open_canteen(session, capacity=30)


def served(session: Session, canteen: Canteen, day: date, meal: str = "lunch") -> Service | BankError:
    return services_on(session, [(canteen.id, day, meal)])[canteen.id, day, meal]


def code(answer: Service | BankError) -> str:
    return answer.code if isinstance(answer, BankError) else "ok"


def close_days(bank: Database, here: Canteen, first: date, last: date, **more: Any) -> list[CanteenClosedDay]:
    with bank.unit_of_work() as session:
        which = {"actor": steward(XIWU), "canteen_id": here.id, "reason": "春节", **more}
        return list(actions.add_closed_days(session, first_on=first, last_on=last, **which))


def test_a_meal_is_served_within_its_hours_in_local_time(bank: Database, here: Canteen) -> None:
    with bank.session() as session:
        found = served(session, here, TOMORROW)
    assert found == Service(
        datetime.combine(TOMORROW, time(10), clock.LOCAL), datetime.combine(TOMORROW, time(13, 30), clock.LOCAL), 30
    )


def test_a_week_is_set_as_a_whole(bank: Database, here: Canteen) -> None:
    week = [MealHours(3, Meal.LUNCH, time(11), time(12), 7)]
    with bank.unit_of_work() as session:
        actions.set_hours(session, actor=steward(XIWU), canteen_id=here.id, week=week)
    with bank.session() as session:
        assert len(session.scalars(select(CanteenHours)).all()) == 1
        # The tenth of March 2026 is a Tuesday.
        assert code(served(session, here, TODAY)) == "meal_not_served"
        found = served(session, here, TOMORROW)
        assert isinstance(found, Service)
        assert found.capacity_meals == 7
        assert code(served(session, here, TOMORROW, "supper")) == "meal_not_served"


def test_a_week_that_is_refused_leaves_the_old_one(bank: Database, here: Canteen) -> None:
    twice = [*whole_week(5), MealHours(1, Meal.LUNCH, time(14), time(15), 5)]
    with pytest.raises(Refused, match="hours_twice"), bank.unit_of_work() as session:
        actions.set_hours(session, actor=steward(XIWU), canteen_id=here.id, week=twice)
    with bank.session() as session:
        assert set(session.scalars(select(CanteenHours.capacity_meals))) == {30}


def test_on_a_closed_day_nothing_is_served_and_the_reason_is_said(bank: Database, here: Canteen) -> None:
    close_days(bank, here, TOMORROW, TOMORROW + timedelta(days=2))
    with bank.session() as session:
        refusal = served(session, here, TOMORROW + timedelta(days=2))
        assert isinstance(refusal, Refused)
        assert (refusal.code, refusal.facts["reason"]) == ("canteen_closed_that_day", "春节")
        assert refusal.title == "这个助餐点3月13日停餐：春节"
        assert code(served(session, here, TOMORROW, "breakfast")) == "canteen_closed_that_day"
        assert code(served(session, here, TODAY)) == "ok"
        assert code(served(session, here, TOMORROW + timedelta(days=3))) == "ok"


def test_a_single_meal_is_closed_alone(bank: Database, here: Canteen) -> None:
    close_days(bank, here, TOMORROW, TOMORROW, meal="supper")
    with bank.session() as session:
        assert code(served(session, here, TOMORROW, "supper")) == "canteen_closed_that_day"
        assert code(served(session, here, TOMORROW, "lunch")) == "ok"


def test_days_entered_twice_keep_their_first_reason(bank: Database, here: Canteen) -> None:
    close_days(bank, here, TOMORROW, TOMORROW, reason="停电")
    found = close_days(bank, here, TOMORROW, TOMORROW + timedelta(days=1))
    assert [(one.closed_on, one.reason) for one in found] == [
        (TOMORROW, "停电"),
        (TOMORROW + timedelta(days=1), "春节"),
    ]


@pytest.mark.parametrize(
    ("first", "last", "reason", "why"),
    [
        (TODAY, TODAY, "停电", "day_begun"),
        (TOMORROW, TODAY, "停电", "days_backwards"),
        (TOMORROW, TOMORROW + timedelta(days=366), "停电", "days_too_many"),
        (TOMORROW, TOMORROW, " ", "reason_needed"),
    ],
)
def test_days_that_cannot_be_closed_are_refused(
    bank: Database, here: Canteen, first: date, last: date, reason: str, why: str
) -> None:
    with pytest.raises(Refused, match=why):
        close_days(bank, here, first, last, reason=reason)
    with bank.session() as session:
        assert session.scalars(select(CanteenClosedDay)).all() == []


def test_a_day_is_opened_again_before_it_begins_and_not_after(bank: Database, here: Canteen) -> None:
    close_days(bank, here, TOMORROW, TOMORROW + timedelta(days=1))
    which: dict[str, Any] = {"actor": steward(XIWU), "canteen_id": here.id}
    with bank.unit_of_work() as session:
        actions.remove_closed_day(session, **which, closed_on=TOMORROW + timedelta(days=1))
        assert code(served(session, here, TOMORROW + timedelta(days=1))) == "ok"
    clock.freeze(NINE + timedelta(days=1))
    with pytest.raises(Refused, match="day_begun"), bank.unit_of_work() as session:
        actions.remove_closed_day(session, **which, closed_on=TOMORROW)
    for day, meal in ((TOMORROW + timedelta(days=5), None), (TOMORROW, "lunch")):
        with pytest.raises(NotFound, match="closed_day_unknown"), bank.unit_of_work() as session:
            actions.remove_closed_day(session, **which, closed_on=day, meal=meal)


def test_who_is_not_open_serves_nothing_nor_does_whom_it_cooks_for(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        point, waiting = open_canteen(session, kitchen_id=here.id), apply_for_canteen(session)
        assert code(served(session, point, TOMORROW)) == "ok"
        actions.suspend(session, actor=steward(XIWU), canteen_id=here.id, reason="检修")
        said = [served(session, canteen, TOMORROW) for canteen in (here, point, waiting)]
    assert [code(one) for one in said] == ["canteen_not_open"] * 3
    assert [one.title for one in said if isinstance(one, BankError)] == [
        "这个助餐点暂停，现在不供餐",
        "为这个助餐点供餐的厨房暂停，现在不供餐",
        "这个助餐点已申请，现在不供餐",
    ]


def test_many_are_answered_in_three_statements_each_for_itself(bank: Database, here: Canteen) -> None:
    close_days(bank, here, TOMORROW, TOMORROW, meal="supper")
    with bank.unit_of_work() as session:
        others = [open_canteen(session).id for _ in range(3)]
    nowhere = new_id()
    days = [TODAY + timedelta(days=n) for n in range(10)]
    wanted = [(one, day, str(meal)) for one in (here.id, nowhere, *others) for day in days for meal in Meal]
    statements: list[str] = []
    event.listen(bank.engine, "before_cursor_execute", lambda *how: statements.append(how[2]))
    with bank.session() as session:
        found = services_on(session, wanted)
        assert services_on(session, []) == {}
    assert len(statements) == 3
    assert set(found) == set(wanted)
    assert {code(found[key]) for key in wanted if key[0] == nowhere} == {"canteen_unknown"}
    refused = [key for key in wanted if key[0] != nowhere and isinstance(found[key], BankError)]
    assert refused == [(here.id, TOMORROW, "supper")]
