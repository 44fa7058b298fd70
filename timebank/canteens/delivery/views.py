"""How rounds look to whoever looks: all to the canteen's side, the own round to the volunteer who carries it.

Before leaving a volunteer sees where to go and whom to ask for by a masked name; on the way the whole name and phone of
the doors still to come; afterwards neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.orm import Session

from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.queries.rounds import is_taken, tasks_of, volunteers_of
from timebank.canteens.delivery.rules import RoundCarrier, RoundState, round_unknown, works_at
from timebank.canteens.orders.models import MealOrder
from timebank.core.actors import Actor, StaffRole
from timebank.people.models import Person
from timebank.people.phones import masked_phone
from timebank.people.queries import people_by_ids
from timebank.people.rules import masked_name
from timebank.tasks.models import Assignment
from timebank.tasks.rules import GONE
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class RoundFilter:
    """Which rounds are wanted; those that were replaced only where their state is asked for."""

    canteen_id: UUID | None = None
    on: date | None = None
    meal: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class StopView:
    """One stop as one actor may see it; what is not the actor's to know is None."""

    stop: DeliveryStop
    pickup_number: int
    diet_form: str
    portions: int
    address: str | None
    delivery_note: str | None
    name: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class RoundView:
    """One round: who carries it, what is left, and for the canteen's side the code with which to check in."""

    round: DeliveryRound
    canteen_name: str
    taken: bool
    carrier_name: str | None
    carrier_phone: str | None
    task_status: str | None
    service_code: str | None
    stops: int
    open_stops: int


def find_rounds(
    session: Session, *, actor: Actor, wanted: RoundFilter, limit: int, before: UUID | None = None
) -> list[RoundView]:
    """Rounds that the actor may see, newest first."""
    query = select(DeliveryRound).join(Organisation, Organisation.id == DeliveryRound.canteen_id)
    query = query.where(_visible(actor))
    for column, value in (
        (DeliveryRound.canteen_id, wanted.canteen_id),
        (DeliveryRound.served_on, wanted.on),
        (DeliveryRound.meal, wanted.meal),
        (DeliveryRound.state, wanted.state),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.state is None:
        query = query.where(DeliveryRound.state != RoundState.REPLACED)
    if before is not None:
        query = query.where(DeliveryRound.id < before)
    return see_rounds(
        session, actor=actor, rounds=session.scalars(query.order_by(DeliveryRound.id.desc()).limit(limit)).all()
    )


def see_rounds(session: Session, *, actor: Actor, rounds: Sequence[DeliveryRound]) -> list[RoundView]:
    """Views of rounds for one actor who may see them, in a fixed number of statements."""
    places = _places(session, rounds)
    tasks, parts = tasks_of(session, rounds), volunteers_of(session, rounds)
    people = people_by_ids(session, {part.volunteer_id for part in parts.values()})
    counts = _stop_counts(session, rounds)
    views = []
    for one in rounds:
        part, task, place = parts.get(one.id), tasks.get(one.id), places[one.canteen_id]
        volunteer = people.get(part.volunteer_id) if part is not None else None
        inside = works_at(actor, one.canteen_id, place.township_code) or actor.staff_role is StaffRole.AUDITOR
        views.append(
            RoundView(
                round=one,
                canteen_name=place.name,
                taken=is_taken(one, part),
                carrier_name=volunteer.name if volunteer is not None else one.courier_name,
                carrier_phone=(volunteer.phone if volunteer is not None else one.courier_phone) if inside else None,
                task_status=task.status if task is not None else None,
                service_code=task.service_code
                if task and works_at(actor, one.canteen_id, place.township_code)
                else None,
                stops=counts.get(one.id, (0, 0))[0],
                open_stops=counts.get(one.id, (0, 0))[1],
            )
        )
    return views


def round_for(session: Session, *, actor: Actor, round_id: UUID) -> tuple[RoundView, list[StopView]]:
    """One round with its stops in their order. Raises NotFound ``round_unknown``."""
    query = select(DeliveryRound).join(Organisation, Organisation.id == DeliveryRound.canteen_id)
    found = session.scalar(query.where(DeliveryRound.id == round_id, _visible(actor)))
    if found is None:
        raise round_unknown(round_id)
    return see_round(session, actor=actor, round_=found)


def see_round(session: Session, *, actor: Actor, round_: DeliveryRound) -> tuple[RoundView, list[StopView]]:
    """The view of one round that the actor may see, with its stops."""
    [view] = see_rounds(session, actor=actor, rounds=[round_])
    query = select(DeliveryStop, MealOrder).join(MealOrder, MealOrder.id == DeliveryStop.order_id)
    rows = session.execute(query.where(DeliveryStop.round_id == round_.id).order_by(DeliveryStop.position)).all()
    people = people_by_ids(session, {order.diner_id for _, order in rows if order.diner_id is not None})
    return view, [
        _stop(actor, round_, stop, order, people.get(order.diner_id) if order.diner_id else None)
        for stop, order in rows
    ]


def stop_of(session: Session, *, actor: Actor, stop: DeliveryStop) -> StopView:
    """The view of one stop that the actor has just handed over."""
    order = session.get_one(MealOrder, stop.order_id)
    round_ = session.get_one(DeliveryRound, stop.round_id)
    return _stop(actor, round_, stop, order, session.get(Person, order.diner_id) if order.diner_id else None)


def _stop(actor: Actor, round_: DeliveryRound, stop: DeliveryStop, order: MealOrder, diner: Person | None) -> StopView:
    staff = actor.staff_role is not None
    going = round_.state == RoundState.DEPARTED and stop.outcome is None
    over = round_.state not in (RoundState.PLANNED, RoundState.DEPARTED)
    name, phone = (diner.name, diner.phone) if diner is not None else (None, None)
    whole = staff or going
    return StopView(
        stop=stop,
        pickup_number=order.pickup_number,
        diet_form=order.diet_form,
        portions=order.portions,
        address=order.delivery_address if staff or not over else None,
        delivery_note=order.delivery_note if staff or not over else None,
        name=name if whole or name is None else masked_name(name),
        phone=phone if whole else (masked_phone(phone) if phone is not None and not over else None),
    )


def _visible(actor: Actor) -> ColumnElement[bool]:
    if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
        return DeliveryRound.id.is_not(None)
    if actor.is_steward:
        return Organisation.township_code == actor.township_code
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        return DeliveryRound.canteen_id == actor.organisation_id
    if actor.staff_role is not None or actor.person_id is None:
        return false()
    taken = select(Assignment.task_id).where(Assignment.volunteer_id == actor.person_id, Assignment.status.not_in(GONE))
    return DeliveryRound.task_id.in_(taken) & (DeliveryRound.carrier == RoundCarrier.VOLUNTEERS)


def _places(session: Session, rounds: Sequence[DeliveryRound]) -> dict[UUID, Organisation]:
    query = select(Organisation).where(Organisation.id.in_({one.canteen_id for one in rounds}))
    return {place.id: place for place in session.scalars(query)}


def _stop_counts(session: Session, rounds: Sequence[DeliveryRound]) -> dict[UUID, tuple[int, int]]:
    """All stops and open ones by round."""
    query = select(DeliveryStop.round_id, func.count(), func.count().filter(DeliveryStop.outcome.is_(None)))
    query = query.where(DeliveryStop.round_id.in_([one.id for one in rounds])).group_by(DeliveryStop.round_id)
    return {row[0]: (row[1], row[2]) for row in session.execute(query)}
