"""Seeing a window's review: statements, disputes, settlements and their payments, overrides and guarantee calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from timebank.clearing.models import (
    ClearingWindow,
    Dispute,
    GuaranteeCall,
    LimitOverride,
    Payment,
    Settlement,
    Statement,
)
from timebank.core.actors import Actor, StaffRole
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.ledger.models import Transfer


@dataclass(frozen=True, slots=True)
class PaymentView:
    """One payment or receipt of a township, with the window that it settles."""

    payment_id: UUID
    window: str
    settlement_id: UUID
    township_code: str
    attempt: int
    direction: str
    amount_fen: int
    state: str
    outside_reference: str | None
    problem: str | None
    instructed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A disputed line: ``township_code`` objected; ``ruling`` is ``moved`` or ``stays`` once the district has ruled."""

    dispute_id: UUID
    window: str
    transfer_id: UUID
    township_code: str
    debtor_township_code: str
    creditor_township_code: str
    minutes: int
    reason: str
    raised_at: datetime
    raised_by_name: str
    ruling: str | None
    ruling_reason: str | None
    ruled_at: datetime | None
    ruled_by_name: str | None


def own_township(actor: Actor) -> str | None:
    """The township whose affairs alone the actor sees; None for the district and auditors, who see all."""
    actor.must_see_books()
    return actor.township_code if actor.staff_role is StaffRole.TOWNSHIP_STEWARD else None


def statements_of(session: Session, window: ClearingWindow) -> Sequence[Statement]:
    """Every township's position and confirmation in a closed window, by township."""
    query = select(Statement).where(Statement.window_number == window.number)
    return session.scalars(query.order_by(Statement.township_code)).all()


DISPUTE_ORDERS = Orders(
    of="disputes",
    by={
        "raised_at": Dispute.id,
        "window": Dispute.window_number,
        "township": Dispute.township_code,
        "minutes": Transfer.amount,
        "ruled_at": Dispute.ruled_at,
    },
    tie=Dispute.id,
    usual="-raised_at",
)
PAYMENT_ORDERS = Orders(
    of="payments",
    by={
        "instructed_at": Payment.id,
        "window": Settlement.window_number,
        "township": Payment.township_code,
        "direction": Payment.direction,
        "amount_fen": Payment.amount_fen,
        "state": by_course(Payment.state, ("instructed", "failed", "paid", "withdrawn")),
        "ended_at": Payment.ended_at,
    },
    tie=Payment.id,
    usual="-instructed_at",
)


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which disputes or payments are wanted; ``state`` is a payment's."""

    window: ClearingWindow | None = None
    township_code: str | None = None
    unruled: bool = False
    state: str | None = None


def disputes(session: Session, actor: Actor, *, wanted: ReviewFilter, part: Part) -> Slice[DisputeView]:
    """Disputes, newest first where ``part`` asks for no other order.

    A township's steward sees those about lines of its own, whoever raised them.
    """
    query = _disputes()
    own = own_township(actor)
    if own is not None:
        query = query.where(or_(Transfer.book_code == own, Transfer.counterpart_book_code == own))
    if wanted.window is not None:
        query = query.where(Dispute.window_number == wanted.window.number)
    if wanted.township_code is not None:
        query = query.where(Dispute.township_code == wanted.township_code)
    if wanted.unruled:
        query = query.where(Dispute.ruling.is_(None))
    found = slice_of(session, query, DISPUTE_ORDERS, part)
    return found.holding([_dispute_view(row[0], row[1], row[2]) for row in found.items])


def dispute_view(session: Session, dispute_id: UUID) -> DisputeView:
    """One dispute."""
    row = session.execute(_disputes().where(Dispute.id == dispute_id)).one()
    return _dispute_view(row[0], row[1], row[2])


def _disputes() -> Select[Dispute, str, Transfer]:
    return (
        select(Dispute, ClearingWindow.name, Transfer)
        .join(ClearingWindow, ClearingWindow.number == Dispute.window_number)
        .join(Transfer, Transfer.id == Dispute.transfer_id)
    )


