from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.factories.workbooks import NOW, TOWNSHIPS, write_untidy_workbook
from timebank.core.clock import LOCAL, local_date
from timebank.importing.rows import ElderRow, RecordRow, VolunteerRow
from timebank.importing.rules import (
    REASONS,
    Elder,
    Judged,
    Record,
    Rejected,
    Townships,
    Volunteer,
    ability_level,
    judge_elders,
    judge_records,
    judge_volunteers,
)
from timebank.importing.workbook import open_workbook

DATA = Path(__file__).parents[1] / "data"
DISTRICT = Townships([*TOWNSHIPS, ("330213005", "萧王庙街道"), ("330213101", "溪口镇")])
PERSON, OTHER, ELDER = "330224196509023578", "330224198504263539", "330224195207032431"
VOLUNTEER_ROW = VolunteerRow(4, (), "竺梅", PERSON, "131-0433-3853", "大堰", "理发")
ELDER_ROW = ElderRow(4, (), "叶家惠", ELDER, None, "西坞", "", "2", "低保、独居")
RECORD_ROW = RecordRow(4, (), "2026.10.9", None, "08:30-10:00", "竺梅", PERSON, "叶家惠", ELDER, "送餐", "联络员")


@dataclass(frozen=True)
class _Import:
    volunteers: Judged[Volunteer]
    elders: Judged[Elder]
    records: Judged[Record]

    @property
    def rejected(self) -> dict[str, list[tuple[int, str]]]:
        sheets = {
            "志愿者名册": self.volunteers.rejected,
            "老人名册": self.elders.rejected,
            "服务记录": self.records.rejected,
        }
        return {name: [(row.row, row.reason) for row in rejected] for name, rejected in sheets.items()}

    @property
    def minutes_by_volunteer_id(self) -> Counter[str]:
        earned: Counter[str] = Counter()
        for record in self.records.accepted:
            earned[record.volunteer_id_number] += record.minutes
        return earned


def _judge(path: Path) -> _Import:
    workbook = open_workbook(path)
    volunteers = judge_volunteers(workbook.volunteers, townships=DISTRICT, today=local_date(NOW))
    elders = judge_elders(workbook.elders, townships=DISTRICT, today=local_date(NOW))
    known = [{person.id_number.value for person in judged.accepted} for judged in (volunteers, elders)]
    return _Import(volunteers, elders, judge_records(workbook.records, volunteers=known[0], elders=known[1], now=NOW))


def _records(*rows: RecordRow, now: datetime = NOW) -> Judged[Record]:
    return judge_records(rows, volunteers={PERSON, OTHER}, elders={ELDER, PERSON}, now=now)


def _reason(**changes: object) -> str:
    judged = _records(replace(RECORD_ROW, **changes))  # type: ignore[arg-type]
    return judged.rejected[0].reason if judged.rejected else ""


def test_the_sample_comes_out_exactly_as_expected() -> None:
    expected = json.loads((DATA / "pilot_workbook.expected.json").read_text(encoding="utf-8"))
    found = _judge(DATA / "pilot_workbook.xlsx")
    accepted: list[Volunteer | Elder] = [*found.volunteers.accepted, *found.elders.accepted]
    assert {person.id_number.value: (person.name, person.township_code) for person in accepted} == {
        number: (person["name"], person["township_code"]) for number, person in expected["people"].items()
    }
    counts = [len(judged.accepted) for judged in (found.volunteers, found.elders, found.records)]
    assert counts == [expected["volunteers"], expected["elders"], expected["records"]]
    assert sum(record.minutes for record in found.records.accepted) == expected["minutes"]
    assert found.minutes_by_volunteer_id == expected["minutes_by_volunteer_id"]
    assert found.rejected == {
        sheet: [(row["row"], row["reason"]) for row in rows] for sheet, rows in expected["rejected"].items()
    }
    assert not [person for person in accepted if person.notes]


@pytest.mark.parametrize("seed", range(20))
def test_other_untidy_workbooks_come_out_as_expected(tmp_path: Path, seed: int) -> None:
    expected = write_untidy_workbook(tmp_path / "a.xlsx", seed)
    found = _judge(tmp_path / "a.xlsx")
    assert found.rejected == expected.rejected
    assert {person.id_number.value for person in found.volunteers.accepted} == expected.volunteers
    assert {person.id_number.value for person in found.elders.accepted} == expected.elders
    assert len(found.records.accepted) == expected.records
    assert found.minutes_by_volunteer_id == expected.minutes_by_volunteer_id


def test_a_roster_row_has_the_first_reason_that_applies() -> None:
    rows = [
        VOLUNTEER_ROW,
        replace(VOLUNTEER_ROW, row=5, name="", id_number="1", township="不详"),
        replace(VOLUNTEER_ROW, row=6, id_number="1", township="不详"),
        replace(VOLUNTEER_ROW, row=7, township="不详"),
        replace(VOLUNTEER_ROW, row=8),
    ]
    judged = judge_volunteers(rows, townships=DISTRICT, today=local_date(NOW))
    assert [volunteer.row for volunteer in judged.accepted] == [4]
    assert [row.reason for row in judged.rejected] == [
        "name_missing", "id_number_invalid", "township_unknown", "duplicate",
    ]  # fmt: skip


