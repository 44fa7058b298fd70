"""The statement of one township in one window: for programs, as a workbook to sign, as a page to print."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.clearing.routes import WINDOW, doors
from app.api.clearing.statement_schemas import StatementQuery, StatementWithLines
from app.api.operation import Sent, operation, page
from app.api.workbooks import XLSX, workbook_sent
from app.web.statement_page import page_policy, statement_page
from timebank.clearing import queries
from timebank.clearing.models import ClearingWindow
from timebank.core.actors import Actor
from timebank.importing.statement_workbook import write_statement

_LINES_SHOWN = 100


@operation(
    doors, f"/windows/{WINDOW}/statement", "clearing.statement", "对账单",
    query=StatementQuery, answers=StatementWithLines, one_moment=True,
)  # fmt: skip
def statement(session: Session, actor: Actor, query: dict[str, Any], window: str) -> dict[str, Any]:
    found, said = _asked(session, actor, query, window)
    lines = queries.lines(session, found, said.township_code, limit=_LINES_SHOWN + 1)
    first = page(lines, _LINES_SHOWN, lambda line: [found.number, line.seq])
    return {"statement": said, "lines": first["items"], "lines_next_cursor": first["next_cursor"]}


@operation(
    doors, f"/windows/{WINDOW}/statement.xlsx", "clearing.statement_workbook", "对账单（Excel）",
    query=StatementQuery, answers=None, media_type=XLSX, one_moment=True,
)  # fmt: skip
def statement_workbook(session: Session, actor: Actor, query: dict[str, Any], window: str) -> Sent:
    found, said = _asked(session, actor, query, window)
    return workbook_sent(
        lambda file: write_statement(file, said, queries.every_line(session, found, said)),
        plain=f"statement-{said.township_code}-{said.window.window}",
        named=said.file_stem,
    )


@operation(
    doors, f"/windows/{WINDOW}/statement.html", "clearing.statement_page", "对账单（打印页）",
    query=StatementQuery, answers=None, media_type="text/html", one_moment=True,
)  # fmt: skip
def statement_html(session: Session, actor: Actor, query: dict[str, Any], window: str) -> Sent:
    page = statement_page(session, *_asked(session, actor, query, window))
    return Sent(page.encode(), {"Content-Security-Policy": page_policy()})


def _asked(
    session: Session, actor: Actor, query: dict[str, Any], window: str
) -> tuple[ClearingWindow, queries.StatementView]:
    actor.must_see_books()
    found = queries.find_window(session, window)
    township_code = queries.whose_lines(session, actor, query.get("township_code"))
    return found, queries.statement(session, found, township_code)
