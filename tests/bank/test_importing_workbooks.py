"""An office's workbook goes into the bank: people, hours, balances; again, and nothing changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.factories.imports import NOON, balances_of, bring_in, rejected_rows, rows_of_all_tables
from tests.factories.workbooks import write_untidy_workbook
from timebank.core import clock
from timebank.core.db import Database
from timebank.importing.report import Counts

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "pilot_workbook.xlsx"


@pytest.fixture(autouse=True)
def _noon() -> None:
    clock.freeze(NOON)


def test_the_sample_goes_in_with_its_counts_reasons_and_balances(bank: Database) -> None:
    expected = json.loads((DATA / "pilot_workbook.expected.json").read_text(encoding="utf-8"))
    report = bring_in(bank, SAMPLE)
    assert report.new == Counts(expected["volunteers"], expected["elders"], expected["records"])
    assert report.minutes == expected["minutes"]
    assert report.already_present == Counts(0, 0, 0)
    assert rejected_rows(report) == {
        sheet: [(row["row"], row["reason"]) for row in rows] for sheet, rows in expected["rejected"].items()
    }
    volunteers = [number for number, person in expected["people"].items() if person["role"] == "volunteer"]
    earned = {number: expected["minutes_by_volunteer_id"].get(number, 0) for number in volunteers}
    assert balances_of(bank, volunteers) == earned


def test_the_sample_again_changes_not_a_single_row(bank: Database) -> None:
    first = bring_in(bank, SAMPLE)
    before = rows_of_all_tables(bank)
    second = bring_in(bank, SAMPLE, approved_by="另一人")
    assert rows_of_all_tables(bank) == before
    assert (second.new, second.minutes) == (Counts(0, 0, 0), 0)
    assert second.already_present == first.new
    assert second.rejected == first.rejected


@pytest.mark.parametrize("seed", [101, 102, 103, 104])
def test_other_workbooks_go_in_and_go_in_once(bank: Database, tmp_path: Path, seed: int) -> None:
    path = tmp_path / "a.xlsx"
    expected = write_untidy_workbook(path, seed)
    first = bring_in(bank, path)
    assert first.new == Counts(len(expected.volunteers), len(expected.elders), expected.records)
    assert rejected_rows(first) == expected.rejected
    earned = {number: expected.minutes_by_volunteer_id.get(number, 0) for number in expected.volunteers}
    assert balances_of(bank, expected.volunteers) == earned
    before = rows_of_all_tables(bank)
    assert bring_in(bank, path).rejected == first.rejected
    assert rows_of_all_tables(bank) == before
