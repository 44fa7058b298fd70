"""A person's hours at one glance, every movement of them, and why it was so; what the bank has to tell."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen

doors = Blueprint("account", __name__)

TILES = (
    ("/m/tasks", "看服务、接单", "people"),
    ("/m/ask", "请人帮忙", "hand"),
    ("/m/meals", "订餐", "bowl"),
    ("/m/vouchers", "用餐券", "coupon"),
    ("/m/care", "上门照护", "care"),
    ("/m/family", "家人、代办", "family"),
)
"""What most people come for."""

MORE = (
    *TILES,
    ("/m/rounds", "我送的餐", "scooter"),
    ("/m/aids", "借辅具", "aid"),
    ("/m/gifts", "送人、捐赠", "gift"),
    ("/m/honours", "我的荣誉", "star"),
    ("/m/statement", "时间明细", "clock"),
    ("/m/notices", "通知", "bell"),
    ("/m/refusals", "没办成的事", "cross"),
)


@page(doors, "/m/", who="person")
def home(ask: Asker) -> Response:
    if ask.actor.person_id is None:
        return go("/m/register")
    balance = ask.read("me.balance")
    newest = ask.read("notices.list", {"limit": 3})["items"]
    return screen("phone/home.html", ask.actor, balance=balance, notices=newest, parts_of_home=TILES)


@page(doors, "/m/register", who="person")
def register(ask: Asker) -> Response:
    if ask.actor.person_id is not None:
        return go("/m/")
    return _register_form(ask)


@page(doors, "/m/register", who="person", method="POST")
def enter(ask: Asker) -> Response:
    answer = ask.write("auth.register", filled(), key=form_key())
    if isinstance(answer, Refusal):
        return _register_form(ask, answer)
    tell("登记好了，欢迎您")
    return go("/m/")


@page(doors, "/m/statement", who="person")
def statement(ask: Asker) -> Response:
    found = ask.read("me.statement", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen("phone/statement.html", ask.actor, lines=found["items"], next_cursor=found["next_cursor"])


@page(doors, "/m/why", who="person")
def why(ask: Asker) -> Response:
    kinds = ("transfer_id", "task_id", "voucher_id", "booking_id", "order_id", "key", "for_person_id")
    asked = {name: request.args[name] for name in kinds if name in request.args}
    return screen("phone/why.html", ask.actor, said=ask.read("me.explain", asked))


@page(doors, "/m/refusals", who="person")
def refusals(ask: Asker) -> Response:
    found = ask.read("me.refusals", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen("phone/refusals.html", ask.actor, refusals=found["items"], next_cursor=found["next_cursor"])


@page(doors, "/m/notices", who="person")
def notices(ask: Asker) -> Response:
    found = ask.read("notices.list", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen("phone/notices.html", ask.actor, notices=found["items"], next_cursor=found["next_cursor"])


@page(doors, "/m/more", who="person")
def more(ask: Asker) -> Response:
    return screen("phone/more.html", ask.actor, parts_of_more=MORE)


def _register_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    townships = ask.everything("townships.list")
    return screen("phone/register.html", ask.actor, refusal=refusal, townships=townships)
