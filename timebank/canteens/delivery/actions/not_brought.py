"""Meals that nobody brought 没有送出: hours after the meal they end at no cost, with whatever carried them.

A round that never leaves, or is left open, would keep the elder's money, limits and voucher for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.counter.long_over import ends_at
from timebank.canteens.delivery.actions.telling import tell_undelivered
from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.queries.rounds import lock_plan, lock_under_way
from timebank.canteens.delivery.rules import RoundState, StopOutcome, UndeliveredReason, after
from timebank.canteens.network.queries import ServiceKey, organisation_of
from timebank.canteens.orders.actions import release_of
from timebank.canteens.orders.actions.cancel_orders import lock_for_ending
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import Way
from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.policies.queries import in_force

_KEY = "delivery_ends_after_minutes"


def deliveries_left_over(session: Session, *, limit: int) -> list[ServiceKey]:
    """Meals that are over for so long that nothing is brought any more, with meals or rounds still under way."""
    policies, today, now = in_force(session, at=clock.now()), clock.today(), clock.now()
    of, by = MealOrder, DeliveryRound
    orders_over = ends_at(of.canteen_id, of.served_on, of.meal, policies=policies, key=_KEY)
    orders = select(of.served_on, of.meal, of.canteen_id).where(
        of.state == OrderState.PLACED, of.way == Way.DELIVER, of.served_on <= today, orders_over <= now
    )
    rounds_over = ends_at(by.canteen_id, by.served_on, by.meal, policies=policies, key=_KEY)
    rounds = select(by.served_on, by.meal, by.canteen_id).where(
        by.ended_at.is_(None), by.served_on <= today, rounds_over <= now
    )
    found = session.execute(orders.union(rounds).order_by("served_on", "meal", "canteen_id").limit(limit))
    return [(canteen_id, served_on, meal) for served_on, meal, canteen_id in found]


def end_deliveries(session: Session, *, service: ServiceKey) -> int:
    """End what one meal's deliveries have left over, for a caller who knows that it is long over; answers how many.

    Everything is given back, for food that was not brought costs nothing; diners and proxies are told. Rounds and
    stops are closed. The volunteer's task ends by itself.
    """
    lock_plan(session, service, actor=SYSTEM)
    rounds = lock_under_way(session, service)
    orders = _lock_waiting(session, service)
    release_of(
        session,
        orders,
        state=OrderState.UNDELIVERED,
        actor=SYSTEM,
        reason=UndeliveredReason.NOT_BROUGHT,
    )
    for round_ in rounds:
        _close(session, round_)
    place = organisation_of(session, service[0])
    for order in orders:
        tell_undelivered(session, order, place, UndeliveredReason.NOT_BROUGHT, 0)
    return len(orders) + len(rounds)


def _lock_waiting(session: Session, service: ServiceKey) -> Sequence[MealOrder]:
    canteen_id, served_on, meal = service
    query = select(MealOrder.id).where(
        MealOrder.canteen_id == canteen_id,
        MealOrder.served_on == served_on,
        MealOrder.meal == meal,
        MealOrder.state == OrderState.PLACED,
        MealOrder.way == Way.DELIVER,
    )
    locked = lock_for_ending(session, session.scalars(query).all()).values()
    return [order for order in locked if order.state == OrderState.PLACED and order.way == Way.DELIVER]


def _close(session: Session, round_: DeliveryRound) -> None:
    """Close the open stops as their orders have ended, and then the round: one that never left lapses."""
    now = clock.now()
    query = select(DeliveryStop, MealOrder.end_reason).join(MealOrder, MealOrder.id == DeliveryStop.order_id)
    still_open = query.where(DeliveryStop.round_id == round_.id, DeliveryStop.outcome.is_(None))
    for stop, end_reason in session.execute(still_open.order_by(DeliveryStop.position)):
        stop.outcome = StopOutcome.ELSEWHERE
        if end_reason == UndeliveredReason.NOT_BROUGHT:
            stop.outcome, stop.reason = StopOutcome.UNDELIVERED, UndeliveredReason.NOT_BROUGHT
        stop.closed_at, stop.closed_by, stop.closed_by_name = now, SYSTEM.login_id, SYSTEM.name
    session.flush()
    round_.state = after("finish" if round_.state == RoundState.DEPARTED else "lapse", round_.state)
    round_.ended_at, round_.ended_by, round_.ended_by_name = now, SYSTEM.login_id, SYSTEM.name
    session.flush()
