"""What can be done with claims, donations and produce."""

from timebank.canteens.subsidies.actions.compute import compute_claim, compute_due_claim
from timebank.canteens.subsidies.actions.donations import NewDonation, allot_donations, receive_donation
from timebank.canteens.subsidies.actions.pay import pay_claim
from timebank.canteens.subsidies.actions.produce import NewProduce, receive_produce
from timebank.canteens.subsidies.actions.review import approve_claim, decide_finding, return_claim
from timebank.canteens.subsidies.queries.claims import claims_due

__all__ = [
    "NewDonation",
    "NewProduce",
    "allot_donations",
    "approve_claim",
    "claims_due",
    "compute_claim",
    "compute_due_claim",
    "decide_finding",
    "pay_claim",
    "receive_donation",
    "receive_produce",
    "return_claim",
]
