"""How one posting is decided: who may pay whom, what is refused, and what the rows then say."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from timebank.core.amounts import MAX_AMOUNT
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.rules import (
    FLOORED_KINDS,
    AccountState,
    Leg,
    Movement,
    Posted,
    Posting,
    Result,
    Standing,
    decide,
    second_leg_id,
)

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)

ISSUANCE, CLEARING, SAVINGS, POOL, AWAY_CLEARING, AWAY_SAVINGS, PURSE, CLOSED, SETTLED = range(1, 10)
BRIDGES = {("here", "minute"): CLEARING, ("away", "minute"): AWAY_CLEARING}


def state(account_id: int, kind: str, book: str = "here", **fields: Any) -> AccountState:
    plain = AccountState(account_id, book, "minute", kind, kind in FLOORED_KINDS, 0, 0, 0, None, closed=False)
    return replace(plain, **fields)


def accounts(**of_savings: Any) -> dict[int, AccountState]:
    found = (
        state(ISSUANCE, "issuance"),
        state(CLEARING, "clearing"),
        state(SAVINGS, "savings", **{"posted": 100, "version": 7, "last_recorded_at": EARLIER, **of_savings}),
        state(POOL, "pool"),
        state(AWAY_CLEARING, "clearing", "away"),
        state(AWAY_SAVINGS, "savings", "away", posted=10, version=2, last_recorded_at=EARLIER),
        state(PURSE, "purse", unit="fen", posted=100, version=1),
        state(CLOSED, "savings", closed=True),
        state(SETTLED, "settled"),
    )
    return {account.id: account for account in found}


def moving(source: int, target: int, amount: Any, **fields: Any) -> Movement:
    return replace(Movement(new_id(), source, target, amount, "gift", NOW), **fields)


def decided(
    *postings: Posting, standing: dict[UUID, Standing | None] | None = None, **of_savings: Any
) -> tuple[list[Result], list[Leg]]:
    return decide(postings, accounts(**of_savings), BRIDGES, standing or {}, NOW)


def refusal(*movements: Movement, **how: Any) -> BankError:
    results, legs = decided(movements, **how)
    assert legs == []
    assert isinstance(results[0], BankError)
    return results[0]


def test_a_movement_within_a_book_is_one_leg_with_both_new_balances() -> None:
    results, [leg] = decided((moving(SAVINGS, POOL, 30),))
    assert isinstance(results[0], Posted)
    assert not results[0].replayed
    assert (leg.from_version, leg.from_balance, leg.to_version, leg.to_balance) == (8, 70, 1, 30)
    assert (leg.book_code, leg.unit, leg.link_id, leg.counterpart_book_code) == ("here", "minute", None, None)


def test_an_account_without_a_floor_keeps_no_version_and_may_go_below_zero() -> None:
    _, [leg] = decided((moving(ISSUANCE, SAVINGS, MAX_AMOUNT),))
    assert (leg.from_version, leg.from_balance) == (None, None)
    assert (leg.to_version, leg.to_balance) == (8, MAX_AMOUNT + 100)


def test_a_movement_between_books_is_two_linked_legs_through_both_clearing_accounts() -> None:
    asked = moving(SAVINGS, AWAY_SAVINGS, 30)
    _, [out, into] = decided((asked,))
    assert (out.id, into.id) == (asked.id, second_leg_id(asked.id))
    assert (out.link_id, into.link_id) == (asked.id, asked.id)
    assert (out.from_account_id, out.to_account_id) == (SAVINGS, CLEARING)
    assert (into.from_account_id, into.to_account_id) == (AWAY_CLEARING, AWAY_SAVINGS)
    assert (out.book_code, out.counterpart_book_code) == ("here", "away")
    assert (into.book_code, into.counterpart_book_code) == ("away", "here")
    assert (out.from_balance, out.to_balance, into.from_balance, into.to_balance) == (70, None, None, 40)


@pytest.mark.parametrize("amount", [0, -1, 1.0, "1", True, None, MAX_AMOUNT + 1, 2**63])
def test_an_amount_that_is_no_positive_whole_number_is_refused(amount: object) -> None:
    assert refusal(moving(ISSUANCE, SAVINGS, amount)).code == "amount_invalid"


def test_the_last_minute_can_be_spent_and_not_one_more() -> None:
    results, _ = decided((moving(SAVINGS, POOL, 100),))
    assert isinstance(results[0], Posted)
    refused = refusal(moving(SAVINGS, POOL, 101))
    assert refused.code == "insufficient_minutes"
    assert refused.facts == {"available_minutes": 100, "needed_minutes": 101}


def test_held_minutes_are_not_available() -> None:
    results, [leg] = decided((moving(SAVINGS, POOL, 60),), held=40)
    assert isinstance(results[0], Posted)
    assert leg.from_balance == 40
    refused = refusal(moving(SAVINGS, POOL, 61), held=40)
    assert refused.facts == {"available_minutes": 60, "needed_minutes": 61}


def test_money_that_falls_short_is_refused_in_fen() -> None:
    fund = state(9, "fund", unit="fen")
    asked = (moving(PURSE, 9, 101),)
    results, _ = decide([asked], accounts() | {9: fund}, BRIDGES, {}, NOW)
    assert isinstance(results[0], BankError)
    assert results[0].code == "insufficient_fen"
    assert results[0].facts == {"available_fen": 100, "needed_fen": 101}


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        (SAVINGS, SAVINGS, "accounts_do_not_fit"),
        (PURSE, SAVINGS, "accounts_do_not_fit"),
        (ISSUANCE, PURSE, "accounts_do_not_fit"),
        (CLOSED, SAVINGS, "account_closed"),
        (SAVINGS, CLOSED, "account_closed"),
        (999, SAVINGS, "account_unknown"),
        (SAVINGS, 999, "account_unknown"),
        (SAVINGS, CLEARING, "clearing_is_not_for_hands"),
        (CLEARING, SAVINGS, "clearing_is_not_for_hands"),
        (CLEARING, AWAY_CLEARING, "clearing_is_not_for_hands"),
        (SETTLED, SAVINGS, "settling_is_not_for_hands"),
        (SAVINGS, SETTLED, "settling_is_not_for_hands"),
    ],
)
def test_accounts_that_cannot_be_moved_between_are_refused(source: int, target: int, code: str) -> None:
    assert refusal(moving(source, target, 1)).code == code


def test_what_settles_a_window_moves_nothing_else() -> None:
    settling = replace(moving(SAVINGS, POOL, 1), kind="settlement")
    assert refusal(settling).code == "settling_is_not_for_hands"


def test_the_time_recorded_is_never_before_that_of_either_account() -> None:
    _, [now] = decided((moving(SAVINGS, POOL, 1),))
    assert now.recorded_at == NOW
    _, [later] = decided((moving(SAVINGS, POOL, 1),), last_recorded_at=LATER)
    assert later.recorded_at == LATER
    _, [into] = decided((moving(ISSUANCE, SAVINGS, 1),), last_recorded_at=LATER)
    assert into.recorded_at == LATER


def test_linked_movements_happen_all_or_none() -> None:
    fits, too_much = moving(SAVINGS, POOL, 60), moving(SAVINGS, AWAY_SAVINGS, 41)
    assert refusal(fits, too_much).facts == {"available_minutes": 40, "needed_minutes": 41}
    results, legs = decided((fits, replace(too_much, amount=40)))
    assert isinstance(results[0], Posted)
    assert [leg.from_balance for leg in legs] == [40, 0, None]


def test_a_refused_posting_leaves_its_neighbours_what_they_had() -> None:
    bad = (moving(SAVINGS, POOL, 90), moving(SAVINGS, POOL, 11))
    results, [leg] = decided(bad, (moving(SAVINGS, POOL, 100),))
    assert isinstance(results[0], BankError)
    assert (leg.from_version, leg.from_balance, leg.to_version, leg.to_balance) == (8, 0, 1, 100)


def test_linked_movements_may_spend_what_they_have_just_brought() -> None:
    results, legs = decided((moving(ISSUANCE, POOL, 5), moving(POOL, AWAY_SAVINGS, 5)))
    assert isinstance(results[0], Posted)
    assert [leg.to_balance for leg in legs] == [5, None, 15]
    assert refusal(moving(POOL, AWAY_SAVINGS, 5), moving(ISSUANCE, POOL, 5)).code == "insufficient_minutes"


def test_an_empty_posting_is_refused() -> None:
    assert isinstance(refusal(), BankError)
