"""Orders of the scene: the elder's lunch of next Monday at the clerk's canteen, and a standing order there."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from tests.api.scene_menus import next_monday
from tests.factories.orders import fill_purse
from timebank.canteens.orders.actions import OrderWanted, StandingWanted, place_order, set_standing_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core.actors import Actor


def add_orders(session: Session, elder: Actor, canteen_id: UUID, menu_item_id: UUID) -> dict[str, UUID]:
    """Ids of the order and of the standing order."""
    fill_purse(session, elder, 10_000)
    lunch = OrderWanted(
        elder.person(),
        canteen_id,
        next_monday(),
        Meal.LUNCH,
        Way.EAT_IN,
        ((menu_item_id, 1),),
        # The elder eats soft meals; the scene's menu has none.
        accept_unsuitable=True,
    )
    order = place_order(session, actor=elder, wanted=lunch)
    daily = StandingWanted(
        canteen_id, Meal.SUPPER, [2, 4], Way.EAT_IN, "love_meal", use_vouchers=False, starts_on=next_monday()
    )
    standing = set_standing_order(session, actor=elder, wanted=daily)
    return {"placed": order.id, "standing": standing.id}
