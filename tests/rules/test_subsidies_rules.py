"""Rules of claims: how a month is divided, which months are due, what produce is worth, and following donations."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.canteens.pricing.rules import DinerFacts
from timebank.canteens.subsidies.allowed import Served, dated_limit, most_for_meal, who_fits
from timebank.canteens.subsidies.donation_flow import Amount, Used, by_allotment, follow, through_allotments
from timebank.canteens.subsidies.rules import (
    Book,
    ClaimState,
    Shares,
    after,
    claimable_from,
    months_back,
    produce_price,
    proposed_value_fen,
    received_at,
    settle,
    stands,
)
from timebank.core.clock import LOCAL
from timebank.core.errors import Conflict, Refused

FEN = st.integers(0, 100_000)
SIGNED = st.integers(-100_000, 100_000)


def ident(number: int) -> UUID:
    return UUID(int=number)


@given(SIGNED, SIGNED, SIGNED, SIGNED, SIGNED)
def test_a_settlement_divides_what_was_earned_to_the_fen_and_never_pays_less_than_nothing(
    claimed: int, disallowed: int, garden: int, carried: int, cash: int
) -> None:
    parts = settle(
        claimed_fen=claimed,
        disallowed_fen=disallowed,
        garden_fen=garden,
        volunteers_in_kind_fen=carried,
        cash_fen=cash,
    )
    whole = parts.disallowed_fen + parts.garden_in_kind_fen + parts.volunteers_in_kind_fen
    assert whole + parts.netted_fen + parts.paid_fen == claimed
    assert parts.paid_fen >= 0
    assert parts.netted_fen <= cash


@pytest.mark.parametrize(
    ("claimed", "cash", "netted", "paid"),
    [(1000, 400, 400, 600), (1000, 1500, 1000, 0), (1000, 0, 0, 1000), (-300, 0, -300, 0), (500, -200, -200, 700)],
)
def test_cash_in_the_drawer_is_netted_first_and_what_is_owed_stays_there(
    claimed: int, cash: int, netted: int, paid: int
) -> None:
    parts = settle(claimed_fen=claimed, disallowed_fen=0, garden_fen=0, volunteers_in_kind_fen=0, cash_fen=cash)
    assert (parts.netted_fen, parts.paid_fen) == (netted, paid)


OWN = Shares(800, 400)


@pytest.mark.parametrize(
    ("state", "here", "earned", "book"),
    [
        ("served", True, OWN, Book.FITS),
        ("served", True, Shares(800, 300, 100), Book.DIFFERS),
        ("served", False, OWN, Book.ELSEWHERE),
        (None, False, OWN, Book.NO_ORDER),
        ("corrected", True, Shares(), Book.FITS),
        ("corrected", True, OWN, Book.DIFFERS),
        ("cancelled", True, Shares(1), Book.DIFFERS),
        ("missed", True, Shares(800), Book.FITS),
        ("missed", True, Shares(400), Book.FITS),
        ("missed", True, Shares(801), Book.DIFFERS),
        ("undelivered", True, Shares(800, 1), Book.DIFFERS),
    ],
)
def test_the_ledger_has_of_an_order_what_its_state_says(
    state: str | None, here: bool, earned: Shares, book: Book
) -> None:
    assert stands(state, here=here, earned=earned, own=OWN) == book


def test_a_claim_goes_on_step_by_step() -> None:
    state = str(ClaimState.COMPUTED)
    for deed in ("check", "approve_township", "approve_district", "pay"):
        state = str(after(deed, state))
    assert state == "paid"
    with pytest.raises(Conflict, match="wrong_state"):
        after("pay", "checked")


def test_months_are_those_of_fenghua_and_due_from_the_policys_day_on() -> None:
    new_year = datetime(2026, 12, 31, 23, 59, tzinfo=LOCAL)
    assert months_back(new_year, 3) == ["2026-09", "2026-10", "2026-11"]
    assert months_back(datetime(2027, 1, 1, 0, 30, tzinfo=LOCAL), 2) == ["2026-11", "2026-12"]
    assert claimable_from("2026-12", 2) == datetime(2027, 1, 2, tzinfo=LOCAL)


@pytest.mark.parametrize(("weight_g", "fen"), [(1000, 600), (2500, 1500), (1, 1), (833, 500), (834, 500), (835, 501)])
def test_produce_is_worth_its_weight_rounded_half_up(weight_g: int, fen: int) -> None:
    assert proposed_value_fen(weight_g, 600) == fen


def test_produce_without_a_price_of_its_own_has_the_usual_one() -> None:
    assert [produce_price({"default": 600, "青菜": 400}, item) for item in ("青菜", "萝卜")] == [400, 600]


def test_nothing_is_received_tomorrow() -> None:
    now = datetime(2026, 3, 10, 9, tzinfo=LOCAL)
    assert received_at(date(2026, 3, 9), now) == datetime(2026, 3, 9, tzinfo=LOCAL)
    with pytest.raises(Refused, match="day_in_future"):
        received_at(date(2026, 3, 11), now)


def test_gifts_are_eaten_in_the_order_in_which_they_came() -> None:
    gifts = [Amount(ident(1), 100), Amount(ident(2), 50)]
    draws = [Amount(ident(11), 70), Amount(ident(12), 60)]
    assert follow(gifts, draws) == [
        Used(ident(1), ident(11), 70),
        Used(ident(1), ident(12), 30),
        Used(ident(2), ident(12), 30),
    ]


def test_a_pots_gift_is_followed_through_its_allotments() -> None:
    pot = follow([Amount(ident(1), 100), Amount(ident(2), 100)], [Amount(ident(21), 80), Amount(ident(22), 60)])
    gifts = through_allotments([Amount(ident(3), 10), Amount(ident(22), 60)], by_allotment(pot))
    assert gifts == [Amount(ident(3), 10), Amount(ident(1), 20), Amount(ident(2), 40)]


@given(st.lists(FEN, max_size=8), st.lists(FEN, max_size=8))
def test_no_fen_of_a_gift_is_eaten_twice_or_lost(given_fen: list[int], drawn_fen: list[int]) -> None:
    gifts = [Amount(ident(number), fen) for number, fen in enumerate(given_fen, 1)]
    draws = [Amount(ident(100 + number), fen) for number, fen in enumerate(drawn_fen, 1)]
    used = follow(gifts, draws)
    assert sum(one.fen for one in used) == min(sum(given_fen), sum(drawn_fen))
    assert all(sum(one.fen for one in used if one.gift_id == gift.id) <= gift.fen for gift in gifts)
    assert all(sum(one.fen for one in used if one.draw_id == draw.id) <= draw.fen for draw in draws)


def a_diner(age: int = 82, level: int | None = None, *categories: str) -> DinerFacts:
    return DinerFacts(ident(1), ident(2), age, frozenset(categories), level, "normal", frozenset(), None)


@pytest.mark.parametrize(
    ("who", "diner", "fits"),
    [
        ({}, a_diner(), True),
        ({"min_age": 80}, a_diner(80), True),
        ({"min_age": 80}, a_diner(79), False),
        ({"below_age": 14}, a_diner(13), True),
        ({"below_age": 14}, a_diner(14), False),
        ({"any_category": ["a", "b"]}, a_diner(82, None, "b"), True),
        ({"any_category": ["a", "b"]}, a_diner(), False),
        ({"all_categories": ["a", "b"]}, a_diner(82, None, "b"), False),
        ({"no_category": ["a"]}, a_diner(82, None, "a"), False),
        ({"levels": [2, 3]}, a_diner(82, 2), True),
        ({"levels": [2, 3]}, a_diner(), False),
        ({"min_age": 60, "any_of": [{"levels": [4]}, {"any_category": ["a"]}]}, a_diner(82, None, "a"), True),
        ({"min_age": 60, "any_of": [{"levels": [4]}, {"any_category": ["a"]}]}, a_diner(82, 3), False),
    ],
)
def test_whom_a_rule_is_for_is_read_from_the_policys_words(who: object, diner: DinerFacts, fits: bool) -> None:
    assert who_fits({"key": "a", "who": who}, diner) is fits


LUNCH = Served("lunch", "deliver", 1201, 800, 300)


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        ({"fen": 400}, 400),
        ({"fen": 2000}, 1201),
        ({"fen": 400, "base": "delivery"}, 300),
        ({"pays_percent": 50}, 601),
        ({"covers_percent": 10}, 121),
        ({"free": True}, 1201),
        ({"free": True, "when": {"only_love_meals": True}}, 800),
        ({"fen": 400, "when": {"meals": ["supper"]}}, 0),
        ({"fen": 400, "when": {"ways": ["eat_in"]}}, 0),
    ],
)
def test_the_most_that_a_rule_gives_for_a_meal(rule: dict[str, object], most: int) -> None:
    assert most_for_meal(rule, LUNCH) == most


def test_only_fixed_amounts_a_day_or_a_household_have_a_dated_limit() -> None:
    assert dated_limit({"fen": 400}) is None
    assert dated_limit({"fen": 400, "per": "person_day"}) == ("person_day", 400)
    assert dated_limit({"fen": 300, "per": "household_meal"}) == ("household_meal", 300)
