"""Seeing policies: the book in force at a moment, and the list for a screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.policies.in_words import RuleInForce
from timebank.policies.models import PolicyChange, PolicyValue
from timebank.policies.rules import PolicyBook


def in_force(session: Session, *, at: datetime) -> PolicyBook:
    """All policies in force at ``at``, in one statement. Raises LookupError before the first policy."""
    rows = session.execute(
        select(
            PolicyValue.key, PolicyValue.township_code, PolicyValue.value, PolicyValue.change_id, PolicyValue.valid_from
        )
        .where(PolicyValue.valid_from <= at, (PolicyValue.valid_to > at) | PolicyValue.valid_to.is_(None))
        .order_by(PolicyValue.valid_from, PolicyValue.change_id)
    ).all()
    if not rows:
        raise LookupError("no policy is in force")
    return PolicyBook(rows[-1].change_id, {(row.key, row.township_code): row.value for row in rows})


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
