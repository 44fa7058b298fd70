"""Carrying a round 配送: given to a courier, started, finished; and looking out for rounds that nobody takes."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.delivery.actions.plan import drop_task
from timebank.canteens.delivery.actions.telling import round_words, tell_of_departure
from timebank.canteens.delivery.models import DeliveryRound
from timebank.canteens.delivery.queries.rounds import code_of, is_taken, lock_round, stops_of, volunteers_of
from timebank.canteens.delivery.rules import (
    RoundCarrier,
    RoundState,
    StopOutcome,
    after,
    must_be_carried,
    must_be_checked_in,
    must_have_no_stops_left,
    round_unknown,
    works_at,
)
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.notifications.actions import notify_stewards
from timebank.people.phones import tidy_phone
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.models import Assignment
from timebank.tasks.queries import lock_tasks
from timebank.tasks.rules import AssignmentStatus
from timebank.townships.models import Organisation


def give_to_courier(session: Session, *, actor: Actor, round_id: UUID, name: str, phone: str) -> DeliveryRound:
    """Let a courier carry a round that has not left; its task is called off, and whoever had accepted it is told.

    For whoever works at the canteen. Raises NotFound ``round_unknown``; Conflict ``wrong_state``; Refused
    ``phone_invalid``.
    """
    round_, _ = _of_the_canteen(session, actor, round_id)
    round_.state = after("give", round_.state)
    try:
        tidied = tidy_phone(phone)
    except ValueError as problem:
        raise Refused("phone_invalid", str(problem), field="phone") from None
    if tidied is None:
        raise Refused("phone_invalid", "请写明联系电话", field="phone")
    if round_.carrier == RoundCarrier.VOLUNTEERS and round_.task_id is not None:
        task = lock_tasks(session, [round_.task_id])[round_.task_id]
        drop_task(session, task, actor=actor, reason="改由配送员送餐")
    round_.carrier, round_.courier_name, round_.courier_phone = RoundCarrier.COURIER, name, tidied
    session.flush()
    return round_


def start_round(session: Session, *, actor: Actor, round_id: UUID) -> DeliveryRound:
    """Leave with a round 出发: by the volunteer, checked in for its task, or by whoever works at the canteen.

    Every diner hears that the meal is on its way, with the handover code. Raises NotFound ``round_unknown``; Conflict
    ``wrong_state``, ``round_not_taken``, ``check_in_first``.
    """
    round_, place, part = _of_the_carrier(session, actor, round_id)
    state = after("start", round_.state)
    must_be_carried(taken=is_taken(round_, part))
    if part is not None:
        must_be_checked_in(part.status == AssignmentStatus.CHECKED_IN)
    round_.state, round_.departed_at = state, clock.now()
    round_.departed_by, round_.departed_by_name = actor.login_id, actor.name
    session.flush()
    for stop in stops_of(session, round_.id):
        order = session.get_one(MealOrder, stop.order_id)
        if order.state == OrderState.PLACED:
            tell_of_departure(session, stop, order, place, code_of(order.id))
    return round_


def finish_round(session: Session, *, actor: Actor, round_id: UUID) -> DeliveryRound:
    """Come back from a round; an order that ended otherwise, as when it was fetched at the counter, is noted so.

    The volunteer checks out of the task beside this. Raises NotFound ``round_unknown``; Conflict ``wrong_state``,
    ``round_has_stops_left``.
    """
    round_, _, _ = _of_the_carrier(session, actor, round_id)
    state, now = after("finish", round_.state), clock.now()
    open_stops = [stop for stop in stops_of(session, round_.id) if stop.outcome is None]
    placed = select(MealOrder.id).where(
        MealOrder.id.in_([stop.order_id for stop in open_stops]), MealOrder.state == OrderState.PLACED
    )
    must_have_no_stops_left(len(session.scalars(placed).all()))
    for stop in open_stops:
        stop.outcome, stop.closed_at = StopOutcome.ELSEWHERE, now
        stop.closed_by, stop.closed_by_name = actor.login_id, actor.name
    session.flush()
    round_.state, round_.ended_at, round_.ended_by, round_.ended_by_name = state, now, actor.login_id, actor.name
    session.flush()
    return round_


def untaken_rounds(session: Session, *, limit: int) -> list[UUID]:
    """Rounds that leave soon, or should have left, that nobody has taken and of which nobody was told."""
    now, policies = clock.now(), in_force(session, at=clock.now())
    query = select(DeliveryRound).where(DeliveryRound.state == RoundState.PLANNED, DeliveryRound.told_at.is_(None))
    query = query.where(DeliveryRound.departs_at <= now + timedelta(minutes=_longest(policies)))
    rounds = session.scalars(query.order_by(DeliveryRound.departs_at, DeliveryRound.id)).all()
    parts = volunteers_of(session, rounds)
    return [r.id for r in rounds if _is_due(session, r, parts.get(r.id), policies)][:limit]


def tell_of_untaken(session: Session, *, round_id: UUID) -> bool:
    """Tell the stewards of the canteen's township once; the clerk's list of rounds shows it too."""
    round_ = lock_round(session, round_id)
    part = volunteers_of(session, [round_]).get(round_.id)
    if round_.told_at is not None or not _is_due(session, round_, part, in_force(session, at=clock.now())):
        return False
    round_.told_at = clock.now()
    place = organisation_of(session, round_.canteen_id)
    leaves = f"{round_.departs_at.astimezone(clock.LOCAL):%H:%M}"
    body = f"{round_words(round_, place.name)}应在{leaves}出发，还没有人接单。请联系志愿者，或改派配送员。"
    notify_stewards(session, township_code=place.township_code, title="送餐无人接单", body=body)
    session.flush()
    return True


def _longest(policies: PolicyBook) -> int:
    key = "round_untaken_notice_minutes"
    return max([policies.whole(key), *map(int, policies.township_values(key).values())])


def _is_due(session: Session, round_: DeliveryRound, part: Assignment | None, policies: PolicyBook) -> bool:
    if round_.state != RoundState.PLANNED or is_taken(round_, part):
        return False
    township_code = organisation_of(session, round_.canteen_id).township_code
    notice = timedelta(minutes=policies.whole("round_untaken_notice_minutes", township_code))
    return round_.departs_at - notice <= clock.now()


def _of_the_canteen(session: Session, actor: Actor, round_id: UUID) -> tuple[DeliveryRound, Organisation]:
    """The round, locked, for whoever works at its canteen; nobody else learns that it is there."""
    round_ = lock_round(session, round_id)
    place = organisation_of(session, round_.canteen_id)
    if not works_at(actor, round_.canteen_id, place.township_code):
        raise round_unknown(round_id)
    return round_, place


def _of_the_carrier(
    session: Session, actor: Actor, round_id: UUID
) -> tuple[DeliveryRound, Organisation, Assignment | None]:
    """The round, locked, for its volunteer and for whoever works at its canteen, with the volunteer's part."""
    round_ = lock_round(session, round_id)
    place, part = organisation_of(session, round_.canteen_id), volunteers_of(session, [round_]).get(round_.id)
    if not carries(actor, part) and not works_at(actor, round_.canteen_id, place.township_code):
        raise round_unknown(round_id)
    return round_, place, part


def carries(actor: Actor, part: Assignment | None) -> bool:
    """Whether the actor is the volunteer whose part this is."""
    return part is not None and actor.person_id is not None and part.volunteer_id == actor.person_id
