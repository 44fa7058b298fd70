"""Whoever is asked for a consent hears of it, also later; whoever asked hears of a yes, and never of a no."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.family import asked
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, valid_id_number
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.notifications.models import Notice
from timebank.notifications.proposals import tell_of_proposal, untold_proposals
from timebank.people.actions import (
    Asked,
    Enrolment,
    accept_proxy,
    accept_relation,
    decline_proposal,
    enrol,
    propose_proxy,
    propose_relation,
)
from timebank.people.family_rules import ProposalKind, Relation
from timebank.people.rules import ProxyScope

Pair = tuple[Actor, Actor]


@pytest.fixture
def pair(bank: Database) -> Pair:
    """A mother and her daughter."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return add_elder(session, XIWU, name="周桂芬"), add_person(session, SHANGTIAN, age=45, name="周小敏")


def tell(session: Session) -> int:
    found = untold_proposals(session, limit=9)
    return sum(tell_of_proposal(session, proposal_id=one) for one in found)


def told(session: Session, who: Actor) -> list[str]:
    query = select(Notice.body).where(Notice.person_id == who.person_id)
    return list(session.scalars(query.order_by(Notice.id)))


def test_who_is_asked_hears_once_and_who_asked_hears_of_the_yes(bank: Database, pair: Pair) -> None:
    mother, daughter = pair
    with bank.unit_of_work() as session:
        hers = asked(session, daughter)
        relation = propose_relation(session, actor=mother, asked=hers, relation=Relation.CHILD)
        scopes = [ProxyScope.MEALS, ProxyScope.CARE]
        proxy = propose_proxy(session, actor=mother, asked=hers, relation="女儿", scopes=scopes)
        assert (tell(session), tell(session)) == (2, 0)
        assert told(session, daughter) == [
            "周桂芬想登记为您的亲属（父母），请确认或谢绝，2026年04月09日前有效。",
            "周桂芬想请您代办居家养老预约、用餐，请确认或谢绝，2026年04月09日前有效。",
        ]
        accept_relation(session, actor=daughter, proposal_id=relation.id)
        accept_proxy(session, actor=daughter, proposal_id=proxy.id)
        assert (tell(session), tell(session)) == (2, 0)
        assert told(session, mother) == ["周小敏已确认与您的亲属关系。", "周小敏已同意为您代办居家养老预约、用餐。"]
        assert tell_of_proposal(session, proposal_id=proxy.id) is False


def test_nobody_hears_of_a_no_or_of_what_lapsed_or_has_another_name(bank: Database, pair: Pair) -> None:
    mother, daughter = pair
    with bank.unit_of_work() as session:
        made = propose_relation(session, actor=mother, asked=asked(session, daughter), relation=Relation.CHILD)
        tell(session)
        decline_proposal(session, actor=daughter, proposal_id=made.id, kind=ProposalKind.RELATION)
        wrong = asked(session, daughter, name="周大敏")
        propose_relation(session, actor=mother, asked=wrong, relation=Relation.CHILD)
        assert tell(session) == 0
        late = propose_relation(session, actor=daughter, asked=asked(session, mother), relation=Relation.PARENT)
        clock.freeze(NINE + timedelta(days=30))
        assert tell(session) == 0
        assert tell_of_proposal(session, proposal_id=late.id) is False
        assert told(session, mother) == []
        assert len(told(session, daughter)) == 1


def test_who_is_enrolled_later_hears_then(bank: Database, pair: Pair) -> None:
    number = valid_id_number((NINE - timedelta(days=365 * 50)).astimezone(LOCAL).date())
    with bank.unit_of_work() as session:
        wanted = Asked("周小明", number)
        propose_relation(session, actor=pair[0], asked=wanted, relation=Relation.CHILD)
        assert tell(session) == 0
        late = enrol(session, actor=district(), form=Enrolment("周小明", number, XIWU, None, ("volunteer",)))
        assert tell(session) == 1
        assert session.scalars(select(Notice.person_id)).all() == [late.id]
