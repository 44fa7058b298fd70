"""On which days and at which meals a voucher is good, and what is said of it otherwise."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from timebank.core.clock import LOCAL
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.policies.rules import PolicyBook, check_value
from timebank.redemption.good_times import ALWAYS, GoodTimes, weekdays_text
from timebank.redemption.rules import VoucherState, judge, refusal_sentence, shares, standing, within_month

MONDAY = datetime(2026, 3, 9, 11, tzinfo=LOCAL)
PERIODS = {"breakfast": ["05:30", "09:30"], "lunch": ["10:00", "13:30"], "supper": ["16:00", "19:00"]}
LUNCH = {"lunch": PERIODS["lunch"]}


def reason_at(moment: datetime, times: GoodTimes) -> str:
    voucher = VoucherState(new_id(), "issued", MONDAY + timedelta(days=90), good_times=times)
    return judge(voucher, new_id(), moment)[0].reason


@pytest.mark.parametrize(
    ("days_later", "reason"), [(0, "ok"), (4, "ok"), (5, "voucher_not_today"), (6, "voucher_not_today")]
)
def test_a_voucher_for_working_days_is_refused_at_the_weekend(days_later: int, reason: str) -> None:
    assert reason_at(MONDAY + timedelta(days=days_later), GoodTimes((1, 2, 3, 4, 5))) == reason


@pytest.mark.parametrize(
    ("hour", "minute", "reason"),
    [(9, 59, "voucher_not_this_meal"), (10, 0, "ok"), (13, 29, "ok"), (13, 30, "voucher_not_this_meal")],
)
def test_a_voucher_for_lunch_is_good_from_its_first_minute_up_to_its_last(hour: int, minute: int, reason: str) -> None:
    assert reason_at(MONDAY.replace(hour=hour, minute=minute), GoodTimes(None, LUNCH)) == reason


def test_days_and_times_are_those_of_fenghua_wherever_the_clock_stands() -> None:
    # Sunday 23:30 in London is Monday in Fenghua.
    sunday_in_london = datetime.fromisoformat("2026-03-08T23:30:00+00:00")
    assert reason_at(sunday_in_london, GoodTimes((1,))) == "ok"
    assert reason_at(sunday_in_london, GoodTimes(None, {"breakfast": ["07:00", "08:00"]})) == "ok"
    assert reason_at(sunday_in_london, GoodTimes((7,))) == "voucher_not_today"


def test_the_day_is_told_before_the_meal_and_an_end_before_both() -> None:
    assert reason_at(MONDAY.replace(hour=20), GoodTimes((2,), LUNCH)) == "voucher_not_today"
    over = VoucherState(new_id(), "issued", MONDAY, good_times=GoodTimes((2,), LUNCH))
    assert judge(over, new_id(), MONDAY)[0].reason == "voucher_expired"


def test_no_limit_is_good_at_midnight_on_sunday() -> None:
    assert reason_at(MONDAY.replace(hour=0) + timedelta(days=6), ALWAYS) == "ok"


@pytest.mark.parametrize(
    ("weekdays", "said"),
    [
        ((1, 2, 3, 4, 5), "周一至周五"),
        ((6, 7), "周六、周日"),
        ((1, 3, 4, 5, 7), "周一、周三至周五、周日"),
        ((2,), "周二"),
    ],
)
def test_days_are_told_as_people_say_them(weekdays: tuple[int, ...], said: str) -> None:
    assert weekdays_text(weekdays) == said


def test_a_refusal_says_when_the_voucher_is_good() -> None:
    times = GoodTimes((1, 2, 3), LUNCH)
    facts: dict[str, Any] = {"good_times": times, "void_reason": None, "on_expiry": "refund"}
    assert refusal_sentence("voucher_not_today", **facts) == "这张券今天不能用，周一至周三，午餐（10:00～13:30）可用"
    assert "周一至周三，午餐" in refusal_sentence("voucher_not_this_meal", **facts)
    assert ALWAYS.text() == "每天"


def test_a_void_voucher_says_what_became_of_it_and_an_expired_one_where_its_minutes_are() -> None:
    said = {
        reason: refusal_sentence("voucher_void", good_times=ALWAYS, void_reason=reason, on_expiry="pool")
        for reason in ("lost", "given", "cancelled", None)
    }
    assert [
        word in said[reason] for reason, word in (("lost", "挂失补办"), ("given", "转赠"), ("cancelled", "作废"))
    ] == [True] * 3
    assert len(set(said.values())) == 4
    expired = [
        refusal_sentence("voucher_expired", good_times=ALWAYS, void_reason=None, on_expiry=where)
        for where in ("refund", "pool")
    ]
    assert ["退回账户" in expired[0], "公益时间池" in expired[1]] == [True, True]


def book(**values: Any) -> PolicyBook:
    usual = {"voucher_weekdays": [1, 2, 3, 4, 5, 6, 7], "voucher_meals": list(PERIODS), "meal_periods": PERIODS}
    return PolicyBook(1, {(key, None): value for key, value in {**usual, **values}.items()})


def test_all_days_and_all_meals_are_no_limit_and_fewer_are_kept_with_their_times() -> None:
    assert GoodTimes.by_policy(book(), "330213004") == ALWAYS
    limited = GoodTimes.by_policy(book(voucher_weekdays=[6, 7], voucher_meals=["breakfast", "supper"]), "330213004")
    assert limited == GoodTimes((6, 7), {"breakfast": ["05:30", "09:30"], "supper": ["16:00", "19:00"]})


@pytest.mark.parametrize(
    ("key", "good", "wrong"),
    [
        ("voucher_weekdays", [[1], [1, 7]], [[], [0], [8], [2, 1], [1, 1], ["1"], [True], 5, None, [1.0]]),
        (
            "voucher_meals",
            [["lunch"], ["breakfast", "supper"]],
            [[], ["supper", "lunch"], ["tea"], ["lunch"] * 2, "lunch"],
        ),
        (
            "meal_periods",
            [PERIODS],
            [
                *({}, LUNCH, {**PERIODS, "tea": ["15:00", "16:00"]}, {**PERIODS, "lunch": ["13:30", "10:00"]}),
                *({**PERIODS, "lunch": ["10:00"]}, {**PERIODS, "lunch": ["10:00", "24:00"]}, [PERIODS]),
                *(
                    {**PERIODS, "lunch": ["9:00", "13:30"]},
                    {**PERIODS, "lunch": [10, 13]},
                    {**PERIODS, "lunch": "10:00"},
                ),
            ],
        ),
        ("voucher_on_expiry", ["refund", "pool"], ["", "keep", None, ["refund"]]),
        ("voucher_max_per_month", [0, 1], [-1, 1.5, "1", True, None]),
        ("voucher_reminder_days", [0, 365], [-1, 366, None]),
        ("voucher_find_max_per_hour", [1], [0, -1]),
    ],
)
def test_policies_of_vouchers_take_what_makes_sense(key: str, good: list[Any], wrong: list[Any]) -> None:
    for value in good:
        check_value(key, value)
    for value in wrong:
        with pytest.raises(Refused, match="policy_value_invalid:"):
            check_value(key, value)


def test_what_several_accounts_pay_is_told_apart_by_vouchers() -> None:
    assert shares([(1, 50), (2, 70)], 60) == [[(1, 50), (2, 10)], [(2, 60)]]
    assert shares([(1, 180)], 60) == [[(1, 60)]] * 3
    assert shares([(1, 10), (2, 10), (3, 10)], 30) == [[(1, 10), (2, 10), (3, 10)]]
    assert shares([], 60) == []


@pytest.mark.parametrize(("bought", "quantity", "most"), [(0, 100, 0), (0, 5, 5), (4, 1, 5)])
def test_as_many_as_fit_into_the_month_may_be_bought(bought: int, quantity: int, most: int) -> None:
    within_month(bought, quantity, most)


def test_one_more_than_fits_is_refused_with_what_was_bought() -> None:
    with pytest.raises(Refused, match="monthly_limit_reached:") as refusal:
        within_month(4, 2, 5)
    assert refusal.value.facts == {"max_per_month": 5, "bought_this_month": 4}


def test_a_voucher_whose_time_is_over_has_expired_before_the_job_comes() -> None:
    assert standing("issued", MONDAY, MONDAY) == "expired"
    assert standing("issued", MONDAY + timedelta(microseconds=1), MONDAY) == "issued"
    assert standing("redeemed", MONDAY, MONDAY) == "redeemed"
