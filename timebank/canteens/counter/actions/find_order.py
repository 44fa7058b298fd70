"""Which order somebody at the counter means: by pickup number, order, voucher, or person."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from timebank.canteens.counter.rules import nothing_waiting
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.purses.actions.slips import counter_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.redemption.codes import tidy_code
from timebank.redemption.models import Voucher


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown at the counter: exactly one of the four; a number or a person with the meal, where it is known."""

    order_id: UUID | None = None
    pickup_number: int | None = None
    voucher_code: str | None = None
    person_id: UUID | None = None
    meal: str | None = None


def find_order(session: Session, *, actor: Actor, shown: Shown) -> UUID:
    """The order meant, whatever its state, so that the answer can say what became of it.

    A voucher finds the order that it is set aside for, also one at another canteen; a number and a person find
    today's at the clerk's own. Raises NotAllowed ``clerk_only``; Refused ``shown_unclear``; NotFound
    ``no_order_waiting``.
    """
    canteen_id = counter_of(actor)
    given = [shown.order_id, shown.pickup_number, shown.voucher_code, shown.person_id]
    if sum(one is not None for one in given) != 1 or (shown.pickup_number is not None and shown.meal is None):
        raise Refused("shown_unclear", "请给出取餐号（连同餐次）、订餐编号、用餐券或用餐人其中一样")
    if shown.order_id is not None:
        return shown.order_id
    if shown.voucher_code is not None:
        found = session.scalar(select(Voucher.set_aside_for).where(Voucher.code == tidy_code(shown.voucher_code)))
    else:
        found = session.scalar(_todays(canteen_id, shown))
    if found is None:
        raise nothing_waiting()
    return found


def _todays(canteen_id: UUID, shown: Shown) -> Select[UUID]:
    query = select(MealOrder.id).where(MealOrder.canteen_id == canteen_id, MealOrder.served_on == clock.today())
    if shown.meal is not None:
        query = query.where(MealOrder.meal == shown.meal)
    if shown.pickup_number is not None:
        return query.where(MealOrder.pickup_number == shown.pickup_number)
    waiting_first = (MealOrder.state != OrderState.PLACED, MealOrder.cut_off_at, MealOrder.id)
    return query.where(MealOrder.diner_id == shown.person_id).order_by(*waiting_first).limit(1)
