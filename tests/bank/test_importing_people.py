"""Whom a workbook brings into the bank, and what is kept of whom it finds there."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.factories.imports import NOON, bring_in, rejected_rows
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, district
from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook
from timebank.core import clock
from timebank.core.db import Database
from timebank.importing.report import Counts, Note
from timebank.people.actions import Enrolment, enrol
from timebank.people.models import ElderFile, Person
from timebank.people.queries import people_by_id_numbers, roles_of

HELPER, ELDER = "330224196509023578", "330224195207032431"
VOLUNTEERS, ELDERS = PLAIN_ROWS["志愿者名册"], PLAIN_ROWS["老人名册"]
FILE_HEADINGS = [*ELDERS[0], "村社", "能力等级", "特殊情况"]


@pytest.fixture(autouse=True)
def _noon() -> None:
    clock.freeze(NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_plain_workbook(tmp_path / "a.xlsx")


def _person(bank: Database, number: str) -> tuple[Person, list[str], ElderFile | None]:
    with bank.session() as session:
        person = people_by_id_numbers(session, [number])[number]
        return person, roles_of(session, person.id), session.get(ElderFile, person.id)


def _enrol(bank: Database, number: str, name: str, township: str, role: str, phone: str | None = None) -> None:
    with bank.unit_of_work() as session:
        enrol(session, actor=district(), form=Enrolment(name, number, township, phone, (role,)))


def test_a_volunteer_has_township_phone_and_role(bank: Database, path: Path) -> None:
    bring_in(bank, path)
    person, roles, file = _person(bank, HELPER)
    assert (person.name, person.township_code, person.phone, person.sex) == ("竺梅", DAYAN, "13104333853", "M")
    assert (roles, file) == (["volunteer"], None)


def test_an_elder_gets_a_file_with_what_the_roster_tells(bank: Database, tmp_path: Path) -> None:
    row = ["叶家惠", ELDER, "不详", "西坞街道", "蒋家池头村", "2级", "低保、独居"]
    report = bring_in(bank, write_plain_workbook(tmp_path / "a.xlsx", {"老人名册": [FILE_HEADINGS, row]}))
    person, roles, file = _person(bank, ELDER)
    assert file is not None
    assert (file.assessment_level, file.village, file.circumstances) == (2, "蒋家池头村", ["低保", "独居"])
    assert (person.phone, roles) == (None, ["elder"])
    assert report.notes["老人名册"] == (Note(2, "联系电话未能识别，未登记电话"),)


def test_a_later_roster_fills_the_gaps_of_a_file_and_overwrites_nothing(bank: Database, tmp_path: Path) -> None:
    told = [(None, "蒋家池头村", None), ("3级", "别村", "独居"), ("1级", None, "低保")]
    for level, village, circumstances in told:
        row = ["叶家惠", ELDER, None, "西坞街道", village, level, circumstances]
        bring_in(bank, write_plain_workbook(tmp_path / "a.xlsx", {"老人名册": [FILE_HEADINGS, row]}))
    _, _, file = _person(bank, ELDER)
    assert file is not None
    assert (file.assessment_level, file.village, file.circumstances) == (3, "蒋家池头村", ["独居"])


def test_a_person_on_both_rosters_is_one_person_in_both_roles(bank: Database, tmp_path: Path) -> None:
    rows = {"老人名册": [*ELDERS, ["竺梅", HELPER, None, "西坞"]]}
    report = bring_in(bank, write_plain_workbook(tmp_path / "a.xlsx", rows))
    person, roles, file = _person(bank, HELPER)
    assert report.new == Counts(1, 2, 1)
    assert (roles, person.township_code, file is not None) == (["elder", "volunteer"], DAYAN, True)
    assert report.notes["老人名册"] == (Note(3, "已在大堰镇登记，以已登记的为准"),)
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 2


def test_who_is_enrolled_already_keeps_name_phone_and_township(bank: Database, path: Path) -> None:
    _enrol(bank, HELPER, "竺 小梅", SHANGTIAN, "volunteer", "13900000000")
    report = bring_in(bank, path)
    person, _, _ = _person(bank, HELPER)
    assert (person.name, person.township_code, person.phone) == ("竺小梅", SHANGTIAN, "13900000000")
    assert report.notes["志愿者名册"] == (
        Note(2, "姓名与已登记的不同，以已登记的为准"),
        Note(2, "已在尚田街道登记，以已登记的为准"),
    )
    assert (report.new, report.already_present) == (Counts(0, 1, 1), Counts(1, 0, 0))
    assert not any(report.rejected.values())


def test_who_is_enrolled_without_a_phone_gains_the_rosters(bank: Database, path: Path) -> None:
    _enrol(bank, HELPER, "竺梅", DAYAN, "volunteer")
    bring_in(bank, path)
    assert _person(bank, HELPER)[0].phone == "13104333853"


def test_who_is_in_the_bank_as_an_elder_becomes_a_volunteer_as_well(bank: Database, path: Path) -> None:
    _enrol(bank, HELPER, "竺梅", DAYAN, "elder")
    report = bring_in(bank, path)
    assert report.new.volunteers == 1
    assert _person(bank, HELPER)[1] == ["elder", "volunteer"]


def test_records_may_name_people_whom_the_bank_knows_and_the_rosters_do_not(bank: Database, tmp_path: Path) -> None:
    _enrol(bank, HELPER, "竺梅", DAYAN, "volunteer")
    _enrol(bank, ELDER, "叶家惠", XIWU, "elder")
    bare = {"志愿者名册": VOLUNTEERS[:1], "老人名册": ELDERS[:1]}
    report = bring_in(bank, write_plain_workbook(tmp_path / "a.xlsx", bare))
    assert (report.new, report.minutes) == (Counts(0, 0, 1), 90)


@pytest.mark.parametrize(
    ("number", "role", "sheet", "reason"),
    [(HELPER, "elder", "志愿者名册", "volunteer_unknown"), (ELDER, "volunteer", "老人名册", "elder_unknown")],
)
def test_records_need_people_in_the_right_role(
    bank: Database, tmp_path: Path, number: str, role: str, sheet: str, reason: str
) -> None:
    _enrol(bank, number, "某人", XIWU, role)
    report = bring_in(bank, write_plain_workbook(tmp_path / "a.xlsx", {sheet: PLAIN_ROWS[sheet][:1]}))
    assert rejected_rows(report)["服务记录"] == [(2, reason)]
