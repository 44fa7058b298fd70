"""Ending a booking: what is due is captured to the provider's township, the rest released, all in one unit of work.

Order of locks: the booking, its provider's day (by the trigger that counts it), then the ledger's accounts in one go.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import AccountKind
from timebank.people.queries import nobody_moves, person
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.actions.acts import acting_name, write_act
from timebank.redemption.care.models import CareBooking, CareCharge, CareService
from timebank.redemption.care.queries.bookings import still_held
from timebank.redemption.care.queries.providers import care_provider
from timebank.redemption.care.rules import (
    CARE_USE,
    CAUSE,
    STATUS_NAMES,
    CareStatus,
    Charge,
    after,
    fen_for,
    fen_per_hour,
)
from timebank.redemption.paying import capture_minutes, charge_minutes, release_minutes
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class End:
    """How a booking ends: by which step, for how much, as which kind of charge, by whom, why, with what evidence."""

    step: str
    charge: Charge
    kind: str
    actor: Actor
    reason: str = ""
    evidence: str | None = None


NOTHING = Charge(0, 0)


def end_booking(session: Session, booking: CareBooking, end: End, policies: PolicyBook) -> None:
    """End a booking. Raises Conflict ``wrong_state``, ``hold_ended``; for an excess what charging refuses."""
    booking.status = after(end.step, booking.status)
    booking.captured_minutes, booking.excess_minutes = end.charge.held, end.charge.excess
    booking.ended_at = clock.now()
    write_act(session, booking, end.step, actor=end.actor, reason=end.reason, evidence=end.evidence)
    session.flush()
    if end.charge == NOTHING:
        release_minutes(session, cause_id=booking.id)
    else:
        _take(session, booking, end, policies)
    session.flush()


def hold_stands(session: Session, booking: CareBooking) -> bool:
    """Whether everything that was set aside for a booking still is."""
    return booking.hold_until > clock.now() and still_held(session, booking.id) == booking.held_minutes


def _take(session: Session, booking: CareBooking, end: End, policies: PolicyBook) -> None:
    assert booking.provider_id is not None
    organisation, provider = care_provider(session, booking.provider_id)
    if end.charge.excess:
        _may_owe_more(session, booking, organisation, policies)
    redeemed = township_accounts(session, [organisation.township_code], AccountKind.REDEEMED)
    to_account_id = redeemed[organisation.township_code]
    _lock_all(session, booking, to_account_id)
    if not hold_stands(session, booking):
        raise Conflict("hold_ended", "冻结的时长已经解冻，不能再扣")
    note = _note(session, booking, organisation, end)
    capture_minutes(
        session,
        cause_id=booking.id,
        cause_kind=CAUSE,
        minutes=end.charge.held,
        to_account_id=to_account_id,
        kind=CARE_USE,
        note=note,
        policy_version=booking.policy_version,
        recorded_by=end.actor.login_id,
        effective_at=clock.now(),
    )
    if end.charge.excess:
        charge_minutes(
            session,
            holder=person(session, booking.elder_id),
            minutes=end.charge.excess,
            to_account_id=to_account_id,
            kind=CARE_USE,
            cause_kind=CAUSE,
            cause_id=booking.id,
            note=f"{note}，超出部分",
            policies=policies,
            recorded_by=end.actor.login_id,
        )
    price = fen_per_hour(policies, provider.grade, organisation.township_code)
    session.add(_charge(booking, booking.provider_id, end, price, provider.grade))


def _may_owe_more(session: Session, booking: CareBooking, organisation: Organisation, policies: PolicyBook) -> None:
    """What is charged beyond the hold is new debt where the provider is of another township."""
    nobody_moves(session)
    home = person(session, booking.elder_id).township_code
    if organisation.township_code != home:
        must_be_within_limit(session, township_code=home, policies=policies)


def _lock_all(session: Session, booking: CareBooking, to_account_id: int) -> None:
    """Every account that may be touched, in one go: what holds for this booking and what an excess may take."""
    held = select(Hold.account_id).where(Hold.cause_id == booking.id, Hold.state == "placed")
    own = select(Account.id).where(
        Account.person_id == booking.elder_id,
        Account.unit == "minute",
        Account.kind.in_([AccountKind.GRANTED, AccountKind.SAVINGS]),
        Account.closed_at.is_(None),
    )
    lock_accounts(session, [*session.scalars(held), *session.scalars(own), to_account_id])


def _note(session: Session, booking: CareBooking, organisation: Organisation, end: End) -> str:
    """As it stands on the elder's statement: who came for what; and who acted, both names where a proxy did."""
    service = session.get_one(CareService, booking.service).name
    words = [f"{organisation.name}{service}", STATUS_NAMES[CareStatus(booking.status)]]
    if end.actor.person_id is not None:
        words.append(acting_name(session, end.actor, booking))
    return "，".join(words)


def _charge(booking: CareBooking, provider_id: UUID, end: End, price: int, grade: int | None) -> CareCharge:
    minutes = end.charge.held + end.charge.excess
    return CareCharge(
        id=new_id(),
        booking_id=booking.id,
        provider_id=provider_id,
        kind=end.kind,
        minutes=minutes,
        fen=fen_for(minutes, price),
        fen_per_hour=price,
        grade=grade,
        charged_at=clock.now(),
    )
