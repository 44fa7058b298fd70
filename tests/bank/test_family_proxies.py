"""Proxies: asked and agreed to on the phone, within what was consented to, and never without both names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.family import asked
from tests.factories.minutes import save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, staff, steward
from tests.factories.tasks import NINE, accept, as_it_stands, check_in, check_out, only_part, serve
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.giving.actions import give
from timebank.notifications.models import Notice
from timebank.people.actions import (
    Asked,
    accept_proxy,
    decline_proposal,
    end_proxy,
    propose_proxy,
    register_proxy,
    withdraw_proposal,
)
from timebank.people.family_queries import proposals_seen_by, proxies_seen_by
from timebank.people.family_rules import ProposalKind
from timebank.people.models import Proxy
from timebank.people.queries import acts_for
from timebank.people.rules import ProxyScope, masked_name
from timebank.redemption.actions import buy_vouchers
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation, Request
from timebank.tasks.models import Task

Pair = tuple[Actor, Actor]


@pytest.fixture
def pair(bank: Database) -> Pair:
    """An elder of 西坞 with minutes, and a daughter in 尚田."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU, name="周桂芬")
        save_minutes(session, elder, 300)
        return elder, add_person(session, SHANGTIAN, age=45, name="周小敏")


def let_act(session: Session, pair: Pair, *scopes: ProxyScope) -> Proxy:
    """The elder asks on the phone, the daughter agrees."""
    elder, daughter = pair
    wanted = asked(session, daughter)
    proposal = propose_proxy(session, actor=elder, asked=wanted, relation="女儿", scopes=scopes)
    return accept_proxy(session, actor=daughter, proposal_id=proposal.id)


def test_an_elder_asks_on_the_phone_and_the_proxy_agrees(bank: Database, pair: Pair) -> None:
    elder, daughter = pair
    with bank.unit_of_work() as session:
        wanted = [ProxyScope.MEALS, ProxyScope.GIFTS, ProxyScope.MEALS]
        made = propose_proxy(session, actor=elder, asked=asked(session, daughter), relation="女儿", scopes=wanted)
        assert not acts_for(session, daughter, elder.person(), None)
        [seen] = proposals_seen_by(session, daughter.person(), kind=ProposalKind.PROXY, limit=10)
        assert (seen.name, seen.relation, seen.scopes) == ("周桂芬", "女儿", ["gifts", "meals"])
        assert proposals_seen_by(session, daughter.person(), kind=ProposalKind.RELATION, limit=10) == []
        kept = accept_proxy(session, actor=daughter, proposal_id=made.id)
        assert kept.consent_evidence == "手机确认：周桂芬2026-03-10委托，周小敏2026-03-10接受"
        assert acts_for(session, daughter, elder.person(), ProxyScope.GIFTS)
        [mine] = proxies_seen_by(session, elder.person())
        [hers] = proxies_seen_by(session, daughter.person())
    assert (mine.acts_for_me, mine.name, mine.person_id) == (True, "周小敏", daughter.person_id)
    assert (hers.acts_for_me, hers.name, hers.scopes) == (False, "周桂芬", ["gifts", "meals"])


def test_a_new_consent_takes_the_place_of_the_old_one(bank: Database, pair: Pair) -> None:
    elder, daughter = pair
    with bank.unit_of_work() as session:
        first = let_act(session, pair, ProxyScope.MEALS)
        second = let_act(session, pair, ProxyScope.HELP)
        assert first.ended_at is not None
        assert [one.registration_id for one in proxies_seen_by(session, elder.person())] == [second.id]
        paper = {"elder_id": elder.person(), "proxy_id": daughter.person(), "relation": "女儿"}
        with pytest.raises(BankError, match="proxy_already_registered:"):
            register_proxy(
                session,
                actor=steward(XIWU),
                consent_evidence="纸",
                scopes=[ProxyScope.HELP],
                **paper,  # type: ignore[arg-type]
            )
        with pytest.raises(BankError, match="proxy_already_registered:"):
            let_act(session, pair, ProxyScope.HELP)
        third = register_proxy(session, actor=steward(XIWU), consent_evidence="纸", **paper)  # type: ignore[arg-type]
        assert (third.scopes, second.ended_at) == (["aids", "care", "help", "meals"], clock.now())
        assert len(session.scalars(select(Proxy.id)).all()) == 3


def test_the_elder_the_proxy_or_a_steward_ends_it(bank: Database, pair: Pair) -> None:
    elder, daughter = pair
    with bank.unit_of_work() as session:
        for ender in (elder, daughter, steward(XIWU)):
            kept = let_act(session, pair, ProxyScope.MEALS)
            for other in (add_person(session, XIWU), staff(StaffRole.AUDITOR)):
                with pytest.raises(BankError, match="proxy_unknown:"):
                    end_proxy(session, actor=other, registration_id=kept.id)
            with pytest.raises(BankError, match="other_township:"):
                end_proxy(session, actor=steward(DAYAN), registration_id=kept.id)
            assert end_proxy(session, actor=ender, registration_id=kept.id).ended_by == ender.login_id
            assert not acts_for(session, daughter, elder.person(), ProxyScope.MEALS)


