"""Visits of an elder who has moved meanwhile: the township booked from and the present one both look after them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest

from tests.factories.care import add_provider, as_it_is, assigned, booked, visit
from tests.factories.leaving import leave
from tests.factories.minutes import grant_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, district, steward
from tests.factories.tasks import NINE
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError, NotFound
from timebank.core.sorting import Part
from timebank.redemption.care import actions as care
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries import BookingFilter, ProviderView, booking_for, find_bookings

PRESENT, FORMER, THIRD = steward(DAYAN), steward(XIWU), steward(SHANGTIAN)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def elder(bank: Database) -> Actor:
    """An elder of 西坞 with granted minutes, which stay behind when somebody moves."""
    with bank.unit_of_work() as session:
        found = add_elder(session, XIWU)
        grant_minutes(session, found, 300, expires_on=date(2026, 12, 31))
        return found


@pytest.fixture
def provider(bank: Database) -> ProviderView:
    with bank.unit_of_work() as session:
        return add_provider(session)


def served(bank: Database, elder: Actor, provider: ProviderView) -> CareBooking:
    return visit(bank, assigned(bank, elder, provider), provider, minutes=60)


def code_of(bank: Database, step: Callable[..., object], actor: Actor) -> str | None:
    """The code this actor is refused with; None where the step is done."""
    try:
        with bank.unit_of_work() as session:
            step(session, actor=actor)
    except BankError as refusal:
        return refusal.code
    return None


def moved(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=elder.person(), township_code=DAYAN, evidence="户口迁移证")


def test_both_townships_see_a_visit_and_no_third_one(bank: Database, elder: Actor) -> None:
    booking = booked(bank, elder)
    with bank.session() as session, pytest.raises(NotFound, match="care_booking_unknown"):
        booking_for(session, actor=PRESENT, booking_id=booking.id)
    moved(bank, elder)
    with bank.session() as session:
        for actor, count in ((PRESENT, 1), (FORMER, 1), (THIRD, 0)):
            assert len(find_bookings(session, actor=actor, wanted=BookingFilter(), part=Part(9)).items) == count


@pytest.mark.parametrize("by", [PRESENT, FORMER])
def test_both_townships_send_and_cancel(bank: Database, elder: Actor, provider: ProviderView, by: Actor) -> None:
    booking = booked(bank, elder)
    moved(bank, elder)
    send = partial(care.assign, booking_id=booking.id, provider_id=provider.provider_id)
    cancel = partial(care.cancel, booking_id=booking.id, reason="住院")
    for actor, code in ((THIRD, "not_your_booking"), (by, None)):
        assert [code_of(bank, step, actor) for step in (send, cancel)] == [code, code]
    assert as_it_is(bank, booking).status == "cancelled"


@pytest.mark.parametrize("by", [PRESENT, FORMER])
def test_both_townships_confirm_dispute_and_decide(
    bank: Database, elder: Actor, provider: ProviderView, by: Actor
) -> None:
    first, second = (served(bank, elder, provider) for _ in range(2))
    moved(bank, elder)
    confirm = partial(care.confirm, booking_id=first.id, evidence="电话核实")
    dispute = partial(care.dispute, booking_id=second.id, reason="时长不符")
    decide = partial(care.decide, booking_id=second.id, minutes=30, reason="核实")
    for actor, code in ((THIRD, "not_your_booking"), (by, None)):
        assert [code_of(bank, step, actor) for step in (confirm, dispute)] == [code, code]
    refusals = ((THIRD, "other_township"), (by, "second_person_needed"), (steward(by.township_code or ""), None))
    for actor, refusal in refusals:
        assert code_of(bank, decide, actor) == refusal
    assert [as_it_is(bank, one).captured_minutes for one in (first, second)] == [60, 30]


def test_an_elder_who_moved_leaves_before_a_steward_of_the_new_township(bank: Database, elder: Actor) -> None:
    booking = booked(bank, elder)
    moved(bank, elder)
    left = leave(bank, PRESENT, person_id=elder.person_id, evidence="申请书第2号")
    assert (left.granted_minutes, as_it_is(bank, booking).status) == (300, "cancelled")
