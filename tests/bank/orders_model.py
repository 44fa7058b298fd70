"""Meals on paper: the same rules in plain Python, without a database, by diners' and dishes' names only."""

from __future__ import annotations

from dataclasses import dataclass, field

PRICES = {"红烧肉": 1200, "炒青菜": 500, "爱心套餐": 600}
A_DAY = 200
"""What the government bears for a person and day, in fen: the only rule on paper."""


@dataclass
class PaperOrder:
    """An order as it would stand on a list."""

    diner: int
    meal: str
    dish: str
    quantity: int
    elder: int
    government: int
    voucher: bool
    state: str = "placed"
    revision: int = 1


@dataclass
class PaperKitchen:
    """One day of one canteen: places of each meal, portions of pork, purses, vouchers; and all orders."""

    capacity: int
    pork: int
    voucher_fen: int
    purses: list[int]
    vouchers: list[int]
    hour: int = 7
    cut_offs: dict[str, int] = field(default_factory=lambda: {"lunch": 9, "supper": 15})
    orders: list[PaperOrder] = field(default_factory=list)

    def waiting(self) -> list[int]:
        """Which orders wait."""
        return [n for n, order in enumerate(self.orders) if order.state == "placed"]

    def ordered(self, meal: str, dish: str | None = None, *, but: int | None = None) -> int:
        """Portions of a meal, or of one dish at it."""
        return sum(
            order.quantity
            for n, order in enumerate(self.orders)
            if order.state == "placed" and n != but and order.meal == meal and dish in (None, order.dish)
        )

    def used(self, diner: int, *, but: int | None = None) -> int:
        """What the government bears of a diner's meals today."""
        return sum(self.orders[n].government for n in self.waiting() if n != but and self.orders[n].diner == diner)

    def held(self, diner: int, *, but: int | None = None) -> int:
        """What is held in a purse."""
        return sum(self.orders[n].elder for n in self.waiting() if n != but and self.orders[n].diner == diner)

    def aside(self, diner: int, *, but: int | None = None) -> int:
        """How many of a diner's vouchers are set aside."""
        return sum(self.orders[n].voucher for n in self.waiting() if n != but and self.orders[n].diner == diner)

    def order(self, diner: int, meal: str, dish: str, quantity: int, voucher: bool, *, but: int | None = None) -> str:
        """What an order is answered; written down where it is ``ok``, in place of order ``but``."""
        if self.hour >= self.cut_offs[meal]:
            return "cut_off_passed"
        if quantity > 5:
            return "quantity_too_many"
        mine = [self.orders[n] for n in self.waiting() if n != but and self.orders[n].diner == diner]
        if any(order.meal == meal for order in mine):
            return "already_ordered"
        if self.ordered(meal, but=but) + quantity > self.capacity:
            return "capacity_reached"
        if dish == "红烧肉" and self.ordered(meal, dish, but=but) + quantity > self.pork:
            return "sold_out"
        listed = PRICES[dish] * quantity
        government = min(listed, A_DAY - self.used(diner, but=but))
        elder = listed - government
        pays = voucher and elder > 0
        if pays and self.aside(diner, but=but) == self.vouchers[diner]:
            return "no_voucher"
        elder -= min(elder, self.voucher_fen) if pays else 0
        if self.purses[diner] - self.held(diner, but=but) < elder:
            return "insufficient_fen"
        written = PaperOrder(diner, meal, dish, quantity, elder, government, pays)
        if but is None:
            self.orders.append(written)
        else:
            written.revision = self.orders[but].revision + 1
            self.orders[but] = written
        return "ok"

    def change(self, number: int, dish: str, quantity: int, voucher: bool) -> str:
        """What a change is answered."""
        old = self.orders[number]
        if old.state != "placed":
            return "order_ended"
        return self.order(old.diner, old.meal, dish, quantity, voucher, but=number)

    def cancel(self, number: int, *, by_clerk: bool) -> str:
        """What a cancellation is answered."""
        old = self.orders[number]
        if old.state != "placed":
            return "order_ended"
        if not by_clerk and self.hour >= self.cut_offs[old.meal]:
            return "cut_off_passed"
        old.state = "cancelled"
        return "ok"
