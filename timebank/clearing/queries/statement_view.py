"""What a statement 对账单 says of one township in one window. Given is what others owe for, received what is owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from timebank.clearing.queries.windows import WindowView
from timebank.clearing.rules import PricedSum, PriceKind, Standing


@dataclass(frozen=True, slots=True)
class Gross:
    """What was done one way; ``fen`` is None where a price is missing."""

    transfers: int = 0
    minutes: int = 0
    fen: int | None = 0

    def plus(self, one: PricedSum) -> Gross:
        """With one sum more."""
        fen = None if self.fen is None or one.fen is None else self.fen + one.fen
        return replace(self, transfers=self.transfers + one.transfers, minutes=self.minutes + one.minutes, fen=fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class BothWays:
    """What a township gave to others 应收 and received from them 应付; net is positive where it is owed to it."""

    given: Gross = Gross()
    received: Gross = Gross()

    @property
    def transfers(self) -> int:
        """How many lines these are."""
        return self.given.transfers + self.received.transfers

    @property
    def net_minutes(self) -> int:
        """Minutes given less minutes received."""
        return self.given.minutes - self.received.minutes

    @property
    def net_fen(self) -> int | None:
        """Fen of what was given less those of what was received; None where a price is missing."""
        if self.given.fen is None or self.received.fen is None:
            return None
        return self.given.fen - self.received.fen


@dataclass(frozen=True, slots=True, kw_only=True)
class KindTotal(BothWays):
    """The same at one reference price."""

    price_kind: PriceKind
    price_kind_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterpartTotal(BothWays):
    """The same with one other township, or with the house for what was carried over, and by price."""

    counterpart_township_code: str
    counterpart_name: str
    parts: Sequence[KindTotal]


@dataclass(frozen=True, slots=True)
class MovedView:
    """A line that came from an earlier window or went to a later one; minutes are positive where owed to it."""

    transfer_id: UUID
    from_window: str
    to_window: str
    counterpart_township_code: str
    counterpart_name: str
    kind_name: str
    minutes: int
    moved_at: datetime


@dataclass(frozen=True, slots=True)
class DisputeView:
    """An objection to a line of the statement, by the township or by its counterpart, and the ruling if there is one.

    Minutes are positive where they are owed to the township.
    """

    dispute_id: UUID
    transfer_id: UUID
    recorded_at: datetime
    counterpart_township_code: str
    counterpart_name: str
    minutes: int
    raised_by_township_code: str
    raised_by_township_name: str
    reason: str
    raised_at: datetime
    raised_by_name: str
    ruling: str | None
    ruling_name: str | None
    ruling_reason: str | None
    ruled_at: datetime | None
    ruled_by_name: str | None


@dataclass(frozen=True, slots=True)
class ConfirmationView:
    """Who confirmed the statement for the township, and when; ``note`` says why, where the district did."""

    confirmed_at: datetime
    confirmed_by_name: str
    note: str | None


@dataclass(frozen=True, slots=True)
class PaymentPart:
    """One try at the township's payment to the house, or receipt from it."""

    payment_id: UUID
    attempt: int
    direction: str
    direction_name: str
    amount_fen: int
    state: str
    state_name: str
    outside_reference: str | None
    problem: str | None
    instructed_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class SettlementView:
    """How the window was settled, with the township's payments in the order in which they were tried."""

    settlement_id: UUID
    method: str
    method_name: str
    status: str
    status_name: str
    settled_at: datetime
    settled_by_name: str
    carried_into: str | None
    payments: Sequence[PaymentPart]


@dataclass(frozen=True, slots=True)
class StatementView:
    """对账单: one township in one window.

    ``prices_fen_per_hour`` are those of the closing, or today's for the open window. ``seal`` is final once the window
    is settled, provisional while it is under review, and None while it is open. ``party_names`` names, by code,
    everybody who may stand in a line. ``standing`` is that of now, and None once the window is settled.
    """

    window: WindowView
    prices_fen_per_hour: Mapping[str, int]
    township_code: str
    township_name: str
    total: BothWays
    kinds: Sequence[KindTotal]
    counterparts: Sequence[CounterpartTotal]
    moved_in: Sequence[MovedView]
    moved_out: Sequence[MovedView]
    disputes: Sequence[DisputeView]
    confirmation: ConfirmationView | None
    settlement: SettlementView | None
    seal: str | None
    seal_is_final: bool
    party_names: Mapping[str, str]
    standing: Standing | None = None

    @property
    def position_minutes(self) -> int:
        """What is owed to the township (positive) or by it (negative), in minutes."""
        return self.total.net_minutes

    @property
    def position_fen(self) -> int | None:
        """The same in fen; None where a price is missing."""
        return self.total.net_fen

    @property
    def file_stem(self) -> str:
        """What a file of it is called, without its ending."""
        return f"对账单-{self.township_name}-{self.window.window}"
