"""``timebank canteens`` lists canteens and shows one, by number or name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.factories.canteens import apply_for_canteen, open_canteen
from tests.factories.people import DAYAN, XIWU
from timebank.core.db import Database


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def network(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = open_canteen(session, name="西坞街道中心食堂", canteen_type="central", capacity=200)
        open_canteen(session, DAYAN, name="大堰镇老年食堂", kitchen_id=kitchen.id)
        apply_for_canteen(session, name="白杜村老年食堂")


def test_all_are_listed_or_those_of_a_township_or_a_state(line: CommandLine, network: None) -> None:
    shown = line.good("canteens", "list", COLUMNS="120")
    for word in (f"{XIWU}-001", f"{DAYAN}-001", "中心食堂", "已申请", "早餐、午餐、晚餐", "共3个"):
        assert word in shown
    of_dayan = json.loads(line.good("canteens", "list", "--township", DAYAN, "--json"))
    assert [(one["name"], one["kitchen_name"]) for one in of_dayan] == [("大堰镇老年食堂", "西坞街道中心食堂")]
    applied = json.loads(line.good("canteens", "list", "--state", "applied", "--json"))
    assert [(one["name"], one["number"], one["meals_today"]) for one in applied] == [("白杜村老年食堂", None, [])]


@pytest.mark.parametrize("called", ["大堰镇老年食堂", f"{DAYAN}-001"])
def test_one_is_shown_by_number_or_name(line: CommandLine, network: None, called: str) -> None:
    shown = line.good("canteens", "show", called, COLUMNS="100")
    for word in (
        f"大堰镇老年食堂（{DAYAN}-001，村社老年食堂）：营业",
        "厨房：西坞街道中心食堂",
        "志愿者送餐",
        "10:00–13:30",
    ):
        assert word in shown
    whole = json.loads(line.good("canteens", "show", called, "--json"))
    assert (len(whole["hours"]), len(whole["inspections"])) == (21, 1)


def test_one_that_is_not_there_is_said_in_one_sentence(line: CommandLine, network: None) -> None:
    assert "没有这个助餐点" in line.refused("canteens", "show", "没有的食堂")
