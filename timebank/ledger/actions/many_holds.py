"""Many holds at once 批量冻结: placed, captured with what is posted, or released, in a fixed number of statements.

All accounts are locked in one call, sorted, before any row of a hold; one is a batch of one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.db import UuidColumn
from timebank.core.errors import BankError, NotFound
from timebank.ledger.actions.post import MOST_TRIES, insert_legs, lock_accounts, standing_transfers
from timebank.ledger.holding import Capture, Capturing, HoldWanted, Placing, StandingHold, hold_ended, hold_id_reused
from timebank.ledger.models import Hold
from timebank.ledger.rules import AccountState, Leg, Result

_COLUMNS = ("id", "account_id", "amount", "cause_kind", "cause_id", "expires_at")

# Of two who place a hold under the same id at once, the later one is told so below.
_INSERT = text(
    f"INSERT INTO ledger_hold ({', '.join(_COLUMNS)}, state, placed_at) "
    f"SELECT *, 'placed', :placed_at FROM unnest({', '.join(':' + name for name in _COLUMNS)}) "
    f"ON CONFLICT (id) DO NOTHING RETURNING {', '.join(column.name for column in Hold.__table__.c)}"
).bindparams(
    *(bindparam(name, type_=ARRAY(Hold.__table__.c[name].type)) for name in _COLUMNS),
    bindparam("placed_at", type_=Hold.__table__.c.placed_at.type),
)
_PLACE = select(Hold).from_statement(_INSERT.columns(*Hold.__table__.c))


def place_holds(
    session: Session, wanted: Sequence[HoldWanted], also_lock: Collection[int] = ()
) -> list[Hold | BankError]:
    """Set many amounts aside: one answer each, in order, in at most four statements however many there are.

    Decides as ``place_hold`` would one after another, on accounts locked once together with ``also_lock``. Refusals
    come back as values (``amount_invalid``, ``account_unknown``, ``account_closed``, ``insufficient_minutes``,
    ``insufficient_fen``, ``hold_needs_floor``, ``hold_id_reused``).
    """
    accounts = lock_accounts(session, {w.account_id for w in wanted} | set(also_lock))
    if not wanted:
        return []
    placing = Placing(accounts, _holds_by_id(session, [w.hold_id for w in wanted]))
    refusals = [placing.decide(one) for one in wanted]
    found = _insert(session, placing.placed)
    lost = {one.hold_id for one in placing.placed} - found.keys()
    before = {w.hold_id for w, refusal in zip(wanted, refusals, strict=True) if refusal is None} - found.keys() - lost
    if before:
        found |= {hold.id: hold for hold in session.scalars(_reading(before))}
    answers: list[Hold | BankError] = []
    for one, refusal in zip(wanted, refusals, strict=True):
        answers.append(refusal or (hold_id_reused() if one.hold_id in lost else found[one.hold_id]))
    return answers


def capture_holds(session: Session, captures: Sequence[Capture], also_lock: Collection[int] = ()) -> list[Result]:
    """End holds and post what they were for, each capture whole or not at all, independent of its neighbours.

    One result each, in order, in six statements however many there are; all accounts are locked once, together with
    ``also_lock``. The same capture again answers as the first one did. Refusals come back as values
    (``hold_unknown``, ``hold_ended``, ``capture_exceeds_hold``, ``capture_from_elsewhere``, or what posting refuses);
    the holds then stand as they did.
    """
    hold_ids = {hold_id for capture in captures for hold_id in capture.amounts}
    movements = [movement for capture in captures for movement in capture.posting]
    named = {m.from_account_id for m in movements} | {m.to_account_id for m in movements} | set(also_lock)
    accounts = _lock_with_holds(session, hold_ids, named)
    clearing = {(a.book_code, a.unit): a.id for a in accounts.values() if a.kind == "clearing"}
    holds = _holds_by_id(session, hold_ids)
    for _ in range(MOST_TRIES):
        standing = standing_transfers(session, [m.id for m in movements])
        batch = Capturing(accounts, clearing, standing, holds, clock.now())
        results = [batch.capture(capture) for capture in captures]
        if _carry_out(session, batch.ended, batch.legs):
            return results
    raise RuntimeError("another process kept posting the same transfer ids")


def end_holds(session: Session, hold_ids: Collection[UUID], also_lock: Collection[int] = ()) -> None:
    """Release all of these holds; ending one twice is ending it once. Four statements however many there are.

    Raises NotFound ``hold_unknown``; Conflict ``hold_ended``; then none of them has changed.
    """
    wanted = set(hold_ids)
    _lock_with_holds(session, wanted, set(also_lock))
    if not wanted:
        return
    holds = _holds_by_id(session, wanted)
    for hold_id in sorted(wanted):
        if hold_id not in holds:
            raise NotFound("hold_unknown", "没有这笔冻结", hold_id=hold_id)
        if holds[hold_id].state not in ("placed", "released"):
            raise hold_ended(hold_id, holds[hold_id].state)
    _end(session, {hold_id: 0 for hold_id in wanted if holds[hold_id].state == "placed"})


def _lock_with_holds(session: Session, hold_ids: Collection[UUID], accounts: set[int]) -> dict[int, AccountState]:
    """The accounts on which these holds lie and the named ones, locked: always before the holds' own rows."""
    of_holds = session.scalars(select(Hold.account_id).where(_one_of(hold_ids))).all()
    return lock_accounts(session, accounts | set(of_holds))


