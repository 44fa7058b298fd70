"""``timebank import`` as people and programs meet it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from app.cli import import_command as module
from app.cli.import_command import import_command
from tests.factories.imports import NOON, rows_of_all_tables
from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook
from timebank.core import clock
from timebank.core.db import Database

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "pilot_workbook.xlsx"
EXPECTED = json.loads((DATA / "pilot_workbook.expected.json").read_text(encoding="utf-8"))
PROMISED = ("volunteers", "elders", "records", "minutes", "rejected")
ID_LIKE = re.compile(r"[0-9]{11,}")


@pytest.fixture
def the_bank(bank: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """The test's bank, which the command opens as its own."""

    @contextmanager
    def opened() -> Iterator[Database]:
        yield bank

    clock.freeze(NOON)
    monkeypatch.setattr(module, "open_bank", opened)
    return bank


def _run(*arguments: object, columns: int = 100) -> Result:
    return CliRunner().invoke(import_command, [str(a) for a in arguments], env={"COLUMNS": str(columns)})


def test_json_is_exactly_what_was_promised(the_bank: Database) -> None:
    done = _run(SAMPLE, "--approved-by", "陈主任", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert {key: told[key] for key in PROMISED} == {key: EXPECTED[key] for key in PROMISED}


def test_json_of_a_second_time_tells_of_nothing_new(the_bank: Database) -> None:
    _run(SAMPLE, "--approved-by", "陈主任", "--json")
    before = rows_of_all_tables(the_bank)
    told = json.loads(_run(SAMPLE, "--approved-by", "陈主任", "--json").stdout)
    assert [told[key] for key in PROMISED] == [0, 0, 0, 0, EXPECTED["rejected"]]
    assert told["already_present"] == {key: EXPECTED[key] for key in ("volunteers", "elders", "records")}
    assert rows_of_all_tables(the_bank) == before


def test_every_sheet_is_a_key_when_nothing_was_refused(the_bank: Database, tmp_path: Path) -> None:
    done = _run(write_plain_workbook(tmp_path / "a.xlsx"), "--approved-by", "陈主任", "--json")
    assert json.loads(done.stdout)["rejected"] == {"志愿者名册": [], "老人名册": [], "服务记录": []}


def test_a_dry_run_says_so_and_changes_nothing(the_bank: Database, tmp_path: Path) -> None:
    before = rows_of_all_tables(the_bank)
    done = _run(SAMPLE, "--approved-by", "陈主任", "--dry-run", "--rejects", tmp_path / "out.xlsx")
    assert done.exit_code == 0
    assert "没有改动任何数据" in done.stdout
    assert "将补录 149 条" in done.stdout
    assert rows_of_all_tables(the_bank) == before
    assert (tmp_path / "out.xlsx").exists()
    told = json.loads(_run(SAMPLE, "--approved-by", "陈主任", "--dry-run", "--json").stdout)
    assert (told["records"], told["dry_run"]) == (EXPECTED["records"], True)
    assert rows_of_all_tables(the_bank) == before


@pytest.mark.parametrize("columns", [60, 100])
def test_the_tables_fit_the_terminal_and_show_no_number_and_no_full_name(the_bank: Database, columns: int) -> None:
    done = _run(SAMPLE, "--approved-by", "陈主任", columns=columns)
    lines = done.stdout.splitlines()
    assert any(line.split() == ["服务记录", "149", "0", "14"] for line in lines)
    assert "已补录 149 条，共 203小时45分钟。" in lines
    assert any(line.split()[:3] == ["志愿者名册", "16", "彭**"] for line in lines)
    assert "…" not in done.stdout
    assert ID_LIKE.search(done.stdout) is None
    assert max(sum(2 if ord(char) > 0x2E80 else 1 for char in line) for line in lines) <= columns


def test_refused_rows_come_back_as_a_workbook(the_bank: Database, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"
    done = _run(SAMPLE, "--approved-by", "陈主任", "--rejects", out)
    assert str(out) in done.stdout.replace("\n", "")
    sheets = openpyxl.load_workbook(out)
    found = {name: [row[-1].value for row in sheets[name].iter_rows(min_row=2)] for name in sheets.sheetnames}
    assert found == {sheet: [row["reason"] for row in rows] for sheet, rows in EXPECTED["rejected"].items()}


def test_what_the_office_should_know_is_told_without_the_phone(the_bank: Database, tmp_path: Path) -> None:
    rows: dict[str, list[list[object]]] = {
        "志愿者名册": [PLAIN_ROWS["志愿者名册"][0], ["竺梅", "330224196509023578", "131043338539", "大堰"]]
    }
    done = _run(write_plain_workbook(tmp_path / "a.xlsx", rows), "--approved-by", "陈主任")
    assert "联系电话未能识别" in done.stdout
    assert ID_LIKE.search(done.stdout) is None


@pytest.mark.parametrize("arguments", [[], ["--approved-by", " "], ["--approved-by", ""]])
def test_without_somebody_who_answers_for_it_nothing_goes_in(the_bank: Database, arguments: list[str]) -> None:
    before = rows_of_all_tables(the_bank)
    done = _run(SAMPLE, *arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: 请用 --approved-by 写明由谁审批负责，没有导入任何内容。\n"
    assert rows_of_all_tables(the_bank) == before


def test_an_unreadable_file_is_one_sentence_and_status_1(the_bank: Database, tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").write_text("姓名,身份证号")
    before = rows_of_all_tables(the_bank)
    for file in (tmp_path / "a.xlsx", tmp_path / "none.xlsx", tmp_path):
        done = _run(file, "--approved-by", "陈主任", "--json")
        assert (done.exit_code, done.stdout) == (1, "")
        assert re.fullmatch(r"Error: [^\n]+。\n", done.stderr)
    assert rows_of_all_tables(the_bank) == before


def test_rejects_that_cannot_be_written_keep_everything_out(the_bank: Database, tmp_path: Path) -> None:
    before = rows_of_all_tables(the_bank)
    done = _run(SAMPLE, "--approved-by", "陈主任", "--rejects", tmp_path / "none" / "out.xlsx")
    assert done.exit_code == 1
    assert done.stderr == "Error: 退回表 out.xlsx 无法写入，请检查文件夹和权限，没有导入任何内容。\n"
    assert rows_of_all_tables(the_bank) == before


def test_the_offices_own_file_is_never_overwritten(the_bank: Database, tmp_path: Path) -> None:
    path = write_plain_workbook(tmp_path / "a.xlsx")
    content = path.read_bytes()
    done = _run(path, "--approved-by", "陈主任", "--rejects", tmp_path / "." / "a.xlsx")
    assert (done.exit_code, path.read_bytes() == content) == (1, True)
    assert "同一个文件" in done.stderr


def test_a_database_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @contextmanager
    def opened() -> Iterator[Database]:
        nowhere = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
        yield nowhere
        nowhere.close()

    monkeypatch.setattr(module, "open_bank", opened)
    done = _run(write_plain_workbook(tmp_path / "a.xlsx"), "--approved-by", "陈主任")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "Error: 数据库无法连接，或等待其他操作超时，没有导入任何内容。\n"
