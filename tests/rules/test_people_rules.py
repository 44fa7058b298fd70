"""Names that match, ages that suffice, how fast a password may be guessed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from timebank.core.errors import Refused
from timebank.people.id_numbers import age_on
from timebank.people.rules import block_after, may_be_helped, must_be_of_age, roles_by_age, same_name, tidy_name


@pytest.mark.parametrize(
    "written",
    ["王小明", " 王 小明 ", "王\u3000小明", "王\u200b小明", "\ufeff王小明\n", "王\t小\u00a0明"],
)
def test_blanks_of_every_kind_do_not_make_another_name(written: str) -> None:
    assert tidy_name(written) == "王小明"


def test_the_dot_of_a_long_name_is_one_dot_however_it_is_typed() -> None:
    assert same_name("阿依古丽·买买提", "阿依古丽•买买提")
    assert same_name("阿依古丽·买买提", "阿依古丽・买买提")


def test_full_width_letters_are_letters() -> None:
    assert same_name("\uff34\uff4f\uff4d", "Tom")


def test_other_names_are_other_names() -> None:
    assert not same_name("王小明", "王小朋")


@pytest.mark.parametrize("written", ["", "  ", "\u200b", "\u3000\n"])
def test_a_name_of_blanks_is_no_name(written: str) -> None:
    assert tidy_name(written) == ""


@pytest.mark.parametrize(
    ("age", "roles"),
    [(17, []), (18, ["volunteer"]), (59, ["volunteer"]), (60, ["volunteer", "elder"]), (90, ["volunteer", "elder"])],
)
def test_who_registers_may_be_what_the_age_allows(age: int, roles: list[str]) -> None:
    assert roles_by_age(age, volunteer_min_age=18, help_min_age=60) == roles


def test_a_birthday_counts_from_its_day() -> None:
    born = date(1966, 3, 10)
    assert age_on(born, date(2026, 3, 9)) == 59
    assert age_on(born, date(2026, 3, 10)) == 60


def test_who_is_too_young_hears_the_age_needed_and_the_age_had() -> None:
    with pytest.raises(Refused, match="too_young:") as refusal:
        must_be_of_age(date(1966, 3, 11), date(2026, 3, 10), 60, code="too_young", title="须年满60周岁")
    assert refusal.value.facts == {"min_age": 60, "age": 59}
    must_be_of_age(date(1966, 3, 10), date(2026, 3, 10), 60, code="too_young", title="须年满60周岁")


def test_an_enrolled_elder_is_helped_at_any_age_and_others_by_age() -> None:
    born, today = date(1970, 1, 1), date(2026, 3, 10)
    assert may_be_helped(["elder"], born, today, 60)
    assert not may_be_helped(["volunteer"], born, today, 60)
    assert may_be_helped([], born, today, 56)


def test_guessing_slows_down_after_five_failures_up_to_a_quarter_of_an_hour() -> None:
    waits = [block_after(failures) for failures in range(1, 13)]
    assert waits[:4] == [timedelta()] * 4
    assert waits[4:9] == [timedelta(seconds=30 * 2**n) for n in range(5)]
    assert waits[9:] == [timedelta(minutes=15)] * 3
    assert block_after(10_000) == timedelta(minutes=15)
