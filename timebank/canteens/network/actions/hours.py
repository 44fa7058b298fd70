"""Setting when a canteen serves which meal, and for how many 供餐时间."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.models import Canteen, CanteenHours
from timebank.canteens.network.queries import lock_canteen
from timebank.canteens.network.rules import CanteenState, MealHours, must_be_a_week, must_not_be_closed
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.townships.models import Organisation


def set_hours(session: Session, *, actor: Actor, canteen_id: UUID, week: Sequence[MealHours]) -> Canteen:
    """Set the whole week anew, for the stewards of the canteen's township.

    What is ordered already stays ordered: each new order reads the hours anew (``services_on``), and the count of a
    day that has orders never falls below them. Where a meal is left out, the job ``stop_meals`` of orders cancels what
    waits for it. Raises NotAllowed ``steward_only``,
    ``other_township``; NotFound ``canteen_unknown``; Conflict ``canteen_closed``; Refused ``hours_twice``,
    ``hours_backwards``, ``hours_overlap``, ``amount_invalid``, ``hours_needed`` where an open canteen is to have none.
    """
    actor.must_be_steward()
    canteen = lock_canteen(session, canteen_id)
    actor.must_steward(session.get_one(Organisation, canteen_id).township_code)
    must_not_be_closed(canteen.state)
    must_be_a_week(week)
    if not week and canteen.state in (CanteenState.OPEN, CanteenState.SUSPENDED):
        raise Refused("hours_needed", "营业中的助餐点须有供餐时间；不再供餐请办理暂停或关闭", field="hours")
    session.execute(delete(CanteenHours).where(CanteenHours.canteen_id == canteen_id))
    session.add_all([CanteenHours(canteen_id=canteen_id, **asdict(one)) for one in week])
    session.flush()
    kept = [_in_words(one) for one in sorted(week, key=lambda h: (h.weekday, h.opens_at))]
    note_down(session, actor=actor, action="canteen_hours_set", subject=("canteen", canteen_id), hours=kept)
    return canteen


def _in_words(one: MealHours) -> dict[str, Any]:
    return {
        "weekday": one.weekday,
        "meal": str(one.meal),
        "hours": f"{one.opens_at:%H:%M}-{one.closes_at:%H:%M}",
        "capacity_meals": one.capacity_meals,
    }
