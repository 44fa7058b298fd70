"""Two imports at once, an import that breaks off, and an import while people register themselves."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import func, select, text

from tests.factories.imports import NOON, bring_in, rows_of_all_tables
from tests.factories.people import DAYAN, district
from tests.factories.workbooks import write_plain_workbook, write_untidy_workbook
from timebank.core import clock
from timebank.core.db import Database
from timebank.importing.actions import STEPS, import_workbook
from timebank.importing.report import Counts
from timebank.importing.workbook import WorkbookUnreadable, open_workbook
from timebank.people.actions import Enrolment, enrol
from timebank.tasks.models import Task

HELPER = "330224196509023578"


@pytest.fixture(autouse=True)
def _noon() -> None:
    clock.freeze(NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_plain_workbook(tmp_path / "a.xlsx")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield pool


def _somebody_waits(bank: Database) -> bool:
    with bank.session() as session:
        return bool(session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def _wait_until_somebody_waits(bank: Database) -> None:
    # Patience for a loaded machine; where nobody ever waits, the doubles that follow fail the test.
    pause = Event()
    for _ in range(200):
        if _somebody_waits(bank):
            return
        pause.wait(0.05)
    pytest.fail("nobody waited for the first import")


def test_many_imports_of_the_same_file_at_once_bring_it_once(
    bank: Database, tmp_path: Path, pool: ThreadPoolExecutor
) -> None:
    path = tmp_path / "a.xlsx"
    expected = write_untidy_workbook(path, 11)
    reports = [running.result() for running in [pool.submit(bring_in, bank, path) for _ in range(4)]]
    new = sorted((report.new for report in reports), key=lambda counts: counts.records)
    assert new == [Counts(0, 0, 0)] * 3 + [Counts(len(expected.volunteers), len(expected.elders), expected.records)]
    assert sum(report.minutes for report in reports) == sum(expected.minutes_by_volunteer_id.values())


def test_a_second_import_waits_for_the_first(bank: Database, path: Path, pool: ThreadPoolExecutor) -> None:
    with bank.unit_of_work() as session:
        import_workbook(session, workbook=open_workbook(path), approved_by="甲")
        second = pool.submit(bring_in, bank, path)
        _wait_until_somebody_waits(bank)
    assert second.result().already_present == Counts(1, 1, 1)


def test_who_is_being_enrolled_while_a_roster_comes_in_is_not_doubled(
    bank: Database, path: Path, pool: ThreadPoolExecutor
) -> None:
    form = Enrolment("竺梅", HELPER, DAYAN, None, ("volunteer",))
    with bank.unit_of_work() as session:
        person = enrol(session, actor=district(), form=form)
        running = pool.submit(bring_in, bank, path)
        _wait_until_somebody_waits(bank)
    assert running.result().already_present.volunteers == 1

    def enrol_again() -> object:
        with bank.unit_of_work() as session:
            return enrol(session, actor=district(), form=form).id

    with bank.unit_of_work() as session:
        import_workbook(session, workbook=open_workbook(path), approved_by="甲")
        waiting = pool.submit(enrol_again)
        _wait_until_somebody_waits(bank)
    assert waiting.result() == person.id


@pytest.mark.parametrize("step", STEPS)
def test_an_import_that_breaks_off_leaves_nothing_half_done(bank: Database, path: Path, step: str) -> None:
    def break_off(reached: str) -> None:
        if reached == step:
            raise KeyboardInterrupt

    before = rows_of_all_tables(bank)
    with pytest.raises(KeyboardInterrupt), bank.unit_of_work() as session:
        import_workbook(session, workbook=open_workbook(path), approved_by="甲", on_step=break_off)
    assert rows_of_all_tables(bank) == before
    assert bring_in(bank, path).new == Counts(1, 1, 1)


def test_an_import_that_breaks_off_before_its_commit_leaves_nothing(bank: Database, path: Path) -> None:
    def do_all_and_break_off() -> None:
        with bank.unit_of_work() as session:
            import_workbook(session, workbook=open_workbook(path), approved_by="甲")
            assert session.scalar(select(func.count()).select_from(Task)) == 1
            raise KeyboardInterrupt

    before = rows_of_all_tables(bank)
    with pytest.raises(KeyboardInterrupt):
        do_all_and_break_off()
    assert rows_of_all_tables(bank) == before


def test_an_unreadable_file_changes_nothing(bank: Database, tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK\x03\x04 cut off")
    before = rows_of_all_tables(bank)
    with pytest.raises(WorkbookUnreadable):
        bring_in(bank, path)
    assert rows_of_all_tables(bank) == before
