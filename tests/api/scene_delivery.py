"""Deliveries of the scene: today's breakfast at the clerk's canteen, one round on its way, two not taken."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk
from tests.factories.delivery import lives
from tests.factories.menus import an_item, monday_of
from tests.factories.people import DAYAN, steward
from timebank.canteens.delivery.actions import give_to_courier, plan_rounds, start_round
from timebank.canteens.delivery.queries.rounds import stops_of
from timebank.canteens.menus.models import Menu
from timebank.canteens.network.models import Canteen
from timebank.canteens.orders.actions import OrderWanted, place_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock


def add_rounds(session: Session, canteen_id: UUID) -> dict[str, UUID]:
    """Ids of the rounds by how they stand, and of the order on each."""
    _order_breakfasts(session, canteen_id)
    planned = plan_rounds(
        session, actor=steward(DAYAN), canteen_id=canteen_id, served_on=clock.today(), meal=Meal.BREAKFAST
    )
    away, waiting, unmapped = (round_.id for round_ in planned)
    clerk = canteen_clerk(session.get_one(Canteen, canteen_id))
    give_to_courier(session, actor=clerk, round_id=away, name="应师傅", phone="13811112222")
    start_round(session, actor=clerk, round_id=away)
    orders = {name: stops_of(session, id_)[0].order_id for name, id_ in (("away", away), ("waiting", waiting))}
    rounds = {"departed": away, "planned": waiting, "unmapped": unmapped}
    return rounds | {f"order_{name}": id_ for name, id_ in orders.items()}


def _order_breakfasts(session: Session, canteen_id: UUID) -> None:
    """Breakfasts of today, ordered before last evening's cut-off to doors on both sides and to one not on the map."""
    today = clock.today()
    week = select(Menu).where(Menu.canteen_id == canteen_id, Menu.week_starts_on == monday_of(today))
    porridge = an_item(session, session.scalars(week).one(), today, Meal.BREAKFAST, name="青菜粥", price_fen=400)
    clock.freeze(clock.day_start(today) - timedelta(hours=5))
    for north_m in (2000, -2000, None):
        diner = lives(session, north_m, township_code=DAYAN)
        items = ((porridge.id, 1),)
        wanted = OrderWanted(diner.person(), canteen_id, today, Meal.BREAKFAST, Way.DELIVER, items)
        place_order(session, actor=diner, wanted=wanted)
    clock.freeze(None)
