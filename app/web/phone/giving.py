"""Hours given away and what one has of honour: gifts to relatives, donations to the pool, stars, and grants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import elder_named, relatives, spending, sure, whom
from app.web.screens import filled, screen
from timebank.core.amounts import hours_text

doors = Blueprint("giving_pages", __name__)

HOME = "/m/gifts"
_SCOPE = "gifts"


@page(doors, HOME, who="person")
def gifts(ask: Asker) -> Response:
    people = whom(ask, _SCOPE)
    whose = request.args.get("for_person_id") or str(ask.actor.person())
    found = ask.read("gifts.list", {"for_person_id": whose, "limit": 20, "cursor": request.args.get("cursor")})
    return screen(
        "phone/gift_list.html",
        ask.actor,
        gifts=found["items"],
        next_cursor=found["next_cursor"],
        people=people,
        whose=whose,
        elder_name=elder_named(ask, people, whose),
    )


@page(doors, f"{HOME}/donations", who="person")
def donations(ask: Asker) -> Response:
    found = ask.read("donations.list", {"limit": 20, "cursor": request.args.get("cursor")})
    return screen(
        "phone/gift_donations.html",
        ask.actor,
        donations=found["items"],
        next_cursor=found["next_cursor"],
        total=found["total_minutes"],
    )


@page(doors, f"{HOME}/give", who="person")
def giving(ask: Asker) -> Response:
    return _give_form(ask, {})


@page(doors, f"{HOME}/give/sure", who="person", method="POST")
def giving_sure(ask: Asker) -> Response:
    """Shows what will be given; nothing is done yet, and the words that go with it stay out of the address."""
    sent = filled()
    wrong = ask.unreadable("gifts.give", sent)
    if wrong is not None:
        return _give_form(ask, sent, wrong)
    elder = elder_named(ask, whom(ask, _SCOPE), sent.get("for_person_id"))
    receiver = dict(_receivers(ask)).get(sent["to_person_id"], "对方")
    return sure(
        ask,
        f"送 {hours_text(int(sent['minutes']))}",
        to=f"{HOME}/give",
        button="确定，送出",
        back=f"{HOME}/give",
        words=[*([f"替{elder}办，送的是{elder}的时长。"] if elder else []), "送出以后不能自己收回。"],
        facts=[
            ("送给", receiver),
            *([("附一句话", sent["note"])] if sent.get("note") else []),
            *spending(ask, int(sent["minutes"]), sent.get("for_person_id")),
        ],
        hidden={name: value for name, value in sent.items() if value},
    )


@page(doors, f"{HOME}/give", who="person", method="POST")
def give(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("gifts.give", sent, key=form_key())
    if isinstance(answer, Refusal):
        return _give_form(ask, sent, answer)
    tell(f"送给{answer['name']} {hours_text(answer['minutes'])}了")
    return go(HOME)


@page(doors, f"{HOME}/donate", who="person")
def donating(ask: Asker) -> Response:
    return _donate_form(ask, {})


@page(doors, f"{HOME}/donate/sure", who="person", method="POST")
def donating_sure(ask: Asker) -> Response:
    """Shows what will be donated; nothing is done yet."""
    sent = filled()
    wrong = ask.unreadable("donations.give", sent)
    if wrong is not None:
        return _donate_form(ask, sent, wrong)
    pool = ask.read("pool.show")["items"]
    return sure(
        ask,
        f"捐 {hours_text(int(sent['minutes']))}",
        to=f"{HOME}/donate",
        button="确定，捐出",
        back=f"{HOME}/donate",
        words=["捐给公益时间池，用来帮助困难老人。捐出以后不能自己收回。"],
        facts=[
            *([("捐给", f"{pool[0]['township_name']}公益时间池")] if pool else []),
            *([("团队", sent["from_group"])] if sent.get("from_group") else []),
            *([("附一句话", sent["note"])] if sent.get("note") else []),
            *spending(ask, int(sent["minutes"]), None),
        ],
        hidden={name: value for name, value in sent.items() if value},
    )


@page(doors, f"{HOME}/donate", who="person", method="POST")
def donate(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("donations.give", sent, key=form_key())
    if isinstance(answer, Refusal):
        return _donate_form(ask, sent, answer)
    tell(f"捐了 {hours_text(answer['minutes'])}，谢谢您")
    return go(f"{HOME}/donations")


@page(doors, "/m/honours", who="person")
def honours(ask: Asker) -> Response:
    return screen("phone/gift_honours.html", ask.actor, honours=ask.read("me.honours"))


@page(doors, "/m/allotments", who="person")
def allotments(ask: Asker) -> Response:
    people = whom(ask, "care")
    whose = request.args.get("for_person_id") or str(ask.actor.person())
    found = ask.read("allotments.list", {"for_person_id": whose, "limit": 20, "cursor": request.args.get("cursor")})
    return screen(
        "phone/gift_allotments.html",
        ask.actor,
        allotments=found["items"],
        next_cursor=found["next_cursor"],
        people=people,
        whose=whose,
        elder_name=elder_named(ask, people, whose),
    )


def _receivers(ask: Asker) -> list[tuple[str, str]]:
    """One's relatives; whoever gives for an elder may also receive, being the elder's relative."""
    own = str(ask.actor.person())
    return relatives(ask) if len(whom(ask, _SCOPE)) == 1 else [*relatives(ask), (own, f"我自己（{ask.actor.name}）")]


def _give_form(ask: Asker, sent: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    return _form(ask, "phone/gift_give.html", sent, refusal, receivers=_receivers(ask), people=whom(ask, _SCOPE))


def _donate_form(ask: Asker, sent: Mapping[str, str], refusal: Refusal | None = None) -> Response:
    return _form(ask, "phone/gift_donate.html", sent, refusal, pools=ask.read("pool.show")["items"])


def _form(ask: Asker, template: str, sent: Mapping[str, str], refusal: Refusal | None, **more: Any) -> Response:
    return screen(
        template,
        ask.actor,
        refusal=refusal,
        filled=dict(sent),
        available=ask.read("me.balance")["available_minutes"],
        **more,
    )
