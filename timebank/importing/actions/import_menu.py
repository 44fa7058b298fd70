"""Importing a week's menu 导入菜单: good rows become a draft, bad ones come back; twice changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.menus.actions import open_menu
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.menus.queries import canteen_run_by, items_of
from timebank.canteens.menus.rules import must_not_be_over, must_start_on_monday, same_name
from timebank.canteens.network.queries import organisation_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.importing.menu_rows import MenuLine, Words, judge_menu
from timebank.importing.menu_workbook import MenuWorkbook
from timebank.importing.rules import Rejected
from timebank.policies.queries import in_force

_SEVERAL = ("diet_forms", "diet_tags", "allergens")
_SINGLE = ("served_on", "meal", "name", "portion", "price_fen", "is_love_meal", "sources", "portions_limit")

Place = tuple[date, str, str]


@dataclass(frozen=True, slots=True)
class MenuImport:
    """What came of an import; ``menu_id`` None for a trial run of a week that has no menu yet."""

    menu_id: UUID | None
    canteen_id: UUID
    week_starts_on: date
    added: int
    changed: int
    already_present: int
    rejected: Sequence[Rejected]
    dry_run: bool
    workbook: MenuWorkbook


def import_menu(
    session: Session,
    *,
    actor: Actor,
    canteen_id: UUID,
    week_starts_on: date,
    read: Callable[[], MenuWorkbook],
    dry_run: bool = False,
) -> MenuImport:
    """Put a workbook's rows into the week's draft; what is on it and not in the workbook stays.

    ``read`` gives the workbook, once it is known that the actor may hand one in. A released week takes nothing: rows
    that it does not hold as they are come back. Raises NotFound ``canteen_unknown``; NotAllowed ``menus_not_yours``;
    Refused ``week_not_monday``, ``menu_week_over``, and what ``read`` raises.
    """
    canteen_run_by(session, actor, canteen_id)
    must_start_on_monday(week_starts_on)
    must_not_be_over(week_starts_on, clock.today())
    workbook = read()
    lines, rejected = judge_menu(workbook.rows, week_starts_on=week_starts_on, words=words_known(session, canteen_id))
    menu = _menu(session, actor, canteen_id, week_starts_on, begin=bool(lines) and not dry_run)
    there = {_place(item): item for item in items_of(session, menu.id)} if menu is not None else {}
    fresh = [line for line in lines if _place(line) not in there]
    other = [line for line in lines if _place(line) in there and _differs(there[_place(line)], line)]
    same = len(lines) - len(fresh) - len(other)
    if menu is not None and menu.state == "released":
        rejected = sorted([*rejected, *(Rejected(line.row, "menu_released") for line in [*fresh, *other])], key=_row)
        fresh, other = [], []
    if menu is not None and not dry_run:
        _write(session, menu, fresh, other, there)
        _note_down(session, actor, menu, workbook, len(fresh) + len(other))
    counts = (len(fresh), len(other), same)
    return MenuImport(menu.id if menu else None, canteen_id, week_starts_on, *counts, rejected, dry_run, workbook)


def words_known(session: Session, canteen_id: UUID | None) -> Words:
    """The tags and allergens that policy knows at a canteen; the district's where none is named."""
    township_code = None if canteen_id is None else organisation_of(session, canteen_id).township_code
    policies = in_force(session, at=clock.now())
    return Words(policies.value("diet_tags", township_code), policies.value("allergens", township_code))


def _menu(session: Session, actor: Actor, canteen_id: UUID, week_starts_on: date, *, begin: bool) -> Menu | None:
    if begin:
        return open_menu(session, actor=actor, canteen_id=canteen_id, week_starts_on=week_starts_on)
    query = select(Menu).where(Menu.canteen_id == canteen_id, Menu.week_starts_on == week_starts_on)
    return session.scalar(query)


def _write(
    session: Session,
    menu: Menu,
    fresh: Sequence[MenuLine],
    other: Sequence[MenuLine],
    there: Mapping[Place, MenuItem],
) -> None:
    for line in fresh:
        kept = _kept(line)
        session.add(MenuItem(id=new_id(), menu_id=menu.id, canteen_id=menu.canteen_id, portions_ordered=0, **kept))
    for line in other:
        for field, value in _kept(line).items():
            setattr(there[_place(line)], field, value)
    session.flush()


def _kept(line: MenuLine) -> dict[str, Any]:
    kept = {field: getattr(line, field) for field in _SINGLE}
    return kept | {field: list(getattr(line, field)) for field in _SEVERAL}


def _differs(item: MenuItem, line: MenuLine) -> bool:
    return any(getattr(item, field) != value for field, value in _kept(line).items())


def _place(one: MenuItem | MenuLine) -> Place:
    return one.served_on, str(one.meal), same_name(one.name)


def _row(rejected: Rejected) -> int:
    return rejected.row


def _note_down(session: Session, actor: Actor, menu: Menu, workbook: MenuWorkbook, rows: int) -> None:
    if rows:
        facts = {"file": workbook.name, "sha256": workbook.sha256, "rows": rows}
        note_down(session, actor=actor, action="menu_imported", subject=("menu", menu.id), **facts)
