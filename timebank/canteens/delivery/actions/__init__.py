"""What can be done in kitchens and on the way to the door."""

from timebank.canteens.delivery.actions.carry import (
    finish_round,
    give_to_courier,
    start_round,
    tell_of_untaken,
    untaken_rounds,
)
from timebank.canteens.delivery.actions.hand_over import deliver, report_undelivered
from timebank.canteens.delivery.actions.kitchen import mark_cooked
from timebank.canteens.delivery.actions.not_brought import deliveries_left_over, end_deliveries
from timebank.canteens.delivery.actions.plan import plan_due, plan_rounds, plans_due

__all__ = [
    "deliver",
    "deliveries_left_over",
    "end_deliveries",
    "finish_round",
    "give_to_courier",
    "mark_cooked",
    "plan_due",
    "plan_rounds",
    "plans_due",
    "report_undelivered",
    "start_round",
    "tell_of_untaken",
    "untaken_rounds",
]
