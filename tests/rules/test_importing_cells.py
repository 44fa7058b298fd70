from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.importing.cells import read_day, read_id_number, read_name, read_text
from timebank.importing.spans import read_clock, read_span
from timebank.people.id_numbers import parse

ANYTHING = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.text("0123456789年月日.-/:至 上下午点半"),
    st.dates(), st.datetimes(), st.times(), st.timedeltas(), st.binary(), st.lists(st.integers(), max_size=2),
    st.sampled_from([10**400, -(10**400), 1e308, float("inf"), "9" * 400]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (4, "4"), (4.0, "4"), (4.5, "4.5"), ("  低保、\n 独居 ", "低保、 独居"), ("#N/A", ""), (True, "是"),
     (float("inf"), ""), (datetime(2026, 10, 9), "2026-10-09"), (330213007.0, "330213007")],
)  # fmt: skip
def test_a_cell_is_read_as_trimmed_text(value: object, text: str) -> None:
    assert read_text(value) == text


@pytest.mark.parametrize(
    ("value", "name"),
    [("王　芳", "王芳"), (" 戴 惠珍\u200b", "戴惠珍"), ("Anna  Lee", "Anna Lee"), ("——", ""), (12, ""), (None, "")],
)
def test_a_name_loses_the_blanks_that_only_line_it_up(value: object, name: str) -> None:
    assert read_name(value) == name


@pytest.mark.parametrize("value", [330224196509023578, 3.3022419650902358e17, 330224196509023000, 10**400])
def test_an_id_number_stored_as_a_number_never_passes(value: float) -> None:
    with pytest.raises(ValueError, match="18 位"):
        parse(read_id_number(value), today=date(2026, 11, 21))


@pytest.mark.parametrize(
    "written",
    ["2026.10.9", "2026-10-09", "2026/10/09", "2026年10月9日", "2026年10月09日（星期五）", "２０２６．１０．９",
     " 2026. 10. 9 ", "2026-10-9 0:00:00", "2026-10-09T08:30:00", "20261009", 20261009, 46304, 46304.35, "46304",
     date(2026, 10, 9), datetime(2026, 10, 9, 8, 30), "2026年10月9号 周五"],
)  # fmt: skip
def test_a_day_is_read_in_every_notation(written: object) -> None:
    assert read_day(written) == date(2026, 10, 9)


def test_a_day_without_a_year_takes_the_titles_year_and_no_other() -> None:
    assert read_day("10月9日", default_year=2026) == date(2026, 10, 9)
    assert read_day("2025.10.9", default_year=2026) == date(2025, 10, 9)
    with pytest.raises(ValueError, match="日期"):
        read_day("10月9日")


@pytest.mark.parametrize(
    "written",
    ["2026.10.32", "2026-02-29", "26.10.9", "10.9.2026", "", None, True, 9, 9.5, "9日", "2026年10月", "待定",
     datetime(1900, 1, 9), time(8, 30), float("nan"), float("inf"), -5, 10**400],
)  # fmt: skip
def test_what_is_no_day_is_refused(written: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the calendar's own message will do
        read_day(written, default_year=2026)


@pytest.mark.parametrize(
    "written",
    ["08:30～10:00", "8:30~10:00", "8:30-10:00", "8:30—10:00", "8:30–10:00", "8:30－10:00", "8:30——10:00",
     "8:30至10:00", "8:30 到 10:00", "０８:３０至１０:００", "０８：３０－１０：００", "8点30分—10点", "8点半到10点整",
     "8时30分至10时00分", "上午8:30-10:00", "上午8:30～上午10:00", "8:30 AM - 10:00 AM", "8:30-10:00 a.m.",
     "从8:30到10:00", "08:30:00-10:00:00", "8.30-10.00", "0830-1000", "8:30-10:00（1.5小时）", "8:30\n-10:00",
     (time(8, 30), time(10, 0)), (datetime(2026, 10, 9, 8, 30), timedelta(hours=10)), ("8:30", "10点"),
     (0.3541666666, 0.4166666667), (time(8, 30), "10:00")],
)  # fmt: skip
def test_a_span_is_read_in_every_notation(written: object) -> None:
    assert read_span(written) == (time(8, 30), time(10, 0))


@pytest.mark.parametrize(
    "written",
    ["14:00-16:30", "下午2:00-4:30", "下午2点至下午4点半", "2:00-4:30 PM", "2:00 PM-4:30 PM", "PM 2:00-4:30",
     "14-16点半", ("下午2:00", "4:30"), "下午14:00-16:30"],
)  # fmt: skip
def test_an_afternoon_is_told_apart(written: object) -> None:
    assert read_span(written) == (time(14, 0), time(16, 30))


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [("上午10:30-下午1:00", time(10, 30), time(13)), ("10:30-1:00 PM", time(10, 30), time(13)),
     ("中午11:30-12:30", time(11, 30), time(12, 30)), ("中午12:00-1:00", time(12), time(13)),
     ("上午11:00-12:00", time(11), time(12)), ("12:15 AM-1:00 AM", time(0, 15), time(1)),
     ("11:00 AM-12:30 PM", time(11), time(12, 30)), ("晚上7点一刻-8点三刻", time(19, 15), time(20, 45)),
     ("10:30-08:30", time(10, 30), time(8, 30))],
)  # fmt: skip
def test_a_span_around_noon_is_read_as_people_mean_it(written: str, start: time, end: time) -> None:
    assert read_span(written) == (start, end)


@pytest.mark.parametrize(
    "written",
    ["", None, "上午", "8-10", "8点-10", "8:30", "8:30-10:00-11:00", "8:60-10:00", "25:00-26:00", "22:00-24:00",
     "8:3-9:00", "晚上10点-晚上12点", "13:00 AM-2:00 PM", 1.5, 830, (None, None), ("8", "10"), (time(8), None),
     (timedelta(days=1), 0.5)],
)  # fmt: skip
def test_what_is_no_span_is_refused(written: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the clock's own message will do
        read_span(written)


@given(ANYTHING, ANYTHING)
def test_no_cell_raises_anything_but_value_errors(value: object, other: object) -> None:
    readers: list[Callable[[object], object]] = [read_text, read_name, read_id_number, read_day, read_span, read_clock]
    calls = [(read, value) for read in readers] + [(read_span, (value, other))]
    for read, argument in calls:
        try:
            read(argument)
        except ValueError:
            continue


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"]))
def test_every_day_of_the_century_is_read_back(day: date, notation: str) -> None:
    assert read_day(day.strftime(notation)) == day
    assert read_day((day - date(1899, 12, 30)).days) == day
