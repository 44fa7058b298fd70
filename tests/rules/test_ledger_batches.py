"""Whatever is asked: a batch decides as its postings one by one, no floor gives way, and nothing comes from nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from timebank.core.errors import BankError
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
KINDS = ("issuance", "clearing", "savings", "granted", "pool", "redeemed")
PLACES = [(book, kind) for book in ("a", "b") for kind in KINDS]
BRIDGES = {(book, "minute"): number for number, (book, kind) in enumerate(PLACES) if kind == "clearing"}
# Some of these differ in the last bit alone, so that the second leg of one is the id of another.
IDS = [UUID(int=number) for number in (2, 3, 4, 5, 6, 8, 10)]

PROVEN = settings(max_examples=150, deadline=None, derandomize=True)


@st.composite
def account_states(draw: st.DrawFn) -> dict[int, AccountState]:
    found = {}
    for number, (book, kind) in enumerate(PLACES):
        floored = kind in FLOORED_KINDS
        posted = draw(st.integers(0, 20)) if floored else 0
        held = draw(st.integers(0, posted))
        moved_at = NOW + timedelta(minutes=draw(st.integers(-2, 2))) if floored and posted else None
        closed = floored and not posted and draw(st.booleans())
        found[number] = AccountState(number, book, "minute", kind, floored, posted, held, posted, moved_at, closed)
    return found


movements = st.builds(
    Movement,
    id=st.sampled_from(IDS),
    from_account_id=st.integers(0, len(PLACES)),
    to_account_id=st.integers(0, len(PLACES)),
    amount=st.integers(0, 12),
    kind=st.sampled_from(["gift", "donation"]),
    effective_at=st.just(NOW),
)
batches = st.lists(st.lists(movements, max_size=3).map(tuple), min_size=1, max_size=6)


def one_by_one(
    postings: Sequence[Posting], accounts: dict[int, AccountState]
) -> tuple[list[Result], list[Leg], dict[int, AccountState]]:
    """Each posting as a batch of its own, on what the ones before it left."""
    accounts, standing = dict(accounts), dict[UUID, Standing | None]()
    all_results, all_legs = [], []
    for posting in postings:
        [result], legs = decide([posting], accounts, BRIDGES, standing, NOW)
        all_results.append(result)
        all_legs += legs
        accounts = carried(accounts, legs)
        standing |= {leg.id: None for leg in legs}
        if isinstance(result, Posted) and not result.replayed:
            standing |= {movement.id: Standing.of(movement) for movement in posting}
    return all_results, all_legs, accounts


def carried(accounts: dict[int, AccountState], legs: Sequence[Leg]) -> dict[int, AccountState]:
    """The states as the rows say them."""
    after = dict(accounts)
    for leg in legs:
        for account_id, version, balance in (
            (leg.from_account_id, leg.from_version, leg.from_balance),
            (leg.to_account_id, leg.to_version, leg.to_balance),
        ):
            if version is not None and balance is not None:
                moved: dict[str, Any] = {"posted": balance, "version": version, "last_recorded_at": leg.recorded_at}
                after[account_id] = replace(after[account_id], **moved)
    return after


def said(results: Sequence[Result]) -> list[object]:
    return [(r.code, r.facts) if isinstance(r, BankError) else r for r in results]


@PROVEN
@given(account_states(), batches)
def test_a_batch_decides_as_its_postings_one_after_another(
    accounts: dict[int, AccountState], postings: list[Posting]
) -> None:
    results, legs = decide(postings, accounts, BRIDGES, {}, NOW)
    expected, expected_legs, _ = one_by_one(postings, accounts)
    assert said(results) == said(expected)
    assert legs == expected_legs


@PROVEN
@given(account_states(), batches)
def test_no_account_falls_below_its_floor_or_touches_what_is_held(
    accounts: dict[int, AccountState], postings: list[Posting]
) -> None:
    _, legs = decide(postings, accounts, BRIDGES, {}, NOW)
    for leg in legs:
        if leg.from_balance is not None:
            assert leg.from_balance >= accounts[leg.from_account_id].held


@PROVEN
@given(account_states(), batches)
def test_every_balance_is_the_one_before_it_and_the_amount(
    accounts: dict[int, AccountState], postings: list[Posting]
) -> None:
    _, legs = decide(postings, accounts, BRIDGES, {}, NOW)
    running = {number: (account.posted, account.version) for number, account in accounts.items()}
    times = {number: account.last_recorded_at for number, account in accounts.items()}
    for leg in legs:
        for account_id, delta, version, balance in (
            (leg.from_account_id, -leg.movement.amount, leg.from_version, leg.from_balance),
            (leg.to_account_id, leg.movement.amount, leg.to_version, leg.to_balance),
        ):
            if not accounts[account_id].floored:
                assert (version, balance) == (None, None)
                continue
            posted, last = running[account_id]
            assert (balance, version) == (posted + delta, last + 1)
            assert leg.recorded_at >= (times[account_id] or NOW)
            running[account_id], times[account_id] = (posted + delta, last + 1), leg.recorded_at


@PROVEN
@given(account_states(), batches)
def test_every_book_balances_alone_and_clearing_sums_to_zero(
    accounts: dict[int, AccountState], postings: list[Posting]
) -> None:
    results, legs = decide(postings, accounts, BRIDGES, {}, NOW)
    clearing: Counter[str] = Counter()
    for leg in legs:
        assert {accounts[leg.from_account_id].book_code, accounts[leg.to_account_id].book_code} == {leg.book_code}
        clearing[leg.book_code] += leg.movement.amount * (
            (accounts[leg.to_account_id].kind == "clearing") - (accounts[leg.from_account_id].kind == "clearing")
        )
    assert sum(clearing.values()) == 0
    for first in (leg for leg in legs if leg.link_id == leg.id):
        [second] = [leg for leg in legs if leg.id == second_leg_id(first.id)]
        assert (first.book_code, first.counterpart_book_code) == (second.counterpart_book_code, second.book_code)
        assert first.movement is second.movement
    posted = sum(len(r.transfer_ids) for r in results if isinstance(r, Posted) and not r.replayed)
    assert posted == len({leg.movement.id for leg in legs})


@PROVEN
@given(account_states(), batches)
def test_a_refused_posting_changes_nothing_for_the_others(
    accounts: dict[int, AccountState], postings: list[Posting]
) -> None:
    results, legs = decide(postings, accounts, BRIDGES, {}, NOW)
    accepted = [p for p, r in zip(postings, results, strict=True) if isinstance(r, Posted)]
    without_refused, same_legs = decide(accepted, accounts, BRIDGES, {}, NOW)
    assert all(isinstance(result, Posted) for result in without_refused)
    assert same_legs == legs


@PROVEN
@given(account_states(), batches)
def test_the_whole_batch_again_moves_nothing(accounts: dict[int, AccountState], postings: list[Posting]) -> None:
    results, _, after = one_by_one(postings, accounts)
    fresh = [p for p, r in zip(postings, results, strict=True) if isinstance(r, Posted)]
    standing = {movement.id: Standing.of(movement) for posting in fresh for movement in posting}
    again, legs = decide(fresh, after, BRIDGES, standing, NOW)
    assert legs == []
    assert all(isinstance(result, Posted) and result.replayed for result in again)


def test_the_batches_tried_here_are_of_every_sort() -> None:
    """Accepted, replayed and every refusal come up; a strategy that makes only one sort would prove nothing."""
    seen: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None, derandomize=True, database=None)
    @given(account_states(), batches)
    def count(accounts: dict[int, AccountState], postings: list[Posting]) -> None:
        for result in decide(postings, accounts, BRIDGES, {}, NOW)[0]:
            seen[result.code if isinstance(result, BankError) else f"posted, replayed {result.replayed}"] += 1

    count()
    assert set(seen) >= {
        *("posted, replayed False", "posted, replayed True", "transfer_id_reused", "insufficient_minutes"),
        *("account_unknown", "account_closed", "accounts_do_not_fit", "amount_invalid", "clearing_is_not_for_hands"),
    }
