from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.workbooks import id_number
from timebank.people.id_numbers import IdNumber, age_on, check_character, masked, parse, tidy

TODAY = date(2026, 11, 21)
NUMBERS = st.integers(0, 10**9).map(lambda seed: id_number(random.Random(seed), (1850, 2025)))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("330224196509023578", "330224196509023578"),
        (" 330224 19650902 3578 ", "330224196509023578"),
        ("３３０２２４１９９４１０３１８２９ｘ", "33022419941031829X"),
        ("330224-19941031-829x", "33022419941031829X"),
        ("'330224\u200b196509023578\u3000\n", "330224196509023578"),
        (None, ""),
    ],
)
def test_a_number_is_tidied_to_what_people_mean(written: object, meant: str) -> None:
    assert tidy(written) == meant


def test_a_valid_number_tells_birth_and_sex() -> None:
    assert parse("330224196509023578", today=TODAY) == IdNumber("330224196509023578", date(1965, 9, 2), "M")
    assert parse("33022419941031829x", today=TODAY).sex == "M"
    assert parse("330203199103162721", today=TODAY).sex == "F"


def test_a_county_that_no_longer_exists_is_no_fault() -> None:
    assert parse("330224194804285037", today=TODAY).born_on == date(1948, 4, 28)


@pytest.mark.parametrize(
    "written",
    ["", "33022419650902357", "3302241965090235788", "33022419650902357A", "X30224196509023578", "330224650902357"],
)
def test_a_number_of_another_shape_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="18 位"):
        parse(written, today=TODAY)


@pytest.mark.parametrize("born", ["19650229", "19651301", "19650900", "18491231", "20261122"])
def test_a_birth_date_that_cannot_be_is_refused_though_the_check_digit_agrees(born: str) -> None:
    body = f"330224{born}357"
    with pytest.raises(ValueError, match="出生日期"):
        parse(body + check_character(body), today=TODAY)


@pytest.mark.parametrize("born", ["18500101", "20261121", "20240229"])
def test_the_first_and_the_last_possible_birth_dates_are_accepted(born: str) -> None:
    body = f"330224{born}357"
    assert f"{parse(body + check_character(body), today=TODAY).born_on:%Y%m%d}" == born


@given(NUMBERS, st.integers(0, 17), st.sampled_from("0123456789X"))
def test_any_single_changed_character_is_refused(number: str, place: int, other: str) -> None:
    changed = number[:place] + other + number[place + 1 :]
    if changed == number:
        assert parse(changed, today=TODAY).value == number
    else:
        with pytest.raises(ValueError, match=r"18 位|出生日期|校验码"):
            parse(changed, today=TODAY)


@given(st.text())
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(NUMBERS)
def test_a_mask_shows_three_and_four(number: str) -> None:
    assert masked(number) == number[:3] + "*" * 11 + number[14:]


def test_a_mask_hides_a_short_scrap_whole() -> None:
    assert masked("3302241") == "*******"


@pytest.mark.parametrize(
    ("born_on", "day", "age"),
    [
        (date(1965, 9, 2), date(2025, 9, 1), 59),
        (date(1965, 9, 2), date(2025, 9, 2), 60),
        (date(1964, 2, 29), date(2025, 2, 28), 60),
        (date(1964, 2, 29), date(2025, 3, 1), 61),
    ],
)
def test_age_grows_on_the_birthday(born_on: date, day: date, age: int) -> None:
    assert age_on(born_on, day) == age
