"""Deliveries for tests: diners around a canteen, lunches ordered to their doors, rounds planned and carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.orders import LOVE, MORNING, Kitchen, a_diner, a_kitchen, at_hour, placed
from tests.factories.people import XIWU, add_person
from timebank.canteens.delivery.actions import plan_rounds, start_round
from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.queries.rounds import stops_of
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.tasks import actions as tasks
from timebank.tasks.models import Task

CANTEEN = (29.69, 121.47)
METRE = 1 / 111_195
"""Degrees of latitude."""

PHONE = "13812345678"
"""The phone of everybody whom the factories enrol."""


@dataclass
class Street:
    """A kitchen and the diners who have ordered lunch to their doors, with their orders."""

    kitchen: Kitchen
    diners: list[Actor] = field(default_factory=list)
    orders: list[MealOrder] = field(default_factory=list)

    def plan(self, bank: Database, actor: Actor | None = None) -> list[DeliveryRound]:
        """Plan the rounds of lunch, by the kitchen's clerk if nobody else is named."""
        with bank.unit_of_work() as session:
            return plan_rounds(
                session,
                actor=actor or self.kitchen.clerk,
                canteen_id=self.kitchen.canteen.id,
                served_on=self.kitchen.day,
                meal=Meal.LUNCH,
            )


def lives(session: Session, north_m: float | None, **how: object) -> Actor:
    """A diner so many metres north of the canteen; None where nobody has put the address on the map."""
    there = {} if north_m is None else {"latitude": CANTEEN[0] + north_m * METRE, "longitude": CANTEEN[1]}
    address = "河头路1号" if north_m is None else f"老街{north_m:.0f}号"
    return a_diner(session, delivery_address=address, delivery_note="二楼", **there, **how)


def a_street(
    bank: Database, *doors_m: float | None, carrier: str = Carrier.VOLUNTEERS, township_code: str = XIWU
) -> Street:
    """Diners so many metres up the street, each with a love meal to be delivered, after the cut-off of that lunch."""
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        street = Street(a_kitchen(session, carrier=carrier, place=CANTEEN, township_code=township_code))
        for north_m in doors_m:
            diner = lives(session, north_m, township_code=township_code)
            street.diners.append(diner)
            street.orders.append(placed(session, street.kitchen, diner, LOVE, way=Way.DELIVER))
    clock.freeze(at_hour(9) + timedelta(minutes=1))
    return street


def a_volunteer(bank: Database, name: str = "王梅") -> Actor:
    """A volunteer of 西坞."""
    with bank.unit_of_work() as session:
        return add_person(session, XIWU, age=66, name=name)


def accept_round(bank: Database, round_: DeliveryRound, volunteer: Actor) -> None:
    """Take the round's task."""
    assert round_.task_id is not None
    with bank.unit_of_work() as session:
        tasks.accept(session, actor=volunteer, task_id=round_.task_id)


def leave(bank: Database, round_: DeliveryRound, volunteer: Actor) -> None:
    """Take the round, check in when it is time, and go."""
    accept_round(bank, round_, volunteer)
    clock.freeze(round_.departs_at)
    with bank.unit_of_work() as session:
        task = session.get_one(Task, round_.task_id)
        tasks.check_in(session, actor=volunteer, task_id=task.id, service_code=task.service_code or "")
    with bank.unit_of_work() as session:
        start_round(session, actor=volunteer, round_id=round_.id)


def on_the_way(bank: Database, *doors_m: float | None) -> tuple[Street, DeliveryRound, Actor]:
    """A street whose only round has left with a volunteer."""
    street, volunteer = a_street(bank, *doors_m), a_volunteer(bank)
    [round_] = street.plan(bank)
    leave(bank, round_, volunteer)
    return street, round_, volunteer


def orders_on(session: Session, rounds: Sequence[DeliveryRound]) -> list[list[UUID]]:
    """The orders of each round in their order."""
    return [[stop.order_id for stop in stops_of(session, round_.id)] for round_ in rounds]


def stop_for(session: Session, order: MealOrder) -> DeliveryStop:
    """The stop of an order, whatever became of it, the newest first."""
    query = select(DeliveryStop).where(DeliveryStop.order_id == order.id)
    return session.scalars(query.order_by(DeliveryStop.round_id.desc())).first()  # type: ignore[return-value]