def test_a_row_that_did_not_go_in_makes_no_later_row_a_duplicate() -> None:
    rows = [replace(VOLUNTEER_ROW, township="不详"), replace(VOLUNTEER_ROW, row=5)]
    judged = judge_volunteers(rows, townships=DISTRICT, today=local_date(NOW))
    assert judged.rejected == (Rejected(4, "township_unknown"),)
    assert [volunteer.row for volunteer in judged.accepted] == [5]


def test_an_unreadable_phone_or_level_is_noted_and_keeps_nobody_out() -> None:
    row = replace(ELDER_ROW, phone="无", ability="尚可", circumstances="低保， 独居；高龄")
    (elder,) = judge_elders([row], townships=DISTRICT, today=local_date(NOW)).accepted
    assert (elder.phone, elder.ability_level) == (None, None)
    assert elder.notes == ("联系电话未能识别，未登记电话", "能力等级未能识别：尚可")
    assert elder.circumstances == ("低保", "独居", "高龄")


@pytest.mark.parametrize(
    "words",
    [
        "尚田街道",
        "尚田",
        "尚田镇",
        "奉化区尚田街道",
        "浙江省宁波市奉化区尚田",
        "奉化市 尚田",
        "330213007",
        "尚田街道办事处",
    ],
)
def test_a_township_is_known_by_all_its_names(words: str) -> None:
    assert DISTRICT.code_of(words) == "330213007"


@pytest.mark.parametrize("words", ["不详", "", "奉化区", "街道", "海曙区", "33021300", "尚", "尚田大堰"])
def test_other_words_are_no_township(words: str) -> None:
    assert DISTRICT.code_of(words) is None


@pytest.mark.parametrize(
    ("words", "level"),
    [("0", 0), ("4", 4), ("3 级", 3), ("能力完好", 0), ("完好", 0), ("轻度", 1), ("中度失能", 2),
     ("重度失能（3级）", 3),
     ("完全失能", 4), ("", None), ("5", None), ("轻", None), ("20", None)],
)  # fmt: skip
def test_ability_words_become_levels(words: str, level: int | None) -> None:
    assert ability_level(words) == level


def test_a_good_record_carries_its_moments_and_minutes() -> None:
    (record,) = _records(RECORD_ROW).accepted
    assert record.started_at == datetime(2026, 10, 9, 8, 30, tzinfo=LOCAL)
    assert record.started_at.utcoffset() == timedelta(hours=8)
    assert (record.minutes, record.content) == (90, "送餐")


def test_a_record_has_the_first_reason_that_applies() -> None:
    assert _reason(volunteer_id_number="1", elder_id_number="1", span="") == "volunteer_unknown"
    assert _reason(elder_id_number="1", span="") == "elder_unknown"
    assert _reason(elder_id_number=PERSON, span="") == "self_service"
    assert _reason(span="10:00-08:30", day="2027.3.5") == "times_invalid"
    assert _reason(day="2027.3.5") == "date_in_future"
    assert _reason() == ""


@pytest.mark.parametrize("changes", [{"span": "8:30-8:30"}, {"span": None}, {"day": "10.32"}, {"day": "10月9日"}])
def test_times_that_cannot_be_are_refused(changes: dict[str, object]) -> None:
    assert _reason(**changes) == "times_invalid"


def test_the_titles_year_completes_a_day() -> None:
    assert _reason(day="10月9日", title_year=2026) == ""


def test_help_that_has_not_ended_yet_is_in_the_future() -> None:
    end = datetime(2026, 10, 9, 10, 0, tzinfo=LOCAL)
    assert not _records(RECORD_ROW, now=end).rejected
    assert _records(RECORD_ROW, now=end - timedelta(seconds=1)).rejected == (Rejected(4, "date_in_future"),)


@pytest.mark.parametrize(
    ("span", "fits"),
    [("08:30-10:00", False), ("09:59-11:00", False), ("07:00-08:31", False), ("08:45-09:00", False),
     ("07:00-12:00", False), ("10:00-11:00", True), ("07:00-08:30", True)],
)  # fmt: skip
def test_the_earlier_row_of_an_overlap_stays_and_touching_ends_are_none(span: str, fits: bool) -> None:
    judged = _records(RECORD_ROW, replace(RECORD_ROW, row=5, span=span))
    assert [record.row for record in judged.accepted] == ([4, 5] if fits else [4])
    assert judged.rejected == (() if fits else (Rejected(5, "overlaps"),))


def test_only_good_rows_of_the_same_volunteer_stand_in_the_way() -> None:
    judged = _records(
        replace(RECORD_ROW, elder_id_number="1"),
        replace(RECORD_ROW, row=5, span="08:00-09:00"),
        replace(RECORD_ROW, row=6, span="08:30-10:00"),
        replace(RECORD_ROW, row=7, span="09:00-10:00"),
        replace(RECORD_ROW, row=8, volunteer_id_number=OTHER),
    )
    assert [record.row for record in judged.accepted] == [5, 7, 8]
    assert judged.rejected == (Rejected(4, "elder_unknown"), Rejected(6, "overlaps"))


def test_names_are_not_compared() -> None:
    assert _reason(volunteer_name="别人", elder_name="") == ""


def test_every_reason_has_a_sentence() -> None:
    assert all(sentence and not sentence.isascii() for sentence in REASONS.values())
