"""What can be done with home care."""

from timebank.redemption.care.actions.assign import assign, assign_best, assignments_due, decline
from timebank.redemption.care.actions.attend import check_in, check_out, not_home
from timebank.redemption.care.actions.bills import (
    bills_due,
    charge_reversal,
    issue_bill,
    issue_due_bill,
    uncharged_reversals,
)
from timebank.redemption.care.actions.book import Visit, book
from timebank.redemption.care.actions.cancel import cancel
from timebank.redemption.care.actions.confirm import confirm, decide, dispute
from timebank.redemption.care.actions.lapse import deadlines_passed, move_on
from timebank.redemption.care.actions.providers import Offer, change_provider, enter_provider

__all__ = [
    "Offer",
    "Visit",
    "assign",
    "assign_best",
    "assignments_due",
    "bills_due",
    "book",
    "cancel",
    "change_provider",
    "charge_reversal",
    "check_in",
    "check_out",
    "confirm",
    "deadlines_passed",
    "decide",
    "decline",
    "dispute",
    "enter_provider",
    "issue_bill",
    "issue_due_bill",
    "move_on",
    "not_home",
    "uncharged_reversals",
]
