"""Relatives and those who act for one another: who they are, who asks whom, yes or no, and the heir."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, request

from app.web.asking import NOTHING, Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import relatives, sure
from app.web.screens import filled, screen
from timebank.core.errors import NotFound
from timebank.people.family_rules import RELATION_NAMES
from timebank.people.rules import SCOPE_NAMES, USUAL_SCOPES

doors = Blueprint("family_pages", __name__)

HOME = "/m/family"
_KINDS = {"relative": "family", "proxy": "proxies"}
_ANSWERS = {"accept": "同意了", "decline": "没有同意，也不会告诉对方", "withdraw": "撤回了"}


@page(doors, HOME, who="person")
def family(ask: Asker) -> Response:
    proxies = ask.everything("proxies.list")
    waiting = [
        {**one, "way": way}
        for way, noun in _KINDS.items()
        for one in ask.everything(f"{noun}.proposals")
        if one["status"] == "waiting"
    ]
    return screen(
        "phone/family_list.html",
        ask.actor,
        received=[one for one in waiting if one["received"]],
        sent=[one for one in waiting if not one["received"]],
        relatives=ask.everything("family.list"),
        act_for_me=[one for one in proxies if one["acts_for_me"]],
        act_for_them=[one for one in proxies if not one["acts_for_me"]],
    )


@page(doors, f"{HOME}/relative", who="person")
def proposing_relative(ask: Asker) -> Response:
    return _relative_form(ask)


@page(doors, f"{HOME}/relative", who="person", method="POST")
def propose_relative(ask: Asker) -> Response:
    answer = ask.write("family.propose", filled(), key=form_key())
    if isinstance(answer, Refusal):
        return _relative_form(ask, answer)
    tell(f"已请{answer['name']}确认，对方同意后就登记好了")
    return go(HOME)


@page(doors, f"{HOME}/proxy", who="person")
def proposing_proxy(ask: Asker) -> Response:
    return _proxy_form(ask, request.args.get("person_id", ""))


@page(doors, f"{HOME}/proxy", who="person", method="POST")
def propose_proxy(ask: Asker) -> Response:
    sent = {**filled(), "scopes": request.form.getlist("scopes")}
    answer = ask.write("proxies.propose", sent, key=form_key())
    if isinstance(answer, Refusal):
        return _proxy_form(ask, filled().get("person_id", ""), answer)
    tell(f"已请{answer['name']}代办，对方同意后就可以了")
    return go(HOME)


@page(doors, f"{HOME}/asked/<way>/<uuid:proposal_id>/<said>", who="person", method="POST")
def answer_proposal(ask: Asker, way: str, proposal_id: UUID, said: str) -> Response:
    if way not in _KINDS or said not in _ANSWERS:
        abort(404)
    answer = ask.write(f"{_KINDS[way]}.{said}", key=form_key(), proposal_id=proposal_id)
    tell(answer.title if isinstance(answer, Refusal) else _ANSWERS[said])
    return go(HOME)


@page(doors, f"{HOME}/relative/<uuid:relation_id>/end", who="person")
def ending_relation(ask: Asker, relation_id: UUID) -> Response:
    return _end_relation_sure(ask, relation_id)


@page(doors, f"{HOME}/relative/<uuid:relation_id>/end", who="person", method="POST")
def end_relation(ask: Asker, relation_id: UUID) -> Response:
    answer = ask.write("family.end", key=form_key(), relation_id=relation_id)
    if isinstance(answer, Refusal):
        return _end_relation_sure(ask, relation_id, answer)
    tell("亲属登记取消了")
    return go(HOME)


@page(doors, f"{HOME}/proxy/<uuid:registration_id>/end", who="person")
def ending_proxy(ask: Asker, registration_id: UUID) -> Response:
    return _end_proxy_sure(ask, registration_id)


@page(doors, f"{HOME}/proxy/<uuid:registration_id>/end", who="person", method="POST")
def end_proxy(ask: Asker, registration_id: UUID) -> Response:
    answer = ask.write("people.end_proxy", key=form_key(), registration_id=registration_id)
    if isinstance(answer, Refusal):
        return _end_proxy_sure(ask, registration_id, answer)
    tell("代办取消了，从现在起不能再代办")
    return go(HOME)


@page(doors, f"{HOME}/heir", who="person")
def heir(ask: Asker) -> Response:
    return _heir_form(ask)


@page(doors, f"{HOME}/heir", who="person", method="POST")
def name_heir(ask: Asker) -> Response:
    chosen = filled().get("person_id", "")
    body = {} if not chosen else {"person_id": NOTHING if chosen == "nobody" else chosen}
    answer = ask.write("family.name_heir", body, key=form_key())
    if isinstance(answer, Refusal):
        return _heir_form(ask, answer)
    tell("记好了")
    return go(HOME)


def _relative_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    return screen(
        "phone/family_relative.html",
        ask.actor,
        refusal=refusal,
        relations=[(str(code), name) for code, name in RELATION_NAMES.items()],
    )


def _proxy_form(ask: Asker, person_id: str, refusal: Refusal | None = None) -> Response:
    listed = ask.everything("family.list") if person_id else []
    sent = {} if refusal is None else filled()
    return screen(
        "phone/family_proxy.html",
        ask.actor,
        refusal=refusal,
        filled=sent,
        known=next((one for one in listed if one["person_id"] == person_id), None),
        scopes=[(str(code), name) for code, name in SCOPE_NAMES.items()],
        chosen=request.form.getlist("scopes") if sent else [str(one) for one in USUAL_SCOPES],
    )


def _end_relation_sure(ask: Asker, relation_id: UUID, refusal: Refusal | None = None) -> Response:
    found = _one(ask.everything("family.list"), "relation_id", relation_id)
    words = [f"取消后，您和{found['name']}之间不能再互送时长和用餐券。要再登记，须对方重新确认。"]
    if found["is_heir"]:
        words.append(f"{found['name']}是您指定的继承人，取消后就不是了。")
    return sure(
        ask,
        f"取消与{found['name']}的亲属登记",
        to=f"{HOME}/relative/{relation_id}/end",
        button="确定，取消登记",
        back=HOME,
        words=words,
        danger=True,
        refusal=refusal,
    )


def _end_proxy_sure(ask: Asker, registration_id: UUID, refusal: Refusal | None = None) -> Response:
    found = _one(ask.everything("proxies.list"), "registration_id", registration_id)
    acts_for_me, name = found["acts_for_me"], found["name"]
    return sure(
        ask,
        f"不再让{name}代办" if acts_for_me else f"不再替{name}办",
        to=f"{HOME}/proxy/{registration_id}/end",
        button="确定，取消代办",
        back=HOME,
        words=[f"{name}不能再替您办事。" if acts_for_me else f"您不能再替{name}办事。", "已经办好的不受影响。"],
        facts=[("现在可以代办", "、".join(found["scope_names"]))],
        danger=True,
        refusal=refusal,
    )


def _heir_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    named = next((one["person_id"] for one in ask.everything("family.list") if one["is_heir"]), "nobody")
    return screen(
        "phone/family_heir.html",
        ask.actor,
        refusal=refusal,
        relatives=relatives(ask),
        named=named,
    )


def _one(listed: list[dict[str, Any]], name: str, wanted: UUID) -> dict[str, Any]:
    """Raises NotFound ``registration_unknown``."""
    for one in listed:
        if one[name] == str(wanted):
            return one
    raise NotFound("registration_unknown", "没有这份登记，可能已经取消")
