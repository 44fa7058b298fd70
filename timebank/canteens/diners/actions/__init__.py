"""What can be done about diners."""

from timebank.canteens.diners.actions.apply import Application, apply
from timebank.canteens.diners.actions.categories import Grant, add_category, end_category, withdraw_category
from timebank.canteens.diners.actions.change import change, end_diner
from timebank.canteens.diners.actions.households import join_household, leave_household
from timebank.canteens.diners.actions.review import review

__all__ = [
    "Application",
    "Grant",
    "add_category",
    "apply",
    "change",
    "end_category",
    "end_diner",
    "join_household",
    "leave_household",
    "review",
    "withdraw_category",
]
