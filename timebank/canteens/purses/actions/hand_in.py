"""Handing a drawer in 缴款: the township's steward receives cash of a canteen's counter."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.queries import lock_canteen, organisation_of
from timebank.canteens.purses.actions.references import must_be_new_reference
from timebank.canteens.purses.models import TillHandIn
from timebank.canteens.purses.queries import drawer_fen, till_account
from timebank.canteens.purses.rules import CAUSE_HAND_IN, HANDED_IN, must_be_in_drawer
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import house_account
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.policies.queries import in_force


def hand_in(session: Session, *, actor: Actor, canteen_id: UUID, amount_fen: int, reference: str) -> TillHandIn:
    """Receive cash out of a canteen's drawer, not more than it should hold; ``reference`` is the receipt's number.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``canteen_unknown``; Conflict ``drawer_short``,
    ``reference_already_entered``; Refused ``amount_invalid``.
    """
    actor.must_be_steward()
    assert actor.login_id is not None
    place = organisation_of(session, canteen_id)
    actor.must_steward(place.township_code)
    lock_canteen(session, canteen_id)
    reference = reference.strip()
    must_be_new_reference(session, TillHandIn, reference)
    must_be_in_drawer(amount_fen, drawer_fen(session, canteen_id))
    received = TillHandIn(
        id=new_id(),
        canteen_id=canteen_id,
        amount_fen=amount_fen,
        reference=reference,
        received_at=clock.now(),
        received_by=actor.login_id,
        received_by_name=actor.name,
        transfer_id=new_id(),
    )
    movement = Movement(
        id=received.transfer_id,
        from_account_id=house_account(session, AccountKind.CASH),
        to_account_id=till_account(session, canteen_id),
        amount=amount_fen,
        kind=HANDED_IN,
        effective_at=received.received_at,
        cause_kind=CAUSE_HAND_IN,
        cause_id=received.id,
        note=reference,
        policy_version=in_force(session, at=clock.now()).version,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    session.add(received)
    session.flush()
    note_down(session, actor=actor, action="till_handed_in", subject=("canteen", canteen_id), amount_fen=amount_fen)
    return received
