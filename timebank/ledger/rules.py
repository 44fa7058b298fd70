"""How a batch of postings is decided. Pure: account states in, verdicts and rows out.

Source: DESIGN.md, "The ledger", points 1–3 and 8. A batch decides exactly as its postings one after another would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from timebank.core.amounts import is_amount
from timebank.core.errors import BankError, Refused

HOUSE = "house"
"""The book of the district clearing house 区清算中心."""


class AccountKind(StrEnum):
    """What an account is for."""

    SAVINGS = "savings"
    GRANTED = "granted"
    VOUCHERS = "vouchers"
    POOL = "pool"
    ISSUANCE = "issuance"
    CLEARING = "clearing"
    REDEEMED = "redeemed"
    PURSE = "purse"
    FUND = "fund"
    CASH = "cash"
    SETTLED = "settled"
    NETTING = "netting"
    TILL = "till"
    CANTEEN = "canteen"
    DONATED = "donated"
    PRODUCE = "produce"
    SUBSIDY = "subsidy"
    VOLUNTEERED = "volunteered"
    IN_KIND = "in_kind"


FLOORED_KINDS = frozenset(
    {
        AccountKind.SAVINGS,
        AccountKind.GRANTED,
        AccountKind.VOUCHERS,
        AccountKind.POOL,
        AccountKind.PURSE,
        AccountKind.FUND,
        AccountKind.DONATED,
        AccountKind.PRODUCE,
    }
)
"""Accounts of people, pools, gifts and outstanding vouchers: available = posted − held never falls below zero."""

OF_ORGANISATIONS = frozenset({AccountKind.TILL, AccountKind.CANTEEN, AccountKind.DONATED, AccountKind.PRODUCE})
"""What a canteen has: cash, what it is owed, what was given to it. Opened together, before one of them is locked."""

SAVINGS_MOVED = "savings_moved"
"""The kind of transfer by which savings follow a person: into another township, or back for a reversal."""

SETTLING_KINDS = frozenset({"settlement", "settlement_undone", "carried_meal", "carried_care", "carried_aid"})
"""Kinds of transfer that settle a window; they alone move what is settled and what the house nets."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One amount to be moved, in the unit both accounts hold. Its id is the caller's and makes it idempotent."""

    id: UUID
    from_account_id: int
    to_account_id: int
    amount: int
    kind: str
    effective_at: datetime
    cause_kind: str | None = None
    cause_id: UUID | None = None
    note: str = ""
    policy_version: int | None = None
    recorded_by: UUID | None = None
    reverses_id: UUID | None = None
    approved_by: UUID | None = None


Posting = tuple[Movement, ...]
"""Movements that happen together or not at all; most have one."""


@dataclass(frozen=True, slots=True)
class AccountState:
    """What the ledger knows of an account at the moment of deciding. Balances count for floored ones only."""

    id: int
    book_code: str
    unit: str
    kind: str
    floored: bool
    posted: int
    held: int
    version: int
    last_recorded_at: datetime | None
    closed: bool

    @property
    def available(self) -> int:
        """What may be moved out."""
        return self.posted - self.held

    def moved(self, delta: int, at: datetime) -> AccountState:
        """The state after ``delta``; an account without a floor stays as it is."""
        if not self.floored:
            return self
        return replace(self, posted=self.posted + delta, version=self.version + 1, last_recorded_at=at)


@dataclass(frozen=True, slots=True)
class Leg:
    """One row of the transfer table, decided."""

    id: UUID
    movement: Movement
    book_code: str
    unit: str
    from_account_id: int
    to_account_id: int
    link_id: UUID | None
    counterpart_book_code: str | None
    from_version: int | None
    from_balance: int | None
    to_version: int | None
    to_balance: int | None
    recorded_at: datetime
    reverses_id: UUID | None


@dataclass(frozen=True, slots=True)
class Posted:
    """The posting stands in the books; ``replayed`` where it stood there before."""

    transfer_ids: tuple[UUID, ...]
    replayed: bool = False


Result = Posted | BankError


@dataclass(frozen=True, slots=True)
class Standing:
    """A transfer id that is in the books already, as the movement it was asked for."""

    from_account_id: int
    to_account_id: int
    amount: int
    kind: str
    cause_id: UUID | None
    reverses_id: UUID | None

    @classmethod
    def of(cls, movement: Movement) -> Standing:
        """What must be equal for two requests under one id to be the same transfer."""
        return cls(
            movement.from_account_id,
            movement.to_account_id,
            movement.amount,
            movement.kind,
            movement.cause_id,
            movement.reverses_id,
        )


def second_leg_id(first: UUID) -> UUID:
    """The id of the leg in the other book: the first leg's with its last bit turned."""
    return UUID(int=first.int ^ 1)


