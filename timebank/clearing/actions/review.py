"""Reviewing a closed window 核对: townships confirm their statements or dispute lines, the district rules.

Order of locks: windows by number, then statements and disputes of the lower one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.models import ClearingWindow, Dispute, MovedLine, Statement
from timebank.clearing.queries import find_window, line_of, lock_open_window
from timebank.clearing.queries.positions import priced
from timebank.clearing.rules import CARRIED_KIND, IN_REVIEW, Net, WindowStatus, must_stand_at, nets, reason_given
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.notifications.actions import notify_stewards

Ruling = Literal["moved", "stays"]


def confirm_statement(
    session: Session, *, actor: Actor, window_name: str, township_code: str | None = None, note: str | None = None
) -> Statement:
    """Confirm a township's statement of a window; the district may do so for a township, saying why.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``window_unknown``, ``statement_unknown``; Conflict
    ``window_still_open``, ``window_already_settled``, ``statement_already_confirmed``, ``disputes_unruled``; Refused
    ``township_needed``, ``note_needed``.
    """
    actor.must_be_steward()
    window = find_window(session, window_name, for_update=True)
    code = _township_of(actor, township_code)
    if actor.is_district and not (note or "").strip():
        raise Refused("note_needed", "代镇街确认须说明原因", field="note")
    must_stand_at(window.status, *IN_REVIEW)
    statement = _statement(session, window, code)
    if statement.confirmed_at is not None:
        raise Conflict("statement_already_confirmed", "这份对账单已经确认", confirmed_at=statement.confirmed_at)
    unruled = (
        select(Dispute.transfer_id)
        .join(Transfer, Transfer.id == Dispute.transfer_id)
        .where(
            Dispute.window_number == window.number,
            Dispute.ruling.is_(None),
            or_(Transfer.book_code == code, Transfer.counterpart_book_code == code),
        )
    )
    waiting = session.scalars(unruled).all()
    if waiting:
        raise Conflict("disputes_unruled", "还有异议等待裁定，暂不能确认", transfer_ids=[str(i) for i in waiting])
    _under_review(session, window)
    statement.confirmed_at, statement.confirmed_by = clock.now(), actor.login_id
    statement.confirmed_by_name, statement.note = actor.name, (note or "").strip() or None
    session.flush()
    note_down(
        session,
        actor=actor,
        action="statement_confirmed",
        subject=("clearing_window", window.name),
        township_code=code,
        position_minutes=statement.position_minutes,
        position_fen=statement.position_fen,
    )
    if not unconfirmed(session, window):
        body = f"清算周期 {window.name} 的对账单已全部确认，可以结算。"
        notify_stewards(session, township_code=None, title=f"{window.name} 可以结算", body=body)
    return statement


def dispute_line(
    session: Session,
    *,
    actor: Actor,
    window_name: str,
    transfer_id: UUID,
    reason: str,
    township_code: str | None = None,
) -> Dispute:
    """Object to one line of one's own township's statement; whatever was confirmed of it is open again.

    ``transfer_id`` may name either leg. Raises NotAllowed ``township_steward_only``, ``other_township``,
    ``line_of_others``; NotFound ``window_unknown``, ``line_unknown``; Conflict ``window_still_open``,
    ``window_already_settled``, ``line_already_disputed``; Refused ``reason_needed``, ``line_carried_over``.
    """
    if actor.staff_role is not StaffRole.TOWNSHIP_STEWARD or actor.township_code is None:
        raise NotAllowed("township_steward_only", "异议由镇街管理员提出")
    if township_code not in (None, actor.township_code):
        raise NotAllowed("other_township", "只能办理本镇街的事项", township_code=township_code)
    reason = reason_given(reason)
    window = find_window(session, window_name, for_update=True)
    must_stand_at(window.status, *IN_REVIEW)
    line = line_of(session, window, transfer_id)
    if actor.township_code not in (line.book_code, line.counterpart_book_code):
        raise NotAllowed("line_of_others", "这笔往来不涉及本镇街", transfer_id=transfer_id)
    if line.kind in CARRIED_KIND.values():
        raise Refused("line_carried_over", "上期结转已经结算，不能再提异议", transfer_id=line.id)
    stands = select(Dispute.id).where(Dispute.window_number == window.number, Dispute.transfer_id == line.id)
    if session.scalar(stands) is not None:
        raise Conflict("line_already_disputed", "这笔往来已经提出过异议", transfer_id=line.id)
    dispute = Dispute(
        id=new_id(),
        window_number=window.number,
        transfer_id=line.id,
        township_code=actor.township_code,
        reason=reason,
        raised_at=clock.now(),
        raised_by=actor.login_id,
        raised_by_name=actor.name,
    )
    session.add(dispute)
    _under_review(session, window)
    _open_again(session, window, {actor.township_code}, told=False)
    note_down(
        session,
        actor=actor,
        action="line_disputed",
        subject=("clearing_window", window.name),
        transfer_id=str(line.id),
        reason=dispute.reason,
    )
    body = f"{actor.name}对清算周期 {window.name} 的一笔{hours_text(line.amount)}往来提出异议：{dispute.reason}"
    for audience in {line.book_code, line.counterpart_book_code, None} - {actor.township_code}:
        notify_stewards(session, township_code=audience, title="有往来明细待裁定", body=body)
    return dispute


def rule_dispute(session: Session, *, actor: Actor, dispute_id: UUID, ruling: Ruling, reason: str) -> Dispute:
    """Rule on a disputed line: it ``stays``, or is ``moved`` into the open window, out of both townships' statements.

    Statements that a moved line changes are to be confirmed anew. Raises NotAllowed ``district_only``; NotFound
    ``dispute_unknown``; Conflict ``dispute_already_ruled``, ``window_already_settled``; Refused ``reason_needed``.
    """
    actor.must_be_district()
    reason = reason_given(reason)
    found = session.get(Dispute, dispute_id)
    if found is None:
        raise NotFound("dispute_unknown", "没有这项异议", dispute_id=dispute_id)
    window = session.get_one(
        ClearingWindow, found.window_number, with_for_update={"key_share": True}, populate_existing=True
    )
    dispute = session.get_one(Dispute, dispute_id, with_for_update=True, populate_existing=True)
    if dispute.ruling is not None:
        raise Conflict("dispute_already_ruled", "这项异议已经裁定", ruling=dispute.ruling)
    must_stand_at(window.status, *IN_REVIEW)
    dispute.ruling, dispute.ruling_reason, dispute.ruled_at = ruling, reason, clock.now()
    dispute.ruled_by, dispute.ruled_by_name = actor.login_id, actor.name
    session.flush()
    line = line_of(session, window, dispute.transfer_id)
    if ruling == "moved":
        _move_line(session, window, line)
    note_down(
        session,
        actor=actor,
        action="dispute_ruled",
        subject=("clearing_window", window.name),
        transfer_id=str(dispute.transfer_id),
        ruling=ruling,
        reason=dispute.ruling_reason,
    )
    said = "移入下一周期" if ruling == "moved" else "维持在本周期"
    body = f"清算周期 {window.name} 的异议已裁定：{said}。{dispute.ruling_reason}"
    for code in _parties(line):
        notify_stewards(session, township_code=code, title="异议已裁定", body=body)
    return dispute


def unconfirmed(session: Session, window: ClearingWindow) -> list[str]:
    """The townships that have not confirmed their statements yet."""
    query = select(Statement.township_code).where(
        Statement.window_number == window.number, Statement.confirmed_at.is_(None)
    )
    return list(session.scalars(query.order_by(Statement.township_code)))


def _township_of(actor: Actor, township_code: str | None) -> str:
    code = township_code or (None if actor.is_district else actor.township_code)
    actor.must_steward(code)
    if code is None:
        raise Refused("township_needed", "请指明镇街", field="township_code")
    return code


def _statement(session: Session, window: ClearingWindow, code: str) -> Statement:
    found = session.get(Statement, (window.number, code), with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound("statement_unknown", "这个镇街在本周期没有往来", window=window.name, township_code=code)
    return found


def _under_review(session: Session, window: ClearingWindow) -> None:
    window.status = WindowStatus.UNDER_REVIEW
    session.flush()


def _parties(line: Transfer) -> list[str]:
    """Debtor and creditor of a movement, sorted."""
    assert line.counterpart_book_code is not None
    return sorted((line.book_code, line.counterpart_book_code))


def _move_line(session: Session, window: ClearingWindow, line: Transfer) -> None:
    following = lock_open_window(session)
    assert line.counterpart_book_code is not None
    moved = MovedLine(
        transfer_id=line.id,
        from_window=window.number,
        to_window=following.number,
        debtor=line.book_code,
        creditor=line.counterpart_book_code,
        kind=line.kind,
        minutes=line.amount,
        moved_at=clock.now(),
    )
    session.add(moved)
    session.flush()
    now_owed = nets(priced(session, window))
    parties = _parties(line)
    for code in parties:
        statement, net = _statement(session, window, code), now_owed.get(code, Net())
        assert net.fen is not None
        statement.position_minutes, statement.position_fen = net.minutes, net.fen
    _open_again(session, window, parties, told=True)


def _open_again(session: Session, window: ClearingWindow, codes: Collection[str], *, told: bool) -> None:
    """Take back what was confirmed of these statements."""
    for code in sorted(codes):
        statement = _statement(session, window, code)
        if statement.confirmed_at is None:
            continue
        statement.confirmed_at = statement.confirmed_by = statement.confirmed_by_name = statement.note = None
        if told:
            body = f"一笔有异议的往来移入了下一周期，清算周期 {window.name} 的对账单有变化，请重新确认。"
            notify_stewards(session, township_code=code, title=f"{window.name} 对账单待重新确认", body=body)
    session.flush()
