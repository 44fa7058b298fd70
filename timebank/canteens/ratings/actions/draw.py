"""Drawing whom to call 抽取回访: each month, each township, a part of the diners who were served there.

The month that has ended is drawn once; its row says of how many how many were drawn, so that an auditor can draw it
again and find the same people (``rules.lots``).
"""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.ratings.models import FollowUp, FollowUpDraw
from timebank.canteens.ratings.rules import Reason, lots
from timebank.core import clock
from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.policies.queries import in_force
from timebank.townships.models import Township

Draw = tuple[date, str]
"""The first day of a month, and a township."""


def draws_due(session: Session) -> list[Draw]:
    """The townships with diners served in the month that has ended, whose draw is still to be made."""
    month = _month_ended(clock.today())
    drawn = select(FollowUpDraw.township_code).where(FollowUpDraw.month == month)
    served = _served_in(month).where(Person.township_code == Township.code).correlate(Township)
    query = select(Township.code).where(Township.code.not_in(drawn), served.exists())
    return [(month, code) for code in session.scalars(query.order_by(Township.code))]


def draw_follow_ups(session: Session, *, month: date, township_code: str) -> list[UUID]:
    """Draw one township's month, once; answers who is to be called, nobody where it was drawn before.

    Diners belong to the township in which they live now, which is the one that calls.
    """
    now = clock.now()
    policies = in_force(session, at=now)
    percent = policies.whole("follow_up_percent", township_code)
    orders = _last_orders(session, month, township_code)
    drawn = lots(month, orders, percent)
    row = {
        "month": month,
        "township_code": township_code,
        "served_diners": len(orders),
        "percent": percent,
        "drawn": len(drawn),
        "policy_version": policies.version,
        "drawn_at": now,
    }
    made = insert(FollowUpDraw).values(row).on_conflict_do_nothing().returning(FollowUpDraw.month)
    if session.scalar(made) is None:
        return []
    session.add_all(
        FollowUp(
            id=new_id(),
            month=month,
            township_code=township_code,
            person_id=person_id,
            order_id=orders[person_id],
            reason=Reason.SAMPLE,
            opened_at=now,
        )
        for person_id in drawn
    )
    session.flush()
    return drawn


def _month_ended(today: date) -> date:
    return (today.replace(day=1) - timedelta(days=1)).replace(day=1)


def _last_orders(session: Session, month: date, township_code: str) -> dict[UUID, UUID]:
    """The last meal that each diner of the township was served in the month."""
    last = func.row_number().over(
        partition_by=MealOrder.diner_id, order_by=(MealOrder.served_on.desc(), MealOrder.id.desc())
    )
    ranked = _served_in(month).add_columns(last.label("place")).where(Person.township_code == township_code).subquery()
    rows = session.execute(select(ranked.c.diner_id, ranked.c.id).where(ranked.c.place == 1))
    return {row.diner_id: row.id for row in rows}


def _served_in(month: date) -> Select[UUID | None, UUID]:
    """Meals served in a month to people who are still here."""
    end = (month + timedelta(days=31)).replace(day=1)
    return (
        select(MealOrder.diner_id, MealOrder.id)
        .join(Person, Person.id == MealOrder.diner_id)
        .where(
            MealOrder.state == OrderState.SERVED,
            MealOrder.served_on >= month,
            MealOrder.served_on < end,
            Person.left_at.is_(None),
            Person.death_reported_at.is_(None),
        )
    )
