"""Selling a meal now: choose dishes and for whom, see it once more, then sell; and which dishes have run out.

Who was found travels with the form that is confirmed, never in an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, json, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.counter.meals import MEALS, day_and_meal, dishes_text
from app.web.counter.prices import guest_price, offer_to
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.core.amounts import yuan_text

doors = Blueprint("counter_selling", __name__)

WAYS = (("eat_in", "在这里吃"), ("take_away", "带走"))
_MOST = 99
_OF_A_DINER = ("person_id", "name", "township_name", "village", "available_fen", "unused_vouchers")

Dish = dict[str, Any]


@page(doors, "/counter/sell", who="clerk")
def choose(ask: Asker) -> Response:
    return _form(ask)


@page(doors, "/counter/sell/check", who="clerk", method="POST")
def check(ask: Asker) -> Response:
    """What is about to be sold, to whom, and what can be paid with."""
    sent = filled()
    chosen = _chosen(ask, sent)
    if isinstance(chosen, Refusal):
        return _form(ask, chosen)
    if sent.get("to") != "diner":
        price = guest_price(ask, _sale(sent, chosen, guest=True))
        return _form(ask, price) if isinstance(price, Refusal) else _confirm(ask, chosen, [])
    asked = {name: sent.get(name) for name in ("name", "id_last_four")}
    found = ask.write("purses.find_diner", asked, key="")
    if isinstance(found, Refusal):
        return _form(ask, found)
    if not found["items"]:
        return _form(ask, _wrong("name", "没有找到这个人，请看着身份证再写一次；没有登记的按散客收现金"))
    return _confirm(ask, chosen, [{name: one[name] for name in _OF_A_DINER} for one in found["items"]])


@page(doors, "/counter/sell", who="clerk", method="POST")
def sell(ask: Asker) -> Response:
    sent = filled()
    chosen = _chosen(ask, sent)
    if isinstance(chosen, Refusal):
        return _form(ask, chosen)
    diners = _diners(sent.get("diners", ""))
    answer = ask.write("meal_counter.sell", _sale(sent, chosen, guest=not diners), key=form_key())
    if isinstance(answer, Refusal):
        return _confirm(ask, chosen, diners, answer)
    whose = answer["diner_name"] or "散客"
    said = f"{answer['meal_name']} {answer['pickup_number']} 号 {whose}，{dishes_text(answer['items'])}"
    tell(f"卖出：{said}。{_paid(answer)}")
    return go(f"/counter/sell?meal={answer['meal']}")


@page(doors, "/counter/dishes", who="clerk")
def dishes(ask: Asker) -> Response:
    return _dishes(ask)


@page(doors, "/counter/dishes/<uuid:menu_item_id>/<any(sold_out, on_sale):step>", who="clerk", method="POST")
def switch(ask: Asker, menu_item_id: str, step: str) -> Response:
    item = ask.write(f"menus.{step}", key=form_key(), menu_item_id=menu_item_id)
    if isinstance(item, Refusal):
        return _dishes(ask, item)
    said = "卖完了，不再接订单；已经订的不变" if step == "sold_out" else "恢复供应了"
    tell(f"{item['name']}{said}")
    return go(f"/counter/dishes?meal={item['meal']}")


def _sale(sent: Mapping[str, str], chosen: list[Dish], *, guest: bool) -> dict[str, Any]:
    pay = "cash" if guest else sent.get("pay", "")
    return {
        "meal": sent.get("meal"),
        "items": [{"menu_item_id": one["menu_item_id"], "quantity": one["quantity"]} for one in chosen],
        "person_id": None if guest else sent.get("person_id"),
        "cash": pay == "cash",
        "use_voucher": pay == "voucher",
        "way": sent.get("way"),
        "accept_unsuitable": sent.get("accept_unsuitable") == "1",
    }


def _paid(order: Mapping[str, Any]) -> str:
    if order["cash_fen"]:
        return f"收现金 {yuan_text(order['cash_fen'])}"
    if order["elder_fen"]:
        return f"从余额扣 {yuan_text(order['elder_fen'])}，不收现金"
    return "用餐券已付，不收现金" if order["voucher_id"] else "本人不用付钱"


def _menu(ask: Asker) -> tuple[dict[str, Any], str, list[Dish]]:
    day, meal = day_and_meal(ask)
    found = ask.everything("menus.show", {"canteen_id": day["canteen_id"]})
    released = [one for one in found if one["meal"] == meal and one["state"] == "released" and not one["withdrawn_at"]]
    return day, meal, released


def _chosen(ask: Asker, sent: Mapping[str, str]) -> list[Dish] | Refusal:
    """The dishes of today's menu that were chosen, with how many of each."""
    chosen = []
    for one in _menu(ask)[2]:
        typed = sent.get(f"q-{one['menu_item_id']}", "") or "0"
        if not (typed.isascii() and typed.isdigit() and int(typed) <= _MOST):
            return _wrong(f"q-{one['menu_item_id']}", f"{one['name']}：请写 0 到 {_MOST} 份")
        if int(typed):
            chosen.append({**one, "quantity": int(typed)})
    return chosen or _wrong("dishes", "还没有选菜，请写要几份")


def _wrong(field: str, words: str) -> Refusal:
    return Refusal(words, "invalid_input", {}, {field: [words]})


def _diners(kept: str) -> list[dict[str, Any]]:
    """Who was found before, as the form brought them along."""
    try:
        found = json.loads(kept or "[]")
    except ValueError:
        return []
    whole = isinstance(found, list) and all(isinstance(one, dict) and set(one) == set(_OF_A_DINER) for one in found)
    numbers = whole and all(type(one[name]) is int for one in found for name in _OF_A_DINER[-2:])
    return found if numbers else []


def _form(ask: Asker, refusal: Refusal | None = None) -> Response:
    day, meal, menu = _menu(ask)
    return screen(
        "counter/sell.html",
        ask.actor,
        refusal=refusal,
        filled=filled() if request.method == "POST" else {},
        day=day,
        meals=MEALS,
        meal=meal,
        menu=menu,
    )


def _confirm(ask: Asker, chosen: list[Dish], diners: list[dict[str, Any]], refusal: Refusal | None = None) -> Response:
    sent = filled()
    sale = _sale(sent, chosen, guest=not diners)
    offers = {one["person_id"]: offer_to(ask, sale, one, WAYS) for one in diners}
    return screen(
        "counter/sell_check.html",
        ask.actor,
        refusal=refusal,
        filled=sent,
        meals=MEALS,
        meal=sent.get("meal", ""),
        ways=WAYS,
        chosen=chosen,
        total_fen=sum(one["quantity"] * (one["price_fen"] or 0) for one in chosen),
        diners=diners,
        diners_kept=json.dumps(diners, ensure_ascii=False),
        offers=offers,
        unsuitable=[reason for one in offers.values() for reason in one.unsuitable],
        sellable=not diners or any(one.refusal is None for one in offers.values()),
    )


def _dishes(ask: Asker, refusal: Refusal | None = None) -> Response:
    day, meal, menu = _menu(ask)
    shown: dict[str, Any] = {"day": day, "meals": MEALS, "meal": meal, "menu": menu}
    return screen("counter/dishes.html", ask.actor, refusal=refusal, **shown)
