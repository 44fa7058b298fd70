"""``timebank menus`` brings a week's menu in from a workbook and writes the empty one."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from tests.cli.command_line import CommandLine
from tests.factories.canteens import open_canteen
from tests.factories.menus import HEADING, a_row, menu_workbook, monday_of
from tests.factories.people import DAYAN, XIWU, add_staff_login
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def number(bank: Database) -> str:
    with bank.unit_of_work() as session:
        for township_code, username in ((XIWU, "xiwu"), (DAYAN, "dayan")):
            role = StaffRole.TOWNSHIP_STEWARD
            add_staff_login(session, username, "a password of some length", role, township_code=township_code)
        return str(open_canteen(session, XIWU, name="西坞食堂").number)


@pytest.fixture
def week() -> date:
    return monday_of(clock.today())


@pytest.fixture
def file(tmp_path: Path, week: date) -> Path:
    path = tmp_path / "菜单.xlsx"
    path.write_bytes(menu_workbook([a_row(week), a_row(week, name="鱼", price=None), a_row(week, "晚餐")]))
    return path


def test_a_week_is_tried_brought_in_and_brought_in_again(
    bank: Database, line: CommandLine, number: str, week: date, file: Path, tmp_path: Path
) -> None:
    by_number = ("menus", "import", str(file), "--canteen", number, "--week", f"{week}")
    by_name = ("menus", "import", str(file), "--canteen", "西坞食堂", "--week", f"{week}", "--by", "xiwu")
    assert "试运行" in line.good(*by_number, "--dry-run")
    with bank.session() as session:
        assert session.scalars(select(Menu)).all() == []
    rejects = tmp_path / "退回.xlsx"
    said = json.loads(line.good(*by_name, "--json", "--rejects", str(rejects)))
    assert (said["added"], said["changed"], said["already_present"], said["dry_run"]) == (2, 0, 0, False)
    assert [(row["row"], row["reason"]) for row in said["rejected"]] == [(3, "price_missing")]
    assert openpyxl.load_workbook(rejects).sheetnames == ["菜单"]
    told = line.good(*by_number)
    assert "已有 2 条" in told
    assert "缺少单价" in told
    with bank.session() as session:
        assert session.scalars(select(Menu.drafted_by_name)).all() == ["xiwu"]
        assert len(session.scalars(select(MenuItem)).all()) == 2


def test_what_cannot_be_is_said_in_one_sentence(
    line: CommandLine, number: str, week: date, file: Path, tmp_path: Path
) -> None:
    how = ("menus", "import", str(file), "--canteen", number)
    assert "没有这个助餐点" in line.refused("menus", "import", str(file), "--canteen", "没有", "--week", f"{week}")
    assert "星期一" in line.refused(*how, "--week", f"{date.fromordinal(week.toordinal() + 1)}")
    assert "只有本助餐点" in line.refused(*how, "--week", f"{week}", "--by", "dayan")
    assert "同一个文件" in line.refused(*how, "--week", f"{week}", "--rejects", str(file))
    assert "无法写入" in line.refused(*how, "--week", f"{week}", "--rejects", str(tmp_path / "没有" / "退回.xlsx"))
    missing = line.refused("menus", "import", str(tmp_path / "没有.xlsx"), "--canteen", number, "--week", f"{week}")
    assert "找不到工作簿" in missing


def test_the_template_is_written_once(line: CommandLine, number: str, tmp_path: Path) -> None:
    output = tmp_path / "空白.xlsx"
    assert "已写入" in line.good("menus", "template", str(output))
    heading = next(openpyxl.load_workbook(output)["菜单"].iter_rows(values_only=True))
    assert heading == HEADING
    assert "--force" in line.refused("menus", "template", str(output))
    assert "已写入" in line.good("menus", "template", str(output), "--force")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["空白.xlsx"]
