"""The statement 对账单 as a page to print and sign: no script, nothing loaded from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from itertools import islice

from jinja2 import Environment
from sqlalchemy.orm import Session

from app.web.printing import only_style, templates
from timebank.clearing import statement_words
from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries import Line, StatementView, every_line
from timebank.core.amounts import yuan_text
from timebank.core.clock import LOCAL

MOST_LINES = 500
"""Lines on a page; the workbook has all."""

_TEMPLATE, _STYLE = "clearing/statement.html", "clearing/statement.css"


def statement_page(session: Session, window: ClearingWindow, said: StatementView) -> str:
    """The whole page. Raises Conflict ``lines_do_not_add_up`` where it has all lines and they make another sum."""
    # One more than are shown, so that a page that has them all has come to their end, where they are added up.
    lines = list(islice(every_line(session, window, said, page_lines=MOST_LINES + 1), MOST_LINES + 1))
    return rendered(said, lines[:MOST_LINES])


def rendered(said: StatementView, lines: Sequence[Line]) -> str:
    """The page with these lines on it."""
    template = _templates().get_template(_TEMPLATE)
    return template.render(said=said, lines=lines, facts=_facts(said), words=statement_words)


@cache
def page_policy() -> str:
    """The Content-Security-Policy under which the page, with its own style and nothing else, is shown."""
    return only_style(_templates().get_template(_STYLE).render())


@cache
def _templates() -> Environment:
    return templates(yuan=_yuan, moment=_moment)


def _facts(said: StatementView) -> list[tuple[str, str]]:
    window, confirmed = said.window, said.confirmation
    closed_by = f"{_moment(window.closed_at)} {window.closed_by_name or ''}".strip()
    confirmed_at = f"{_moment(confirmed.confirmed_at)} " if confirmed else ""
    facts = [
        ("镇街", f"{said.township_name}（{said.township_code}）"),
        ("清算周期", f"{window.window}（{window.status_name}）"),
        ("开始时间", _moment(window.opened_at)),
        ("关账", closed_by),
        ("镇街确认", confirmed_at + statement_words.confirmed_text(said)),
        ("结算", f"{_moment(window.settled_at)} {statement_words.settled_text(said)}".strip()),
        ("参考价", statement_words.prices_text(said)),
        ("全部未结算", statement_words.standing_text(said)),
    ]
    return [(label, value) for label, value in facts if value]


def _moment(value: datetime | None) -> str:
    return "" if value is None else f"{value.astimezone(LOCAL):%Y-%m-%d %H:%M}"


def _yuan(fen: int | None) -> str:
    return statement_words.NO_PRICE if fen is None else yuan_text(fen)