class Batch:
    """Decides postings one after another on states that it carries forward."""

    def __init__(
        self,
        accounts: Mapping[int, AccountState],
        clearing: Mapping[tuple[str, str], int],
        standing: Mapping[UUID, Standing | None],
        now: datetime,
    ) -> None:
        self._accounts = dict(accounts)
        self._clearing = clearing
        self._standing = dict(standing)
        self._now = now
        self._before: dict[int, AccountState] = {}
        self.legs: list[Leg] = []

    def decide(self, posting: Posting) -> Result:
        """Posted, with its legs added to ``legs``; or the refusal, with nothing changed."""
        seen = [self._standing.get(movement.id) for movement in posting]
        ids = tuple(movement.id for movement in posting)
        if posting and all(s == Standing.of(m) for s, m in zip(seen, posting, strict=True)):
            return Posted(ids, replayed=True)
        self._before, legs = {}, []
        try:
            self._must_be_free(ids)
            for movement in posting:
                legs += self._legs_of(movement)
            self._must_be_free([leg.id for leg in legs])
            self._closed_must_be_empty()
        except BankError as refusal:
            self._accounts.update(self._before)
            return refusal
        self.legs += legs
        self._standing.update((leg.id, None) for leg in legs)
        self._standing.update((m.id, Standing.of(m)) for m in posting)
        return Posted(ids)

    def _must_be_free(self, ids: Sequence[UUID]) -> None:
        taken = next((i for i in ids if i in self._standing), None)
        if taken is not None or len(set(ids)) != len(ids) or not ids:
            raise id_reused(taken)

    def _closed_must_be_empty(self) -> None:
        for account_id in self._before:
            account = self._accounts[account_id]
            if account.closed and account.posted != 0:
                raise _closed(account_id)

    def _legs_of(self, movement: Movement) -> list[Leg]:
        source = self._usable(movement.from_account_id, movement)
        target = self._usable(movement.to_account_id, movement)
        if not is_amount(movement.amount):
            raise Refused("amount_invalid", "数量须为正整数", amount=str(movement.amount)[:40])
        if source.unit != target.unit or source.id == target.id:
            raise Refused("accounts_do_not_fit", "两个账户须不同且单位一致")
        if AccountKind.CLEARING in (source.kind, target.kind):
            raise Refused("clearing_is_not_for_hands", "清算账户只由跨镇街划转自动记账")
        settles = not {AccountKind.SETTLED, AccountKind.NETTING}.isdisjoint((source.kind, target.kind))
        if settles != (movement.kind in SETTLING_KINDS):
            raise Refused("settling_is_not_for_hands", "结算账户只由清算周期的结算记账")
        if source.book_code == target.book_code:
            return [self._leg(movement, movement.id, source, target)]
        bridge_out = self._accounts[self._clearing[source.book_code, source.unit]]
        bridge_in = self._accounts[self._clearing[target.book_code, target.unit]]
        return [
            self._leg(movement, movement.id, source, bridge_out, counterpart=target.book_code),
            self._leg(movement, second_leg_id(movement.id), bridge_in, target, counterpart=source.book_code),
        ]

    def _usable(self, account_id: int, movement: Movement) -> AccountState:
        account = self._accounts.get(account_id)
        if account is None:
            raise Refused("account_unknown", "没有这个账户", account_id=account_id)
        # What somebody earned before moving away is taken back through the account that it went into.
        passing = movement.reverses_id is not None or movement.kind == SAVINGS_MOVED
        if account.closed and not passing:
            raise _closed(account_id)
        return account

    def _leg(
        self,
        movement: Movement,
        leg_id: UUID,
        source: AccountState,
        target: AccountState,
        counterpart: str | None = None,
    ) -> Leg:
        if source.floored and source.available < movement.amount:
            raise insufficient(source.unit, available=source.available, needed=movement.amount)
        self._before.setdefault(source.id, source)
        self._before.setdefault(target.id, target)
        at = max([self._now] + [a.last_recorded_at for a in (source, target) if a.last_recorded_at is not None])
        source, target = source.moved(-movement.amount, at), target.moved(movement.amount, at)
        self._accounts[source.id], self._accounts[target.id] = source, target
        return Leg(
            id=leg_id,
            movement=movement,
            book_code=source.book_code,
            unit=source.unit,
            from_account_id=source.id,
            to_account_id=target.id,
            link_id=movement.id if counterpart else None,
            counterpart_book_code=counterpart,
            from_version=source.version if source.floored else None,
            from_balance=source.posted if source.floored else None,
            to_version=target.version if target.floored else None,
            to_balance=target.posted if target.floored else None,
            recorded_at=at,
            reverses_id=_reversed_leg(movement, leg_id, linked=counterpart is not None),
        )


def _reversed_leg(movement: Movement, leg_id: UUID, *, linked: bool) -> UUID | None:
    """A reversal runs the other way round, so its first leg undoes the second one of what it reverses."""
    if movement.reverses_id is None or not linked:
        return movement.reverses_id
    return second_leg_id(movement.reverses_id) if leg_id == movement.id else movement.reverses_id


def _closed(account_id: int) -> Refused:
    return Refused("account_closed", "账户已销户", account_id=account_id)


def id_reused(transfer_id: UUID | None) -> Refused:
    """The refusal for an id that already stands for another transfer."""
    return Refused("transfer_id_reused", "同一划转编号不能用于另一笔划转", transfer_id=transfer_id)


def insufficient(unit: str, *, available: int, needed: int) -> Refused:
    """The refusal for a floor, with what is available and what was needed."""
    if unit == "minute":
        return Refused("insufficient_minutes", "可用时长不足", available_minutes=available, needed_minutes=needed)
    return Refused("insufficient_fen", "余额不足", available_fen=available, needed_fen=needed)


def decide(
    postings: Sequence[Posting],
    accounts: Mapping[int, AccountState],
    clearing: Mapping[tuple[str, str], int],
    standing: Mapping[UUID, Standing | None],
    now: datetime,
) -> tuple[list[Result], list[Leg]]:
    """One verdict for each posting, in order, and the rows to insert.

    ``standing`` are the ids that are taken: by a movement, or (None) by the second leg of one.
    """
    batch = Batch(accounts, clearing, standing, now)
    return [batch.decide(posting) for posting in postings], batch.legs
