"""Reversals 冲正: the only correction. One steward asks with a reason, a second one approves."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.models import Account, ReversalRequest, Transfer
from timebank.ledger.rules import HOUSE, SAVINGS_MOVED, AccountKind, Movement, second_leg_id
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.queries import nobody_moves, person

REDEMPTION = "voucher_redemption"
REVERSIBLE_KINDS = frozenset({"service_credit", "back_fill_credit", REDEMPTION})
"""What a steward may undo by hand. A voucher that is not used has its own way back, the refund."""

ReversalState = Literal["awaiting_second_person", "reversed"]


def reverse(
    session: Session, *, actor: Actor, transfer_id: UUID, reason: str
) -> tuple[ReversalState, UUID, UUID | None]:
    """Ask for the reversal of a transfer of one's own township, or approve what another steward asked for.

    A movement between two books is reversed whole, whichever of its legs is named; from whoever has moved away since,
    the minutes are brought back for it; those of a meal go back to the holder's savings. Answers the state, the
    reversed transfer's id (its first leg) and the reversal's. Raises NotAllowed ``steward_only``, ``other_township``,
    ``second_person_needed``; NotFound ``transfer_unknown``; Conflict ``already_reversed``; Refused
    ``not_reversible``, ``insufficient_minutes``.
    """
    actor.must_be_steward()
    first, last = _movement_of(session, transfer_id)
    if first.kind not in REVERSIBLE_KINDS or first.reverses_id is not None:
        raise Refused("not_reversible", "这类划转不能这样冲正，请用退券等办法", kind=first.kind)
    concerned = actor.stewards(first.book_code) or actor.stewards(last.book_code)
    if not concerned and session.get(ReversalRequest, first.id) is None:
        raise NotAllowed("other_township", "只能申请冲正本镇街的划转")
    if _asked_first(session, actor, first.id, reason):
        note_down(session, actor=actor, action="reversal_requested", subject=("transfer", first.id), reason=reason)
        _tell_stewards(session, first, last, reason)
        return "awaiting_second_person", first.id, None
    request = session.get_one(ReversalRequest, first.id, with_for_update=True, populate_existing=True)
    if request.approved_by is not None:
        raise Conflict("already_reversed", "这笔划转已经冲正", transfer_id=first.id)
    if request.requested_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员批准")
    nobody_moves(session)
    movement = _mirror(first, last, request, approved_by=actor)
    post_one(session, (*_brought_back(session, last, request), movement, *_given_back(session, first, request)))
    request.approved_by, request.approved_at = actor.login_id, clock.now()
    note_down(session, actor=actor, action="reversal_approved", subject=("transfer", first.id), reason=reason)
    return "reversed", first.id, movement.id


def _asked_first(session: Session, actor: Actor, transfer_id: UUID, reason: str) -> bool:
    """Whether nobody had asked before; of two who ask at once, the later one waits for the earlier."""
    asked = {
        "transfer_id": transfer_id,
        "reason": reason,
        "requested_by": actor.login_id,
        "requested_at": clock.now(),
    }
    new = insert(ReversalRequest).values(asked).on_conflict_do_nothing().returning(ReversalRequest.transfer_id)
    return session.scalar(new) is not None


def _tell_stewards(session: Session, first: Transfer, last: Transfer, reason: str) -> None:
    """Whoever may approve hears of it: the stewards of both townships and of the district."""
    body = f"划转 {first.id} 申请冲正，待另一位管理员批准：{reason}"
    for township_code in {first.book_code, last.book_code} - {HOUSE} | {None}:
        notify_stewards(session, township_code=township_code, title="有冲正待批准", body=body)


def _movement_of(session: Session, transfer_id: UUID) -> tuple[Transfer, Transfer]:
    """The first and last leg of the movement that ``transfer_id`` is part of; the same row within one book."""
    found = session.get(Transfer, transfer_id)
    if found is None:
        raise NotFound("transfer_unknown", "没有这笔划转", transfer_id=transfer_id)
    if found.link_id is None:
        return found, found
    legs = {leg.id: leg for leg in session.scalars(select(Transfer).where(Transfer.id.in_(_legs(found.link_id))))}
    return legs[found.link_id], legs[second_leg_id(found.link_id)]


def _legs(link_id: UUID) -> tuple[UUID, UUID]:
    return link_id, second_leg_id(link_id)


def _brought_back(session: Session, credited: Transfer, request: ReversalRequest) -> tuple[Movement, ...]:
    """For whoever has moved to another township since: the minutes, back into the account that they were put into."""
    account = session.get_one(Account, credited.to_account_id)
    if account.closed_at is None or account.person_id is None:
        return ()
    now_in = person(session, account.person_id).township_code
    current = ensure_accounts(session, [(account.person_id, now_in)], AccountKind(account.kind))[account.person_id]
    back = Movement(
        id=new_id(),
        from_account_id=current,
        to_account_id=account.id,
        amount=credited.amount,
        kind=SAVINGS_MOVED,
        effective_at=clock.now(),
        cause_kind="move",
        cause_id=account.person_id,
        note=request.reason,
        recorded_by=request.requested_by,
    )
    return (back,)


def _given_back(session: Session, first: Transfer, request: ReversalRequest) -> tuple[Movement, ...]:
    """For a meal that was none: the minutes go on from the used voucher to the holder's savings at home."""
    if first.kind != REDEMPTION:
        return ()
    holder_id = session.get_one(Account, first.from_account_id).person_id
    assert holder_id is not None
    home = person(session, holder_id).township_code
    savings = ensure_accounts(session, [(holder_id, home)], AccountKind.SAVINGS)[holder_id]
    minutes = hours_text(first.amount)
    notify_person(
        session, person_id=holder_id, title="用餐已冲正", body=f"{minutes}已退回您的时间账户：{request.reason}"
    )
    refund = Movement(
        id=new_id(),
        from_account_id=first.from_account_id,
        to_account_id=savings,
        amount=first.amount,
        kind="voucher_refund",
        effective_at=clock.now(),
        cause_kind=first.cause_kind,
        cause_id=first.cause_id,
        note=request.reason,
        policy_version=first.policy_version,
        recorded_by=request.requested_by,
    )
    return (refund,)


def _mirror(first: Transfer, last: Transfer, request: ReversalRequest, *, approved_by: Actor) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=last.to_account_id,
        to_account_id=first.from_account_id,
        amount=first.amount,
        kind="reversal",
        effective_at=clock.now(),
        cause_kind=first.cause_kind,
        cause_id=first.cause_id,
        note=request.reason,
        policy_version=first.policy_version,
        recorded_by=request.requested_by,
        reverses_id=first.id,
        approved_by=approved_by.login_id,
    )
