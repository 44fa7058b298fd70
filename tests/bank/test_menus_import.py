"""A menu's workbook goes into a draft: good rows in, bad rows back, twice changes nothing, released weeks stay."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.menus import a_row, menu_workbook
from tests.factories.people import DAYAN, XIWU, district, steward
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.menus.queries import items_of
from timebank.canteens.network.models import Canteen
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import NotAllowed, Refused
from timebank.importing.actions.import_menu import MenuImport, import_menu
from timebank.importing.headings import MENU
from timebank.importing.menu_rows import REASONS
from timebank.importing.menu_workbook import MenuWorkbook, read_menu_workbook
from timebank.importing.rejects import write_rejects

NEXT = date(2026, 3, 16)
ROWS = [
    a_row(NEXT, 爱心餐="是", price=8, 限量=30),
    a_row(NEXT, "早饭", "白粥", 2),
    a_row("三月十六", name="鱼"),
    a_row(NEXT + timedelta(days=1), "晚餐", "蒸蛋", 9.5),
]


@pytest.fixture
def canteen(bank: Database) -> Canteen:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return open_canteen(session, XIWU)


def bring_in(
    bank: Database, canteen: Canteen, rows: list[list[object]], *, actor: Actor | None = None, **how: Any
) -> MenuImport:
    """The rows as a workbook, handed in."""
    content = menu_workbook(rows)
    with bank.unit_of_work() as session:
        return import_menu(
            session,
            actor=actor or canteen_clerk(canteen),
            canteen_id=canteen.id,
            week_starts_on=how.pop("week", NEXT),
            read=lambda: read_menu_workbook(content, name="菜单.xlsx"),
            **how,
        )


def told(done: MenuImport) -> tuple[int, int, int, list[tuple[int, str]]]:
    return done.added, done.changed, done.already_present, [(one.row, one.reason) for one in done.rejected]


def test_good_rows_become_a_draft_and_twice_changes_nothing(bank: Database, canteen: Canteen) -> None:
    done = bring_in(bank, canteen, ROWS)
    assert told(done) == (3, 0, 0, [(4, "day_unreadable")])
    with bank.session() as session:
        menu = session.get_one(Menu, done.menu_id)
        items = {item.id: (item.name, item.price_fen, item.portions_limit) for item in items_of(session, menu.id)}
        assert (menu.state, menu.week_starts_on, menu.canteen_id) == ("draft", NEXT, canteen.id)
        assert sorted(items.values(), key=str) == [("白粥", 200, None), ("红烧肉", 800, 30), ("蒸蛋", 950, None)]
    again = bring_in(bank, canteen, ROWS)
    assert told(again) == (0, 0, 3, [(4, "day_unreadable")])
    with bank.session() as session:
        assert {item.id for item in session.scalars(select(MenuItem))} == set(items)
        facts = session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "menu_imported")).all()
        assert [(one["file"], one["rows"], len(one["sha256"])) for one in facts] == [("菜单.xlsx", 3, 64)]


def test_a_corrected_row_corrects_the_draft_and_what_is_not_listed_stays(bank: Database, canteen: Canteen) -> None:
    first = bring_in(bank, canteen, ROWS[:2])
    done = bring_in(bank, canteen, [a_row(NEXT, 爱心餐="是", price=7.5, 限量=30)])
    assert told(done) == (0, 1, 0, [])
    with bank.session() as session:
        assert {item.name: item.price_fen for item in items_of(session, first.menu_id)} == {"白粥": 200, "红烧肉": 750}  # type: ignore[arg-type]


def test_a_trial_run_tells_the_same_and_writes_nothing(bank: Database, canteen: Canteen) -> None:
    done = bring_in(bank, canteen, ROWS, dry_run=True)
    assert (told(done)[0], done.menu_id) == (3, None)
    bring_in(bank, canteen, ROWS[:1])
    assert told(bring_in(bank, canteen, ROWS, dry_run=True))[:3] == (2, 0, 1)
    with bank.session() as session:
        assert len(session.scalars(select(MenuItem)).all()) == 1


def test_a_file_without_one_good_row_begins_no_draft(bank: Database, canteen: Canteen) -> None:
    assert bring_in(bank, canteen, [a_row("?")]).menu_id is None
    with bank.session() as session:
        assert session.scalars(select(Menu)).all() == []


def test_a_released_week_takes_nothing_more(bank: Database, canteen: Canteen) -> None:
    done = bring_in(bank, canteen, ROWS[:2])
    with bank.unit_of_work() as session:
        menu = session.get_one(Menu, done.menu_id)
        menu.state, menu.released_at, menu.released_by_name = "released", clock.now(), "沈师傅"
    rows = [ROWS[0], a_row(NEXT, "早饭", "白粥", 3), a_row(NEXT, name="新菜")]
    assert told(bring_in(bank, canteen, rows)) == (0, 0, 1, [(3, "menu_released"), (4, "menu_released")])
    with bank.session() as session:
        assert sorted(item.price_fen for item in session.scalars(select(MenuItem)) if item.price_fen) == [200, 800]


def test_nobody_else_hands_a_menu_in_and_the_file_is_not_even_read(bank: Database, canteen: Canteen) -> None:
    def never() -> MenuWorkbook:
        raise AssertionError

    for actor, week, refusal, code in (
        (steward(DAYAN), NEXT, NotAllowed, "menus_not_yours"),
        (district(), NEXT + timedelta(days=1), Refused, "week_not_monday"),
        (district(), date(2026, 3, 2), Refused, "menu_week_over"),
    ):
        with bank.unit_of_work() as session, pytest.raises(refusal, match=code):
            import_menu(session, actor=actor, canteen_id=canteen.id, week_starts_on=week, read=never)


def test_bad_rows_come_back_as_they_stood_and_can_be_handed_in_again(
    bank: Database, canteen: Canteen, tmp_path: Path
) -> None:
    done = bring_in(bank, canteen, [ROWS[2], ROWS[0]])
    file = tmp_path / "退回.xlsx"
    write_rejects(file, done.workbook, {MENU: done.rejected}, REASONS)
    book = openpyxl.load_workbook(file)
    heading, row = ([cell.value for cell in line] for line in book[MENU].iter_rows())
    assert (heading[0], heading[-2:]) == ("日期", ["退回原因", "原因代码"])
    assert (row[0], row[2], row[-3:]) == ("三月十六", "鱼", [2, "日期无法识别", "day_unreadable"])
    book[MENU]["A2"] = NEXT
    book.save(file)
    content = file.read_bytes()
    with bank.unit_of_work() as session:
        corrected = import_menu(
            session,
            actor=district(),
            canteen_id=canteen.id,
            week_starts_on=NEXT,
            read=lambda: read_menu_workbook(content, name="退回.xlsx"),
        )
    assert told(corrected) == (1, 0, 0, [])
