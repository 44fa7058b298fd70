"""``timebank care bill`` shows, issues and exports; ``timebank staff add`` makes logins for providers."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from sqlalchemy import select

from tests.cli.command_line import CommandLine
from tests.factories.care import add_provider, confirmed, elder_with
from tests.factories.people import DAYAN, XIWU, add_staff_login
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.people.login_models import Login
from timebank.redemption.care.models import CareBill

BILL = ("care", "bill", "--month", "2026-03", "--provider", "西坞护理院")


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def served(bank: Database) -> None:
    """An hour served in March, in April."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 300), add_provider(session, name="西坞护理院")
        for township_code, username in ((XIWU, "xiwu"), (DAYAN, "dayan")):
            role = StaffRole.TOWNSHIP_STEWARD
            add_staff_login(session, username, "a password of some length", role, township_code=township_code)
    confirmed(bank, elder, provider)
    clock.freeze(clock.day_start(date(2026, 4, 1)))


def test_a_bill_is_shown_before_it_is_issued_and_issued_once(
    bank: Database, line: CommandLine, served: None, tmp_path: Path
) -> None:
    assert "尚未出账" in line.good(*BILL)
    said = json.loads(line.good(*BILL, "--json"))
    assert (said["bill"]["issued"], said["bill"]["minutes"], said["bill"]["fen"]) == (False, 60, 3000)
    assert [item["kind_name"] for item in said["items"]] == ["服务"]
    assert "本镇街" in line.refused(*BILL, "--issue", "--by", "dayan")
    file = tmp_path / "bill.xlsx"
    for _ in range(2):
        assert "已出账" in line.good(*BILL, "--issue", "--by", "xiwu", "-o", str(file), "--force")
    assert openpyxl.load_workbook(file).sheetnames == ["合计", "明细"]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["bill.xlsx"]
    with bank.session() as session:
        assert session.scalars(select(CareBill.minutes)).all() == [60]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("care", "bill", "--month", "2026-03", "--provider", "没有"), "没有这家"),
        (("care", "bill", "--month", "2026-3", "--provider", "西坞护理院"), "月份"),
        ((*BILL, "--issue"), "--by"),
        ((*BILL, "--by", "xiwu"), "--issue"),
        ((*BILL, "--issue", "--by", "nobody"), "nobody"),
        (("care", "bill", "--month", "2026-04", "--provider", "西坞护理院", "--issue", "--by", "xiwu"), "还没有结束"),
        ((*BILL, "-o", "/no/such/folder/bill.xlsx"), "无法写入"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    line: CommandLine, served: None, words: tuple[str, ...], said: str
) -> None:
    assert said in line.refused(*words)


def test_a_file_that_is_there_is_not_overwritten(line: CommandLine, served: None, tmp_path: Path) -> None:
    file = tmp_path / "bill.xlsx"
    file.write_text("mine")
    assert "--force" in line.refused(*BILL, "-o", str(file))
    assert file.read_text() == "mine"


def test_a_carer_belongs_to_a_provider_of_the_township(bank: Database, line: CommandLine) -> None:
    with bank.unit_of_work() as session:
        provider = add_provider(session, name="西坞护理院")
    typed = "carer password\ncarer password\n"
    words = ["staff", "add", "carer", "--name", "张护理", "--role", "care_provider", "--township"]
    assert "--provider" in line.refused(*words, XIWU, stdin=typed)
    assert "没有登记过" in line.refused(*words, DAYAN, "--provider", "西坞护理院", stdin=typed)
    line.good(*words, XIWU, "--provider", "西坞护理院", stdin=typed)
    with bank.session() as session:
        [login] = session.scalars(select(Login).where(Login.username == "carer"))
    assert (login.organisation_id, login.staff_role) == (provider.provider_id, "care_provider")
