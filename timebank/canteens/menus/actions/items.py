"""Items of a menu as they are written: from a form, and what it leaves open from the dish that it names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.menus.models import Menu, MenuDish, MenuItem
from timebank.canteens.menus.queries import dish_unknown
from timebank.canteens.menus.rules import Entry, must_be_known, must_lie_in_week
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.pricing.rules import DietForm
from timebank.core import clock
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.policies.queries import in_force

_FROM_DISH = ("name", "portion", "price_fen", "diet_forms", "diet_tags", "allergens", "sources")
_WITHOUT_DISH: Mapping[str, Any] = {
    "portion": "",
    "price_fen": None,
    "diet_forms": (DietForm.NORMAL,),
    "diet_tags": (),
    "allergens": (),
    "sources": "",
}
_SEVERAL = ("diet_forms", "diet_tags", "allergens")


class Worded(Protocol):
    """What has words of policy in it; None where it says nothing of its own."""

    @property
    def diet_tags(self) -> Sequence[str] | None:
        """饮食标签."""

    @property
    def allergens(self) -> Sequence[str] | None:
        """过敏原."""


@dataclass(frozen=True, slots=True)
class ItemForm:
    """An item as it is written; what is None is taken from the dish, if one is named."""

    served_on: date
    meal: str
    dish_id: UUID | None = None
    name: str | None = None
    portion: str | None = None
    price_fen: int | None = None
    is_love_meal: bool = False
    diet_forms: Sequence[str] | None = None
    diet_tags: Sequence[str] | None = None
    allergens: Sequence[str] | None = None
    sources: str | None = None
    portions_limit: int | None = None


def check_words(session: Session, canteen_id: UUID, forms: Iterable[Worded]) -> None:
    """Tags and allergens are those that policy knows. Raises Refused ``diet_word_unknown``."""
    policies, township_code = in_force(session, at=clock.now()), organisation_of(session, canteen_id).township_code
    known = {field: policies.value(field, township_code) for field in ("diet_tags", "allergens")}
    for form in forms:
        for field, words in known.items():
            must_be_known(getattr(form, field) or (), words, field=field)


def written_items(session: Session, menu: Menu, forms: Collection[ItemForm]) -> list[dict[str, Any]]:
    """What is kept of each form, by column.

    Raises Refused ``day_outside_week``, ``diet_word_unknown``, ``dish_name_missing``; NotFound ``dish_unknown``.
    """
    check_words(session, menu.canteen_id, forms)
    dishes = _dishes(session, menu.canteen_id, {form.dish_id for form in forms if form.dish_id is not None})
    written = []
    for form in forms:
        must_lie_in_week(form.served_on, menu.week_starts_on)
        if form.dish_id is not None and form.dish_id not in dishes:
            raise dish_unknown(form.dish_id)
        written.append(_written(form, dishes.get(form.dish_id) if form.dish_id is not None else None))
    return written


def new_item(menu: Menu, written: Mapping[str, Any]) -> MenuItem:
    """A new item of a menu."""
    return MenuItem(id=new_id(), menu_id=menu.id, canteen_id=menu.canteen_id, portions_ordered=0, **written)


def entry_of(item: MenuItem) -> Entry:
    """An item as rules judge it."""
    return Entry(item.served_on, item.meal, item.name, item.price_fen, item.is_love_meal, item.dish_id)


def entry_written(written: Mapping[str, Any]) -> Entry:
    """The same of one that is not an item yet."""
    kept = {field: written[field] for field in ("served_on", "meal", "name", "price_fen", "is_love_meal", "dish_id")}
    return Entry(**kept)


def _dishes(session: Session, canteen_id: UUID, ids: Collection[UUID]) -> dict[UUID, MenuDish]:
    query = select(MenuDish).where(
        MenuDish.id.in_(ids), MenuDish.canteen_id == canteen_id, MenuDish.archived_at.is_(None)
    )
    return {dish.id: dish for dish in session.scalars(query)}


def _written(form: ItemForm, dish: MenuDish | None) -> dict[str, Any]:
    written: dict[str, Any] = {
        "served_on": form.served_on,
        "meal": form.meal,
        "dish_id": form.dish_id,
        "is_love_meal": form.is_love_meal,
        "portions_limit": form.portions_limit,
    }
    for field in _FROM_DISH:
        said = getattr(form, field)
        if said is None:
            said = getattr(dish, field) if dish is not None else _WITHOUT_DISH.get(field)
        # A word said twice is kept once.
        written[field] = list(dict.fromkeys(said)) if field in _SEVERAL else said
    if not written["name"]:
        raise Refused("dish_name_missing", "请写明菜名，或从菜品中选择", field="name")
    return written
