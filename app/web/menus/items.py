"""Dishes on a menu: added, changed and removed in a draft; price, portions and withdrawal once it is released."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request

from app.web.asking import NOTHING, Refusal, wrong
from app.web.browser import tell
from app.web.doors import form_key, go
from app.web.lists import listed, renamed
from app.web.menus.dishes import FORMS, SEVERAL, words_known
from app.web.menus.where import PRICE, Book, Item, day_said, days_of, price_in
from app.web.screens import day_text, filled
from app.web.steps import after
from timebank.core.clock import today

_AT_THE_FIELD = {"price_fen": PRICE, "portions_limit": "limit"}
_GONE = "这道菜已经不在菜单上了"


def adding(book: Book, menu_id: UUID, served_on: str, meal: str) -> Response:
    """A dish of the book of dishes for one meal: there stands what is in it."""
    return _add_page(book, menu_id, served_on, meal)


def add(book: Book, menu_id: UUID, served_on: str, meal: str) -> Response:
    """Add it, and go on with the next one."""
    again = partial(_add_page, book, menu_id, served_on, meal)
    sent = filled()
    if not sent.get("dish_id"):
        return again(wrong("dish_id", "请选一道菜"))
    price = price_in(sent)
    if isinstance(price, Refusal):
        return again(price)
    form = {
        "served_on": served_on,
        "meal": meal,
        "dish_id": sent.get("dish_id"),
        **_priced(sent, price),
    }
    answer = book.ask.write("menus.add_item", form, key=form_key(), menu_id=menu_id)
    if isinstance(answer, Refusal):
        return again(renamed(answer, _AT_THE_FIELD))
    tell(f"已加上：{answer['name']}")
    return go(f"{book.at}/{menu_id}/days/{served_on}/{meal}/add")


def item(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """One dish of a menu: in a draft a form, else what may still be done with it."""
    return _item_page(book, menu_id, item_id)


def change(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """Write a dish of a draft anew."""
    again = partial(_item_page, book, menu_id, item_id)
    sent = filled()
    price = price_in(sent)
    if isinstance(price, Refusal):
        return again(price)
    form = {
        **{name: sent.get(name) for name in ("served_on", "meal", "dish_id", "name", "portion", "sources")},
        **{name: request.form.getlist(name) for name in SEVERAL},
        **_priced(sent, price),
    }
    answer = book.ask.write("menus.change_item", form, key=form_key(), menu_item_id=item_id)
    if isinstance(answer, Refusal):
        return again(renamed(answer, _AT_THE_FIELD))
    tell(f"已更改：{answer['name']}")
    return go(f"{book.at}/{menu_id}/days/{answer['served_on']}")


def remove(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """Take a dish out of a draft."""
    day = filled().get("served_on", "")
    answer = book.ask.write("menus.remove_item", key=form_key(), menu_item_id=item_id)
    path = f"{book.at}/{menu_id}" + (f"/days/{day}" if day else "")
    return after(answer, "已从草稿中删去", path, partial(_item_page, book, menu_id, item_id))


def limit(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """How many portions can be ordered in all; an empty field takes the limit away."""
    typed = filled().get("limit", "")
    form = {"portions_limit": typed or NOTHING}
    answer = book.ask.write("menus.limit_portions", form, key=form_key(), menu_item_id=item_id)
    if isinstance(answer, Refusal):
        return _item_page(book, menu_id, item_id, renamed(answer, _AT_THE_FIELD))
    tell(f"最多订 {typed} 份" if typed else "不再限量")
    return go(f"{book.at}/{menu_id}/items/{item_id}")


def sold_out(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """No more orders for now."""
    answer = book.ask.write("menus.sold_out", key=form_key(), menu_item_id=item_id)
    return _after(book, menu_id, item_id, answer, "已标为卖完，不再接订单；已经订的不变")


def on_sale(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """Orders again."""
    answer = book.ask.write("menus.on_sale", key=form_key(), menu_item_id=item_id)
    return _after(book, menu_id, item_id, answer, "恢复供应了")


def pricing(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """The price, how it has changed, and a new one."""
    return _price_page(book, menu_id, item_id)


def price(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """A new price, for orders from now on."""
    fen = price_in(filled())
    if isinstance(fen, Refusal):
        return _price_page(book, menu_id, item_id, fen)
    form = {"price_fen": fen, "reason": filled().get("reason")}
    answer = book.ask.write("menus.change_price", form, key=form_key(), menu_item_id=item_id)
    if isinstance(answer, Refusal):
        return _price_page(book, menu_id, item_id, renamed(answer, _AT_THE_FIELD))
    tell("价格已改，从现在起的订餐按新价；已经订的不变")
    return go(f"{book.at}/{menu_id}/items/{item_id}/price")


def withdrawing(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """What is about to be taken off for good, and why."""
    return _one_page(book, "menus/withdraw.html", menu_id, item_id)


def withdraw(book: Book, menu_id: UUID, item_id: UUID) -> Response:
    """Take a dish off a released menu for good."""
    answer = book.ask.write("menus.withdraw_item", filled(), key=form_key(), menu_item_id=item_id)
    again = partial(_one_page, book, "menus/withdraw.html", menu_id, item_id)
    return after(answer, "已撤下", f"{book.at}/{menu_id}/items/{item_id}", again)


_DAY = "/<uuid:menu_id>/days/<served_on>/<any(breakfast, lunch, supper):meal>"
_ITEM = "/<uuid:menu_id>/items/<uuid:item_id>"
PAGES = (
    ("GET", f"{_DAY}/add", adding),
    ("POST", f"{_DAY}/add", add),
    ("GET", _ITEM, item),
    ("POST", _ITEM, change),
    ("POST", f"{_ITEM}/remove", remove),
    ("POST", f"{_ITEM}/limit", limit),
    ("POST", f"{_ITEM}/sold-out", sold_out),
    ("POST", f"{_ITEM}/on-sale", on_sale),
    ("GET", f"{_ITEM}/price", pricing),
    ("POST", f"{_ITEM}/price", price),
    ("GET", f"{_ITEM}/withdraw", withdrawing),
    ("POST", f"{_ITEM}/withdraw", withdraw),
)


def _priced(sent: Mapping[str, str], fen: int | None) -> dict[str, Any]:
    love = sent.get("is_love_meal") == "1"
    return {"price_fen": fen, "is_love_meal": love, "portions_limit": sent.get("limit")}


def _after(book: Book, menu_id: UUID, item_id: UUID, answer: Any, words: str) -> Response:
    again = partial(_item_page, book, menu_id, item_id)
    return after(answer, words, f"{book.at}/{menu_id}/items/{item_id}", again)


def _add_page(book: Book, menu_id: UUID, served_on: str, meal: str, refusal: Refusal | None = None) -> Response:
    menu = book.ask.read("menus.week", menu_id=menu_id)
    dishes = book.ask.everything("dishes.list", {"canteen_id": str(book.canteen_id)})
    there = [one for one in book.items(menu) if (one["served_on"], one["meal"]) == (served_on, meal)]
    return book.drawn(
        "menus/add.html",
        refusal=refusal,
        menu=menu,
        shown_day=day_said(served_on),
        meal=meal,
        dishes=dishes,
        there=[one for one in there if not one["withdrawn_at"]],
        most_fen=book.policies["love_meal_max_fen"],
    )


def _item_page(book: Book, menu_id: UUID, item_id: UUID, refusal: Refusal | None = None) -> Response:
    return _one_page(book, "menus/item.html", menu_id, item_id, refusal)


def _price_page(book: Book, menu_id: UUID, item_id: UUID, refusal: Refusal | None = None) -> Response:
    changes = listed(book.ask, "menus.price_changes", {}, limit=10, menu_item_id=item_id)
    return _one_page(book, "menus/price.html", menu_id, item_id, refusal, changes=changes)


def _one_page(
    book: Book, template: str, menu_id: UUID, item_id: UUID, refusal: Refusal | None = None, **what: Any
) -> Response:
    menu = book.ask.read("menus.week", menu_id=menu_id)
    found = next((one for one in book.items(menu) if one["menu_item_id"] == str(item_id)), None)
    if found is None:
        tell(_GONE)
        return go(f"{book.at}/{menu_id}")
    still = menu["state"] != "draft" and not found["withdrawn_at"] and found["served_on"] >= str(today())
    shown = {**_writing(book, menu, found), **what, "changeable": book.may_write and still}
    return book.drawn(template, refusal=refusal, menu=menu, item=found, **shown)


def _writing(book: Book, menu: Item, found: Item) -> dict[str, Any]:
    """What the form of a draft's dish needs besides."""
    if menu["state"] != "draft" or not book.may_write:
        return {}
    of_book = book.ask.everything("dishes.list", {"canteen_id": menu["canteen_id"]})
    # One that is out of use by now would be refused; the menu keeps its copy.
    kept = next((one["dish_id"] for one in of_book if one["dish_id"] == found["dish_id"]), "")
    return {
        "dish_id": kept,
        "days": [(str(day), day_text(day)) for day in days_of(menu)],
        "forms": FORMS,
        "known": words_known(book),
        "picked": {name: request.form.getlist(name) if "name" in request.form else found[name] for name in SEVERAL},
        "most_fen": book.policies["love_meal_max_fen"],
    }
