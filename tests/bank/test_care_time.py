"""What time alone does to bookings, once, whatever breaks in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from tests.api.whole_database import fingerprint
from tests.factories.care import add_provider, arrive, as_it_is, assigned, booked, carer, elder_with, visit
from tests.factories.minutes import grant_minutes
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger import actions as ledger
from timebank.ledger.queries import Balance, balance_of
from timebank.notifications.models import Notice
from timebank.redemption.care import actions as care
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries import ProviderView, find_providers

Pair = tuple[Actor, ProviderView]


@pytest.fixture
def pair(bank: Database) -> Pair:
    """An elder with ten hours and a provider."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return elder_with(session, 600), add_provider(session)


def time_passes(bank: Database, until: CareBooking | None = None) -> int:
    """Do what is due at the deadline of a booking, and nothing a second before; answers how many things were done."""
    if until is not None:
        clock.freeze(as_it_is(bank, until).deadline_at - timedelta(seconds=1))
        assert time_passes(bank) == 0
        clock.freeze(clock.now() + timedelta(seconds=1))
    with bank.session() as session:
        due = care.deadlines_passed(session, limit=100)
    done = 0
    for booking_id in due:
        with bank.unit_of_work() as session:
            done += care.move_on(session, booking_id=booking_id)
    return done


def balance(bank: Database, elder: Actor) -> Balance:
    with bank.session() as session:
        return balance_of(session, elder.person())


def titles(bank: Database, who: Actor) -> list[str]:
    with bank.session() as session:
        return list(session.scalars(select(Notice.title).where(Notice.person_id == who.person_id).order_by(Notice.id)))


def test_nobody_sent_until_the_visit_begins_gives_all_minutes_back(bank: Database, pair: Pair) -> None:
    booking = booked(bank, pair[0])
    assert time_passes(bank, booking) == 1
    done = as_it_is(bank, booking)
    assert (done.status, done.ended_at, done.captured_minutes) == ("lapsed", booking.starts_at, 0)
    assert balance(bank, pair[0]).available_minutes == 600
    assert titles(bank, pair[0])[-1] == "上门服务预约已失效"
    assert time_passes(bank) == 0


def test_a_provider_that_does_not_come_is_noted_and_all_minutes_come_back(bank: Database, pair: Pair) -> None:
    booking = assigned(bank, *pair)
    assert time_passes(bank, booking) == 1
    done = as_it_is(bank, booking)
    assert (done.status, done.ended_at) == ("no_show", booking.starts_at + timedelta(minutes=60))
    assert balance(bank, pair[0]).available_minutes == 600
    with bank.session() as session:
        assert [found.no_shows for found in find_providers(session, limit=9)] == [1]


def test_a_forgotten_check_out_goes_to_a_steward(bank: Database, pair: Pair) -> None:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at)
    arrive(bank, booking, pair[1])
    assert time_passes(bank, booking) == 1
    done = as_it_is(bank, booking)
    assert (done.status, clock.now() - done.ends_at) == ("disputed", timedelta(hours=12))
    assert balance(bank, pair[0]).held_minutes == 60


def test_who_neither_confirms_nor_disputes_confirms_but_pays_no_excess(bank: Database, pair: Pair) -> None:
    booking = visit(bank, assigned(bank, *pair), pair[1], minutes=85)
    assert time_passes(bank, booking) == 1
    done = as_it_is(bank, booking)
    assert (done.status, done.captured_minutes, done.excess_minutes) == ("confirmed", 60, 0)
    assert done.ended_at == done.checked_out_at + timedelta(hours=72)  # type: ignore[operator]


def test_a_dispute_that_nobody_decides_lapses_when_the_hold_is_over(bank: Database, pair: Pair) -> None:
    booking = visit(bank, assigned(bank, *pair), pair[1], minutes=60)
    with bank.unit_of_work() as session:
        care.dispute(session, actor=pair[0], booking_id=booking.id, reason="没有来")
    assert time_passes(bank, booking) == 1
    assert (as_it_is(bank, booking).status, clock.now()) == ("lapsed", booking.hold_until)
    assert balance(bank, pair[0]).available_minutes == 600


@pytest.mark.parametrize("holds_first", [True, False])
def test_whichever_job_comes_first_when_the_hold_is_over_the_booking_lapses(
    bank: Database, pair: Pair, holds_first: bool
) -> None:
    booking = visit(bank, assigned(bank, *pair), pair[1], minutes=60)
    clock.freeze(booking.hold_until)

    def end_holds() -> None:
        with bank.unit_of_work() as session:
            for hold_id in ledger.expired_holds(session, limit=9):
                ledger.end_hold(session, hold_id=hold_id, expired=True)

    if holds_first:
        end_holds()
        with pytest.raises(BankError, match="hold_ended"), bank.unit_of_work() as session:
            care.confirm(session, actor=pair[0], booking_id=booking.id)
    assert time_passes(bank) == 1
    end_holds()
    assert as_it_is(bank, booking).status == "lapsed"
    assert (balance(bank, pair[0]).available_minutes, balance(bank, pair[0]).held_minutes) == (600, 0)


