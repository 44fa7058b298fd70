"""Monthly bills of providers: reversals become negative lines, a finished month is issued once and stays as it is."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.redemption.care.actions.acts import tell_elder
from timebank.redemption.care.models import CareBill, CareCharge, CareProvider
from timebank.redemption.care.queries.bills import bill_of, months_of, unbilled
from timebank.redemption.care.queries.bookings import lock_booking, objections_to
from timebank.redemption.care.queries.providers import care_provider
from timebank.redemption.care.rules import CAUSE, fen_for, month_end


def uncharged_reversals(session: Session, *, limit: int) -> list[UUID]:
    """Reversals of captured minutes that no line of a bill takes back yet, oldest first."""
    undone = select(Transfer.id).where(
        Transfer.reverses_id.is_not(None),
        Transfer.cause_kind == CAUSE,
        or_(Transfer.link_id.is_(None), Transfer.link_id == Transfer.id),
        ~exists().where(CareCharge.reversal_id == Transfer.id),
    )
    return list(session.scalars(undone.order_by(Transfer.seq).limit(limit)))


def charge_reversal(session: Session, *, transfer_id: UUID) -> bool:
    """Take reversed minutes back from the provider's next bill; answers whether that was still to be done.

    What is left of a visit is worth what its minutes make, rounded once; a visit reversed whole is worth nothing.
    """
    reversal = session.get_one(Transfer, transfer_id)
    assert reversal.cause_id is not None
    booking = lock_booking(session, reversal.cause_id)
    charges = session.scalars(select(CareCharge).where(CareCharge.booking_id == booking.id)).all()
    if any(charge.reversal_id == transfer_id for charge in charges):
        return False
    original = next(charge for charge in charges if charge.reversal_id is None)
    left = sum(charge.minutes for charge in charges) - reversal.amount
    correction = CareCharge(
        id=new_id(),
        booking_id=booking.id,
        provider_id=original.provider_id,
        kind="correction",
        minutes=-reversal.amount,
        fen=fen_for(left, original.fen_per_hour) - sum(charge.fen for charge in charges),
        fen_per_hour=original.fen_per_hour,
        grade=original.grade,
        reversal_id=transfer_id,
        charged_at=clock.now(),
    )
    session.add(correction)
    said = "您的申诉已核实，" if objections_to(session, [booking]) else ""
    tell_elder(session, booking, "上门服务扣划已冲正", f"{said}{hours_text(reversal.amount)}已退回：{reversal.note}")
    session.flush()
    return True


def bills_due(session: Session, *, limit: int) -> list[tuple[UUID, str]]:
    """Providers and finished months whose bills are to be issued, oldest months first."""
    now = clock.now()
    due = [(provider_id, month) for provider_id, month in months_of(session) if month_end(month) <= now]
    return sorted(due, key=lambda one: (one[1], one[0]))[:limit]


def issue_bill(session: Session, *, actor: Actor, provider_id: UUID, month: str) -> CareBill:
    """Issue the bill of a finished month; one that is issued already is answered as it stands.

    Raises NotFound ``care_provider_unknown``; NotAllowed ``steward_only``, ``other_township``; Conflict
    ``month_not_finished``, ``nothing_to_bill``; Refused ``month_invalid``.
    """
    actor.must_be_steward()
    organisation, _ = care_provider(session, provider_id)
    actor.must_steward(organisation.township_code)
    standing = _locked_bill(session, provider_id, month)
    return standing if standing is not None else _issue(session, actor, provider_id, month)


def issue_due_bill(session: Session, *, provider_id: UUID, month: str) -> bool:
    """Issue one bill that is due; answers whether that was still to be done.

    Raises Conflict ``month_not_finished``, ``nothing_to_bill``; Refused ``month_invalid``.
    """
    if _locked_bill(session, provider_id, month) is not None:
        return False
    _issue(session, SYSTEM, provider_id, month)
    return True


def _locked_bill(session: Session, provider_id: UUID, month: str) -> CareBill | None:
    """The bill of a month, if it is out; nobody else issues one until the unit of work ends."""
    session.get_one(CareProvider, provider_id, with_for_update={"key_share": True})
    return bill_of(session, provider_id, month)


def _issue(session: Session, actor: Actor, provider_id: UUID, month: str) -> CareBill:
    if month_end(month) > clock.now():
        raise Conflict("month_not_finished", "当月还没有结束，不能出账单", month=month)
    charges = session.scalars(unbilled(provider_id, month).with_for_update(of=CareCharge)).all()
    if not charges:
        raise Conflict("nothing_to_bill", "这个月没有可出账的服务", month=month)
    bill = CareBill(
        id=new_id(),
        provider_id=provider_id,
        month=month,
        lines=len(charges),
        minutes=sum(charge.minutes for charge in charges),
        fen=sum(charge.fen for charge in charges),
        issued_at=clock.now(),
        issued_by=actor.login_id,
        issued_by_name=actor.name,
    )
    session.add(bill)
    session.flush()
    for charge in charges:
        charge.bill_id = bill.id
    session.flush()
    return bill
