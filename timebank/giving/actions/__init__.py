"""What can be done with minutes that are given: gifts, donations, hardship help."""

from timebank.giving.actions.donate import donate
from timebank.giving.actions.give import give
from timebank.giving.actions.help_in_hardship import approve_hardship, decline_hardship, request_hardship

__all__ = ["approve_hardship", "decline_hardship", "donate", "give", "request_hardship"]
