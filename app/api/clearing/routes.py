"""Windows, positions, the bilateral matrix and single lines, for stewards and auditors; closing, for the district."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.clearing.schemas import (
    LinePage,
    LinesQuery,
    MatrixPage,
    MatrixQuery,
    PositionsAnswer,
    WindowItem,
    WindowPage,
    WindowQuery,
    WindowsQuery,
)
from app.api.fields import numbers_in_cursor
from app.api.operation import operation, page, page_of_all
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.clearing import actions, queries
from timebank.core.actors import Actor

doors = Doors("clearing", __name__, url_prefix="/api/v1/clearing", description="清算")
WINDOW = "<window:window>"


@operation(
    doors, "/positions", "clearing.positions", "各镇街头寸",
    query=WindowQuery, answers=PositionsAnswer, one_moment=True,
)  # fmt: skip
def positions(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    window, items = queries.positions(session, window_name=query.get("window"))
    fen = [item.position_fen for item in items if item.position_fen is not None]
    return {
        **_named(window),
        "items": items,
        "sum_minutes": sum(item.position_minutes for item in items),
        "sum_fen": sum(fen) if len(fen) == len(items) else None,
    }


@operation(
    doors, "/matrix", "clearing.matrix", "双边往来",
    query=MatrixQuery, answers=MatrixPage, one_moment=True,
)  # fmt: skip
def matrix(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    window, items = queries.matrix(session, window_name=query.get("window"))
    return {**_named(window), **page_of_all(items, query)}


@operation(
    doors, "/lines", "clearing.lines", "往来明细",
    query=LinesQuery, answers=LinePage, one_moment=True,
)  # fmt: skip
def lines(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    place = numbers_in_cursor(query.get("cursor"), 2)
    township_code = queries.whose_lines(session, actor, query.get("township_code"))
    window = queries.find_window(session, query.get("window"))
    if place is not None and "window" not in query:
        # The pages of one list are of one window, also when it is closed between two of them.
        window = queries.window_of_number(session, place[0])
    found = queries.lines(
        session, window, township_code, limit=query["limit"] + 1, after_seq=place[1] if place else None
    )
    answer = page(found, query["limit"], lambda line: [window.number, line.seq])
    return {**_named(window), "township_code": township_code, **answer}


@operation(doors, "/windows", "clearing.windows", "清算周期", query=WindowsQuery, answers=WindowPage)
def windows(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    part = part_of(query, queries.WINDOW_ORDERS)
    return listed(queries.windows(session, part=part, status=query.get("status")), queries.WINDOW_ORDERS)


@operation(
    doors, f"/windows/{WINDOW}/close", "clearing.close_window", "关账",
    method="POST", answers=WindowItem, key="optional",
)  # fmt: skip
def close_window(session: Session, actor: Actor, window: str) -> queries.WindowView:
    return queries.window_view(session, actions.close_window(session, actor=actor, window_name=window))


def _named(window: Any) -> dict[str, str]:
    if window is None:
        return {"window": queries.ALL_TIME, "status": queries.ALL_TIME}
    return {"window": window.name, "status": window.status}
