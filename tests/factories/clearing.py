"""Clearing for tests: meals eaten elsewhere, windows closed, reviewed and settled, each step a unit of work."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from tests.factories.people import SHANGTIAN, add_canteen, clerk, district, steward
from tests.factories.vouchers import bought, scan
from timebank.clearing import actions as clearing
from timebank.clearing.models import ClearingWindow, Payment, Settlement, Statement
from timebank.clearing.queries import find_window, open_window, positions
from timebank.core import clock
from timebank.core.db import Database


def eat(bank: Database, township_code: str, *, meals: int = 1, of: str = SHANGTIAN) -> UUID:
    """People of one township eat in another; answers the voucher that was redeemed last."""
    _, vouchers = bought(bank, meals, township_code=of)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, township_code))
    for voucher in vouchers:
        assert scan(bank, counter, voucher.code).verdict.accepted
    return vouchers[-1].id


def close(bank: Database, at: datetime | None = None) -> str:
    """Close the open window; answers its name."""
    if at is not None:
        clock.freeze(at)
    with bank.unit_of_work() as session:
        return clearing.close_window(session, actor=district(), window_name=open_window(session).name).name


def confirm_all(bank: Database, window: str) -> None:
    """Every township that has a statement confirms it."""
    with bank.session() as session:
        number = find_window(session, window).number
        codes = session.scalars(select(Statement.township_code).where(Statement.window_number == number)).all()
    for code in codes:
        with bank.unit_of_work() as session:
            clearing.confirm_statement(session, actor=steward(code), window_name=window)


def settle(bank: Database, window: str) -> Settlement:
    """Settle a window that everybody has confirmed."""
    with bank.unit_of_work() as session:
        return clearing.settle_window(session, actor=district(), window_name=window)


def closed_and_confirmed(bank: Database) -> str:
    """The open window closed and confirmed by everybody."""
    window = close(bank)
    confirm_all(bank, window)
    return window


def transfer_of(bank: Database, cause_id: UUID, kind: str = "voucher_redemption") -> UUID:
    """The first leg of what a voucher or task caused."""
    query = text("SELECT id FROM ledger_transfer WHERE cause_id = :cause AND kind = :kind AND id = link_id")
    with bank.session() as session:
        return session.execute(query, {"cause": cause_id, "kind": kind}).scalar_one()


def position_minutes(bank: Database, window: str | None) -> dict[str, int]:
    """Positions that are not zero, by township."""
    with bank.session() as session:
        _, found = positions(session, window_name=window)
    assert sum(position.position_minutes for position in found) == 0
    return {p.township_code: p.position_minutes for p in found if p.position_minutes}


def owed(bank: Database) -> dict[str, int]:
    """What townships owe in all windows not settled, where that is not zero."""
    with bank.session() as session:
        _, found = positions(session, window_name=None)
    return {p.township_code: p.owed_minutes for p in found if p.owed_minutes}


def payments_of(bank: Database, window: str) -> dict[str, Payment]:
    """The newest payment of each township in the newest settlement of a window."""
    query = (
        select(Payment)
        .join(Settlement, Settlement.id == Payment.settlement_id)
        .join(ClearingWindow, ClearingWindow.number == Settlement.window_number)
        .where(ClearingWindow.name == window)
        .order_by(Settlement.attempt, Payment.attempt)
    )
    with bank.session() as session:
        return {payment.township_code: payment for payment in session.scalars(query)}
