"""Payments of a settlement 付款清单: instructed, paid with an outside reference, or failed and instructed again."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.models import ClearingWindow, Payment, Settlement
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import yuan_text
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_stewards

_REFERENCES = 0x7B006
"""Advisory lock taken alone while a reference is given out, so that none is given to two payments."""


def payment_paid(session: Session, *, actor: Actor, payment_id: UUID, outside_reference: str) -> Payment:
    """Note that a payment or receipt went through, under the bank's or treasury's reference; again is the same.

    When the last one is paid the settlement is completed. Raises NotAllowed ``district_only``; NotFound
    ``payment_unknown``; Conflict ``payment_ended``, ``reference_reused``; Refused ``reference_needed``.
    """
    reference = outside_reference.strip()
    if not reference:
        raise Refused("reference_needed", "请填写银行或国库的凭证号", field="outside_reference")
    settlement, payment = _lock(session, actor, payment_id)
    if payment.state == "paid" and payment.outside_reference == reference:
        return payment
    _must_be_instructed(payment)
    session.execute(select(func.pg_advisory_xact_lock(_REFERENCES)))
    used = select(Payment.id).where(Payment.outside_reference == reference, Payment.state == "paid")
    if session.scalar(used) is not None:
        raise Conflict("reference_reused", "这个凭证号已用于另一笔付款", outside_reference=reference)
    payment.state, payment.outside_reference = "paid", reference
    payment.ended_at, payment.ended_by_name = clock.now(), actor.name
    session.flush()
    if _all_paid(session, settlement):
        settlement.status, settlement.ended_at, settlement.ended_by_name = "completed", clock.now(), actor.name
        session.flush()
        note_down(session, actor=actor, action="settlement_completed", subject=("clearing_settlement", settlement.id))
        name = _window_name(session, payment)
        body = f"清算周期 {name} 的付款和收款已全部完成。"
        notify_stewards(session, township_code=None, title=f"{name} 结算完成", body=body)
    _note(session, actor, payment, "payment_paid", outside_reference=reference)
    said = "收款" if payment.direction == "receive" else "付款"
    _tell(session, payment, f"{said}{yuan_text(payment.amount_fen)}已完成，凭证号 {reference}。", told_district=False)
    return payment


def payment_failed(session: Session, *, actor: Actor, payment_id: UUID, problem: str) -> Payment:
    """Note that a payment did not go through, and why; it can then be instructed again.

    Raises as ``payment_paid``; Refused ``reason_needed``.
    """
    problem = reason_given(problem, field="problem")
    _, payment = _lock(session, actor, payment_id)
    _must_be_instructed(payment)
    payment.state, payment.problem = "failed", problem
    payment.ended_at, payment.ended_by_name = clock.now(), actor.name
    session.flush()
    _note(session, actor, payment, "payment_failed", problem=payment.problem)
    _tell(session, payment, f"结算款{yuan_text(payment.amount_fen)}未成功：{payment.problem}", told_district=True)
    return payment


def instruct_again(session: Session, *, actor: Actor, payment_id: UUID) -> Payment:
    """Instruct a failed payment anew, as an attempt of its own.

    Raises NotAllowed ``district_only``; NotFound ``payment_unknown``; Conflict ``payment_not_failed``,
    ``payment_standing``.
    """
    settlement, failed = _lock(session, actor, payment_id)
    if failed.state != "failed" or settlement.status == "aborted":
        raise Conflict("payment_not_failed", "只有未成功的付款可以重新指令", state=failed.state)
    same = select(Payment).where(Payment.settlement_id == settlement.id, Payment.township_code == failed.township_code)
    attempts = session.scalars(same.order_by(Payment.attempt.desc())).all()
    if attempts[0].id != failed.id:
        raise Conflict("payment_standing", "这笔付款已经重新指令", payment_id=attempts[0].id)
    payment = Payment(
        id=new_id(),
        settlement_id=settlement.id,
        township_code=failed.township_code,
        attempt=failed.attempt + 1,
        direction=failed.direction,
        amount_fen=failed.amount_fen,
        state="instructed",
        instructed_at=clock.now(),
    )
    session.add(payment)
    session.flush()
    _note(session, actor, payment, "payment_instructed_again", attempt=payment.attempt)
    body = f"结算款{yuan_text(payment.amount_fen)}已重新指令，第{payment.attempt}次。"
    _tell(session, payment, body, told_district=False)
    return payment


def _lock(session: Session, actor: Actor, payment_id: UUID) -> tuple[Settlement, Payment]:
    """The settlement before its payment, as aborting does."""
    actor.must_be_district()
    settlement_id = session.scalar(select(Payment.settlement_id).where(Payment.id == payment_id))
    if settlement_id is None:
        raise NotFound("payment_unknown", "没有这笔付款", payment_id=payment_id)
    settlement = session.get_one(Settlement, settlement_id, with_for_update=True, populate_existing=True)
    return settlement, session.get_one(Payment, payment_id, with_for_update=True, populate_existing=True)


def _must_be_instructed(payment: Payment) -> None:
    if payment.state != "instructed":
        raise Conflict("payment_ended", "这笔付款已经了结", state=payment.state)


def _all_paid(session: Session, settlement: Settlement) -> bool:
    of_it = select(func.count(func.distinct(Payment.township_code))).where(Payment.settlement_id == settlement.id)
    return session.scalar(of_it) == session.scalar(of_it.where(Payment.state == "paid"))


def _note(session: Session, actor: Actor, payment: Payment, action: str, **facts: object) -> None:
    note_down(
        session,
        actor=actor,
        action=action,
        subject=("clearing_payment", payment.id),
        township_code=payment.township_code,
        amount_fen=payment.amount_fen,
        **facts,
    )


def _window_name(session: Session, payment: Payment) -> str:
    query = select(ClearingWindow.name).join(Settlement, Settlement.window_number == ClearingWindow.number)
    return session.scalars(query.where(Settlement.id == payment.settlement_id)).one()


def _tell(session: Session, payment: Payment, body: str, *, told_district: bool) -> None:
    title = f"{_window_name(session, payment)} 结算款"
    for audience in (payment.township_code, None) if told_district else (payment.township_code,):
        notify_stewards(session, township_code=audience, title=title, body=body)
