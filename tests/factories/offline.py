"""Counters without a line, for tests: a signing key, signed texts, and scans sent long after they were made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import count
from uuid import UUID

from sqlalchemy import func, select

from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.redemption.actions import ScanAnswer, make_signing_key, redeem_vouchers
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.offline_models import GuaranteeLoss
from timebank.redemption.offline_queries import qr_texts
from timebank.redemption.rules import Scan

_nonces = count(1)


def add_key(bank: Database) -> int:
    """A key that signs from now on, where none does; answers its number."""
    with bank.unit_of_work() as session:
        key = make_signing_key(session)
        assert key is not None
        return key.id


def texts_of(bank: Database, vouchers: Sequence[Voucher]) -> list[str]:
    """What the QRs of these vouchers say today."""
    with bank.session() as session:
        return qr_texts(session, vouchers)


def offline_scan(text: str, at: datetime, nonce: str | None = None) -> Scan:
    """A scan made at ``at`` by a counter without a line."""
    return Scan(text, nonce or f"off{next(_nonces)}", at, offline=True)


def send(bank: Database, counter: Actor, *scans: Scan) -> list[ScanAnswer]:
    """A counter is back on the line and sends what it has."""
    with bank.unit_of_work() as session:
        return redeem_vouchers(session, actor=counter, scans=scans)


def losses_of(bank: Database) -> list[GuaranteeLoss]:
    """All losses, oldest first."""
    with bank.session() as session:
        return list(session.scalars(select(GuaranteeLoss).order_by(GuaranteeLoss.id)))


def scans_of(bank: Database, voucher_id: UUID) -> int:
    """How many scans of one voucher are kept."""
    with bank.session() as session:
        query = select(func.count()).where(VoucherScan.voucher_id == voucher_id)
        return int(session.scalar(query) or 0)
