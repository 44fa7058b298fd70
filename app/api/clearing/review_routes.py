"""Reviewing closed windows: statements confirmed, lines disputed, disputes ruled upon."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.clearing.review_schemas import (
    ConfirmAnswer,
    ConfirmStatementBody,
    DisputeItem,
    DisputeLineBody,
    DisputePage,
    DisputesQuery,
    RuleDisputeBody,
    WindowAnswer,
)
from app.api.clearing.routes import WINDOW, doors
from app.api.operation import operation
from app.api.sorting import listed, part_of
from timebank.clearing import actions, queries
from timebank.clearing.models import ClearingWindow
from timebank.core.actors import Actor


@operation(doors, f"/windows/{WINDOW}", "clearing.window", "一个清算周期", answers=WindowAnswer)
def window(session: Session, actor: Actor, window: str) -> dict[str, Any]:
    actor.must_see_books()
    return whole_window(session, queries.find_window(session, window))


@operation(
    doors, f"/windows/{WINDOW}/confirm", "clearing.confirm", "确认对账单",
    method="POST", body=ConfirmStatementBody, answers=ConfirmAnswer, key="optional",
)  # fmt: skip
def confirm(session: Session, actor: Actor, body: dict[str, Any], window: str) -> dict[str, Any]:
    statement = actions.confirm_statement(session, actor=actor, window_name=window, **body)
    found = session.get_one(ClearingWindow, statement.window_number)
    return {**plain(statement, ConfirmAnswer), "window": found.name, "status": found.status}


@operation(
    doors, f"/windows/{WINDOW}/disputes", "clearing.dispute_line", "对一笔往来提出异议",
    method="POST", body=DisputeLineBody, answers=DisputeItem, status=201, key="optional",
)  # fmt: skip
def dispute_line(session: Session, actor: Actor, body: dict[str, Any], window: str) -> queries.DisputeView:
    dispute = actions.dispute_line(session, actor=actor, window_name=window, **body)
    return queries.dispute_view(session, dispute.id)


@operation(
    doors, "/disputes/<uuid:dispute_id>/rule", "clearing.rule_dispute", "裁定异议",
    method="POST", body=RuleDisputeBody, answers=DisputeItem, key="optional",
)  # fmt: skip
def rule_dispute(session: Session, actor: Actor, body: dict[str, Any], dispute_id: UUID) -> queries.DisputeView:
    return queries.dispute_view(session, actions.rule_dispute(session, actor=actor, dispute_id=dispute_id, **body).id)


@operation(doors, "/disputes", "clearing.disputes", "异议", query=DisputesQuery, answers=DisputePage)
def disputes(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = queries.ReviewFilter(
        window=queries.find_window(session, query["window"]) if "window" in query else None,
        township_code=query.get("township_code"),
        unruled=query["unruled"],
    )
    found = queries.disputes(session, actor, wanted=wanted, part=part_of(query, queries.DISPUTE_ORDERS))
    return listed(found, queries.DISPUTE_ORDERS)


def whole_window(session: Session, found: ClearingWindow) -> dict[str, Any]:
    """A window with its statements and settlements."""
    view = queries.window_view(session, found)
    return {
        **{name: getattr(view, name) for name in WindowAnswer().fields if hasattr(view, name)},
        "statements": queries.statements_of(session, found),
        "settlements": queries.settlements_of(session, found),
    }


def plain(row: Any, schema: type[Any]) -> dict[str, Any]:
    """What a row and the schema of its answer have in common."""
    return {name: getattr(row, name) for name in schema().fields if hasattr(row, name)}
