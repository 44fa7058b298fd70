"""Vouchers of somebody reported dead: refused at the counter and as gifts, but kept until all is settled."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.leaving import report
from tests.factories.minutes import save_minutes
from tests.factories.offline import add_key, losses_of, offline_scan, send, texts_of
from tests.factories.people import XIWU, add_canteen, add_elder, clerk, district
from tests.factories.tasks import NINE
from tests.factories.vouchers import make_relatives, scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict
from timebank.leaving.actions import decline_death
from timebank.ledger.queries import balance_of
from timebank.people.actions import register_proxy
from timebank.people.models import Person
from timebank.people.rules import ProxyScope
from timebank.redemption.actions import buy_vouchers, find_diners, give_voucher
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def counter(bank: Database) -> Actor:
    add_key(bank)
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, XIWU))


def elder_and_daughter(bank: Database, quantity: int = 1) -> tuple[Actor, Actor, list[Voucher]]:
    """An elder of 西坞 with vouchers, and a relative there who may give for the elder."""
    with bank.unit_of_work() as session:
        elder, daughter = add_elder(session, XIWU), add_elder(session, XIWU, name="周小敏")
        make_relatives(session, elder, daughter)
        save_minutes(session, elder, 60 * quantity)
        register_proxy(
            session,
            actor=district(),
            elder_id=elder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书",
            scopes=[ProxyScope.GIFTS],
        )
        return elder, daughter, buy_vouchers(session, actor=elder, quantity=quantity)


def status_of(bank: Database, voucher: Voucher) -> str:
    with bank.session() as session:
        return session.get_one(Voucher, voucher.id).status


def test_from_the_report_of_a_death_on_no_voucher_is_given_away_or_to_the_dead(bank: Database) -> None:
    elder, daughter, [voucher] = elder_and_daughter(bank)
    with bank.unit_of_work() as session:
        save_minutes(session, daughter, 60)
        [hers] = buy_vouchers(session, actor=daughter, quantity=1)
    report(bank, elder)
    for given, to in ((voucher, daughter), (hers, elder)):
        with pytest.raises(Conflict, match="person_frozen:"), bank.unit_of_work() as session:
            give_voucher(session, actor=daughter, voucher_id=given.id, to_person_id=to.person())
        assert status_of(bank, given) == "issued"


def test_at_the_counter_a_frozen_voucher_is_refused_and_stays_as_it_is(bank: Database, counter: Actor) -> None:
    elder, _, [voucher] = elder_and_daughter(bank)
    death = report(bank, elder)
    told = scan(bank, counter, voucher.code)
    assert (told.verdict.accepted, told.verdict.reason) == (False, "holder_frozen")
    assert told.sentence == "持券人的时长已冻结，请联系镇街"
    assert status_of(bank, voucher) == "issued"
    with bank.unit_of_work() as session:
        decline_death(session, actor=district(), report_id=death.id, reason="弄错了人")
    assert scan(bank, counter, voucher.code).verdict.accepted


def test_what_a_counter_scanned_without_a_line_is_paid_as_it_could_not_know(bank: Database, counter: Actor) -> None:
    elder, _, vouchers = elder_and_daughter(bank, 3)
    texts = texts_of(bank, vouchers)
    clock.freeze(NINE + timedelta(hours=3))
    report(bank, elder)
    clock.freeze(NINE + timedelta(hours=9))
    before, since = (offline_scan(text, NINE + timedelta(hours=n)) for text, n in zip(texts, (2, 4), strict=False))
    told = send(bank, counter, before, since, Scan(texts[2], "online"))
    assert [one.verdict.reason for one in told] == ["ok", "ok", "holder_frozen"]
    assert losses_of(bank) == []
    with bank.session() as session:
        assert balance_of(session, elder.person()).voucher_minutes == 60


def test_whoever_is_reported_dead_is_not_found_at_the_counter(bank: Database, counter: Actor) -> None:
    elder, _, _ = elder_and_daughter(bank)
    with bank.session() as session:
        four = session.get_one(Person, elder.person()).id_number[-4:]

    def found() -> list[str]:
        with bank.unit_of_work() as session:
            return [d.name for d in find_diners(session, actor=counter, name=elder.name, id_last_four=four)]

    assert found() == [elder.name]
    report(bank, elder)
    assert found() == []
