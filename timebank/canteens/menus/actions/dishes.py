"""A canteen's book of dishes 菜品: enter, change, archive. Menus keep the copies that they took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.menus.actions.items import check_words
from timebank.canteens.menus.models import MenuDish
from timebank.canteens.menus.queries import canteen_run_by, lock_dish
from timebank.canteens.network.queries import lock_canteen
from timebank.canteens.pricing.rules import DietForm
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict
from timebank.core.ids import new_id


@dataclass(frozen=True, slots=True)
class DishForm:
    """A dish as it is entered or changed; ``price_fen`` is what it usually costs."""

    name: str
    price_fen: int
    portion: str = ""
    diet_forms: Sequence[str] = (DietForm.NORMAL,)
    diet_tags: Sequence[str] = ()
    allergens: Sequence[str] = ()
    sources: str = ""


def enter_dish(session: Session, *, actor: Actor, canteen_id: UUID, form: DishForm) -> MenuDish:
    """Enter a dish into a canteen's book.

    Raises NotFound ``canteen_unknown``; NotAllowed ``menus_not_yours``; Refused ``diet_word_unknown``; Conflict
    ``dish_name_taken``.
    """
    canteen_run_by(session, actor, canteen_id)
    check_words(session, canteen_id, [form])
    _must_be_free(session, canteen_id, form.name)
    dish = MenuDish(
        id=new_id(),
        canteen_id=canteen_id,
        entered_at=clock.now(),
        entered_by=actor.login_id,
        entered_by_name=actor.name,
        **_written(form),
    )
    session.add(dish)
    session.flush()
    return dish


def change_dish(session: Session, *, actor: Actor, dish_id: UUID, form: DishForm) -> MenuDish:
    """Change a dish as a whole; menus written before keep what they say.

    Raises NotFound ``dish_unknown``; NotAllowed ``menus_not_yours``; Refused ``diet_word_unknown``; Conflict
    ``dish_archived``, ``dish_name_taken``.
    """
    dish = _own_dish(session, actor, dish_id)
    check_words(session, dish.canteen_id, [form])
    _must_be_free(session, dish.canteen_id, form.name, dish.id)
    for field, value in _written(form).items():
        setattr(dish, field, value)
    session.flush()
    return dish


def archive_dish(session: Session, *, actor: Actor, dish_id: UUID) -> MenuDish:
    """Take a dish out of the book for good 停用; its name is free again.

    Raises NotFound ``dish_unknown``; NotAllowed ``menus_not_yours``; Conflict ``dish_archived``.
    """
    dish = _own_dish(session, actor, dish_id)
    dish.archived_at = clock.now()
    session.flush()
    return dish


def _own_dish(session: Session, actor: Actor, dish_id: UUID) -> MenuDish:
    dish = lock_dish(session, dish_id)
    canteen_run_by(session, actor, dish.canteen_id)
    if dish.archived_at is not None:
        raise Conflict("dish_archived", "这道菜品已经停用", dish_id=dish_id)
    return dish


def _must_be_free(session: Session, canteen_id: UUID, name: str, dish_id: UUID | None = None) -> None:
    # One at a time for each canteen, so that two clerks do not give one name at the same moment.
    lock_canteen(session, canteen_id)
    same = select(MenuDish.id).where(
        MenuDish.canteen_id == canteen_id, MenuDish.name == name, MenuDish.archived_at.is_(None)
    )
    if session.scalar(same) not in (None, dish_id):
        raise Conflict("dish_name_taken", f"已经有一道叫“{name}”的菜品", name=name)


def _written(form: DishForm) -> dict[str, object]:
    """What is kept of a form; a word said twice is kept once."""
    several = {field: list(dict.fromkeys(getattr(form, field))) for field in ("diet_forms", "diet_tags", "allergens")}
    return asdict(form) | several
