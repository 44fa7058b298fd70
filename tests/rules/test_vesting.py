"""From when savings may be spent: hours served or days waited, either suffices; and the age, lower in hardship."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from timebank.policies.rules import PolicyBook
from timebank.redemption.vesting import Served, Vesting, redeeming_age

TODAY = date(2026, 11, 22)
HONGKOU = Vesting(min_minutes=6000, min_days=365)


@pytest.mark.parametrize(
    ("vesting", "served", "met"),
    [
        (Vesting(0, 0), Served(1, TODAY), True),
        (HONGKOU, Served(5999, TODAY - timedelta(days=364)), False),
        (HONGKOU, Served(6000, TODAY), True),
        (HONGKOU, Served(1, TODAY - timedelta(days=365)), True),
        (Vesting(6000, 0), Served(5999, TODAY - timedelta(days=4000)), False),
        (Vesting(0, 365), Served(90_000, TODAY - timedelta(days=364)), False),
        (HONGKOU, Served(), True),
    ],
)
def test_either_the_hours_or_the_days_suffice(vesting: Vesting, served: Served, met: bool) -> None:
    assert vesting.is_met(served, TODAY) is met


def test_the_refusal_says_what_is_still_missing() -> None:
    refusal = HONGKOU.refusal(Served(90, date(2026, 11, 1)), available=30, needed=60)
    assert refusal.code == "not_vested_yet"
    assert refusal.title == "储蓄时长须累计服务满100小时或首次服务满365天后才能为本人兑换"
    assert refusal.facts == {
        "served_minutes": 90,
        "needed_served_minutes": 6000,
        "first_credited_on": date(2026, 11, 1),
        "needed_days": 365,
        "available_minutes": 30,
        "needed_minutes": 60,
    }


@pytest.mark.parametrize(
    ("circumstances", "age"), [([], 65), (["独居"], 65), (["独居", "低保"], 60), (["特困"], 60), (["低保户"], 65)]
)
def test_whoever_is_in_hardship_may_redeem_earlier(circumstances: list[str], age: int) -> None:
    shanghai = {
        ("redeem_min_age", None): 65,
        ("redeem_min_age_hardship", None): 60,
        ("hardship_circumstances", None): ["低保", "特困"],
    }
    assert redeeming_age(PolicyBook(1, shanghai), "330213004", circumstances) == age


def test_hardship_never_makes_the_age_higher() -> None:
    policies = {
        ("redeem_min_age", None): 60,
        ("redeem_min_age_hardship", None): 62,
        ("hardship_circumstances", None): ["低保"],
    }
    assert redeeming_age(PolicyBook(1, policies), "330213004", ["低保"]) == 60
