"""The ready-made sets: whole, sensible, each value with its source, and told apart."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from timebank.core.errors import NotFound
from timebank.policies.comparing import FOLDER, changes_to, compare, policy_set, set_names
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.rules import PolicyBook, check_rates, check_value

FIGURES = {
    # DOMAIN.md, "Practice elsewhere in China".
    "nanjing": {"lifetime_cap_minutes": 1500 * 60, "seed_alone_min_age": 80, "gift_receiver_min_age": 60},
    "beijing": {"volunteer_min_age": 18, "redeem_min_age": 60},
    "shanghai": {
        "lifetime_cap_minutes": 600 * 60,
        "daily_cap_minutes": 120,
        "redeem_min_age": 65,
        "redeem_min_age_hardship": 60,
        "vesting_min_minutes": 100 * 60,
        "vesting_min_days": 365,
    },
    "fenghua": {
        "redeem_min_age": 60,
        "voucher_price_minutes": 60,
        "voucher_valid_days": 180,
        "lifetime_cap_minutes": 1500 * 60,
        "daily_cap_minutes": 0,
        "vesting_min_minutes": 0,
        "position_soft_limit_minutes": 500 * 60,
        "position_hard_limit_minutes": 1000 * 60,
    },
}


def test_there_are_the_six_sets() -> None:
    assert set_names() == ["beijing", "fenghua", "five_shares", "nanjing", "shanghai", "taiyuan"]
    with pytest.raises(NotFound, match="policy_set_unknown"):
        policy_set("../sets/nanjing")


@pytest.mark.parametrize("name", FIGURES)
def test_a_set_says_the_figures_that_were_found(name: str) -> None:
    values = policy_set(name).values
    assert {key: values[key].value for key in FIGURES[name]} == FIGURES[name]


@pytest.mark.parametrize("name", [*FIGURES, "five_shares", "taiyuan"])
def test_every_set_has_a_sensible_value_and_a_source_for_every_policy(name: str) -> None:
    wanted, usual = policy_set(name), policy_set("fenghua")
    assert set(wanted.values) == set(DEFINITIONS)
    for key, one in wanted.values.items():
        check_value(key, one.value)
        assert one.source
        if one.fallback:
            assert (one.value, one.source.startswith("沿用奉化")) == (usual.values[key].value, True)
    rates = wanted.values["service_rates_percent"].value
    check_rates(rates, usual.values["service_rates_percent"].value, partly=False)


@pytest.mark.parametrize("name", ["beijing", "five_shares", "nanjing", "shanghai", "taiyuan"])
def test_what_a_city_says_itself_names_the_city_and_nothing_else_is_said(name: str) -> None:
    written: dict[str, Any] = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    cities = {"beijing": "北京", "nanjing": "南京", "shanghai": "上海", "taiyuan": "太原", "five_shares": "五个一"}
    city = cities[name]
    assert set(written["values"]) == set(written["sources"]) <= set(DEFINITIONS)
    assert all(source.startswith(city) for source in written["sources"].values())


def test_a_set_does_not_differ_from_itself_and_differs_both_ways_alike() -> None:
    sets = [policy_set(name) for name in set_names()]
    for one in sets:
        assert compare(one, one) == []
        for other in sets:
            there, back = compare(one, other), compare(other, one)
            assert [(d.key, d.one, d.other) for d in there] == [(d.key, d.other, d.one) for d in back]


def test_nanjing_and_shanghai_differ_in_six_policies() -> None:
    found = compare(policy_set("nanjing"), policy_set("shanghai"))
    assert [difference.key for difference in found] == [
        "redeem_min_age",
        "vesting_min_minutes",
        "vesting_min_days",
        "lifetime_cap_minutes",
        "daily_cap_minutes",
        "gift_relations",
    ]
    cap = next(difference for difference in found if difference.key == "lifetime_cap_minutes")
    assert (cap.label, cap.unit) == (DEFINITIONS["lifetime_cap_minutes"].label, "分钟")
    assert (cap.one.fallback, cap.other.fallback) == (False, False)


def test_proposing_a_set_changes_what_it_says_itself_and_differs_and_no_fallback() -> None:
    usual = policy_set("fenghua").book()
    changed = {key: usual.value(key) for key in DEFINITIONS} | {"voucher_price_minutes": 45, "daily_cap_minutes": 120}
    now = PolicyBook(7, {(key, None): value for key, value in changed.items()})
    proposed = {value.key: value.value for value in changes_to(policy_set("shanghai"), now)}
    assert proposed == {
        "redeem_min_age": 65,
        "vesting_min_minutes": 6000,
        "vesting_min_days": 365,
        "lifetime_cap_minutes": 36_000,
    }
    assert {value.key for value in changes_to(policy_set("fenghua"), now)} == {
        "voucher_price_minutes",
        "daily_cap_minutes",
    }
