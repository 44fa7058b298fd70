"""Meals that will not be: a day that the canteen closed, a canteen suspended, a diner who has left or died.

All orders that wait for such a meal are cancelled, whatever the cut-off says, and the diners are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select, tuple_
from sqlalchemy.orm import Session

from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.rules import DinerState
from timebank.canteens.network.queries import services_on
from timebank.canteens.orders.actions.cancel_orders import cancel_orders, lock_for_ending
from timebank.canteens.orders.models import MealOrder, MealService
from timebank.canteens.orders.rules import OrderState, Slot
from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.core.errors import BankError
from timebank.people.models import Person

_MOST_AT_ONCE = 200
_NOT_HERE = "用餐人已退出、被上报身故，或已不是用餐对象"


def meals_stopped(session: Session, *, limit: int) -> list[Slot]:
    """Meals from today on for which orders wait, and which are not served any more."""
    return [slot for slot, _ in _stopped(session, None)][:limit]


def stop_meal(session: Session, *, slot: Slot) -> int:
    """Cancel what waits for one such meal; answers how many orders, 0 where it is served after all."""
    stopped = dict(_stopped(session, slot))
    if slot not in stopped:
        return 0
    waiting = select(MealOrder.id).where(*_waiting(), *_of(slot)).order_by(MealOrder.id).limit(_MOST_AT_ONCE)
    return _cancel(session, list(session.scalars(waiting)), stopped[slot].title)


def orders_of_leavers(session: Session, *, limit: int) -> list[UUID]:
    """Orders that wait for somebody who has left, is no diner any more, or was reported dead before the cut-off.

    Those of somebody reported dead are given up at their cut-off, so that nobody cooks them for nothing; until then
    they wait, and go on where the report was wrong.
    """
    return list(session.scalars(_of_leavers().order_by(MealOrder.id).limit(limit)))


def stop_order(session: Session, *, order_id: UUID) -> int:
    """Cancel one such order; answers 0 where somebody else has ended it, or a report of a death was turned down."""
    lock_for_ending(session, [order_id])
    if session.scalar(_of_leavers().where(MealOrder.id == order_id)) is None:
        return 0
    return _cancel(session, [order_id], _NOT_HERE)


def _of_leavers() -> Select[UUID]:
    reported_in_time = and_(Person.death_reported_at < MealOrder.cut_off_at, MealOrder.cut_off_at <= clock.now())
    gone = or_(Person.left_at.is_not(None), Diner.state != DinerState.APPROVED, reported_in_time)
    query = select(MealOrder.id).join(Person, Person.id == MealOrder.diner_id)
    return query.join(Diner, Diner.person_id == MealOrder.diner_id).where(MealOrder.state == OrderState.PLACED, gone)


def waiting_orders_of(session: Session, diner_id: UUID) -> list[UUID]:
    """What somebody has ordered and not had yet."""
    query = select(MealOrder.id).where(MealOrder.diner_id == diner_id, MealOrder.state == OrderState.PLACED)
    return list(session.scalars(query.order_by(MealOrder.id)))


def _cancel(session: Session, order_ids: list[UUID], reason: str) -> int:
    answers = cancel_orders(session, actor=SYSTEM, order_ids=order_ids, reason=reason)
    return sum(not isinstance(answer, BankError) for answer in answers)


def _stopped(session: Session, only: Slot | None) -> Iterator[tuple[Slot, BankError]]:
    """Looked for among meals, of which there are few; only for those that stopped, whether orders wait."""
    key = (MealService.canteen_id, MealService.served_on, MealService.meal)
    ordered = select(*key).where(MealService.served_on >= clock.today(), MealService.ordered_meals > 0)
    if only is not None:
        ordered = ordered.where(tuple_(*key) == tuple_(*only))
    services = services_on(session, [(row[0], row[1], row[2]) for row in session.execute(ordered)])
    stopped = {slot: service for slot, service in services.items() if isinstance(service, BankError)}
    if not stopped:
        return
    slot = (MealOrder.canteen_id, MealOrder.served_on, MealOrder.meal)
    waiting = session.execute(select(*slot).where(*_waiting(), tuple_(*slot).in_(sorted(stopped))).distinct())
    for one in sorted((row[0], row[1], row[2]) for row in waiting):
        yield one, stopped[one]


def _waiting() -> tuple[ColumnElement[bool], ...]:
    return MealOrder.state == OrderState.PLACED, MealOrder.served_on >= clock.today()


def _of(slot: Slot) -> tuple[ColumnElement[bool], ...]:
    return MealOrder.canteen_id == slot[0], MealOrder.served_on == slot[1], MealOrder.meal == slot[2]
