"""Handing a reserved aid over 借出, and what else may become of a reservation: cancelled, or lapsed."""

from __future__ import annotations

import hmac
import unicodedata
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.errors import Conflict, Refused
from timebank.people.models import Person
from timebank.people.queries import acts_for, must_be_here, nobody_moves, person, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.redemption.aids.actions.charge import lock_minutes, release_days
from timebank.redemption.aids.actions.items import write_event
from timebank.redemption.aids.actions.reserve import Said, borrower, hold_days
from timebank.redemption.aids.actions.telling import loan_words, tell_borrower
from timebank.redemption.aids.models import AidItem, AidLoan
from timebank.redemption.aids.queries import loan_unknown, lock_item, lock_loan
from timebank.redemption.aids.rules import LoanStatus, after, must_be_within_days, overdue_days


def lend(
    session: Session,
    *,
    actor: Actor,
    loan_id: UUID,
    condition: str,
    code: str | None = None,
    evidence: str | None = None,
) -> AidLoan:
    """Hand the aid over; its days run from today. For the stewards of the township where it is.

    The borrower shows the six-digit code, or the steward writes down what shows that it is them. Raises NotAllowed
    ``steward_only``, ``other_township``; NotFound ``aid_loan_unknown``; Conflict ``wrong_state``,
    ``aid_reservation_lapsed``, ``person_left``, ``person_frozen``; Refused ``aid_code_needed``, ``aid_code_wrong``.
    """
    actor.must_be_steward()
    reserved = session.get(AidLoan, loan_id)
    if reserved is None:
        raise loan_unknown(loan_id)
    # People before loans, as where one is reserved; so that no death is reported meanwhile.
    holder = person(session, reserved.holder_id, for_update=True)
    loan = lock_loan(session, loan_id)
    item = lock_item(session, loan.item_id)
    actor.must_steward(item.at_township_code)
    status = after("lend", loan.status)
    now = clock.now()
    if loan.reserved_until <= now:
        raise Conflict("aid_reservation_lapsed", "预约已过保留时间，请重新预约", reserved_until=loan.reserved_until)
    must_be_here(holder)
    _check_code(loan, code, evidence)
    item.condition = condition
    loan.status, loan.lent_at, loan.lent_on = status, now, clock.today()
    loan.lent_by, loan.lent_by_name, loan.lent_condition = actor.login_id, actor.name, condition
    loan.lent_evidence = (evidence or "").strip() or None
    session.flush()
    session.refresh(loan, ["due_on"])
    write_event(session, actor=actor, item=item, what="lent", reason=loan.lent_evidence or "", loan_id=loan.id)
    note_down(
        session,
        actor=actor,
        action="aid_lent",
        subject=("aid_loan", loan.id),
        by_code=code is not None,
        condition=condition,
    )
    assert loan.due_on is not None
    back = f"请在{loan.due_on.month}月{loan.due_on.day}日当天归还，任一镇街都可以还。"
    body = f"您已领取{loan_words(item)}，借用{loan.days}天，{back}"
    tell_borrower(session, loan, title="辅具已借出", body=body)
    return loan


def extend(session: Session, *, actor: Actor, loan_id: UUID, days: int, evidence: str | None = None) -> AidLoan:
    """Add days to a loan before its last day is over 续借, and hold their minutes.

    For the borrower, a proxy, or, with evidence, a steward of the borrower's township. Raises NotFound
    ``aid_loan_unknown``; NotAllowed ``proxy_scope_missing``; Conflict ``wrong_state``, ``aid_overdue``,
    ``person_left``; Refused ``evidence_missing``, ``amount_invalid``, ``aid_days_too_many``, and what ``hold_days``
    raises.
    """
    nobody_moves(session)
    holder = borrower(session, actor, loan_of(session, actor, loan_id).holder_id, evidence)
    loan = lock_loan(session, loan_id)
    after("extend", loan.status)
    late = overdue_days(loan.status, loan.due_on, clock.today())
    if late:
        raise Conflict("aid_overdue", f"已逾期{late}天，不能续借，请先归还", overdue_days=late)
    policies = in_force(session, at=clock.now())
    most = policies.whole("aid_max_days", holder.township_code)
    # The days to be added are counted first, so that fewer than none never look like a shorter loan.
    must_be_within_days(days, most)
    must_be_within_days(loan.days + days, most)
    before = loan.days
    loan.days += days
    session.flush()
    session.refresh(loan, ["due_on"])
    item = session.get_one(AidItem, loan.item_id)
    said = Said(spoken_name(actor, holder), evidence)
    hold_days(session, loan=loan, item=item, holder=holder, after=before, said=said, policies=policies)
    if actor.is_steward:
        note_down(session, actor=actor, action="aid_extended", subject=("aid_loan", loan.id), days=days)
    assert loan.due_on is not None
    body = f"{loan_words(item)}已续借{days}天，请在{loan.due_on.month}月{loan.due_on.day}日当天归还。"
    tell_borrower(session, loan, title="辅具已续借", body=body)
    return loan


