"""Writing next week's menu 编制菜单: whole or item by item, or copied from another week and then adjusted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.canteens.menus.actions.items import ItemForm, entry_of, entry_written, new_item, written_items
from timebank.canteens.menus.actions.release import must_fit_released
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.menus.queries import canteen_run_by, items_of, lock_item, lock_menu, menu_of_week, menu_unknown
from timebank.canteens.menus.rules import (
    must_be_draft,
    must_be_empty,
    must_be_to_come,
    must_come_once,
    must_not_be_over,
    must_start_on_monday,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id

_COPIED = (
    *("meal", "dish_id", "name", "portion", "price_fen", "is_love_meal"),
    *("diet_forms", "diet_tags", "allergens", "sources", "portions_limit"),
)


def draft_menu(
    session: Session,
    *,
    actor: Actor,
    canteen_id: UUID,
    week_starts_on: date,
    items: Sequence[ItemForm],
    only_if_empty: bool = False,
) -> Menu:
    """Write a week's draft whole: afterwards it holds these items and no others.

    An item that stays at its meal under its name keeps its id; with ``only_if_empty`` nothing that somebody else has
    written meanwhile is lost. Raises NotFound ``canteen_unknown``, ``dish_unknown``;
    NotAllowed ``menus_not_yours``; Refused ``week_not_monday``, ``menu_week_over``, ``day_outside_week``,
    ``diet_word_unknown``, ``dish_name_missing``, ``dish_twice``; Conflict ``menu_released``, ``menu_has_items``.
    """
    menu = open_draft(session, actor=actor, canteen_id=canteen_id, week_starts_on=week_starts_on)
    if only_if_empty:
        must_be_empty(len(items_of(session, menu.id)), week_starts_on)
    written = written_items(session, menu, items)
    must_come_once([entry_written(one) for one in written])
    there = {_place(vars(item)): item for item in items_of(session, menu.id)}
    for one in written:
        item = there.pop(_place(one), None)
        if item is None:
            session.add(new_item(menu, one))
        else:
            _rewrite(item, one)
    for item in there.values():
        session.delete(item)
    session.flush()
    return menu


def open_draft(session: Session, *, actor: Actor, canteen_id: UUID, week_starts_on: date) -> Menu:
    """A week's draft, locked; a new one where there is none.

    Raises NotFound ``canteen_unknown``; NotAllowed ``menus_not_yours``; Refused ``week_not_monday``,
    ``menu_week_over``; Conflict ``menu_released``.
    """
    menu = open_menu(session, actor=actor, canteen_id=canteen_id, week_starts_on=week_starts_on)
    must_be_draft(menu.state)
    return menu


def open_menu(session: Session, *, actor: Actor, canteen_id: UUID, week_starts_on: date) -> Menu:
    """The same, also where the week's menu is released already."""
    canteen_run_by(session, actor, canteen_id)
    must_start_on_monday(week_starts_on)
    must_not_be_over(week_starts_on, clock.today())
    begun = insert(Menu).values(
        id=new_id(),
        canteen_id=canteen_id,
        week_starts_on=week_starts_on,
        state="draft",
        drafted_at=clock.now(),
        drafted_by=actor.login_id,
        drafted_by_name=actor.name,
    )
    session.execute(begun.on_conflict_do_nothing())
    same = select(Menu.id).where(Menu.canteen_id == canteen_id, Menu.week_starts_on == week_starts_on)
    return lock_menu(session, session.scalars(same).one())


