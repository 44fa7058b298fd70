"""Redeeming for somebody without phone or card, whom the clerk has looked up."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.redemption.actions.redeem_vouchers import ScanAnswer, redeem_vouchers
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan


def redeem_for(
    session: Session, *, actor: Actor, voucher_id: UUID, nonce: str, scanned_at: datetime | None = None
) -> ScanAnswer:
    """Use one voucher by its id: a scan like any other, with a nonce and one final answer.

    Raises NotAllowed ``clerk_only``; NotFound ``canteen_unknown``.
    """
    code = session.scalar(select(Voucher.code).where(Voucher.id == voucher_id))
    # An id that is none of a voucher is no code either: kept and answered as an unknown one.
    scan = Scan(code or str(voucher_id), nonce, scanned_at)
    return redeem_vouchers(session, actor=actor, scans=[scan])[0]
