"""Caps of purses, drawers, and the sentence of every line."""

from __future__ import annotations

from datetime import date

import pytest

from timebank.canteens.counter.rules import SHARE_KINDS, Sums, charge_of_missed, differences
from timebank.canteens.pricing.rules import Share
from timebank.canteens.purses.rules import LineFacts, line_sentence, must_be_in_drawer, must_be_moderate
from timebank.core.errors import BankError
from timebank.ledger.queries import TRANSFER_KIND_NAMES


@pytest.mark.parametrize(
    ("amount", "balance", "refusal"),
    [
        (20_000, 0, None),
        (20_001, 0, "top_up_too_large"),
        (10_000, 40_000, None),
        (10_001, 40_000, "purse_full"),
        (1, 50_000, "purse_full"),
        (1, 60_000, "purse_full"),
    ],
)
def test_a_purse_and_a_top_up_have_their_caps(amount: int, balance: int, refusal: str | None) -> None:
    code, facts = None, {}
    try:
        must_be_moderate(amount, balance, most_at_once=20_000, most_in_all=50_000)
    except BankError as refused:
        code, facts = refused.code, refused.facts
    assert code == refusal
    assert facts.get("free_fen") == (max(0, 50_000 - balance) if refusal == "purse_full" else None)


def test_a_drawer_gives_what_is_in_it() -> None:
    must_be_in_drawer(500, 500)
    with pytest.raises(BankError) as raised:
        must_be_in_drawer(501, 500)
    assert (raised.value.code, raised.value.facts) == ("drawer_short", {"drawer_fen": 500, "needed_fen": 501})


@pytest.mark.parametrize(
    ("kind", "fen", "said"),
    [
        ("purse_top_up", 5000, "您在西坞食堂交现金50.00元，存入餐费余额。"),
        ("purse_pay_back", -5000, "西坞食堂从餐费余额退给您现金50.00元。"),
        ("meal_elder", -600, "在西坞食堂11月23日午餐，您本人付6.00元。"),
        ("meal_missed", -600, "11月23日午餐在西坞食堂订了没有来取，按规定收取6.00元。"),
        ("reversal", 600, "11月23日午餐已冲正，6.00元退回餐费余额。理由：刷错。"),
        ("opening", 600, "6.00元。刷错"),
    ],
)
def test_every_line_says_why(kind: str, fen: int, said: str) -> None:
    assert line_sentence(LineFacts(kind, fen, "西坞食堂", date(2026, 11, 23), "午餐", "刷错")) == said


@pytest.mark.parametrize(("elder", "percent", "charged"), [(601, 100, 601), (601, 50, 300), (601, 0, 0), (1, 99, 0)])
def test_a_charge_is_rounded_down(elder: int, percent: int, charged: int) -> None:
    assert charge_of_missed(elder, percent) == charged


def test_every_share_has_a_kind_with_a_name() -> None:
    assert set(SHARE_KINDS) == set(Share)
    assert set(SHARE_KINDS.values()) <= set(TRANSFER_KIND_NAMES)


def test_every_figure_that_differs_is_named() -> None:
    shares = dict.fromkeys(Share, 10)
    one = Sums(5, 50, shares, 7, 3)
    assert differences(one, one) == []
    other = Sums(4, 49, {**shares, Share.GARDEN: 9}, 6, 2)
    found = [("meals", 5, 4), ("list_fen", 50, 49), ("garden_fen", 10, 9), ("cash_fen", 7, 6), ("missed_fen", 3, 2)]
    assert differences(one, other) == found
