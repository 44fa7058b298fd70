"""Reconciliation: townships hand in their own lists, see the breaks, and name the movements that cure them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.clearing.reconciliation_schemas import (
    BreakItem,
    BreakPage,
    BreaksQuery,
    CureBody,
    CuresAnswer,
    ReconcileQuery,
    ReconciliationAnswer,
    ReconciliationPage,
    ReconciliationsQuery,
)
from app.api.clearing.routes import WINDOW, doors
from app.api.operation import operation
from app.api.sorting import listed, part_of
from app.api.uploads import FileBody
from timebank.clearing import actions, queries
from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries import BREAK_ORDERS, RECONCILIATION_ORDERS
from timebank.clearing.reconciliation_models import Reconciliation
from timebank.core.actors import Actor
from timebank.core.sorting import Part
from timebank.importing.actions import reconcile_workbook
from timebank.importing.line_workbook import UNREADABLE
from timebank.importing.package import MAX_FILE_BYTES

WORKBOOK = FileBody("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", MAX_FILE_BYTES)
FIRST_PAGE = 50


@operation(
    doors, f"/windows/{WINDOW}/reconciliations", "clearing.reconcile", "提交往来清单并核对",
    method="POST", query=ReconcileQuery, file=WORKBOOK, answers=ReconciliationAnswer,
)  # fmt: skip
def reconcile(session: Session, actor: Actor, query: dict[str, Any], content: bytes, window: str) -> dict[str, Any]:
    made = reconcile_workbook(
        session,
        actor=actor,
        window_name=window,
        content=content,
        file_name=query["file_name"],
        township_code=query.get("township_code"),
    )
    return _whole(session, made)


@operation(
    doors, "/reconciliations", "clearing.reconciliations", "已提交的往来清单",
    query=ReconciliationsQuery, answers=ReconciliationPage,
)  # fmt: skip
def reconciliations(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = queries.reconciliations(
        session,
        actor,
        window=_window(session, query),
        township_code=query.get("township_code"),
        part=part_of(query, RECONCILIATION_ORDERS),
    )
    return listed(found.holding([_item(one) for one in found.items]), RECONCILIATION_ORDERS)


@operation(
    doors, "/reconciliations/<uuid:reconciliation_id>", "clearing.reconciliation", "一份往来清单的核对结果",
    answers=ReconciliationAnswer,
)  # fmt: skip
def reconciliation(session: Session, actor: Actor, reconciliation_id: UUID) -> dict[str, Any]:
    return _whole(session, queries.reconciliation_for(session, actor, reconciliation_id))


@operation(doors, "/breaks", "clearing.breaks", "往来差异", query=BreaksQuery, answers=BreakPage)
def breaks(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = queries.breaks(
        session,
        actor,
        window=_window(session, query),
        township_code=query.get("township_code"),
        type=query.get("type"),
        open_only=query["open"],
        part=part_of(query, BREAK_ORDERS),
    )
    return listed(found, BREAK_ORDERS)


@operation(
    doors, "/breaks/<uuid:break_id>/cures", "clearing.cures", "一项差异和可以更正它的划转", answers=CuresAnswer,
)  # fmt: skip
def cures(session: Session, actor: Actor, break_id: UUID) -> dict[str, Any]:
    found = queries.break_for(session, actor, break_id)
    return {"found": queries.break_view(session, found), "cures": queries.possible_cures(session, found)}


@operation(
    doors, "/breaks/<uuid:break_id>/cure", "clearing.cure_break", "以划转更正差异",
    method="POST", body=CureBody, answers=BreakItem, key="optional",
)  # fmt: skip
def cure_break(session: Session, actor: Actor, body: dict[str, Any], break_id: UUID) -> queries.BreakView:
    cured = actions.cure_break(session, actor=actor, break_id=break_id, transfer_id=body["transfer_id"])
    return queries.break_view(session, cured)


def _window(session: Session, query: dict[str, Any]) -> ClearingWindow | None:
    return queries.find_window(session, query["window"]) if "window" in query else None


def _item(view: queries.ReconciliationView) -> dict[str, Any]:
    return {**asdict(view), "unreadable_rows": len(view.unreadable)}


def _whole(session: Session, made: Reconciliation) -> dict[str, Any]:
    view = queries.reconciliation_view(session, made)
    found = queries.breaks_of(session, made, part=Part(FIRST_PAGE, count=True))
    unreadable = [{**one, "reason_name": UNREADABLE[one["reason"]]} for one in view.unreadable]
    return {**_item(view), "unreadable": unreadable, "breaks": listed(found, BREAK_ORDERS)}
