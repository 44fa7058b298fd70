"""Relations: both sides consent, on the phone or on paper; nobody learns who is enrolled; ended by either side."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.family import asked, make_relatives, on_paper, relations, without_phone
from tests.factories.people import (
    DAYAN,
    SHANGTIAN,
    XIWU,
    add_elder,
    add_person,
    born_for_age,
    district,
    staff,
    steward,
    valid_id_number,
)
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.people.actions import (
    Asked,
    accept_relation,
    decline_proposal,
    end_relation,
    propose_relation,
    register_relation,
    withdraw_proposal,
)
from timebank.people.family_models import FamilyRelation, Proposal
from timebank.people.family_queries import are_relatives, proposal_view, proposals_seen_by, relatives_of
from timebank.people.family_rules import ProposalKind, Relation
from timebank.people.models import Person

KIND = ProposalKind.RELATION


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def family(bank: Database) -> tuple[Actor, Actor]:
    """A mother of 西坞 and her daughter in 尚田."""
    with bank.unit_of_work() as session:
        return add_elder(session, XIWU, name="周桂芬"), add_person(session, SHANGTIAN, age=45, name="周小敏")


def open_for(session: Session, who: Actor) -> list[str]:
    return [seen.status for seen in proposals_seen_by(session, who.person(), kind=KIND, limit=10)]


def test_both_sides_consent_and_each_sees_what_the_other_is(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        made = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        assert not are_relatives(session, mother.person(), daughter.person())
        [received] = proposals_seen_by(session, daughter.person(), kind=KIND, limit=10)
        assert (received.name, received.relation, received.received) == ("周桂芬", "parent", True)
        [sent] = proposals_seen_by(session, mother.person(), kind=KIND, limit=10)
        assert (sent.name, sent.relation, sent.received, sent.status) == ("周小敏", "child", False, "waiting")
    with bank.unit_of_work() as session:
        kept = accept_relation(session, actor=daughter, proposal_id=made.id)
        assert (kept.person_consent, kept.relative_consent, kept.evidence) == ("phone", "phone", None)
        assert are_relatives(session, mother.person(), daughter.person())
        assert are_relatives(session, daughter.person(), mother.person())
        [hers] = relatives_of(session, mother.person())
        [mine] = relatives_of(session, daughter.person())
    assert (hers.name, hers.relation, hers.person_id) == ("周小敏", "child", daughter.person_id)
    assert (mine.name, mine.relation, mine.person_id) == ("周桂芬", "parent", mother.person_id)
    assert hers.relation_id == mine.relation_id == kept.id


def test_the_answer_is_the_same_whoever_is_asked(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        hers = asked(session, daughter)
        nobodys = replace(hers, id_number=valid_id_number(born_for_age(45)))
        several = [
            hers,
            nobodys,
            replace(hers, name="周大敏"),
            Asked("周小敏", person_id=daughter.person()),
            Asked("周小敏", person_id=new_id()),
        ]
        answers = []
        for one in several:
            found = propose_relation(session, actor=mother, asked=one, relation=Relation.CHILD)
            seen = asdict(proposal_view(session, found, mother.person_id))
            answers.append({**seen, "proposal_id": None, "name": seen["name"].replace("大", "小")})
        assert answers == [answers[0]] * len(several)
        # Of several that ask the same the newest stands; the one with the wrong name is nobody's to see or answer.
        assert open_for(session, daughter) == ["waiting"]
        wrong = propose_relation(session, actor=mother, asked=several[2], relation=Relation.CHILD)
        assert open_for(session, daughter) == []
        with pytest.raises(BankError, match="proposal_unknown"):
            accept_relation(session, actor=daughter, proposal_id=wrong.id)


def test_a_proposal_waits_for_somebody_who_is_not_enrolled_yet(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother = family[0]
    with bank.unit_of_work() as session:
        late = add_person(session, DAYAN, name="周小明")
        known = session.get_one(Person, late.person())
        index, known.id_number_index = known.id_number_index, bytes(32)
        session.flush()
        wanted = Asked("周小明", known.id_number)
        made = propose_relation(session, actor=mother, asked=wanted, relation=Relation.CHILD)
        assert open_for(session, late) == []
        known.id_number_index = index
        session.flush()
        assert open_for(session, late) == ["waiting"]
        assert accept_relation(session, actor=late, proposal_id=made.id).ended_at is None


def test_whoever_asked_never_learns_of_a_refusal(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        made = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        decline_proposal(session, actor=daughter, proposal_id=made.id, kind=KIND)
        assert (open_for(session, mother), open_for(session, daughter)) == (["waiting"], [])
        with pytest.raises(BankError, match="proposal_ended"):
            accept_relation(session, actor=daughter, proposal_id=made.id)
        clock.freeze(NINE + timedelta(days=30))
        assert open_for(session, mother) == ["expired"]
        clock.freeze(NINE)
        withdraw_proposal(session, actor=mother, proposal_id=made.id, kind=KIND)
        assert open_for(session, mother) == ["withdrawn"]


def test_nobody_answers_what_they_are_not_asked(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        stranger = add_person(session, DAYAN)
        made = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        for actor in (stranger, mother):
            for answer in (accept_relation, lambda s, **k: decline_proposal(s, **k, kind=KIND)):
                with pytest.raises(BankError, match="proposal_unknown"):
                    answer(session, actor=actor, proposal_id=made.id)  # type: ignore[operator]
        for actor in (stranger, daughter, steward(DAYAN), staff(StaffRole.AUDITOR)):
            with pytest.raises(BankError, match="proposal_unknown"):
                withdraw_proposal(session, actor=actor, proposal_id=made.id, kind=KIND)
        with pytest.raises(BankError, match="proposal_unknown"):
            withdraw_proposal(session, actor=mother, proposal_id=made.id, kind=ProposalKind.PROXY)
        withdraw_proposal(session, actor=steward(XIWU), proposal_id=made.id, kind=KIND)
        with pytest.raises(BankError, match="proposal_ended"):
            withdraw_proposal(session, actor=mother, proposal_id=made.id, kind=KIND)
        with pytest.raises(BankError, match="proposal_ended"):
            accept_relation(session, actor=daughter, proposal_id=made.id)


def test_a_proposal_lapses_after_the_time_that_policy_gives(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        change_policy(session, "proposal_valid_days", 3, township_code=XIWU)
        made = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        clock.freeze(NINE + timedelta(days=3))
        assert open_for(session, daughter) == []
        with pytest.raises(BankError, match="proposal_expired"):
            accept_relation(session, actor=daughter, proposal_id=made.id)


def test_nobody_asks_half_the_district(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        change_policy(session, "proposal_max_open", 2)
        first = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        decline_proposal(session, actor=daughter, proposal_id=first.id, kind=KIND)
        strangers = [Asked("王五", valid_id_number(born_for_age(50))) for _ in range(2)]
        propose_relation(session, actor=mother, asked=strangers[0], relation=Relation.SIBLING)
        with pytest.raises(BankError, match="too_many_proposals") as refusal, session.begin_nested():
            propose_relation(session, actor=mother, asked=strangers[1], relation=Relation.SIBLING)
        assert refusal.value.facts == {"max_proposals": 2}
        # Asking the same once more takes the place of the first.
        propose_relation(session, actor=mother, asked=strangers[0], relation=Relation.OTHER)
        clock.freeze(NINE + timedelta(days=30))
        propose_relation(session, actor=mother, asked=strangers[1], relation=Relation.SIBLING)


def test_askings_that_do_not_hold(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        make_relatives(session, mother, daughter)
        own = asked(session, mother)
        wrong: list[tuple[Asked, str]] = [
            (Asked("周小敏"), "asked_unnamed"),
            (Asked("周小敏", own.id_number, daughter.person()), "asked_unnamed"),
            (Asked("周小敏", "330224194101010011"), "id_number_invalid"),
            (Asked(" ", own.id_number), "name_missing"),
            (own, "relation_with_oneself"),
            (Asked("周桂芬", person_id=mother.person()), "relation_with_oneself"),
            (asked(session, daughter), "already_relatives"),
        ]
        for one, code in wrong:
            with pytest.raises(BankError, match=f"{code}:"):
                propose_relation(session, actor=mother, asked=one, relation=Relation.CHILD)
        with pytest.raises(BankError, match="registration_needed:"):
            propose_relation(session, actor=steward(XIWU), asked=own, relation=Relation.CHILD)


def test_two_without_phones_are_registered_on_paper(bank: Database) -> None:
    with bank.unit_of_work() as session:
        wife, husband = add_elder(session, XIWU, name="周桂芬"), add_elder(session, DAYAN, name="吴大海")
        without_phone(session, wife, husband)
        wanted = {"person_id": wife.person(), "relative_id": husband.person(), "relation": Relation.SPOUSE}
        for actor, evidence, code in (
            (steward(SHANGTIAN), "同意书", "other_township"),
            (staff(StaffRole.AUDITOR), "同意书", "steward_only"),
            (steward(XIWU), "  ", "evidence_missing"),
        ):
            with pytest.raises(BankError, match=f"{code}:"):
                register_relation(session, actor=actor, consent_evidence=evidence, **wanted)  # type: ignore[arg-type]
        for other, code in ((wife.person(), "relation_with_oneself"), (new_id(), "person_unknown")):
            with pytest.raises(BankError, match=f"{code}:"):
                register_relation(
                    session,
                    actor=district(),
                    consent_evidence="x",
                    **{**wanted, "relative_id": other},  # type: ignore[arg-type]
                )
        clerk = steward(DAYAN)
        made = register_relation(session, actor=clerk, consent_evidence=" 档案柜3，双方签字 ", **wanted).relation  # type: ignore[arg-type]
        assert made is not None
        assert (made.person_consent, made.relative_consent, made.evidence) == ("paper", "paper", "档案柜3，双方签字")
        assert (made.registered_by, made.registered_by_name) == (clerk.login_id, clerk.name)
        with pytest.raises(BankError, match="already_relatives:"):
            register_relation(session, actor=clerk, consent_evidence="再来", **wanted)  # type: ignore[arg-type]


def test_the_side_with_a_phone_is_asked_there(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    both = {"person_id": daughter.person(), "relative_id": mother.person(), "relation": Relation.PARENT}
    with bank.unit_of_work() as session:
        with pytest.raises(BankError, match="both_have_phones:"):
            register_relation(session, actor=steward(XIWU), consent_evidence="同意书", **both)  # type: ignore[arg-type]
        without_phone(session, mother)
        made = register_relation(session, actor=steward(XIWU), consent_evidence="同意书9号", **both)  # type: ignore[arg-type]
        assert made.relation is None
        assert made.proposal is not None
        [seen] = proposals_seen_by(session, daughter.person(), kind=KIND, limit=10)
        assert (seen.name, seen.relation, seen.proposal_id) == ("周桂芬", "parent", made.proposal.id)
        kept = accept_relation(session, actor=daughter, proposal_id=seen.proposal_id)
        consents = {kept.person_id: kept.person_consent, kept.relative_id: kept.relative_consent}
        assert consents == {mother.person_id: "paper", daughter.person_id: "phone"}
        assert kept.evidence == "同意书9号"
        [hers] = relatives_of(session, mother.person())
        assert hers.relation == "child"


def test_either_side_or_a_steward_ends_a_relation_and_nobody_else(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        for ender in (mother, daughter, steward(XIWU), steward(SHANGTIAN), district()):
            made = make_relatives(session, mother, daughter)
            for other in (add_person(session, XIWU), steward(DAYAN), staff(StaffRole.AUDITOR)):
                with pytest.raises(BankError, match="relation_unknown:"):
                    end_relation(session, actor=other, relation_id=made.id)
            ended = end_relation(session, actor=ender, relation_id=made.id)
            assert (ended.ended_by, ended.ended_by_name) == (ender.login_id, ender.name)
            assert not are_relatives(session, mother.person(), daughter.person())
            assert relatives_of(session, daughter.person()) == []
            with pytest.raises(BankError, match="relation_ended:"):
                end_relation(session, actor=ender, relation_id=made.id)
        assert len(relations(session)) == 5


def test_nothing_new_is_agreed_with_whoever_has_left(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        made = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        session.get_one(Person, mother.person()).left_at = clock.now()
        session.flush()
        with pytest.raises(BankError, match="person_left:"):
            accept_relation(session, actor=daughter, proposal_id=made.id)
        with pytest.raises(BankError, match="person_left:"):
            propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        without_phone(session, mother, daughter)
        with pytest.raises(BankError, match="person_left:"):
            on_paper(session, mother, daughter)


@pytest.mark.parametrize("times", range(3))
def test_of_consents_given_at_once_one_makes_the_relation(
    bank: Database, family: tuple[Actor, Actor], times: int
) -> None:
    mother, daughter = family
    with bank.unit_of_work() as session:
        hers = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        mine = propose_relation(session, actor=daughter, asked=asked(session, mother), relation=Relation.PARENT)
    answers = at_once(
        bank,
        [
            lambda s: accept_relation(s, actor=daughter, proposal_id=hers.id),
            lambda s: accept_relation(s, actor=daughter, proposal_id=hers.id),
            lambda s: accept_relation(s, actor=mother, proposal_id=mine.id),
            lambda s: accept_relation(s, actor=mother, proposal_id=mine.id),
        ],
    )
    refused = set(codes_of(answers)) - {"ok"}
    assert codes_of(answers).count("ok") == 1
    assert refused <= {"already_relatives", "proposal_ended"}
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(FamilyRelation)) == 1


def test_askings_of_the_same_at_once_leave_one_that_waits(bank: Database, family: tuple[Actor, Actor]) -> None:
    mother, daughter = family
    with bank.session() as session:
        wanted = asked(session, daughter)
    answers = at_once(bank, [lambda s: propose_relation(s, actor=mother, asked=wanted, relation=Relation.CHILD)] * 4)
    assert codes_of(answers) == ["ok"] * 4
    with bank.session() as session:
        kept = session.scalars(select(Proposal.status)).all()
    assert sorted(kept) == ["waiting", "withdrawn", "withdrawn", "withdrawn"]
