"""Meals that are ordered: what one shows at the counter, what it cost and why; changing, cancelling, rating."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.phone.acting import policies_for, sure
from app.web.phone.eaters import Eater, eater_asked, eaters
from app.web.phone.ordering import DISH, Table, choosing, priced, table_for, wish
from app.web.phone.rated import may_be_rated, rating_of
from app.web.screens import day_text, filled, screen
from timebank.core import clock
from timebank.core.amounts import yuan_text

doors = Blueprint("meal_orders", __name__)

_STARS = (("5", "5 星，很好"), ("4", "4 星，好"), ("3", "3 星，一般"), ("2", "2 星，不好"), ("1", "1 星，很不好"))


@page(doors, "/m/orders", who="person")
def orders(ask: Asker) -> Response:
    whose, everybody = eater_asked(ask)
    found = ask.read(
        "orders.list", {"for_person_id": whose.person_id, "limit": 10, "cursor": request.args.get("cursor")}
    )
    return screen(
        "phone/meal_orders.html",
        ask.actor,
        whose=whose,
        everybody=everybody,
        orders=found["items"],
        next_cursor=found["next_cursor"],
    )


@page(doors, "/m/orders/<uuid:order_id>", who="person")
def order(ask: Asker, order_id: UUID) -> Response:
    shown = ask.read("orders.show", order_id=order_id)
    return screen(
        "phone/meal_order_one.html",
        ask.actor,
        order=shown,
        whose=_whose(ask, shown),
        may_change=shown["state"] == "placed" and clock.now() < datetime.fromisoformat(shown["cut_off_at"]),
        **_said(ask, shown),
    )


@page(doors, "/m/orders/<uuid:order_id>/change", who="person")
def change_form(ask: Asker, order_id: UUID) -> Response:
    shown = ask.read("orders.show", order_id=order_id)
    return _changing(ask, shown, _as_ordered(shown))


@page(doors, "/m/orders/<uuid:order_id>/change", who="person", method="POST")
def change(ask: Asker, order_id: UUID) -> Response:
    """The price first; changed is only from the page that shows it."""
    sent, shown = filled(), ask.read("orders.show", order_id=order_id)
    if sent.get("step") == "again":
        return _changing(ask, shown, sent)
    if sent.get("step") != "order":
        asked = ask.write("orders.price_change", wish(sent), key="", order_id=order_id)
        return priced(ask, _table_of(ask, shown), sent, asked, order=shown)
    answer = ask.write("orders.change", wish(sent), key=form_key(), order_id=order_id)
    if isinstance(answer, Refusal):
        return _changing(ask, shown, sent, answer)
    tell(f"改好了，现在付 {yuan_text(answer['elder_fen'])}")
    return go(f"/m/orders/{order_id}")


@page(doors, "/m/orders/<uuid:order_id>/cancel", who="person")
def cancel_form(ask: Asker, order_id: UUID) -> Response:
    return _cancelling(ask, order_id)


@page(doors, "/m/orders/<uuid:order_id>/cancel", who="person", method="POST")
def cancel(ask: Asker, order_id: UUID) -> Response:
    answer = ask.write("orders.cancel", {}, key=form_key(), order_id=order_id)
    if isinstance(answer, Refusal):
        return _cancelling(ask, order_id, answer)
    tell(f"退好了，{yuan_text(answer['elder_fen'])} 不再冻结")
    return go(f"/m/orders/{order_id}")


@page(doors, "/m/orders/<uuid:order_id>/rate", who="person")
def rate_form(ask: Asker, order_id: UUID) -> Response:
    shown = ask.read("orders.show", order_id=order_id)
    before = rating_of(ask, shown)
    return _rating(ask, order_id, _as_rated(before) if before is not None else {})


@page(doors, "/m/orders/<uuid:order_id>/rate", who="person", method="POST")
def rate(ask: Asker, order_id: UUID) -> Response:
    sent: dict[str, Any] = {**filled(), "tags": request.form.getlist("tags")}
    said = {name: sent.get(name) for name in ("stars", "tags", "words")}
    answer = ask.write("ratings.rate", said, key=form_key(), order_id=order_id)
    if isinstance(answer, Refusal):
        return _rating(ask, order_id, sent, answer)
    tell("谢谢您的评价，食堂会看到")
    return go(f"/m/orders/{order_id}")


def _said(ask: Asker, shown: Mapping[str, Any]) -> dict[str, Any]:
    """What was said about the meal and what the canteen answered; and whether more may be said."""
    rating = rating_of(ask, shown)
    return {"rating": rating, "may_rate": may_be_rated(ask, shown, rating), "stars": dict(_STARS)}


def _whose(ask: Asker, shown: Mapping[str, Any]) -> Eater:
    """Whose meal it is; the order has been shown, so it is one's own or an elder's one acts for."""
    return next(one for one in eaters(ask) if one.person_id == str(shown["diner_id"]))


def _changing(
    ask: Asker, shown: Mapping[str, Any], sent: Mapping[str, str], refusal: Refusal | None = None
) -> Response:
    return choosing(ask, _table_of(ask, shown), sent, refusal, order=shown)


def _table_of(ask: Asker, shown: Mapping[str, Any]) -> Table:
    """The meal that was ordered, with all that there is to choose now."""
    day = date.fromisoformat(shown["served_on"])
    return table_for(ask, _whose(ask, shown), shown["canteen_id"], day, shown["meal"])


def _as_ordered(shown: Mapping[str, Any]) -> dict[str, str]:
    """An order as a form would have been filled in for it."""
    return {
        **{f"{DISH}{dish['menu_item_id']}": str(dish["quantity"]) for dish in shown["items"]},
        "way": shown["way"],
        "use_voucher": "1" if shown["voucher_id"] else "0",
        "note": shown["note"],
        **({"delivery_address": shown["delivery_address"]} if shown["delivery_address"] else {}),
        "accept_unsuitable": "1" if shown["unsuitable_accepted"] else "0",
    }


def _as_rated(rating: Mapping[str, Any]) -> dict[str, Any]:
    """A rating as a form would have been filled in for it."""
    return {"stars": str(rating["stars"]), "tags": rating["tags"], "words": rating["words"]}


def _cancelling(ask: Asker, order_id: UUID, refusal: Refusal | None = None) -> Response:
    shown = ask.read("orders.show", order_id=order_id)
    whose = _whose(ask, shown)
    dishes = "、".join(f"{dish['name']} {dish['quantity']} 份" for dish in shown["items"])
    back = [("退回可用的餐费", yuan_text(shown["elder_fen"]))]
    return sure(
        ask,
        f"{whose.instead}退掉这一餐吗？",
        to=f"/m/orders/{order_id}/cancel",
        button="退掉这一餐",
        back=f"/m/orders/{order_id}",
        facts=[
            ("哪一餐", f"{day_text(shown['served_on'])}{shown['meal_name']}"),
            ("在哪里", shown["canteen_name"]),
            *back,
        ],
        words=[dishes, *(["用掉的用餐券也会退回来。"] if shown["voucher_id"] else [])],
        danger=True,
        refusal=refusal,
    )


def _rating(ask: Asker, order_id: UUID, sent: Mapping[str, Any], refusal: Refusal | None = None) -> Response:
    shown = ask.read("orders.show", order_id=order_id)
    whose = _whose(ask, shown)
    township = ask.read("canteens.show", canteen_id=shown["canteen_id"])["township_code"]
    return screen(
        "phone/meal_rate.html",
        ask.actor,
        refusal=refusal,
        filled=sent,
        order=shown,
        whose=whose,
        stars=_STARS,
        tags=[(tag, tag) for tag in policies_for(ask, township)["rating_tags"]],
    )
