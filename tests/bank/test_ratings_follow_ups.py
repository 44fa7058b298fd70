"""Follow-up calls: drawn once a month and township, the same ones for everybody, and called until somebody answers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.factories.diners import approved_diner
from tests.factories.people import SHANGTIAN, XIWU, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.ratings import AFTER_LUNCH, Eaten, corrected, eaten_lunch, lunches, rated
from tests.factories.subsidies import Place, a_place, served
from tests.factories.threads import at_once
from timebank.canteens.ratings.actions import draw_follow_ups, draws_due, record_call
from timebank.canteens.ratings.models import FollowUp, FollowUpDraw
from timebank.canteens.ratings.queries import calls_of
from timebank.canteens.ratings.rules import lots
from timebank.canteens.ratings.views import FollowUpView, follow_ups
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.core.sorting import Part
from timebank.people.models import Person

MARCH = date(2026, 3, 1)
IN_APRIL = clock.day_start(date(2026, 4, 1))


@pytest.fixture(autouse=True)
def _in_march() -> None:
    clock.freeze(AFTER_LUNCH)


def eaters(bank: Database, count: int, township_code: str = SHANGTIAN) -> tuple[Place, list[Actor]]:
    place = a_place(bank, township_code=township_code, gifts=False)
    with bank.unit_of_work() as session:
        diners = [approved_diner(session, township_code, name=f"周{number}") for number in range(count)]
        lunches(session, place, diners)
    return place, diners


def drawn(bank: Database, township_code: str = SHANGTIAN) -> list[UUID]:
    with bank.unit_of_work() as session:
        return draw_follow_ups(session, month=MARCH, township_code=township_code)


def percent(bank: Database, value: int) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "follow_up_percent", value, at=clock.now())


def test_a_month_is_drawn_once_it_has_ended_where_somebody_was_served(bank: Database) -> None:
    eaters(bank, 1)
    with bank.session() as session:
        assert draws_due(session) == []
    clock.freeze(IN_APRIL)
    with bank.session() as session:
        assert draws_due(session) == [(MARCH, SHANGTIAN)]
    drawn(bank)
    with bank.session() as session:
        assert draws_due(session) == []
    clock.freeze(clock.day_start(date(2026, 5, 1)))
    with bank.session() as session:
        assert draws_due(session) == []


def test_a_draw_takes_its_part_of_those_served_and_says_of_how_many(bank: Database) -> None:
    percent(bank, 30)
    _, diners = eaters(bank, 7)
    eaters(bank, 2, XIWU)
    clock.freeze(IN_APRIL)
    found = drawn(bank)
    assert found == lots(MARCH, [diner.person() for diner in diners], 30)
    with bank.session() as session:
        draw = session.scalars(select(FollowUpDraw)).one()
        called = session.scalars(select(FollowUp)).all()
    assert (draw.served_diners, draw.percent, draw.drawn, len(found)) == (7, 30, 3, 3)
    assert {one.person_id for one in called} == set(found)
    assert {(one.reason, one.month, one.township_code) for one in called} == {("sample", MARCH, SHANGTIAN)}


def test_drawn_again_or_by_two_at_once_the_month_has_one_draw(bank: Database) -> None:
    percent(bank, 50)
    eaters(bank, 4)
    clock.freeze(IN_APRIL)
    calls = [lambda session: draw_follow_ups(session, month=MARCH, township_code=SHANGTIAN)] * 2
    answers = at_once(bank, calls)
    assert sorted(len(answer) for answer in answers if not isinstance(answer, BankError)) == [0, 2]
    assert drawn(bank) == []
    with bank.session() as session:
        assert len(session.scalars(select(FollowUp)).all()) == 2


def test_one_is_called_about_the_last_meal_of_the_month_and_only_about_served_ones(bank: Database) -> None:
    percent(bank, 100)
    place, (diner, absent) = eaters(bank, 2)
    with bank.unit_of_work() as session:
        last = served(session, place, diner, on=date(2026, 3, 31))
        served(session, place, diner, on=date(2026, 4, 1))
        wrong = served(session, place, absent, on=date(2026, 3, 12))
    corrected(bank, wrong)
    clock.freeze(IN_APRIL + timedelta(days=2))
    assert set(drawn(bank)) == {diner.person(), absent.person()}
    with bank.session() as session:
        orders = dict(session.execute(select(FollowUp.person_id, FollowUp.order_id)).all())  # type: ignore[arg-type]
    assert orders[diner.person()] == last
    assert orders[absent.person()] != wrong


def test_nobody_is_called_who_has_left_or_is_reported_dead(bank: Database) -> None:
    percent(bank, 100)
    _, (gone, reported, here) = eaters(bank, 3)
    with bank.unit_of_work() as session:
        session.get_one(Person, gone.person()).left_at = clock.now()
        session.get_one(Person, reported.person()).death_reported_at = clock.now()
    clock.freeze(IN_APRIL)
    assert drawn(bank) == [here.person()]


def unhappy(bank: Database) -> tuple[Eaten, UUID]:
    eaten = eaten_lunch(bank)
    rated(bank, eaten, 1, words="太咸了")
    with bank.session() as session:
        return eaten, session.scalars(select(FollowUp.id)).one()


def called(bank: Database, follow_up_id: UUID, actor: Actor, reached: bool, satisfied: int | None = None) -> FollowUp:
    with bank.unit_of_work() as session:
        return record_call(
            session, actor=actor, follow_up_id=follow_up_id, reached=reached, satisfied=satisfied, words=" 已说明 "
        )


def test_a_diner_who_answers_ends_the_follow_up(bank: Database) -> None:
    _, follow_up_id = unhappy(bank)
    clerk_of_township = steward(SHANGTIAN)
    assert called(bank, follow_up_id, clerk_of_township, False).closed_at is None
    assert called(bank, follow_up_id, clerk_of_township, True, 4).closed_at == AFTER_LUNCH
    with pytest.raises(Conflict, match="follow_up_closed:"):
        called(bank, follow_up_id, clerk_of_township, True, 5)
    with bank.session() as session:
        calls = [(one.number, one.reached, one.satisfied, one.words) for one in calls_of(session, follow_up_id)]
    assert calls == [(1, False, None, "已说明"), (2, True, 4, "已说明")]


def test_after_three_calls_that_nobody_took_it_ends_too(bank: Database) -> None:
    _, follow_up_id = unhappy(bank)
    assert [called(bank, follow_up_id, district(), False).closed_at for _ in range(3)] == [None, None, AFTER_LUNCH]


def test_only_stewards_of_the_diners_township_record_calls(bank: Database) -> None:
    eaten, follow_up_id = unhappy(bank)
    for actor, code in (
        *((one, "steward_only") for one in (eaten.clerk, eaten.diner, staff(StaffRole.AUDITOR))),
        (steward(XIWU), "other_township"),
    ):
        with pytest.raises(NotAllowed, match=f"{code}:"):
            called(bank, follow_up_id, actor, False)
    with pytest.raises(NotFound, match="follow_up_unknown:"):
        called(bank, new_id(), district(), False)
    for reached, satisfied in ((True, None), (False, 3)):
        with pytest.raises(Refused, match="outcome_incomplete:"):
            called(bank, follow_up_id, district(), reached, satisfied)
    with bank.session() as session:
        assert calls_of(session, follow_up_id) == []


WHOLE = Part(50)


def listed(bank: Database, actor: Actor, part: Part = WHOLE, **how: Any) -> list[FollowUpView]:
    with bank.session() as session:
        return list(follow_ups(session, actor=actor, part=part, **how).items)


def test_the_list_has_open_ones_with_whom_to_call_and_why(bank: Database) -> None:
    eaten, follow_up_id = unhappy(bank)
    view = listed(bank, steward(SHANGTIAN))[0]
    assert (view.follow_up.id, view.person.name, view.phone) == (follow_up_id, "周桂芬", "13812345678")
    assert view.rating is not None
    assert (view.canteen.id, view.rating.stars, view.rating.words) == (eaten.place.id, 1, "太咸了")
    assert [one.phone for one in listed(bank, staff(StaffRole.AUDITOR))] == [None]
    assert listed(bank, steward(XIWU)) == listed(bank, district(), township_code=XIWU) == []
    for actor, code in ((steward(XIWU), "other_township"), (eaten.clerk, "books_not_yours"), (eaten.diner, "books")):
        with pytest.raises(NotAllowed, match=code):
            listed(bank, actor, township_code=SHANGTIAN)
    called(bank, follow_up_id, district(), True, 5)
    assert listed(bank, district()) == []
    assert [len(one.calls) for one in listed(bank, district(), only_open=False)] == [1]


def test_the_list_goes_on_where_it_ended(bank: Database) -> None:
    percent(bank, 100)
    eaters(bank, 3)
    clock.freeze(IN_APRIL)
    drawn(bank)
    ids = [view.follow_up.id for view in listed(bank, district())]
    assert ids == sorted(ids)
    assert [view.follow_up.id for view in listed(bank, district(), Part(2))] == ids[:2]
    assert [view.follow_up.id for view in listed(bank, district(), Part(50, after=(ids[1], ids[1])))] == ids[2:]
    assert [view.follow_up.id for view in listed(bank, district(), Part(50, "-opened_at"))] == ids[::-1]
