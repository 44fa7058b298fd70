"""Vouchers on paper: the same rules in plain Python, without a database, by people and codes only."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from timebank.core.clock import LOCAL

PRICE, DAYS, MONTHLY = 60, 10, 5
"""Minutes a voucher, days it is good, and how many somebody may buy a month."""

Purse = tuple[int, str]
"""Whose minutes, and whether granted or saved."""


@dataclass
class PaperVoucher:
    """A voucher as it would stand on a list; ``root`` is its purchase, ``paid`` where its minutes go back."""

    holder: int
    paid: list[tuple[Purse, int]]
    expires_at: datetime
    on_expiry: str
    weekdays: tuple[int, ...]
    root: int
    status: str = "issued"


@dataclass
class Bought:
    """One purchase of one voucher: by whom, when, and whether it was undone since."""

    buyer: int
    at: datetime
    undone: bool = False


@dataclass
class PaperBank:
    """Homes and purses of people by number, and everything that becomes of vouchers, by code."""

    now: datetime
    homes: list[str]
    weekdays: dict[str, tuple[int, ...]]
    purses: dict[Purse, int]
    on_expiry: str = "refund"
    vouchers: dict[str, PaperVoucher] = field(default_factory=dict)
    bought: list[Bought] = field(default_factory=list)
    pools: dict[str, int] = field(default_factory=dict)
    owed: dict[str, int] = field(default_factory=dict)
    eaten: int = 0

    def total(self) -> int:
        """All minutes there are, eaten ones too."""
        issued = sum(self.in_vouchers(person) for person in range(len(self.homes)))
        return sum(self.purses.values()) + issued + sum(self.pools.values()) + self.eaten

    def in_vouchers(self, person: int) -> int:
        """What somebody has in unused vouchers."""
        return PRICE * sum(v.holder == person and v.status == "issued" for v in self.vouchers.values())

    def may_buy(self, person: int, quantity: int) -> str:
        """What a purchase is answered."""
        month = self.now.astimezone(LOCAL).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        counted = sum(b.buyer == person and b.at >= month and not b.undone for b in self.bought)
        if counted + quantity > MONTHLY:
            return "monthly_limit_reached"
        has = self.purses[person, "granted"] + self.purses[person, "savings"]
        return "ok" if has >= quantity * PRICE else "insufficient_minutes"

    def buy(self, person: int, codes: list[str]) -> None:
        """Granted minutes first, then savings."""
        for code in codes:
            paid, missing = [], PRICE
            for kind in ("granted", "savings"):
                part = min(missing, self.purses[person, kind])
                if part:
                    paid.append(((person, kind), part))
                    self.purses[person, kind] -= part
                    missing -= part
            self.bought.append(Bought(person, self.now))
            days = self.weekdays[self.homes[person]]
            root = len(self.bought) - 1
            self.vouchers[code] = PaperVoucher(
                person, paid, self.now + timedelta(days=DAYS), self.on_expiry, days, root
            )

    def standing(self, code: str) -> str:
        """Where a voucher stands now; expired also before anybody has noticed."""
        voucher = self.vouchers[code]
        return "expired" if voucher.status == "issued" and voucher.expires_at <= self.now else voucher.status

    def end(self, code: str, status: str) -> None:
        """Give the minutes back, or let them go where they go when nobody used them in time."""
        voucher = self.vouchers[code]
        if status == "expired" and voucher.on_expiry == "pool":
            home = self.homes[voucher.holder]
            self.pools[home] = self.pools.get(home, 0) + PRICE
        else:
            for purse, minutes in voucher.paid:
                self.purses[purse] += minutes
        voucher.status = status
        if status in ("refunded", "void"):
            self.bought[voucher.root].undone = True

    def anew(self, code: str, new: str) -> None:
        """Another code for the same voucher."""
        self.vouchers[new] = replace(self.vouchers[code])
        self.vouchers[code].status = "void"

    def may_give(self, giver: int, code: str, receiver: int) -> str:
        """What a gift is answered."""
        voucher = self.vouchers[code]
        if voucher.holder != giver:
            return "voucher_unknown"
        if giver == receiver:
            return "not_relatives"
        if self.standing(code) != "issued":
            return "voucher_not_issued"
        return "voucher_not_giftable" if any(kind == "granted" for (_, kind), _ in voucher.paid) else "ok"

    def give(self, code: str, receiver: int, new: str) -> None:
        """The relative has it from now on, and the minutes if it is given back; the purchase stays the buyer's."""
        voucher = self.vouchers[code]
        self._owe(self.homes[voucher.holder], self.homes[receiver])
        self.bought.append(Bought(-1, self.now))
        root = len(self.bought) - 1
        given = replace(voucher, holder=receiver, paid=[((receiver, "savings"), PRICE)], root=root)
        self.vouchers[new] = given
        voucher.status = "void"

    def scan(self, code: str, township: str) -> str:
        """What a counter in ``township`` is told."""
        standing = self.standing(code)
        refusals = {
            **{"redeemed": "already_redeemed", "expired": "voucher_expired"},
            **{"void": "voucher_void", "refunded": "voucher_void"},
        }
        if standing in refusals:
            return refusals[standing]
        voucher = self.vouchers[code]
        if self.now.astimezone(LOCAL).isoweekday() not in voucher.weekdays:
            return "voucher_not_today"
        voucher.status = "redeemed"
        self.eaten += PRICE
        self._owe(self.homes[voucher.holder], township)
        return "ok"

    def _owe(self, debtor: str, creditor: str) -> None:
        if debtor != creditor:
            self.owed[debtor] = self.owed.get(debtor, 0) - PRICE
            self.owed[creditor] = self.owed.get(creditor, 0) + PRICE
