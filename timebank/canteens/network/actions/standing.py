"""A canteen opens 开业, pauses 暂停, and closes for good 关闭.

While it is not open nobody can order there and its counter redeems no voucher. Orders that stand are not touched here:
this part of the bank knows of none. ``services_on`` says from then on why the meal is not served, and the job
``stop_meals`` of orders cancels them and tells the diners.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.models import Canteen, CanteenHours
from timebank.canteens.network.queries import canteen_unknown, lock_canteen, lock_canteens
from timebank.canteens.network.rules import CanteenState, after, must_be_ready, must_not_be_a_kitchen
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.townships.models import Organisation


def open_canteen(session: Session, *, actor: Actor, canteen_id: UUID) -> Canteen:
    """Open an accepted or a suspended canteen, for the stewards of its township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``canteen_unknown``; Conflict ``wrong_state``;
    Refused ``place_needed``, ``hours_needed``, ``kitchen_unfit``.
    """
    canteen, kitchen = _with_kitchen(session, actor, canteen_id)
    state = after("open", canteen.state)
    hours = select(func.count()).select_from(CanteenHours).where(CanteenHours.canteen_id == canteen_id)
    must_be_ready(
        has_place=canteen.latitude is not None,
        has_hours=bool(session.scalar(hours)),
        kitchen_state=kitchen.state if kitchen is not None else None,
    )
    canteen.opened_at = clock.now()
    _stand(session, actor, canteen, state, "")
    return canteen


def suspend(session: Session, *, actor: Actor, canteen_id: UUID, reason: str) -> Canteen:
    """Let an open canteen serve nothing until it is opened again; canteens it cooks for serve nothing either.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``canteen_unknown``; Conflict ``wrong_state``;
    Refused ``reason_needed``.
    """
    canteen = _stewarded(session, actor, canteen_id)
    state, reason = after("suspend", canteen.state), reason_given(reason)
    canteen.suspended_at = clock.now()
    _stand(session, actor, canteen, state, reason)
    return canteen


def close(session: Session, *, actor: Actor, canteen_id: UUID, reason: str) -> Canteen:
    """Close a canteen for good, or withdraw its application; its number is never given again.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``canteen_unknown``; Conflict ``wrong_state``,
    ``kitchen_in_use`` while it cooks for others that are not closed; Refused ``reason_needed``.
    """
    canteen = _stewarded(session, actor, canteen_id)
    state, reason = after("close", canteen.state), reason_given(reason)
    served = (
        select(Organisation.name)
        .join(Canteen, Canteen.id == Organisation.id)
        .where(Canteen.kitchen_id == canteen_id, Canteen.state != CanteenState.CLOSED)
    )
    must_not_be_a_kitchen(list(session.scalars(served.order_by(Organisation.name))))
    canteen.closed_at = clock.now()
    _stand(session, actor, canteen, state, reason)
    return canteen


def _stewarded(session: Session, actor: Actor, canteen_id: UUID) -> Canteen:
    # Before anything is looked up, so that whoever is no steward learns nothing about what exists.
    actor.must_be_steward()
    canteen = lock_canteen(session, canteen_id)
    actor.must_steward(session.get_one(Organisation, canteen_id).township_code)
    return canteen


def _with_kitchen(session: Session, actor: Actor, canteen_id: UUID) -> tuple[Canteen, Canteen | None]:
    """The canteen and the kitchen that cooks for it, both locked, so that neither closes meanwhile."""
    actor.must_be_steward()
    kitchen_id = session.scalar(select(Canteen.kitchen_id).where(Canteen.id == canteen_id))
    locked = lock_canteens(session, {canteen_id, kitchen_id or canteen_id})
    canteen = locked.get(canteen_id)
    if canteen is None:
        raise canteen_unknown(canteen_id)
    actor.must_steward(session.get_one(Organisation, canteen_id).township_code)
    if canteen.kitchen_id is None:
        return canteen, None
    # Changed a moment before it was locked: then it is read as it is.
    return canteen, locked.get(canteen.kitchen_id) or session.get_one(Canteen, canteen.kitchen_id)


def _stand(session: Session, actor: Actor, canteen: Canteen, state: CanteenState, reason: str) -> None:
    """Put a canteen into a state, and let the counters below know whether it serves."""
    canteen.state, canteen.state_reason = state, reason
    organisation = session.get_one(Organisation, canteen.id)
    if state == CanteenState.OPEN:
        organisation.not_serving_since = None
    elif organisation.not_serving_since is None:
        organisation.not_serving_since = clock.now()
    session.flush()
    note_down(session, actor=actor, action=f"canteen_{state}", subject=("canteen", canteen.id), reason=reason)
