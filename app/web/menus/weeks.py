"""Weeks of a canteen: which there are, beginning one, looking at it by days and meals, and releasing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from flask import Response

from app.web.asking import Refusal
from app.web.counter.meals import MEALS
from app.web.desk.imports import weeks as coming_weeks
from app.web.doors import form_key
from app.web.lists import listed, renamed
from app.web.menus.where import AT_THE_COUNTER, Book, Item, day_said, days_of, served
from app.web.screens import day_text, filled
from app.web.steps import after
from timebank.canteens.menus.rules import FAULTS
from timebank.core.clock import today

_A_PAGE = 12
_SOURCES = 30


def weeks(book: Book) -> Response:
    """Weeks that there are, and a form for one that is still to come."""
    return _weeks_page(book)


def begin(book: Book) -> Response:
    """Begin a week: empty, or as a copy of another one."""
    sent = filled()
    source, _, from_week = sent.get("source", "").partition(" ")
    place = {"canteen_id": str(book.canteen_id)}
    if source:
        copied = {**place, "from_canteen_id": source, "from_week": from_week, "to_week": sent.get("week")}
        answer = book.ask.write("menus.copy", copied, key=form_key())
    else:
        blank: dict[str, Any] = {**place, "week_starts_on": sent.get("week"), "items": [], "only_if_empty": True}
        answer = book.ask.write("menus.draft", blank, key=form_key())
    if isinstance(answer, Refusal):
        return _weeks_page(book, renamed(answer, {"to_week": "week", "week_starts_on": "week", "from_week": "source"}))
    words = f"已复制 {answer['items_count']} 道菜，请看一遍再发布" if source else "草稿已建好，请逐天加菜"
    return after(answer, words, f"{book.at}/{answer['menu_id']}", lambda refusal: _weeks_page(book, refusal))


def week(book: Book, menu_id: UUID) -> Response:
    """A week at a glance: days and meals."""
    return _week_page(book, menu_id)


def day(book: Book, menu_id: UUID, served_on: str) -> Response:
    """One day of a week, meal by meal."""
    return day_page(book, menu_id, day_said(served_on))


def sure_of_release(book: Book, menu_id: UUID) -> Response:
    """What is about to be released, once more."""
    menu = book.ask.read("menus.week", menu_id=menu_id)
    facts = [
        ("助餐点", str(book.canteen["name"])),
        ("哪一周", f"{day_text(menu['week_starts_on'])}起的一周"),
        ("菜", f"{menu['items_count']} 道"),
        ("其中爱心餐", f"{menu['love_meals_count']} 道"),
    ]
    warning = "发布后老人就能看到并订餐。以后只能逐道改价、限量、撤下或加菜，不能退回草稿。"
    return book.sure("发布这一周的菜单", facts, doing="发布", warning=warning, back=f"{book.at}/{menu_id}")


def release(book: Book, menu_id: UUID) -> Response:
    """Release a draft; where something is wrong with it, the week again with every fault at its dish."""
    answer = book.ask.write("menus.release", key=form_key(), menu_id=menu_id)
    words = "已发布，老人现在可以订餐"
    return after(answer, words, f"{book.at}/{menu_id}", lambda refusal: _week_page(book, menu_id, refusal))


def sure_of_emptying(book: Book, menu_id: UUID) -> Response:
    """What is about to be thrown away."""
    menu = book.ask.read("menus.week", menu_id=menu_id)
    facts = [("哪一周", f"{day_text(menu['week_starts_on'])}起的一周"), ("菜", f"{menu['items_count']} 道")]
    warning = "草稿里的菜全部删去，不能找回。清空后可以重新编，也可以从别的周复制。"
    return book.sure("清空这一周的草稿", facts, doing="全部删去", warning=warning, back=f"{book.at}/{menu_id}")


def empty(book: Book, menu_id: UUID) -> Response:
    """Take everything out of a draft."""
    menu = book.ask.read("menus.week", menu_id=menu_id)
    whole = {"canteen_id": menu["canteen_id"], "week_starts_on": menu["week_starts_on"], "items": []}
    answer = book.ask.write("menus.draft", whole, key=form_key())
    return after(answer, "草稿已清空", f"{book.at}/{menu_id}", lambda refusal: _week_page(book, menu_id, refusal))


PAGES = (
    ("GET", "", weeks),
    ("POST", "", begin),
    ("GET", "/<uuid:menu_id>", week),
    ("GET", "/<uuid:menu_id>/days/<served_on>", day),
    ("GET", "/<uuid:menu_id>/release", sure_of_release),
    ("POST", "/<uuid:menu_id>/release", release),
    ("GET", "/<uuid:menu_id>/empty", sure_of_emptying),
    ("POST", "/<uuid:menu_id>/empty", empty),
)


def day_page(book: Book, menu_id: UUID, served_on: date, refusal: Refusal | None = None) -> Response:
    """One day of a week, meal by meal, with what may be done."""
    menu = book.ask.read("menus.week", menu_id=menu_id)
    items = [one for one in book.items(menu) if one["served_on"] == str(served_on)]
    open_for = served(book.canteen, served_on)
    return book.drawn(
        "menus/day.html",
        refusal=refusal,
        menu=menu,
        days=days_of(menu),
        shown_day=served_on,
        past=served_on < today(),
        open_for=open_for,
        dishes={meal: [one for one in items if one["meal"] == meal] for meal in MEALS},
        love_meals=_love_meals(items)[str(served_on)],
        least=book.policies["love_meals_min_per_day"],
        most_fen=book.policies["love_meal_max_fen"],
    )


def _weeks_page(book: Book, refusal: Refusal | None = None) -> Response:
    of_this = {"canteen_id": str(book.canteen_id)}
    found = listed(book.ask, "menus.weeks", of_this, limit=_A_PAGE)
    return book.drawn(
        "menus/weeks.html",
        refusal=refusal,
        items=found["items"],
        next_cursor=found["next_cursor"],
        monday=str(today() - timedelta(days=today().weekday())),
        **(_beginning(book) if book.may_write else {"free": [], "sources": []}),
        others=_served_by(book),
    )


def _beginning(book: Book) -> dict[str, Any]:
    """Weeks that have nothing on them yet, and what one may be copied from."""
    of_this = {"canteen_id": str(book.canteen_id), "limit": _SOURCES}
    there = book.ask.read("menus.weeks", of_this)["items"]
    written = {one["week_starts_on"] for one in there if one["items_count"] or one["state"] != "draft"}
    sources = [(_source(one), _source_name(one, "")) for one in there if one["items_count"]]
    if book.canteen["kitchen_id"]:
        name = f"{book.canteen['kitchen_name']}："
        asked = {"canteen_id": str(book.canteen["kitchen_id"]), "limit": _SOURCES}
        cooked = book.ask.read("menus.weeks", asked)["items"]
        sources += [(_source(one), _source_name(one, name)) for one in cooked if one["items_count"]]
    free = [one for one in coming_weeks() if one[0] not in written]
    return {"free": free, "sources": sources}


def _source(menu: Item) -> str:
    return f"{menu['canteen_id']} {menu['week_starts_on']}"


def _source_name(menu: Item, of: str) -> str:
    return f"复制{of}{day_text(menu['week_starts_on'])}起的一周（{menu['items_count']} 道）"


def _served_by(book: Book) -> list[Item]:
    """The canteens that a clerk's own one cooks for, and writes menus for too."""
    if book.where is not AT_THE_COUNTER:
        return []
    own = str(book.ask.actor.organisation_id)
    found = book.ask.everything("canteens.list")
    others = [one for one in found if own in (str(one["canteen_id"]), str(one["kitchen_id"]))]
    return [one for one in others if str(one["canteen_id"]) != str(book.canteen_id)]


