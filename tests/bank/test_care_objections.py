"""The elder objects to what was taken though nobody was served; two stewards settle it by a reversal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.factories.care import add_provider, assigned, booked, carer, elder_with, let_act
from tests.factories.people import DAYAN, XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.explaining.ordered import explain_care
from timebank.explaining.rules import Explanation
from timebank.ledger.actions.reverse import reverse
from timebank.ledger.models import Transfer
from timebank.ledger.queries import balance_of
from timebank.notifications.actions import notices_for
from timebank.notifications.models import Notice
from timebank.people.rules import ProxyScope
from timebank.redemption.care import actions as care
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries import ProviderView
from timebank.redemption.care.views import see_booking

Pair = tuple[Actor, ProviderView]
SAID = "我一直在家"


@pytest.fixture
def pair(bank: Database) -> Pair:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return elder_with(session, 600), add_provider(session)


def not_home(bank: Database, pair: Pair) -> CareBooking:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at)
    with bank.unit_of_work() as session:
        said = {"reason": "敲门无人应答", "evidence": "门口照片"}
        return care.not_home(session, actor=carer(pair[1]), booking_id=booking.id, **said)


def cancelled_late(bank: Database, pair: Pair) -> CareBooking:
    booking = assigned(bank, *pair)
    clock.freeze(booking.starts_at - timedelta(minutes=10))
    with bank.unit_of_work() as session:
        return care.cancel(session, actor=pair[0], booking_id=booking.id, reason="住院了")


def object_to(bank: Database, booking: CareBooking, actor: Actor, reason: str = SAID) -> None:
    with bank.unit_of_work() as session:
        care.dispute(session, actor=actor, booking_id=booking.id, reason=reason)


def refused(bank: Database, booking: CareBooking, actor: Actor, reason: str = SAID) -> str:
    with pytest.raises(BankError) as said:
        object_to(bank, booking, actor, reason)
    return said.value.code


def why(bank: Database, elder: Actor, booking: CareBooking) -> Explanation:
    with bank.session() as session:
        return explain_care(session, person_id=elder.person(), booking_id=booking.id)


@pytest.mark.parametrize("end", [not_home, cancelled_late])
def test_the_elder_objects_and_two_stewards_give_the_minutes_back(bank: Database, pair: Pair, end: Any) -> None:
    elder, booking = pair[0], end(bank, pair)
    before = why(bank, elder, booking)
    assert "care_objection_days" in [rule.key for rule in before.rules]
    object_to(bank, booking, elder)
    with bank.session() as session:
        seen = see_booking(session, actor=elder, booking=session.get_one(CareBooking, booking.id))
        assert seen.objection is not None
        assert (seen.status, seen.payable_minutes, seen.objection.reason) == (booking.status, 30, SAID)
        assert seen.acts[-1] == seen.objection
        [transfer_id] = session.scalars(select(Transfer.id).where(Transfer.kind == "care_use"))
        told = select(Notice).where(Notice.audience == "stewards").order_by(Notice.id.desc())
        notice = session.scalars(told).first()
        assert notice is not None
        assert (notice.township_code, notice.title) == (XIWU, "有上门服务扣时长申诉待核实")
        assert str(transfer_id) in notice.body
        assert SAID in notice.body
    after = why(bank, elder, booking)
    assert f"已申诉：{SAID}。" in after.reason
    assert after.reason.startswith(before.reason)
    with bank.unit_of_work() as session:
        reverse(session, actor=steward(XIWU), transfer_id=transfer_id, reason="查实在家")
        _, _, reversal_id = reverse(session, actor=district(), transfer_id=transfer_id, reason="同意")
        assert reversal_id is not None
        assert care.charge_reversal(session, transfer_id=reversal_id)
    with bank.session() as session:
        assert balance_of(session, elder.person()).available_minutes == 600
        told_elder = notices_for(session, person_id=elder.person(), limit=1)[0]
        assert "您的申诉已核实，30分钟已退回：查实在家" in told_elder.body


def test_only_the_elders_side_objects_once_and_with_a_reason(bank: Database, pair: Pair) -> None:
    booking = not_home(bank, pair)
    with bank.unit_of_work() as session:
        daughter, stranger = (add_person(session, DAYAN, name=name) for name in ("周小敏", "钱大海"))
    let_act(bank, pair[0], daughter, ProxyScope.CARE)
    assert refused(bank, booking, carer(pair[1])) == "wrong_state"
    assert refused(bank, booking, steward(XIWU)) == "wrong_state"
    assert refused(bank, booking, stranger) == "not_your_booking"
    assert refused(bank, booking, pair[0], " ") == "reason_needed"
    object_to(bank, booking, daughter)
    assert refused(bank, booking, pair[0]) == "already_objected"
    with bank.session() as session:
        seen = see_booking(session, actor=pair[0], booking=session.get_one(CareBooking, booking.id))
        assert seen.objection is not None
        assert seen.objection.by_name == "周小敏（代周桂芬）"


def test_an_objection_comes_within_the_days_that_policy_gives(bank: Database, pair: Pair) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "care_objection_days", 2, township_code=XIWU)
    booking = not_home(bank, pair)
    assert booking.ended_at is not None
    clock.freeze(booking.ended_at + timedelta(days=2, microseconds=1))
    assert refused(bank, booking, pair[0]) == "objection_too_late"
    clock.freeze(booking.ended_at + timedelta(days=2))
    object_to(bank, booking, pair[0])


def test_what_cost_nothing_is_not_objected_to(bank: Database, pair: Pair) -> None:
    booking = booked(bank, pair[0])
    with bank.unit_of_work() as session:
        care.cancel(session, actor=pair[0], booking_id=booking.id)
    assert refused(bank, booking, pair[0]) == "wrong_state"


def test_a_booking_has_one_objection_for_ever(bank: Database, pair: Pair) -> None:
    booking = not_home(bank, pair)
    object_to(bank, booking, pair[0])
    again = text(
        "INSERT INTO care_event (id, booking_id, step, at, by_name, reason)"
        " SELECT gen_random_uuid(), booking_id, step, at, by_name, reason FROM care_event WHERE step = 'dispute'"
    )
    with pytest.raises(IntegrityError, match="uq_care_event_dispute"), bank.unit_of_work() as session:
        session.execute(again)
