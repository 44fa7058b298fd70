"""Moving to another township 迁居: a person's savings go along, through clearing, as a transfer of their own.

Order of locks: the lock of moving, which whoever credits, buys or refunds shares, so that nobody's home changes under
them; the person's row; then the savings accounts, sorted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import Unit, hours_text
from timebank.core.errors import Conflict, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, post_one
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import SAVINGS_MOVED, AccountKind, Movement
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.actions.enrol import forget_village
from timebank.people.models import Person
from timebank.people.queries import MOVING_LOCK, must_be_here, person
from timebank.townships.queries import township

_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class MovedHome:
    """Who moved from where to where, with how many minutes; ``transfer_id`` is None where there were no savings."""

    person_id: UUID
    from_township_code: str
    to_township_code: str
    moved_minutes: int
    transfer_id: UUID | None


def move_home(session: Session, *, actor: Actor, person_id: UUID, township_code: str, evidence: str) -> MovedHome:
    """Let a person go to another township, with all savings; for its stewards and the district's.

    Vouchers that are not used stay good, and granted minutes stay with the township that granted them: both are still
    the person's to spend. Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Refused
    ``evidence_missing``, ``township_unknown``; Conflict ``already_there``, ``minutes_held``,
    ``moving_has_to_wait``, ``person_left``, ``person_frozen``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    _wait_for_quiet(session)
    mover = person(session, person_id, for_update=True)
    left, reached = township(session, mover.township_code), township(session, township_code)
    actor.must_steward(left.code)
    must_be_here(mover)
    evidence = evidence.strip()
    if not evidence:
        raise Refused("evidence_missing", "请填写迁居的依据", field="evidence")
    if left.code == reached.code:
        raise Conflict("already_there", f"此人已登记在{reached.name}", township_code=reached.code)
    note = f"由{left.name}迁至{reached.name}"
    minutes, transfer_id = _take_savings_along(session, actor, mover, reached.code, note)
    mover.township_code = reached.code
    forget_village(session, mover.id)
    moved = MovedHome(mover.id, left.code, reached.code, minutes, transfer_id)
    _tell_everybody(session, mover, moved, note)
    note_down(
        session,
        actor=actor,
        action="person_moved",
        subject=("person", mover.id),
        from_township_code=left.code,
        to_township_code=reached.code,
        minutes=minutes,
        evidence=evidence,
    )
    session.flush()
    return moved


def _wait_for_quiet(session: Session) -> None:
    """Take the lock of moving when nobody shares it; asked for again and again, since queueing would hold up all."""
    deadline = time.monotonic() + _PATIENCE_S
    while not session.scalar(select(func.pg_try_advisory_xact_lock(MOVING_LOCK))):
        if time.monotonic() > deadline:
            raise Conflict("moving_has_to_wait", "正在集中记账，请稍后再办理迁移")
        time.sleep(0.02)


def _take_savings_along(
    session: Session, actor: Actor, mover: Person, to_book: str, note: str
) -> tuple[int, UUID | None]:
    """Empty and close the savings account in the old book; answers the minutes moved and the transfer."""
    old_id = session.scalar(
        select(Account.id).where(
            Account.person_id == mover.id,
            Account.book_code == mover.township_code,
            Account.kind == AccountKind.SAVINGS,
            Account.unit == Unit.MINUTE,
            Account.closed_at.is_(None),
        )
    )
    if old_id is None:
        return 0, None
    reached_id = ensure_accounts(session, [(mover.id, to_book)], AccountKind.SAVINGS)[mover.id]
    old = lock_accounts(session, [old_id, reached_id])[old_id]
    if old.held:
        raise _minutes_held(session, old_id, old.held)
    transfer_id = None
    if old.posted:
        movement = Movement(
            id=new_id(),
            from_account_id=old_id,
            to_account_id=reached_id,
            amount=old.posted,
            kind=SAVINGS_MOVED,
            effective_at=clock.now(),
            cause_kind="move",
            cause_id=mover.id,
            note=note,
            recorded_by=actor.login_id,
        )
        post_one(session, (movement,))
        transfer_id = movement.id
    session.execute(update(Account).where(Account.id == old_id).values(closed_at=clock.now()))
    return old.posted, transfer_id


def _minutes_held(session: Session, account_id: int, held: int) -> Conflict:
    """The refusal of a move that would leave minutes behind which are set aside for something."""
    holds = session.scalars(
        select(Hold).where(Hold.account_id == account_id, Hold.state == "placed").order_by(Hold.expires_at, Hold.id)
    ).all()
    held_for: list[dict[str, Any]] = [
        {"cause_kind": hold.cause_kind, "cause_id": str(hold.cause_id), "minutes": hold.amount} for hold in holds
    ]
    return Conflict(
        "minutes_held",
        f"有{hours_text(held)}冻结中，暂不能迁出",
        detail=f"{len(holds)}项预约冻结了{hours_text(held)}，请先办结或取消这些预约，再办理迁出。",
        held_minutes=held,
        held_for=held_for,
        held_until=max(hold.expires_at for hold in holds),
    )


def _tell_everybody(session: Session, mover: Person, moved: MovedHome, note: str) -> None:
    along = f"，{hours_text(moved.moved_minutes)}储蓄时长随人迁移" if moved.moved_minutes else "，没有储蓄时长随迁"
    body = f"您的登记已{note}{along}；已购的用餐券、已订的餐和餐费余额照常使用。"
    notify_person(session, person_id=mover.id, title="登记已迁移", body=body)
    for code, title in ((moved.from_township_code, "有人员迁出"), (moved.to_township_code, "有人员迁入")):
        notify_stewards(session, township_code=code, title=title, body=f"{mover.name}{note}{along}。")
