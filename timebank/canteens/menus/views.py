"""Dishes and menus for a screen: what is offered when and where, and, for those who write them, the drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, select, tuple_
from sqlalchemy.orm import Session

from timebank.canteens.menus.models import Menu, MenuDish, MenuItem, MenuPriceChange
from timebank.canteens.menus.queries import item_unknown, menu_unknown, sees_drafts
from timebank.canteens.menus.rules import MEAL_ORDER, left_portions
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.rules import CanteenState
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.redemption.care.choosing import Place, distance_m
from timebank.townships.models import Organisation

_IN_DAY: ColumnElement[int] = case(*((MenuItem.meal == meal, n) for n, meal in enumerate(MEAL_ORDER)), else_=9)


@dataclass(frozen=True, slots=True)
class ItemPlace:
    """Where an item stands in a list: day, meal of the day counted from 0, name, id."""

    served_on: date
    meal_number: int
    name: str
    item_id: UUID


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item for a screen; ``portions_left`` None is without limit."""

    item: MenuItem
    state: str

    @property
    def on_offer(self) -> bool:
        """Whether it can be ordered at all."""
        return self.state == "released" and self.item.sold_out_at is None and self.item.withdrawn_at is None

    @property
    def portions_left(self) -> int | None:
        """How many portions can still be ordered."""
        item = self.item
        return left_portions(limit=item.portions_limit, ordered=item.portions_ordered, on_offer=self.on_offer)

    @property
    def place(self) -> ItemPlace:
        """Where a list goes on after it."""
        item = self.item
        return ItemPlace(item.served_on, MEAL_ORDER.index(item.meal), item.name, item.id)


@dataclass(frozen=True, slots=True)
class MenuView:
    """A week's menu for a screen, with how much is on it."""

    menu: Menu
    items: int
    love_meals: int


@dataclass(frozen=True, slots=True)
class TodayView:
    """What one canteen offers today; ``distance_m`` where both places are known."""

    canteen_id: UUID
    canteen_name: str
    township_code: str
    address: str
    distance_m: int | None
    items: Sequence[ItemView]


def items_between(
    session: Session,
    *,
    actor: Actor,
    canteen_id: UUID,
    first: date,
    last: date,
    limit: int,
    after: ItemPlace | None = None,
) -> list[ItemView]:
    """What a canteen offers from ``first`` to ``last``, in the order of days and meals.

    Drafts and what was withdrawn are for those who write its menus, and auditors. Raises NotFound
    ``canteen_unknown``.
    """
    query = _items().where(MenuItem.canteen_id == canteen_id, MenuItem.served_on.between(first, last))
    if not sees_drafts(session, actor, canteen_id):
        query = query.where(Menu.state == "released", MenuItem.withdrawn_at.is_(None))
    if after is not None:
        place = (after.served_on, after.meal_number, after.name, after.item_id)
        query = query.where(tuple_(MenuItem.served_on, _IN_DAY, MenuItem.name, MenuItem.id) > place)
    query = query.order_by(MenuItem.served_on, _IN_DAY, MenuItem.name, MenuItem.id).limit(limit)
    return [ItemView(item, state) for item, state in session.execute(query)]


def see_item(session: Session, item: MenuItem) -> ItemView:
    """One item for a screen."""
    return ItemView(item, session.get_one(Menu, item.menu_id).state)


def menus_of(
    session: Session, *, actor: Actor, canteen_id: UUID, limit: int, before: date | None = None
) -> list[MenuView]:
    """A canteen's weeks, newest first; drafts as above. Raises NotFound ``canteen_unknown``."""
    query = select(Menu).where(Menu.canteen_id == canteen_id)
    if not sees_drafts(session, actor, canteen_id):
        query = query.where(Menu.state == "released")
    if before is not None:
        query = query.where(Menu.week_starts_on < before)
    menus = session.scalars(query.order_by(Menu.week_starts_on.desc()).limit(limit)).all()
    return _counted(session, menus)


def see_menu(session: Session, menu: Menu) -> MenuView:
    """One week for a screen."""
    return _counted(session, [menu])[0]