def _dispute_view(dispute: Dispute, window: str, line: Transfer) -> DisputeView:
    assert line.counterpart_book_code is not None
    return DisputeView(
        dispute_id=dispute.id,
        window=window,
        transfer_id=dispute.transfer_id,
        township_code=dispute.township_code,
        debtor_township_code=line.book_code,
        creditor_township_code=line.counterpart_book_code,
        minutes=line.amount,
        reason=dispute.reason,
        raised_at=dispute.raised_at,
        raised_by_name=dispute.raised_by_name,
        ruling=dispute.ruling,
        ruling_reason=dispute.ruling_reason,
        ruled_at=dispute.ruled_at,
        ruled_by_name=dispute.ruled_by_name,
    )


def settlements_of(session: Session, window: ClearingWindow) -> Sequence[Settlement]:
    """Every attempt to settle a window, newest first."""
    query = select(Settlement).where(Settlement.window_number == window.number)
    return session.scalars(query.order_by(Settlement.attempt.desc())).all()


def payments(session: Session, actor: Actor, *, wanted: ReviewFilter, part: Part) -> Slice[PaymentView]:
    """Payments, newest first where ``part`` asks for no other order; a township's steward sees its own."""
    query = _payments()
    own = own_township(actor)
    if own is not None:
        query = query.where(Payment.township_code == own)
    if wanted.window is not None:
        query = query.where(Settlement.window_number == wanted.window.number)
    if wanted.township_code is not None:
        query = query.where(Payment.township_code == wanted.township_code)
    if wanted.state is not None:
        query = query.where(Payment.state == wanted.state)
    found = slice_of(session, query, PAYMENT_ORDERS, part)
    return found.holding([_payment_view(row[0], row[1]) for row in found.items])


def payment_view(session: Session, payment_id: UUID) -> PaymentView:
    """One payment."""
    row = session.execute(_payments().where(Payment.id == payment_id)).one()
    return _payment_view(row[0], row[1])


def _payments() -> Select[Payment, str]:
    return (
        select(Payment, ClearingWindow.name)
        .join(Settlement, Settlement.id == Payment.settlement_id)
        .join(ClearingWindow, ClearingWindow.number == Settlement.window_number)
    )


OVERRIDE_ORDERS = Orders(
    of="limit_overrides",
    by={
        "granted_at": LimitOverride.id,
        "township": LimitOverride.township_code,
        "minutes": LimitOverride.extra_minutes,
        "valid_until": LimitOverride.valid_until,
    },
    tie=LimitOverride.id,
    usual="-granted_at",
)

GUARANTEE_CALL_ORDERS = Orders(
    of="guarantee_calls",
    by={
        "noted_at": GuaranteeCall.seq,
        "window": GuaranteeCall.window_number,
        "township": GuaranteeCall.township_code,
        "creditor": GuaranteeCall.creditor,
        "minutes": GuaranteeCall.minutes,
        "owed": GuaranteeCall.owed_minutes,
        "hard_limit": GuaranteeCall.hard_limit_minutes,
    },
    tie=GuaranteeCall.seq,
    usual="-noted_at",
)


def overrides(session: Session, actor: Actor, *, township_code: str | None, part: Part) -> Slice[LimitOverride]:
    """What was granted beyond hard limits, newest first where ``part`` asks for no other order."""
    query = select(LimitOverride)
    wanted = own_township(actor) or township_code
    if wanted is not None:
        query = query.where(LimitOverride.township_code == wanted)
    return slice_of(session, query, OVERRIDE_ORDERS, part)


def guarantee_calls(
    session: Session, actor: Actor, *, township_code: str | None, part: Part
) -> Slice[tuple[GuaranteeCall, str]]:
    """What the guarantee fund stood in for, with the window's name, newest first where nothing else is asked for."""
    query = select(GuaranteeCall, ClearingWindow.name).join(
        ClearingWindow, ClearingWindow.number == GuaranteeCall.window_number
    )
    wanted = own_township(actor) or township_code
    if wanted is not None:
        query = query.where(GuaranteeCall.township_code == wanted)
    return slice_of(session, query, GUARANTEE_CALL_ORDERS, part)


def _payment_view(payment: Payment, window: str) -> PaymentView:
    return PaymentView(
        payment_id=payment.id,
        window=window,
        settlement_id=payment.settlement_id,
        township_code=payment.township_code,
        attempt=payment.attempt,
        direction=payment.direction,
        amount_fen=payment.amount_fen,
        state=payment.state,
        outside_reference=payment.outside_reference,
        problem=payment.problem,
        instructed_at=payment.instructed_at,
        ended_at=payment.ended_at,
    )
