"""Coming in and going out: a person's phone by WeChat, staff by name and password, and the version of the pages."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request

from app.auth.tokens import read_token
from app.session import request_session
from app.web.asking import Asker, Refusal
from app.web.browser import PERSON_LIFETIME, STAFF_LIFETIME, sign_in, sign_in_by_ticket, sign_out, tell
from app.web.doors import go, next_path, page
from app.web.screens import ELDER_COOKIE, filled, screen
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import unit_of_work
from timebank.core.errors import BankError
from timebank.people.queries import actor_of

doors = Blueprint("entrance", __name__)

PHONE, DESK = "/m/", "/desk/"
_WORKPLACES = {StaffRole.CANTEEN_CLERK: "/counter/", StaffRole.CARE_PROVIDER: "/care/"}
_YEAR_S = 365 * 24 * 3600


@page(doors, "/", who="anyone")
def front(ask: Asker) -> Response:
    return screen("front.html", _signed_in(ask), home=home_of(ask.actor))


@page(doors, "/m/sign-in", who="anyone")
def person_sign_in(ask: Asker) -> Response:
    return _person_form(ask)


@page(doors, "/m/sign-in", who="anyone", method="POST")
def person_comes_in(ask: Asker) -> Response:
    if not _development():
        return _person_form(ask, status=404)
    name = filled().get("name", "")
    answer = ask.write("auth.wechat_login", {"code": f"demo:{name}"}, key="")
    if isinstance(answer, Refusal):
        return _person_form(ask, answer, 401)
    _let_in(answer["access_token"], staff=False)
    return go(next_path(PHONE) if answer["registered"] else "/m/register")


@page(doors, "/m/ticket", who="anyone")
def before_the_ticket(ask: Asker) -> Response:
    """The ticket stands behind ``#``, which browsers keep to themselves; a script sends it on as a form."""
    return _ticket_form(ask)


@page(doors, "/m/ticket", who="anyone", method="POST")
def person_comes_by_ticket(ask: Asker) -> Response:
    database = request_session()
    try:
        with unit_of_work(database):
            actor = sign_in_by_ticket(database, ask.actor, request.form.get("ticket", ""), PERSON_LIFETIME)
    except BankError as refusal:
        return _ticket_form(ask, Refusal(refusal.title, refusal.code))
    return go(next_path(PHONE) if actor is not None and actor.person_id is not None else "/m/register")


@page(doors, "/staff/sign-in", who="anyone")
def staff_sign_in(ask: Asker) -> Response:
    return _staff_form(ask)


@page(doors, "/staff/sign-in", who="anyone", method="POST")
def staff_comes_in(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("auth.staff_login", {name: sent.get(name) for name in ("username", "password")}, key="")
    if isinstance(answer, Refusal):
        return _staff_form(ask, answer, 401)
    actor = _let_in(answer["access_token"], staff=True)
    return go(next_path(home_of(actor)))


@page(doors, "/sign-out", who="anyone", method="POST")
def leave(ask: Asker) -> Response:
    everywhere, was_staff = "everywhere" in request.form, ask.actor.staff_role is not None
    if ask.actor.login_id is not None:
        with unit_of_work(request_session()):
            sign_out(request_session(), ask.actor, everywhere=everywhere)
    tell("已在所有设备上退出" if everywhere else "已退出")
    return go("/staff/sign-in" if was_staff else "/m/sign-in")


@page(doors, "/version", who="anyone", method="POST")
def choose_version(_ask: Asker) -> Response:
    """The elder version or the standard one, remembered for a year."""
    response = go(next_path(PHONE))
    wanted = "1" if request.form.get("version") == "elder" else "0"
    response.set_cookie(ELDER_COOKIE, wanted, max_age=_YEAR_S, httponly=True, samesite="Lax", secure=not _development())
    return response


def home_of(actor: Actor) -> str:
    """Where somebody works."""
    if actor.staff_role is None:
        return PHONE
    return _WORKPLACES.get(actor.staff_role, DESK)


def _let_in(token: str, *, staff: bool) -> Actor:
    """Sign the browser in as whoever the bank has just recognised."""
    login_id, database = read_token(token), request_session()
    assert login_id is not None
    with unit_of_work(database):
        sign_in(database, login_id, STAFF_LIFETIME if staff else PERSON_LIFETIME)
        actor = actor_of(database, login_id)
    assert actor is not None
    return actor


def _person_form(ask: Asker, refusal: Refusal | None = None, status: int = 200) -> Response:
    sent = filled() if request.method == "POST" else {}
    return screen(
        "phone/sign_in.html",
        _signed_in(ask),
        status=status,
        refusal=refusal,
        filled=sent,
        next=next_path(PHONE),
        development=_development(),
    )


def _ticket_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    wanted = next_path(PHONE)
    return screen("phone/ticket.html", _signed_in(ask), refusal=refusal, filled={}, next=wanted)


def _staff_form(ask: Asker, refusal: Refusal | None = None, status: int = 200) -> Response:
    sent = {name: value for name, value in filled().items() if name != "password"} if refusal else {}
    wanted = next_path("")
    return screen("staff_sign_in.html", _signed_in(ask), status=status, refusal=refusal, filled=sent, next=wanted)


def _signed_in(ask: Asker) -> Actor | None:
    return ask.actor if ask.actor.login_id is not None else None


def _development() -> bool:
    return bool(current_app.extensions["timebank_development"])
