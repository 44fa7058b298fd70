"""At the door 送达: a meal handed over against its code, or brought back with the reason."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.counter.actions.missed import charge, own_part
from timebank.canteens.counter.actions.serve import serve_orders
from timebank.canteens.delivery.actions.carry import carries
from timebank.canteens.delivery.actions.telling import tell_undelivered
from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.queries.kitchen import batch_of
from timebank.canteens.delivery.queries.rounds import code_of, stop_carrying, volunteers_of
from timebank.canteens.delivery.rules import (
    REASON_NAMES,
    StopOutcome,
    UndeliveredReason,
    after,
    charge_percent,
    code_blocked,
    code_fits,
    code_needed,
    code_wrong,
    minutes_between,
    must_be_open,
    stop_unknown,
    works_at,
)
from timebank.canteens.network.queries import canteen_here, organisation_of
from timebank.canteens.orders.actions import release_of
from timebank.canteens.orders.actions.cancel_orders import lock_for_ending
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState, must_be_placed
from timebank.canteens.pricing.rules import Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, Refused
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation


def deliver(
    session: Session, *, actor: Actor, order_id: UUID, handover_code: str = "", evidence: str = ""
) -> DeliveryStop | Refused:
    """Hand a meal over to whoever says its code: it is served and paid.

    By the round's volunteer, or whoever works at the canteen; those may write ``evidence`` down instead of a code, as
    for an elder who was asked on the telephone. A wrong code comes back as a value, Refused ``handover_code_wrong``,
    because it must be counted; after as many as policy allows, ``handover_code_blocked`` until the canteen confirms.
    Raises NotFound ``stop_unknown``; Conflict ``wrong_state``, ``stop_closed``, ``order_ended``; Refused
    ``handover_code_needed``.
    """
    round_, stop, place, at_canteen = _at_the_door(session, actor, order_id)
    evidence = evidence.strip() if at_canteen else ""
    if not evidence:
        refusal = _code_refused(session, place, stop, order_id, handover_code)
        if refusal is not None:
            return refusal
    _lock_to_be_delivered(session, order_id)
    [served] = serve_orders(session, actor=actor, order_ids=[order_id], handed_over=True)
    if isinstance(served, BankError):
        raise served
    now = clock.now()
    batch = batch_of(session, canteen_here(session, round_.canteen_id), round_.served_on, round_.meal)
    stop.minutes_after_cooking = minutes_between(batch.cooked_at if batch else None, now)
    stop.evidence = evidence or None
    _close(session, stop, StopOutcome.DELIVERED, actor)
    if evidence:
        note_down(session, actor=actor, action="meal_handed_over", subject=("meal_order", order_id), evidence=evidence)
    return stop


def report_undelivered(session: Session, *, actor: Actor, order_id: UUID, reason: str, note: str = "") -> DeliveryStop:
    """Bring a meal back: the order ends, policy says what the elder bears, and the rest is given back.

    Diner and proxies hear of it at once; where nobody was at home, so do the township's stewards. Raises NotFound
    ``stop_unknown``; Conflict ``wrong_state``, ``stop_closed``, ``order_ended``.
    """
    _, stop, place, _ = _at_the_door(session, actor, order_id)
    order = _lock_to_be_delivered(session, order_id)
    must_be_placed(order_id, order.state)
    policies = in_force(session, at=clock.now())
    why = UndeliveredReason(reason)
    percent = charge_percent(policies.value("undelivered_charge_percent", place.township_code), why)
    release_of(session, [order], state=OrderState.UNDELIVERED, actor=actor, reason=str(why), keep_holds=True)
    fen = own_part(session, order, percent)
    charged_fen = charge(session, order, fen, policies.version, note=f"未送达：{REASON_NAMES[why]}")
    stop.reason, stop.note = why, note.strip()
    _close(session, stop, StopOutcome.UNDELIVERED, actor)
    tell_undelivered(session, order, place, why, charged_fen)
    return stop


def _lock_to_be_delivered(session: Session, order_id: UUID) -> MealOrder:
    """The order, locked after its diner; what is had at the counter is nobody's to carry. Raises ``stop_unknown``."""
    order = lock_for_ending(session, [order_id])[order_id]
    if order.way != Way.DELIVER:
        raise stop_unknown(order_id)
    return order


def _at_the_door(
    session: Session, actor: Actor, order_id: UUID
) -> tuple[DeliveryRound, DeliveryStop, Organisation, bool]:
    """The open stop of a round that has left, locked, and whether the actor works at the canteen."""
    round_, stop = stop_carrying(session, order_id)
    place = organisation_of(session, round_.canteen_id)
    at_canteen = works_at(actor, round_.canteen_id, place.township_code)
    if not at_canteen and not carries(actor, volunteers_of(session, [round_]).get(round_.id)):
        raise stop_unknown(order_id)
    after("hand_over", round_.state)
    must_be_open(stop.outcome)
    return round_, stop, place, at_canteen


def _code_refused(
    session: Session, place: Organisation, stop: DeliveryStop, order_id: UUID, typed: str
) -> Refused | None:
    """The refusal of what was said at the door, counted; None where it is the code."""
    if not typed.strip():
        raise code_needed()
    most = in_force(session, at=clock.now()).whole("handover_code_most_misses", place.township_code)
    if stop.misses >= most:
        return code_blocked()
    if code_fits(code_of(order_id), typed):
        return None
    stop.misses += 1
    session.flush()
    return code_wrong(most - stop.misses)


def _close(session: Session, stop: DeliveryStop, outcome: StopOutcome, actor: Actor) -> None:
    stop.outcome, stop.closed_at = outcome, clock.now()
    stop.closed_by, stop.closed_by_name = actor.login_id, actor.name
    session.flush()
