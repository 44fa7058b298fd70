"""What can be done with money of purses: put in, paid back, handed in; and what the dead have left."""

from timebank.canteens.purses.actions.estates import Estate, inherit_purse, pay_out_estate
from timebank.canteens.purses.actions.find_diner import FoundDiner, find_diner
from timebank.canteens.purses.actions.hand_in import hand_in
from timebank.canteens.purses.actions.slips import pay_back, top_up

__all__ = [
    "Estate",
    "FoundDiner",
    "find_diner",
    "hand_in",
    "inherit_purse",
    "pay_back",
    "pay_out_estate",
    "top_up",
]
