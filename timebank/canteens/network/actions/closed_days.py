"""Days, or single meals, on which a canteen serves nothing 停餐: entered beforehand, alone or for a range (holidays).

Orders that stand are not touched here, and not looked for: this part of the bank knows of none. From now on nobody can
order for that day, and the job ``stop_meals`` of orders cancels those that stand, gives everything back and tells the
diners.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.models import Canteen, CanteenClosedDay
from timebank.canteens.network.queries import lock_canteen
from timebank.canteens.network.rules import days_to_close, must_not_be_closed, must_not_have_begun
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotFound
from timebank.townships.models import Organisation


def add_closed_days(
    session: Session,
    *,
    actor: Actor,
    canteen_id: UUID,
    first_on: date,
    last_on: date,
    reason: str,
    meal: str | None = None,
) -> Sequence[CanteenClosedDay]:
    """Enter closed days from ``first_on`` to ``last_on``, both included; one meal of each, or (None) the whole days.

    A day that is entered already keeps its reason. Answers the range as it stands now, by day. Raises NotAllowed
    ``steward_only``, ``other_township``; NotFound ``canteen_unknown``; Conflict ``canteen_closed``; Refused
    ``days_backwards``, ``days_too_many``, ``day_begun``, ``reason_needed``.
    """
    _stewarded(session, actor, canteen_id)
    days = days_to_close(first_on, last_on, clock.today())
    given = {
        "canteen_id": canteen_id,
        "meal": meal or "",
        "reason": reason_given(reason),
        "entered_at": clock.now(),
        "entered_by": actor.login_id,
    }
    session.execute(
        insert(CanteenClosedDay).values([{**given, "closed_on": day} for day in days]).on_conflict_do_nothing()
    )
    note_down(
        session,
        actor=actor,
        action="canteen_days_closed",
        subject=("canteen", canteen_id),
        first_on=first_on.isoformat(),
        last_on=last_on.isoformat(),
        meal=meal,
        reason=given["reason"],
    )
    query = select(CanteenClosedDay).where(
        CanteenClosedDay.canteen_id == canteen_id, CanteenClosedDay.closed_on.between(first_on, last_on)
    )
    return session.scalars(query.order_by(CanteenClosedDay.closed_on, CanteenClosedDay.meal)).all()


def remove_closed_day(
    session: Session, *, actor: Actor, canteen_id: UUID, closed_on: date, meal: str | None = None
) -> None:
    """Serve after all on a day that has not begun; orders that were cancelled stay cancelled.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``canteen_unknown``, ``closed_day_unknown``;
    Conflict ``canteen_closed``; Refused ``day_begun``.
    """
    _stewarded(session, actor, canteen_id)
    entered = session.get(CanteenClosedDay, (canteen_id, closed_on, meal or ""))
    if entered is None:
        raise NotFound("closed_day_unknown", "这一天没有登记停餐", closed_on=closed_on.isoformat(), meal=meal)
    must_not_have_begun(closed_on, clock.today())
    session.delete(entered)
    session.flush()
    note_down(
        session,
        actor=actor,
        action="canteen_day_opened",
        subject=("canteen", canteen_id),
        closed_on=closed_on.isoformat(),
        meal=meal,
    )


def _stewarded(session: Session, actor: Actor, canteen_id: UUID) -> Canteen:
    actor.must_be_steward()
    canteen = lock_canteen(session, canteen_id)
    actor.must_steward(session.get_one(Organisation, canteen_id).township_code)
    must_not_be_closed(canteen.state)
    return canteen
