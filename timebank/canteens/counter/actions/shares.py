"""What a meal moves: each share out of its account into the canteen's, with the holds that end by it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.counter.rules import SHARE_KINDS
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import CAUSE
from timebank.canteens.pricing.rules import Share
from timebank.canteens.purses.queries import purse_accounts
from timebank.core.actors import Actor
from timebank.core.amounts import Unit
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_accounts_of_kinds
from timebank.ledger.holding import Capture
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import HOUSE, OF_ORGANISATIONS, AccountKind, Movement


@dataclass(frozen=True, slots=True)
class MealAccounts:
    """Between which accounts the shares of some orders move."""

    purses: Mapping[UUID, int]
    of_canteens: Mapping[AccountKind, Mapping[UUID, int]]
    subsidy: int
    volunteered: int
    names: Mapping[UUID, str] = field(default_factory=dict)

    def all(self) -> set[int]:
        """Every one of them."""
        found = {self.subsidy, self.volunteered, *self.purses.values()}
        return found.union(*(accounts.values() for accounts in self.of_canteens.values()))


def meal_accounts(session: Session, orders: Collection[MealOrder], names: Mapping[UUID, str]) -> MealAccounts:
    """The accounts of these orders' diners and canteens and the house's, opened where they are missing."""
    canteen_ids = {order.canteen_id for order in orders}
    rows = session.execute(
        select(Account.kind, Account.id).where(
            Account.book_code == HOUSE,
            Account.unit == Unit.FEN,
            Account.kind.in_([AccountKind.SUBSIDY, AccountKind.VOLUNTEERED]),
        )
    )
    house = {row.kind: row.id for row in rows}
    return MealAccounts(
        purses=purse_accounts(session, {order.diner_id for order in orders if order.diner_id is not None}),
        of_canteens=ensure_accounts_of_kinds(session, canteen_ids, OF_ORGANISATIONS),
        subsidy=house[AccountKind.SUBSIDY],
        volunteered=house[AccountKind.VOLUNTEERED],
        names=names,
    )


def capture_of(
    order: MealOrder, accounts: MealAccounts, holds: Sequence[Hold], *, actor: Actor, at: datetime, note: str
) -> Capture:
    """All shares of a meal in one posting, and the holds that end with it; the shares make up the list price."""
    canteen = accounts.of_canteens[AccountKind.CANTEEN][order.canteen_id]
    movements = tuple(
        Movement(
            id=new_id(),
            from_account_id=source,
            to_account_id=canteen,
            amount=fen,
            kind=SHARE_KINDS[share],
            effective_at=at,
            cause_kind=CAUSE,
            cause_id=order.id,
            note=note,
            policy_version=order.policy_version,
            recorded_by=actor.login_id,
        )
        for share, source, fen in _parts(order, accounts)
        if fen > 0
    )
    return Capture({hold.id: hold.amount for hold in holds}, movements)


def _parts(order: MealOrder, accounts: MealAccounts) -> Iterator[tuple[Share, int, int]]:
    of = accounts.of_canteens
    if order.diner_id is not None:
        yield Share.ELDER, accounts.purses[order.diner_id], order.elder_fen - order.cash_fen
    yield Share.ELDER, of[AccountKind.TILL][order.canteen_id], order.cash_fen
    yield Share.GOVERNMENT, accounts.subsidy, order.government_fen
    yield Share.DONATION, of[AccountKind.DONATED][order.canteen_id], order.donation_fen
    yield Share.GARDEN, of[AccountKind.PRODUCE][order.canteen_id], order.garden_fen
    yield Share.VOLUNTEERS, accounts.volunteered, order.volunteers_fen
