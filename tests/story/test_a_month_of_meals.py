"""``make month`` in small: two canteens live through a day, and every fen is counted again; what is wrong is found."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from scripts.month.__main__ import main
from scripts.month.counting import Counted

ORDER: dict[str, Any] = {
    "order_id": "an order",
    "state": "served",
    "list_fen": 1100,
    "elder_fen": 250,
    "government_fen": 400,
    "donation_fen": 100,
    "garden_fen": 50,
    "volunteers_fen": 300,
    "lines": [
        {"share": None, "fen": 800, "rule_key": "list", "policy_version": 1},
        {"share": None, "fen": 300, "rule_key": "delivery", "policy_version": 1},
        {"share": "elder", "fen": 250, "rule_key": "rest", "policy_version": 1},
        {"share": "government", "fen": 400, "rule_key": "eighty", "policy_version": 1},
        {"share": "donation", "fen": 100, "rule_key": "company", "policy_version": 1},
        {"share": "garden", "fen": 50, "rule_key": "garden", "policy_version": 1},
        {"share": "volunteers", "fen": 300, "rule_key": "delivery", "policy_version": 1},
    ],
}


def test_a_day_of_two_canteens_ties_to_the_fen(tmp_path: Path) -> None:
    out = tmp_path / "month.json"
    assert main(["--canteens", "2", "--diners", "16", "--days", "1", "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    assert found["wrong"] == []
    assert found["fen"]["list"] == sum(
        found["fen"][share] for share in ("elder", "government", "donation", "garden", "volunteers")
    )
    assert found["orders"]["served"] >= 16
    assert found["done"]["payments"] == 2


@pytest.mark.parametrize("line", range(7))
def test_a_fen_that_no_line_explains_is_found(line: int) -> None:
    order = deepcopy(ORDER)
    order["lines"][line]["fen"] += 1
    counted = Counted()
    counted.take(ORDER)
    assert counted.wrong == []
    counted.take(order)
    assert counted.wrong == ["order an order: the lines do not explain it"]


@pytest.mark.parametrize("lost", ["rule_key", "policy_version"])
def test_a_line_without_its_rule_is_found(lost: str) -> None:
    order = deepcopy(ORDER)
    order["lines"][3][lost] = None
    counted = Counted()
    counted.take(order)
    assert len(counted.wrong) == 1
