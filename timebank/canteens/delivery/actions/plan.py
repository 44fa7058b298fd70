"""Planning rounds 排线: after the cut-off, by a job or whoever works at the canteen, and again as long as nobody left.

Planned again, the rounds that nobody has taken are replaced; whoever has accepted one keeps it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.canteens.delivery.actions.telling import tell_of_late_doors
from timebank.canteens.delivery.models import DeliveryPlan, DeliveryRound, DeliveryStop
from timebank.canteens.delivery.queries.rounds import (
    is_taken,
    lock_orders_without_a_round,
    lock_plan,
    lock_planned,
    orders_without_a_round,
    services_to_plan,
    stops_of,
    volunteers_of,
)
from timebank.canteens.delivery.routing import Door, Limits, Place, Route, plan_routes
from timebank.canteens.delivery.rules import (
    RoundCarrier,
    RoundState,
    StopOutcome,
    after,
    must_be_past_cut_off,
    must_work_at,
)
from timebank.canteens.diners.queries import diners_by_ids
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import Service, ServiceKey, canteen_here, organisation_of, services_on
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import cut_off_at
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.ids import new_id
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.actions import Request, call_off_shift, request_shift
from timebank.tasks.models import Task
from timebank.tasks.queries import lock_tasks
from timebank.tasks.rules import TaskStatus
from timebank.townships.models import Organisation

SERVICE_TYPE = "meal_delivery"


@dataclass(frozen=True, slots=True)
class _Leaving:
    """From where, when and under which policies the rounds of one meal leave."""

    canteen: Canteen
    organisation: Organisation
    service: ServiceKey
    departs_at: datetime
    policies: PolicyBook
    actor: Actor


def plan_rounds(session: Session, *, actor: Actor, canteen_id: UUID, served_on: date, meal: str) -> list[DeliveryRound]:
    """Put the orders of one meal that nobody carries into rounds; answers the rounds that were made.

    A round for volunteers is put forward as a task. Raises NotFound ``canteen_unknown``; NotAllowed
    ``canteen_not_yours``; Conflict ``cut_off_not_reached``.
    """
    canteen, organisation = canteen_here(session, canteen_id), organisation_of(session, canteen_id)
    if actor is not SYSTEM:
        must_work_at(actor, canteen.id, organisation.township_code)
    now, service = clock.now(), (canteen.id, served_on, meal)
    policies = in_force(session, at=now)
    plan = lock_plan(session, service, actor=actor)
    must_be_past_cut_off(_last_cut_off(session, service, policies, organisation), now)
    _replace(session, lock_planned(session, service), actor)
    leaving = _Leaving(canteen, organisation, service, max(now, _ready_at(session, service, policies)), policies, actor)
    orders = lock_orders_without_a_round(session, service)
    rounds = [_write_round(session, leaving, plan, route) for route in _routes(session, leaving, orders)]
    plan.times += 1
    plan.planned_at, plan.planned_by, plan.planned_by_name = now, actor.login_id, actor.name
    session.flush()
    tell_of_late_doors(session, rounds, organisation)
    return rounds


def plans_due(session: Session, *, limit: int) -> list[ServiceKey]:
    """Meals past their cut-off with orders to be delivered that no round carries."""
    return services_to_plan(session, today=clock.today(), limit=limit)


def plan_due(session: Session, *, service: ServiceKey) -> bool:
    """Plan one meal's rounds, if anything is left to be planned; by the bank itself."""
    lock_plan(session, service, actor=SYSTEM)
    if not orders_without_a_round(session, service):
        return False
    canteen_id, served_on, meal = service
    return bool(plan_rounds(session, actor=SYSTEM, canteen_id=canteen_id, served_on=served_on, meal=meal))


def _replace(session: Session, rounds: Sequence[DeliveryRound], actor: Actor) -> None:
    """End the rounds that nobody has taken, and call their tasks off."""
    # The tasks are locked first: from here on nobody accepts one of them.
    tasks = lock_tasks(session, [r.task_id for r in rounds if r.task_id is not None])
    parts = volunteers_of(session, rounds)
    for round_ in rounds:
        if is_taken(round_, parts.get(round_.id)):
            continue
        for stop in stops_of(session, round_.id):
            stop.outcome, stop.closed_at = StopOutcome.REPLACED, clock.now()
            stop.closed_by, stop.closed_by_name = actor.login_id, actor.name
        session.flush()
        round_.state = after("replace", round_.state)
        round_.ended_at, round_.ended_by, round_.ended_by_name = clock.now(), actor.login_id, actor.name
        session.flush()
        drop_task(session, tasks.get(round_.task_id) if round_.task_id else None, actor=actor, reason="配送重新安排")


