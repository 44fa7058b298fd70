"""The days: menus of the week, money and vouchers for meals, orders in the morning, trays at noon.

Each function is one deed of one hand, for the diners of its own canteens, by the actions that the doors call too. What
the bank refuses is counted by its code; a refusal that would leave somebody without the day's meal ends the year.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from scripts.year.plan import is_served
from timebank.canteens.counter.actions.serve import serve_orders
from timebank.canteens.menus.actions import ItemForm, draft_menu, release_menu
from timebank.canteens.menus.models import MenuItem
from timebank.canteens.orders.actions import OrderWanted, place_orders
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderSource, OrderState
from timebank.canteens.pricing.rules import DietForm, Meal, Way
from timebank.canteens.purses.actions import top_up
from timebank.canteens.purses.queries import purses_of
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor, StaffRole
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus

OFFICE = Actor(UUID(int=1), "区民政局", None, StaffRole.DISTRICT_STEWARD)
AT_A_TIME = 1000
"""Orders placed, or trays handed over, in one unit of work."""

TOP_UP_FEN, LOW_FEN = 20_000, 8 * 650
VOUCHER_MINUTES, MOST_VOUCHERS_A_MONTH = 60, 12
DISHES = (("爱心套餐", 800), ("爱心面", 600))
_A_FEW = 100

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Eater:
    """A diner at the bank, and the canteen of every day; ``number`` is the plan's."""

    number: int
    person_id: UUID
    name: str
    canteen_id: UUID
    township_code: str
    earns: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What one hand sees to: some canteens, by id with their townships, and everybody who eats there."""

    canteens: Sequence[tuple[UUID, str]]
    eaters: Sequence[Eater]


@dataclass(frozen=True, slots=True)
class Hand:
    """A bank's connection and a share of the work."""

    bank: Database
    share: Share


class OutOfStep(Exception):
    """The bank refused what the year relies on."""


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of a day in Fenghua."""
    return datetime.combine(day, time(hour, minute), LOCAL)


def begin_week(hand: Hand, first: date) -> Counter[str]:
    """The week's menu of every canteen, and money for those who have little, on the first day that is lived through."""
    monday = monday_of(first)
    rest = (first + timedelta(days=n) for n in range(7 - (first - monday).days))
    dishes = write_menus(hand, monday, [day for day in rest if is_served(day)], at(first, 6, 30))
    return Counter({"菜品 dishes on menus": dishes}) + fill_purses(hand, at(first, 7))


def write_menus(hand: Hand, monday: date, days: Sequence[date], now: datetime) -> int:
    """The week's menu of every canteen, written and released; answers how many dishes are on them."""
    clock.freeze(now)
    items = [
        ItemForm(
            day,
            Meal.LUNCH,
            name=name,
            portion="一份",
            price_fen=price_fen,
            is_love_meal=True,
            diet_forms=[DietForm.NORMAL],
        )
        for day in days
        for name, price_fen in DISHES
    ]

    def write(session: Session, canteens: Sequence[tuple[UUID, str]]) -> None:
        for canteen_id, _ in canteens:
            menu = draft_menu(session, actor=OFFICE, canteen_id=canteen_id, week_starts_on=monday, items=items)
            release_menu(session, actor=OFFICE, menu_id=menu.id)

    _in_batches(hand, hand.share.canteens, 8, write)
    return len(items) * len(hand.share.canteens)


def fill_purses(hand: Hand, now: datetime) -> Counter[str]:
    """Whoever has money for few more meals brings 200 yuan to the counter."""
    clock.freeze(now)
    with hand.bank.session() as session:
        purses = purses_of(session, [one.person_id for one in hand.share.eaters])
    low = [one for one in hand.share.eaters if purses[one.person_id].available_fen < LOW_FEN]

    def fill(session: Session, eaters: Sequence[Eater]) -> None:
        for one in eaters:
            clerk = _clerk(one.canteen_id, one.township_code)
            top_up(session, actor=clerk, person_id=one.person_id, amount_fen=TOP_UP_FEN)

    _in_batches(hand, low, _A_FEW, fill)
    return Counter({"充值 top-ups": len(low)})


