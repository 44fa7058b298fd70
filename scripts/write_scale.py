"""Write the measured constants, and the scale that follows from them, into ``docs/scale.md``.

Everything comes out of ``var/year.json``, which ``make year`` writes; a year that was lived through only in part is
called so. ``python -m scripts.write_scale --year var/year.json``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.year.plan import Size

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- measured: python -m scripts.write_scale -->", "<!-- end of what is measured -->"

TIERS = (("district 区", 1), ("city 市", 10), ("province 省", 100))
MEALS_A_YEAR, VISITS_A_YEAR, SERVICE_DAYS = 3_600_000, 164_700, 360
"""The district's, from DOMAIN.md; a city is about ten of it, the province ten cities."""

IN_THE_RUSH, RUSH_S, BUSIEST = 0.6, 30 * 60, 6
"""Assumed: six of ten lunches in half an hour; the busiest day of a canteen is six usual ones (3,000 against 500)."""

_OF_A_MEAL = {
    "meal_order": "orders",
    "meal_order_item": "dishes of an order",
    "meal_order_line": "lines of a receipt",
    "ledger_hold": "holds",
    "subsidy_use": "limits used",
    "order_subsidy_use": "limits used by an order",
    "notice": "notices",
}
_OF_A_VISIT = {"task": "services", "task_assignment": "parts of a service"}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one meal and one visit leave behind, by table: rows and bytes with all indexes; and how fast it went."""

    meal: dict[str, tuple[float, float]]
    visit: dict[str, tuple[float, float]]
    log_bytes_a_meal: float
    meals_a_second: float
    verify_s_a_million: float
    evenings_s_a_million: float
    whole: bool

    def rows(self, meals: float, visits: float) -> float:
        """Rows of so many of them."""
        return meals * sum(rows for rows, _ in self.meal.values()) + visits * sum(r for r, _ in self.visit.values())

    def bytes(self, meals: float, visits: float) -> float:
        """Their bytes."""
        of_a_meal = sum(rows * size for rows, size in self.meal.values())
        return meals * of_a_meal + visits * sum(rows * size for rows, size in self.visit.values())

    def transfers(self, meals: float, visits: float) -> float:
        """Their rows in the ledger's table of transfers."""
        return meals * self.meal["ledger_transfer"][0] + visits * self.visit["ledger_transfer"][0]


def measured(year: dict[str, Any]) -> Measured:
    """The constants of one ``year.json``."""
    totals, database, seconds = year["totals"], year["database"], year["seconds"]
    tables, meals, visits = database["tables"], totals["meals"], totals["visits"]

    def each(name: str, of: int, rows: float | None = None) -> tuple[float, float]:
        table = tables[name]
        return (table["rows"] if rows is None else rows) / of, (table["bytes"] + table["index_bytes"]) / table["rows"]

    meal = {"ledger_transfer": each("ledger_transfer", meals, totals["meal_transfers"])}
    visit = {"ledger_transfer": each("ledger_transfer", visits, totals["visit_transfers"])}
    return Measured(
        meal=meal | {name: each(name, meals) for name in _OF_A_MEAL if name in tables},
        visit=visit | {name: each(name, visits) for name in _OF_A_VISIT if name in tables},
        log_bytes_a_meal=database["log_bytes"] / meals,
        meals_a_second=meals / seconds["meals"],
        verify_s_a_million=seconds["verify"] / totals["transfers"] * 1e6,
        evenings_s_a_million=seconds["seals, tallies and sums"] / totals["transfers"] * 1e6,
        whole=year["size"] == asdict(Size()),
    )


def written(found: Measured) -> str:
    """Both tables, between their marks."""
    said = "the whole year of `make year`" if found.whole else "**a part of a year only, to be replaced by the whole**"
    lines = [BEGIN, "", f"Measured: {said}.", "", *_constants(found), "", *_scale(found), "", END]
    return "\n".join(lines)


