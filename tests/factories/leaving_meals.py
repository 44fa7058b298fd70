"""Diners who leave or die, for tests: with meals ordered, money in the purse, and an heir."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from tests.factories.family import make_relatives
from tests.factories.leaving import approve, report
from tests.factories.orders import PORK, Kitchen, a_diner, a_kitchen, placed
from tests.factories.people import district
from tests.factories.purses import topped_up
from timebank.canteens.orders.actions import StandingWanted, set_standing_order
from timebank.canteens.orders.models import MealOrder, StandingOrder
from timebank.canteens.pricing.rules import Meal, Way
from timebank.canteens.purses.actions import Estate, pay_out_estate
from timebank.canteens.purses.models import PurseEstate
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.leaving.models import DeathReport
from timebank.people.actions import name_heir


def ordered(bank: Database, fen: int = 5000) -> tuple[Kitchen, Actor, MealOrder]:
    """A diner of 西坞 with money put in over the counter, and today's lunch."""
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, 0)
        topped_up(session, diner, kitchen.canteen, fen)
        return kitchen, diner, placed(session, kitchen, diner, PORK)


def lunches_for_long(session: Session, kitchen: Kitchen, diner: Actor) -> StandingOrder:
    """A love meal every day of the week, from the kitchen's day on."""
    wanted = StandingWanted(
        canteen_id=kitchen.canteen.id,
        meal=Meal.LUNCH,
        weekdays=range(1, 8),
        way=Way.EAT_IN,
        choice="love_meal",
        use_vouchers=False,
        starts_on=kitchen.day,
    )
    return set_standing_order(session, actor=diner, wanted=wanted)


def die(bank: Database, dead: Actor, *, reported: DeathReport | None = None) -> None:
    """A death reported by one steward and agreed to by two more."""
    found = reported or report(bank, dead)
    for _ in range(2):
        approve(bank, found.id)


def with_heir(session: Session, owner: Actor, heir: Actor) -> None:
    """``heir`` is a relative, and named as the heir."""
    make_relatives(session, owner, heir)
    name_heir(session, actor=owner, heir_id=heir.person())


def ask_for_estate(bank: Database, dead: Actor, *, by: Actor | None = None, **how: str) -> PurseEstate:
    """A steward asks for what the dead have left, or approves what another one asked for."""
    said: dict[str, Any] = {"receiver_name": "周小敏", "evidence": "公证书第12号", **how}
    with bank.unit_of_work() as session:
        return pay_out_estate(session, actor=by or district(), estate=Estate(dead.person(), **said))


def state_of(bank: Database, order: MealOrder) -> tuple[str, str]:
    """Where an order stands, and why it ended."""
    with bank.session() as session:
        found = session.get_one(MealOrder, order.id)
        return found.state, found.end_reason
