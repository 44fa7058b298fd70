"""Finding and locking rounds and their stops; who carries them; the codes that diners say at the door."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, any_, cast, exists, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session, aliased

from timebank.canteens.delivery.models import DeliveryPlan, DeliveryRound, DeliveryStop
from timebank.canteens.delivery.rules import (
    RoundCarrier,
    RoundState,
    StopOutcome,
    handover_code,
    round_unknown,
    stop_unknown,
)
from timebank.canteens.network.queries import ServiceKey
from timebank.canteens.orders.actions.cancel_orders import lock_for_ending
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.crypto import keyring
from timebank.core.db import UuidColumn
from timebank.tasks.models import Assignment, Task
from timebank.tasks.rules import GONE


def handover_codes(session: Session, order_ids: Collection[UUID]) -> dict[UUID, str]:
    """The code of each of these orders that is still to be delivered, for the diner and the proxies to see.

    Computed from the bank's secret, so that it stands from the moment of ordering and lies nowhere.
    """
    waiting = select(MealOrder.id).where(
        MealOrder.id.in_(order_ids), MealOrder.way == Way.DELIVER, MealOrder.state == OrderState.PLACED
    )
    return {order_id: code_of(order_id) for order_id in session.scalars(waiting)}


def code_to_say(session: Session, *, actor: Actor, order_id: UUID) -> str | None:
    """The code as the diner and the proxies see it; None for staff, who must hear it from them."""
    return None if actor.staff_role is not None else handover_codes(session, [order_id]).get(order_id)


def code_of(order_id: UUID) -> str:
    """The handover code of one order."""
    return handover_code(keyring().blind_index(f"handover {order_id}"))


def lock_plan(session: Session, service: ServiceKey, *, actor: Actor) -> DeliveryPlan:
    """The row of one meal's rounds, locked, made where it is missing."""
    canteen_id, served_on, meal = service
    row = {"canteen_id": canteen_id, "served_on": served_on, "meal": meal, "times": 0, "rounds": 0}
    by = {"planned_at": clock.now(), "planned_by": actor.login_id, "planned_by_name": actor.name}
    session.execute(insert(DeliveryPlan).values(**row, **by).on_conflict_do_nothing())
    return session.get_one(DeliveryPlan, service, with_for_update={"key_share": True}, populate_existing=True)


def lock_round(session: Session, round_id: UUID) -> DeliveryRound:
    """One round, nobody else changing it until the unit of work ends. Raises NotFound ``round_unknown``."""
    lock = {"key_share": True}
    found = session.get(DeliveryRound, round_id, with_for_update=lock, populate_existing=True)
    if found is None:
        raise round_unknown(round_id)
    return found


def lock_planned(session: Session, service: ServiceKey) -> Sequence[DeliveryRound]:
    """The rounds of one meal that have not left, locked in the order of their ids."""
    return _lock_rounds(session, service, DeliveryRound.state == RoundState.PLANNED)


def lock_under_way(session: Session, service: ServiceKey) -> Sequence[DeliveryRound]:
    """The rounds of one meal that have not ended, locked in the order of their ids."""
    return _lock_rounds(session, service, DeliveryRound.ended_at.is_(None))


def _lock_rounds(session: Session, service: ServiceKey, which: ColumnElement[bool]) -> Sequence[DeliveryRound]:
    canteen_id, served_on, meal = service
    query = select(DeliveryRound).where(
        DeliveryRound.canteen_id == canteen_id,
        DeliveryRound.served_on == served_on,
        DeliveryRound.meal == meal,
        which,
    )
    locked = query.order_by(DeliveryRound.id).with_for_update(key_share=True)
    return session.scalars(locked.execution_options(populate_existing=True)).all()


def stop_carrying(session: Session, order_id: UUID) -> tuple[DeliveryRound, DeliveryStop]:
    """The stop of an order and, before it, its round, both locked. Raises NotFound ``stop_unknown``."""
    live = DeliveryStop.order_id == order_id, DeliveryStop.outcome.is_distinct_from(StopOutcome.REPLACED)
    round_id = session.scalar(select(DeliveryStop.round_id).where(*live))
    if round_id is None:
        raise stop_unknown(order_id)
    round_ = lock_round(session, round_id)
    query = select(DeliveryStop).where(*live, DeliveryStop.round_id == round_id).with_for_update(key_share=True)
    stop = session.scalar(query.execution_options(populate_existing=True))
    if stop is None:
        # Planned anew while the round was waited for.
        raise stop_unknown(order_id)
    return round_, stop


