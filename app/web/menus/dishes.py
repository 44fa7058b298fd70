"""A canteen's book of dishes: the list, a new one, a change, out of use."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from flask import Response, request

from app.web.asking import Refusal, wrong
from app.web.browser import tell
from app.web.doors import form_key, go
from app.web.lists import asked, listed, renamed
from app.web.menus.where import PRICE, Book, Item, price_in
from app.web.screens import filled
from app.web.steps import after
from timebank.canteens.pricing.rules import DIET_FORM_NAMES
from timebank.core.amounts import yuan_text

FORMS = [(str(form), name) for form, name in DIET_FORM_NAMES.items()]
SEVERAL = ("diet_forms", "diet_tags", "allergens")
_GONE = "这道菜品已经停用或不在册"


def dishes(book: Book) -> Response:
    """Dishes in the order of entry."""
    out_of_use = asked("archived")
    return book.drawn("menus/dishes.html", **_listed(book, out_of_use), shows_all="archived" in out_of_use)


def entering(book: Book) -> Response:
    """The form of a new dish."""
    return _form(book, None)


def enter(book: Book) -> Response:
    """Enter a dish, and go on with the next one."""
    form = _written()
    if isinstance(form, Refusal):
        return _form(book, None, form)
    answer = book.ask.write("dishes.enter", {**form, "canteen_id": str(book.canteen_id)}, key=form_key())
    if isinstance(answer, Refusal):
        return _form(book, None, _beside(answer))
    tell(f"已登记：{answer['name']}")
    return go(f"{book.at}/dishes/new")


def dish(book: Book, dish_id: UUID) -> Response:
    """A dish as it is, to be changed."""
    found = _found(book, dish_id)
    return _lost(book) if found is None else _form(book, found)


def change(book: Book, dish_id: UUID) -> Response:
    """Change a dish as a whole."""
    found = _found(book, dish_id)
    if found is None:
        return _lost(book)
    form = _written()
    if isinstance(form, Refusal):
        return _form(book, found, form)
    answer = book.ask.write("dishes.change", form, key=form_key(), dish_id=dish_id)
    if isinstance(answer, Refusal):
        return _form(book, found, _beside(answer))
    tell(f"已更改：{answer['name']}。已经编好的菜单不变")
    return go(f"{book.at}/dishes")


def sure_of_archiving(book: Book, dish_id: UUID) -> Response:
    """What is about to go out of use."""
    found = _found(book, dish_id)
    if found is None:
        return _lost(book)
    facts = [("菜品", str(found["name"])), ("平常价", yuan_text(found["price_fen"]))]
    warning = "停用后不能再排进菜单，也不能恢复；已经编好的菜单不变。"
    return book.sure("停用菜品", facts, doing="停用", warning=warning, back=f"{book.at}/dishes/{dish_id}")


def archive(book: Book, dish_id: UUID) -> Response:
    """Take a dish out of the book for good."""
    answer = book.ask.write("dishes.archive", key=form_key(), dish_id=dish_id)
    again = partial(_dishes_refused, book)
    return after(answer, "已停用", f"{book.at}/dishes", again)


PAGES = (
    ("GET", "/dishes", dishes),
    ("GET", "/dishes/new", entering),
    ("POST", "/dishes/new", enter),
    ("GET", "/dishes/<uuid:dish_id>", dish),
    ("POST", "/dishes/<uuid:dish_id>", change),
    ("GET", "/dishes/<uuid:dish_id>/archive", sure_of_archiving),
    ("POST", "/dishes/<uuid:dish_id>/archive", archive),
)


def words_known(book: Book) -> dict[str, list[tuple[str, str]]]:
    """Tags and allergens that policy knows, as pairs for boxes to tick."""
    return {name: [(word, word) for word in book.policies[name]] for name in ("diet_tags", "allergens")}


def _listed(book: Book, out_of_use: Mapping[str, str]) -> dict[str, Any]:
    found = listed(book.ask, "dishes.list", {"canteen_id": str(book.canteen_id), **out_of_use})
    return {**found, "asked": dict(out_of_use)}


def _dishes_refused(book: Book, refusal: Refusal) -> Response:
    return book.drawn("menus/dishes.html", refusal=refusal, **_listed(book, {}), shows_all=False)


def _lost(book: Book) -> Response:
    tell(_GONE)
    return go(f"{book.at}/dishes")


def _found(book: Book, dish_id: UUID) -> Item | None:
    every = book.ask.everything("dishes.list", {"canteen_id": str(book.canteen_id)}, most=5000)
    return next((one for one in every if one["dish_id"] == str(dish_id)), None)


def _written() -> dict[str, Any] | Refusal:
    """A dish as the form says it."""
    sent = filled()
    price = price_in(sent)
    if isinstance(price, Refusal):
        return price
    if price is None:
        return wrong(PRICE, "请写平常卖多少钱")
    several = {name: request.form.getlist(name) for name in SEVERAL}
    return {**{name: sent.get(name) for name in ("name", "portion", "sources")}, **several, "price_fen": price}


def _beside(refusal: Refusal) -> Refusal:
    if refusal.code == "dish_name_taken":
        return Refusal(refusal.title, refusal.code, refusal.facts, {"name": [refusal.title]})
    return renamed(refusal, {"price_fen": PRICE})


def _form(book: Book, found: Item | None, refusal: Refusal | None = None) -> Response:
    said = found or {"diet_forms": ["normal"], "diet_tags": [], "allergens": []}
    picked = {name: said[name] if refusal is None else request.form.getlist(name) for name in SEVERAL}
    shown = {"dish": found, "forms": FORMS, "known": words_known(book), "picked": picked}
    return book.drawn("menus/dish.html", refusal=refusal, **shown)
