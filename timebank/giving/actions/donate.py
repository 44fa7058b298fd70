"""Donating savings to the pool of the home township 捐赠; the row is kept for honour."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.ids import new_id
from timebank.giving.models import Donation
from timebank.giving.rules import DONATION, must_be_amount
from timebank.ledger.actions import ensure_accounts, post_one, township_accounts
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person
from timebank.people.queries import must_be_here, nobody_moves, person
from timebank.policies.queries import in_force
from timebank.townships.queries import township


def donate(session: Session, *, actor: Actor, minutes: int, note: str = "", from_group: str | None = None) -> Donation:
    """Give minutes of one's savings to the pool of the home township, at whatever age.

    ``from_group`` names the volunteers' team in whose honour it is. Raises NotAllowed ``registration_needed``;
    Refused ``amount_invalid``, ``insufficient_minutes``; Conflict ``person_left``.
    """
    donor_id = actor.person()
    must_be_amount(minutes)
    nobody_moves(session)
    donor = person(session, donor_id, for_update=True)
    must_be_here(donor)
    home = donor.township_code
    donation = Donation(
        id=new_id(),
        donor_id=donor.id,
        township_code=home,
        minutes=minutes,
        from_group=from_group,
        note=note,
        donated_at=clock.now(),
        donated_by=actor.login_id,
        donated_by_name=actor.name,
    )
    movement = Movement(
        id=new_id(),
        from_account_id=ensure_accounts(session, [(donor.id, home)], AccountKind.SAVINGS)[donor.id],
        to_account_id=township_accounts(session, [home], AccountKind.POOL)[home],
        amount=minutes,
        kind=DONATION,
        effective_at=donation.donated_at,
        cause_kind=DONATION,
        cause_id=donation.id,
        note=f"以{from_group}名义捐赠" if from_group else "",
        policy_version=in_force(session, at=donation.donated_at).version,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    donation.transfer_id = movement.id
    session.add(donation)
    session.flush()
    body = f"您向{township(session, home).name}公益时间池捐赠了{hours_text(minutes)}，感谢您的爱心。"
    notify_person(session, person_id=donor.id, title="捐赠已入池", body=body)
    return donation
