"""How a batch of holds is placed, captured and released. Pure: states in, verdicts and rows out.

A batch decides exactly as its items one after another would.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from timebank.core.amounts import is_amount
from timebank.core.errors import BankError, Conflict, NotFound, Refused
from timebank.ledger.rules import AccountState, Batch, Posted, Posting, Result, Standing, id_reused, insufficient


@dataclass(frozen=True, slots=True)
class HoldWanted:
    """An amount to be set aside on one account until ``expires_at``; its id is the caller's and makes it idempotent."""

    hold_id: UUID
    account_id: int
    amount: int
    expires_at: datetime
    cause_kind: str
    cause_id: UUID


@dataclass(frozen=True, slots=True)
class Capture:
    """Holds that end together with what is posted for them, all or none.

    ``amounts``: how much of each hold is moved out of its account; 0 releases it whole. The posting moves exactly
    that much out of those accounts; what it moves between others needs no hold.
    """

    amounts: Mapping[UUID, int]
    posting: Posting


@dataclass(frozen=True, slots=True)
class StandingHold:
    """A hold as the ledger knows it at the moment of deciding."""

    account_id: int
    amount: int
    state: str
    captured_amount: int | None
    cause_id: UUID


class Placing:
    """Decides wanted holds one after another on states that it carries forward."""

    def __init__(self, accounts: Mapping[int, AccountState], holds: Mapping[UUID, StandingHold]) -> None:
        self._accounts = dict(accounts)
        self._holds = dict(holds)
        self.placed: list[HoldWanted] = []

    def decide(self, wanted: HoldWanted) -> BankError | None:
        """The refusal, or None where the hold stands; what is to be inserted is added to ``placed``."""
        try:
            self._place(wanted)
        except BankError as refusal:
            return refusal
        return None

    def _place(self, wanted: HoldWanted) -> None:
        if not is_amount(wanted.amount):
            raise Refused("amount_invalid", "数量须为正整数")
        account = self._accounts.get(wanted.account_id)
        if account is None:
            raise Refused("account_unknown", "没有这个账户", account_id=wanted.account_id)
        asked = StandingHold(wanted.account_id, wanted.amount, "placed", None, wanted.cause_id)
        standing = self._holds.get(wanted.hold_id)
        if standing is not None:
            if replace(standing, state="placed", captured_amount=None) != asked:
                raise hold_id_reused()
            return
        if account.closed:
            raise Refused("account_closed", "账户已销户", account_id=account.id)
        if not account.floored:
            raise Refused("hold_needs_floor", "此类账户不能冻结")
        if account.available < wanted.amount:
            raise insufficient(account.unit, available=account.available, needed=wanted.amount)
        self._accounts[account.id] = replace(account, held=account.held + wanted.amount)
        self._holds[wanted.hold_id] = asked
        self.placed.append(wanted)


class Capturing(Batch):
    """Decides captures one after another: their holds end, then their postings are decided as any other."""

    def __init__(
        self,
        accounts: Mapping[int, AccountState],
        clearing: Mapping[tuple[str, str], int],
        standing: Mapping[UUID, Standing | None],
        holds: Mapping[UUID, StandingHold],
        now: datetime,
    ) -> None:
        super().__init__(accounts, clearing, standing, now)
        self._holds = dict(holds)
        self.ended: dict[UUID, int] = {}

    def capture(self, capture: Capture) -> Result:
        """Posted, with its holds added to ``ended``; or the refusal, with nothing changed."""
        try:
            if self._is_done(capture):
                return Posted(tuple(movement.id for movement in capture.posting), replayed=True)
            self._must_fit(capture)
        except BankError as refusal:
            return refusal
        before = {hold.account_id: self._accounts[hold.account_id] for hold in self._named(capture).values()}
        for hold in self._named(capture).values():
            account = self._accounts[hold.account_id]
            self._accounts[hold.account_id] = replace(account, held=account.held - hold.amount)
        result = self.decide(capture.posting) if capture.posting else Posted(())
        if isinstance(result, BankError):
            self._accounts.update(before)
            return result
        for hold_id, amount in capture.amounts.items():
            self._holds[hold_id] = _ended(self._holds[hold_id], amount)
        self.ended.update(capture.amounts)
        return result

    def _named(self, capture: Capture) -> dict[UUID, StandingHold]:
        return {hold_id: self._holds[hold_id] for hold_id in capture.amounts}

    def _is_done(self, capture: Capture) -> bool:
        """Whether this very capture stands in the books already."""
        for hold_id, amount in capture.amounts.items():
            hold = self._holds.get(hold_id)
            if hold is None:
                raise NotFound("hold_unknown", "没有这笔冻结", hold_id=hold_id)
            if hold != _ended(hold, amount):
                return False
        return all(self._standing.get(m.id) == Standing.of(m) for m in capture.posting)

    def _must_fit(self, capture: Capture) -> None:
        holds = self._named(capture)
        for hold_id, hold in holds.items():
            if hold.state != "placed":
                raise hold_ended(hold_id, hold.state)
        taken = next((m.id for m in capture.posting if m.id in self._standing), None)
        if taken is not None:
            raise id_reused(taken)
        captured, moved = Counter[int](), Counter[int]()
        for movement in capture.posting:
            moved[movement.from_account_id] += movement.amount
        for hold_id, amount in capture.amounts.items():
            captured[holds[hold_id].account_id] += amount
        if any(amount and account_id not in moved for account_id, amount in captured.items()):
            raise _from_elsewhere()
        for hold_id, amount in capture.amounts.items():
            if (amount != 0 and not is_amount(amount)) or amount > holds[hold_id].amount:
                raise Refused("capture_exceeds_hold", "扣划数量超过冻结数量", held_amount=holds[hold_id].amount)
        if any(moved[account_id] != amount for account_id, amount in captured.items()):
            raise _from_elsewhere()


def _from_elsewhere() -> Refused:
    return Refused("capture_from_elsewhere", "扣划账户与冻结账户不一致")


def _ended(hold: StandingHold, amount: int) -> StandingHold:
    if amount == 0:
        return replace(hold, state="released", captured_amount=None)
    return replace(hold, state="captured", captured_amount=amount)


def hold_id_reused() -> Conflict:
    """The refusal for an id that already stands for another hold."""
    return Conflict("hold_id_reused", "同一冻结编号不能用于另一笔冻结")


def hold_ended(hold_id: UUID, state: str) -> Conflict:
    """The refusal for a hold that was captured or given back before."""
    return Conflict("hold_ended", "这笔冻结已经结束", hold_id=hold_id, state=state)
