"""What can be done with orders."""

from timebank.canteens.orders.actions.cancel_orders import cancel_order, cancel_orders
from timebank.canteens.orders.actions.change_order import OrderChange, change_order, quote_change
from timebank.canteens.orders.actions.make_standing import StandingDue, make_standing_orders, standing_orders_due
from timebank.canteens.orders.actions.place_orders import Quote, place_order, place_orders, quote
from timebank.canteens.orders.actions.release import holds_of, lock_for_release, lock_orders, release_of
from timebank.canteens.orders.actions.standing import (
    StandingWanted,
    end_standing_order,
    end_standing_orders_of,
    pause_standing_order,
    set_standing_order,
)
from timebank.canteens.orders.actions.stop_meals import (
    meals_stopped,
    orders_of_leavers,
    stop_meal,
    stop_order,
    waiting_orders_of,
)
from timebank.canteens.orders.rules import OrderWanted

__all__ = [
    "OrderChange",
    "OrderWanted",
    "Quote",
    "StandingDue",
    "StandingWanted",
    "cancel_order",
    "cancel_orders",
    "change_order",
    "end_standing_order",
    "end_standing_orders_of",
    "holds_of",
    "lock_for_release",
    "lock_orders",
    "make_standing_orders",
    "meals_stopped",
    "orders_of_leavers",
    "pause_standing_order",
    "place_order",
    "place_orders",
    "quote",
    "quote_change",
    "release_of",
    "set_standing_order",
    "standing_orders_due",
    "stop_meal",
    "stop_order",
    "waiting_orders_of",
]
