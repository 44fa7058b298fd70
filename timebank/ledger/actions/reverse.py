"""Reversals 冲正: the only correction. One steward asks with a reason, a second one approves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.actions.way_back import in_place_of, ways_back
from timebank.ledger.models import Account, ReversalRequest, Transfer
from timebank.ledger.rules import HOUSE, SAVINGS_MOVED, AccountKind, Movement, insufficient, second_leg_id
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.queries import nobody_moves, person
from timebank.people.rules import person_left

REDEMPTION = "voucher_redemption"
GIVEN_KINDS = frozenset({"gift", "donation", "hardship_help"})
"""What was given by hand."""

TOLD_KINDS = GIVEN_KINDS | {"aid_use"}
"""Whose minutes they were, and whose they became, hear of the reversal from here; of other kinds from elsewhere."""

MEAL_GIFTS = frozenset({"money_donated", "donation_allotted", "produce_given"})
"""Money and vegetables given to meals: fen in the house's book, about which no volunteer need be told."""

REVERSIBLE_KINDS = (
    frozenset({"service_credit", "back_fill_credit", "surplus", "care_use", REDEMPTION}) | TOLD_KINDS | MEAL_GIFTS
)
"""What a steward may undo by hand. A voucher that is not used has its own way back, the refund."""

_CREDITS, _SURPLUS = frozenset({"service_credit", "back_fill_credit"}), "surplus"

ReversalState = Literal["awaiting_second_person", "reversed"]
OriginOf = Callable[[Session, UUID], UUID]
"""Under which voucher's id the minutes of a used voucher were paid; a replaced one was paid under another's."""

OrderOf = Callable[[Session, UUID], UUID | None]
"""The meal that a used voucher was set aside for, whose volunteers' share it is; None where it was used by itself."""


def reverse(
    session: Session,
    *,
    actor: Actor,
    transfer_id: UUID,
    reason: str,
    origin_of: OriginOf | None = None,
    order_of: OrderOf | None = None,
) -> tuple[ReversalState, UUID, UUID | None]:
    """Ask for the reversal of a transfer of one's own township, or approve what another steward asked for.

    A movement between two books is reversed whole, whichever of its legs is named; from whoever has moved away since,
    the minutes are brought back for it; those of a meal go back to the accounts that had paid for it, which for
    replaced vouchers takes ``origin_of``; a voucher that pays for an ordered meal, as ``order_of`` tells, is not
    reversed without it. What whoever has left had paid goes into an account opened anew, from where
    it follows their savings. What of the same service lay beyond a cap comes back from the pool with the credit.

    Answers the state, the reversed transfer's id (its first leg) and the reversal's. Raises NotAllowed
    ``steward_only``, ``other_township``, ``second_person_needed``; NotFound ``transfer_unknown``; Conflict
    ``already_reversed``, ``person_left`` where whoever got the minutes has left with them; Refused
    ``not_reversible``, ``insufficient_minutes``, ``account_closed`` where somebody is leaving this very moment.
    """
    actor.must_be_steward()
    first, last = movement_of(session, transfer_id)
    if (refusal := why_not_reversible(session, first, order_of)) is not None:
        raise refusal
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
    before = _brought_back(session, last, request)
    after = _given_back(session, first, request, origin_of) or _sent_on(session, first, request)
    along = _surplus_along(session, first, request, approved_by=actor)
    post_one(session, (*before, movement, *along, *after))
    if first.kind in TOLD_KINDS:
        _tell_people(session, first, last, request)
    request.approved_by, request.approved_at = actor.login_id, clock.now()
    note_down(session, actor=actor, action="reversal_approved", subject=("transfer", first.id), reason=reason)
    return "reversed", first.id, movement.id


