"""Heirs: one at a time, among relatives, named on the phone or on paper; what the database keeps of family."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.family import asked, make_relatives, on_paper, without_phone
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.people.actions import decline_proposal, end_relation, name_heir, propose_relation
from timebank.people.family_models import FamilyRelation
from timebank.people.family_queries import heir_of, relatives_of
from timebank.people.family_rules import ProposalKind, Relation
from timebank.people.models import Person

Family = tuple[Actor, Actor, Actor]


@pytest.fixture
def family(bank: Database) -> Family:
    """A mother with two children."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        mother = add_elder(session, XIWU, name="周桂芬")
        daughter, son = add_person(session, SHANGTIAN, age=45), add_person(session, DAYAN, age=50)
        for child in (daughter, son):
            make_relatives(session, mother, child)
    return mother, daughter, son


def test_an_heir_is_named_changed_and_unnamed(bank: Database, family: Family) -> None:
    mother, daughter, son = family
    with bank.unit_of_work() as session:
        assert heir_of(session, mother.person()) is None
        first = name_heir(session, actor=mother, heir_id=daughter.person())
        assert name_heir(session, actor=mother, heir_id=daughter.person()) is first
        assert heir_of(session, mother.person()) == daughter.person_id
        name_heir(session, actor=mother, heir_id=son.person())
        assert heir_of(session, mother.person()) == son.person_id
        assert [(r.person_id, r.is_heir) for r in relatives_of(session, mother.person())] == [
            (daughter.person_id, False),
            (son.person_id, True),
        ]
        # Whose heir one is, is not the heir's to see.
        assert not any(r.is_heir for r in relatives_of(session, son.person()))
        assert name_heir(session, actor=mother, heir_id=None) is None
        assert heir_of(session, mother.person()) is None
        assert name_heir(session, actor=mother, heir_id=None) is None


def test_only_a_registered_relative_who_is_here_is_named(bank: Database, family: Family) -> None:
    mother, daughter, _ = family
    with bank.unit_of_work() as session:
        stranger = add_person(session, XIWU)
        for other in (stranger.person(), new_id(), mother.person()):
            with pytest.raises(BankError, match="not_relatives:"):
                name_heir(session, actor=mother, heir_id=other)
        session.get_one(Person, daughter.person()).left_at = clock.now()
        session.flush()
        with pytest.raises(BankError, match="person_left:"):
            name_heir(session, actor=mother, heir_id=daughter.person())
        with pytest.raises(BankError, match="registration_needed:"):
            name_heir(session, actor=steward(XIWU), heir_id=daughter.person())


def test_for_whoever_has_no_phone_a_steward_writes_it_down(bank: Database, family: Family) -> None:
    mother, daughter, _ = family
    with bank.unit_of_work() as session:
        wanted = {"heir_id": daughter.person(), "of_person_id": mother.person()}
        with pytest.raises(BankError, match="consent_by_phone:"):
            name_heir(session, actor=steward(XIWU), evidence="遗嘱", **wanted)
        without_phone(session, mother)
        for actor, evidence, code in (
            (steward(DAYAN), "遗嘱", "other_township"),
            (daughter, "遗嘱", "steward_only"),
            (steward(XIWU), None, "evidence_missing"),
            (steward(XIWU), " ", "evidence_missing"),
        ):
            with pytest.raises(BankError, match=f"{code}:"):
                name_heir(session, actor=actor, evidence=evidence, **wanted)
        named = name_heir(session, actor=steward(XIWU), evidence="公证书12号", **wanted)
        assert named is not None
        assert (named.evidence, named.heir_id) == ("公证书12号", daughter.person_id)


def test_an_heir_whose_relation_ends_is_one_no_longer(bank: Database, family: Family) -> None:
    mother, daughter, son = family
    with bank.unit_of_work() as session:
        name_heir(session, actor=mother, heir_id=daughter.person())
        name_heir(session, actor=son, heir_id=mother.person())
        hers = next(r for r in relatives_of(session, mother.person()) if r.person_id == daughter.person_id)
        end_relation(session, actor=daughter, relation_id=hers.relation_id)
        assert heir_of(session, mother.person()) is None
        assert heir_of(session, son.person()) == mother.person_id


@pytest.mark.parametrize("times", range(3))
def test_naming_and_ending_at_once_leaves_no_heir_without_a_relation(
    bank: Database, family: Family, times: int
) -> None:
    mother, daughter, _ = family
    with bank.session() as session:
        hers = next(r for r in relatives_of(session, mother.person()) if r.person_id == daughter.person_id)
    at_once(
        bank,
        [
            lambda s: name_heir(s, actor=mother, heir_id=daughter.person()),
            lambda s: end_relation(s, actor=daughter, relation_id=hers.relation_id),
        ],
    )
    with bank.session() as session:
        assert heir_of(session, mother.person()) is None


HEIR = """INSERT INTO family_heir (id, person_id, heir_id, named_at, named_by, named_by_name)
          SELECT gen_random_uuid(), {person}, {heir}, now(), gen_random_uuid(), '无' FROM family_relation LIMIT 1"""
PROPOSAL = """INSERT INTO family_proposal (id, kind, proposer_id, asked_index, asked_name, relation, proposed_at,
                proposed_by, proposed_by_name, expires_at, status, told_of, answered_at, answered_by, answered_by_name)
              SELECT gen_random_uuid(), kind, proposer_id, decode(repeat('ab', 32), 'hex'), '某', relation, now(),
                proposed_by, '某', now() + interval '1 day', {status}, NULL,
                {answered}
              FROM family_proposal LIMIT 1"""
