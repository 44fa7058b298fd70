"""Numbers of receipts 凭证号: money that came in is entered once under each, unless the entry was reversed."""

from __future__ import annotations

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from timebank.canteens.purses.rules import reference_already_entered
from timebank.core.db import Base
from timebank.ledger.models import Transfer


def must_be_new_reference(session: Session, of: type[Base], reference: str) -> None:
    """Refuse a number that was entered in this table of money received; who enters the same one at once waits.

    Raises Conflict ``reference_already_entered`` with when and by whom.
    """
    # As the table's own trigger locks it.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{of.__tablename__} {reference}", 0))))
    entered = of.__table__.c
    undone = exists().where(Transfer.reverses_id == entered.transfer_id)
    query = select(entered.received_at, entered.received_by_name).where(entered.reference == reference, ~undone)
    found = session.execute(query.limit(1)).one_or_none()
    if found is not None:
        raise reference_already_entered(reference, found.received_at, found.received_by_name)
