"""Cash into a purse and out of it: find the diner, say how much, see the balance afterwards, then do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.counter.meals import fen_of
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.core.amounts import yuan_text

doors = Blueprint("counter_cash", __name__)

STEPS = {"top_up": ("充值", "收"), "pay_back": ("退款", "付")}
_SHOWN = ("person_id", "name", "where", "balance_fen", "available_fen")

Diner = dict[str, Any]


@page(doors, "/counter/cash", who="clerk")
def find(ask: Asker) -> Response:
    return screen("counter/cash.html", ask.actor)


@page(doors, "/counter/cash", who="clerk", method="POST")
def found(ask: Asker) -> Response:
    sent = filled()
    answer = ask.write("purses.find_diner", {name: sent.get(name) for name in ("name", "id_last_four")}, key="")
    if not isinstance(answer, Refusal) and not answer["items"]:
        nobody = "没有找到这个人，请看着身份证再写一次"
        answer = Refusal(nobody, "invalid_input", {}, {"name": [nobody]})
    if isinstance(answer, Refusal):
        return screen("counter/cash.html", ask.actor, status=422, refusal=answer, filled=sent)
    diners = [{**one, "where": f"{one['township_name']}{one['village'] or ''}"} for one in answer["items"]]
    return _amounts(ask, diners)


@page(doors, "/counter/cash/check", who="clerk", method="POST")
def check(ask: Asker) -> Response:
    """What is about to be done, and the balance afterwards."""
    sent = filled()
    diner, fen, step = _diner(sent), fen_of(sent.get("yuan", "")), sent.get("step", "")
    if diner is None or step not in STEPS:
        return go("/counter/cash")
    if not fen:
        words = "没有看懂金额，请写多少元，如 50 或 12.50"
        return _amounts(ask, [diner], Refusal(words, "invalid_input", {}, {"yuan": [words]}))
    after = diner["balance_fen"] + (fen if step == "top_up" else -fen)
    verb, hand = STEPS[step]
    shown = {"diner": diner, "fen": fen, "step": step, "verb": verb, "hand": hand, "after_fen": after}
    return screen("counter/cash_check.html", ask.actor, filled=sent, **shown)


@page(doors, "/counter/cash/<any(top_up, pay_back):step>", who="clerk", method="POST")
def move(ask: Asker, step: str) -> Response:
    sent = filled()
    diner, fen = _diner(sent), fen_of(sent.get("yuan", ""))
    if diner is None or not fen:
        return go("/counter/cash")
    body = {"person_id": diner["person_id"], "amount_fen": fen, "note": sent.get("note", "")}
    slip = ask.write(f"purses.{step}", body, key=form_key())
    if isinstance(slip, Refusal):
        return _amounts(ask, [diner], _beside_the_amount(slip))
    verb, hand = STEPS[step]
    tell(
        f"{slip['name']}{verb} {yuan_text(slip['amount_fen'])}，{hand}现金 {yuan_text(slip['amount_fen'])}。"
        f"现在余额 {yuan_text(slip['balance_fen'])}，可用 {yuan_text(slip['available_fen'])}"
    )
    return go("/counter/cash")


def _amounts(ask: Asker, diners: list[Diner], refusal: Refusal | None = None) -> Response:
    return screen("counter/cash_amount.html", ask.actor, refusal=refusal, diners=diners)


def _beside_the_amount(refusal: Refusal) -> Refusal:
    """Of what this form asks, only the amount can be wrong."""
    return Refusal(refusal.title, refusal.code, refusal.facts, {"yuan": [refusal.title]})


def _diner(sent: Mapping[str, str]) -> Diner | None:
    """Who was found before, as the form brought it along: for the clerk to see, while the bank decides by the id."""
    if not all(sent.get(name) for name in _SHOWN):
        return None
    sums = {name: sent[name] for name in ("balance_fen", "available_fen")}
    if not all(one.isascii() and one.isdigit() for one in sums.values()):
        return None
    return {**{name: sent[name] for name in _SHOWN}, **{name: int(one) for name, one in sums.items()}}
