"""What can be done with rehabilitation aids."""

from timebank.redemption.aids.actions.bring_back import lose, return_aid
from timebank.redemption.aids.actions.charge import charge_day, charges_due
from timebank.redemption.aids.actions.items import NewItem, enter_item, mark_repaired, retire_item, send_to_repair
from timebank.redemption.aids.actions.lend import cancel, extend, lapse_reservation, lapsed_reservations, lend
from timebank.redemption.aids.actions.remind import remind, reminders_to_send
from timebank.redemption.aids.actions.reserve import Wish, reserve

__all__ = [
    "NewItem",
    "Wish",
    "cancel",
    "charge_day",
    "charges_due",
    "enter_item",
    "extend",
    "lapse_reservation",
    "lapsed_reservations",
    "lend",
    "lose",
    "mark_repaired",
    "remind",
    "reminders_to_send",
    "reserve",
    "retire_item",
    "return_aid",
    "send_to_repair",
]
