"""``timebank meals`` lists a day's orders and shows a purse, within eighty columns, and says the same as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

import pytest
from rich.cells import cell_len

from tests.cli.command_line import CommandLine
from tests.factories.orders import GREENS, MORNING, PORK, a_diner, a_kitchen, placed
from timebank.core import clock
from timebank.core.db import Database

KITCHEN = "西坞街道中心食堂"
ASKED = ("meals", "orders", "--canteen", KITCHEN, "--on", f"{MORNING:%Y-%m-%d}")


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def diner_id(bank: Database) -> str:
    """Two lunches of two diners; answers who ordered the second one."""
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session, canteen_type="central", name=KITCHEN)
        placed(session, kitchen, a_diner(session), PORK)
        order = placed(session, kitchen, a_diner(session), PORK, GREENS)
        return str(order.diner_id)


def test_a_days_orders_are_listed_and_json_says_the_same(line: CommandLine, diner_id: str) -> None:
    shown = line.good(*ASKED, COLUMNS="80")
    assert max(cell_len(row) for row in shown.splitlines()) <= 80
    assert "共2份" in shown
    said = json.loads(line.good(*ASKED, "--json"))
    assert [(one["pickup_number"], len(one["items"])) for one in said] == [(1, 1), (2, 2)]
    assert said[1]["diner_id"] == diner_id
    assert json.loads(line.good(*ASKED, "--json", "--meal", "supper")) == []
    assert json.loads(line.good(*ASKED, "--json", "--state", "served")) == []
    assert "没有这个助餐点" in line.refused("meals", "orders", "--canteen", "别处", "--on", "2026-11-23")


def test_a_purse_shows_what_is_held_for_meals_ordered(line: CommandLine, diner_id: str) -> None:
    said = json.loads(line.good("meals", "purse", diner_id, "--json"))
    held = json.loads(line.good(*ASKED, "--json"))[1]["elder_fen"]
    assert said["held_fen"] == held > 0
    assert said["balance_fen"] - said["available_fen"] == held
    shown = line.good("meals", "purse", diner_id, COLUMNS="80")
    assert max(cell_len(row) for row in shown.splitlines()) <= 80
    assert f"已订餐{held // 100}.{held % 100:02}元" in shown
    assert "没有这位用餐人的餐费余额" in line.refused("meals", "purse", str(uuid4()))
