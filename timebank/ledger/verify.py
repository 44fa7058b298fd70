"""Recomputing the ledger from its raw rows, and naming the first row that does not fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from timebank.ledger.actions.seal import merkle_of
from timebank.ledger.models import Seal, SealHandout
from timebank.ledger.sealing import GENESIS, seal_hash


@dataclass(frozen=True, slots=True)
class Misfit:
    """A row that does not fit: which check found it, in which table, and what is wrong with it."""

    check: str
    table: str
    row: str
    problem: str


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the raw rows: a name, what it proves in Chinese, and how to find the first row against it."""

    name: str
    title: str
    first_misfit: Callable[[Session], Misfit | None]


_SQL_CHECKS: tuple[tuple[str, str, str, str], ...] = (
    (
        "transfers_fit_accounts",
        "每笔划转的账户、账簿与单位一致",
        "ledger_transfer",
        """SELECT t.id, 'accounts, book or unit do not fit' FROM ledger_transfer t
        LEFT JOIN ledger_account f ON f.id = t.from_account_id LEFT JOIN ledger_account a ON a.id = t.to_account_id
        WHERE f.id IS NULL OR a.id IS NULL OR f.book_code <> t.book_code OR a.book_code <> t.book_code
           OR f.unit <> t.unit OR a.unit <> t.unit OR t.amount <= 0
           OR f.floored <> (t.from_version IS NOT NULL) OR a.floored <> (t.to_version IS NOT NULL)
           OR (t.link_id IS NOT NULL) <> ((f.kind = 'clearing') <> (a.kind = 'clearing'))
        ORDER BY t.seq LIMIT 1""",
    ),
    (
        "linked_legs_pair",
        "跨镇街划转两边成对",
        "ledger_transfer",
        """SELECT min(t.id::text), 'linked legs do not pair' FROM ledger_transfer t WHERE t.link_id IS NOT NULL
        GROUP BY t.link_id
        HAVING count(*) <> 2 OR count(DISTINCT (t.amount, t.unit, t.kind)) <> 1 OR bool_or(t.id = t.link_id) IS NOT TRUE
            OR array_agg(t.book_code ORDER BY t.book_code)
               <> array_agg(t.counterpart_book_code ORDER BY t.counterpart_book_code)
        ORDER BY min(t.seq) LIMIT 1""",
    ),
    (
        "balances_follow",
        "每个账户的版本连续、余额逐笔相符且不为负",
        "ledger_transfer",
        """SELECT c.id, 'version, balance or time does not follow from the row before it' FROM (
            SELECT m.*, row_number() OVER w AS n, sum(m.delta) OVER w AS running,
                   lag(m.recorded_at) OVER w AS recorded_before
            FROM (SELECT id, seq, from_account_id AS account_id, from_version AS version, from_balance AS balance,
                         -amount AS delta, recorded_at
                  FROM ledger_transfer WHERE from_version IS NOT NULL
                  UNION ALL
                  SELECT id, seq, to_account_id, to_version, to_balance, amount, recorded_at
                  FROM ledger_transfer WHERE to_version IS NOT NULL) m
            WINDOW w AS (PARTITION BY m.account_id ORDER BY m.version)) c
        WHERE c.version <> c.n OR c.balance <> c.running OR c.balance < 0 OR c.recorded_at < c.recorded_before
        ORDER BY c.seq LIMIT 1""",
    ),
    (
        "accounts_agree",
        "账户余额与划转合计相符",
        "ledger_account",
        """SELECT a.id, 'posted ' || a.posted || ', version ' || a.version || '; the transfers make '
                         || coalesce(m.total, 0) || ', ' || coalesce(m.rows, 0)
        FROM ledger_account a
        LEFT JOIN (SELECT account_id, sum(delta) AS total, count(*) AS rows FROM (
                       SELECT from_account_id AS account_id, -amount AS delta FROM ledger_transfer
                       WHERE from_version IS NOT NULL
                       UNION ALL SELECT to_account_id, amount FROM ledger_transfer WHERE to_version IS NOT NULL) d
                   GROUP BY account_id) m ON m.account_id = a.id
        WHERE a.posted <> coalesce(m.total, 0) OR a.version <> coalesce(m.rows, 0) OR a.posted < a.held OR a.held < 0
           OR (NOT a.floored AND a.version <> 0)
        ORDER BY a.id LIMIT 1""",
    ),
    (
        "holds_agree",
        "冻结合计与账户相符",
        "ledger_account",
        """SELECT a.id, 'held ' || a.held || '; the holds in force make ' || coalesce(h.total, 0)
        FROM ledger_account a
        LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger_hold WHERE state = 'placed'
                   GROUP BY account_id) h ON h.account_id = a.id
        WHERE a.held <> coalesce(h.total, 0) ORDER BY a.id LIMIT 1""",
    ),
    (
        "reversals_mirror",
        "冲正与原划转互为镜像且只有一次",
        "ledger_transfer",
        """SELECT t.id, 'is no mirror of what it reverses' FROM ledger_transfer t
        LEFT JOIN ledger_transfer r ON r.id = t.reverses_id
        WHERE t.reverses_id IS NOT NULL AND (r.id IS NULL OR r.amount <> t.amount OR r.reverses_id IS NOT NULL
              OR r.from_account_id <> t.to_account_id OR r.to_account_id <> t.from_account_id
              OR t.approved_by IS NULL OR t.recorded_by IS NULL OR t.approved_by = t.recorded_by)
        ORDER BY t.seq LIMIT 1""",
    ),
    (
        "books_balance",
        "每本账簿自身平衡",
        "ledger_book",
        """SELECT b.book_code, b.unit || ' accounts sum to ' || sum(b.total) FROM (
            SELECT a.book_code, t.unit, t.amount AS total FROM ledger_transfer t
            JOIN ledger_account a ON a.id = t.to_account_id
            UNION ALL SELECT a.book_code, t.unit, -t.amount FROM ledger_transfer t
            JOIN ledger_account a ON a.id = t.from_account_id) b
        GROUP BY b.book_code, b.unit HAVING sum(b.total) <> 0 ORDER BY 1 LIMIT 1""",
    ),
    (
        "clearing_sums_to_zero",
        "清算账户合计为零",
        "ledger_account",
        """SELECT 'clearing', c.unit || ' clearing accounts sum to ' || sum(c.total) FROM (
            SELECT t.unit, t.amount AS total FROM ledger_transfer t
            JOIN ledger_account a ON a.id = t.to_account_id WHERE a.kind = 'clearing'
            UNION ALL SELECT t.unit, -t.amount FROM ledger_transfer t
            JOIN ledger_account a ON a.id = t.from_account_id WHERE a.kind = 'clearing') c
        GROUP BY c.unit HAVING sum(c.total) <> 0 LIMIT 1""",
    ),
    (
        "checkpoints_agree",
        "余额检查点与划转合计相符",
        "ledger_checkpoint",
        """SELECT c.account_id || '@' || c.upto_seq, 'balance ' || c.balance || ' is not what the transfers make'
        FROM (SELECT account_id, upto_seq, balance, lag(upto_seq, 1, 0::bigint) OVER w AS since,
                     lag(balance, 1, 0::bigint) OVER w AS before
              FROM ledger_checkpoint WINDOW w AS (PARTITION BY account_id ORDER BY upto_seq)) c
        WHERE c.balance - c.before
           <> (SELECT coalesce(sum(amount), 0) FROM ledger_transfer
               WHERE to_account_id = c.account_id AND to_version IS NULL AND seq > c.since AND seq <= c.upto_seq)
            - (SELECT coalesce(sum(amount), 0) FROM ledger_transfer
               WHERE from_account_id = c.account_id AND from_version IS NULL AND seq > c.since AND seq <= c.upto_seq)
        ORDER BY c.upto_seq, c.account_id LIMIT 1""",
    ),
)


