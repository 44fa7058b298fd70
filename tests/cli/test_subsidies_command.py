"""``timebank subsidies``: compute, list, show and export a claim."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from app.cli.main import main
from tests.conftest import SECRET
from tests.factories.people import XIWU, add_staff_login
from tests.factories.subsidies import GOVERNMENT_80, Place, a_place, served
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.townships.models import Organisation


@pytest.fixture(autouse=True)
def _the_third_of_april() -> Iterator[None]:
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def place(bank: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("TIMEBANK_DATABASE_URL", database_url)
    monkeypatch.setenv("TIMEBANK_SECRET_KEY", SECRET)
    made = a_place(bank)
    with bank.unit_of_work() as session:
        add_staff_login(session, "xiwu", "a password of some length", StaffRole.TOWNSHIP_STEWARD, township_code=XIWU)
        served(session, made, made.diner, GOVERNMENT_80)
    return made


def run(*arguments: str) -> tuple[int, str]:
    found = CliRunner().invoke(main, ["subsidies", *arguments, "--by", "xiwu"])
    return found.exit_code, found.output


def test_a_claim_is_computed_listed_shown_and_exported(bank: Database, place: Place, tmp_path: Path) -> None:
    with bank.session() as session:
        name = session.get_one(Organisation, place.id).name
    which, file = ("--canteen", name, "--month", "2026-03"), tmp_path / "claim.xlsx"
    assert run("show", *which)[0] == 1
    code, said = run("compute", *which, "--json")
    assert (code, json.loads(said)["state"], json.loads(said)["list_fen"]) == (0, "checked", 1200)
    assert json.loads(run("compute", *which, "--json")[1]) == json.loads(said)
    assert [one["month"] for one in json.loads(run("list", "--json")[1])["items"]] == ["2026-03"]
    code, shown = run("show", *which)
    assert (code, "已核查" in shown, "4.00元" in shown) == (0, True, True)
    assert run("export", *which, "-o", str(file)) == (0, f"已写入 {file}\n")
    assert load_workbook(file).sheetnames == ["汇总", "按规则", "明细", "疑点"]
    code, refused = run("export", *which, "-o", str(file))
    assert (code, "--force" in refused) == (1, True)
    assert run("compute", "--canteen", "没有的食堂", "--month", "2026-03")[0] == 1
