"""When a meal is over by so long that what waits for it is ended 供餐结束之后, told in SQL: townships may differ."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import ColumnElement, DateTime, case, func, literal, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute

from timebank.canteens.network.models import CanteenHours
from timebank.core import clock
from timebank.policies.rules import PolicyBook
from timebank.townships.models import Organisation

_END_OF_DAY = time(23, 59)


def ends_at(
    canteen_id: InstrumentedAttribute[UUID],
    served_on: InstrumentedAttribute[date],
    meal: InstrumentedAttribute[str],
    *,
    policies: PolicyBook,
    key: str,
) -> ColumnElement[datetime]:
    """When the meal that a row belongs to is over, and as many minutes later as the policy ``key`` says there.

    In one statement, so that a limit of rows counts only those that are due.
    """
    closes_at = (
        select(CanteenHours.closes_at)
        .where(
            CanteenHours.canteen_id == canteen_id,
            CanteenHours.weekday == func.extract("isodow", served_on),
            CanteenHours.meal == meal,
        )
        .scalar_subquery()
    )
    over = func.timezone(str(clock.LOCAL), served_on.op("+")(func.coalesce(closes_at, _END_OF_DAY)))
    return type_coerce(over + func.make_interval(0, 0, 0, 0, 0, _minutes(canteen_id, policies, key)), DateTime(True))


def _minutes(canteen_id: InstrumentedAttribute[UUID], policies: PolicyBook, key: str) -> ColumnElement[int]:
    default, own = literal(policies.whole(key)), policies.township_values(key)
    if not own:
        return default
    township = select(Organisation.township_code).where(Organisation.id == canteen_id).scalar_subquery()
    return case({code: int(value) for code, value in own.items()}, value=township, else_=default)
