"""How what a volunteer earns is shared with the pool at a cap, and what is said of it."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.core.ids import new_id
from timebank.policies.rules import PolicyBook
from timebank.tasks.caps import DAILY, LIFETIME, Earned, Earning, Share, credit_said, share_out, stars

DAY = date(2026, 3, 10)
WHO, OTHER = new_id(), new_id()


def book(lifetime: int, daily: int) -> PolicyBook:
    return PolicyBook(1, {(LIFETIME, None): lifetime, (DAILY, None): daily})


def earning(minutes: int, *, who: UUID = WHO, day: date = DAY) -> Earning:
    return Earning(new_id(), who, "330213004", day, minutes)


def shared(earnings: list[Earning], before: dict[UUID, Earned], policies: PolicyBook) -> list[tuple[int, int]]:
    shares = share_out(earnings, before, policies)
    return [(shares[e.part_id].credited_minutes, shares[e.part_id].surplus_minutes) for e in earnings]


def test_an_hour_of_which_twenty_minutes_are_below_the_cap_is_split() -> None:
    before = {WHO: Earned(honour_minutes=90_000, credited_minutes=89_980)}
    assert shared([earning(60)], before, book(90_000, 0)) == [(20, 40)]


def test_what_brings_somebody_exactly_to_the_cap_is_credited_whole() -> None:
    before = {WHO: Earned(89_940, 89_940)}
    assert shared([earning(60), earning(1)], before, book(90_000, 0)) == [(60, 0), (0, 1)]


def test_no_cap_is_no_cap() -> None:
    assert shared([earning(10**9)], {WHO: Earned(10**9, 10**9)}, book(0, 0)) == [(10**9, 0)]


def test_a_lowered_cap_takes_nothing_back() -> None:
    assert shared([earning(60)], {WHO: Earned(50_000, 50_000)}, book(36_000, 0)) == [(0, 60)]


def test_a_day_opens_again_the_next_morning_and_is_each_ones_own() -> None:
    tomorrow = DAY + timedelta(days=1)
    earnings = [earning(90), earning(90), earning(90, day=tomorrow), earning(90, who=OTHER)]
    before = {WHO: Earned(20, 20, {DAY: 20}), OTHER: Earned(0, 0)}
    assert shared(earnings, before, book(0, 120)) == [(90, 0), (10, 80), (90, 0), (90, 0)]


def test_the_days_surplus_uses_nothing_of_the_lifetimes_room() -> None:
    tomorrow = DAY + timedelta(days=1)
    assert shared([earning(200), earning(100, day=tomorrow)], {}, book(150, 120)) == [(120, 80), (30, 70)]


def test_the_cap_that_bound_is_the_one_that_is_named() -> None:
    first, second = earning(200), earning(100, day=DAY + timedelta(days=1))
    shares = share_out([first, second], {}, book(150, 120))
    assert (shares[first.part_id].capped_by, shares[first.part_id].reason) == (DAILY, "一天最多记入2小时")
    assert (shares[second.part_id].capped_by, shares[second.part_id].reason) == (LIFETIME, "一生最多记入2小时30分钟")


@given(
    lifetime=st.integers(0, 500),
    daily=st.integers(0, 200),
    earnings=st.lists(st.tuples(st.sampled_from([WHO, OTHER]), st.integers(0, 3), st.integers(1, 150)), max_size=12),
    had=st.integers(0, 600),
)
def test_credited_and_surplus_make_what_was_payable_and_no_cap_is_passed(
    lifetime: int, daily: int, earnings: list[tuple[UUID, int, int]], had: int
) -> None:
    asked = [earning(minutes, who=who, day=DAY + timedelta(days=days)) for who, days, minutes in earnings]
    shares = share_out(asked, {WHO: Earned(had, had)}, book(lifetime, daily))
    in_life: Counter[UUID] = Counter({WHO: had})
    by_day: Counter[tuple[UUID, date]] = Counter()
    for one in asked:
        share = shares[one.part_id]
        assert share.credited_minutes + share.surplus_minutes == one.minutes
        assert share.credited_minutes >= 0
        assert share.surplus_minutes >= 0
        assert (share.surplus_minutes > 0) == (share.capped_by is not None)
        in_life[one.volunteer_id] += share.credited_minutes
        by_day[one.volunteer_id, one.day] += share.credited_minutes
    if lifetime:
        assert in_life[WHO] <= max(had, lifetime)
        assert in_life[OTHER] <= lifetime
    if daily:
        assert all(minutes <= daily for minutes in by_day.values())


@given(
    earnings=st.lists(st.tuples(st.sampled_from([WHO, OTHER]), st.integers(0, 2), st.integers(1, 150)), max_size=8),
)
def test_a_batch_is_shared_as_its_earnings_one_by_one(earnings: list[tuple[UUID, int, int]]) -> None:
    asked = [earning(minutes, who=who, day=DAY + timedelta(days=days)) for who, days, minutes in earnings]
    policies, before, alone = book(300, 120), dict[UUID, Earned](), []
    for one in asked:
        [made] = shared([one], before, policies)
        alone.append(made)
        had = before.get(one.volunteer_id, Earned(0, 0, {}))
        by_day = Counter(had.credited_by_day or {}) + Counter({one.day: made[0]})
        before[one.volunteer_id] = Earned(had.honour_minutes + one.minutes, had.credited_minutes + made[0], by_day)
    assert shared(asked, {}, policies) == alone


@pytest.mark.parametrize(
    ("honour", "reached"), [(0, 0), (5_999, 0), (6_000, 1), (17_999, 1), (18_000, 2), (90_000, 5), (10**6, 5)]
)
def test_stars_follow_honour(honour: int, reached: int) -> None:
    assert stars(honour, [6_000, 18_000, 36_000, 60_000, 90_000]) == reached


def test_what_is_said_names_where_each_minute_went_and_why() -> None:
    assert credit_said("陪伴", 60, Share(60)) == ("时长已到账", "陪伴1小时已记入您的时间账户。")
    split = credit_said("陪伴", 60, Share(20, 40, LIFETIME, 90_000))
    assert split == (
        "时长已到账",
        "陪伴1小时已确认：20分钟已记入您的时间账户，40分钟转入公益时间池（一生最多记入1500小时），荣誉时长照计。",
    )
    all_of_it = credit_said("陪伴", 60, Share(0, 60, DAILY, 120))
    assert all_of_it == (
        "时长已转入公益时间池",
        "陪伴1小时已确认：1小时转入公益时间池（一天最多记入2小时），荣誉时长照计。",
    )
    assert credit_said("陪伴", 0, Share(0))[0] == "本次服务未计时长"
