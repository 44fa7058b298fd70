"""The benchmarks work: a small run of each, what it prints and what it writes. How long anything takes is no test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from scripts.bench.__main__ import BENCHMARKS, main
from scripts.bench.movements import move_much
from scripts.bench.outcome import Outcome, percentile
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
    assert found["met"] is (None if found["target"] is None else found["max"] < found["target"])
    assert (found["unit"], found["measured"] != "") == ("ratio", True)


def test_a_target_is_met_when_every_run_lies_below_it() -> None:
    outcomes = [Outcome("a", "甲", runs, 3.0, "", "18") for runs in ([1.0, 2.9], [1.0, 3.0], [4.0, 1.0])]
    assert [outcome.met for outcome in outcomes] == [True, False, False]
    assert Outcome("a", "甲", [4.0], None, "", "18").met is None
    assert [percentile([5, 1, 4, 2, 3], percent) for percent in (0, 20, 21, 99, 100)] == [1, 1, 2, 5, 5]


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
