"""Bringing workbooks into a bank, and looking at what came of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from timebank.core.db import Base, Database
from timebank.importing.actions import import_workbook
from timebank.importing.report import ImportReport
from timebank.importing.workbook import open_workbook
from timebank.ledger.queries import balance_of
from timebank.people.queries import people_by_id_numbers

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
"""Noon in Fenghua on the day for which the sample's expectations were written."""


def bring_in(bank: Database, path: Path, *, approved_by: str = "陈主任") -> ImportReport:
    """Import the file at ``path`` in a unit of work of its own."""
    with bank.unit_of_work() as session:
        return import_workbook(session, workbook=open_workbook(path), approved_by=approved_by)


def rejected_rows(report: ImportReport) -> dict[str, list[tuple[int, str]]]:
    """Row and reason of every refused row, by sheet."""
    return {sheet: [(row.row, row.reason) for row in rows] for sheet, rows in report.rejected.items()}


def balances_of(bank: Database, id_numbers: Collection[str]) -> dict[str, int]:
    """What each of these people may use, in minutes, by identity number; people not entered are left out."""
    with bank.session() as session:
        people = people_by_id_numbers(session, id_numbers)
        return {number: balance_of(session, person.id).available_minutes for number, person in people.items()}


def rows_of_all_tables(bank: Database) -> dict[str, list[Any]]:
    """Every row of every table as the database keeps it, so that not even a changed column goes unseen."""
    with bank.session() as session:
        return {
            table.name: sorted(map(str, session.execute(text(f'SELECT t.*, t.xmin FROM "{table.name}" t'))))
            for table in Base.metadata.sorted_tables
        }