def cancel(session: Session, *, actor: Actor, loan_id: UUID, reason: str = "") -> AidLoan:
    """Give a reservation up 取消; all its minutes are free again.

    For the borrower, a proxy, or, with a reason, a steward of the borrower's township or of where the aid is. Raises
    NotFound ``aid_loan_unknown``; NotAllowed ``proxy_scope_missing``; Conflict ``wrong_state``; Refused
    ``reason_needed``.
    """
    loan = loan_of(session, actor, loan_id)
    if actor.is_steward:
        reason = reason_given(reason)
    holder = person(session, loan.holder_id)
    loan = lock_loan(session, loan_id)
    status = after("cancel", loan.status)
    _give_up(session, loan, status, actor, spoken_name(actor, holder), reason.strip())
    if actor.is_steward:
        note_down(session, actor=actor, action="aid_cancelled", subject=("aid_loan", loan.id), reason=reason)
        words = loan_words(session.get_one(AidItem, loan.item_id))
        body = f"您预约的{words}已由管理员取消：{reason}。冻结的时长已退回。"
        tell_borrower(session, loan, title="辅具预约已取消", body=body)
    return loan


def lapsed_reservations(session: Session, *, limit: int) -> list[UUID]:
    """Reservations whose time is over, oldest first."""
    query = select(AidLoan.id).where(AidLoan.status == LoanStatus.RESERVED, AidLoan.reserved_until <= clock.now())
    return list(session.scalars(query.order_by(AidLoan.reserved_until).limit(limit)))


def lapse_reservation(session: Session, *, loan_id: UUID) -> bool:
    """Let one reservation lapse, its minutes free again; answers whether that was still to be done."""
    loan = lock_loan(session, loan_id)
    if loan.status != LoanStatus.RESERVED or loan.reserved_until > clock.now():
        return False
    _give_up(session, loan, after("lapse", loan.status), SYSTEM, SYSTEM.name, "")
    body = f"您预约的{loan_words(session.get_one(AidItem, loan.item_id))}没有在保留时间内领取，冻结的时长已退回。"
    tell_borrower(session, loan, title="辅具预约已过期", body=body)
    return True


def loan_of(session: Session, actor: Actor, loan_id: UUID) -> AidLoan:
    """A loan that the actor may change: the borrower, a proxy, a steward of the borrower's township or of the item's.

    Raises NotFound ``aid_loan_unknown``; NotAllowed ``proxy_scope_missing``.
    """
    loan = session.get(AidLoan, loan_id)
    if loan is None or not _may_change(session, actor, loan):
        raise loan_unknown(loan_id)
    return loan


def _may_change(session: Session, actor: Actor, loan: AidLoan) -> bool:
    if not actor.is_steward:
        return acts_for(session, actor, loan.holder_id, ProxyScope.AIDS)
    item = session.get_one(AidItem, loan.item_id)
    holder: Person = person(session, loan.holder_id)
    return actor.stewards(holder.township_code) or actor.stewards(item.at_township_code)


def _give_up(session: Session, loan: AidLoan, status: LoanStatus, actor: Actor, name: str, reason: str) -> None:
    lock_minutes(session, loan)
    release_days(session, loan=loan)
    loan.status, loan.ended_at, loan.ended_by, loan.ended_by_name = status, clock.now(), actor.login_id, name
    loan.ended_reason = reason or None
    session.flush()


def _check_code(loan: AidLoan, code: str | None, evidence: str | None) -> None:
    if code is not None:
        typed = "".join(unicodedata.normalize("NFKC", code).split()).encode()
        if not hmac.compare_digest(loan.code.encode(), typed):
            raise Refused("aid_code_wrong", "取用码不对，请老人再出示一遍", field="code")
    elif not (evidence or "").strip():
        raise Refused("aid_code_needed", "请输入老人的取用码，或填写核对身份的依据", field="code")
