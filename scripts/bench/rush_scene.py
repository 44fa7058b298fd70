"""The district that orders in a rush: open canteens with released menus, and diners with money, logins and an appetite.

Canteens, menus and gifts are made by the bank's own actions, the diners in bulk. Places and portions run short by a
few: half of the canteens cannot serve everybody, at the other half the dish that everybody wants is sold out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from scripts.bench.scene import SECRET
from timebank import migrations
from timebank.canteens.diners.models import Diner
from timebank.canteens.menus.actions import ItemForm, draft_menu, release_menu
from timebank.canteens.menus.models import MenuItem
from timebank.canteens.network import actions as network
from timebank.canteens.network.actions import Application, Inspection, Particulars
from timebank.canteens.network.rules import CanteenType, Carrier, MealHours
from timebank.canteens.pricing.rules import DietForm, Meal, Way
from timebank.canteens.purses.queries import purse_accounts
from timebank.core import clock, crypto
from timebank.core.actors import Actor, StaffRole
from timebank.core.crypto import keyring
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import post
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.rules import AccountKind, Movement
from timebank.people import id_numbers
from timebank.people.login_models import Login
from timebank.people.models import Person, PersonRole
from timebank.people.name_index import name_last4_index
from timebank.policies.queries import in_force
from timebank.townships.queries import townships

SHORT_BY = 4
"""How many diners of each canteen go without: refused a place, or the dish that is sold out."""

SET_MEAL, GREENS = "爱心套餐", "炒青菜"
_OFFICE = Actor(new_id(), "区民政局", None, StaffRole.DISTRICT_STEWARD)
_HOURS = ((Meal.LUNCH, time(10), time(13, 30)), (Meal.SUPPER, time(16), time(19)))
_MENU = ((SET_MEAL, 800, True), ("红烧肉", 1200, False), ("清蒸鱼", 1500, False), (GREENS, 500, False))
_PORTIONS_EACH = 2
_IN_A_PURSE_FEN, _GIVEN_FEN = 5_000, 1_000_000
_AT_A_TIME = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that is to be placed: whose login sends which JSON."""

    login_id: UUID
    diner_id: UUID
    body: bytes


@dataclass(frozen=True, slots=True)
class Rush:
    """What everybody orders for the lunch of ``day``, and what for its supper; in the same order."""

    day: date
    lunches: Sequence[Wish]
    suppers: Sequence[Wish]


@dataclass(frozen=True, slots=True)
class _Place:
    canteen_id: UUID
    township_code: str
    diners: int


@dataclass(frozen=True, slots=True)
class _Guest:
    login_id: UUID
    person_id: UUID
    canteen_id: UUID


def open_district(url: str, *, canteens: int, diners: int) -> Rush:
    """Migrate an empty database and fill it; what its diners are going to order."""
    crypto.use_secret(SECRET)
    migrations.upgrade(url)
    bank = Database(url)
    day = clock.today() + timedelta(days=8 - clock.today().weekday())  # Tuesday of next week
    try:
        places = []
        for number in range(canteens):
            with bank.unit_of_work() as session:
                places.append(_open(session, number, day, len(range(number, diners, canteens))))
        with bank.unit_of_work() as session:
            people = _enrol(session, places)
            return Rush(day, *(_wishes(session, day, meal, people) for meal in (Meal.LUNCH, Meal.SUPPER)))
    finally:
        bank.close()


def _open(session: Session, number: int, day: date, diners: int) -> _Place:
    """A canteen with hours, that week's menu, and money and produce given to it."""
    codes = [township.code for township in townships(session)]
    township_code, short_of_places = codes[number % len(codes)], number % 2 == 0
    capacity = _PORTIONS_EACH * (diners - SHORT_BY if short_of_places else diners)
    canteen_id = open_canteen(session, f"第{number + 1}助餐点", township_code, _HOURS, capacity)
    limit = None if short_of_places else diners - SHORT_BY
    _release(session, canteen_id, day - timedelta(days=day.weekday()), limit)
    _give(session, canteen_id)
    return _Place(canteen_id, township_code, diners)


def open_canteen(
    session: Session, name: str, township_code: str, hours: Sequence[tuple[Meal, time, time]], capacity: int
) -> UUID:
    """A canteen that was applied for, accepted and opened, with the same hours every day; its id."""
    particulars = Particulars("老街1号", "0574-88511234", Carrier.COURIER, 29.69, 121.47)
    form = Application(name, township_code, CanteenType.VILLAGE, particulars)
    canteen_id = network.apply(session, actor=_OFFICE, form=form).id
    points = in_force(session, at=clock.now()).value("canteen_acceptance_points")
    found = Inspection(dict.fromkeys(points, True), clock.today(), "应国强")
    network.accept(session, actor=_OFFICE, canteen_id=canteen_id, found=found)
    week = [MealHours(weekday, *meal, capacity) for weekday in range(1, 8) for meal in hours]
    network.set_hours(session, actor=_OFFICE, canteen_id=canteen_id, week=week)
    network.open_canteen(session, actor=_OFFICE, canteen_id=canteen_id)
    return canteen_id


