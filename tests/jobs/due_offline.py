"""What is due for counters without a line."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.clearing import eat
from tests.factories.people import XIWU
from timebank.core.db import Database
from timebank.redemption.offline_models import SigningKey, VoucherEnding


def signing_without_a_key(bank: Database) -> Callable[[Session], object]:
    """A bank on its first day."""
    return lambda session: session.scalar(select(func.count()).select_from(SigningKey))


def eaten_and_not_listed(bank: Database) -> Callable[[Session], object]:
    """Three vouchers used before their last day."""
    eat(bank, XIWU, meals=3)
    return _numbers


def _numbers(session: Session) -> list[int | None]:
    return list(session.scalars(select(VoucherEnding.number).order_by(VoucherEnding.id)))