def why_not_reversible(session: Session, first: Transfer, order_of: OrderOf | None) -> Refused | None:
    """Why a movement, named by its first leg, is not undone by hand; None where two stewards may undo it.

    A meal's shares stand and fall together: the meal is corrected, not one of them reversed.
    """
    paid_for = order_of(session, first.cause_id) if first.kind == REDEMPTION and first.cause_id and order_of else None
    if first.kind in REVERSIBLE_KINDS and first.reverses_id is None and paid_for is None:
        return None
    if paid_for is not None or first.cause_kind == "meal_order":
        return Refused("not_reversible", "用餐的划转请用“用餐冲正”整份办理", kind=first.kind)
    return Refused("not_reversible", "这类划转不能这样冲正，请用退券等办法", kind=first.kind)


def movements_undoing(
    session: Session,
    *,
    transfer_ids: Sequence[UUID],
    reason: str,
    requested_by: UUID,
    approved_by: Actor,
    origin_of: OriginOf | None = None,
) -> tuple[Movement, ...]:
    """What undoes these movements, for a caller who has had it asked for and approved by two people of its own.

    The minutes of a used voucher go on to where they had come from. Raises NotFound ``transfer_unknown``.
    """
    movements: list[Movement] = []
    for transfer_id in transfer_ids:
        first, last = movement_of(session, transfer_id)
        asked = ReversalRequest(transfer_id=first.id, reason=reason, requested_by=requested_by)
        movements.append(_mirror(first, last, asked, approved_by=approved_by))
        movements += _given_back(session, first, asked, origin_of)
    return tuple(movements)


def _surplus_along(
    session: Session, credit: Transfer, request: ReversalRequest, *, approved_by: Actor
) -> tuple[Movement, ...]:
    """What of the same service went to the pool beyond a cap, undone together with the credit."""
    movements = []
    for first in surplus_standing(session, credit):
        _answered_with(session, first.id, request, approved_by)
        movements.append(_mirror(first, movement_of(session, first.id)[1], request, approved_by=approved_by))
    return tuple(movements)


def surplus_standing(session: Session, credit: Transfer) -> Sequence[Transfer]:
    """First legs of what of the credited service went to the pool beyond a cap and is not undone."""
    if credit.kind not in _CREDITS or credit.cause_id is None:
        return ()
    undone = aliased(Transfer)
    standing = select(Transfer).where(
        Transfer.cause_id == credit.cause_id,
        Transfer.kind == _SURPLUS,
        Transfer.link_id.is_(None) | (Transfer.link_id == Transfer.id),
        ~exists().where(undone.reverses_id == Transfer.id),
    )
    return session.scalars(standing.order_by(Transfer.seq)).all()


def _answered_with(session: Session, transfer_id: UUID, request: ReversalRequest, approved_by: Actor) -> None:
    """The surplus is asked for and approved by the same two as its credit, whoever may have asked for it before."""
    _asked_first_by(session, transfer_id, request.reason, request.requested_by)
    own = session.get_one(ReversalRequest, transfer_id, with_for_update=True, populate_existing=True)
    if own.requested_by == approved_by.login_id:
        raise NotAllowed("second_person_needed", "须由另一位管理员批准")
    own.approved_by, own.approved_at = approved_by.login_id, clock.now()


def _asked_first(session: Session, actor: Actor, transfer_id: UUID, reason: str) -> bool:
    """Whether nobody had asked before; of two who ask at once, the later one waits for the earlier."""
    return _asked_first_by(session, transfer_id, reason, actor.login_id)


def _asked_first_by(session: Session, transfer_id: UUID, reason: str, login_id: UUID | None) -> bool:
    asked = {"transfer_id": transfer_id, "reason": reason, "requested_by": login_id, "requested_at": clock.now()}
    new = insert(ReversalRequest).values(asked).on_conflict_do_nothing().returning(ReversalRequest.transfer_id)
    return session.scalar(new) is not None


def _tell_stewards(session: Session, first: Transfer, last: Transfer, reason: str) -> None:
    """Whoever may approve hears of it: the stewards of both townships and of the district."""
    body = f"划转 {first.id} 申请冲正，待另一位管理员批准：{reason}"
    for township_code in {first.book_code, last.book_code} - {HOUSE} | {None}:
        notify_stewards(session, township_code=township_code, title="有冲正待批准", body=body)


