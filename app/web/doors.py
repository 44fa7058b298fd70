"""One way to write a page: who may come in, one asker, one screen or one redirect."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Literal
from urllib.parse import quote

import structlog
from flask import Blueprint, Response, g, redirect, request
from marshmallow import ValidationError

from app.api.uploads import allow_bytes
from app.problems import status_of
from app.session import request_session
from app.web.asking import Asker
from app.web.browser import is_own_form, who_asks
from app.web.screens import screen
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import unit_of_work
from timebank.core.errors import BankError

Guest = Literal["person", "clerk", "provider", "desk", "anyone"]

_FORM_BYTES = 64 * 1024
"""What a form has around its file."""

_HOMES = {"person": "/m/sign-in", "clerk": "/staff/sign-in", "provider": "/staff/sign-in", "desk": "/staff/sign-in"}
_DESK = (StaffRole.DISTRICT_STEWARD, StaffRole.TOWNSHIP_STEWARD, StaffRole.AUDITOR)

View = Callable[..., Any]


def page(
    doors: Blueprint, rule: str, *, who: Guest, method: str = "GET", most_bytes: int | None = None
) -> Callable[[View], View]:
    """Register ``view(ask, **path)`` as a page for ``who``; it returns a ``Response``.

    ``ask`` is an ``Asker``; for ``anyone`` its actor may be nobody. A form is taken only with its browser's token.
    ``most_bytes`` is how large a file may come with the form, where one may.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def door(**path: Any) -> Any:
            g.operation_id = f"page.{doors.name}.{view.__name__}"
            # A unit of its own: what the page reads of one moment begins after it.
            with unit_of_work(request_session()):
                actor = who_asks(request_session())
            if who != "anyone" and not _belongs(actor, who):
                return redirect(f"{_HOMES[who]}?next={quote(_asked_for())}", 303)
            if actor is not None:
                structlog.contextvars.bind_contextvars(login_id=str(actor.login_id))
            if method == "POST" and not is_own_form(request.form.get("form_token", "")):
                return screen("form_expired.html", actor, status=400, back=_same_site_referrer())
            return _shown(view, actor, path)

        opened = door if most_bytes is None else allow_bytes(door, most_bytes + _FORM_BYTES)
        doors.route(rule, methods=[method], endpoint=f"{view.__name__}")(opened)
        return view

    return decorate


def _shown(view: View, actor: Actor | None, path: dict[str, Any]) -> Any:
    try:
        return view(Asker(request_session(), actor or Actor(login_id=None, name="")), **path)
    except BankError as refusal:
        status = status_of(refusal)
        return screen("refused.html", actor, status=status, title=refusal.title, detail=refusal.detail)
    except ValidationError:
        return screen("refused.html", actor, status=422, title="网址里的内容不对", detail="请从菜单重新进入")


def _belongs(actor: Actor | None, who: Guest) -> bool:
    if actor is None:
        return False
    if who == "person":
        return actor.staff_role is None
    if who == "clerk":
        return actor.staff_role is StaffRole.CANTEEN_CLERK
    if who == "provider":
        return actor.staff_role is StaffRole.CARE_PROVIDER
    return actor.staff_role in _DESK


def _asked_for() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else request.path


def _same_site_referrer() -> str:
    """The path that a form came from, never another site's."""
    said = request.headers.get("Referer", "")
    return said.removeprefix(request.host_url.rstrip("/")) if said.startswith(request.host_url) else "/"


def go(path: str) -> Response:
    """After something was done: on to a page that can be loaded again without doing it again."""
    return redirect(path, 303)  # type: ignore[return-value]


def form_key() -> str:
    """The key under which a form does its work once, however often it is sent."""
    return request.form.get("form_key", "") or request.form["form_token"]


def next_path(otherwise: str) -> str:
    """Where to go on after signing in: a path of this site, or ``otherwise``."""
    wanted = request.args.get("next") or request.form.get("next") or ""
    return wanted if wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted else otherwise
