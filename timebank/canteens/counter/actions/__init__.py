"""What can be done at the counter: hand meals over, sell, mark what was not collected, correct."""

from timebank.canteens.counter.actions.correct import CorrectionState, correct
from timebank.canteens.counter.actions.find_order import Shown, find_order
from timebank.canteens.counter.actions.missed import mark_missed, orders_missed
from timebank.canteens.counter.actions.sell import Sale, quote_sale, sell
from timebank.canteens.counter.actions.serve import serve_order, serve_orders

__all__ = [
    "CorrectionState",
    "Sale",
    "Shown",
    "correct",
    "find_order",
    "mark_missed",
    "orders_missed",
    "quote_sale",
    "sell",
    "serve_order",
    "serve_orders",
]
