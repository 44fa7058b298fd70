"""Standing orders 长期订餐: set, paused, ended by whoever may order for the diner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.rules import must_be_approved
from timebank.canteens.network.queries import canteen_here, organisation_of
from timebank.canteens.network.rules import CanteenState, Carrier, not_open
from timebank.canteens.orders.actions.lay_table import lock_households
from timebank.canteens.orders.actions.who_may import Rights, rights_of
from timebank.canteens.orders.models import StandingOrder
from timebank.canteens.orders.rules import (
    CHOICE_NAMES,
    StandingChoice,
    must_be_days,
    standing_order_ended,
    standing_order_unknown,
)
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.people.queries import must_be_here, person, spoken_name
from timebank.redemption.good_times import weekdays_text


@dataclass(frozen=True, slots=True)
class StandingWanted:
    """The same meal on these weekdays (1 is Monday), until told otherwise."""

    canteen_id: UUID
    meal: str
    weekdays: Sequence[int]
    way: str
    choice: str
    use_vouchers: bool
    starts_on: date
    ends_on: date | None = None
    for_person_id: UUID | None = None


def set_standing_order(session: Session, *, actor: Actor, wanted: StandingWanted) -> StandingOrder:
    """Order a meal for every such day; the diner's former standing order for the same meal ends with it.

    Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``, ``other_township``, ``canteen_not_yours``; NotFound
    ``person_unknown``, ``canteen_unknown``; Conflict ``person_left``, ``person_frozen``; Refused
    ``diner_not_approved``, ``canteen_not_open``, ``days_unclear``, ``delivery_not_offered``,
    ``delivery_address_needed``.
    """
    diner_id = wanted.for_person_id or actor.person()
    someone = person(session, diner_id)
    place = organisation_of(session, wanted.canteen_id)
    rights_of(session, actor, {diner_id}).must_handle(someone, wanted.canteen_id, place.township_code)
    must_be_here(someone)
    diner = lock_households(session, {diner_id}).get(diner_id)
    must_be_approved(diner)
    assert diner is not None
    _must_be_possible(session, wanted, diner)
    for former in session.scalars(_active(diner_id, wanted.meal)):
        former.ended_at, former.ended_by = clock.now(), actor.login_id
    session.flush()
    standing = _standing(actor, someone, wanted)
    session.add(standing)
    session.flush()
    _note(session, actor, standing, "standing_order_set")
    if actor.person_id != diner_id:
        what = f"{MEAL_NAMES[Meal(standing.meal)]}（{CHOICE_NAMES[StandingChoice(wanted.choice)]}）"
        body = f"{standing.made_by_name}为您在{place.name}长期订了{weekdays_text(standing.weekdays)}{what}。"
        notify_person(session, person_id=diner_id, title="已为您长期订餐", body=body)
    return standing


def pause_standing_order(
    session: Session, *, actor: Actor, standing_order_id: UUID, paused_from: date, paused_until: date
) -> StandingOrder:
    """Order nothing on these days, both included; a later pause takes the place of an earlier one.

    Meals that were ordered already stay ordered. Raises NotFound ``standing_order_unknown``; NotAllowed
    ``proxy_scope_missing``; Conflict ``standing_order_ended``; Refused ``days_unclear``.
    """
    standing = _lock(session, actor, standing_order_id)
    must_be_days(paused_from, paused_until, field="until")
    standing.paused_from, standing.paused_until = paused_from, paused_until
    session.flush()
    days = {"paused_from": paused_from.isoformat(), "paused_until": paused_until.isoformat()}
    _note(session, actor, standing, "standing_order_paused", **days)
    return standing


def end_standing_order(session: Session, *, actor: Actor, standing_order_id: UUID) -> StandingOrder:
    """Order nothing more from now on; meals that were ordered already stay ordered.

    Raises NotFound ``standing_order_unknown``; NotAllowed ``proxy_scope_missing``; Conflict ``standing_order_ended``.
    """
    standing = _lock(session, actor, standing_order_id)
    standing.ended_at, standing.ended_by = clock.now(), actor.login_id
    session.flush()
    _note(session, actor, standing, "standing_order_ended")
    return standing


def end_standing_orders_of(session: Session, *, actor: Actor, diner_id: UUID) -> int:
    """End all that somebody who leaves or has died has ordered for every week; answers how many.

    To be called with the diner's file locked.
    """
    mine = (StandingOrder.diner_id == diner_id, StandingOrder.ended_at.is_(None))
    found = session.scalars(select(StandingOrder).where(*mine).order_by(StandingOrder.id).with_for_update()).all()
    for standing in found:
        standing.ended_at, standing.ended_by = clock.now(), actor.login_id
    session.flush()
    return len(found)


def must_see(session: Session, rights: Rights, standing: StandingOrder, diner: Person) -> StandingOrder:
    """The standing order, where it is the actor's business. Raises NotFound ``standing_order_unknown``."""
    place = organisation_of(session, standing.canteen_id)
    if not rights.sees(diner, standing.canteen_id, place.township_code):
        raise standing_order_unknown(standing.id)
    return standing


