"""Windows by name and month, prices that round once, positions that sum to zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.clearing.rules import (
    LimitState,
    Net,
    PriceKind,
    Sum,
    WindowStatus,
    fen_of,
    limit_state,
    must_have_prices,
    must_stand_at,
    nets,
    nets_by_kind,
    price,
    price_kind_of,
    window_due,
    window_name,
)
from timebank.core.clock import LOCAL
from timebank.core.errors import Conflict, Refused
from timebank.ledger.queries import TRANSFER_KIND_NAMES
from timebank.ledger.rules import HOUSE

NOVEMBER = datetime(2026, 11, 21, 9, tzinfo=LOCAL)
PRICES = {"meal": 3000, "care": 2000, "aid": 1500}
TOWNSHIPS = ["330213004", "330213007", "330213107", "330213001"]
KINDS = ["voucher_redemption", "service_credit", "back_fill_credit", "reversal", "carried_aid", "savings_moved"]


def test_a_window_is_named_after_the_month_in_fenghua_in_which_it_opens() -> None:
    assert window_name(NOVEMBER, ()) == "2026-11"
    last_evening_in_utc = datetime(2026, 10, 31, 16, tzinfo=UTC)
    assert window_name(last_evening_in_utc, ()) == "2026-11"
    assert window_name(last_evening_in_utc - timedelta(microseconds=1), ()) == "2026-10"


def test_a_second_window_of_a_month_is_counted() -> None:
    assert window_name(NOVEMBER, ["2026-10", "2026-11"]) == "2026-11-2"
    assert window_name(NOVEMBER, ["2026-11", "2026-11-2"]) == "2026-11-3"


@pytest.mark.parametrize(
    ("opened_at", "months", "due"),
    [
        (NOVEMBER, 1, datetime(2026, 12, 1, tzinfo=LOCAL)),
        (NOVEMBER, 2, datetime(2027, 1, 1, tzinfo=LOCAL)),
        (datetime(2026, 12, 1, tzinfo=LOCAL), 1, datetime(2027, 1, 1, tzinfo=LOCAL)),
        (datetime(2026, 12, 31, 23, 59, tzinfo=LOCAL), 3, datetime(2027, 3, 1, tzinfo=LOCAL)),
        (datetime(2026, 1, 1, tzinfo=LOCAL), 12, datetime(2027, 1, 1, tzinfo=LOCAL)),
    ],
)
def test_a_window_is_due_at_the_first_moment_of_a_month(opened_at: datetime, months: int, due: datetime) -> None:
    assert window_due(opened_at, months) == due


@pytest.mark.parametrize(("minutes", "fen"), [(0, 0), (60, 3000), (1, 50), (61, 3050), (90, 4500)])
def test_fen_at_thirty_yuan_an_hour(minutes: int, fen: int) -> None:
    assert fen_of(minutes, 3000) == fen


@pytest.mark.parametrize(("per_hour", "fen"), [(29, 0), (30, 1), (31, 1), (89, 1), (90, 2)])
def test_half_a_fen_is_rounded_up(per_hour: int, fen: int) -> None:
    assert fen_of(1, per_hour) == fen


def test_every_kind_that_may_cross_townships_has_its_price() -> None:
    meals = ("voucher_redemption", "voucher_purchase", "voucher_refund", "voucher_expiry")
    assert {price_kind_of(kind) for kind in meals} == {PriceKind.MEAL}
    assert {kind: price_kind_of(f"carried_{kind}") for kind in PriceKind} == {kind: kind for kind in PriceKind}
    helped = ("service_credit", "back_fill_credit", "reversal", "savings_moved")
    assert {price_kind_of(kind) for kind in helped} == {PriceKind.CARE}
    assert set(helped) | {"voucher_redemption"} | {f"carried_{k}" for k in PriceKind} <= set(TRANSFER_KIND_NAMES)


def test_sums_of_one_price_are_put_together_before_they_are_rounded() -> None:
    sums = [Sum("a", "b", "service_credit", 1, 1), Sum("a", "b", "back_fill_credit", 1, 1)]
    assert [one.fen for one in price(sums, {"care": 30})] == [1]
    assert [one.fen for one in price(sums[:1], {"care": 30})] == [1]


sums_strategy = st.lists(
    st.builds(
        Sum,
        debtor=st.sampled_from(TOWNSHIPS[:2]),
        creditor=st.sampled_from(TOWNSHIPS[2:]),
        kind=st.sampled_from(KINDS),
        minutes=st.integers(1, 10**9),
        transfers=st.integers(1, 1000),
    ),
    max_size=12,
)


carried_strategy = st.lists(
    st.tuples(st.sampled_from(TOWNSHIPS[:3]), st.sampled_from(list(PriceKind)), st.integers(-(10**6), 10**6)),
    max_size=9,
)


@given(carried_strategy, st.fixed_dictionaries({kind: st.integers(1, 100_000) for kind in ("meal", "care", "aid")}))
def test_what_is_carried_through_the_house_leaves_it_no_fen(
    carried: list[tuple[str, PriceKind, int]], prices: dict[str, int]
) -> None:
    sums = []
    for kind in PriceKind:
        own = [(code, minutes) for code, of, minutes in carried if of is kind and minutes]
        # The last township takes what the others leave, so that the house nets nothing.
        own += [(TOWNSHIPS[3], -sum(minutes for _, minutes in own))]
        sums += [
            Sum(*((code, HOUSE) if minutes < 0 else (HOUSE, code)), f"carried_{kind}", abs(minutes), 1)
            for code, minutes in own
            if minutes
        ]
    priced = price(sums, prices)
    assert nets(priced).get(HOUSE, Net()) == Net(0, 0)
    for one in priced:
        assert abs(60 * (one.fen or 0) - one.minutes * prices[one.price_kind]) <= 60


@given(sums_strategy, st.fixed_dictionaries({kind: st.integers(1, 100_000) for kind in ("meal", "care", "aid")}))
def test_positions_sum_to_zero_in_minutes_and_in_fen(sums: list[Sum], prices: dict[str, int]) -> None:
    priced = price(sums, prices)
    found = nets(priced)
    assert sum(net.minutes for net in found.values()) == 0
    assert sum(net.fen or 0 for net in found.values()) == 0
    assert all(net.fen is not None for net in found.values())
    assert sum(one.minutes for one in priced) == sum(one.minutes for one in sums)
    by_kind = nets_by_kind(priced)
    for kind in PriceKind:
        assert sum(minutes for (_, of), minutes in by_kind.items() if of == kind) == 0
    for code, net in found.items():
        assert net.minutes == sum(minutes for (party, _), minutes in by_kind.items() if party == code)


def test_a_missing_price_is_named_and_no_position_pretends_to_know_its_fen() -> None:
    priced = price([Sum("a", "b", "voucher_redemption", 60, 1), Sum("b", "c", "service_credit", 60, 1)], {"meal": 3000})
    assert nets(priced) == {"a": Net(-60, -3000), "b": Net(0, None), "c": Net(60, None)}
    with pytest.raises(Refused, match="price_missing") as refused:
        must_have_prices(priced, NOVEMBER)
    assert refused.value.facts == {"price_kinds": ["care"], "at": NOVEMBER}
    must_have_prices(price([], {}), NOVEMBER)


@pytest.mark.parametrize(
    ("status", "code"),
    [("open", "window_still_open"), ("settled", "window_already_settled"), ("under_review", "window_wrong_state")],
)
def test_a_window_in_another_state_says_in_which(status: str, code: str) -> None:
    with pytest.raises(Conflict, match=code):
        must_stand_at(status, WindowStatus.CLOSED)
    must_stand_at(status, WindowStatus(status))


def test_a_limit_counts_from_when_it_is_reached() -> None:
    states = {owed: limit_state(owed, 100, 200) for owed in (-500, 99, 100, 199, 200, 900)}
    assert states == {
        -500: LimitState.WITHIN,
        99: LimitState.WITHIN,
        100: LimitState.SOFT,
        199: LimitState.SOFT,
        200: LimitState.HARD,
        900: LimitState.HARD,
    }