def add_item(session: Session, *, actor: Actor, menu_id: UUID, form: ItemForm) -> MenuItem:
    """Add an item to a draft, or to a released week, where it is checked as on release.

    Raises NotFound ``menu_unknown``, ``dish_unknown``; NotAllowed ``menus_not_yours``; Refused ``day_outside_week``,
    ``diet_word_unknown``, ``dish_name_missing``, ``dish_twice``; for a released week ``menu_day_over``,
    ``menu_not_releasable``, ``canteen_not_open``.
    """
    menu = _own_menu(session, actor, menu_id)
    (written,) = written_items(session, menu, [form])
    must_come_once([*map(entry_of, items_of(session, menu.id)), entry_written(written)])
    if menu.state == "released":
        must_be_to_come(form.served_on, clock.today())
        must_fit_released(session, menu, entry_written(written))
    item = new_item(menu, written)
    session.add(item)
    session.flush()
    return item


def change_item(session: Session, *, actor: Actor, menu_item_id: UUID, form: ItemForm) -> MenuItem:
    """Write an item of a draft anew.

    Raises NotFound ``menu_item_unknown``, ``dish_unknown``; NotAllowed ``menus_not_yours``; Refused
    ``day_outside_week``, ``diet_word_unknown``, ``dish_name_missing``, ``dish_twice``; Conflict ``menu_released``.
    """
    menu, item = lock_item(session, menu_item_id)
    canteen_run_by(session, actor, menu.canteen_id)
    must_be_draft(menu.state)
    (written,) = written_items(session, menu, [form])
    others = [entry_of(other) for other in items_of(session, menu.id) if other.id != item.id]
    must_come_once([*others, entry_written(written)])
    _rewrite(item, written)
    session.flush()
    return item


def remove_item(session: Session, *, actor: Actor, menu_item_id: UUID) -> Menu:
    """Take an item out of a draft; answers the menu.

    Raises NotFound ``menu_item_unknown``; NotAllowed ``menus_not_yours``; Conflict ``menu_released``.
    """
    menu, item = lock_item(session, menu_item_id)
    canteen_run_by(session, actor, menu.canteen_id)
    must_be_draft(menu.state)
    session.delete(item)
    session.flush()
    return menu


def copy_menu(
    session: Session,
    *,
    actor: Actor,
    canteen_id: UUID,
    from_week: date,
    to_week: date,
    from_canteen_id: UUID | None = None,
) -> Menu:
    """Copy a week, released or not, into an empty draft of another; of the canteen itself or of its kitchen.

    Nothing withdrawn or sold out is carried over as such. Raises NotFound ``canteen_unknown``, ``menu_unknown``;
    NotAllowed ``menus_not_yours``; Refused ``week_not_monday``, ``menu_week_over``; Conflict ``menu_released``,
    ``menu_has_items``.
    """
    source_id = from_canteen_id or canteen_id
    canteen = canteen_run_by(session, actor, canteen_id)
    if source_id not in (canteen_id, canteen.kitchen_id):
        raise menu_unknown(canteen_id=source_id, week_starts_on=from_week)
    source = menu_of_week(session, source_id, from_week)
    menu = open_draft(session, actor=actor, canteen_id=canteen_id, week_starts_on=to_week)
    must_be_empty(len(items_of(session, menu.id)), to_week)
    later = menu.week_starts_on - source.week_starts_on
    for item in items_of(session, source.id):
        session.add(new_item(menu, _copied(item, later, own=source_id == canteen_id)))
    session.flush()
    return menu


def _copied(item: MenuItem, later: timedelta, *, own: bool) -> dict[str, Any]:
    kept = {field: getattr(item, field) for field in _COPIED}
    # Another canteen's book of dishes is its own.
    return kept | {"served_on": item.served_on + later, "dish_id": item.dish_id if own else None}


def _own_menu(session: Session, actor: Actor, menu_id: UUID) -> Menu:
    menu = lock_menu(session, menu_id)
    canteen_run_by(session, actor, menu.canteen_id)
    return menu


def _place(written: dict[str, Any]) -> tuple[date, str, str]:
    return written["served_on"], written["meal"], written["name"]


def _rewrite(item: MenuItem, written: dict[str, Any]) -> None:
    for field, value in written.items():
        if getattr(item, field) != value:
            setattr(item, field, value)