def test_minutes_of_a_lot_that_expired_meanwhile_still_pay_for_what_was_booked(bank: Database, pair: Pair) -> None:
    with bank.unit_of_work() as session:
        grant_minutes(session, pair[0], 60, expires_on=date(2026, 3, 11))
    booking = visit(bank, assigned(bank, *pair), pair[1], minutes=60)
    time_passes(bank, booking)
    assert (as_it_is(bank, booking).captured_minutes, balance(bank, pair[0]).savings_minutes) == (60, 600)


class PowerFails(Exception):
    """Raised in the middle of a unit of work."""


def fail_at(session: Session, nth: int) -> Callable[[], bool]:
    """Let the unit of work break after its ``nth`` flush; answers how to ask whether it came to that."""
    flushes = 0

    def count(*_: object) -> None:
        nonlocal flushes
        flushes += 1
        if flushes == nth:
            raise PowerFails

    event.listen(session, "after_flush_postexec", count)
    return lambda: flushes >= nth


STEPS: dict[str, Callable[[Session, Pair, CareBooking], object]] = {
    "no-show": lambda s, _, b: care.move_on(s, booking_id=b.id),
    "confirm by time": lambda s, _, b: care.move_on(s, booking_id=b.id),
    "confirm": lambda s, pair, b: care.confirm(s, actor=pair[0], booking_id=b.id, accept_excess_minutes=25),
    "late cancel": lambda s, pair, b: care.cancel(s, actor=pair[0], booking_id=b.id),
    "assign": lambda s, _, b: care.assign_best(s, booking_id=b.id),
    "not home": lambda s, pair, b: care.not_home(
        s, actor=carer(pair[1]), booking_id=b.id, reason="无人", evidence="照片"
    ),
}
ENDS = {
    "no-show": ("no_show", 600),
    "confirm by time": ("confirmed", 540),
    "confirm": ("confirmed", 515),
    "late cancel": ("cancelled", 570),
    "assign": ("assigned", 600),
    "not home": ("not_home", 570),
}


def prepared(bank: Database, pair: Pair, step: str) -> CareBooking:
    """A booking on which this step is due now."""
    if step == "assign":
        booking = booked(bank, pair[0])
        clock.freeze(booking.next_assign_at)
    elif step in ("confirm", "confirm by time"):
        booking = visit(bank, assigned(bank, *pair), pair[1], minutes=85)
        if step == "confirm by time":
            clock.freeze(booking.deadline_at)
    else:
        booking = assigned(bank, *pair)
        early = {"late cancel": timedelta(minutes=1), "no-show": -timedelta(minutes=60)}
        clock.freeze(booking.starts_at - early.get(step, timedelta()))
    return booking


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_breaks_anywhere_leaves_nothing_and_is_done_once_afterwards(
    bank: Database, pair: Pair, step: str
) -> None:
    booking = prepared(bank, pair, step)
    before, nth, broken = fingerprint(bank), 1, 0
    while True:
        try:
            with bank.unit_of_work() as session:
                fail_at(session, nth)
                STEPS[step](session, pair, booking)
            break
        except PowerFails:
            broken, nth = broken + 1, nth + 1
            assert fingerprint(bank) == before
    assert broken >= 2
    assert (as_it_is(bank, booking).status, balance(bank, pair[0]).savings_minutes) == ENDS[step]
    once = fingerprint(bank)
    for booking_id in [booking.id]:
        with bank.unit_of_work() as session:
            assert care.move_on(session, booking_id=booking_id) is False
            assert care.assign_best(session, booking_id=booking_id) is False
    assert fingerprint(bank) == once


def test_only_so_many_are_found_at_once_the_longest_waiting_first(bank: Database, pair: Pair) -> None:
    first = booked(bank, pair[0], starts_at=NINE + timedelta(days=1))
    second = booked(bank, pair[0], starts_at=NINE + timedelta(hours=5))
    clock.freeze(NINE + timedelta(days=2))
    with bank.session() as session:
        assert care.deadlines_passed(session, limit=1) == [second.id]
        assert care.deadlines_passed(session, limit=9) == [second.id, first.id]
        assert session.scalar(select(func.count(CareBooking.ended_at))) == 0
