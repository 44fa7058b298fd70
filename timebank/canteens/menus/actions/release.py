"""Releasing a week's menu 发布菜单: everything is checked and every fault named; then it is out, or nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.menus.actions.items import entry_of
from timebank.canteens.menus.models import Menu
from timebank.canteens.menus.queries import canteen_run_by, items_of, lock_menu, love_meal_rules
from timebank.canteens.menus.rules import (
    Entry,
    Fault,
    faults_of,
    must_be_draft,
    must_be_releasable,
    must_have_items,
    must_not_be_over,
)
from timebank.canteens.network.queries import services_on
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.policies.queries import in_force

_NOT_SERVING = ("canteen_closed_that_day", "meal_not_served")


def release_menu(session: Session, *, actor: Actor, menu_id: UUID) -> Menu:
    """Release a draft: from now on it can be ordered from.

    Raises NotFound ``menu_unknown``; NotAllowed ``menus_not_yours``; Conflict ``menu_released``; Refused
    ``menu_week_over``, ``canteen_not_open``, ``menu_empty``, ``menu_not_releasable`` with every fault.
    """
    menu = lock_menu(session, menu_id)
    canteen_run_by(session, actor, menu.canteen_id)
    must_be_draft(menu.state)
    must_not_be_over(menu.week_starts_on, clock.today())
    entries = [entry_of(item) for item in items_of(session, menu.id)]
    must_have_items(len(entries))
    must_be_releasable(_faults(session, menu, entries))
    menu.state, menu.released_at = "released", clock.now()
    menu.released_by, menu.released_by_name = actor.login_id, actor.name
    session.flush()
    note_down(session, actor=actor, action="menu_released", subject=("menu", menu.id), items=len(entries))
    return menu


def must_fit_released(session: Session, menu: Menu, entry: Entry) -> None:
    """An item that joins a released menu is as it would have to be on release.

    Raises Refused ``canteen_not_open``, ``menu_not_releasable``.
    """
    must_be_releasable([fault for fault in _faults(session, menu, [entry]) if fault.name])


def _faults(session: Session, menu: Menu, entries: Sequence[Entry]) -> list[Fault]:
    return faults_of(
        entries,
        closed=_closed_meals(session, menu),
        week_starts_on=menu.week_starts_on,
        today=clock.today(),
        love_meals=love_meal_rules(session, in_force(session, at=clock.now()), menu.canteen_id),
    )


def _closed_meals(session: Session, menu: Menu) -> dict[tuple[date, str], str]:
    """The meals of the menu's week that the canteen does not serve, and whether it serves anything that day.

    Raises Refused where it does not serve at all.
    """
    days = [menu.week_starts_on + timedelta(days=n) for n in range(7)]
    wanted = [(menu.canteen_id, day, str(meal)) for day in days for meal in Meal]
    found = services_on(session, wanted)
    refusals = {(day, meal): said for (_, day, meal), said in found.items() if isinstance(said, BankError)}
    for refusal in refusals.values():
        if refusal.code not in _NOT_SERVING:
            raise refusal
    whole_days = {day for day in days if all((day, str(meal)) in refusals for meal in Meal)}
    return {place: "day_not_served" if place[0] in whole_days else "meal_not_served" for place in refusals}
