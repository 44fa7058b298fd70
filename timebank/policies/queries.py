"""Seeing policies: the book in force at a moment, and the list for a screen."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from timebank.core.errors import NotFound
from timebank.core.sorting import Orders, Part, Slice, slice_of
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.in_words import RuleInForce
from timebank.policies.models import SHIPPED_BY, PolicyChange, PolicyValue
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


CHANGE_ORDERS = Orders(
    of="policy_changes",
    by={
        "number": PolicyChange.id,
        "effective_at": PolicyChange.effective_at,
        "approved_at": PolicyChange.approved_at,
    },
    tie=PolicyChange.id,
    usual="-number",
)


def changes(session: Session, *, part: Part, waiting: bool = False) -> Slice[PolicyChange]:
    """Changes of policy, newest first where ``part`` asks for no other order; ``waiting`` those not approved yet."""
    query = select(PolicyChange)
    if waiting:
        query = query.where(PolicyChange.approved_at.is_(None), PolicyChange.proposed_by != SHIPPED_BY)
    return slice_of(session, query, CHANGE_ORDERS, part)


def change(session: Session, change_id: int) -> PolicyChange:
    """One change of policy. Raises NotFound ``policy_change_unknown``."""
    found = session.get(PolicyChange, change_id)
    if found is None:
        raise NotFound("policy_change_unknown", "没有这项办法变更", change_id=change_id)
    return found


def history(session: Session, key: str) -> Sequence[tuple[PolicyValue, PolicyChange]]:
    """Every value that a policy had, has or is proposed to have, newest change first.

    Raises NotFound ``policy_key_unknown``.
    """
    if key not in DEFINITIONS:
        raise NotFound("policy_key_unknown", "没有叫这个名称的办法", key=key[:80])
    query = select(PolicyValue, PolicyChange).join(PolicyChange, PolicyChange.id == PolicyValue.change_id)
    rows = session.execute(query.where(PolicyValue.key == key).order_by(PolicyChange.id.desc(), PolicyValue.scope))
    return [(value, brought_by) for value, brought_by in rows]


def values_of(session: Session, change_ids: Sequence[int]) -> Sequence[PolicyValue]:
    """The values that these changes bring."""
    return session.scalars(
        select(PolicyValue).where(PolicyValue.change_id.in_(change_ids)).order_by(PolicyValue.key, PolicyValue.scope)
    ).all()
