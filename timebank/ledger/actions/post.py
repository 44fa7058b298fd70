"""Posting: the one road by which an amount moves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy import BigInteger, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import TextClause

from timebank.core import clock
from timebank.core.db import UuidColumn
from timebank.core.errors import BankError
from timebank.core.rows import many
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountState, Leg, Posted, Posting, Result, Standing, decide, second_leg_id

POSTING_LOCK = 0x7B001
"""Advisory lock that every posting shares until it ends; sealing waits for those who held it (see seal.py)."""

# Floored accounts are locked once, sorted by id; the others, which everybody touches, are only read.
_LOCK_AND_READ: TextClause = text("""
WITH shared AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(:posting_lock)),
     locked AS MATERIALIZED (
        SELECT a.* FROM ledger_account a, shared
        WHERE a.id = ANY(:ids) AND a.floored ORDER BY a.id FOR NO KEY UPDATE OF a)
SELECT id, book_code, unit, kind, floored, posted, held, version, last_recorded_at, closed_at IS NOT NULL AS closed
FROM locked
UNION ALL
SELECT id, book_code, unit, kind, floored, posted, held, version, last_recorded_at, closed_at IS NOT NULL
FROM ledger_account, shared WHERE NOT floored AND (id = ANY(:ids) OR kind = 'clearing')
""").bindparams(many("ids", BigInteger()), posting_lock=POSTING_LOCK)

# Joined: with a list that is read when the statement runs, "= ANY" of a small table compares every row with every id.
_STANDING: TextClause = text("""
SELECT id, from_account_id, to_account_id, amount, kind, link_id, cause_id, reverses_id
FROM unnest(:ids) AS asked (id) JOIN ledger_transfer USING (id)
""").bindparams(many("ids", UuidColumn))

MOST_TRIES = 3
"""How often a batch is decided anew where others keep posting its very ids."""


def post(session: Session, postings: Sequence[Posting]) -> list[Result]:
    """Post many at once: one result each, in order, in three statements however many there are.

    A posting's movements happen together or not at all; postings are independent of one another. Refusals come back
    as values (``insufficient_minutes``, ``insufficient_fen``, ``transfer_id_reused``, ``account_unknown``,
    ``account_closed``, ``accounts_do_not_fit``, ``amount_invalid``, ``clearing_is_not_for_hands``).
    """
    movements = [movement for posting in postings for movement in posting]
    account_ids = {m.from_account_id for m in movements} | {m.to_account_id for m in movements}
    accounts = lock_accounts(session, account_ids)
    clearing = {(a.book_code, a.unit): a.id for a in accounts.values() if a.kind == "clearing"}
    for _ in range(MOST_TRIES):
        standing = standing_transfers(session, [m.id for m in movements])
        results, legs = decide(postings, accounts, clearing, standing, clock.now())
        if insert_legs(session, legs):
            return results
    raise RuntimeError("another process kept posting the same transfer ids")


def post_one(session: Session, posting: Posting) -> Posted:
    """Post a single posting. Raises its refusal."""
    result = post(session, [posting])[0]
    if isinstance(result, BankError):
        raise result
    return result


def lock_accounts(session: Session, account_ids: Iterable[int]) -> dict[int, AccountState]:
    """Lock the floored ones of these accounts, sorted, and read all of them and every book's clearing account."""
    rows = session.execute(_LOCK_AND_READ, {"ids": sorted(set(account_ids))})
    return {row.id: AccountState(*row) for row in rows}


def standing_transfers(session: Session, ids: Collection[UUID]) -> dict[UUID, Standing | None]:
    """Which of these ids are taken: by a movement, or (None) by the second leg of one."""
    wanted = {i for first in ids for i in (first, second_leg_id(first))}
    rows = {row.id: row for row in session.execute(_STANDING, {"ids": list(wanted)})}
    standing: dict[UUID, Standing | None] = dict.fromkeys(rows)
    for first, leg in rows.items():
        if leg.link_id not in (None, first):
            continue
        last = rows[second_leg_id(first)] if leg.link_id is not None else leg
        standing[first] = Standing(
            leg.from_account_id, last.to_account_id, leg.amount, leg.kind, leg.cause_id, last.reverses_id
        )
    return standing


def insert_legs(session: Session, legs: Sequence[Leg]) -> bool:
    """Insert all legs in one statement; False, with nothing inserted, where somebody was faster with one of the ids."""
    if not legs:
        return True
    try:
        with session.begin_nested():
            session.execute(_INSERT, _columns(legs))
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation) and error.orig.diag.constraint_name == "pk_ledger_transfer":
            return False
        raise
    return True


_COLUMNS = (
    *("id", "book_code", "unit", "from_account_id", "to_account_id", "amount", "kind", "link_id"),
    *("counterpart_book_code", "from_version", "from_balance", "to_version", "to_balance", "effective_at"),
    *("recorded_at", "policy_version", "cause_kind", "cause_id", "note", "recorded_by", "reverses_id", "approved_by"),
)
_OF_THE_LEG = frozenset(Leg.__slots__)

_INSERT: TextClause = text(
    f"INSERT INTO ledger_transfer ({', '.join(_COLUMNS)}) "
    f"SELECT * FROM unnest({', '.join(':' + name for name in _COLUMNS)})"
).bindparams(*(many(name, Transfer.__table__.c[name].type) for name in _COLUMNS))


_row_of = attrgetter(*(name if name in _OF_THE_LEG else f"movement.{name}" for name in _COLUMNS))


def _columns(legs: Sequence[Leg]) -> dict[str, Sequence[Any]]:
    return dict(zip(_COLUMNS, zip(*map(_row_of, legs), strict=True), strict=True))


def transfers_by_cause(session: Session, cause_id: UUID) -> list[Transfer]:
    """Every transfer that one task, voucher or the like has caused, in the order of posting."""
    return list(session.scalars(select(Transfer).where(Transfer.cause_id == cause_id).order_by(Transfer.seq)))
