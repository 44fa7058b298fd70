"""The page of scale says what a year measured, and no more than that; the measured part is written in one go."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from scripts import write_scale
from scripts.write_scale import BEGIN, END, ROOT, measured, written
from scripts.year.plan import Size

YEAR: dict[str, Any] = {
    "size": asdict(replace(Size(), months=1)),
    "totals": {"meals": 1000, "visits": 100, "meal_transfers": 4000, "visit_transfers": 120, "transfers": 5000},
    "seconds": {"meals": 2.0, "verify": 1.0, "seals, tallies and sums": 0.5},
    "database": {
        "log_bytes": 8_192_000,
        "tables": {
            "ledger_transfer": {"rows": 5000, "bytes": 1_000_000, "index_bytes": 1_000_000},
            "meal_order": {"rows": 1000, "bytes": 500_000, "index_bytes": 300_000},
            "task": {"rows": 100, "bytes": 30_000, "index_bytes": 20_000},
        },
    },
}


def test_what_a_meal_and_a_visit_leave_behind_is_what_was_counted() -> None:
    found = measured(YEAR)
    assert found.meal == {"ledger_transfer": (4.0, 400.0), "meal_order": (1.0, 800.0)}
    assert found.visit == {"ledger_transfer": (1.2, 400.0), "task": (1.0, 500.0)}
    assert (found.bytes(1, 0), found.bytes(0, 1)) == (2400.0, 980.0)
    assert (found.meals_a_second, found.verify_s_a_million, found.log_bytes_a_meal) == (500.0, 200.0, 8192.0)


def test_a_part_of_a_year_is_called_one() -> None:
    assert "a part of a year only" in written(measured(YEAR))
    whole = written(measured({**YEAR, "size": asdict(Size())}))
    assert "the whole year" in whole
    assert "a part of a year" not in whole


def test_ten_districts_are_a_city() -> None:
    [transfers] = [line for line in written(measured(YEAR)).splitlines() if line.startswith("| transfers ")]
    assert transfers == "| transfers | 15 million | 146 million | 1,460 million |"


def test_only_what_lies_between_the_marks_is_written_anew(tmp_path: Path) -> None:
    page, year = tmp_path / "scale.md", tmp_path / "year.json"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    year.write_text(json.dumps(YEAR))
    assert write_scale.main(["--year", str(year), "--page", str(page)]) == 0
    told = page.read_text()
    assert told.startswith(f"before\n{BEGIN}\n")
    assert told.endswith(f"{END}\nafter\n")
    assert "old" not in told
    page.write_text("nothing is measured here")
    assert write_scale.main(["--year", str(year), "--page", str(page)]) == 1


def test_the_page_has_its_place_for_them() -> None:
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert page.count(BEGIN) == page.count(END) == 1