RELATION = """INSERT INTO family_relation (id, person_id, relative_id, relation, person_consent, relative_consent,
                evidence, registered_at, registered_by, registered_by_name, ended_at, ended_by, ended_by_name)
              SELECT gen_random_uuid(), {pair}, relation, {consents}, now(), registered_by, '某', {ended}
              FROM family_relation WHERE ended_at IS NULL LIMIT 1"""
BY_PHONE = "'phone', 'phone', NULL"
STANDING = "NULL::timestamptz, NULL::uuid, NULL"
GUARDS = {
    "a proposal that says something else": ("UPDATE family_proposal SET relation = 'other'", "never changes"),
    "a proposal with other scopes": ("UPDATE family_proposal SET scopes = '{meals}', kind = 'proxy'", "never changes"),
    "an answer that is changed": ("UPDATE family_proposal SET status = 'declined'", "answered once"),
    "an answer taken from who gave it": ("UPDATE family_proposal SET answered_by_name = '某'", "answered once"),
    "a proposal that is removed": ("DELETE FROM family_proposal", "never changes"),
    "proposals emptied": ("TRUNCATE family_proposal CASCADE", "never changed or removed"),
    "a proposal that begins accepted": (
        PROPOSAL.format(status="'accepted'", answered="now(), proposed_by, '某'"),
        "begins waiting",
    ),
    "a proposal answered by nobody": (
        "UPDATE family_proposal SET answered_by_name = NULL WHERE status = 'declined'",
        "answered",
    ),
    "a relation of another kind": ("UPDATE family_relation SET relation = 'other'", "never changes"),
    "a relation between others": ("UPDATE family_relation SET relative_id = person_id", "never changes"),
    "a relation that is removed": ("DELETE FROM family_relation", "never changes"),
    "relations emptied": ("TRUNCATE family_relation", "never changed or removed"),
    "a relation that never stood": (
        RELATION.format(pair="person_id, relative_id", consents=BY_PHONE, ended="now(), registered_by, '某'"),
        "begins standing",
    ),
    "a second relation of the same two": (
        RELATION.format(pair="person_id, relative_id", consents=BY_PHONE, ended=STANDING),
        "uq_family_relation_active",
    ),
    "the same relation the other way round": (
        RELATION.format(pair="relative_id, person_id", consents=BY_PHONE, ended=STANDING),
        "pair_ordered",
    ),
    "paper that lies nowhere": (
        RELATION.format(pair="person_id, person_id", consents="'paper', 'phone', NULL", ended=STANDING).replace(
            "person_id, person_id,", "least(person_id, registered_by), greatest(person_id, registered_by),"
        ),
        "paper_has_evidence",
    ),
    "a relation that ends under an heir": (
        "UPDATE family_relation SET ended_at = now(), ended_by = registered_by, ended_by_name = '某'",
        "still carries an heir",
    ),
    "an heir who is no relative": (HEIR.format(person="person_id", heir="registered_by"), "registered relative"),
    "a second heir": (
        HEIR.format(
            person="(SELECT person_id FROM family_heir LIMIT 1)", heir="(SELECT heir_id FROM family_heir LIMIT 1)"
        ),
        "uq_family_heir_active",
    ),
    "another heir in the same row": ("UPDATE family_heir SET heir_id = person_id", "never changes"),
    "an heir who is removed": ("DELETE FROM family_heir", "never changes"),
    "heirs emptied": ("TRUNCATE family_heir", "never changed or removed"),
}


@pytest.mark.parametrize("attempt", GUARDS)
def test_the_database_keeps_what_was_consented_to(bank: Database, family: Family, attempt: str) -> None:
    mother, daughter, _ = family
    with bank.unit_of_work() as session:
        name_heir(session, actor=mother, heir_id=daughter.person())
        declined = propose_relation(
            session, actor=mother, asked=asked(session, add_person(session, XIWU, name="甲")), relation=Relation.OTHER
        )
        assert declined.status == "waiting"
        other = propose_relation(session, actor=daughter, asked=asked(session, family[2]), relation=Relation.SIBLING)
        decline_proposal(session, actor=family[2], proposal_id=other.id, kind=ProposalKind.RELATION)
    statement, named = GUARDS[attempt]
    with pytest.raises(DBAPIError, match=named), bank.unit_of_work() as session:
        session.execute(text(statement))


def test_what_ended_stays_ended(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        one, other = add_elder(session, XIWU), add_elder(session, XIWU)
        without_phone(session, one, other)
        made = on_paper(session, one, other)
        named = name_heir(session, actor=steward(XIWU), heir_id=one.person(), of_person_id=other.person(), evidence="x")
        end_relation(session, actor=steward(XIWU), relation_id=made.id)
        assert named is not None
    for table in ("family_relation", "family_heir"):
        with pytest.raises(DBAPIError, match="ends once"), bank.unit_of_work() as session:
            _revive(session, table)
    with bank.session() as session:
        assert session.get_one(FamilyRelation, made.id).ended_at is not None


def _revive(session: Session, table: str) -> None:
    session.execute(text(f"UPDATE {table} SET ended_at = NULL, ended_by = NULL, ended_by_name = NULL"))
