"""The benchmarks work: a small run of each, what it prints and what it writes. How long anything takes is no test."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import text

from scripts.bench.__main__ import BENCHMARKS, main
from scripts.bench.movements import move_much
from scripts.bench.outcome import Outcome, percentile, table_of
from scripts.bench.scene import open_bank
from timebank.clearing.queries import matrix, positions
from timebank.core.db import Database


@pytest.mark.parametrize("name", sorted(BENCHMARKS))
def test_a_small_run_prints_its_table_and_writes_every_ratio(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--small", "--only", name, "--out", str(tmp_path / "var" / "bench.json")]) == 0
    written = json.loads((tmp_path / "var" / "bench.json").read_text())
    assert set(written["machine"]) == {"cpus", "python", "postgres"}
    assert written["small"] is True
    printed = capsys.readouterr().out
    assert "性能基准 Benchmarks" in printed
    for found in written["benchmarks"]:
        must_be_whole(found)
        assert found["name"] in printed
        assert found["title"] in printed


def must_be_whole(found: dict[str, Any]) -> None:
    assert min(found["runs"]) == found["min"] > 0
    assert max(found["runs"]) == found["max"] >= found["median"] >= found["min"]
    assert found["met"] is expected_of(found)
    assert (found["short_by"] is None) is (found["met"] is not False)
    assert (found["unit"], found["measured"] != "") == ("ratio", True)


def expected_of(found: dict[str, Any]) -> bool | None:
    if found["target"] is None:
        return None
    return bool(found["min"] >= found["target"] if found["at_least"] else found["max"] < found["target"])


def test_a_target_is_met_when_every_run_lies_below_it() -> None:
    outcomes = [Outcome("a", "甲", runs, 3.0, "", "18") for runs in ([1.0, 2.9], [1.0, 3.0], [4.0, 1.0])]
    assert [outcome.met for outcome in outcomes] == [True, False, False]
    assert Outcome("a", "甲", [4.0], None, "", "18").met is None
    assert [percentile([5, 1, 4, 2, 3], percent) for percent in (0, 20, 21, 99, 100)] == [1, 1, 2, 5, 5]


def test_what_has_to_be_at_least_so_much_is_met_when_no_run_lies_below_it() -> None:
    outcomes = [Outcome("a", "甲", runs, 0.6, "", "18", at_least=True) for runs in ([0.6, 0.9], [0.9, 0.5], [0.59999])]
    assert [outcome.met for outcome in outcomes] == [True, False, False]
    assert [outcome.short_by for outcome in outcomes] == [None, 1.2, pytest.approx(1.0000167)]
    assert Outcome("a", "甲", [2.0, 6.0], 4.0, "", "18").short_by == 1.5


def test_the_table_says_plainly_by_how_much_a_target_was_missed() -> None:
    missed = Outcome("a", "甲", [0.5, 0.9], 0.6, "", "18", at_least=True)
    barely = Outcome("b", "乙", [4.0004], 4.0, "", "18")
    met = Outcome("c", "丙", [0.7], 0.6, "", "18", at_least=True)
    printed = StringIO()
    Console(width=120, file=printed).print(table_of([missed, barely, met]))
    for said in ("≥ 0.6", "missed by 1.20×", "< 4", "missed by 1.0001×", "达到 met"):
        assert said in printed.getvalue()


def test_movements_written_in_bulk_are_movements_like_any_other(bank: Database, database_url: str) -> None:
    """The books are recomputed after this test as after every other."""
    tills = open_bank(database_url, clients=2, vouchers=3)
    assert [len(till.codes) for till in tills] == [3, 3]
    move_much(database_url, 264)
    move_much(database_url, 132)
    with bank.session() as session:
        _, found = positions(session, window_name=None)
        _, owing = matrix(session, window_name=None)
        newest = session.scalar(text("SELECT max(seq) FROM ledger_transfer"))
        assert session.scalar(text("SELECT upto_seq FROM clearing_tally_mark")) == newest
    assert {position.position_minutes for position in found} == {0}
    assert [(line.minutes, line.transfers) for line in owing] == [(180, 3)] * 132
