"""The end of a loan: brought back in any township 归还, or lost 遗失."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import NotAllowed, Refused
from timebank.notifications.actions import notify_stewards
from timebank.people.queries import nobody_moves, person
from timebank.redemption.aids.actions.charge import charge_begun_days, lock_minutes, release_days
from timebank.redemption.aids.actions.items import write_event
from timebank.redemption.aids.actions.telling import loan_words, tell_borrower
from timebank.redemption.aids.models import AidCharge, AidItem, AidLoan
from timebank.redemption.aids.queries import lock_item, lock_loan
from timebank.redemption.aids.rules import Condition, LoanStatus, PaidFrom, after
from timebank.townships.queries import township


def return_aid(
    session: Session,
    *,
    actor: Actor,
    loan_id: UUID,
    condition: str,
    township_code: str | None = None,
    damage: str = "",
) -> AidLoan:
    """Take an aid back, in whatever township it is brought to; for any steward, in the steward's own township.

    Days begun are charged, to the item's home township; the rest is given back. ``condition`` may be ``in_repair``,
    with the ``damage``. Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``aid_loan_unknown``; Refused
    ``township_needed``, ``township_unknown``, ``damage_needed``; Conflict ``wrong_state``.
    """
    actor.must_be_steward()
    loan, item = _locked(session, loan_id)
    place = township_code or actor.township_code
    if place is None:
        raise Refused("township_needed", "请指定镇街", field="township_code")
    township(session, place)
    actor.must_steward(place)
    damage = damage.strip()
    if condition == Condition.IN_REPAIR and not damage:
        raise Refused("damage_needed", "请写明损坏情况", field="damage")
    _end(session, loan, item, after("return", loan.status), actor, damage, condition=condition, place=place)
    item.condition, item.at_township_code = condition, place
    session.flush()
    write_event(session, actor=actor, item=item, what="returned", reason=damage, loan_id=loan.id)
    note_down(
        session,
        actor=actor,
        action="aid_returned",
        subject=("aid_loan", loan.id),
        condition=condition,
        township_code=place,
    )
    return loan


def lose(session: Session, *, actor: Actor, loan_id: UUID, reason: str) -> AidLoan:
    """End a loan whose aid will not come back, and retire the aid as lost; for stewards of the item's townships.

    Days begun are charged, the rest is given back. Raises NotAllowed ``steward_only``, ``other_township``; NotFound
    ``aid_loan_unknown``; Refused ``reason_needed``; Conflict ``wrong_state``.
    """
    actor.must_be_steward()
    reason = reason_given(reason)
    loan, item = _locked(session, loan_id)
    if not (actor.stewards(item.home_township_code) or actor.stewards(item.at_township_code)):
        raise NotAllowed("other_township", "只能办理本镇街的事项", township_code=item.home_township_code)
    _end(session, loan, item, after("lose", loan.status), actor, reason)
    item.condition = Condition.RETIRED
    session.flush()
    write_event(session, actor=actor, item=item, what="lost", reason=reason, loan_id=loan.id)
    note_down(session, actor=actor, action="aid_lost", subject=("aid_loan", loan.id), reason=reason)
    return loan


def _locked(session: Session, loan_id: UUID) -> tuple[AidLoan, AidItem]:
    nobody_moves(session)
    loan = lock_loan(session, loan_id)
    return loan, lock_item(session, loan.item_id)


def _end(
    session: Session,
    loan: AidLoan,
    item: AidItem,
    status: LoanStatus,
    actor: Actor,
    reason: str,
    *,
    condition: str | None = None,
    place: str | None = None,
) -> None:
    """Charge what has begun, give the rest back, close the loan, and tell everybody what it came to."""
    lock_minutes(session, loan)
    charge_begun_days(session, loan=loan, item=item, holder=person(session, loan.holder_id))
    released = release_days(session, loan=loan)
    loan.status, loan.ended_at, loan.ended_by, loan.ended_by_name = status, clock.now(), actor.login_id, actor.name
    loan.ended_reason = reason or None
    loan.returned_condition, loan.returned_township_code = condition, place
    session.flush()
    title = "辅具已归还" if status == LoanStatus.RETURNED else "辅具按遗失结清"
    body = f"{loan_words(item)}已结清。"
    if released:
        body += f"没用到的{hours_text(released)}已退回您的时间账户。"
    tell_borrower(session, loan, title=title, body=body)
    _tell_home(session, loan, item, title)


def _tell_home(session: Session, loan: AidLoan, item: AidItem, title: str) -> None:
    """The item's home township hears of days that are owed, of a loss, and of an aid that came back elsewhere."""
    owed = select(func.count()).where(AidCharge.loan_id == loan.id, AidCharge.paid_from == PaidFrom.OWED)
    days = int(session.scalar(owed) or 0)
    away = loan.returned_township_code not in (None, item.home_township_code)
    if not days and not away and loan.status != LoanStatus.LOST:
        return
    body = f"{loan_words(item)}：{title}。"
    if away and loan.returned_township_code is not None:
        body += f"现在{township(session, loan.returned_township_code).name}。"
    if days:
        body += f"欠付{days}天。"
    notify_stewards(session, township_code=item.home_township_code, title=title, body=body)
