"""``timebank diners`` as an office's desk meets it."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from tests.cli.command_line import CommandLine
from tests.factories.canteens import open_canteen
from tests.factories.diners import approved_diner, enrolled, list_of_diners, listed
from tests.factories.people import DAYAN, SHANGTIAN, valid_id_number
from timebank.canteens.diners.actions import Application, apply
from timebank.core.db import Database

BORN = date(1944, 3, 8)
ID_LIKE = re.compile(r"[0-9]{11,}")


@pytest.fixture
def line(bank: Database, database_url: str, tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


def test_the_list_is_of_those_who_are_asked_for_with_masked_names(bank: Database, line: CommandLine) -> None:
    with bank.unit_of_work() as session:
        canteen = open_canteen(session, name="白杜村老年食堂")
        approved_diner(session, categories=["disabled"], canteen=canteen.id, diet_form="minced")
        approved_diner(session, SHANGTIAN)
        apply(session, actor=(waiting := enrolled(session, DAYAN, name="王阿宝")), form=Application())
    whole = line.good("diners", "list")
    assert "共3人" in whole
    assert "周桂芬" not in whole
    assert re.search(r"周\*\*\s+\d+\s+已通过\s+碎食\s+残疾人\s+白杜村老年食堂", whole)
    for asked, count in (
        (("--township", SHANGTIAN), 1),
        (("--state", "applied"), 1),
        (("--category", "disabled"), 1),
        (("--canteen", "白杜村老年食堂"), 1),
        (("--limit", "2"), 2),
    ):
        assert f"共{count}人" in line.good("diners", "list", *asked), asked
    [told] = json.loads(line.good("diners", "list", "--state", "applied", "--json"))
    assert (told["person_id"], told["state"]) == (str(waiting.person()), "applied")
    assert "助餐点" in line.refused("diners", "list", "--canteen", "没有的食堂")


def test_a_list_goes_in_and_its_bad_rows_come_back(line: CommandLine, tmp_path: Path) -> None:
    good, bad = valid_id_number(BORN), valid_id_number(BORN)
    held = {"特殊类别": "低保", "类别起": "2026-01-01", "证明": "低保证12"}
    path = list_of_diners(tmp_path / "a.xlsx", listed(good, **held), listed(bad, 餐食形态="生食"))
    back = tmp_path / "退回.xlsx"
    by = ("--approved-by", "陈主任")
    trial = json.loads(line.good("diners", "import", str(path), *by, "--dry-run", "--json"))
    done = line.good("diners", "import", str(path), *by, "--rejects", str(back))
    assert "新建档案 1 人" in done.replace("\n", "")
    assert ID_LIKE.search(done) is None
    again = json.loads(line.good("diners", "import", str(path), *by, "--json"))
    assert (trial["diners"], trial["dry_run"], again["diners"], again["already_present"]) == (1, True, 0, 1)
    assert again["rejected"] == [
        {"row": 3, "reason": "diet_form_unknown", "reason_name": "餐食形态无法识别，请写普通、软食、碎食或流食"}
    ]
    page = openpyxl.load_workbook(back)["用餐对象"]
    rows = list(page.iter_rows(values_only=True))
    assert (len(rows), rows[1][1], rows[1][-3:-1][0], rows[1][-1]) == (2, bad, 3, "diet_form_unknown")
    page.cell(2, rows[0].index("餐食形态") + 1).value = "软食"
    assert page.parent is not None
    page.parent.save(back)
    corrected = json.loads(line.good("diners", "import", str(back), *by, "--json"))
    assert (corrected["diners"], corrected["rejected"]) == (1, [])


def test_nobody_answers_for_it_and_nothing_goes_in(line: CommandLine, tmp_path: Path) -> None:
    path = list_of_diners(tmp_path / "a.xlsx", listed(valid_id_number(BORN)))
    assert "--approved-by" in line.refused("diners", "import", str(path))
    assert "同一个文件" in line.refused("diners", "import", str(path), "--approved-by", "陈", "--rejects", str(path))
    nowhere = tmp_path / "no" / "b.xlsx"
    assert "无法写入" in line.refused("diners", "import", str(path), "--approved-by", "陈", "--rejects", str(nowhere))
    assert "找不到工作簿" in line.refused("diners", "import", str(nowhere), "--approved-by", "陈")
    assert "共0人" in line.good("diners", "list")


def test_the_empty_form_is_written_once_and_goes_in_as_it_is(line: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "模板.xlsx"
    assert "已写入" in line.good("diners", "template", str(path))
    assert "请换一个文件名" in line.refused("diners", "template", str(path))
    titles = next(openpyxl.load_workbook(path)["用餐对象"].iter_rows(values_only=True))
    assert titles[:4] == ("姓名", "身份证号", "所属镇街", "联系电话")
    done = json.loads(line.good("diners", "import", str(path), "--approved-by", "陈主任", "--json"))
    assert (done["diners"], done["rejected"]) == (0, [])
