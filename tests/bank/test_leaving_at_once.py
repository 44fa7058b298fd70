"""Leaving, and a death that is reported, at the same moment as something else: one after the other, never in a ring."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.factories.aids import reserved
from tests.factories.care import add_provider, as_it_is, assigned, elder_with, visit
from tests.factories.family import make_relatives
from tests.factories.giving import asked_for
from tests.factories.leaving import is_here
from tests.factories.minutes import balance_at, fill_pool, posted_in, save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, ask, past_service
from tests.factories.threads import after_waiting, at_once, codes_of, half_way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.giving.actions import approve_hardship, give
from timebank.leaving import actions as leaving
from timebank.leaving.actions.deaths import Death
from timebank.leaving.actions.leave import Wish
from timebank.leaving.models import DeathReport
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import AccountKind
from timebank.people.actions import end_relation, name_heir
from timebank.people.family_models import FamilyRelation, Heir
from timebank.people.family_queries import relation_between
from timebank.redemption.actions import buy_vouchers, give_voucher
from timebank.redemption.aids.actions import lend
from timebank.redemption.care import actions as care
from timebank.tasks import actions as tasks

POOL = Wish("pool")


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def sisters(bank: Database) -> tuple[Actor, Actor]:
    """Two of 西坞 with an hour each, registered as relatives."""
    with bank.unit_of_work() as session:
        one, other = add_elder(session, XIWU), add_elder(session, XIWU, name="妹妹")
        make_relatives(session, one, other)
        save_minutes(session, one, 60)
        save_minutes(session, other, 60)
        return one, other


def relation_of(bank: Database, one: Actor, other: Actor) -> UUID:
    with bank.session() as session:
        found = relation_between(session, one.person(), other.person())
        assert found is not None
        return found.id


def pooled(bank: Database) -> int:
    with bank.session() as session:
        return balance_at(session, township_accounts(session, [XIWU], AccountKind.POOL)[XIWU])


def refused(answer: object) -> str:
    """The code of a refusal."""
    assert isinstance(answer, BankError), answer
    return answer.code


def reported(dead: Actor) -> partial[DeathReport]:
    """A steward of 西坞 reports a death."""
    death = Death(dead.person(), clock.today(), "死亡证明第9号")
    return partial(leaving.report_death, actor=steward(XIWU), death=death)


def test_a_gift_that_is_under_way_is_taken_along(bank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    giver, leaver = sisters(bank)
    given = partial(give, actor=giver, to_person_id=leaver.person(), minutes=10)
    gone = partial(leaving.leave, actor=leaver, wish=POOL)
    calls = half_way(monkeypatch, "timebank.giving.actions.give", "_move", given, gone)
    assert codes_of(at_once(bank, calls)) == ["ok", "ok"]
    assert pooled(bank) == 70


def test_nothing_is_given_to_or_by_whoever_is_leaving(bank: Database) -> None:
    giver, leaver = sisters(bank)
    given = partial(give, actor=giver, to_person_id=leaver.person(), minutes=10)
    assert refused(after_waiting(bank, partial(leaving.leave, actor=leaver, wish=POOL), given)) == "not_relatives"
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, giver) == 60


def test_a_voucher_given_by_whoever_leaves_waits_in_no_ring(bank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    leaver, sister = sisters(bank)
    with bank.unit_of_work() as session:
        [voucher] = buy_vouchers(session, actor=leaver, quantity=1)
    given = partial(give_voucher, actor=leaver, voucher_id=voucher.id, to_person_id=sister.person())
    gone = partial(leaving.leave, actor=leaver, wish=POOL)
    calls = half_way(monkeypatch, "timebank.redemption.actions.give_voucher", "giver_and_receiver", given, gone)
    answers = at_once(bank, calls)
    assert (refused(answers[0]), codes_of(answers)) == ("not_relatives", ["not_relatives", "ok"])
    with bank.session() as session:
        assert not is_here(session, leaver)


def test_an_heir_named_while_that_one_leaves_is_none_afterwards(bank: Database) -> None:
    owner, heir = sisters(bank)
    named = partial(name_heir, actor=owner, heir_id=heir.person())
    gone = after_waiting(bank, named, partial(leaving.leave, actor=heir, wish=POOL))
    assert not isinstance(gone, BankError)
    with bank.session() as session:
        assert session.scalars(select(Heir.ended_at.is_(None))).all() == [False]


def test_nobody_names_an_heir_who_is_leaving(bank: Database) -> None:
    owner, heir = sisters(bank)
    named = partial(name_heir, actor=owner, heir_id=heir.person())
    assert refused(after_waiting(bank, partial(leaving.leave, actor=heir, wish=POOL), named)) == "not_relatives"


def test_a_relation_that_is_ended_while_one_side_leaves_is_ended_once(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, heir = sisters(bank)
    with bank.unit_of_work() as session:
        named = name_heir(session, actor=owner, heir_id=heir.person())
        relation = make_relatives(session, add_person(session, SHANGTIAN), heir)
    assert named is not None
    found = relation_of(bank, owner, heir)
    ended = partial(end_relation, actor=owner, relation_id=found)
    gone = partial(leaving.leave, actor=heir, wish=POOL)
    calls = half_way(monkeypatch, "timebank.people.actions.family", "_concerns", ended, gone)
    assert codes_of(at_once(bank, calls)) == ["ok", "ok"]
    with bank.session() as session:
        assert session.get_one(Heir, named.id).ended_by == owner.login_id
        assert session.get_one(FamilyRelation, found).ended_by == owner.login_id
        assert session.get_one(FamilyRelation, relation.id).ended_by == heir.login_id


def test_a_relation_that_ends_while_the_savings_go_to_that_relative_stops_it(bank: Database) -> None:
    leaver, sister = sisters(bank)
    found = relation_of(bank, leaver, sister)
    ended = partial(end_relation, actor=sister, relation_id=found)
    wish = Wish("relative", sister.person())
    assert refused(after_waiting(bank, ended, partial(leaving.leave, actor=leaver, wish=wish))) == "not_relatives"


def test_help_asked_for_while_the_elder_leaves_is_in_the_way(bank: Database) -> None:
    elder, _ = sisters(bank)
    gone = partial(leaving.leave, actor=elder, wish=POOL)
    assert refused(after_waiting(bank, lambda session: ask(session, elder), gone)) == "not_settled_yet"


def test_whoever_is_leaving_asks_for_no_help(bank: Database) -> None:
    elder, _ = sisters(bank)
    gone = partial(leaving.leave, actor=elder, wish=POOL)
    assert refused(after_waiting(bank, gone, lambda session: ask(session, elder))) == "person_left"


def test_hours_recorded_while_the_elder_leaves_are_in_the_way(bank: Database) -> None:
    elder, _ = sisters(bank)
    with bank.unit_of_work() as session:
        volunteer = add_person(session, SHANGTIAN)
    form = past_service(volunteer, elder, ended_at=clock.now())
    gone = partial(leaving.leave, actor=elder, wish=POOL)
    recorded = partial(tasks.record, actor=steward(XIWU), form=form)
    assert refused(after_waiting(bank, recorded, gone)) == "not_settled_yet"


def test_no_excess_is_charged_to_whoever_is_being_reported_dead(bank: Database) -> None:
    with bank.unit_of_work() as session:
        provider, elder = add_provider(session), elder_with(session, 300)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=90)
    confirmed = partial(care.confirm, actor=elder, booking_id=booking.id, accept_excess_minutes=30)
    assert refused(after_waiting(bank, reported(elder), confirmed)) == "person_frozen"
    assert as_it_is(bank, booking).status == "checked_out"


def test_a_death_reported_while_an_excess_is_confirmed_waits_for_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        provider, elder = add_provider(session), elder_with(session, 300)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=90)
    confirmed = partial(care.confirm, actor=elder, booking_id=booking.id, accept_excess_minutes=30)
    after_waiting(bank, confirmed, reported(elder))
    assert as_it_is(bank, booking).excess_minutes == 30


def test_no_aid_is_lent_to_whoever_is_being_reported_dead(bank: Database) -> None:
    borrower, loan = reserved(bank)
    lent = partial(lend, actor=steward(XIWU), loan_id=loan.id, condition="good", code=loan.code)
    assert refused(after_waiting(bank, reported(borrower), lent)) == "person_frozen"


def test_nothing_is_given_to_whoever_is_being_reported_dead(bank: Database) -> None:
    giver, receiver = sisters(bank)
    given = partial(give, actor=giver, to_person_id=receiver.person(), minutes=10)
    assert refused(after_waiting(bank, reported(receiver), given)) == "person_frozen"


def test_no_help_out_of_the_pool_reaches_whoever_is_being_reported_dead(bank: Database) -> None:
    elder, _ = sisters(bank)
    with bank.unit_of_work() as session:
        fill_pool(session, XIWU, 200)
        asked = asked_for(session, elder, 120)
    helped = partial(approve_hardship, actor=district(), hardship_id=asked.id)
    assert refused(after_waiting(bank, reported(elder), helped)) == "person_frozen"
    assert pooled(bank) == 200
