"""Cancelling orders 取消订餐: everything is given back.

The diner and a proxy cancel before the cut-off; the counter's clerk and a steward also after it, for a reason that the
diner is told: a kitchen that cannot cook must be able to say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.models import Diner
from timebank.canteens.orders.actions.release import lock_orders, release_of
from timebank.canteens.orders.actions.telling import order_words, tell_diners
from timebank.canteens.orders.actions.who_may import Rights, rights_of
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState, must_be_before, must_be_placed, order_unknown
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.errors import BankError
from timebank.people.models import Person
from timebank.people.queries import people_by_ids, spoken_name
from timebank.townships.models import Organisation

Cancelled = MealOrder | BankError


def cancel_orders(session: Session, *, actor: Actor, order_ids: Sequence[UUID], reason: str = "") -> list[Cancelled]:
    """Cancel orders that wait, one answer each, in order, in a fixed number of statements.

    Refusals: NotFound ``order_unknown``, also for what is none of the actor's business; NotAllowed
    ``proxy_scope_missing``; Conflict ``order_ended``; Refused ``cut_off_passed``, ``reason_needed``.
    """
    orders = lock_for_ending(session, order_ids)
    people = people_by_ids(session, {order.diner_id for order in orders.values() if order.diner_id is not None})
    places = _places(session, {order.canteen_id for order in orders.values()})
    rights = rights_of(session, actor, set(people))
    answers: list[Cancelled] = []
    ending: dict[UUID, MealOrder] = {}
    for order_id in order_ids:
        try:
            order = _may_end(rights, orders.get(order_id), order_id, people, places, reason, again=order_id in ending)
        except BankError as refusal:
            answers.append(refusal)
        else:
            ending[order_id] = order
            answers.append(order)
    release_of(session, list(ending.values()), state=OrderState.CANCELLED, actor=actor, reason=reason.strip())
    _tell(session, actor, list(ending.values()), people, places, reason.strip())
    return answers


def cancel_order(session: Session, *, actor: Actor, order_id: UUID, reason: str = "") -> MealOrder:
    """Cancel one order. Raises what ``cancel_orders`` refuses."""
    answer = cancel_orders(session, actor=actor, order_ids=[order_id], reason=reason)[0]
    if isinstance(answer, BankError):
        raise answer
    return answer


def lock_for_ending(session: Session, order_ids: Sequence[UUID]) -> dict[UUID, MealOrder]:
    """Orders by id, locked after their diners."""
    diner_ids = select(MealOrder.diner_id).where(MealOrder.id.in_(order_ids))
    query = select(Diner.person_id).where(Diner.person_id.in_(diner_ids)).order_by(Diner.person_id)
    session.execute(query.with_for_update(key_share=True)).all()
    return lock_orders(session, order_ids)


def must_concern(
    rights: Rights, order: MealOrder | None, order_id: UUID, diner: Person | None, place: Organisation | None
) -> MealOrder:
    """The order, where it is the actor's business. Raises NotFound ``order_unknown``; ``proxy_scope_missing``."""
    if order is None or place is None or not rights.sees(diner, order.canteen_id, place.township_code):
        raise order_unknown(order_id)
    return order


def _may_end(
    rights: Rights,
    order: MealOrder | None,
    order_id: UUID,
    people: dict[UUID, Person],
    places: dict[UUID, Organisation],
    reason: str,
    *,
    again: bool,
) -> MealOrder:
    diner = people.get(order.diner_id) if order is not None and order.diner_id is not None else None
    place = places.get(order.canteen_id) if order is not None else None
    found = must_concern(rights, order, order_id, diner, place)
    must_be_placed(order_id, OrderState.CANCELLED if again else found.state)
    if rights.is_staff:
        reason_given(reason)
    else:
        must_be_before(found.cut_off_at, clock.now())
    return found


def _places(session: Session, canteen_ids: set[UUID]) -> dict[UUID, Organisation]:
    query = select(Organisation).where(Organisation.id.in_(canteen_ids))
    return {place.id: place for place in session.scalars(query)}


def _tell(
    session: Session,
    actor: Actor,
    orders: Sequence[MealOrder],
    people: dict[UUID, Person],
    places: dict[UUID, Organisation],
    reason: str,
) -> None:
    why = f"原因：{reason}。" if reason else ""
    said: list[tuple[MealOrder, str]] = []
    for order in orders:
        if order.diner_id is not None and actor.person_id != order.diner_id:
            by = "" if actor is SYSTEM else f"由{spoken_name(actor, people[order.diner_id])}"
            what = f"{order_words(order, places[order.canteen_id].name)}已{by}取消。"
            said.append((order, f"{what}{why}餐费、用餐券都已退回。"))
            if actor.is_steward:
                note_down(
                    session, actor=actor, action="meal_cancelled", subject=("meal_order", order.id), reason=reason
                )
    tell_diners(session, said, title="订餐已取消", proxies=True)