def drop_task(session: Session, task: Task | None, *, actor: Actor, reason: str) -> None:
    """Call the task of a round off that is carried otherwise; one that has lapsed or was called off stays so."""
    if task is not None and task.status in (TaskStatus.OPEN, TaskStatus.ACCEPTED):
        call_off_shift(session, actor=actor, task_id=task.id, reason=reason)


def _last_cut_off(session: Session, service: ServiceKey, policies: PolicyBook, place: Organisation) -> datetime:
    """Until when one of the orders could still change, as it was promised; with none, as policy says now."""
    promised = [order.cut_off_at for order in orders_without_a_round(session, service)]
    cut_offs = policies.value("order_cut_offs", place.township_code)
    return max(promised, default=cut_off_at(service[1], service[2], cut_offs))


def _ready_at(session: Session, service: ServiceKey, policies: PolicyBook) -> datetime:
    """When the meal is ready: when its counter opens; by the usual hours where the canteen has since closed for it."""
    found = services_on(session, [service])[service]
    if isinstance(found, Service):
        return found.opens_at
    begins = time.fromisoformat(policies.value("meal_periods")[service[2]][0])
    return datetime.combine(service[1], begins, clock.LOCAL)


def _routes(session: Session, leaving: _Leaving, orders: Sequence[MealOrder]) -> list[Route]:
    diners = diners_by_ids(session, [order.diner_id for order in orders if order.diner_id is not None])
    doors = []
    for order in orders:
        diner = diners.get(order.diner_id) if order.diner_id is not None else None
        place = None
        # The place on the map is that of the diner's own address; another address has none.
        if diner is not None and diner.delivery_address == order.delivery_address:
            place = _place(diner.latitude, diner.longitude)
        doors.append(Door(order.id, place, order.delivery_address or ""))
    return plan_routes(_place(leaving.canteen.latitude, leaving.canteen.longitude), doors, _limits(leaving))


def _place(latitude: float | None, longitude: float | None) -> Place | None:
    return None if latitude is None or longitude is None else Place(latitude, longitude)


def _limits(leaving: _Leaving) -> Limits:
    def whole(key: str) -> int:
        return leaving.policies.whole(key, leaving.organisation.township_code)

    return Limits(
        detour_percent=whole("detour_percent"),
        m_per_minute=whole("delivery_m_per_minute"),
        stop_minutes=whole("stop_minutes"),
        within_minutes=whole("delivery_within_minutes"),
        most_stops=whole("round_max_stops"),
    )


def _write_round(session: Session, leaving: _Leaving, plan: DeliveryPlan, route: Route) -> DeliveryRound:
    plan.rounds += 1
    canteen_id, served_on, meal = leaving.service
    by_volunteers = leaving.canteen.carrier == Carrier.VOLUNTEERS
    task = _ask_volunteers(session, leaving, plan.rounds, route) if by_volunteers else None
    made = DeliveryRound(
        id=new_id(),
        canteen_id=canteen_id,
        served_on=served_on,
        meal=meal,
        number=plan.rounds,
        carrier=RoundCarrier.VOLUNTEERS if by_volunteers else RoundCarrier.COURIER,
        state=RoundState.PLANNED,
        departs_at=leaving.departs_at,
        minutes=max(1, route.minutes),
        late=route.late,
        unlocated=route.unlocated,
        task_id=task.id if task else None,
        policy_version=leaving.policies.version,
        planned_at=clock.now(),
        planned_by=leaving.actor.login_id,
        planned_by_name=leaving.actor.name,
    )
    session.add(made)
    session.flush()
    session.add_all(
        DeliveryStop(
            round_id=made.id, position=position, order_id=stop.key, planned_minutes=stop.minutes, misses=0, note=""
        )
        for position, stop in enumerate(route.stops, start=1)
    )
    session.flush()
    return made


def _ask_volunteers(session: Session, leaving: _Leaving, number: int, route: Route) -> Task:
    """A round as a shift for one: the minutes are those of the way, so that help is known before it is accepted."""
    meal = MEAL_NAMES[Meal(leaving.service[2])]
    wanted = Request(
        SERVICE_TYPE,
        leaving.departs_at,
        max(1, route.minutes),
        township_code=leaving.organisation.township_code,
        note=f"{leaving.organisation.name}{meal}送餐第{number}趟，共{len(route.stops)}份，到{leaving.canteen.address}取餐",
    )
    return request_shift(session, actor=leaving.actor, wanted=wanted)
