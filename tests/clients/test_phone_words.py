"""How the phone says amounts, dates and codes."""

from __future__ import annotations

import pytest

from clients.miniprogram.problem import Problem
from clients.miniprogram.terminal import words


@pytest.mark.parametrize(
    ("minutes", "said", "signed"),
    [
        (0, "0 分钟", "＋0 分钟"),
        (1, "1 分钟", "＋1 分钟"),
        (60, "1 小时", "＋1 小时"),
        (150, "2 小时 30 分钟", "＋2 小时 30 分钟"),
        (-60, "负 1 小时", "－1 小时"),
        (-90, "负 1 小时 30 分钟", "－1 小时 30 分钟"),
    ],
)
def test_minutes_are_said_in_hours_and_minutes(minutes: int, said: str, signed: str) -> None:
    assert words.minutes_text(minutes) == said
    assert words.signed_minutes_text(minutes) == signed


def test_moments_are_said_on_beijings_clock() -> None:
    assert words.moment_text("2026-11-21T16:05:00Z") == "2026-11-22 00:05"
    assert words.day_and_time_text("2026-12-31T20:00:00-04:00") == "1 月 1 日（星期五）08:00"


@pytest.mark.parametrize(
    ("end", "last_day"),
    [("2027-05-20T16:00:00Z", "2027 年 5 月 20 日"), ("2027-05-20T16:00:01Z", "2027 年 5 月 21 日")],
)
def test_a_voucher_that_ends_at_midnight_is_good_the_day_before(end: str, last_day: str) -> None:
    assert words.last_day_text(end) == last_day


@pytest.mark.parametrize("code", ["ABCDEFGHJKM", "ABCD-EFGH-JKM", "ABC-DEFGH-JKM"])
def test_a_code_is_shown_in_groups_of_four(code: str) -> None:
    assert words.code_in_groups(code) == "ABCD-EFGH-JKM"


def test_every_sentence_in_a_tree_of_field_errors_is_found() -> None:
    errors = {"json": {"phone": ["要 11 位"], "items": {"0": {"n": ["太小"]}}}, "query": ["多了"]}
    problem = Problem(422, "validation_error", "填得不对", None, {"errors": errors})
    assert words.refusal_sentences(problem) == ["填得不对", "要 11 位", "太小", "多了"]
