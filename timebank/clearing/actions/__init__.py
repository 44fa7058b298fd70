"""What can be done in clearing: tally, close, review, settle, mind the limits."""

from timebank.clearing.actions.close_window import close_due_window, close_window, windows_due
from timebank.clearing.actions.cure_break import cure_break
from timebank.clearing.actions.limits import grant_override, must_be_within_limit
from timebank.clearing.actions.move_home import MovedHome, move_home
from timebank.clearing.actions.payments import instruct_again, payment_failed, payment_paid
from timebank.clearing.actions.recompute import recomputations_due, recompute
from timebank.clearing.actions.reconcile import TownshipList, reconcile, whose_list
from timebank.clearing.actions.review import confirm_statement, dispute_line, rule_dispute
from timebank.clearing.actions.settle import abort_settlement, settle_window
from timebank.clearing.actions.tally import tally_new_movements

__all__ = [
    "MovedHome",
    "TownshipList",
    "abort_settlement",
    "close_due_window",
    "close_window",
    "confirm_statement",
    "cure_break",
    "dispute_line",
    "grant_override",
    "instruct_again",
    "move_home",
    "must_be_within_limit",
    "payment_failed",
    "payment_paid",
    "recomputations_due",
    "recompute",
    "reconcile",
    "rule_dispute",
    "settle_window",
    "tally_new_movements",
    "whose_list",
    "windows_due",
]
