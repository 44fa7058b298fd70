"""Drawing screens: one template environment, and what every template may use."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cache, partial
from typing import Any
from uuid import uuid4

from flask import Response, request
from jinja2 import Environment

from app.web.asking import Refusal
from app.web.assets import asset
from app.web.browser import form_token, told
from app.web.printing import qr, templates
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text, yuan_text
from timebank.core.clock import LOCAL, today

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
    " worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, and nothing written into the page itself."""

ELDER_COOKIE = "elder_version"
_WEEKDAYS = "一二三四五六日"


def screen(
    template: str, actor: Actor | None, *, status: int | None = None, refusal: Refusal | None = None, **what: Any
) -> Response:
    """A page, drawn for whoever asks, in the version they have chosen.

    With a ``refusal`` it is a form drawn again after a no: its fields hold what was sent, and its status says so.
    """
    words = (
        _environment()
        .get_template(template)
        .render(
            me=actor,
            here=request.path,
            here_whole=request.full_path.rstrip("?"),
            elder=is_elder_version(),
            form_token=form_token,
            form_key=lambda: str(uuid4()),
            told=told(),
            frame=_frame(actor),
            refusal=refusal,
            **{"filled": filled() if refusal is not None else {}, **what},
        )
    )
    headers = {"Content-Security-Policy": POLICY, "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}
    status = status or (200 if refusal is None else 422)
    return Response(words, status=status, content_type="text/html; charset=utf-8", headers=headers)


def filled() -> dict[str, str]:
    """What a form sent, without what is the form's own."""
    return {name: value.strip() for name, value in request.form.items() if name not in ("form_token", "form_key")}


def refused_screen(status: int, title: str) -> Response:
    """The page of a refusal before anybody was asked who they are."""
    return screen("refused.html", None, status=status, title=title, detail=title)


def _frame(actor: Actor | None) -> str:
    """The frame of a page that anybody may meet, a refusal for one."""
    return "phone/base.html" if actor is not None and actor.staff_role is None else "base.html"


def is_elder_version() -> bool:
    """Whether this browser has chosen the elder version 长辈版."""
    return request.cookies.get(ELDER_COOKIE) == "1"


@cache
def _environment() -> Environment:
    found = templates(
        yuan=yuan_text,
        moment=moment_text,
        day=day_text,
        clock=clock_text,
        qr=partial(qr, quiet=4, svg_class="qr"),
        signed=signed_hours_text,
        map_pairs=_pairs,
    )
    found.globals["asset"] = asset
    return found


def moment_text(value: str | datetime) -> str:
    """``11月25日（星期三）09:00``, on Beijing's clock."""
    at = _local(value)
    return f"{day_text(at.date())}{at:%H:%M}"


def day_text(value: str | date) -> str:
    """``11月25日（星期三）``; with the year where it is another than this one."""
    day = date.fromisoformat(value) if isinstance(value, str) else value
    year = "" if day.year == today().year else f"{day.year}年"
    return f"{year}{day.month}月{day.day}日（星期{_WEEKDAYS[day.weekday()]}）"


def clock_text(value: str | datetime) -> str:
    """``09:00``, on Beijing's clock."""
    return f"{_local(value):%H:%M}"


def signed_hours_text(minutes: int) -> str:
    """An amount with its sign, as a statement shows it."""
    return f"{'＋' if minutes >= 0 else '－'}{hours_text(abs(minutes))}"


def _pairs(items: Iterable[dict[str, Any]], code: str, name: str) -> list[tuple[Any, Any]]:
    """Pairs of value and name, for a field that offers a choice."""
    return [(one[code], one[name]) for one in items]


def _local(value: str | datetime) -> datetime:
    at = datetime.fromisoformat(value) if isinstance(value, str) else value
    return at.astimezone(LOCAL)
