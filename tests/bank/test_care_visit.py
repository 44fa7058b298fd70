"""The visit: what was served is captured, an excess only with consent, a dispute is decided by a second person."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from tests.factories.care import (
    add_provider,
    arrive,
    as_it_is,
    assigned,
    booked,
    carer,
    confirmed,
    elder_with,
    let_act,
    send,
    visit,
)
from tests.factories.clearing import owed
from tests.factories.minutes import grant_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError, Refused
from timebank.ledger.models import Transfer
from timebank.ledger.queries import Balance, balance_of
from timebank.notifications.models import Notice
from timebank.people.rules import ProxyScope
from timebank.redemption.care import actions as care
from timebank.redemption.care.models import CareBooking, CareEvent
from timebank.redemption.care.queries import ProviderView
from timebank.redemption.care.views import see_booking

Pair = tuple[Actor, ProviderView]


@pytest.fixture
def pair(bank: Database) -> Pair:
    """An elder of 西坞 with ten hours and a provider there."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return elder_with(session, 600), add_provider(session)


def balance(bank: Database, elder: Actor) -> Balance:
    with bank.session() as session:
        return balance_of(session, elder.person())


def refused(bank: Database, act: Any, booking: CareBooking, actor: Actor, **more: Any) -> BankError:
    before = as_it_is(bank, booking)
    with pytest.raises(BankError) as said, bank.unit_of_work() as session:
        act(session, actor=actor, booking_id=booking.id, **more)
    after = as_it_is(bank, booking)
    assert (after.status, after.captured_minutes) == (before.status, before.captured_minutes)
    return said.value


@pytest.mark.parametrize(("minutes", "taken"), [(45, 45), (60, 60), (69.5, 60), (0.4, 0)])
def test_what_was_served_is_captured_and_the_rest_released(
    bank: Database, pair: Pair, minutes: float, taken: int
) -> None:
    done = confirmed(bank, *pair, minutes=minutes)
    assert (done.status, done.captured_minutes, done.rating) == ("confirmed", taken, 5)
    after = balance(bank, pair[0])
    assert (after.savings_minutes, after.held_minutes) == (600 - taken, 0)


def test_a_visit_by_a_provider_of_another_township_goes_through_clearing(bank: Database, pair: Pair) -> None:
    with bank.unit_of_work() as session:
        away = add_provider(session, DAYAN, townships=[XIWU])
        grant_minutes(session, pair[0], 20, expires_on=date(2026, 4, 30))
    done = confirmed(bank, pair[0], away)
    with bank.session() as session:
        rows = session.scalars(select(Transfer).where(Transfer.cause_id == done.id).order_by(Transfer.seq)).all()
    assert [(row.kind, row.amount, row.book_code) for row in rows] == [
        ("care_use", 20, XIWU),
        ("care_use", 20, DAYAN),
        ("care_use", 40, XIWU),
        ("care_use", 40, DAYAN),
    ]
    assert {row.policy_version for row in rows} == {done.policy_version}
    assert rows[0].note == f"{away.name}生活照料，已确认，周桂芬"
    assert owed(bank) == {XIWU: 60, DAYAN: -60}


def test_an_excess_is_charged_only_where_its_very_figure_is_accepted(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=85)
    with bank.session() as session:
        assert see_booking(session, actor=elder, booking=booking).unpaid_excess_minutes == 25
    wrong = refused(bank, care.confirm, booking, elder, accept_excess_minutes=24)
    assert (wrong.code, wrong.facts["excess_minutes"]) == ("excess_differs", 25)
    by_steward = {"accept_excess_minutes": 25, "evidence": "电话"}
    assert refused(bank, care.confirm, booking, steward(XIWU), **by_steward).code == "excess_needs_elder"
    with bank.unit_of_work() as session:
        done = care.confirm(session, actor=elder, booking_id=booking.id, accept_excess_minutes=25)
    assert (done.captured_minutes, done.excess_minutes) == (60, 25)
    assert balance(bank, elder).savings_minutes == 600 - 85


def test_an_excess_that_is_not_accepted_is_not_charged_and_the_provider_sees_it(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    done = confirmed(bank, elder, provider, minutes=85)
    assert (done.captured_minutes, done.excess_minutes, balance(bank, elder).savings_minutes) == (60, 0, 540)
    with bank.session() as session:
        seen = see_booking(session, actor=carer(provider), booking=done)
    assert (seen.unpaid_excess_minutes, seen.payable_minutes, seen.service_code) == (25, 60, None)


def test_an_excess_beyond_what_there_is_leaves_everything_as_it_was(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 70), add_provider(session)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=85)
    short = refused(bank, care.confirm, booking, elder, accept_excess_minutes=25)
    assert (short.code, short.facts["available_minutes"]) == ("insufficient_minutes", 10)
    assert balance(bank, elder).held_minutes == 60
    with bank.unit_of_work() as session:
        assert care.confirm(session, actor=elder, booking_id=booking.id).captured_minutes == 60