def _note(session: Session, actor: Actor, standing: StandingOrder, action: str, **facts: str) -> None:
    """What staff do for a diner is written down; what diners and proxies do is theirs."""
    if actor.staff_role is not None:
        note_down(session, actor=actor, action=action, subject=("standing_order", standing.id), **facts)


def _lock(session: Session, actor: Actor, standing_order_id: UUID) -> StandingOrder:
    found = session.get(StandingOrder, standing_order_id)
    if found is None:
        raise standing_order_unknown(standing_order_id)
    rights = rights_of(session, actor, {found.diner_id})
    must_see(session, rights, found, person(session, found.diner_id))
    lock_households(session, {found.diner_id})
    standing = session.get_one(StandingOrder, standing_order_id, with_for_update=True, populate_existing=True)
    if standing.ended_at is not None:
        raise standing_order_ended(standing.id)
    return standing


def _active(diner_id: UUID, meal: str) -> Select[StandingOrder]:
    mine = (StandingOrder.diner_id == diner_id, StandingOrder.meal == meal, StandingOrder.ended_at.is_(None))
    return select(StandingOrder).where(*mine).with_for_update()


def _must_be_possible(session: Session, wanted: StandingWanted, diner: Diner) -> None:
    canteen = canteen_here(session, wanted.canteen_id)
    if canteen.state != CanteenState.OPEN:
        raise not_open(canteen.state, canteen_id=canteen.id)
    must_be_days(wanted.starts_on, wanted.ends_on, field="ends_on")
    if wanted.starts_on < clock.today():
        raise Refused("days_unclear", "长期订餐从今天或以后开始", field="starts_on")
    days = list(wanted.weekdays)
    if not days or sorted(set(days)) != sorted(days) or not set(days) <= set(range(1, 8)):
        raise Refused("days_unclear", "请选好星期几（1为周一），每天一次", field="weekdays")
    if wanted.way == Way.DELIVER and canteen.carrier == Carrier.NOBODY:
        raise Refused("delivery_not_offered", "这里不送餐上门", canteen_id=canteen.id)
    if wanted.way == Way.DELIVER and not diner.delivery_address.strip():
        raise Refused("delivery_address_needed", "请填写送餐地址", field="delivery_address")


def _standing(actor: Actor, diner: Person, wanted: StandingWanted) -> StandingOrder:
    return StandingOrder(
        id=new_id(),
        diner_id=diner.id,
        canteen_id=wanted.canteen_id,
        meal=wanted.meal,
        way=wanted.way,
        weekdays=sorted(wanted.weekdays),
        choice=wanted.choice,
        use_vouchers=wanted.use_vouchers,
        starts_on=wanted.starts_on,
        ends_on=wanted.ends_on,
        made_at=clock.now(),
        made_by=actor.login_id,
        made_by_name=spoken_name(actor, diner),
    )
