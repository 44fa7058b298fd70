"""What is due for the jobs of deliveries, and how to see what they have made of it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.delivery import a_street
from tests.factories.orders import purse_of
from tests.factories.purses import lunch_is_over
from timebank.canteens.delivery.models import DeliveryRound
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.db import Database
from timebank.notifications.models import Notice
from timebank.tasks.models import Task

Look = Callable[[Session], object]


def ordered_to_the_door(bank: Database) -> Look:
    """Two lunches to be delivered, past the cut-off, on no round yet."""
    a_street(bank, 200, 400)
    rounds = select(DeliveryRound.state, Task.status).join(Task, Task.id == DeliveryRound.task_id)
    return lambda session: [tuple(row) for row in session.execute(rounds)]


def leaves_soon_with_nobody(bank: Database) -> Look:
    """A round that leaves now and that nobody has taken."""
    [round_] = a_street(bank, 200).plan(bank)
    clock.freeze(round_.departs_at)
    told = select(func.count()).select_from(Notice).where(Notice.title == "送餐无人接单")
    return lambda session: session.scalar(told)


def planned_and_never_brought(bank: Database) -> Look:
    """A lunch on a round that has not left four hours after the meal."""
    street = a_street(bank, 200)
    street.plan(bank)
    lunch_is_over(minutes=240)
    [order], [diner] = street.orders, street.diners
    rounds = select(DeliveryRound.state)
    return lambda session: (
        session.get_one(MealOrder, order.id).state,
        purse_of(session, diner),
        session.scalar(rounds),
    )