def menu_for(session: Session, *, actor: Actor, menu_id: UUID) -> MenuView:
    """One week for whoever may see it. Raises NotFound ``menu_unknown``."""
    menu = session.get(Menu, menu_id)
    if menu is None or (menu.state == "draft" and not sees_drafts(session, actor, menu.canteen_id)):
        raise menu_unknown(menu_id=menu_id)
    return see_menu(session, menu)


def price_changes(
    session: Session, *, actor: Actor, menu_item_id: UUID, limit: int, before: int | None = None
) -> Sequence[MenuPriceChange]:
    """The changes of an item's price, newest first. Raises NotFound ``menu_item_unknown``."""
    item = session.get(MenuItem, menu_item_id)
    if item is None or not (
        see_item(session, item).state == "released" or sees_drafts(session, actor, item.canteen_id)
    ):
        raise item_unknown(menu_item_id)
    query = select(MenuPriceChange).where(MenuPriceChange.menu_item_id == menu_item_id)
    if before is not None:
        query = query.where(MenuPriceChange.number < before)
    return session.scalars(query.order_by(MenuPriceChange.number.desc()).limit(limit)).all()


def dishes_of(
    session: Session, *, actor: Actor, canteen_id: UUID, archived: bool, limit: int, after: UUID | None = None
) -> Sequence[MenuDish]:
    """A canteen's book of dishes in the order of entry, for those who write its menus, and auditors.

    Raises NotFound ``canteen_unknown``; NotAllowed ``menus_not_yours``.
    """
    if not sees_drafts(session, actor, canteen_id):
        raise NotAllowed("menus_not_yours", "只有本助餐点、供餐食堂的工作人员和管理员可以查看", canteen_id=canteen_id)
    query = select(MenuDish).where(MenuDish.canteen_id == canteen_id)
    if not archived:
        query = query.where(MenuDish.archived_at.is_(None))
    if after is not None:
        query = query.where(MenuDish.id > after)
    return session.scalars(query.order_by(MenuDish.id).limit(limit)).all()


def offered_on(
    session: Session,
    *,
    day: date,
    meal: str | None = None,
    township_code: str | None = None,
    near: Place | None = None,
) -> list[TodayView]:
    """Open canteens that offer something on a day, with what they offer; the nearest first, else by name.

    ``near`` is latitude and longitude; canteens whose place is unknown come last.
    """
    query = _items().add_columns(Organisation.name, Organisation.township_code, Canteen)
    query = query.join(Canteen, Canteen.id == MenuItem.canteen_id).join(Organisation, Organisation.id == Canteen.id)
    query = query.where(
        MenuItem.served_on == day,
        MenuItem.withdrawn_at.is_(None),
        Menu.state == "released",
        Canteen.state == CanteenState.OPEN,
    )
    if meal is not None:
        query = query.where(MenuItem.meal == meal)
    if township_code is not None:
        query = query.where(Organisation.township_code == township_code)
    offers: dict[UUID, TodayView] = {}
    items: dict[UUID, list[ItemView]] = {}
    for item, state, name, code, canteen in session.execute(query.order_by(_IN_DAY, MenuItem.name, MenuItem.id)):
        there = items.setdefault(canteen.id, [])
        there.append(ItemView(item, state))
        where = None if canteen.latitude is None else (canteen.latitude, canteen.longitude)
        offers[canteen.id] = TodayView(canteen.id, name, code, canteen.address, distance_m(near, where), there)
    return sorted(offers.values(), key=_nearest_first)


def _nearest_first(offer: TodayView) -> tuple[bool, int, str]:
    return offer.distance_m is None, offer.distance_m or 0, offer.canteen_name


def _items() -> Select[MenuItem, str]:
    return select(MenuItem, Menu.state).join(Menu, Menu.id == MenuItem.menu_id)


def _counted(session: Session, menus: Sequence[Menu]) -> list[MenuView]:
    query = select(MenuItem.menu_id, func.count(), func.sum(cast(MenuItem.is_love_meal, Integer)))
    query = query.where(MenuItem.menu_id.in_([menu.id for menu in menus]), MenuItem.withdrawn_at.is_(None))
    counts = {menu_id: (items, love) for menu_id, items, love in session.execute(query.group_by(MenuItem.menu_id))}
    return [MenuView(menu, *counts.get(menu.id, (0, 0))) for menu in menus]