def _one_of(hold_ids: Collection[UUID]) -> ColumnElement[bool]:
    return Hold.id == any_(cast(sorted(set(hold_ids)), ARRAY(UuidColumn)))


def _reading(hold_ids: Collection[UUID]) -> Select[Hold]:
    return select(Hold).where(_one_of(hold_ids)).execution_options(populate_existing=True)


def _holds_by_id(session: Session, hold_ids: Collection[UUID]) -> dict[UUID, StandingHold]:
    """Whoever holds the account's lock is alone with its holds, so their rows need no lock of their own."""
    return {
        hold.id: StandingHold(hold.account_id, hold.amount, hold.state, hold.captured_amount, hold.cause_id)
        for hold in session.scalars(_reading(hold_ids))
    }


def _insert(session: Session, placed: Sequence[HoldWanted]) -> dict[UUID, Hold]:
    """Insert all in one statement; without those under whose ids somebody else has just placed another hold."""
    if not placed:
        return {}
    values = {name: [getattr(w, "hold_id" if name == "id" else name) for w in placed] for name in _COLUMNS}
    inserted = session.scalars(_PLACE, {**values, "placed_at": clock.now()})
    return {hold.id: hold for hold in inserted}


def _carry_out(session: Session, ended: Mapping[UUID, int], legs: Sequence[Leg]) -> bool:
    """End the holds, then insert the legs; False, with nothing done, where a leg's id was taken meanwhile."""
    try:
        with session.begin_nested():
            _end(session, ended)
            if not insert_legs(session, legs):
                raise _Overtaken
    except _Overtaken:
        return False
    return True


class _Overtaken(Exception):
    """Somebody was faster with one of the ids."""


def _end(session: Session, amounts: Mapping[UUID, int]) -> None:
    """One statement: captured where an amount is taken, released where it is 0."""
    if not amounts:
        return
    ids, taken = cast(list(amounts), ARRAY(UuidColumn)), cast(list(amounts.values()), ARRAY(BigInteger))
    ended = func.unnest(ids, taken).table_valued(column("id", UuidColumn), column("amount", BigInteger))
    ended = ended.render_derived(name="ended")
    session.execute(
        update(Hold)
        .where(Hold.id == ended.c.id)
        .values(
            state=case((ended.c.amount == 0, "released"), else_="captured"),
            captured_amount=func.nullif(ended.c.amount, 0),
            ended_at=literal(clock.now(), Hold.__table__.c.ended_at.type),
        ),
        execution_options={"synchronize_session": "fetch"},
    )
