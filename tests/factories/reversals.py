"""Reversals for tests: two stewards of the district, one after the other."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select

from tests.factories.people import district
from timebank.core.db import Database
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.redemption.queries import order_of, origin_of


def reversed_by_two(bank: Database, kind: str, *, cause_id: UUID | None = None) -> UUID:
    """Reverse the first movement of one kind, asked for and approved; answers the reversal."""
    query = select(Transfer.id).where(
        Transfer.kind == kind, or_(Transfer.link_id.is_(None), Transfer.link_id == Transfer.id)
    )
    if cause_id is not None:
        query = query.where(Transfer.cause_id == cause_id)
    with bank.session() as session:
        transfer_id = session.scalars(query.order_by(Transfer.seq).limit(1)).one()
    for reason in ("记错", "同意"):
        with bank.unit_of_work() as session:
            state, _, reversal_id = reverse(
                session,
                actor=district(),
                transfer_id=transfer_id,
                reason=reason,
                origin_of=origin_of,
                order_of=order_of,
            )
    assert state == "reversed"
    assert reversal_id is not None
    return reversal_id
