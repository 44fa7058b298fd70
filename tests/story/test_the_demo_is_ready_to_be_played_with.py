"""The demo as ``make run`` puts it in: everything stands for a first meal, and nothing comes twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from app.adapters.wechat import WeChat
from app.demo import seed_demo
from app.demo_meals import DINERS, DONATION_FEN, GIVEN_TO, PRODUCE_FEN
from clients.fake_wechat.server import FakeWeChat
from tests.api.whole_database import fingerprint
from tests.factories.purses import balance
from timebank.canteens.diners.models import Diner
from timebank.canteens.purses.queries import purses_of
from timebank.core.db import Database
from timebank.people.login_models import Login
from timebank.people.models import Person


@pytest.fixture
def wechat() -> Iterator[WeChat]:
    with FakeWeChat(appid="wx-test", secret="the-apps-own-secret") as running:
        yield WeChat(running.url, "wx-test", "the-apps-own-secret")


def _seed(bank: Database, wechat: WeChat) -> None:
    with bank.unit_of_work() as session:
        seed_demo(session, wechat)


def test_seeding_the_demo_twice_changes_nothing(bank: Database, wechat: WeChat) -> None:
    _seed(bank, wechat)
    once = fingerprint(bank)
    assert once["diner"][0] == len(DINERS)
    _seed(bank, wechat)
    assert fingerprint(bank) == once


def test_the_demo_has_diners_with_doors_a_filled_purse_and_gifts(bank: Database, wechat: WeChat) -> None:
    _seed(bank, wechat)
    with bank.session() as session:
        found = {
            person.name: (diner, purses_of(session, [person.id])[person.id].available_fen)
            for diner, person in session.execute(select(Diner, Person).join(Person, Person.id == Diner.person_id))
        }
        assert {name: purse_fen for name, (_, purse_fen) in found.items()} == {"周奶奶": 10_000, "吴爷爷": 0}
        for name, demo in DINERS.items():
            diner = found[name][0]
            clerk = session.scalars(select(Login).where(Login.username == demo.clerk)).one()
            assert (diner.state, diner.usual_canteen_id) == ("approved", clerk.organisation_id)
            assert (diner.delivery_address, diner.latitude) == (demo.address, demo.latitude)
        given_to = session.scalars(select(Login.organisation_id).where(Login.username == GIVEN_TO)).one()
        assert balance(session, "donated", given_to) == DONATION_FEN
        assert balance(session, "produce", given_to) == PRODUCE_FEN


def test_what_somebody_changed_in_the_demo_stays_as_it_is(bank: Database, wechat: WeChat) -> None:
    _seed(bank, wechat)
    with bank.unit_of_work() as session:
        for diner in session.scalars(select(Diner)):
            diner.delivery_address = "搬到女儿家了"
    changed = fingerprint(bank)
    _seed(bank, wechat)
    assert fingerprint(bank) == changed
