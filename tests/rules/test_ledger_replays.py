"""Ids are the caller's: the same id is the same transfer, and nothing else may use it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from tests.rules.test_ledger_rules import (
    AWAY_CLEARING,
    AWAY_SAVINGS,
    CLEARING,
    CLOSED,
    ISSUANCE,
    LATER,
    POOL,
    SAVINGS,
    decided,
    moving,
    refusal,
)
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.rules import Movement, Posted, Standing, second_leg_id


def standing_of(*movements: Movement) -> dict[UUID, Standing | None]:
    return {movement.id: Standing.of(movement) for movement in movements}


def test_the_same_id_and_movement_is_answered_as_before_and_moves_nothing() -> None:
    asked = moving(SAVINGS, POOL, 30)
    results, legs = decided((asked,), standing=standing_of(asked))
    assert results == [Posted((asked.id,), replayed=True)]
    assert legs == []


def test_a_replay_is_answered_though_the_money_is_gone_or_the_account_closed() -> None:
    gone, closed = moving(SAVINGS, POOL, 101), moving(CLOSED, SAVINGS, 1)
    results, _ = decided((gone,), (closed,), standing=standing_of(gone, closed))
    assert [isinstance(result, Posted) and result.replayed for result in results] == [True, True]


def test_what_is_only_said_about_a_movement_does_not_make_it_another() -> None:
    asked = moving(SAVINGS, POOL, 30)
    again = replace(asked, effective_at=LATER, note="again", policy_version=3, recorded_by=new_id())
    results, _ = decided((again,), standing=standing_of(asked))
    assert results == [Posted((asked.id,), replayed=True)]


@pytest.mark.parametrize(
    "other",
    [
        {"amount": 31},
        {"from_account_id": ISSUANCE},
        {"to_account_id": AWAY_SAVINGS},
        {"kind": "donation"},
        {"cause_id": new_id()},
        {"reverses_id": new_id(), "approved_by": new_id()},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_same_id_with_another_field_is_refused(other: dict[str, object]) -> None:
    asked = moving(SAVINGS, POOL, 30)
    refused = refusal(replace(asked, **other), standing=standing_of(asked))  # type: ignore[arg-type]
    assert refused.code == "transfer_id_reused"
    assert refused.facts == {"transfer_id": asked.id}


def test_the_same_id_twice_in_a_batch_is_posted_once_and_then_replayed() -> None:
    asked = moving(SAVINGS, POOL, 60)
    results, legs = decided((asked,), (asked,), (replace(asked, amount=1),))
    assert results[:2] == [Posted((asked.id,)), Posted((asked.id,), replayed=True)]
    assert isinstance(results[2], BankError)
    assert results[2].code == "transfer_id_reused"
    assert len(legs) == 1


def test_the_id_of_a_refused_posting_is_still_free() -> None:
    asked = moving(SAVINGS, POOL, 101)
    results, legs = decided((asked,), (replace(asked, amount=100),))
    assert isinstance(results[0], BankError)
    assert results[1] == Posted((asked.id,))
    assert len(legs) == 1


def test_one_id_for_two_movements_of_a_posting_is_refused() -> None:
    asked = moving(SAVINGS, POOL, 1)
    assert refusal(asked, asked).code == "transfer_id_reused"


def test_a_posting_of_which_only_a_part_stands_already_is_refused_whole() -> None:
    stood, fresh = moving(SAVINGS, POOL, 1), moving(SAVINGS, POOL, 2)
    refused = refusal(fresh, stood, standing=standing_of(stood))
    assert (refused.code, refused.facts) == ("transfer_id_reused", {"transfer_id": stood.id})


def test_the_id_of_a_second_leg_is_taken_for_good() -> None:
    across = moving(SAVINGS, AWAY_SAVINGS, 1)
    leg_id = second_leg_id(across.id)
    for thief in (moving(SAVINGS, POOL, 1, id=leg_id), moving(AWAY_CLEARING, CLEARING, 1, id=leg_id)):
        results, legs = decided((across,), (thief,))
        assert isinstance(results[1], BankError)
        assert (results[1].code, results[1].facts["transfer_id"]) == ("transfer_id_reused", leg_id)
        assert len(legs) == 2
        assert refusal(thief, standing={leg_id: None}).code == "transfer_id_reused"


def test_a_second_leg_cannot_take_the_id_of_another_transfer() -> None:
    across = moving(SAVINGS, AWAY_SAVINGS, 1)
    there_first = moving(SAVINGS, POOL, 1, id=second_leg_id(across.id))
    results, legs = decided((there_first,), (across,))
    assert results[0] == Posted((there_first.id,))
    assert isinstance(results[1], BankError)
    assert results[1].code == "transfer_id_reused"
    assert [leg.id for leg in legs] == [there_first.id]
    assert refusal(across, standing=standing_of(there_first)).code == "transfer_id_reused"
    assert refusal(there_first, across).code == "transfer_id_reused"
    assert refusal(across, there_first).code == "transfer_id_reused"


def test_the_legs_of_a_reversal_undo_one_another_crosswise() -> None:
    reversed_id = new_id()
    back = moving(AWAY_SAVINGS, SAVINGS, 1, reverses_id=reversed_id, approved_by=new_id())
    _, [first, last] = decided((back,))
    assert (first.reverses_id, last.reverses_id) == (second_leg_id(reversed_id), reversed_id)
    _, [alone] = decided((replace(back, from_account_id=ISSUANCE),))
    assert alone.reverses_id == reversed_id
