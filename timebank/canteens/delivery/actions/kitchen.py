"""What a kitchen says about its work: that a meal is cooked 出餐."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.canteens.delivery.models import KitchenBatch
from timebank.canteens.delivery.queries.kitchen import kitchen_here
from timebank.canteens.delivery.rules import must_be_todays, must_work_at
from timebank.canteens.network.queries import canteen_here, organisation_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict


def mark_cooked(session: Session, *, actor: Actor, canteen_id: UUID, served_on: date, meal: str) -> KitchenBatch:
    """Say that a meal of today is cooked, now, for the kitchen and all whom it serves.

    Raises NotFound ``canteen_unknown``; NotAllowed ``canteen_not_yours``; Refused ``not_a_kitchen``,
    ``cooked_only_today``; Conflict ``already_cooked`` with when it was.
    """
    canteen_here(session, canteen_id)
    must_work_at(actor, canteen_id, organisation_of(session, canteen_id).township_code)
    kitchen = kitchen_here(session, actor, canteen_id)
    must_be_todays(served_on, clock.today())
    key = {"canteen_id": kitchen.id, "served_on": served_on, "meal": meal}
    by = {"cooked_at": clock.now(), "cooked_by": actor.login_id, "cooked_by_name": actor.name}
    made = insert(KitchenBatch).values(**key, **by).on_conflict_do_nothing().returning(KitchenBatch.canteen_id)
    fresh = session.scalar(made) is not None
    batch = session.get_one(KitchenBatch, (kitchen.id, served_on, meal), populate_existing=True)
    if not fresh:
        raise Conflict("already_cooked", "这一餐已经登记出餐", cooked_at=batch.cooked_at)
    return batch
