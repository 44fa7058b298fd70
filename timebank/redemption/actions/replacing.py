"""Putting another voucher in the place of one: for a card that was lost, or for somebody it is given to."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.people.queries import spoken_name
from timebank.redemption.codes import new_code
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoidReason, VoucherStatus


def successor_of(
    voucher: Voucher, *, actor: Actor, giver: Person, holder_id: UUID, account_id: int, given: bool = False
) -> Voucher:
    """A voucher of the same terms under a new code; a ``given`` one begins a life of its own."""
    number = new_id()
    return Voucher(
        id=number,
        origin_id=number if given else voucher.origin_id,
        replaces_id=voucher.id,
        code=new_code(),
        holder_id=holder_id,
        account_id=account_id,
        source_account_id=voucher.account_id if given else voucher.source_account_id,
        price_minutes=voucher.price_minutes,
        policy_version=voucher.policy_version,
        status=VoucherStatus.ISSUED,
        issued_at=clock.now(),
        issued_by=actor.login_id,
        issued_by_name=spoken_name(actor, giver),
        expires_at=voucher.expires_at,
        only_township_code=voucher.only_township_code,
        weekdays=voucher.weekdays,
        meals=voucher.meals,
        on_expiry=voucher.on_expiry,
        reminded_at=None if given else voucher.reminded_at,
    )


def put_in_place(session: Session, replaced: dict[UUID, Voucher], old: list[Voucher], reason: VoidReason) -> None:
    """Write the new vouchers, by the id of what each replaces, and make the ``old`` ones, which are locked, void."""
    session.add_all(replaced.values())
    session.flush()
    for voucher in old:
        voucher.status, voucher.ended_at = VoucherStatus.VOID, clock.now()
        voucher.void_reason, voucher.replaced_by_id = reason, replaced[voucher.id].id
    session.flush()