def test_an_excess_makes_no_debt_beyond_the_limit(bank: Database, pair: Pair) -> None:
    with bank.unit_of_work() as session:
        away = add_provider(session, DAYAN, townships=[XIWU])
    booking = visit(bank, assigned(bank, pair[0], away), away, minutes=85)
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 0, township_code=XIWU)
        change_policy(session, "position_hard_limit_minutes", 0, township_code=XIWU)
    assert refused(bank, care.confirm, booking, pair[0], accept_excess_minutes=25).code == "position_limit_reached"


def test_the_code_shows_that_both_are_there_and_wrong_ones_are_counted(bank: Database, pair: Pair) -> None:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at - timedelta(minutes=31))
    right = {"service_code": booking.service_code}
    assert refused(bank, care.check_in, booking, carer(pair[1]), **right).code == "too_early"
    clock.freeze(booking.starts_at)
    with bank.unit_of_work() as session:
        change_policy(session, "service_code_most_misses", 2)
        stranger = carer(add_provider(session))
    assert refused(bank, care.check_in, booking, stranger, **right).code == "not_your_booking"
    wrong = f"{(int(booking.service_code) + 1) % 1_000_000:06}"
    said = []
    for _ in range(3):
        with bank.unit_of_work() as session:
            said.append(care.check_in(session, actor=carer(pair[1]), booking_id=booking.id, service_code=wrong))
    codes = [answer.code for answer in said if isinstance(answer, Refused)]
    assert codes == ["service_code_wrong", "service_code_wrong", "service_code_blocked"]
    clock.freeze(booking.starts_at + timedelta(seconds=1))
    with bank.unit_of_work() as session:
        change_policy(session, "service_code_most_misses", 3)
    spoken = "　".join(chr(ord(c) + 0xFEE0) for c in booking.service_code)
    with bank.unit_of_work() as session:
        done = care.check_in(session, actor=carer(pair[1]), booking_id=booking.id, service_code=spoken)
    assert isinstance(done, CareBooking)
    assert done.status == "checked_in"


def test_a_proxy_confirms_and_both_names_are_kept_on_the_statement(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    with bank.unit_of_work() as session:
        proxy = add_person(session, SHANGTIAN, age=45, name="周小敏")
    let_act(bank, elder, proxy, ProxyScope.CARE)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=60)
    with bank.unit_of_work() as session:
        care.confirm(session, actor=proxy, booking_id=booking.id, rating=4, comment="很好")
    with bank.session() as session:
        [note] = session.scalars(select(Transfer.note).where(Transfer.cause_id == booking.id))
        acts = session.scalars(select(CareEvent.by_name).where(CareEvent.step == "confirm")).all()
    assert note.endswith("周小敏（代周桂芬）")
    assert acts == ["周小敏（代周桂芬）"]


def test_a_steward_confirms_for_an_elder_without_a_phone_with_evidence(bank: Database, pair: Pair) -> None:
    booking = visit(bank, assigned(bank, *pair), pair[1], minutes=60)
    assert refused(bank, care.confirm, booking, steward(XIWU)).code == "evidence_missing"
    assert refused(bank, care.confirm, booking, steward(DAYAN)).code == "not_your_booking"
    assert refused(bank, care.confirm, booking, carer(pair[1])).code == "not_your_booking"
    with bank.unit_of_work() as session:
        done = care.confirm(session, actor=steward(XIWU), booking_id=booking.id, evidence="上门回访")
    assert done.status == "confirmed"


@pytest.mark.parametrize(("decided", "taken"), [(0, 0), (30, 30), (85, 60)])
def test_a_dispute_pays_nothing_until_a_second_person_decides(
    bank: Database, pair: Pair, decided: int, taken: int
) -> None:
    booking = visit(bank, assigned(bank, *pair), pair[1], minutes=60)
    raised = steward(XIWU)
    with bank.unit_of_work() as session:
        care.dispute(session, actor=raised, booking_id=booking.id, reason="老人来电：只来了半小时")
    assert balance(bank, pair[0]).held_minutes == 60
    assert refused(bank, care.confirm, booking, pair[0]).code == "wrong_state"
    decision = {"minutes": decided, "reason": "监控为证"}
    assert refused(bank, care.decide, booking, raised, **decision).code == "second_person_needed"
    assert refused(bank, care.decide, booking, steward(DAYAN), **decision).code == "other_township"
    assert refused(bank, care.decide, booking, pair[0], **decision).code == "steward_only"
    assert refused(bank, care.decide, booking, district(), minutes=481, reason="x").code == "minutes_too_many"
    with bank.unit_of_work() as session:
        done = care.decide(session, actor=district(), booking_id=booking.id, **decision)
    assert (done.status, done.captured_minutes, done.decided_minutes) == ("confirmed", taken, decided)
    assert (balance(bank, pair[0]).savings_minutes, balance(bank, pair[0]).held_minutes) == (600 - taken, 0)