def buy_meals(hand: Hand, now: datetime) -> Counter[str]:
    """Diners who serve others turn whole hours that they have saved into vouchers."""
    clock.freeze(now)
    earning = [one for one in hand.share.eaters if one.earns]
    with hand.bank.session() as session:
        query = select(Account.person_id, func.sum(Account.posted - Account.held))
        mine = Account.person_id.in_([one.person_id for one in earning]) & (Account.kind == AccountKind.SAVINGS)
        rows = session.execute(query.where(mine).group_by(Account.person_id)).all()
    saved = {person_id: int(minutes) for person_id, minutes in rows}
    done: Counter[str] = Counter()

    def buy(session: Session, eaters: Sequence[Eater]) -> None:
        for one in eaters:
            quantity = min(MOST_VOUCHERS_A_MONTH, saved.get(one.person_id, 0) // VOUCHER_MINUTES)
            if not quantity:
                continue
            try:
                with session.begin_nested():
                    buy_vouchers(session, actor=Actor(new_id(), one.name, one.person_id), quantity=quantity)
                done["用餐券 vouchers bought"] += quantity
            except BankError as refusal:
                done[f"购券被拒 purchase refused: {refusal.code}"] += 1

    _in_batches(hand, earning, _A_FEW, buy)
    return done


def order_meals(hand: Hand, day: date) -> Counter[str]:
    """Everybody's lunch, ordered in the morning: with a voucher where there is one, else from the purse."""
    clock.freeze(at(day, 8))
    with hand.bank.session() as session:
        dishes = _dishes(session, hand.share, day)
        holders = _holders(session, [one.person_id for one in hand.share.eaters if one.earns])
    number = (day - date.min).days
    wanted = [
        OrderWanted(
            diner_id=one.person_id,
            canteen_id=one.canteen_id,
            served_on=day,
            meal=Meal.LUNCH,
            way=Way.EAT_IN,
            items=((dishes[one.canteen_id][(number + one.number) % len(DISHES)], 1),),
            use_voucher=one.person_id in holders,
            source=OrderSource.COUNTER,
        )
        for one in hand.share.eaters
    ]
    placed: list[MealOrder] = []
    _in_batches(hand, wanted, AT_A_TIME, lambda session, some: placed.extend(_placed(session, some)))
    by_voucher = sum(order.voucher_id is not None for order in placed)
    return Counter({"用券的餐 meals by voucher": by_voucher, "订餐 meals ordered": len(placed)})


def serve_meals(hand: Hand, day: date) -> Counter[str]:
    """Every tray over the counter at noon."""
    clock.freeze(at(day, 12))
    with hand.bank.session() as session:
        here = MealOrder.canteen_id.in_([canteen_id for canteen_id, _ in hand.share.canteens])
        query = select(MealOrder.id).where(here, MealOrder.served_on == day, MealOrder.state == OrderState.PLACED)
        # By canteen and number, as the trays stand: the same year serves in the same order.
        waiting = session.scalars(query.order_by(MealOrder.canteen_id, MealOrder.pickup_number)).all()

    def serve(session: Session, order_ids: Sequence[UUID]) -> None:
        for answer in serve_orders(session, actor=OFFICE, order_ids=order_ids):
            if isinstance(answer, BankError):
                raise OutOfStep(f"a meal of {day} was not served: {answer}")

    _in_batches(hand, waiting, AT_A_TIME, serve)
    return Counter({"供餐 meals served": len(waiting)})


def live_day(hand: Hand, day: date) -> Counter[str]:
    """A day's meals."""
    return order_meals(hand, day) + serve_meals(hand, day)


def monday_of(day: date) -> date:
    """The Monday of its week."""
    return day - timedelta(days=day.weekday())


def _placed(session: Session, wanted: Sequence[OrderWanted]) -> Iterable[MealOrder]:
    for answer in place_orders(session, actor=SYSTEM, wanted=wanted):
        if isinstance(answer, BankError):
            raise OutOfStep(f"a meal of {wanted[0].served_on} was not ordered: {answer}")
        yield answer


def _dishes(session: Session, share: Share, day: date) -> dict[UUID, list[UUID]]:
    query = select(MenuItem.canteen_id, MenuItem.id).where(MenuItem.served_on == day, MenuItem.meal == Meal.LUNCH)
    query = query.where(MenuItem.canteen_id.in_([canteen_id for canteen_id, _ in share.canteens]))
    found: dict[UUID, list[UUID]] = {}
    for canteen_id, item_id in session.execute(query.order_by(MenuItem.price_fen)):
        found.setdefault(canteen_id, []).append(item_id)
    return found


def _holders(session: Session, person_ids: Sequence[UUID]) -> set[UUID]:
    """Who has a voucher left."""
    unused = Voucher.holder_id.in_(person_ids) & (Voucher.status == VoucherStatus.ISSUED)
    return set(session.scalars(select(Voucher.holder_id).where(unused, Voucher.set_aside_for.is_(None)).distinct()))


def _clerk(canteen_id: UUID, township_code: str) -> Actor:
    return Actor(canteen_id, "柜台", None, StaffRole.CANTEEN_CLERK, township_code, canteen_id)


def _in_batches(hand: Hand, items: Sequence[Item], size: int, do: Callable[[Session, Sequence[Item]], object]) -> None:
    for first in range(0, len(items), size):
        with hand.bank.unit_of_work() as session:
            do(session, items[first : first + size])
