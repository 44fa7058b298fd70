"""Seeing policies: the book in force at a moment, and the list for a screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from timebank.policies.in_words import RuleInForce
from timebank.policies.models import PolicyChange, PolicyValue
from timebank.policies.rules import PolicyBook

# One JSON for more than a hundred rows, the newest last: nearly every request asks for them.
_IN_FORCE = text("""
SELECT jsonb_agg(jsonb_build_array(key, township_code, value, change_id) ORDER BY valid_from, change_id) AS found
FROM policy_value WHERE valid_from <= :at AND (valid_to > :at OR valid_to IS NULL)
""").columns(found=JSONB)


def in_force(session: Session, *, at: datetime) -> PolicyBook:
    """All policies in force at ``at``, in one statement. Raises LookupError before the first policy."""
    found = session.execute(_IN_FORCE, {"at": at}).scalar_one()
    if found is None:
        raise LookupError("no policy is in force")
    newest = found[-1][-1]
    return PolicyBook(newest, {(key, township_code): value for key, township_code, value, _ in found})


def rules_in_force(
    session: Session, keys: Collection[str], *, township_code: str | None, at: datetime
) -> dict[str, RuleInForce]:
    """These policies at ``at`` by key, the township's own where it has one; what was not in force yet is left out."""
    rows = session.execute(
        select(PolicyValue, PolicyChange.source)
        .join(PolicyChange, PolicyChange.id == PolicyValue.change_id)
        .where(
            PolicyValue.key.in_(keys),
            PolicyValue.township_code.is_(None) | (PolicyValue.township_code == township_code),
            PolicyValue.valid_from <= at,
            (PolicyValue.valid_to > at) | PolicyValue.valid_to.is_(None),
        )
        .order_by(PolicyValue.township_code.nulls_first())
    )
    found: dict[str, RuleInForce] = {}
    for row, source in rows:
        value, district = row.value, found.get(row.key)
        if isinstance(value, dict) and district is not None:
            # A township may differ in some kinds only.
            value = {**district.value, **value}
        assert row.valid_from is not None
        found[row.key] = RuleInForce(row.key, value, row.change_id, row.valid_from, source)
    return found


def changes(session: Session, *, limit: int, before_id: int | None = None) -> Sequence[PolicyChange]:
    """Changes of policy, newest first."""
    query = select(PolicyChange).order_by(PolicyChange.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(PolicyChange.id < before_id)
    return session.scalars(query).all()


def values_of(session: Session, change_ids: Sequence[int]) -> Sequence[PolicyValue]:
    """The values that these changes bring."""
    return session.scalars(
        select(PolicyValue).where(PolicyValue.change_id.in_(change_ids)).order_by(PolicyValue.key, PolicyValue.scope)
    ).all()
