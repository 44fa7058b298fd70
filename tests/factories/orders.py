"""Orders for tests: a canteen with a menu, diners with money, meals placed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.diners import approved_diner
from tests.factories.menus import an_item, drafted_menu, monday_of
from tests.factories.minutes import save_minutes
from tests.factories.people import XIWU, district
from tests.factories.tasks import NINE
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.network.models import Canteen
from timebank.canteens.orders.actions import OrderWanted, place_order
from timebank.canteens.orders.models import MealOrder, MealService
from timebank.canteens.pricing.rules import Meal, Way
from timebank.canteens.purses.queries import purse_accounts
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement
from timebank.people.actions import register_proxy
from timebank.people.rules import ProxyScope
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.models import Voucher

PORK, GREENS, LOVE = "红烧肉", "炒青菜", "爱心套餐"
PRICES = {PORK: 1200, GREENS: 500, LOVE: 600}

MORNING = NINE.replace(hour=7)
"""Before the cut-off of that day's lunch."""


@dataclass
class Kitchen:
    """A canteen of 西坞 that serves ``day``'s lunch and supper, and the days after it, from one menu a week."""

    canteen: Canteen
    clerk: Actor
    day: date
    menu: Menu
    dishes: dict[tuple[date, str, str], UUID]

    def dish(self, name: str = LOVE, day: date | None = None, meal: str = Meal.LUNCH) -> UUID:
        """The id of a dish on the menu."""
        return self.dishes[day or self.day, meal, name]

    def lunch(self, diner: Actor | None, *names: str, **how: object) -> OrderWanted:
        """One of each dish (a love meal where none is named), eaten in at lunch."""
        items = tuple((self.dish(name), 1) for name in names or (LOVE,))
        diner_id = diner.person() if diner is not None else None
        wanted = OrderWanted(diner_id, self.canteen.id, self.day, Meal.LUNCH, Way.EAT_IN, items)
        return replace(wanted, **how)  # type: ignore[arg-type]

    def supper(self, diner: Actor, name: str = LOVE, **how: object) -> OrderWanted:
        """One dish at supper."""
        items = ((self.dish(name, meal=Meal.SUPPER), 1),)
        return replace(self.lunch(diner), meal=Meal.SUPPER, items=items, **how)  # type: ignore[arg-type]


def a_kitchen(
    session: Session,
    *,
    capacity: int = 100,
    limits: dict[str, int] | None = None,
    township_code: str = XIWU,
    days: int = 3,
    **how: object,
) -> Kitchen:
    """An open canteen with a released menu for some days from today on; ``limits`` are portions by dish."""
    canteen = open_canteen(session, township_code, capacity=capacity, **how)  # type: ignore[arg-type]
    today, dishes = clock.today(), {}
    menus: dict[date, Menu] = {}
    for offset in range(days):
        day = today + timedelta(days=offset)
        menu = menus.setdefault(monday_of(day), drafted_menu_of(session, canteen, menus, day))
        for meal in (Meal.LUNCH, Meal.SUPPER):
            for name in PRICES:
                dishes[day, str(meal), name] = dish_on(session, menu, name, day, meal, (limits or {}).get(name)).id
    for menu in menus.values():
        menu.state, menu.released_at, menu.released_by_name = "released", clock.now(), "沈师傅"
    session.flush()
    return Kitchen(canteen, canteen_clerk(canteen), today, menus[monday_of(today)], dishes)


def drafted_menu_of(session: Session, canteen: Canteen, menus: dict[date, Menu], day: date) -> Menu:
    """The draft of the week of ``day``, made where there is none."""
    return menus.get(monday_of(day)) or drafted_menu(session, canteen.id, monday_of(day))


def dish_on(session: Session, menu: Menu, name: str, day: date, meal: str, limit: int | None) -> MenuItem:
    """A dish of a draft: pork contains soy, greens are soft as well."""
    return an_item(
        session,
        menu,
        day,
        meal,
        name=name,
        price_fen=PRICES[name],
        is_love_meal=name == LOVE,
        diet_forms=("normal", "soft") if name == GREENS else ("normal",),
        allergens=("大豆",) if name == PORK else (),
        portions_limit=limit,
    )


def fill_purse(session: Session, diner: Actor, fen: int) -> None:
    """Money in a purse, as an opening balance."""
    _from_cash(session, purse_accounts(session, [diner.person()])[diner.person()], fen)


def give_money(session: Session, canteen_id: UUID, fen: int) -> None:
    """Money given to a canteen's meals."""
    account_id = ensure_organisation_accounts(session, [canteen_id], AccountKind.DONATED)[canteen_id]
    _from_cash(session, account_id, fen)


def a_diner(session: Session, fen: int = 5000, **how: object) -> Actor:
    """An approved diner of 82 with money in the purse."""
    diner = approved_diner(session, **how)  # type: ignore[arg-type]
    if fen:
        fill_purse(session, diner, fen)
    return diner


def make_proxy(session: Session, elder: Actor, proxy: Actor, *, scopes: Collection[ProxyScope]) -> None:
    """``proxy`` acts for ``elder`` in what ``scopes`` say."""
    paper = {"relation": "女儿", "consent_evidence": "书面同意"}
    register_proxy(session, actor=district(), elder_id=elder.person(), proxy_id=proxy.person(), scopes=scopes, **paper)


def vouchers_for(session: Session, diner: Actor, quantity: int = 1) -> list[Voucher]:
    """Vouchers bought with minutes of the diner's own."""
    save_minutes(session, diner, 60 * quantity)
    return buy_vouchers(session, actor=diner, quantity=quantity)


def placed(session: Session, kitchen: Kitchen, diner: Actor, *names: str, **how: object) -> MealOrder:
    """A lunch that the diner has ordered."""
    return place_order(session, actor=diner, wanted=kitchen.lunch(diner, *names, **how))


def purse_of(session: Session, diner: Actor) -> tuple[int, int]:
    """What is in a purse, and how much of it is held, in fen."""
    account_id = purse_accounts(session, [diner.person()])[diner.person()]
    account = session.get_one(Account, account_id, populate_existing=True)
    return account.posted, account.held


def ordered_at(session: Session, kitchen: Kitchen, meal: str = Meal.LUNCH) -> int:
    """Portions counted at one meal of the kitchen's day."""
    key = (kitchen.canteen.id, kitchen.day, str(meal))
    found = session.get(MealService, key, populate_existing=True)
    return 0 if found is None else found.ordered_meals


def portions_of(session: Session, dish_id: UUID) -> int:
    """Portions counted of one dish."""
    return session.scalars(select(MenuItem.portions_ordered).where(MenuItem.id == dish_id)).one()


def at_hour(hour: int, *, days: int = 0) -> datetime:
    """An hour of the day of ``MORNING``, or of some day after it."""
    return MORNING.replace(hour=hour) + timedelta(days=days)


def days_of(kitchen: Kitchen, count: int) -> Sequence[date]:
    """The kitchen's day and those after it."""
    return [kitchen.day + timedelta(days=n) for n in range(count)]


def _from_cash(session: Session, account_id: int, fen: int) -> None:
    cash = house_account(session, AccountKind.CASH)
    post_one(session, (Movement(new_id(), cash, account_id, fen, "opening", clock.now()),))
