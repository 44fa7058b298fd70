"""What may be a policy, and how the book in force is read. The shipped set is spelled out here once."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import timebank.policies
from timebank.core.errors import Refused
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.rules import PolicyBook, check_effective, check_rates, check_value

# DOMAIN.md, "The set fenghua", in minutes and days: 72 h, 500 h and 1,000 h among them.
FENGHUA: dict[str, Any] = {
    "help_min_age": 60,
    "redeem_min_age": 60,
    "volunteer_min_age": 18,
    "voucher_price_minutes": 60,
    "voucher_valid_days": 180,
    "auto_confirm_after_minutes": 72 * 60,
    "tolerance_minutes": 15,
    "position_soft_limit_minutes": 500 * 60,
    "position_hard_limit_minutes": 1000 * 60,
    "payment_order": ["granted", "savings", "pool", "issuance"],
}
KINDS = {
    *("meal_help", "meal_delivery", "medical_help", "cleaning", "bathing"),
    *("urgent_help", "companionship", "canteen_shift", "other"),
}


def shipped() -> dict[str, Any]:
    folder = Path(timebank.policies.__file__).parent / "sets"
    return tomllib.loads((folder / "fenghua.toml").read_text(encoding="utf-8"))


def test_the_set_fenghua_is_what_the_domain_says() -> None:
    values = shipped()["values"]
    assert {key: values[key] for key in FENGHUA} == FENGHUA
    assert values["service_rates_percent"] == dict.fromkeys(KINDS, 100)
    assert "假定" in shipped()["source"]


def test_the_set_fenghua_names_every_policy_there_is_with_a_value_that_makes_sense() -> None:
    values = shipped()["values"]
    assert set(values) == set(DEFINITIONS)
    for key, value in values.items():
        check_value(key, value)


IN_WORDS = {
    *("hardship_circumstances", "alone_circumstances", "gift_relations", "payment_order"),
    *("voucher_weekdays", "voucher_meals", "meal_periods", "voucher_on_expiry", "clearing_settlement_method"),
    *("meal_subsidy_rules", "rating_tags"),
    *("diner_categories", "religious_diets", "diet_tags", "allergens", "canteen_acceptance_points"),
    *("order_cut_offs", "claim_moved_diners_allowed"),
}
"""Policies that are words, days of the week, times of the day, or yes and no, and so have no unit."""


def test_every_policy_has_a_chinese_label_and_all_numbers_a_unit() -> None:
    for definition in DEFINITIONS.values():
        assert any("\u4e00" <= c <= "\u9fff" for c in definition.label)
        assert definition.unit or definition.key in IN_WORDS


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("voucher_price_minutes", 0),
        ("voucher_price_minutes", -60),
        ("voucher_price_minutes", 60.0),
        ("voucher_price_minutes", True),
        ("voucher_price_minutes", "60"),
        ("voucher_price_minutes", 2**53),
        ("voucher_price_minutes", None),
        ("auto_confirm_after_minutes", 0),
        ("tolerance_minutes", -1),
        ("payment_order", []),
        ("payment_order", ["savings"]),
        ("payment_order", ["issuance", "savings"]),
        ("payment_order", ["savings", "savings", "issuance"]),
        ("payment_order", ["friends", "issuance"]),
        ("payment_order", "issuance"),
        ("service_rates_percent", {}),
        ("service_rates_percent", {"bathing": 0}),
        ("service_rates_percent", {"bathing": 1001}),
        ("service_rates_percent", {"bathing": 1.5}),
        ("service_rates_percent", 100),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(key: str, value: object) -> None:
    with pytest.raises(Refused, match="policy_value_invalid:"):
        check_value(key, value)


def test_a_policy_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match="policy_unknown:"):
        check_value("price_of_tea", 1)


def test_a_district_sets_a_rate_for_every_kind_and_a_township_for_some() -> None:
    now = {"bathing": 100, "other": 100}
    check_rates({"bathing": 150, "other": 100}, now, partly=False)
    check_rates({"bathing": 150}, now, partly=True)
    for rates, partly, kinds in (
        ({"bathing": 150}, False, ["other"]),
        ({"dancing": 150}, True, ["dancing"]),
        ({"bathing": 1, "other": 1, "dancing": 1}, False, ["dancing"]),
    ):
        with pytest.raises(Refused, match="policy_value_invalid:") as refusal:
            check_rates(rates, now, partly=partly)
        assert refusal.value.facts == {"service_types": kinds}


def test_a_change_lies_in_the_present_or_the_future() -> None:
    now = datetime(2026, 3, 10, tzinfo=UTC)
    check_effective(now, now)
    with pytest.raises(Refused, match="policy_in_the_past:"):
        check_effective(now - timedelta(microseconds=1), now)


def test_a_township_has_its_own_value_or_the_districts() -> None:
    book = PolicyBook(7, {("tolerance_minutes", None): 15, ("tolerance_minutes", "330213004"): 0})
    assert book.whole("tolerance_minutes") == 15
    assert book.whole("tolerance_minutes", "330213007") == 15
    assert book.whole("tolerance_minutes", "330213004") == 0
    assert book.township_values("tolerance_minutes") == {"330213004": 0}
    with pytest.raises(KeyError):
        book.whole("price_of_tea")


def test_kinds_that_a_township_leaves_out_have_the_districts_rate() -> None:
    rates: dict[tuple[str, str | None], Any] = {("service_rates_percent", None): {"bathing": 100, "other": 90}}
    book = PolicyBook(7, {**rates, ("service_rates_percent", "330213004"): {"bathing": 150}})
    assert [book.rate_percent(kind, "330213004") for kind in ("bathing", "other")] == [150, 90]
    assert [book.rate_percent(kind, "330213007") for kind in ("bathing", "other")] == [100, 90]
