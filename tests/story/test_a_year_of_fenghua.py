"""``make year`` in small: two months of three townships, exact, verified and settled; the same seed, the same books."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from scripts.replay_year import main, replay, steps_of
from scripts.year.counting import counted, differences, mark_of_the_books
from scripts.year.plan import Size, planned
from tests.postgres import ThrowawayPostgres
from timebank.core.db import Database

SEED = 7
SIZE = Size(townships=3, canteens=3, elders=40, volunteers=14, diners=15, visits=120, hours=233, months=2, every=7)
ASKED = [
    *("--townships", "3", "--canteens", "3", "--elders", "40", "--volunteers", "14", "--diners", "15"),
    *("--visits", "120", "--hours", "233", "--months", "2", "--every", "7", "--seed", str(SEED)),
]


def test_two_months_are_exact_settled_and_the_same_for_the_same_seed(
    postgres: ThrowawayPostgres, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "var" / "year.json"
    assert main([*ASKED, "--hands", "2", "--out", str(out)]) == 0
    by_two = json.loads(out.read_text())
    assert by_two["wrong"] == []
    totals = by_two["totals"]
    assert (totals["visits"], totals["minutes"], totals["elders_visited"]) == (120, 233 * 60, 40)
    assert (totals["meals"], totals["meal_days"], totals["diners"]) == (15 * 8, 8, 15)
    assert totals["windows_settled"] == 2
    assert totals["crossing"] > 0
    assert totals["voucher_meals"] > 0
    assert totals["paid_fen"] == totals["list_fen"] > 0
    assert by_two["database"]["bytes"] > 0
    assert "奉化的一年" in capsys.readouterr().out
    url = postgres.create("year")
    try:
        plan, told = planned(SIZE, SEED), list[str]()
        by_one = replay(url, plan, hands=1, in_this_process=True, tell=told.append)
        assert by_one.wrong == []
        assert by_one.mark == by_two["mark"]
        assert len(told) == steps_of(plan)
        what_is_not_right_is_named(url)
    finally:
        postgres.drop("year")


def what_is_not_right_is_named(url: str) -> None:
    """The counting looks at the rows: another amount is another mark, and a visit too few is told."""
    plan = planned(SIZE, SEED)
    bank = Database(url)
    try:
        with bank.session() as session:
            assert differences(plan, counted(session)) == []
            before = mark_of_the_books(session)
            session.execute(text("ALTER TABLE ledger_transfer DISABLE TRIGGER USER"))
            session.execute(
                text(
                    "UPDATE ledger_transfer SET amount = amount + 1"
                    " WHERE seq = (SELECT min(seq) FROM ledger_transfer WHERE kind = 'back_fill_credit')"
                )
            )
            assert mark_of_the_books(session) != before
            assert [line.partition(":")[0] for line in differences(plan, counted(session))] == ["credited_minutes"]
            session.rollback()
    finally:
        bank.close()
