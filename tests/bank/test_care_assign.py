"""Who is sent, by whom, and what becomes of it when nobody has room or the provider declines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.factories.care import add_provider, as_it_is, assigned, booked, carer, elder_with, send
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, district, steward
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.sorting import Part
from timebank.notifications.models import Notice
from timebank.redemption.care import actions as care
from timebank.redemption.care.actions import Offer
from timebank.redemption.care.models import CareBooking, CareCapacity
from timebank.redemption.care.queries import BookingFilter, find_bookings
from timebank.redemption.care.views import see_booking


@pytest.fixture(autouse=True)
def _nine(bank: Database) -> None:
    clock.freeze(NINE)


def taken(bank: Database) -> list[int]:
    with bank.session() as session:
        return list(session.scalars(select(CareCapacity.used_minutes).order_by(CareCapacity.used_minutes)))


def told(bank: Database, title: str) -> int:
    with bank.session() as session:
        return session.scalar(select(func.count()).where(Notice.title == title)) or 0


def look(bank: Database, booking: CareBooking) -> bool:
    """Whether the job finds the booking, and did something about it."""
    with bank.session() as session:
        if booking.id not in care.assignments_due(session, limit=10):
            return False
    with bank.unit_of_work() as session:
        return care.assign_best(session, booking_id=booking.id)


def test_after_some_time_the_best_provider_is_sent_and_the_elder_told_why(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
        add_provider(session, DAYAN, townships=[XIWU], grade=5)
        best = add_provider(session, XIWU, grade=3, name="西坞护理院")
        add_provider(session, XIWU, grade=1)
    booking = booked(bank, elder)
    assert not look(bank, booking)
    clock.freeze(NINE + timedelta(minutes=15))
    assert look(bank, booking)
    sent = as_it_is(bank, booking)
    assert (sent.status, sent.provider_id) == ("assigned", best.provider_id)
    assert sent.assigned_because == "本镇街机构，3A级，当天还可服务8小时"
    assert taken(bank) == [0, 0, 60]
    assert not look(bank, booking)
    with bank.session() as session:
        body = session.scalars(select(Notice.body).where(Notice.title == "上门服务已派单")).one()
    assert "西坞护理院" in body
    assert "3月11日09:00" in body


def test_a_visit_that_begins_soon_is_not_kept_waiting(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, _ = elder_with(session, 300), add_provider(session)
    assert look(bank, booked(bank, elder, starts_at=NINE + timedelta(minutes=20))) is False
    clock.freeze(NINE + timedelta(minutes=5))
    with bank.session() as session:
        [due] = care.assignments_due(session, limit=10)
    with bank.unit_of_work() as session:
        assert care.assign_best(session, booking_id=due)


def test_the_chosen_provider_takes_a_booking_itself_or_is_sent_first(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
        chosen, other = add_provider(session, grade=1), add_provider(session, grade=5)
    mine = booked(bank, elder, provider_id=chosen.provider_id)
    with bank.session() as session:
        found = find_bookings(session, actor=carer(chosen), wanted=BookingFilter(), part=Part(9))
        assert [b.id for b in found.items] == [mine.id]
        assert find_bookings(session, actor=carer(other), wanted=BookingFilter(), part=Part(9)).items == []
    for not_chosen in (carer(other), elder, steward(SHANGTIAN)):
        with pytest.raises(BankError, match="not_your_booking"), bank.unit_of_work() as session:
            care.assign(session, actor=not_chosen, booking_id=mine.id)
    with bank.unit_of_work() as session:
        taken_up = care.assign(session, actor=carer(chosen), booking_id=mine.id)
    assert (taken_up.provider_id, taken_up.assigned_because) == (chosen.provider_id, "您选择的机构")
    later = booked(bank, elder, starts_at=NINE + timedelta(days=2), provider_id=chosen.provider_id)
    with bank.unit_of_work() as session:
        assert care.assign(session, actor=steward(XIWU), booking_id=later.id).provider_id == chosen.provider_id


def test_when_nobody_has_room_everybody_is_told_once_and_a_place_that_comes_free_is_found(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, other = elder_with(session, 300), elder_with(session, 300)
        small = add_provider(session, capacity=100)
    blocking = assigned(bank, other, small)
    waiting = booked(bank, elder)
    for minutes in (15, 20, 25):
        clock.freeze(NINE + timedelta(minutes=minutes))
        assert look(bank, waiting)
        assert not look(bank, waiting)
    assert as_it_is(bank, waiting).status == "booked"
    assert (told(bank, "暂时没有机构能前来"), told(bank, "上门服务待派单")) == (1, 2)
    with pytest.raises(BankError) as full:
        send(bank, waiting, small)
    assert (full.value.code, full.value.facts["left_minutes"]) == ("care_provider_full", 40)
    with pytest.raises(BankError, match="nobody_available"), bank.unit_of_work() as session:
        care.assign(session, actor=district(), booking_id=waiting.id)
    with bank.unit_of_work() as session:
        care.cancel(session, actor=other, booking_id=blocking.id)
    assert taken(bank) == [0]
    clock.freeze(NINE + timedelta(minutes=30))
    assert look(bank, waiting)
    assert as_it_is(bank, waiting).status == "assigned"


def test_who_declines_is_not_asked_again(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, first = elder_with(session, 300), add_provider(session, grade=5)
    booking = assigned(bank, elder, first)
    with pytest.raises(BankError, match="reason_needed"), bank.unit_of_work() as session:
        care.decline(session, actor=carer(first), booking_id=booking.id, reason=" ")
    with bank.unit_of_work() as session:
        back = care.decline(session, actor=carer(first), booking_id=booking.id, reason="人手不足")
    assert (back.status, back.provider_id, taken(bank)) == ("booked", None, [0])
    assert look(bank, booking)
    assert as_it_is(bank, booking).status == "booked"
    with pytest.raises(BankError, match="care_provider_declined"):
        send(bank, booking, first)
    with bank.unit_of_work() as session:
        second = add_provider(session, grade=1)
    clock.freeze(NINE + timedelta(minutes=6))
    assert look(bank, booking)
    assert as_it_is(bank, booking).provider_id == second.provider_id
    with bank.session() as session:
        view = see_booking(session, actor=elder, booking=as_it_is(bank, booking))
    assert [act.step for act in view.acts] == ["book", "assign", "decline", "assign"]
    assert view.service_code == booking.service_code


def test_a_chosen_provider_declines_before_it_is_sent(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, chosen = elder_with(session, 300), add_provider(session)
    booking = booked(bank, elder, provider_id=chosen.provider_id)
    with bank.unit_of_work() as session:
        care.decline(session, actor=carer(chosen), booking_id=booking.id, reason="人手不足")
    with bank.session() as session:
        assert find_bookings(session, actor=carer(chosen), wanted=BookingFilter(), part=Part(9)).items == []
    with pytest.raises(BankError, match="care_provider_declined"), bank.unit_of_work() as session:
        care.decline(session, actor=carer(chosen), booking_id=booking.id, reason="人手不足")


def test_nothing_is_assigned_or_declined_once_the_time_has_come(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    early, late = assigned(bank, elder, provider), booked(bank, elder, starts_at=NINE + timedelta(days=2))
    clock.freeze(early.starts_at)
    with pytest.raises(BankError, match="visit_time_passed"), bank.unit_of_work() as session:
        care.decline(session, actor=carer(provider), booking_id=early.id, reason="人手不足")
    clock.freeze(late.starts_at)
    with pytest.raises(BankError, match="visit_time_passed"):
        send(bank, late, provider)
    with bank.unit_of_work() as session:
        assert not care.assign_best(session, booking_id=late.id)


def test_a_change_of_capacity_keeps_what_is_promised(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, other = elder_with(session, 300), elder_with(session, 300)
        provider = add_provider(session, capacity=120)
    assigned(bank, elder, provider)

    def change(minutes: int) -> None:
        with bank.unit_of_work() as session:
            offer = Offer(daily_capacity_minutes=minutes)
            care.change_provider(session, actor=steward(XIWU), provider_id=provider.provider_id, offer=offer)

    change(30)
    more = booked(bank, other, minutes=30)
    with pytest.raises(BankError, match="care_provider_full"):
        send(bank, more, provider)
    change(90)
    assert send(bank, more, provider).status == "assigned"
    assert taken(bank) == [90]


def test_an_inactive_provider_is_neither_listed_nor_sent(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session)
    booking = booked(bank, elder)
    with bank.unit_of_work() as session:
        care.change_provider(session, actor=district(), provider_id=provider.provider_id, offer=Offer(active=False))
    with pytest.raises(BankError, match="care_provider_not_serving"):
        send(bank, booking, provider)
