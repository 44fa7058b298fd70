"""Seeing the pools 公益时间池: what is in them, what was donated and given, and every movement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed, Refused
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import AccountKind
from timebank.people.rules import masked_name
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class PoolSeen:
    """One township's pool, in minutes; what was undone counts neither as donated nor as given."""

    township_code: str
    township_name: str
    balance_minutes: int
    donated_minutes: int
    given_minutes: int


@dataclass(frozen=True, slots=True)
class PoolLine:
    """One movement of a pool; ``minutes`` is signed, ``person_name`` masked but for the pool's stewards."""

    transfer_id: UUID
    posted_at: datetime
    kind: str
    minutes: int
    balance_minutes: int
    person_name: str | None
    from_group: str | None
    note: str
    version: int


_POOLS = text("""
SELECT t.code, t.name, a.posted, d.total, h.total
FROM township t
JOIN ledger_account a ON a.book_code = t.code AND a.kind = 'pool' AND a.unit = 'minute'
CROSS JOIN LATERAL (
    SELECT coalesce(sum(minutes), 0)::bigint AS total FROM giving_donation g
    WHERE g.township_code = t.code
      AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = g.transfer_id)) d
CROSS JOIN LATERAL (
    SELECT coalesce(sum(minutes), 0)::bigint AS total FROM giving_hardship_request g
    WHERE g.township_code = t.code AND g.status = 'approved'
      AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = g.transfer_id)) h
WHERE CAST(:code AS text) IS NULL OR t.code = :code
ORDER BY t.code
""")

# Each side is one walk backwards along its own unique index (account, version); then the person at the other end, of
# another book by the linked leg.
_STATEMENT = text("""
SELECT coalesce(p.link_id, p.id), p.recorded_at, p.kind, p.minutes, p.balance, n.name, g.from_group, p.note, p.version
FROM (
    (SELECT id, link_id, cause_id, recorded_at, kind, -amount AS minutes, from_balance AS balance, note,
            from_version AS version, to_account_id AS other_end
     FROM ledger_transfer WHERE from_account_id = :account_id AND from_version < :before
     ORDER BY from_version DESC LIMIT :most)
    UNION ALL
    (SELECT id, link_id, cause_id, recorded_at, kind, amount, to_balance, note, to_version, from_account_id
     FROM ledger_transfer WHERE to_account_id = :account_id AND to_version < :before
     ORDER BY to_version DESC LIMIT :most)
) p
LEFT JOIN ledger_transfer l ON l.cause_id = p.cause_id AND l.link_id = p.link_id AND l.id <> p.id
LEFT JOIN ledger_account e
       ON e.id = CASE WHEN l.id IS NULL THEN p.other_end WHEN p.minutes < 0 THEN l.to_account_id
                      ELSE l.from_account_id END
LEFT JOIN person n ON n.id = e.person_id
LEFT JOIN giving_donation g ON g.transfer_id = p.id
ORDER BY p.version DESC LIMIT :most
""")

_FIRST_PAGE = 2**62


def pools(session: Session, *, actor: Actor) -> list[PoolSeen]:
    """Every township's pool for stewards and the auditor; for anyone else that is signed in, the own township's.

    Raises NotAllowed ``registration_needed``.
    """
    code = None if _sees_all(actor) else _own(actor)
    return [PoolSeen(*row) for row in session.execute(_POOLS, {"code": code})]


def pool_statement(
    session: Session, *, actor: Actor, township_code: str | None = None, limit: int, before: int | None = None
) -> list[PoolLine]:
    """The movements of one pool, newest first, of versions below ``before``; the own township's where none is named.

    Names are masked, and notes left out, but for stewards of it. Raises NotAllowed ``registration_needed``,
    ``other_township``; Refused ``township_needed``, ``township_unknown``.
    """
    code = township_code or _own(actor)
    if not _sees_all(actor) and code != _own(actor):
        raise NotAllowed("other_township", "只能查看本镇街的公益时间池", township_code=code)
    pool = township_accounts(session, [township(session, code).code], AccountKind.POOL)[code]
    wanted = {"account_id": pool, "before": before or _FIRST_PAGE, "most": limit}
    lines = [PoolLine(*row) for row in session.execute(_STATEMENT, wanted)]
    return lines if actor.stewards(code) else [_masked(line) for line in lines]


def _sees_all(actor: Actor) -> bool:
    return actor.is_steward or actor.staff_role is StaffRole.AUDITOR


def _own(actor: Actor) -> str:
    """The township of whoever looks. Raises Refused ``township_needed``; NotAllowed ``registration_needed``."""
    if actor.township_code is not None:
        return actor.township_code
    if _sees_all(actor):
        raise Refused("township_needed", "请指定镇街", field="township_code")
    raise NotAllowed("registration_needed", "请先完成实名登记")


def _masked(line: PoolLine) -> PoolLine:
    return replace(line, person_name=masked_name(line.person_name) if line.person_name else None, note="")
