"""Claims of meals that volunteers were to bring and a courier brought: owed in money, at the price promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import select

from tests.factories.delivery import Street, a_street, a_volunteer, leave
from tests.factories.people import XIWU, steward
from tests.factories.subsidies import paid
from timebank.canteens.delivery.actions import deliver, give_to_courier, start_round
from timebank.canteens.delivery.queries.rounds import code_of
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.subsidies.actions import compute_claim
from timebank.canteens.subsidies.models import SubsidyClaim, SubsidyClaimLine
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database

CARRIED = ("volunteer_delivery", "志愿者送餐", 300, True)
BROUGHT = ("courier_delivery", "志愿者送餐改由配送员送达", 300, False)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    clock.freeze(None)


def brought(bank: Database, street: Street, by: Actor) -> MealOrder:
    """The street's only meal handed over at the door."""
    with bank.unit_of_work() as session:
        order_id = street.orders[0].id
        deliver(session, actor=by, order_id=order_id, handover_code=code_of(order_id))
    with bank.session() as session:
        return session.get_one(MealOrder, order_id)


def claimed(bank: Database, street: Street, order: MealOrder) -> tuple[SubsidyClaim, list[tuple[str, str, int, bool]]]:
    """The claim of the meal's month, paid, with its lines of the volunteers' share."""
    day = order.served_on
    clock.freeze(datetime(day.year + day.month // 12, day.month % 12 + 1, 3, 9, tzinfo=clock.LOCAL))
    with bank.unit_of_work() as session:
        wanted = {"canteen_id": street.kitchen.canteen.id, "month": f"{day:%Y-%m}"}
        claim = compute_claim(session, actor=steward(XIWU), **wanted)  # type: ignore[arg-type]
    settled = paid(bank, claim)
    query = select(SubsidyClaimLine).where(SubsidyClaimLine.claim_id == claim.id)
    with bank.session() as session:
        lines = session.scalars(query.where(SubsidyClaimLine.share == "volunteers")).all()
    return settled, [(line.rule_key, line.label, line.fen, line.in_kind) for line in lines]


def test_what_a_courier_brought_in_place_of_volunteers_is_owed_in_money_and_the_elders_price_stands(
    bank: Database,
) -> None:
    street = a_street(bank, 200)
    [round_] = street.plan(bank)
    promised, clerk = street.orders[0], street.kitchen.clerk
    with bank.unit_of_work() as session:
        give_to_courier(session, actor=clerk, round_id=round_.id, name="应师傅", phone="13811112222")
        start_round(session, actor=clerk, round_id=round_.id)
    order = brought(bank, street, clerk)
    assert (order.elder_fen, order.volunteers_fen) == (promised.elder_fen, 300)
    claim, lines = claimed(bank, street, order)
    assert lines == [BROUGHT]
    assert (claim.volunteers_fen, claim.volunteers_in_kind_fen) == (300, 0)
    assert claim.paid_fen == claim.list_fen - claim.garden_fen


def test_what_a_volunteer_carried_was_had_in_kind(bank: Database) -> None:
    street, volunteer = a_street(bank, 200), a_volunteer(bank)
    [round_] = street.plan(bank)
    leave(bank, round_, volunteer)
    claim, lines = claimed(bank, street, brought(bank, street, volunteer))
    assert lines == [CARRIED]
    assert claim.volunteers_in_kind_fen == 300
    assert claim.paid_fen == claim.list_fen - claim.garden_fen - 300
