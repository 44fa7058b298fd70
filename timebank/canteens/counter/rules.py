"""The counter 柜台: when a meal is handed over, what of a missed one is charged, and whether a day's sums tie. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from timebank.canteens.pricing.rules import Share
from timebank.core.clock import LOCAL
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused

SHARE_KINDS = {
    Share.ELDER: "meal_elder",
    Share.GOVERNMENT: "meal_government",
    Share.DONATION: "meal_donation",
    Share.GARDEN: "meal_garden",
    Share.VOLUNTEERS: "meal_volunteers",
}
"""The kind of transfer by which each share comes to the canteen."""

MISSED = "meal_missed"
"""The kind of transfer for a meal that was cooked and not collected."""

MEAL_KINDS = (*SHARE_KINDS.values(), MISSED)


def meal_nearest(periods: Mapping[str, tuple[datetime, datetime]], at: datetime) -> str:
    """The meal served at a moment, or between two the nearer one; of two that are equally near the earlier.

    ``periods`` holds at least one meal with its beginning and end.
    """

    def away(meal: str) -> timedelta:
        begins, ends = periods[meal]
        return max(begins - at, at - ends, timedelta())

    return min(periods, key=lambda meal: (away(meal), periods[meal]))


def already_served(order_id: UUID, served_at: datetime | None, where: str) -> Conflict:
    """The refusal of a meal that was handed over before, with when and where."""
    when = f"{served_at.astimezone(LOCAL):%m月%d日%H:%M}" if served_at is not None else ""
    title = f"这份餐已于{when}在{where}取走"
    return Conflict("order_already_served", title, order_id=order_id, served_at=served_at, canteen_name=where)


def order_elsewhere(order_id: UUID, canteen_name: str) -> Refused:
    """The refusal of a meal that was ordered at another canteen, with where."""
    return Refused("order_elsewhere", f"这份餐订在{canteen_name}", order_id=order_id, canteen_name=canteen_name)


def nothing_waiting() -> NotFound:
    """The refusal where nobody waits for a meal under what was read."""
    return NotFound("no_order_waiting", "这一餐没有找到待取的订餐")


def not_your_counter() -> NotAllowed:
    """The refusal for whoever stands at no counter, or at another one."""
    return NotAllowed("counter_not_yours", "只能办理本助餐点的柜台")


def must_be_its_time(served_on: date, opens_at: datetime, now: datetime, *, early_minutes: int) -> None:
    """A meal is handed over on its day, from a little before the canteen opens for it.

    Raises Refused ``other_day``, ``too_early_to_serve``.
    """
    if served_on != now.astimezone(LOCAL).date():
        raise Refused("other_day", f"这份餐订的是{served_on:%m月%d日}，不是今天", served_on=served_on)
    from_when = opens_at - timedelta(minutes=early_minutes)
    if now < from_when:
        title = f"还没有开餐，{from_when.astimezone(LOCAL):%H:%M}起可以取餐"
        raise Refused("too_early_to_serve", title, from_when=from_when)


def must_be_collected_here(order_id: UUID, way: str) -> None:
    """What is brought to the door is handed over there. Raises Refused ``order_is_delivered``."""
    if way == "deliver":
        raise Refused("order_is_delivered", "这份餐由送餐员送上门，不在柜台取", order_id=order_id)


def charge_of_missed(elder_fen: int, percent: int) -> int:
    """What a diner who did not come pays, in fen, rounded down in the diner's favour."""
    return elder_fen * percent // 100


@dataclass(frozen=True, slots=True)
class Sums:
    """A day's meals in fen: what was listed, who bore it, what was taken in cash, and what missed meals brought."""

    meals: int
    list_fen: int
    shares: Mapping[str, int]
    cash_fen: int
    missed_fen: int


def differences(of_orders: Sums, of_ledger: Sums) -> list[tuple[str, int, int]]:
    """Where the orders and the ledger say different things: ``(what, by the orders, by the ledger)``."""
    pairs = [
        ("meals", of_orders.meals, of_ledger.meals),
        ("list_fen", of_orders.list_fen, of_ledger.list_fen),
        *((f"{share}_fen", of_orders.shares[share], of_ledger.shares[share]) for share in Share),
        ("cash_fen", of_orders.cash_fen, of_ledger.cash_fen),
        ("missed_fen", of_orders.missed_fen, of_ledger.missed_fen),
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]