def test_askings_that_do_not_hold(bank: Database, pair: Pair) -> None:
    elder, daughter = pair
    with bank.unit_of_work() as session:
        own, hers = asked(session, elder), asked(session, daughter)
        wrong: list[tuple[Asked, list[ProxyScope], str]] = [
            (own, [ProxyScope.MEALS], "proxy_is_oneself"),
            (hers, [], "scopes_missing"),
            (Asked("周小敏"), [ProxyScope.MEALS], "asked_unnamed"),
        ]
        for one, scopes, code in wrong:
            with pytest.raises(BankError, match=f"{code}:"):
                propose_proxy(session, actor=elder, asked=one, relation="女儿", scopes=scopes)
        made = propose_proxy(session, actor=elder, asked=hers, relation="女儿", scopes=[ProxyScope.MEALS])
        decline_proposal(session, actor=daughter, proposal_id=made.id, kind=ProposalKind.PROXY)
        withdraw_proposal(session, actor=elder, proposal_id=made.id, kind=ProposalKind.PROXY)
        with pytest.raises(BankError, match="proposal_ended:"):
            accept_proxy(session, actor=daughter, proposal_id=made.id)


def ask(session: Session, actor: Actor, elder: Actor) -> Task:
    wanted = Request("companionship", clock.now() + timedelta(hours=1), 60, elder_id=elder.person())
    return tasks.request(session, actor=actor, wanted=wanted)


DEEDS: dict[ProxyScope, Callable[[Session, Actor, Actor], object]] = {
    ProxyScope.MEALS: lambda s, proxy, elder: buy_vouchers(s, actor=proxy, quantity=1, for_person_id=elder.person()),
    ProxyScope.HELP: ask,
    ProxyScope.GIFTS: lambda s, proxy, elder: give(
        s, actor=proxy, to_person_id=proxy.person(), minutes=1, for_person_id=elder.person()
    ),
}


@pytest.mark.parametrize("scope", DEEDS)
def test_a_proxy_who_was_allowed_other_things_is_told_what_is_missing(
    bank: Database, pair: Pair, scope: ProxyScope
) -> None:
    elder, daughter = pair
    with bank.unit_of_work() as session:
        with pytest.raises(BankError, match="not_your_elder:"):
            DEEDS[scope](session, daughter, elder)
        let_act(session, pair, *(other for other in ProxyScope if other != scope))
        with pytest.raises(BankError, match="proxy_scope_missing:") as refusal:
            DEEDS[scope](session, daughter, elder)
        assert refusal.value.facts == {"scope": str(scope)}


def test_whatever_a_proxy_does_with_a_task_shows_both_names(bank: Database, pair: Pair) -> None:
    both = "周小敏（代周桂芬）"
    with bank.unit_of_work() as session:
        let_act(session, pair, ProxyScope.HELP)
        volunteer = add_person(session, DAYAN)
        confirmed, disputed = (ask(session, pair[1], pair[0]) for _ in range(2))
        assert (confirmed.requested_by_name, masked_name(confirmed.requested_by_name)) == (both, "周**（代周**）")
    serve(bank, volunteer, confirmed)
    with bank.unit_of_work() as session:
        tasks.confirm(session, confirmation=Confirmation(confirmed.id, pair[1], rating=5))
    assert only_part(as_it_stands(bank, confirmed)).confirmed_by_name == both
    clock.freeze(disputed.starts_at)
    with bank.unit_of_work() as session:
        helper = add_person(session, XIWU)
    accept(bank, helper, disputed)
    check_in(bank, helper, disputed)
    check_out(bank, helper, disputed, after=timedelta(minutes=30))
    with bank.unit_of_work() as session:
        tasks.dispute(session, actor=pair[1], task_id=disputed.id, reason="只来了半小时")
    assert only_part(as_it_stands(bank, disputed)).disputed_by_name == both


def test_who_called_a_task_off_is_told_with_both_names(bank: Database, pair: Pair) -> None:
    with bank.unit_of_work() as session:
        let_act(session, pair, ProxyScope.HELP)
        volunteer, task = add_person(session, DAYAN), ask(session, pair[0], pair[0])
        assert task.requested_by_name == "周桂芬"
    accept(bank, volunteer, task)
    with bank.unit_of_work() as session:
        tasks.cancel(session, actor=pair[1], task_id=task.id, words="住院")
        told = session.scalars(select(Notice.body).where(Notice.person_id == volunteer.person_id)).all()
    assert told == ["周小敏（代周桂芬）取消了这项任务：住院"]