def movement_of(session: Session, transfer_id: UUID) -> tuple[Transfer, Transfer]:
    """The first and last leg of the movement that ``transfer_id`` is part of; the same row within one book.

    Raises NotFound ``transfer_unknown``.
    """
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
    holder = person(session, account.person_id)
    if holder.left_at is not None:
        raise person_left(holder.name)
    if account.kind != AccountKind.SAVINGS:
        # Only savings move house: a lot was closed when its holder left, and is not theirs again after coming back.
        raise insufficient(account.unit, available=0, needed=credited.amount)
    current = ensure_accounts(session, [(holder.id, holder.township_code)], AccountKind.SAVINGS)[holder.id]
    return (_moved(current, account.id, credited, request, holder.id),)


def _moved(source: int, target: int, of: Transfer, request: ReversalRequest, person_id: UUID) -> Movement:
    """Savings that follow a person, for a reversal of ``of``."""
    return Movement(
        id=new_id(),
        from_account_id=source,
        to_account_id=target,
        amount=of.amount,
        kind=SAVINGS_MOVED,
        effective_at=clock.now(),
        cause_kind="move",
        cause_id=person_id,
        note=request.reason,
        recorded_by=request.requested_by,
    )


def _sent_on(session: Session, paid: Transfer, request: ReversalRequest) -> tuple[Movement, ...]:
    """For whoever paid and has moved away or left since: the minutes, on into the account that has its place."""
    account = session.get_one(Account, paid.from_account_id)
    if account.closed_at is None or account.person_id is None:
        return ()
    return (_moved(account.id, in_place_of(session, account), paid, request, account.person_id),)


def _given_back(
    session: Session, first: Transfer, request: ReversalRequest, origin_of: OriginOf | None
) -> tuple[Movement, ...]:
    """For a meal that was none: the minutes go on from the used voucher to where they had come from."""
    if first.kind != REDEMPTION:
        return ()
    assert first.cause_id is not None
    account = session.get_one(Account, first.from_account_id)
    origin_id = origin_of(session, first.cause_id) if origin_of is not None else first.cause_id
    ways = ways_back(session, origin_id=origin_id, account=account)
    if sum(minutes for _, minutes in ways) != first.amount:
        raise RuntimeError(f"voucher {first.cause_id} was not paid under {origin_id}")
    assert account.person_id is not None
    body = f"{hours_text(first.amount)}已退回您的时间账户：{request.reason}"
    _tell_person(session, account.person_id, "用餐已冲正", body)
    return tuple(_refund(first, account, target, minutes, request) for target, minutes in ways)


def _refund(first: Transfer, source: Account, target: int, minutes: int, request: ReversalRequest) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=source.id,
        to_account_id=target,
        amount=minutes,
        # Through an account that is closed, only what follows its holder passes.
        kind="voucher_refund" if source.closed_at is None else SAVINGS_MOVED,
        effective_at=clock.now(),
        cause_kind=first.cause_kind,
        cause_id=first.cause_id,
        note=request.reason,
        policy_version=first.policy_version,
        recorded_by=request.requested_by,
    )


def _tell_people(session: Session, first: Transfer, last: Transfer, request: ReversalRequest) -> None:
    body = f"{hours_text(first.amount)}已按规定冲正：{request.reason}"
    for account_id in (first.from_account_id, last.to_account_id):
        holder_id = session.get_one(Account, account_id).person_id
        if holder_id is not None:
            _tell_person(session, holder_id, "时长已冲正", body)


def _tell_person(session: Session, person_id: UUID, title: str, body: str) -> None:
    """Whoever has left, or died, is told nothing."""
    if person(session, person_id).left_at is None:
        notify_person(session, person_id=person_id, title=title, body=body)


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