def _release(session: Session, canteen_id: UUID, monday: date, limit: int | None) -> None:
    items = [
        ItemForm(
            monday + timedelta(days=weekday),
            meal,
            name=name,
            portion="一份",
            price_fen=price_fen,
            is_love_meal=love,
            diet_forms=[DietForm.NORMAL],
            portions_limit=limit if name == SET_MEAL else None,
        )
        for weekday in range(7)
        for meal, _, _ in _HOURS
        for name, price_fen, love in _MENU
    ]
    menu = draft_menu(session, actor=_OFFICE, canteen_id=canteen_id, week_starts_on=monday, items=items)
    release_menu(session, actor=_OFFICE, menu_id=menu.id)


def _give(session: Session, canteen_id: UUID) -> None:
    for source, kind in ((AccountKind.CASH, AccountKind.DONATED), (AccountKind.IN_KIND, AccountKind.PRODUCE)):
        account_id = ensure_organisation_accounts(session, [canteen_id], kind)[canteen_id]
        _move(session, house_account(session, source), [account_id], _GIVEN_FEN)


def _move(session: Session, source: int, account_ids: Iterable[int], fen: int) -> None:
    postings = [(Movement(new_id(), source, account_id, fen, "opening", clock.now()),) for account_id in account_ids]
    for refusal in post(session, postings):
        if isinstance(refusal, BankError):
            raise refusal


def _enrol(session: Session, places: Sequence[_Place]) -> list[_Guest]:
    """Everybody with money in the purse; one of every canteen after the other, as they come from all over."""
    rows: dict[type, list[dict[str, Any]]] = {Person: [], PersonRole: [], Login: [], Diner: []}
    people = []
    turns = range(max(place.diners for place in places))
    for number, place in enumerate(place for turn in turns for place in places if turn < place.diners):
        guest = _Guest(new_id(), new_id(), place.canteen_id)
        rows[Person].append(person_row(guest.person_id, number, place.township_code))
        rows[PersonRole].append({"person_id": guest.person_id, "role": "diner", "since": clock.now()})
        rows[Login].append(_login(guest))
        rows[Diner].append(_diner(guest.person_id))
        people.append(guest)
    for table, values in rows.items():
        session.execute(insert(table), values)
    cash = house_account(session, AccountKind.CASH)
    for first in range(0, len(people), _AT_A_TIME):
        some = [one.person_id for one in people[first : first + _AT_A_TIME]]
        _move(session, cash, purse_accounts(session, some).values(), _IN_A_PURSE_FEN)
    return people


def person_row(person_id: UUID, number: int, township_code: str) -> dict[str, Any]:
    """Somebody of 60 to 90 with an identity number of their own; ``number`` is which."""
    born_on = date(1934 + number % 30, 1, 1) + timedelta(days=number // 30 % 360)
    body = f"330224{born_on:%Y%m%d}{number // 10_800:03d}"
    id_number = body + id_numbers.check_character(body)
    return {
        "id": person_id,
        "name": "周桂芬",
        "id_number": id_number,
        "id_number_index": keyring().blind_index(id_number),
        "name_last4_index": name_last4_index("周桂芬", id_number),
        "born_on": born_on,
        "sex": id_numbers.parse(id_number, today=clock.today()).sex,
        "township_code": township_code,
        "enrolled_at": clock.now(),
        "enrolled_by": _OFFICE.login_id,
    }


def _login(guest: _Guest) -> dict[str, Any]:
    who = {"id": guest.login_id, "openid": f"openid-{guest.person_id}", "person_id": guest.person_id}
    return {**who, "display_name": "周桂芬", "created_at": clock.now()}


def _diner(person_id: UUID) -> dict[str, Any]:
    by = {"by": _OFFICE.login_id, "by_name": _OFFICE.name, "at": clock.now()}
    decided = {f"{deed}_{name}": value for deed in ("applied", "reviewed") for name, value in by.items()}
    said = {"diet_form": DietForm.NORMAL, "delivery_address": "", "delivery_note": "", "review_reason": ""}
    return {"person_id": person_id, "household_id": new_id(), "state": "approved", **said, **decided}


def _wishes(session: Session, day: date, meal: Meal, people: Sequence[_Guest]) -> list[Wish]:
    query = select(MenuItem).where(MenuItem.served_on == day, MenuItem.meal == meal)
    dishes: dict[UUID, list[UUID]] = defaultdict(list)
    for item in session.scalars(query.where(MenuItem.name.in_((SET_MEAL, GREENS))).order_by(MenuItem.name)):
        dishes[item.canteen_id].append(item.id)
    return [
        Wish(one.login_id, one.person_id, _body(day, meal, one.canteen_id, dishes[one.canteen_id])) for one in people
    ]


def _body(day: date, meal: Meal, canteen_id: UUID, dishes: Sequence[UUID]) -> bytes:
    items = [{"menu_item_id": str(item_id), "quantity": 1} for item_id in dishes]
    where = {"canteen_id": str(canteen_id), "served_on": str(day), "meal": meal, "way": Way.EAT_IN}
    return json.dumps({**where, "items": items}).encode()
