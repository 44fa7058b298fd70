"""The ledger as a person would keep it on paper: plain dictionaries, one thing at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

REVERSIBLE = ("service_credit", "back_fill_credit", "lot_expiry")


@dataclass
class Sheet:
    """One account's page. Lines are (transfer id, signed amount, balance after it)."""

    book: str
    unit: str
    floored: bool
    posted: int = 0
    held: int = 0
    version: int = 0
    expires_on: date | None = None
    lines: list[tuple[UUID | None, int, int]] = field(default_factory=list)


@dataclass
class SetAside:
    """One hold."""

    account: int
    amount: int
    cause: UUID
    expires_at: datetime
    state: str = "placed"
    captured: int | None = None


@dataclass(frozen=True)
class Wish:
    """One movement asked for."""

    id: UUID
    source: int
    target: int
    amount: int
    kind: str
    cause: UUID | None = None
    reverses: UUID | None = None


class PaperLedger:
    """What should stand in the books. Every method answers with a word: what was done, or why not."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.sheets: dict[int, Sheet] = {}
        self.made: dict[UUID, Wish] = {}
        self.taken: set[UUID] = set()
        self.holds: dict[UUID, SetAside] = {}
        self.asked_by: dict[UUID, str] = {}
        self.reversed: set[UUID] = set()
        self.clearing: defaultdict[tuple[str, str], int] = defaultdict(int)

    def post(self, wishes: Sequence[Wish]) -> str:
        """All of these, or none."""
        if wishes and all(self.made.get(wish.id) == wish for wish in wishes):
            return "replayed"
        ids = [wish.id for wish in wishes]
        if not ids or len(set(ids)) < len(ids) or self.taken.intersection(ids):
            return "transfer_id_reused"
        left: dict[int, int] = {}
        rows: list[UUID] = []
        for wish in wishes:
            problem = self._problem(wish, left)
            if problem:
                return problem
            left[wish.source] = left.get(wish.source, self._available(wish.source)) - wish.amount
            left[wish.target] = left.get(wish.target, self._available(wish.target)) + wish.amount
            rows += [wish.id] if self._same_book(wish) else [wish.id, partner_of(wish.id)]
        if len(set(rows)) < len(rows) or self.taken.intersection(rows):
            return "transfer_id_reused"
        for wish in wishes:
            self._write(wish)
        return "posted"

    def place(self, hold_id: UUID, account: int, amount: int, cause: UUID, expires_at: datetime) -> str:
        """Set an amount aside."""
        if amount <= 0:
            return "amount_invalid"
        stands = self.holds.get(hold_id)
        if stands is not None:
            same = (stands.account, stands.amount, stands.cause) == (account, amount, cause)
            return stands.state if same else "hold_id_reused"
        if not self.sheets[account].floored:
            return "hold_needs_floor"
        if self._available(account) < amount:
            return self._short(account)
        self.sheets[account].held += amount
        self.holds[hold_id] = SetAside(account, amount, cause, expires_at)
        return "placed"

    def capture(self, hold_id: UUID, wish: Wish) -> str:
        """Take of what was set aside, and free the rest."""
        hold = self.holds[hold_id]
        if hold.state == "captured" and hold.captured == wish.amount and wish.id in self.taken:
            return self.post([wish])
        if hold.state != "placed":
            return "hold_ended"
        if wish.id in self.taken:
            return "transfer_id_reused"
        if wish.source != hold.account:
            return "capture_from_elsewhere"
        if not 0 < wish.amount <= hold.amount:
            return "capture_exceeds_hold"
        self.sheets[hold.account].held -= hold.amount
        answer = self.post([wish])
        if answer == "posted":
            hold.state, hold.captured = "captured", wish.amount
        else:
            self.sheets[hold.account].held += hold.amount
        return answer

    def end(self, hold_id: UUID, state: str) -> str:
        """Free what was set aside, because somebody says so or because its time is over."""
        hold = self.holds[hold_id]
        if hold.state == state:
            return state
        if hold.state != "placed":
            return "hold_ended"
        if state == "expired" and self.now < hold.expires_at:
            return "hold_not_expired"
        self.sheets[hold.account].held -= hold.amount
        hold.state = state
        return state

    def reverse(self, named: UUID, steward: str, reversal_id: UUID) -> str:
        """Ask to undo a movement, or approve what another one asked."""
        wish = self.made.get(named) or self.made[partner_of(named)]
        if wish.kind not in REVERSIBLE:
            return "not_reversible"
        if wish.id not in self.asked_by:
            self.asked_by[wish.id] = steward
            return "awaiting_second_person"
        if wish.id in self.reversed:
            return "already_reversed"
        if self.asked_by[wish.id] == steward:
            return "second_person_needed"
        back = Wish(reversal_id, wish.target, wish.source, wish.amount, "reversal", wish.cause, wish.id)
        answer = self.post([back])
        if answer != "posted":
            return answer
        self.reversed.add(wish.id)
        return "reversed"

    def sweep(self, account: int, pool: int, today: date) -> int:
        """What an expired lot still has goes to the pool."""
        expires_on = self.sheets[account].expires_on
        amount = self._available(account)
        if expires_on is None or expires_on >= today or amount == 0:
            return 0
        self._enter(account, None, -amount)
        self._enter(pool, None, amount)
        return amount

    def _problem(self, wish: Wish, left: dict[int, int]) -> str:
        source, target = self.sheets[wish.source], self.sheets[wish.target]
        if wish.amount <= 0:
            return "amount_invalid"
        if source.unit != target.unit or wish.source == wish.target:
            return "accounts_do_not_fit"
        if source.floored and left.get(wish.source, self._available(wish.source)) < wish.amount:
            return self._short(wish.source)
        return ""

    def _write(self, wish: Wish) -> None:
        source, target = self.sheets[wish.source], self.sheets[wish.target]
        self.made[wish.id] = wish
        self.taken.add(wish.id)
        self._enter(wish.source, wish.id, -wish.amount)
        self._enter(wish.target, wish.id, wish.amount)
        if source.book != target.book:
            self.taken.add(partner_of(wish.id))
            self.clearing[source.book, source.unit] += wish.amount
            self.clearing[target.book, target.unit] -= wish.amount

    def _enter(self, account: int, transfer_id: UUID | None, delta: int) -> None:
        sheet = self.sheets[account]
        sheet.posted += delta
        if sheet.floored:
            sheet.version += 1
            sheet.lines.append((transfer_id, delta, sheet.posted))

    def _available(self, account: int) -> int:
        return self.sheets[account].posted - self.sheets[account].held

    def _short(self, account: int) -> str:
        return "insufficient_minutes" if self.sheets[account].unit == "minute" else "insufficient_fen"

    def _same_book(self, wish: Wish) -> bool:
        return self.sheets[wish.source].book == self.sheets[wish.target].book


def partner_of(row_id: UUID) -> UUID:
    """The id of the other row of a movement between books: odd and even neighbours."""
    number = row_id.int
    return UUID(int=number + 1 if number % 2 == 0 else number - 1)
