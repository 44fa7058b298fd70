"""Borrowing aids on paper: what becomes of items, loans and minutes, in plain Python and without any database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

PRICES = {"330213004": 30, "330213107": 20}
"""Minutes a day by the item's home township."""
MOST_OVERDUE, MOST_DAYS, RESERVED_FOR = 3, 6, timedelta(hours=48)
OFFSETS = (-1, 0, 3, 7)


@dataclass
class Purse:
    """One account: what lies in it, what of that is held, and until when it may be spent."""

    posted: int
    held: int = 0
    expires_on: date | None = None

    @property
    def available(self) -> int:
        return self.posted - self.held


@dataclass
class PaperItem:
    """One aid: where it belongs, where it is, what it is like."""

    home: str
    at: str
    condition: str = "good"


@dataclass
class PaperLoan:
    """One loan; ``promised`` says for each day paid for which purse gives how much."""

    item: int
    person: int
    until: datetime
    status: str = "reserved"
    promised: list[list[tuple[Purse, int]]] = field(default_factory=list)
    charges: list[tuple[str, int]] = field(default_factory=list)
    lent_on: date | None = None
    reminders: set[tuple[date, int]] = field(default_factory=set)

    @property
    def due_on(self) -> date:
        assert self.lent_on is not None
        return self.lent_on + timedelta(days=len(self.promised) - 1)


class PaperAids:
    """The office's notebook: every step answers what the bank should answer."""

    def __init__(self, purses: list[list[Purse]], most_items: list[int]) -> None:
        self.purses, self.most_items = purses, most_items
        self.items: list[PaperItem] = []
        self.loans: list[PaperLoan] = []
        self.redeemed = dict.fromkeys(PRICES, 0)

    def active(self, item: int) -> PaperLoan | None:
        return next((x for x in self.loans if x.item == item and x.status in ("reserved", "lent")), None)

    def reserve(self, person: int, item: int, days: int, now: datetime) -> str:
        if days > MOST_DAYS:
            return "aid_days_too_many"
        if sum(x.person == person and x.status in ("reserved", "lent") for x in self.loans) >= self.most_items[person]:
            return "aids_too_many"
        if self.items[item].condition not in ("good", "worn"):
            return "aid_not_usable"
        if self.active(item):
            return "aid_taken"
        loan = PaperLoan(item, person, now + RESERVED_FOR)
        if not self._promise(loan, days, now.date()):
            return "insufficient_minutes"
        self.loans.append(loan)
        return "reserved"

    def lend(self, loan: PaperLoan, now: datetime, condition: str) -> str:
        if loan.status != "reserved":
            return "wrong_state"
        if loan.until <= now:
            return "aid_reservation_lapsed"
        loan.status, loan.lent_on = "lent", now.date()
        self.items[loan.item].condition = condition
        return "lent"

    def extend(self, loan: PaperLoan, days: int, today: date) -> str:
        if loan.status != "lent":
            return "wrong_state"
        if today > loan.due_on:
            return "aid_overdue"
        if len(loan.promised) + days > MOST_DAYS:
            return "aid_days_too_many"
        return "extended" if self._promise(loan, days, today) else "insufficient_minutes"

    def give_up(self, loan: PaperLoan, status: str) -> str:
        if loan.status != "reserved":
            return "wrong_state"
        self._release(loan)
        loan.status = status
        return status

    def lapse(self, now: datetime) -> int:
        late = [x for x in self.loans if x.status == "reserved" and x.until <= now]
        for loan in late:
            self.give_up(loan, "lapsed")
        return len(late)

    def charge(self, today: date) -> int:
        return sum(self._charge(loan, today) for loan in self.loans if loan.status == "lent")

    def end(self, loan: PaperLoan, today: date, status: str, condition: str, at: str | None) -> str:
        if loan.status != "lent":
            return "wrong_state"
        self._charge(loan, today)
        self._release(loan)
        loan.status = status
        item = self.items[loan.item]
        item.condition, item.at = condition, at or item.at
        return status

    def change(self, item: int, wanted: str) -> str:
        """To repair, back from it, or retired."""
        condition = self.items[item].condition
        if condition == "retired":
            return "aid_retired"
        if self.active(item):
            return "aid_taken"
        if wanted == "in_repair" and condition == "in_repair":
            return "aid_already_in_repair"
        if wanted in ("good", "worn") and condition != "in_repair":
            return "aid_not_in_repair"
        self.items[item].condition = wanted
        return wanted

    def remind(self, today: date) -> int:
        told = 0
        for loan in self.loans:
            if loan.status == "lent" and loan.lent_on is not None:
                days = {o: loan.due_on + timedelta(days=o) for o in OFFSETS}
                due = {(loan.due_on, o) for o, day in days.items() if loan.lent_on <= day <= today} - loan.reminders
                loan.reminders |= due
                told += bool(due)
        return told

    def sweep(self, purse: Purse, today: date) -> int:
        if purse.expires_on is None or purse.expires_on >= today:
            return 0
        swept, purse.posted = purse.available, purse.held
        return swept

    def _price(self, loan: PaperLoan) -> int:
        return PRICES[self.items[loan.item].home]

    def _take(self, person: int, minutes: int, today: date) -> list[tuple[Purse, int]] | None:
        usable = [p for p in self.purses[person] if p.expires_on is None or p.expires_on >= today]
        parts = []
        for purse in sorted(usable, key=lambda p: p.expires_on or date.max):
            part = min(minutes, purse.available)
            minutes -= part
            parts += [(purse, part)] if part else []
        return None if minutes else parts

    def _promise(self, loan: PaperLoan, days: int, today: date) -> bool:
        if self._take(loan.person, days * self._price(loan), today) is None:
            return False
        for _ in range(days):
            parts = self._take(loan.person, self._price(loan), today)
            assert parts is not None
            for purse, minutes in parts:
                purse.held += minutes
            loan.promised.append(parts)
        return True

    def _charge(self, loan: PaperLoan, today: date) -> int:
        assert loan.lent_on is not None
        before = len(loan.charges)
        for number in range(before, (today - loan.lent_on).days + 1):
            price = self._price(loan)
            if number < len(loan.promised):
                for purse, minutes in loan.promised[number]:
                    purse.posted, purse.held = purse.posted - minutes, purse.held - minutes
                self._paid(loan, "held", price)
                continue
            parts = self._take(loan.person, price, today) if number < len(loan.promised) + MOST_OVERDUE else None
            for purse, minutes in parts or []:
                purse.posted -= minutes
            self._paid(loan, "available" if parts else "owed", price)
        return len(loan.charges) - before

    def _paid(self, loan: PaperLoan, source: str, price: int) -> None:
        loan.charges.append((source, price))
        self.redeemed[self.items[loan.item].home] += price if source != "owed" else 0

    def _release(self, loan: PaperLoan) -> None:
        for parts in loan.promised[len(loan.charges) :]:
            for purse, minutes in parts:
                purse.held -= minutes