def stops_of(session: Session, round_id: UUID) -> Sequence[DeliveryStop]:
    """The stops of a round in their order."""
    query = select(DeliveryStop).where(DeliveryStop.round_id == round_id)
    return session.scalars(query.order_by(DeliveryStop.position)).all()


def volunteers_of(session: Session, rounds: Collection[DeliveryRound]) -> dict[UUID, Assignment]:
    """By round, the part of the volunteer who has taken its task, in one statement; rounds of couriers have none."""
    tasks = {r.task_id: r.id for r in rounds if r.task_id is not None and r.carrier == RoundCarrier.VOLUNTEERS}
    query = select(Assignment).where(Assignment.task_id.in_(list(tasks)), Assignment.status.not_in(GONE))
    return {tasks[part.task_id]: part for part in session.scalars(query.execution_options(populate_existing=True))}


def is_taken(round_: DeliveryRound, part: Assignment | None) -> bool:
    """Whether somebody carries a round: a volunteer who has accepted its task, or a courier with a name."""
    return part is not None or round_.courier_name is not None


def brought_by_courier(session: Session, order_ids: Collection[UUID]) -> set[UUID]:
    """Those of these orders that a courier handed over at the door, whoever was to carry them at first."""
    query = select(DeliveryStop.order_id).join(DeliveryRound, DeliveryRound.id == DeliveryStop.round_id)
    query = query.where(
        DeliveryStop.order_id == any_(cast(list(order_ids), ARRAY(UuidColumn))),
        DeliveryStop.outcome == StopOutcome.DELIVERED,
        DeliveryRound.carrier == RoundCarrier.COURIER,
    )
    return set(session.scalars(query))


def tasks_of(session: Session, rounds: Collection[DeliveryRound]) -> dict[UUID, Task]:
    """The tasks of these rounds, by round."""
    ids = {r.task_id: r.id for r in rounds if r.task_id is not None}
    return {ids[task.id]: task for task in session.scalars(select(Task).where(Task.id.in_(list(ids))))}


def orders_without_a_round(session: Session, service: ServiceKey) -> Sequence[MealOrder]:
    """Orders of one meal to be delivered that no round carries, in the order of their ids."""
    query = select(MealOrder).where(*_without_a_round(service)).order_by(MealOrder.id)
    return session.scalars(query).all()


def lock_orders_without_a_round(session: Session, service: ServiceKey) -> Sequence[MealOrder]:
    """The same, locked after their diners: a change made just before the cut-off is waited for, and seen."""
    found = lock_for_ending(session, session.scalars(select(MealOrder.id).where(*_without_a_round(service))).all())
    return [order for order in found.values() if order.state == OrderState.PLACED and order.way == Way.DELIVER]


def _without_a_round(service: ServiceKey) -> tuple[ColumnElement[bool], ...]:
    canteen_id, served_on, meal = service
    of_the_meal = MealOrder.canteen_id == canteen_id, MealOrder.served_on == served_on, MealOrder.meal == meal
    return (*of_the_meal, *_waiting())


def services_to_plan(session: Session, *, today: date, limit: int) -> list[ServiceKey]:
    """Meals of today and later past their cut-off with orders to be delivered that no round carries."""
    later = aliased(MealOrder)
    may_still_change = exists().where(
        later.canteen_id == MealOrder.canteen_id,
        later.served_on == MealOrder.served_on,
        later.meal == MealOrder.meal,
        later.state == OrderState.PLACED,
        later.way == Way.DELIVER,
        later.cut_off_at > clock.now(),
    )
    query = (
        select(MealOrder.canteen_id, MealOrder.served_on, MealOrder.meal)
        .where(MealOrder.cut_off_at <= clock.now(), *_waiting(), MealOrder.served_on >= today, ~may_still_change)
        .group_by(MealOrder.canteen_id, MealOrder.served_on, MealOrder.meal)
        .order_by(MealOrder.served_on, MealOrder.meal, MealOrder.canteen_id)
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query.limit(limit))]


def _waiting() -> tuple[ColumnElement[bool], ...]:
    """Placed, to be delivered, and on no round."""
    carried = exists().where(
        DeliveryStop.order_id == MealOrder.id, DeliveryStop.outcome.is_distinct_from(StopOutcome.REPLACED)
    )
    return MealOrder.state == OrderState.PLACED, MealOrder.way == Way.DELIVER, ~carried
