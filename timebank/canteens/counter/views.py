"""What a counter sees: today's counts, and who is waiting for what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.canteens.counter.rules import meal_nearest, not_your_counter
from timebank.canteens.diners.queries import diners_by_ids
from timebank.canteens.network.queries import Service, organisation_of, services_on
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.orders.views import OrderView, see_orders
from timebank.canteens.pricing.rules import Meal
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.people.rules import masked_name
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class Count:
    """So many orders, and portions, of one meal that are had and prepared alike and stand alike."""

    meal: str
    way: str
    diet_form: str
    state: str
    orders: int
    portions: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who has not collected a meal yet: dishes, how they are prepared, and what to be careful about."""

    view: OrderView
    masked_name: str | None
    allergies: Sequence[str]
    religious_diet: str | None


def counter_for(session: Session, actor: Actor, canteen_id: UUID | None) -> Organisation:
    """The canteen whose counter the actor may look at: its clerks, stewards of its township, auditors.

    Raises NotAllowed ``counter_not_yours``; NotFound ``canteen_unknown``.
    """
    wanted = canteen_id or actor.organisation_id
    is_clerk = actor.staff_role is StaffRole.CANTEEN_CLERK
    may_look = is_clerk or actor.is_steward or actor.staff_role is StaffRole.AUDITOR
    if wanted is None or not may_look or (is_clerk and wanted != actor.organisation_id):
        raise not_your_counter()
    place = organisation_of(session, wanted)
    if actor.is_steward and not actor.stewards(place.township_code):
        raise not_your_counter()
    return place


def counts_of(
    session: Session,
    *,
    actor: Actor,
    canteen_id: UUID | None = None,
    on_day: date | None = None,
    meal: str | None = None,
) -> tuple[Organisation, date, list[Count]]:
    """A canteen's orders of a day (today), counted by meal, way, form of diet and state; cancelled ones too.

    Raises what ``counter_for`` raises.
    """
    place, day = counter_for(session, actor, canteen_id), on_day or clock.today()
    alike = (MealOrder.meal, MealOrder.way, MealOrder.diet_form, MealOrder.state)
    query = select(*alike, func.count(), func.sum(MealOrder.portions))
    query = query.where(MealOrder.canteen_id == place.id, MealOrder.served_on == day)
    if meal is not None:
        query = query.where(MealOrder.meal == meal)
    rows = session.execute(query.group_by(*alike).order_by(*alike))
    return place, day, [Count(m, way, form, state, n, int(portions)) for m, way, form, state, n, portions in rows]


def meal_now(session: Session, place: Organisation) -> str:
    """The meal that a canteen serves now, or else the nearest that it serves today.

    Where it serves none today, the nearest of its township's meal times.
    """
    today = clock.today()
    wanted = [(place.id, today, str(meal)) for meal in Meal]
    served = services_on(session, wanted)
    periods = {
        meal: (service.opens_at, service.closes_at)
        for (_, _, meal), service in served.items()
        if isinstance(service, Service)
    }
    if not periods:
        usual = in_force(session, at=clock.now()).value("meal_periods", place.township_code)
        periods = {meal: (_on(today, begins), _on(today, ends)) for meal, (begins, ends) in usual.items()}
    return meal_nearest(periods, clock.now())


def _on(day: date, hour: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(hour), clock.LOCAL)


def queue_of(
    session: Session,
    *,
    actor: Actor,
    meal: str,
    canteen_id: UUID | None = None,
    limit: int,
    after_number: int = 0,
) -> list[Waiting]:
    """Who has ordered this meal of today and has not been handed it, by pickup number; deliveries too.

    Raises what ``counter_for`` raises.
    """
    place = counter_for(session, actor, canteen_id)
    query = select(MealOrder).where(
        MealOrder.canteen_id == place.id,
        MealOrder.served_on == clock.today(),
        MealOrder.meal == meal,
        MealOrder.state == OrderState.PLACED,
        MealOrder.pickup_number > after_number,
    )
    orders = session.scalars(query.order_by(MealOrder.pickup_number).limit(limit)).all()
    diners = diners_by_ids(session, {order.diner_id for order in orders if order.diner_id is not None})
    waiting = []
    for view in see_orders(session, orders):
        diner = diners.get(view.order.diner_id) if view.order.diner_id is not None else None
        waiting.append(
            Waiting(
                view=view,
                masked_name=masked_name(view.diner_name) if view.diner_name is not None else None,
                allergies=diner.allergies if diner is not None else [],
                religious_diet=diner.religious_diet if diner is not None else None,
            )
        )
    return waiting
