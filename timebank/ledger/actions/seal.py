"""Sealing 封存: hash what was posted since the last seal, chain it, and hand the day's head out.

Sequence numbers are given out before their transactions end, so "everything up to the newest number" may still be
growing. Every posting holds a shared advisory lock from before it takes a number until it ends; the sealer reads the
newest number, notes who holds that lock just then, and waits until those have ended. Nobody who posts ever waits.
"""

from __future__ import annotations

import time
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.ledger.actions.post import POSTING_LOCK
from timebank.ledger.models import Book, Seal, SealHandout, Transfer
from timebank.ledger.sealing import GENESIS, SEALED_FIELDS, MerkleTree, canonical, seal_hash
from timebank.notifications.actions import notify_stewards

SEALING_LOCK = 0x7B002
_PATIENCE_S = 10.0

_NEWEST_SEQ = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM ledger_transfer_seq_seq")
_POSTING_NOW = text("""
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'advisory' AND granted AND mode = 'ShareLock' AND objsubid = 1
  AND classid = 0 AND objid = :lock AND pid <> pg_backend_pid()
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
""").bindparams(lock=POSTING_LOCK)


def seal_new_transfers(session: Session) -> Seal | None:
    """Seal everything settled since the last seal.

    None where there is nothing new, where another process is sealing, or where somebody posts for very long.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(SEALING_LOCK))):
        return None
    settled = settled_seq(session)
    if settled is None:
        return None
    last = session.scalar(select(Seal).order_by(Seal.number.desc()).limit(1))
    from_seq = last.to_seq if last else 0
    tree, to_seq = merkle_of(session, from_seq, settled)
    if tree.leaves == 0:
        return None
    number, previous, now = (last.number + 1 if last else 1), (last.hash if last else GENESIS), clock.now()
    said = {
        "number": number,
        "from_seq": from_seq,
        "to_seq": to_seq,
        "transfers": tree.leaves,
        "merkle_root": tree.root(),
        "previous_hash": previous,
        "sealed_at": now,
    }
    seal = Seal(hash=seal_hash(**said), **said)  # type: ignore[arg-type]
    session.add(seal)
    session.flush()
    return seal


def merkle_of(session: Session, from_seq: int, to_seq: int) -> tuple[MerkleTree, int]:
    """The tree over the transfers with ``from_seq < seq <= to_seq``, and the last number met; streamed."""
    columns = [Transfer.__table__.c[name] for name in SEALED_FIELDS]
    query = select(*columns).where(Transfer.seq > from_seq, Transfer.seq <= to_seq).order_by(Transfer.seq)
    tree, last = MerkleTree(), from_seq
    for row in session.execute(query.execution_options(yield_per=5000)):
        tree.add(canonical(row))
        last = row.seq
    return tree, last


def settled_seq(session: Session) -> int | None:
    """The newest sequence number, when no transfer up to it is still to come; None where somebody posts for very long.

    Nobody who posts waits meanwhile, and what is posted meanwhile has a higher number.
    """
    newest = int(session.scalar(_NEWEST_SEQ) or 0)
    waiting = set(session.scalars(_POSTING_NOW))
    deadline = time.monotonic() + _PATIENCE_S
    while waiting:
        if time.monotonic() > deadline:
            return None
        time.sleep(0.02)
        waiting &= set(session.scalars(_POSTING_NOW))
    return newest


def hand_out_seal(session: Session) -> int:
    """Give every township yesterday's head, once a day; answers how many townships got it now.

    The head of a day is the last seal made before the day ended in Fenghua.
    """
    day = clock.today() - timedelta(days=1)
    day_end = clock.day_start(clock.today())
    head = session.scalar(select(Seal).where(Seal.sealed_at < day_end).order_by(Seal.number.desc()).limit(1))
    if head is None:
        return 0
    handed_out = 0
    for township_code in session.scalars(select(Book.township_code).where(Book.township_code.is_not(None))).all():
        row = {
            "day": day,
            "township_code": township_code,
            "seal_number": head.number,
            "seal_hash": head.hash,
            "handed_out_at": clock.now(),
        }
        new = insert(SealHandout).values(row).on_conflict_do_nothing().returning(SealHandout.day)
        if session.scalar(new) is not None:
            notify_stewards(
                session,
                township_code=str(township_code),
                title=f"{day:%Y-%m-%d} 账本封存",
                body=f"第{head.number}号封存，校验值 {head.hash.hex()}，请抄录留存。",
            )
            handed_out += 1
    return handed_out
