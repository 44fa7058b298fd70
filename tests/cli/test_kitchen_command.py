"""``timebank kitchen`` prints what is cooked and what goes where, within eighty columns, and writes the workbook."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest
from rich.cells import cell_len

from tests.cli.command_line import CommandLine
from tests.factories.orders import GREENS, MORNING, PORK, a_diner, a_kitchen, at_hour, placed
from tests.factories.people import DAYAN
from timebank.core import clock
from timebank.core.db import Database

KITCHEN = "西坞街道中心食堂"
ASKED = ("--canteen", KITCHEN, "--on", f"{MORNING:%Y-%m-%d}", "--meal", "lunch")


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def ordered(bank: Database) -> None:
    """Two lunches, one of them at a point that the kitchen cooks for, past the cut-off."""
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        central = a_kitchen(session, canteen_type="central", name=KITCHEN)
        point = a_kitchen(session, township_code=DAYAN, kitchen_id=central.canteen.id, name="大堰镇箭岭村邻里助餐点")
        placed(session, central, a_diner(session), PORK)
        soy = a_diner(session, township_code=DAYAN, allergies=["大豆"])
        placed(session, point, soy, PORK, GREENS, accept_unsuitable=True)
    clock.freeze(at_hour(9))


def test_both_lists_are_printed_within_eighty_columns_and_say_what_json_says(line: CommandLine, ordered: None) -> None:
    plan = line.good("kitchen", "plan", *ASKED, COLUMNS="80")
    assert "小计" in plan
    assert "取餐号1：大豆，不能吃：红烧肉" in plan
    assert "仅供参考" not in plan
    boxes = line.good("kitchen", "distribution", *ASKED, COLUMNS="80")
    assert "堂食" in boxes
    assert max(cell_len(row) for row in (plan + boxes).splitlines()) <= 80
    said = json.loads(line.good("kitchen", "plan", *ASKED, "--json"))
    assert [(total["dish"], total["portions"]) for total in said["totals"]] == [(GREENS, 1), (PORK, 2)]
    said = json.loads(line.good("kitchen", "distribution", *ASKED, "--json"))
    assert [(one["canteen_name"], one["boxes"]) for one in said["distribution"]] == [
        (KITCHEN, 1),
        ("大堰镇箭岭村邻里助餐点", 1),
    ]


def test_the_workbook_is_written_whole_and_not_over_another(line: CommandLine, ordered: None, tmp_path: Path) -> None:
    file = tmp_path / "kitchen.xlsx"
    assert "已写入" in line.good("kitchen", "plan", *ASKED, "-o", str(file))
    assert openpyxl.load_workbook(file).sheetnames == ["生产计划", "分送清单", "过敏提示"]
    assert "--force" in line.refused("kitchen", "plan", *ASKED, "-o", str(file))
    assert "无法写入" in line.refused("kitchen", "plan", *ASKED, "-o", "/no/such/folder/k.xlsx")


@pytest.mark.parametrize(
    ("name", "said"), [("没有", "没有这个助餐点"), ("大堰镇箭岭村邻里助餐点", "不自己做饭")]
)  # fmt: skip
def test_what_is_no_kitchen_is_said_to_be_none(line: CommandLine, ordered: None, name: str, said: str) -> None:
    assert said in line.refused("kitchen", "plan", "--canteen", name, *ASKED[2:])


def test_a_meal_may_be_written_in_chinese_and_one_that_is_none_is_refused(line: CommandLine, ordered: None) -> None:
    asked = ("--canteen", KITCHEN, "--on", f"{MORNING:%Y-%m-%d}", "--json")
    said = [json.loads(line.good("kitchen", "plan", *asked, "--meal", meal)) for meal in ("lunch", "午餐")]
    assert said[0] == said[1]
    refused = line.run("kitchen", "plan", *asked, "--meal", "夜宵")
    assert refused.exit_code == 2
    assert "没有「夜宵」" in refused.stderr
    assert "lunch 午餐" in refused.stderr
