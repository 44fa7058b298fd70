"""The first page of the desk: what waits for a decision, and how near the townships are to their limits."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker
from app.web.doors import page
from app.web.lists import how_many
from app.web.screens import screen
from timebank.clearing.rules import LIMIT_STATE_NAMES, LimitState, WindowStatus

doors = Blueprint("desk_today", __name__)

_WAITING = (
    ("补录待第二人审批", "tasks.list", {"status": "recorded"}, "/desk/services?status=recorded"),
    ("工作簿待导入", "imports.list", {"state": "waiting"}, "/desk/imports?state=waiting"),
    ("服务申诉待裁定", "tasks.list", {"status": "disputed"}, "/desk/services?status=disputed"),
    ("往来异议待裁定", "clearing.disputes", {"unruled": "true"}, "/desk/clearing/disputes?unruled=true"),
    ("用餐申请待审核", "diners.list", {"state": "applied"}, "/desk/diners?state=applied"),
    ("助餐点待验收", "canteens.list", {"state": "applied"}, "/desk/canteens?state=applied"),
    ("补贴结算待核", "subsidy_claims.list", {"state": "computed"}, "/desk/claims?state=computed"),
    ("困难帮扶待批准", "hardship.list", {"status": "waiting"}, "/desk/hardship?status=waiting"),
    ("身故上报待处理", "deaths.list", {"open": "true"}, "/desk/deaths?open=true"),
)
"""What may wait, where it is asked for, and where one goes to do it."""

_OF_THE_TOWNSHIP_ONLY = ("canteens.list",)
"""Lists that show every township to everybody; a township's steward counts its own."""


@page(doors, "/desk/", who="desk")
def today(ask: Asker) -> Response:
    counts = []
    for name, operation_id, query, address in _WAITING:
        own = operation_id in _OF_THE_TOWNSHIP_ONLY and ask.actor.township_code
        of_whom = {"township_code": ask.actor.township_code} if own else {}
        number, more = how_many(ask, operation_id, {**query, **of_whom})
        counts.append((name, number, more, address))
    return screen(
        "desk/today.html",
        ask.actor,
        counts=counts,
        windows=_to_be_reviewed(ask),
        positions=own_first(ask, ask.read("clearing.positions")),
        limit_names=limit_names(),
    )


def own_first(ask: Asker, positions: dict[str, Any]) -> dict[str, Any]:
    """Positions with the own township first, and those that have none left out of the first page."""
    own = ask.actor.township_code
    items = [one for one in positions["items"] if one["township_code"] == own or one["owed_minutes"] or own is None]
    return {**positions, "items": sorted(items, key=lambda one: (one["township_code"] != own, -one["owed_minutes"]))}


def limit_names() -> dict[str, str]:
    """What a township's standing against its limits is called."""
    return {str(state): LIMIT_STATE_NAMES[state] for state in LimitState}


def _to_be_reviewed(ask: Asker) -> list[dict[str, Any]]:
    """Windows that are closed and not settled: their statements are read now."""
    found = ask.read("clearing.windows", {"limit": 12})["items"]
    return [one for one in found if one["status"] in (WindowStatus.CLOSED, WindowStatus.UNDER_REVIEW)]
