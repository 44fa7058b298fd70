"""Special categories 特殊类别: granted by stewards on evidence, ended, or withdrawn as an error; history stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.actions.taking import stewarded
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.canteens.diners.rules import (
    evidence_given,
    must_be_changeable,
    must_be_in_order,
    must_be_known,
    must_end_sooner,
)
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotFound
from timebank.core.ids import new_id
from timebank.people.queries import must_be_here
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook


@dataclass(frozen=True, slots=True)
class Grant:
    """A category as a steward grants it; ``valid_until`` is its last day, None for no end."""

    category: str
    valid_from: date
    evidence: str
    valid_until: date | None = None


def add_category(session: Session, *, actor: Actor, person_id: UUID, grant: Grant) -> DinerCategory:
    """Grant a category to a diner, also one who waits for review.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``, ``diner_unknown``; Refused
    ``category_unknown``, ``evidence_missing``, ``category_ends_too_soon``; Conflict ``category_overlaps``,
    ``wrong_state``, ``person_left``, ``person_frozen``.
    """
    holder, diner = stewarded(session, actor, person_id)
    must_be_here(holder)
    must_be_changeable(diner.state)
    policies = in_force(session, at=clock.now())
    return grant_categories(session, actor=actor, diner=diner, grants=[grant], policies=policies)[0]


def end_category(
    session: Session, *, actor: Actor, person_id: UUID, category_id: UUID, last_day: date, reason: str
) -> DinerCategory:
    """End a category sooner than was decided, also on a day that has passed; ``last_day`` is its last.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``, ``diner_unknown``,
    ``diner_category_unknown``; Refused ``category_ends_too_soon``, ``category_ends_before``, ``reason_needed``;
    Conflict ``category_ended``, ``category_withdrawn``.
    """
    found = _category(session, actor, person_id, category_id)
    if found.ended_at is not None:
        raise Conflict("category_ended", "这项类别已经终止过，登记有误请撤销", ended_at=found.ended_at)
    valid_from, valid_until = days_of(found)
    must_be_in_order(valid_from, last_day)
    must_end_sooner(last_day, valid_until)
    found.ended_reason = reason_given(reason)
    found.valid_during = span(valid_from, last_day)
    found.ended_at, found.ended_by, found.ended_by_name = clock.now(), actor.login_id, actor.name
    _finish(session, actor, found, "diner_category_ended")
    return found


def withdraw_category(
    session: Session, *, actor: Actor, person_id: UUID, category_id: UUID, reason: str
) -> DinerCategory:
    """Withdraw a category that was entered in error, as if it had never been valid.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``, ``diner_unknown``,
    ``diner_category_unknown``; Refused ``reason_needed``; Conflict ``category_withdrawn``.
    """
    found = _category(session, actor, person_id, category_id)
    found.withdrawn_reason = reason_given(reason)
    found.withdrawn_at, found.withdrawn_by, found.withdrawn_by_name = clock.now(), actor.login_id, actor.name
    _finish(session, actor, found, "diner_category_withdrawn")
    return found


def grant_categories(
    session: Session, *, actor: Actor, diner: Diner, grants: Sequence[Grant], policies: PolicyBook
) -> list[DinerCategory]:
    """Grant categories to a diner whose file is locked. Raises as ``add_category`` does."""
    known = policies.value("diner_categories")
    must_be_known(
        [grant.category for grant in grants], known, code="category_unknown", title="没有这种特殊类别", field="category"
    )
    return [_grant(session, actor, diner, grant, known[grant.category]) for grant in grants]


def span(valid_from: date, valid_until: date | None) -> Range[date]:
    """The days from one to another, both counting; None for no end."""
    return Range(valid_from, None if valid_until is None else valid_until + timedelta(days=1))


def days_of(category: DinerCategory) -> tuple[date, date | None]:
    """The first and the last day of a category; None where it has no end."""
    begins, ends = category.valid_during.lower, category.valid_during.upper
    assert begins is not None
    return begins, None if ends is None else ends - timedelta(days=1)


def _grant(session: Session, actor: Actor, diner: Diner, grant: Grant, label: str) -> DinerCategory:
    assert actor.login_id is not None
    evidence = evidence_given(grant.evidence)
    must_be_in_order(grant.valid_from, grant.valid_until)
    wanted = span(grant.valid_from, grant.valid_until)
    _must_not_overlap(session, diner.person_id, grant.category, wanted, label)
    found = DinerCategory(
        id=new_id(),
        person_id=diner.person_id,
        category=grant.category,
        valid_during=wanted,
        evidence=evidence,
        decided_at=clock.now(),
        decided_by=actor.login_id,
        decided_by_name=actor.name,
    )
    session.add(found)
    _finish(session, actor, found, "diner_category_added")
    return found


def _must_not_overlap(session: Session, person_id: UUID, category: str, wanted: Range[date], label: str) -> None:
    standing = select(DinerCategory).where(
        DinerCategory.person_id == person_id,
        DinerCategory.category == category,
        DinerCategory.withdrawn_at.is_(None),
        DinerCategory.valid_during.overlaps(wanted),
    )
    other = session.scalar(standing.order_by(DinerCategory.valid_during).limit(1))
    if other is not None:
        begins, ends = days_of(other)
        facts = {"valid_from": begins.isoformat(), "valid_until": ends.isoformat() if ends else None}
        raise Conflict("category_overlaps", f"{label}在这段时间已经登记过", category=category, **facts)


def _category(session: Session, actor: Actor, person_id: UUID, category_id: UUID) -> DinerCategory:
    # The file's lock is that of its categories.
    _, diner = stewarded(session, actor, person_id)
    found = session.get(DinerCategory, category_id, populate_existing=True)
    if found is None or found.person_id != diner.person_id:
        raise NotFound("diner_category_unknown", "没有这项特殊类别", category_id=category_id)
    if found.withdrawn_at is not None:
        raise Conflict("category_withdrawn", "这项类别已作为登记有误撤销", withdrawn_at=found.withdrawn_at)
    return found


def _finish(session: Session, actor: Actor, category: DinerCategory, action: str) -> None:
    session.flush()
    subject = ("diner_category", category.id)
    note_down(session, actor=actor, action=action, subject=subject, category=category.category)
