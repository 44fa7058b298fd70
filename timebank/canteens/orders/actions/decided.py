"""What judging orders works with: places, accounts, what an earlier revision gives back, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from timebank.canteens.menus.models import MenuItem
from timebank.canteens.network.models import Canteen
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderWanted
from timebank.canteens.pricing.rules import Receipt, UseKey
from timebank.core.errors import BankError
from timebank.redemption.models import Voucher
from timebank.townships.models import Organisation

Chosen = tuple[tuple[MenuItem, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A canteen with its name and township."""

    canteen: Canteen
    organisation: Organisation

    @property
    def township_code(self) -> str:
        """Whose policies hold here."""
        return self.organisation.township_code


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts that bear a meal: purses by person, gifts of money and of produce by canteen."""

    purses: Mapping[UUID, int]
    donated: Mapping[UUID, int]
    produce: Mapping[UUID, int]


@dataclass(frozen=True, slots=True)
class Before:
    """What an order that is being changed gives back before it is judged anew; ``portions`` by dish."""

    order: MealOrder
    order_portions: int
    portions: Mapping[UUID, int]
    uses: Mapping[UseKey, int]
    held: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Decided:
    """One order as it is to be written; ``before`` where it takes the place of an earlier revision."""

    order_id: UUID
    wanted: OrderWanted
    pickup_number: int
    chosen: Chosen
    receipt: Receipt
    diet_form: str
    delivery_address: str | None
    delivery_note: str
    voucher: Voucher | None
    cut_off_at: datetime
    before: Before | None = None

    @property
    def from_purse_fen(self) -> int:
        """What the elder pays, in fen, unless it is cash."""
        return 0 if self.wanted.cash else self.receipt.elder_fen

    @property
    def voucher_id(self) -> UUID | None:
        """The voucher that pays, if one does."""
        return None if self.voucher is None else self.voucher.id


Verdict = Decided | BankError
