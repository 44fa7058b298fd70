"""Policies: what is in force, proposing a change, approving it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, numbers_in_cursor
from app.api.operation import operation, page, page_of_all
from app.api.parser import Doors
from app.api.policies.schemas import ChangeAnswer, ChangePage, PolicyList, ProposeBody
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import MAX_AMOUNT
from timebank.policies import actions, queries
from timebank.policies.actions import NewValue
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.models import PolicyChange
from timebank.townships.queries import township

doors = Doors("policies", __name__, url_prefix="/api/v1/policies", description="办法")


@operation(doors, "", "policies.list", "现行办法", query=PageQuery, answers=PolicyList, anyone=True)
def list_policies(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    book = queries.in_force(session, at=clock.now())
    items = [
        {
            "key": d.key,
            "label": d.label,
            "unit": d.unit,
            "value": book.value(d.key),
            "township_values": book.township_values(d.key),
        }
        for d in DEFINITIONS.values()
    ]
    return {"policy_version": book.version, **page_of_all(items, query)}


@operation(doors, "/changes", "policies.changes", "办法变更", query=PageQuery, answers=ChangePage)
def changes(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    place = numbers_in_cursor(query.get("cursor"), 1)
    found = queries.changes(session, limit=query["limit"] + 1, before_id=place[0] if place else None)
    answer = page(found, query["limit"], lambda change: [change.id])
    return {**answer, "items": _changes(session, answer["items"])}


@operation(
    doors, "/changes", "policies.propose", "提出办法变更",
    method="POST", body=ProposeBody, answers=ChangeAnswer, status=201, key="optional",
)  # fmt: skip
def propose(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    values = [NewValue(**value) for value in body.pop("values")]
    for value in values:
        if value.township_code is not None:
            township(session, value.township_code)
    return _changes(session, [actions.propose_change(session, actor=actor, values=values, **body)])[0]


@operation(
    doors, f"/changes/<int(max={MAX_AMOUNT}):change_id>/approve", "policies.approve", "批准办法变更",
    method="POST", answers=ChangeAnswer, key="optional",
)  # fmt: skip
def approve(session: Session, actor: Actor, change_id: int) -> dict[str, Any]:
    return _changes(session, [actions.approve_change(session, actor=actor, change_id=change_id)])[0]


def _changes(session: Session, changes: Sequence[PolicyChange]) -> list[dict[str, Any]]:
    values = queries.values_of(session, [change.id for change in changes])
    return [
        {
            **{name: getattr(change, name) for name in ChangeAnswer().fields if hasattr(change, name)},
            "change_id": change.id,
            "values": [value for value in values if value.change_id == change.id],
        }
        for change in changes
    ]
