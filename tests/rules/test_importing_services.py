"""Kinds of service by the words of offices, and the id that an imported service always has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from timebank.core.clock import LOCAL
from timebank.importing.service_ids import imported_task_id
from timebank.importing.service_words import ServiceWords

WORDS = ServiceWords({"meal_delivery": "送餐", "other": "其他服务", "bathing": "助浴"})
HELPER, ELDER = UUID(int=1), UUID(int=2)
START = datetime(2026, 10, 9, 8, 30, tzinfo=LOCAL)
END = START + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("written", "code", "note"),
    [
        ("送餐", "meal_delivery", ""),
        (" 送 餐服务", "meal_delivery", ""),
        ("助浴", "bathing", ""),
        ("其他", "other", ""),
        ("其他服务", "other", ""),
        ("理发", "other", "理发"),
        ("", "other", ""),
        ("服务", "other", "服务"),
    ],
)
def test_a_kind_of_service_is_known_by_its_name_and_others_are_noted(written: str, code: str, note: str) -> None:
    assert WORDS.read(written) == (code, note)


def test_the_same_service_always_has_the_same_id() -> None:
    as_utc = (START.astimezone(UTC), END.astimezone(UTC))
    assert imported_task_id(HELPER, ELDER, START, END) == imported_task_id(HELPER, ELDER, *as_utc)


def test_another_person_or_moment_is_another_service() -> None:
    later = timedelta(minutes=1)
    ids = {
        imported_task_id(HELPER, ELDER, START, END),
        imported_task_id(ELDER, HELPER, START, END),
        imported_task_id(HELPER, UUID(int=3), START, END),
        imported_task_id(HELPER, ELDER, START + later, END),
        imported_task_id(HELPER, ELDER, START, END + later),
    }
    assert len(ids) == 5


def test_the_id_is_a_uuid_of_version_7_that_sorts_by_the_services_end() -> None:
    ids = [imported_task_id(HELPER, ELDER, START, END + timedelta(minutes=n)) for n in range(50)]
    assert sorted(ids) == ids
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert ids[0].int >> 80 == END.timestamp() * 1000
