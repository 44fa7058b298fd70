"""What can be done in clearing: tally, close, review, settle, mind the limits."""

from timebank.clearing.actions.close_window import close_window, windows_due
from timebank.clearing.actions.tally import tally_new_movements

__all__ = [
    "close_window",
    "tally_new_movements",
    "windows_due",
]
