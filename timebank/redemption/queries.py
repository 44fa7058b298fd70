"""Seeing vouchers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, NotFound
from timebank.ledger.models import Account, Transfer
from timebank.people.queries import acts_for, person
from timebank.people.rules import ProxyScope
from timebank.redemption.models import Voucher
from timebank.townships.models import Organisation


def handles_vouchers_of(session: Session, actor: Actor, holder_id: UUID) -> bool:
    """Whether the actor is the holder, a proxy for meals, or a steward of the holder's township.

    Raises NotAllowed ``proxy_scope_missing`` for a proxy who was allowed other things.
    """
    if acts_for(session, actor, holder_id, ProxyScope.MEALS):
        return True
    return actor.is_steward and actor.stewards(person(session, holder_id).township_code)


def vouchers_of(
    session: Session,
    *,
    actor: Actor,
    for_person_id: UUID | None = None,
    status: str | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[tuple[Voucher, str | None]]:
    """Vouchers of oneself, of an elder one acts for, or of somebody of a steward's township, newest first.

    With each comes the canteen's name where it was used. Raises NotAllowed ``registration_needed``,
    ``not_your_elder``, ``proxy_scope_missing``; NotFound ``person_unknown``.
    """
    holder_id = for_person_id or actor.person()
    if not handles_vouchers_of(session, actor, holder_id):
        raise NotAllowed("not_your_elder", "只能查看本人、登记代办的老人或本镇街老人的用餐券")
    query = (
        select(Voucher, Organisation.name)
        .outerjoin(Organisation, Organisation.id == Voucher.canteen_id)
        .where(Voucher.holder_id == holder_id)
    )
    if status is not None:
        query = query.where(Voucher.status == status)
    if before is not None:
        query = query.where(Voucher.id < before)
    return [(row[0], row[1]) for row in session.execute(query.order_by(Voucher.id.desc()).limit(limit))]


def origin_of(session: Session, voucher_id: UUID) -> UUID:
    """The voucher under whose id this one's minutes were paid: itself, or the one that was lost."""
    return session.get_one(Voucher, voucher_id).origin_id


def order_of(session: Session, voucher_id: UUID) -> UUID | None:
    """The meal that this voucher was set aside for, or has paid; None where it is used by itself."""
    return session.get_one(Voucher, voucher_id).set_aside_for


def lost_with_their_lot(session: Session, vouchers: Sequence[Voucher], *, on: date | None = None) -> int:
    """Minutes that go to the pool, and not back, should these vouchers end unused: the lots that paid are over by then.

    They end on the day ``on``, in Fenghua; where none is named, each when it expires.
    """
    lots = (
        select(Transfer.cause_id, Account.expires_on, func.sum(Transfer.amount))
        .join(Account, Account.id == Transfer.from_account_id)
        .where(
            Transfer.cause_id.in_({voucher.origin_id for voucher in vouchers}),
            Transfer.kind == "voucher_purchase",
            or_(Transfer.link_id.is_(None), Transfer.link_id == Transfer.id),
            Account.expires_on.is_not(None),
        )
        .group_by(Transfer.cause_id, Account.expires_on)
    )
    ends_on = {voucher.origin_id: on or clock.local_date(voucher.expires_at) for voucher in vouchers}
    lost = 0
    for origin_id, last_day, minutes in session.execute(lots):
        if origin_id in ends_on and last_day is not None and last_day < ends_on[origin_id]:
            lost += minutes
    return lost


def voucher_for(session: Session, *, actor: Actor, voucher_id: UUID) -> Voucher:
    """One voucher of the actor or of an elder the actor acts for. Raises NotFound ``voucher_unknown``."""
    found = session.get(Voucher, voucher_id)
    if found is None or not acts_for(session, actor, found.holder_id, ProxyScope.MEALS):
        raise NotFound("voucher_unknown", "没有这张用餐券", voucher_id=voucher_id)
    return found


def voucher_seen(session: Session, *, actor: Actor, voucher_id: UUID) -> tuple[Voucher, str | None]:
    """The same with the name of the canteen where it was used, if it was. Raises NotFound ``voucher_unknown``."""
    found = voucher_for(session, actor=actor, voucher_id=voucher_id)
    canteen = session.get(Organisation, found.canteen_id) if found.canteen_id is not None else None
    return found, canteen.name if canteen is not None else None
