"""Canteens from before there was a network: taken up by the revision; and the canteens of the demo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, create_engine, select, text

from app.demo_canteens import CANTEENS, demo_canteen
from tests.conftest import books_must_balance
from tests.factories.canteens import open_canteen
from tests.factories.people import DAYAN, XIWU, district
from tests.factories.tasks import NINE
from tests.postgres import ThrowawayPostgres
from timebank import migrations
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import Service, hours_of, services_on
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.townships.models import Organisation

OLD = {
    "西坞街道中心食堂": (XIWU, "canteen"),
    "白杜村邻里助餐点": (XIWU, "canteen"),
    "税务场村居家养老服务中心食堂": (XIWU, "canteen"),
    "大堰镇老年食堂": (DAYAN, "canteen"),
    "西坞护理院": (XIWU, "provider"),
}


@pytest.fixture
def before(postgres: ThrowawayPostgres) -> Iterator[Engine]:
    """A bank of the revision before the network, with organisations of then."""
    engine = create_engine(postgres.create("canteens_before"))
    migrations.upgrade(url_of(engine), "0013_meal_money")
    with engine.begin() as connection:
        for name, (township_code, kind) in OLD.items():
            connection.execute(
                text("INSERT INTO organisation (id, kind, name, township_code) VALUES (:id, :kind, :name, :code)"),
                {"id": new_id(), "kind": kind, "name": name, "code": township_code},
            )
    yield engine
    engine.dispose()
    postgres.drop("canteens_before")


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_canteens_of_before_stay_open_with_a_number_and_a_type_read_off_their_name(before: Engine) -> None:
    clock.freeze(NINE)
    migrations.upgrade(url_of(before))
    bank = Database(url_of(before))
    try:
        with bank.session() as session:
            rows = session.execute(
                select(Organisation.name, Canteen.canteen_type, Canteen.state, Canteen.number)
                .join(Canteen, Canteen.id == Organisation.id)
                .order_by(Canteen.number)
            ).all()
            assert [row.number for row in rows] == [f"{XIWU}-001", f"{XIWU}-002", f"{XIWU}-003", f"{DAYAN}-001"]
            assert {row.name: (row.canteen_type, row.state) for row in rows} == {
                "西坞街道中心食堂": ("central", "open"),
                "白杜村邻里助餐点": ("neighbour", "open"),
                "税务场村居家养老服务中心食堂": ("home_care_centre", "open"),
                "大堰镇老年食堂": ("village", "open"),
            }
            assert set(session.scalars(select(Organisation.not_serving_since))) == {None}
        with bank.unit_of_work() as session:
            # Numbers go on where those of before ended.
            assert open_canteen(session).number == f"{XIWU}-004"
            known = session.scalars(select(Canteen.id).join(Organisation, Organisation.id == Canteen.id)).all()
            assert demo_canteen(session, district(), CANTEENS["canteen-dayan"]) in known
        books_must_balance(bank)
    finally:
        bank.close()


def test_the_revision_goes_back_and_comes_again(before: Engine) -> None:
    for _ in range(2):
        migrations.upgrade(url_of(before), "0014_network")
        with before.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM canteen")) == 4
        migrations.downgrade(url_of(before), "0013_meal_money")


@pytest.mark.parametrize("username", CANTEENS)
def test_the_demos_canteens_serve_lunch_and_supper_and_are_there_once(bank: Database, username: str) -> None:
    clock.freeze(NINE)
    demo = CANTEENS[username]
    with bank.unit_of_work() as session:
        first = demo_canteen(session, district(), demo)
    with bank.unit_of_work() as session:
        assert demo_canteen(session, district(), demo) == first
        canteen = session.get_one(Canteen, first)
        assert (canteen.state, canteen.carrier, canteen.number) == ("open", "volunteers", f"{demo.township_code}-001")
        day = clock.today() + timedelta(days=1)
        found = services_on(session, [(first, day, meal) for meal in ("breakfast", "lunch", "supper")])
        assert [isinstance(one, Service) for one in found.values()] == [False, True, True]


def test_a_canteen_of_an_older_demo_gets_hours_and_a_place_but_keeps_what_people_set(before: Engine) -> None:
    clock.freeze(NINE)
    migrations.upgrade(url_of(before))
    bank = Database(url_of(before))
    demo = CANTEENS["canteen-dayan"]
    try:
        for address in (demo.address, "别处"):
            with bank.unit_of_work() as session:
                canteen = session.get_one(Canteen, demo_canteen(session, district(), demo))
                assert (len(hours_of(session, canteen.id)), canteen.longitude) == (14, demo.longitude)
                assert canteen.address == address
                canteen.address = "别处"
        with bank.session() as session:
            assert session.scalars(select(Canteen.address).where(Canteen.longitude.is_not(None))).all() == ["别处"]
    finally:
        bank.close()
