"""What can be done with canteens."""

from timebank.canteens.network.actions.accept import Inspection, accept
from timebank.canteens.network.actions.apply import Application, Particulars, apply, change, enter
from timebank.canteens.network.actions.closed_days import add_closed_days, remove_closed_day
from timebank.canteens.network.actions.grades import approve_grade, propose_grade
from timebank.canteens.network.actions.hours import set_hours
from timebank.canteens.network.actions.standing import close, open_canteen, suspend

__all__ = [
    "Application",
    "Inspection",
    "Particulars",
    "accept",
    "add_closed_days",
    "apply",
    "approve_grade",
    "change",
    "close",
    "enter",
    "open_canteen",
    "propose_grade",
    "remove_closed_day",
    "set_hours",
    "suspend",
]
