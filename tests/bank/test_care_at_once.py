"""Several at the same moment: one wins, everybody gets a right answer, and the books balance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.factories.care import (
    add_provider,
    as_it_is,
    assigned,
    booked,
    carer,
    confirmed,
    elder_with,
    visit,
)
from tests.factories.people import XIWU, district, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of, half_way
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.actions import end_hold
from timebank.ledger.models import Hold, Transfer
from timebank.ledger.queries import balance_of
from timebank.redemption.care import actions as care
from timebank.redemption.care.actions import Offer, Visit
from timebank.redemption.care.models import CareBill, CareBooking, CareCapacity, CareCharge

Call = Callable[[Session], object]


@pytest.fixture(autouse=True)
def _nine(bank: Database) -> None:
    clock.freeze(NINE)


def paid(bank: Database) -> int:
    """Minutes captured in all."""
    with bank.session() as session:
        return int(session.scalar(select(func.sum(Transfer.amount)).where(Transfer.kind == "care_use")) or 0)


def test_one_place_is_left_and_eight_are_sent_to_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elders = [elder_with(session, 100) for _ in range(8)]
        provider = add_provider(session, capacity=100)
    bookings = [booked(bank, elder) for elder in elders]
    calls: list[Call] = [
        partial(care.assign, actor=district(), booking_id=b.id, provider_id=provider.provider_id) for b in bookings
    ]
    assert codes_of(at_once(bank, calls)) == ["care_provider_full"] * 7 + ["ok"]
    with bank.session() as session:
        assert session.scalars(select(CareCapacity.used_minutes)).all() == [60]


def test_eight_are_sent_automatically_to_three_places_and_nobody_waits_in_a_ring(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elders = [elder_with(session, 100) for _ in range(8)]
        for grade in (1, 3, 5):
            add_provider(session, capacity=60, grade=grade)
    bookings = [booked(bank, elder) for elder in elders]
    clock.freeze(NINE + timedelta(minutes=15))
    assert at_once(bank, [partial(care.assign_best, booking_id=b.id) for b in bookings]) == [True] * 8
    with bank.session() as session:
        assert session.scalars(select(CareCapacity.used_minutes)).all() == [60, 60, 60]
        assert session.scalar(select(func.count()).where(CareBooking.status == "assigned")) == 3


def test_capacity_that_shrinks_while_people_are_sent_is_never_exceeded(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elders = [elder_with(session, 100) for _ in range(4)]
        provider = add_provider(session, capacity=240)
    bookings = [booked(bank, elder) for elder in elders]
    provider_id = provider.provider_id
    calls: list[Call] = [
        partial(care.assign, actor=district(), booking_id=b.id, provider_id=provider_id) for b in bookings
    ]
    offer = Offer(daily_capacity_minutes=60)
    calls.insert(2, partial(care.change_provider, actor=steward(XIWU), provider_id=provider_id, offer=offer))
    codes = codes_of(at_once(bank, calls))
    assert set(codes) <= {"ok", "care_provider_full"}
    with bank.session() as session:
        [day] = session.scalars(select(CareCapacity))
    assert day.used_minutes == 60 * (codes.count("ok") - 1)
    assert day.capacity_minutes == max(60, day.used_minutes)


def test_an_elder_books_the_same_hour_eight_times(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 1000)
    wanted = Visit(NINE + timedelta(days=1), 60)
    assert codes_of(at_once(bank, [partial(care.book, actor=elder, wanted=wanted)] * 8)) == ["care_time_taken"] * 7 + [
        "ok"
    ]
    with bank.session() as session:
        assert balance_of(session, elder.person()).held_minutes == 60


def test_an_elder_books_eight_hours_with_minutes_for_three(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 200)
    calls: list[Call] = [
        partial(care.book, actor=elder, wanted=Visit(NINE + timedelta(days=day), 60)) for day in range(1, 9)
    ]
    assert codes_of(at_once(bank, calls)) == ["insufficient_minutes"] * 5 + ["ok"] * 3


@pytest.mark.parametrize("round_", range(3))
def test_confirming_disputing_and_time_at_once_end_it_one_way(bank: Database, round_: int) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=60)
    clock.freeze(booking.deadline_at)
    calls: list[Call] = [
        partial(care.confirm, actor=elder, booking_id=booking.id),
        partial(care.move_on, booking_id=booking.id),
        partial(care.dispute, actor=elder, booking_id=booking.id, reason="没有来"),
        partial(care.confirm, actor=elder, booking_id=booking.id),
        partial(care.move_on, booking_id=booking.id),
    ]
    answers = at_once(bank, calls[round_:] + calls[:round_])
    done = as_it_is(bank, booking)
    won = [answer for answer in answers if answer is True or isinstance(answer, CareBooking)]
    assert len(won) == 1
    assert paid(bank) == (60 if done.status == "confirmed" else 0)
    assert done.status in ("confirmed", "disputed")


def test_cancelling_checking_in_not_home_and_time_at_once_end_it_one_way(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    booking = assigned(bank, elder, provider)
    clock.freeze(booking.deadline_at)
    door = {"reason": "无人", "evidence": "照片"}
    code = {"service_code": booking.service_code}
    calls: list[Call] = [
        partial(care.cancel, actor=steward(XIWU), booking_id=booking.id, reason="停电"),
        partial(care.move_on, booking_id=booking.id),
        partial(care.not_home, actor=carer(provider), booking_id=booking.id, **door),
        partial(care.check_in, actor=carer(provider), booking_id=booking.id, **code),
    ]
    answers = at_once(bank, calls)
    done = as_it_is(bank, booking)
    assert len([answer for answer in answers if answer is True or isinstance(answer, CareBooking)]) == 1
    assert (done.status, paid(bank)) in [("cancelled", 0), ("no_show", 0), ("not_home", 30), ("checked_in", 0)]


def held(bank: Database, booking: CareBooking) -> Sequence[Hold]:
    with bank.session() as session:
        return session.scalars(select(Hold).where(Hold.cause_id == booking.id)).all()


@pytest.mark.parametrize("round_", range(3))
def test_a_hold_that_is_captured_and_released_at_once_is_ended_once(bank: Database, round_: int) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=60)
    [hold] = held(bank, booking)
    calls: list[Call] = [
        partial(care.confirm, actor=elder, booking_id=booking.id),
        partial(end_hold, hold_id=hold.id),
    ]
    codes = codes_of(at_once(bank, calls if round_ % 2 else calls[::-1]))
    [after] = held(bank, booking)
    assert codes == ["hold_ended", "ok"]
    assert (after.state, paid(bank)) in [("captured", 60), ("released", 0)]
    if after.state == "released":
        clock.freeze(booking.deadline_at)
        with bank.unit_of_work() as session:
            assert care.move_on(session, booking_id=booking.id)
        assert as_it_is(bank, booking).status == "lapsed"


def test_a_month_is_billed_once_however_many_issue_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    confirmed(bank, elder, provider)
    later = visit(bank, assigned(bank, elder, provider), provider, minutes=30)
    clock.freeze(NINE + timedelta(days=31))
    issue = partial(care.issue_due_bill, provider_id=provider.provider_id, month="2026-03")
    calls: list[Call] = [issue] * 4 + [partial(care.confirm, actor=elder, booking_id=later.id)] + [issue] * 3
    answers = at_once(bank, calls)
    assert sum(answer is True for answer in answers) == 1
    with bank.session() as session:
        assert session.scalars(select(CareBill.minutes)).all() == [60]
        assert session.scalar(select(func.sum(CareCharge.minutes))) == 90


def test_two_carers_check_one_visit_in_and_out_at_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    booking = assigned(bank, elder, provider)
    clock.freeze(booking.starts_at)
    code = booking.service_code
    check_in = partial(care.check_in, booking_id=booking.id, service_code=code)
    assert (
        codes_of(at_once(bank, [partial(check_in, actor=carer(provider)) for _ in range(4)]))
        == ["ok"] + ["wrong_state"] * 3
    )
    clock.freeze(clock.now() + timedelta(minutes=30))
    out = [partial(care.check_out, actor=carer(provider), booking_id=booking.id) for _ in range(4)]
    assert codes_of(at_once(bank, out)) == ["ok"] + ["wrong_state"] * 3
    assert as_it_is(bank, booking).served_minutes == 30


def test_a_provider_that_is_changed_while_a_visit_is_called_off_waits_in_no_ring(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    booking = assigned(bank, elder, provider)
    provider_id, offer = provider.provider_id, Offer(daily_capacity_minutes=600)
    change = partial(care.change_provider, actor=district(), provider_id=provider_id, offer=offer)
    calls: list[Call] = half_way(
        monkeypatch,
        "timebank.redemption.care.actions.providers",
        "_change_days",
        change,
        partial(care.cancel, actor=elder, booking_id=booking.id),
    )
    assert codes_of(at_once(bank, calls)) == ["ok", "ok"]
    with bank.session() as session:
        [day] = session.scalars(select(CareCapacity))
        assert (day.capacity_minutes, day.used_minutes) == (600, 0)


def test_a_bill_that_is_issued_while_a_visit_is_called_off_holds_nobody_up(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    confirmed(bank, elder, provider)
    clock.freeze(NINE + timedelta(days=31))
    booking = assigned(bank, elder, provider)
    done: list[bool] = []

    def cancelled(session: Session) -> object:
        found = care.cancel(session, actor=elder, booking_id=booking.id)
        done.append(True)
        return found

    def issued(session: Session) -> object:
        made = care.issue_due_bill(session, provider_id=provider.provider_id, month="2026-03")
        with bank.unit_of_work() as other:
            other.execute(text("SET LOCAL lock_timeout = '2s'"))
            cancelled(other)
        return made

    assert at_once(bank, [issued]) == [True]
    assert done == [True]
