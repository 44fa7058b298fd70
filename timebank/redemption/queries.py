"""Seeing vouchers."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, NotFound
from timebank.people.queries import acts_for
from timebank.redemption.models import Voucher
from timebank.townships.models import Organisation


def vouchers_of(
    session: Session,
    *,
    actor: Actor,
    for_person_id: UUID | None = None,
    status: str | None = None,
    limit: int,
    before: UUID | None = None,
) -> list[tuple[Voucher, str | None]]:
    """Vouchers of oneself or of an elder one acts for, newest first, with the canteen's name where one was used.

    Raises NotAllowed ``registration_needed``, ``not_your_elder``.
    """
    holder_id = for_person_id or actor.person()
    if not acts_for(session, actor, holder_id):
        raise NotAllowed("not_your_elder", "只能查看本人或登记代办的老人的用餐券")
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


def voucher_for(session: Session, *, actor: Actor, voucher_id: UUID) -> Voucher:
    """One voucher of the actor or of an elder the actor acts for. Raises NotFound ``voucher_unknown``."""
    found = session.get(Voucher, voucher_id)
    if found is None or not acts_for(session, actor, found.holder_id):
        raise NotFound("voucher_unknown", "没有这张用餐券", voucher_id=voucher_id)
    return found
