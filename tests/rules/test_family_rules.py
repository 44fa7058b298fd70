"""Words for relations from both sides, and what a proposal tells whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.core.errors import BankError
from timebank.people.family_rules import (
    CONSENT_NAMES,
    EXPIRED,
    PROPOSAL_STATUS_NAMES,
    RELATION_NAMES,
    Consent,
    Pair,
    ProposalStatus,
    Relation,
    inverse,
    must_be_waiting,
    shown_status,
)
from timebank.policies.definitions import RELATIONS
from timebank.policies.rules import check_value

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)
LATER = NOON + timedelta(days=30)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("parent", "child"),
        ("grandparent", "grandchild"),
        ("parent_in_law", "child_in_law"),
        ("spouse", "spouse"),
        ("sibling", "sibling"),
        ("other", "other"),
    ],
)
def test_whose_parent_i_am_is_my_child(here: str, there: str) -> None:
    assert inverse(Relation(here)) == Relation(there)
    assert inverse(Relation(there)) == Relation(here)


@given(st.uuids(), st.uuids(), st.sampled_from(Relation))
def test_a_pair_is_the_same_from_whichever_side_it_is_named(one: object, other: object, relation: Relation) -> None:
    pair = Pair.of(one, other, relation)  # type: ignore[arg-type]
    assert pair == Pair.of(other, one, inverse(relation)) or one == other  # type: ignore[arg-type]
    assert pair.person_id <= pair.relative_id


def test_every_word_has_its_name_and_is_one_that_policies_know() -> None:
    assert set(RELATION_NAMES) == set(Relation)
    assert tuple(map(str, Relation)) == RELATIONS
    assert set(CONSENT_NAMES) == set(Consent)
    assert set(PROPOSAL_STATUS_NAMES) == {*map(str, ProposalStatus), EXPIRED}


@pytest.mark.parametrize("value", [["friend"], "child", ["child", "spouse"], ["child", "child"], [1], None])
def test_a_policy_of_relations_names_known_ones_in_their_order(value: object) -> None:
    check_value("gift_relations", ["spouse", "child"])
    check_value("gift_relations", [])
    with pytest.raises(BankError, match="policy_value_invalid"):
        check_value("gift_relations", value)


def test_whoever_asked_sees_a_refusal_as_no_answer_until_it_lapses() -> None:
    for status, at, to_proposer, shown in (
        ("declined", NOON, True, "waiting"),
        ("declined", LATER, True, "expired"),
        ("declined", LATER, False, "declined"),
        ("waiting", NOON, True, "waiting"),
        ("waiting", LATER, False, "expired"),
        ("accepted", LATER, True, "accepted"),
        ("withdrawn", LATER, True, "withdrawn"),
    ):
        assert shown_status(status, LATER, at, to_proposer=to_proposer) == shown


@pytest.mark.parametrize("status", ["accepted", "declined", "withdrawn"])
def test_only_what_waits_and_has_not_lapsed_is_answered(status: str) -> None:
    must_be_waiting("waiting", LATER, LATER - timedelta(microseconds=1))
    with pytest.raises(BankError, match="proposal_expired"):
        must_be_waiting("waiting", LATER, LATER)
    with pytest.raises(BankError, match="proposal_ended") as refusal:
        must_be_waiting(status, LATER, NOON)
    assert refusal.value.facts == {"status": status}