def sql_check(name: str, title: str, table: str, query: str) -> Check:
    """A check whose query answers the first misfit's id and what is wrong with it."""
    statement = text(query)

    def first_misfit(session: Session) -> Misfit | None:
        row = session.execute(statement).first()
        return None if row is None else Misfit(name, table, str(row[0]), str(row[1]))

    return Check(name, title, first_misfit)


def ledger_checks() -> Iterator[Check]:
    """Every check of the ledger, the cheap ones that name a single row first."""
    for name, title, table, query in _SQL_CHECKS:
        yield sql_check(name, title, table, query)
    yield Check("seals_hold", "封存链完整，所封划转未被改动", _first_broken_seal)


def _first_broken_seal(session: Session) -> Misfit | None:
    previous_hash, to_seq = GENESIS, 0
    for number, seal in enumerate(session.scalars(select(Seal).order_by(Seal.number)), start=1):
        problem = _problem(session, seal, number, to_seq, previous_hash)
        if problem:
            return Misfit("seals_hold", "ledger_seal", str(seal.number), problem)
        previous_hash, to_seq = seal.hash, seal.to_seq
    handed_out = session.execute(
        select(SealHandout.day, SealHandout.township_code)
        .join(Seal, Seal.number == SealHandout.seal_number)
        .where(Seal.hash != SealHandout.seal_hash)
        .limit(1)
    ).first()
    if handed_out is not None:
        where = f"{handed_out.day} {handed_out.township_code}"
        return Misfit("seals_hold", "ledger_seal_handout", where, "the head handed out is not the seal's")
    return None


def _problem(session: Session, seal: Seal, number: int, from_seq: int, previous_hash: bytes) -> str | None:
    if (seal.number, seal.from_seq, seal.previous_hash) != (number, from_seq, previous_hash):
        return "does not follow the seal before it"
    said: dict[str, Any] = {
        name: getattr(seal, name)
        for name in ("number", "from_seq", "to_seq", "transfers", "merkle_root", "previous_hash", "sealed_at")
    }
    if seal_hash(**said) != seal.hash:
        return "its hash is not the hash of what it says"
    tree, _ = merkle_of(session, seal.from_seq, seal.to_seq)
    if tree.leaves != seal.transfers:
        return f"sealed {seal.transfers} transfers; {tree.leaves} are there now"
    if tree.root() != seal.merkle_root:
        return f"a transfer with seq in ({seal.from_seq}, {seal.to_seq}] was changed"
    return None