def _week_page(book: Book, menu_id: UUID, refusal: Refusal | None = None) -> Response:
    menu = book.ask.read("menus.week", menu_id=menu_id)
    items = book.items(menu)
    days = days_of(menu)
    cells: dict[tuple[str, str], list[Item]] = {}
    for one in items:
        cells.setdefault((one["served_on"], one["meal"]), []).append(one)
    open_for = {str(one): served(book.canteen, one) for one in days}
    faults = [] if refusal is None else refusal.facts.get("faults", [])
    return book.drawn(
        "menus/week.html",
        refusal=refusal,
        menu=menu,
        days=days,
        cells=cells,
        open_for=open_for,
        shown_meals=[meal for meal in MEALS if _is_shown(meal, open_for, cells)],
        love_meals=_love_meals(items),
        least=book.policies["love_meals_min_per_day"],
        most_fen=book.policies["love_meal_max_fen"],
        faults=faults,
        wrong_at=_by_place(faults),
        today=today(),
    )


def _is_shown(meal: str, open_for: dict[str, list[str]], cells: dict[tuple[str, str], list[Item]]) -> bool:
    return any(meal in meals for meals in open_for.values()) or any(meal == there for _, there in cells)


def _love_meals(items: Sequence[Item]) -> Counter[str]:
    return Counter(one["served_on"] for one in items if one["is_love_meal"] and not one["withdrawn_at"])


def _by_place(faults: Sequence[dict[str, str]]) -> dict[tuple[str, str, str], list[str]]:
    found: dict[tuple[str, str, str], list[str]] = {}
    for one in faults:
        found.setdefault((one["served_on"], one["meal"], one["name"]), []).append(FAULTS[one["fault"]])
    return found
