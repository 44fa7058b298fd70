"""``timebank vouchers sheet``: a page of coupons as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command_line import CommandLine
from tests.factories.people import SHANGTIAN, add_staff_login
from tests.factories.vouchers import bought
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.redemption.codes import grouped


@pytest.fixture
def line(tmp_path: Path, bank: Database, database_url: str) -> CommandLine:
    with bank.unit_of_work() as session:
        role = StaffRole.TOWNSHIP_STEWARD
        add_staff_login(session, "shangtian", "a password of some length", role, township_code=SHANGTIAN)
    return CommandLine(tmp_path / "home", database_url)


@pytest.mark.parametrize("paper", ["a4", "receipt"])
def test_a_steward_writes_a_page_of_all_that_somebody_has_unused(
    bank: Database, line: CommandLine, tmp_path: Path, paper: str
) -> None:
    holder, vouchers = bought(bank, 2)
    file = tmp_path / "券.html"
    words = ("vouchers", "sheet", str(file), "--by", "shangtian", "--paper", paper)
    assert "2 张用餐券" in line.good(*words, "--person", str(holder.person_id))
    page = file.read_text(encoding="utf-8")
    assert all(grouped(voucher.code) in page for voucher in vouchers)
    line.good(*words, "--voucher", str(vouchers[0].id))
    assert grouped(vouchers[1].code) not in file.read_text(encoding="utf-8")


def test_what_cannot_be_printed_is_told_in_one_sentence_and_writes_nothing(
    bank: Database, line: CommandLine, tmp_path: Path
) -> None:
    holder, [voucher] = bought(bank)
    file = tmp_path / "券.html"
    sheet = ("vouchers", "sheet", str(file))
    assert "没有登录名为 nobody" in line.refused(*sheet, "--by", "nobody", "--voucher", str(voucher.id))
    assert "请选定用餐券" in line.refused(*sheet, "--by", "shangtian")
    both = ("--voucher", str(voucher.id), "--person", str(holder.person_id))
    assert "请选定用餐券" in line.refused(*sheet, "--by", "shangtian", *both)
    assert not file.exists()
    nowhere = str(tmp_path / "没有" / "券.html")
    assert "写不了文件" in line.refused("vouchers", "sheet", nowhere, "--by", "shangtian", *both[:2])
