"""Money given to meals 助餐捐款: received for one canteen or for the district's pot, and passed on from there.

A mistake is corrected as everywhere: by a reversal that a second steward approves (``ledger.reverse``); what has been
eaten of a gift cannot be taken back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.purses.actions.references import must_be_new_reference
from timebank.canteens.subsidies.models import DonationAllotment, MealDonation
from timebank.canteens.subsidies.rules import received_at
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_stewards

DONATION, ALLOTMENT = "meal_donation", "donation_allotment"
"""What the transfers of a gift and of an allotment name as their cause."""


@dataclass(frozen=True, slots=True)
class NewDonation:
    """Money as it came in; without ``donor_name`` the donor stays unnamed, without canteen it goes into the pot."""

    amount_fen: int
    received_on: date
    reference: str
    donor_name: str | None = None
    canteen_id: UUID | None = None
    note: str = ""


def receive_donation(session: Session, *, actor: Actor, form: NewDonation) -> MealDonation:
    """Write money down that was given, by a steward of the canteen's township; into the pot by any steward.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``canteen_unknown``; Refused ``day_in_future``,
    ``amount_invalid``; Conflict ``reference_already_entered``.
    """
    actor.must_be_steward()
    at = received_at(form.received_on, clock.now())
    if form.canteen_id is None:
        target = house_account(session, AccountKind.DONATED)
    else:
        actor.must_steward(organisation_of(session, form.canteen_id).township_code)
        target = ensure_organisation_accounts(session, [form.canteen_id], AccountKind.DONATED)[form.canteen_id]
    reference = form.reference.strip()
    must_be_new_reference(session, MealDonation, reference)
    assert actor.login_id is not None
    donation = MealDonation(
        id=new_id(),
        donor_name=(form.donor_name or "").strip() or None,
        amount_fen=form.amount_fen,
        canteen_id=form.canteen_id,
        received_on=form.received_on,
        reference=reference,
        note=form.note,
        received_at=clock.now(),
        received_by=actor.login_id,
        received_by_name=actor.name,
        transfer_id=new_id(),
    )
    movement = Movement(
        id=donation.transfer_id,
        from_account_id=house_account(session, AccountKind.CASH),
        to_account_id=target,
        amount=form.amount_fen,
        kind="money_donated",
        effective_at=at,
        cause_kind=DONATION,
        cause_id=donation.id,
        note=reference,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    session.add(donation)
    session.flush()
    note_down(session, actor=actor, action="donation_received", subject=(DONATION, donation.id), fen=form.amount_fen)
    return donation


def allot_donations(
    session: Session, *, actor: Actor, canteen_id: UUID, amount_fen: int, note: str = ""
) -> DonationAllotment:
    """Pass money of the district's pot on to a canteen, by the district; what was given first goes first.

    Raises NotAllowed ``district_only``; NotFound ``canteen_unknown``; Refused ``insufficient_fen``, ``amount_invalid``.
    """
    actor.must_be_district()
    organisation = organisation_of(session, canteen_id)
    assert actor.login_id is not None
    allotment = DonationAllotment(
        id=new_id(),
        canteen_id=canteen_id,
        amount_fen=amount_fen,
        note=note,
        allotted_at=clock.now(),
        allotted_by=actor.login_id,
        allotted_by_name=actor.name,
        transfer_id=new_id(),
    )
    movement = Movement(
        id=allotment.transfer_id,
        from_account_id=house_account(session, AccountKind.DONATED),
        to_account_id=ensure_organisation_accounts(session, [canteen_id], AccountKind.DONATED)[canteen_id],
        amount=amount_fen,
        kind="donation_allotted",
        effective_at=clock.now(),
        cause_kind=ALLOTMENT,
        cause_id=allotment.id,
        note=note,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    session.add(allotment)
    session.flush()
    note_down(session, actor=actor, action="donations_allotted", subject=(ALLOTMENT, allotment.id), fen=amount_fen)
    body = f"{organisation.name}获分配助餐捐款。"
    notify_stewards(session, township_code=organisation.township_code, title="助餐捐款已分配", body=body)
    return allotment
