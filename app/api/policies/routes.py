"""Policies: what is in force, proposing a change, approving it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, numbers_in_cursor
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from app.api.policies.schemas import ChangeAnswer, ChangePage, ChangesQuery, PolicyHistoryPage, PolicyList, ProposeBody
from app.api.sorting import listed, part_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import MAX_AMOUNT
from timebank.policies import actions, queries
from timebank.policies.actions import NewValue
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.models import PolicyChange
from timebank.townships.queries import township

CHANGE = f"/changes/<int(max={MAX_AMOUNT}):change_id>"
_OF_THE_CHANGE = ("effective_at", "reason", "source", "proposed_by_name", "approved_by_name", "approved_at")

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


@operation(doors, "/changes", "policies.changes", "办法变更", query=ChangesQuery, answers=ChangePage)
def changes(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    found = queries.changes(session, part=part_of(query, queries.CHANGE_ORDERS), waiting=query["waiting"])
    return listed(found.holding(_changes(session, found.items)), queries.CHANGE_ORDERS)


@operation(doors, CHANGE, "policies.change", "一次办法变更", answers=ChangeAnswer)
def show_change(session: Session, actor: Actor, change_id: int) -> dict[str, Any]:
    actor.must_see_books()
    return _changes(session, [queries.change(session, change_id)])[0]


@operation(
    doors, "/<string:policy_key>/history", "policies.history", "一项办法的历次取值",
    query=PageQuery, answers=PolicyHistoryPage,
)  # fmt: skip
def history(session: Session, actor: Actor, query: dict[str, Any], policy_key: str) -> dict[str, Any]:
    actor.must_see_books()
    # A mark that is none is said before a policy that is none.
    numbers_in_cursor(query.get("cursor"), 1)
    found = queries.history(session, policy_key)
    items = [
        {
            **{name: getattr(value, name) for name in ("township_code", "value", "valid_from", "valid_to")},
            **{name: getattr(change, name) for name in _OF_THE_CHANGE},
            "change_id": change.id,
        }
        for value, change in found
    ]
    about = DEFINITIONS[policy_key]
    return {"key": policy_key, "label": about.label, "unit": about.unit, **page_of_all(items, query)}


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
    doors, f"{CHANGE}/approve", "policies.approve", "批准办法变更",
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