def _constants(found: Measured) -> Iterator[str]:
    yield "| what one leaves behind | table | rows | bytes a row, indexes included |"
    yield "|---|---|---|---|"
    for what, tables in (("meal", found.meal), ("visit", found.visit)):
        for name, (rows, size) in tables.items():
            yield f"| {what} | `{name}` | {rows:.2f} | {size:,.0f} |"
    yield f"| meal | all of them | {found.rows(1, 0):.1f} | {found.bytes(1, 0):,.0f} a meal |"
    yield f"| visit | all of them | {found.rows(0, 1):.1f} | {found.bytes(0, 1):,.0f} a visit |"
    yield f"| meal | write-ahead log, everything counted in | | {found.log_bytes_a_meal:,.0f} a meal |"
    yield ""
    told = (
        ("meals ordered and served a second, two processes and their database on two cores", found.meals_a_second, ""),
        ("sealing, tallying, checkpoints, sums of days, for a million transfers", found.evenings_s_a_million, " s"),
        ("`timebank verify`, for a million transfers", found.verify_s_a_million, " s"),
    )
    yield "| how long | measured |"
    yield "|---|---|"
    for what, figure, unit in told:
        yield f"| {what} | {figure:,.0f}{unit} |"


def _scale(found: Measured) -> Iterator[str]:
    yield "| a year of | " + " | ".join(name for name, _ in TIERS) + " |"
    yield "|---|" + "---|" * len(TIERS)
    for what, of in _ROWS.items():
        told = (of(found, times * MEALS_A_YEAR, times * VISITS_A_YEAR) for _, times in TIERS)
        yield f"| {what} | " + " | ".join(told) + " |"


def _in_the_rush(meals: float) -> float:
    """Meals a second in the half hour of a usual day's lunch; half of a day's meals are lunches."""
    return meals / SERVICE_DAYS / 2 * IN_THE_RUSH / RUSH_S


def _pages(found: Measured, meals: float) -> str:
    """8 kB pages of log a second on the busiest day, and as many again where a checkpoint puts them in their places."""
    return f"{2 * BUSIEST * _in_the_rush(meals) * found.log_bytes_a_meal / 8192:,.0f}"


_ROWS: dict[str, Any] = {
    "meals": lambda _f, meals, _v: f"{meals / 1e6:,.1f} million",
    "visits": lambda _f, _m, visits: f"{visits / 1e6:,.2f} million",
    "transfers": lambda f, meals, visits: f"{f.transfers(meals, visits) / 1e6:,.0f} million",
    "rows in all": lambda f, meals, visits: f"{f.rows(meals, visits) / 1e6:,.0f} million",
    "bytes, indexes included": lambda f, meals, visits: f"{f.bytes(meals, visits) / 1e9:,.0f} GB",
    "kept for ten years (GB/T 40143-2021)": lambda f, meals, visits: f"{f.bytes(meals, visits) / 1e11:,.1f} TB",
    "write-ahead log": lambda f, meals, _v: f"{f.log_bytes_a_meal * meals / 1e9:,.0f} GB",
    "meals a second in a usual lunch's rush": lambda _f, meals, _v: f"{_in_the_rush(meals):,.1f}",
    "meals a second on the busiest day": lambda _f, meals, _v: f"{BUSIEST * _in_the_rush(meals):,.0f}",
    "IOPS in that rush (8 kB, log and checkpoint)": lambda f, meals, _v: _pages(f, meals),
    "of one such server's meals a second, in that rush": lambda f, meals, _v: (
        f"{100 * BUSIEST * _in_the_rush(meals) / f.meals_a_second:,.0f} %"
    ),
    "`timebank verify` of the year": lambda f, meals, visits: (
        f"{f.verify_s_a_million * f.transfers(meals, visits) / 1e6 / 3600:,.1f} h"
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables; the exit status."""
    parser = argparse.ArgumentParser(prog="write_scale", description=__doc__)
    parser.add_argument("--year", type=Path, default=ROOT / "var" / "year.json")
    parser.add_argument("--page", type=Path, default=ROOT / "docs" / "scale.md")
    asked = parser.parse_args(arguments)
    page = asked.page.read_text(encoding="utf-8")
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        print(f"{asked.page} has no place for what is measured: {BEGIN} … {END}", file=sys.stderr)
        return 1
    found = measured(json.loads(asked.year.read_text(encoding="utf-8")))
    asked.page.write_text(head + written(found) + tail, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
