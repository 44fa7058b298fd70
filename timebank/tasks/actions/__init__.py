"""What can be done with tasks."""

from timebank.tasks.actions.accept import accept, call_off_shift, cancel
from timebank.tasks.actions.attend import check_in, check_out
from timebank.tasks.actions.back_fill import BackFill, approve_record, record, reject_record
from timebank.tasks.actions.confirm import Confirmation, confirm, confirm_many, confirmations_due
from timebank.tasks.actions.dispute import dispute, rule
from timebank.tasks.actions.lapse import lapse, lapsing
from timebank.tasks.actions.request import Request, request, request_shift
from timebank.tasks.actions.take_back import reversed_parts, take_back

__all__ = [
    "BackFill",
    "Confirmation",
    "Request",
    "accept",
    "approve_record",
    "call_off_shift",
    "cancel",
    "check_in",
    "check_out",
    "confirm",
    "confirm_many",
    "confirmations_due",
    "dispute",
    "lapse",
    "lapsing",
    "record",
    "reject_record",
    "request",
    "request_shift",
    "reversed_parts",
    "rule",
    "take_back",
]