def test_a_dispute_during_the_visit_ends_it(bank: Database, pair: Pair) -> None:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at)
    arrive(bank, booking, pair[1])
    clock.freeze(booking.starts_at + timedelta(minutes=20))
    with bank.unit_of_work() as session:
        done = care.dispute(session, actor=pair[0], booking_id=booking.id, reason="服务人员离开了")
    assert (done.status, done.served_minutes) == ("disputed", 20)


def test_nobody_at_home_costs_what_policy_says(bank: Database, pair: Pair) -> None:
    booking = assigned(bank, *pair)
    said = {"reason": "敲门无人应答", "evidence": "门口照片2张"}
    assert refused(bank, care.not_home, booking, carer(pair[1]), **said).code == "too_early"
    clock.freeze(booking.starts_at)
    assert refused(bank, care.not_home, booking, pair[0], **said).code == "not_your_booking"
    bare = {"reason": "敲门无人应答", "evidence": " "}
    assert refused(bank, care.not_home, booking, carer(pair[1]), **bare).code == "evidence_missing"
    with bank.unit_of_work() as session:
        done = care.not_home(session, actor=carer(pair[1]), booking_id=booking.id, **said)
    assert (done.status, done.captured_minutes) == ("not_home", 30)
    assert (balance(bank, pair[0]).savings_minutes, balance(bank, pair[0]).held_minutes) == (570, 0)
    with bank.session() as session:
        assert session.scalars(select(CareEvent.evidence).where(CareEvent.step == "not_home")).all() == ["门口照片2张"]


@pytest.mark.parametrize(("minutes_before", "taken"), [(240, 0), (239, 30), (0.1, 30)])
def test_cancelling_late_costs_what_policy_says(bank: Database, pair: Pair, minutes_before: float, taken: int) -> None:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at - timedelta(minutes=minutes_before))
    with bank.unit_of_work() as session:
        done = care.cancel(session, actor=pair[0], booking_id=booking.id)
    assert (done.status, done.captured_minutes) == ("cancelled", taken)
    assert (balance(bank, pair[0]).savings_minutes, balance(bank, pair[0]).held_minutes) == (600 - taken, 0)


def test_cancelling_before_anybody_was_sent_is_free_however_late(bank: Database, pair: Pair) -> None:
    booking = booked(bank, pair[0])
    clock.freeze(booking.starts_at - timedelta(seconds=1))
    with bank.unit_of_work() as session:
        assert care.cancel(session, actor=pair[0], booking_id=booking.id).captured_minutes == 0


def test_once_the_time_has_come_the_elder_waits_and_others_still_call_off_for_nothing(
    bank: Database, pair: Pair
) -> None:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at)
    assert refused(bank, care.cancel, booking, pair[0]).code == "visit_time_passed"
    assert refused(bank, care.cancel, booking, carer(pair[1])).code == "reason_needed"
    assert refused(bank, care.cancel, booking, steward(DAYAN), reason="x").code == "not_your_booking"
    with bank.unit_of_work() as session:
        done = care.cancel(session, actor=carer(pair[1]), booking_id=booking.id, reason="车辆故障")
    assert (done.status, done.captured_minutes, balance(bank, pair[0]).available_minutes) == ("cancelled", 0, 600)
    with bank.session() as session:
        assert session.scalars(select(Notice.title).where(Notice.audience == "stewards")).all() == ["机构取消上门服务"]


@pytest.mark.parametrize("act", [care.check_out, care.confirm, care.cancel], ids=lambda act: act.__name__)
def test_what_does_not_follow_is_refused(bank: Database, pair: Pair, act: Any) -> None:
    elder, provider = pair
    done = confirmed(bank, elder, provider)
    actor = carer(provider) if act is care.check_out else elder
    assert refused(bank, act, done, actor).code == "wrong_state"
    open_ = send(bank, booked(bank, elder, starts_at=clock.now() + timedelta(days=1)), provider)
    if act is not care.cancel:
        assert refused(bank, act, open_, actor).code == "wrong_state"
    assert refused(bank, partial(care.check_in, service_code="000000"), done, carer(provider)).code == "wrong_state"
