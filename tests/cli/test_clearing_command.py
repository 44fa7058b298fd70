"""``timebank clearing``: how the townships stand, closing a window, statements as files that are whole or not there."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
import openpyxl
import pytest
from rich.cells import cell_len
from sqlalchemy import select

from app.cli import clearing_export
from tests.cli.command_line import CommandLine
from tests.factories.clearing import close, confirm_all, eat, settle
from tests.factories.lists import workbook
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_staff_login, district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.clearing import actions
from timebank.clearing.queries import open_window, reconciliations, windows
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.sorting import Part
from timebank.people.login_models import Login

PASSWORD = "a password of some length"
APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def march(bank: Database) -> Database:
    """尚田 ate twice in 大堰 and once in 西坞; March is closed and April open, with a meal of 西坞 in 大堰."""
    clock.freeze(NINE)
    eat(bank, DAYAN, meals=2)
    eat(bank, XIWU)
    close(bank, APRIL)
    clock.freeze(APRIL + timedelta(hours=1))
    eat(bank, DAYAN, of=XIWU)
    return bank


@pytest.fixture
def staffed(march: Database) -> Database:
    """The same with staff who may sign in: two of the district, one of 尚田, an auditor."""
    with march.unit_of_work() as session:
        for username in ("chen", "li"):
            add_staff_login(session, username, PASSWORD, StaffRole.DISTRICT_STEWARD)
        add_staff_login(session, "shangtian", PASSWORD, StaffRole.TOWNSHIP_STEWARD, township_code=SHANGTIAN)
        add_staff_login(session, "auditor", PASSWORD, StaffRole.AUDITOR)
    return march


def exported(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_status_tells_windows_and_positions_as_tables(march: Database, line: CommandLine) -> None:
    shown = line.good("clearing", "status", "2026-03", COLUMNS="120")
    rows = [row.split() for row in shown.splitlines()]
    assert ["2026-04", "进行中", "2026-04-01", "2026-05-01"] in rows
    assert ["2026-03", "已关账，待核对", "2026-03-02", "2026-04-01", "2026-04-01"] in rows
    owed = ["尚田街道", "-3小时", "-90.00元", "3小时", "500/1000小时", "在限额内"]
    assert owed in rows
    assert ["大堰镇", "2小时", "60.00元", "-3小时", "500/1000小时", "在限额内"] in rows
    newest = line.good("clearing", "status", COLUMNS="120")
    assert "2026-04 各镇街头寸" in newest
    assert ["西坞街道", "-1小时", "-30.00元", "0分钟", "500/1000小时", "在限额内"] in [
        row.split() for row in newest.splitlines()
    ]


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_status_fits_the_terminal_and_loses_no_words(march: Database, line: CommandLine, columns: int) -> None:
    with march.unit_of_work() as session:
        change_policy(session, "position_hard_limit_minutes", 2_345_679, township_code=SHANGTIAN)
        change_policy(session, "position_soft_limit_minutes", 123_457, township_code=SHANGTIAN)
        change_policy(session, "reference_price_fen_per_hour", {"meal": 999_999, "care": 3000, "aid": 900})
    shown = line.good("clearing", "status", COLUMNS=str(columns))
    if columns == 120:
        assert "2057小时37分钟/39094小时39分钟" in shown
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert "…" not in shown


def test_status_as_json_has_the_fields_of_the_api(march: Database, line: CommandLine) -> None:
    told = json.loads(line.good("clearing", "status", "2026-03", "--json"))
    assert [(one["window"], one["status"]) for one in told["windows"]] == [("2026-04", "open"), ("2026-03", "closed")]
    assert (told["window"], told["sum_minutes"], len(told["items"])) == ("2026-03", 0, 12)
    owed = {one["township_code"]: (one["position_minutes"], one["owed_minutes"]) for one in told["items"]}
    assert (owed[SHANGTIAN], owed[XIWU], owed[DAYAN]) == ((-180, 180), (60, 0), (120, -180))
    everything = json.loads(line.good("clearing", "status", "all", "--json"))
    assert everything["window"] == "all"
    assert "没有这个清算周期" in line.refused("clearing", "status", "2019-05")


def test_status_of_an_old_window_has_the_debts_and_limits_of_now(march: Database, line: CommandLine) -> None:
    with march.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 60, township_code=SHANGTIAN)
        change_policy(session, "position_hard_limit_minutes", 120, township_code=SHANGTIAN)
        until = APRIL + timedelta(days=9)
        actions.grant_override(
            session, actor=district(), township_code=SHANGTIAN, extra_minutes=90, valid_until=until, reason="春耕"
        )
    rows = [row.split() for row in line.good("clearing", "status", "2026-03", COLUMNS="80").splitlines()]
    assert ["尚田街道", "-3小时", "-90.00元", "3小时", "1/2小时", "已到硬限额"] in rows
    told = json.loads(line.good("clearing", "status", "2026-03", "--json"))
    [one] = [one for one in told["items"] if one["township_code"] == SHANGTIAN]
    assert (one["override_minutes"], one["beyond_limit_minutes"], one["limit_state"]) == (90, 60, "hard")


def test_close_shows_the_window_and_asks_before_it_closes(staffed: Database, line: CommandLine) -> None:
    for answer in ("n\n", ""):
        done = line.run("clearing", "close", "--by", "chen", stdin=answer)
        assert done.exit_code == 1
        assert "清算周期 2026-04（进行中），2026-04-01 开始，应于 2026-05-01 关账。" in done.stdout
        assert open_name(staffed) == "2026-04"
    shown = line.good("clearing", "close", "--by", " chen ", stdin="y\n")
    assert "已关账 2026-04，出具对账单 2 份" in shown
    assert f"新的周期是 {open_name(staffed)}" in shown
    with staffed.session() as session:
        query = select(AuditEntry).where(AuditEntry.action == "window_closed", AuditEntry.subject_id == "2026-04")
        deed, chen = session.scalars(query).one(), session.scalars(select(Login).where(Login.username == "chen")).one()
        assert (deed.login_id, deed.actor_name) == (chen.id, "chen")


def open_name(bank: Database) -> str:
    with bank.session() as session:
        return open_window(session).name


def test_closing_what_is_closed_or_unknown_is_one_sentence_and_changes_nothing(
    staffed: Database, line: CommandLine
) -> None:
    words = ("--by", "chen", "--yes")
    assert line.refused("clearing", "close", "2026-03", *words) == "Error: 这个清算周期已经关账"
    assert "没有这个清算周期" in line.refused("clearing", "close", "2026-09", *words)
    with staffed.unit_of_work() as session:
        change_policy(session, "reference_price_fen_per_hour", {"care": 3000})
    # A change of this very moment is none of the window's last one.
    clock.freeze(clock.now() + timedelta(seconds=1))
    assert "助餐" in line.refused("clearing", "close", *words)
    assert open_name(staffed) == "2026-04"


def test_of_two_who_close_one_after_the_other_the_second_is_told(staffed: Database, line: CommandLine) -> None:
    words = ("--by", "chen", "--yes")
    assert "已关账 2026-04" in line.good("clearing", "close", *words)
    begun = open_name(staffed)
    clock.freeze(clock.now() + timedelta(minutes=59))
    said = f"Error: 上一周期 2026-04 刚由chen关账；确要关闭刚开始的 {begun}，请写明周期。"
    assert line.refused("clearing", "close", "--by", "li", "--yes") == said
    assert open_name(staffed) == begun
    # Whoever names it means it.
    assert f"已关账 {begun}" in line.good("clearing", "close", begun, "--by", "li", "--yes")
    clock.freeze(clock.now() + timedelta(hours=1))
    assert "已关账" in line.good("clearing", "close", *words)


def test_of_two_who_are_asked_at_once_one_closes_and_the_other_is_told(
    staffed: Database, line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*_question: Any, **_how: Any) -> None:
        close(staffed)

    monkeypatch.setattr(click, "confirm", meanwhile)
    assert line.refused("clearing", "close", "--by", "li") == "Error: 这个清算周期已经关账"
    with staffed.session() as session:
        assert [one.status for one in windows(session, part=Part(9)).items] == ["open", "closed", "closed"]


def test_a_window_just_begun_that_is_due_is_closed(staffed: Database, line: CommandLine) -> None:
    clock.freeze(datetime(2026, 4, 30, 23, 45, tzinfo=LOCAL))
    line.good("clearing", "close", "--by", "chen", "--yes")
    begun = open_name(staffed)
    clock.freeze(datetime(2026, 5, 1, 0, 15, tzinfo=LOCAL))
    assert f"已关账 {begun}" in line.good("clearing", "close", "--by", "chen", "--yes")


def test_only_a_district_stewards_open_login_closes(staffed: Database, line: CommandLine) -> None:
    line.good("staff", "close", "li")
    for username in ("li", "nobody", "陈主任"):
        said = f"Error: 没有登录名为 {username} 的工作人员，没有改动任何数据。"
        assert line.refused("clearing", "close", "--yes", "--by", username) == said
    for username in ("shangtian", "auditor"):
        assert line.refused("clearing", "close", "--yes", "--by", username) == "Error: 只有区级管理员可以办理"
    done = line.run("clearing", "close", "--yes")
    assert (done.exit_code, "Missing option '--by'" in done.stderr) == (2, True)
    assert open_name(staffed) == "2026-04"


def test_an_exported_statement_is_the_same_in_every_form(march: Database, line: CommandLine, tmp_path: Path) -> None:
    confirm_all(march, "2026-03")
    settle(march, "2026-03")
    words = ["clearing", "export", "2026-03", "--township", DAYAN]
    for ending in ("json", "xlsx", "html"):
        shown = line.good(*words, "--format", ending, "-o", str(tmp_path / f"out.{ending}"))
        assert "已导出 2026-03（已结算）的对账单 1 份" in shown
    said = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (said["township_code"], said["position_minutes"], said["seal_is_final"]) == (DAYAN, 120, True)
    assert [line["minutes"] for line in said["lines"]] == [60, 60]
    sheet = openpyxl.load_workbook(tmp_path / "out.xlsx")["明细"]
    titles = [cell.value for cell in sheet[1]]
    ids = [row[titles.index("划转编号")] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert ids == [line["transfer_id"] for line in said["lines"]]
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert "大堰镇 2026-03：应收 2小时（120 分钟），应收 60.00元" in page
    assert said["seal"][:8] in page


def test_all_townships_come_as_one_file_each(march: Database, line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "statements"
    assert "12 份" in line.good("clearing", "export", "2026-03", "--all", "-o", str(folder), "--format", "json")
    assert len(exported(folder)) == 12
    assert {"对账单-尚田街道-2026-03.json", "对账单-大堰镇-2026-03.json"} <= set(exported(folder))
    said = [json.loads(path.read_text(encoding="utf-8")) for path in folder.iterdir()]
    assert sum(one["position_minutes"] for one in said) == 0
    assert {one["seal"] for one in said} == {said[0]["seal"]}


def test_a_file_that_is_there_is_replaced_only_when_one_insists(
    march: Database, line: CommandLine, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "a.json"
    out.parent.mkdir()
    out.write_text("old")
    words = ["clearing", "export", "2026-03", "--township", XIWU, "--format", "json", "-o", str(out)]
    assert "--force" in line.refused(*words)
    assert out.read_text() == "old"
    line.good(*words, "--force")
    assert json.loads(out.read_text(encoding="utf-8"))["position_minutes"] == 60
    assert exported(out.parent) == ["a.json"]


def test_one_file_in_the_way_keeps_all_of_them_out(march: Database, line: CommandLine, tmp_path: Path) -> None:
    folder = tmp_path / "statements"
    folder.mkdir()
    (folder / "对账单-大堰镇-2026-03.xlsx").write_text("old")
    words = ["clearing", "export", "2026-03", "--all", "-o", str(folder)]
    assert "对账单-大堰镇-2026-03.xlsx" in line.refused(*words)
    assert exported(folder) == ["对账单-大堰镇-2026-03.xlsx"]
    line.good(*words, "--force")
    assert len(exported(folder)) == 12


@pytest.mark.parametrize("made_before", [True, False])
def test_writing_that_breaks_off_leaves_nothing(
    march: Database, line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_before: bool
) -> None:
    folder = tmp_path / "statements"
    if made_before:
        folder.mkdir()
    written: list[str] = []

    def full(file: Any, session: Any, window: Any, said: Any) -> None:
        file.write(b"half of it")
        written.append(said.township_code)
        if len(written) == 5:
            raise OSError(28, "No space left on device")

    monkeypatch.setitem(clearing_export._WRITE, "xlsx", full)
    sentence = line.refused("clearing", "export", "2026-03", "--all", "-o", str(folder))
    assert "没有写出任何文件" in sentence
    assert len(written) == 5
    assert exported(folder) == [] if made_before else not folder.exists()


def test_what_cannot_be_exported_is_one_sentence(march: Database, line: CommandLine, tmp_path: Path) -> None:
    out = str(tmp_path / "a.xlsx")
    refused = {
        ("2026-03", "-o", out): "--all",
        ("2026-03", "-o", out, "--all", "--township", XIWU): "--all",
        ("2026-09", "-o", out, "--township", XIWU): "没有这个清算周期",
        ("2026-03", "-o", out, "--township", "999"): "没有这个镇街",
        ("2026-03", "-o", str(tmp_path / "none" / "a.xlsx"), "--township", XIWU): "无法写入",
        ("2026-03", "-o", str(tmp_path), "--township", XIWU): "文件夹",
        ("2026-03", "-o", str(tmp_path), "--township", XIWU, "--force"): "文件夹",
    }
    before = exported(tmp_path)
    for words, said in refused.items():
        sentence = line.refused("clearing", "export", *words)
        assert said in sentence
        assert sentence.endswith("没有写出任何文件。")
    assert exported(tmp_path) == before


def test_an_exported_statement_handed_in_as_a_list_agrees_with_the_books(
    staffed: Database, line: CommandLine, tmp_path: Path
) -> None:
    book = tmp_path / "尚田.xlsx"
    line.good("clearing", "export", "2026-03", "--township", SHANGTIAN, "-o", str(book))
    words = ("clearing", "reconcile", str(book), "--window", "2026-03", "--township", SHANGTIAN, "--by", "shangtian")
    shown = line.good(*words)
    assert "3 行，3 行与账目相符" in shown
    assert "没有差异" in shown
    said = json.loads(line.good(*words, "--json"))
    assert (said["rows"], said["matched"], said["preliminary"]) == (3, 3, False)


def test_differences_of_a_list_are_shown_row_by_row(staffed: Database, line: CommandLine, tmp_path: Path) -> None:
    book = tmp_path / "清单[三月].xlsx"
    rows = [[NINE.date(), "王梅", "大堰镇", -60], [NINE.date(), "王梅", "溪口镇", -45], ["某天", "王梅", "大堰镇", 5]]
    book.write_bytes(workbook(rows))
    shown = line.good(
        *("clearing", "reconcile", str(book), "--window", "2026-03", "--township", SHANGTIAN, "--by", "shangtian"),
        COLUMNS="80",
    )
    assert "清单[三月].xlsx：3 行，1 行与账目相符" in shown
    assert "第 4 行：日期无法识别。" in shown
    assert [row.split() for row in shown.splitlines() if "45分钟" in row] == [
        ["清单有，账上无", "3", "2026-03-10", "-45分钟", "王*"]
    ]


def test_only_who_may_hand_a_list_in_does(staffed: Database, line: CommandLine, tmp_path: Path) -> None:
    book = tmp_path / "清单.xlsx"
    book.write_bytes(workbook([]))
    words = ("clearing", "reconcile", str(book), "--window", "2026-03", "--township", XIWU, "--by")
    assert line.refused(*words, "shangtian").startswith("Error: 只能查看本镇街")
    assert line.refused(*words, "auditor") == "Error: 只有镇街或区级管理员可以办理"
    assert line.refused(*words, "nobody") == "Error: 没有登录名为 nobody 的工作人员，没有改动任何数据。"
    with staffed.session() as session:
        assert reconciliations(session, district(), part=Part(9)).items == []
    assert "0 行，0 行与账目相符" in line.good(*words, "chen")
