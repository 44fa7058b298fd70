"""Which rows of a list of diners go in, and who shares a household."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from itertools import count
from uuid import UUID

import pytest

from tests.factories.people import DAYAN, XIWU, valid_id_number
from timebank.importing.diner_rules import (
    DINER_REASONS,
    CanteenName,
    Claim,
    DinerEntry,
    DinerWords,
    households,
    judge_diners,
    sift,
)
from timebank.importing.diner_workbook import DinerRow
from timebank.importing.rules import Judged, Townships

TODAY = date(2026, 3, 10)
HALL, FAR_HALL, OTHER = (UUID(int=n) for n in (1, 2, 3))
WORDS = DinerWords(
    townships=Townships([(XIWU, "西坞街道"), (DAYAN, "大堰镇")]),
    categories={"低保": "low_income", "low_income": "low_income", "残疾人": "disabled"},
    allergens=lambda code: ["花生", "鱼类"] if code == XIWU else ["坚果"],
    religious_diets=lambda _code: ["清真", "素食"],
    canteens=[
        CanteenName(HALL, "幸福食堂", "330213004-001", XIWU),
        CanteenName(FAR_HALL, "幸福食堂", "330213107-001", DAYAN),
        CanteenName(OTHER, "白杜村老年食堂", "330213004-002", XIWU),
    ],
)


def row(number: int = 2, **cells: object) -> DinerRow:
    plain = DinerRow(
        row=number,
        cells=(),
        name="周桂芬",
        id_number=valid_id_number(date(1944, 3, 8)),
        phone=None,
        township="西坞",
        village="",
        diet_form="",
        allergies="",
        religious_diet="",
        categories="",
        valid_from=None,
        valid_until=None,
        evidence="",
        canteen="",
        delivery_address="",
        delivery_note="",
        household_id_number="",
    )
    return replace(plain, **cells)  # type: ignore[arg-type]


def judged(*rows: DinerRow) -> Judged[DinerEntry]:
    return judge_diners(rows, words=WORDS, today=TODAY)


def entry(**cells: object) -> DinerEntry:
    [accepted] = judged(row(**cells)).accepted
    return accepted


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"name": ""}, "name_missing"),
        ({"id_number": "330224194403080000"}, "id_number_invalid"),
        ({"township": "月球"}, "township_unknown"),
        ({"diet_form": "生食"}, "diet_form_unknown"),
        ({"allergies": "鱼类、月光"}, "allergen_unknown"),
        ({"allergies": "坚果"}, "allergen_unknown"),
        ({"religious_diet": "清真、素食"}, "religious_diet_unknown"),
        ({"religious_diet": "月光"}, "religious_diet_unknown"),
        ({"categories": "国王", "valid_from": "2026-1-1", "evidence": "证"}, "category_unknown"),
        ({"categories": "低保", "evidence": "证"}, "category_days_invalid"),
        ({"categories": "低保", "valid_from": "明年", "evidence": "证"}, "category_days_invalid"),
        (
            {"categories": "低保", "valid_from": "2026-1-2", "valid_until": "2026-1-1", "evidence": "证"},
            "category_days_invalid",
        ),
        ({"categories": "低保", "valid_from": "2026-1-1"}, "evidence_missing"),
        ({"canteen": "没有的食堂"}, "canteen_unknown"),
        ({"delivery_note": "长" * 201}, "text_too_long"),
        ({"household_id_number": "12"}, "household_number_invalid"),
    ],
)
def test_a_row_comes_back_with_its_reason(cells: dict[str, object], reason: str) -> None:
    found = judged(row(7, **cells))
    assert [(one.row, one.reason) for one in found.rejected] == [(7, reason)]
    assert found.accepted == ()
    assert reason in DINER_REASONS


def test_the_same_person_twice_comes_back_the_second_time_and_nobody_lives_with_themselves() -> None:
    number = valid_id_number(date(1944, 3, 8))
    found = judged(row(2, id_number=number), row(3, id_number=number), row(4, household_id_number="x"))
    assert [(one.row, one.reason) for one in found.rejected] == [(3, "duplicate"), (4, "household_number_invalid")]
    [one] = judged(row(2, id_number=number, household_id_number=number)).rejected
    assert one.reason == "household_number_invalid"


@pytest.mark.parametrize(
    ("words", "form"),
    [("", None), ("普通", "normal"), ("软食", "soft"), ("碎 食", "minced"), ("流质", "liquid"), ("普通餐", "normal")],
)
def test_forms_of_diet_are_read_as_they_are_written(words: str, form: str | None) -> None:
    assert entry(diet_form=words).diet_form == form


def test_words_are_split_tidied_and_looked_up() -> None:
    found = entry(
        allergies="鱼类，花生 鱼类",
        categories="残疾人；低保",
        valid_from=datetime(2026, 1, 1),
        valid_until="2026.12.31",
        evidence="证12",
        religious_diet="无",
    )
    assert (found.allergies, found.religious_diet) == (("花生", "鱼类"), None)
    days = (date(2026, 1, 1), date(2026, 12, 31), "证12")
    assert sorted(found.claims, key=str) == [Claim("disabled", *days), Claim("low_income", *days)]
    assert entry(allergies="无", household_id_number="无").household_id_number is None
    assert entry(township="大堰", allergies="坚果").allergies == ("坚果",)
    assert entry(valid_from="明年").claims == ()


def test_a_canteen_is_found_by_number_and_by_name_the_townships_own_first() -> None:
    assert entry(canteen="白杜村老年食堂").canteen_id == OTHER
    assert entry(canteen="330213107-001").canteen_id == FAR_HALL
    assert entry(canteen="幸福 食堂").canteen_id == HALL
    assert entry(canteen="幸福食堂", township="大堰").canteen_id == FAR_HALL
    twice = replace(WORDS, canteens=[*WORDS.canteens, CanteenName(UUID(int=9), "幸福食堂", None, XIWU)])
    [back] = judge_diners([row(canteen="幸福食堂")], words=twice, today=TODAY).rejected
    assert back.reason == "canteen_unknown"


def test_an_unreadable_phone_is_noted_not_sent_back() -> None:
    found = entry(phone="不详")
    assert (found.phone, found.notes) == (None, ("手机号码未能识别，未登记电话",))
    assert entry(phone="138 1234 5678").phone == "13812345678"


def leaning(*rows: tuple[str, str | None]) -> Judged[DinerEntry]:
    """Rows of (name of a person, of whom they lean on), with numbers made of the names."""
    entries = []
    for number, (who, other) in enumerate(rows, start=2):
        plain = entry()
        identity = replace(plain.id_number, value=who)
        entries.append(replace(plain, row=number, id_number=identity, household_id_number=other))
    return Judged(tuple(entries), ())


def test_who_goes_back_takes_along_those_who_lean_on_them() -> None:
    rows = leaning(("a", "b"), ("b", "c"), ("c", None), ("d", "known"), ("e", "nobody"), ("f", "g"), ("g", "f"))
    found = sift(rows, reason_of=lambda e: "person_left" if e.id_number.value == "c" else None, diners={"known"})
    assert [(one.row, one.reason) for one in found.rejected] == [
        *((2, "household_unknown"), (3, "household_unknown"), (4, "person_left"), (6, "household_unknown"))
    ]
    assert [one.id_number.value for one in found.accepted] == ["d", "f", "g"]


def test_a_household_is_everybody_who_leans_on_one_another() -> None:
    numbers = count(100)
    rows = leaning(("a", "b"), ("b", None), ("c", "a"), ("d", None), ("e", "known"), ("f", "e")).accepted
    found = households(rows, known={"known": UUID(int=7)}, fresh=lambda: UUID(int=next(numbers)))
    assert found["a"] == found["b"] == found["c"] != found["d"]
    assert found["e"] == found["f"] == UUID(int=7)
    assert len(set(found.values())) == 3


def test_a_household_that_stands_wins_and_the_first_rows_among_several() -> None:
    rows = leaning(("a", None), ("b", "a"), ("c", "b")).accepted
    known = {"b": UUID(int=1), "c": UUID(int=2)}
    found = households(rows, known=known, fresh=lambda: UUID(int=9))
    assert set(found.values()) == {UUID(int=1)}
