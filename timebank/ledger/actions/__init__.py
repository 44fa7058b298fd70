"""What can be done in the ledger: post, hold, reverse, sweep, seal."""

from timebank.ledger.actions.accounts import ensure_accounts, ensure_lot, township_accounts
from timebank.ledger.actions.checkpoint import take_checkpoints
from timebank.ledger.actions.holds import capture_hold, end_hold, expired_holds, place_hold
from timebank.ledger.actions.post import post, post_one, transfers_by_cause
from timebank.ledger.actions.reverse import movement_of, reverse, surplus_standing, why_not_reversible
from timebank.ledger.actions.seal import hand_out_seal, seal_new_transfers, settled_seq
from timebank.ledger.actions.sweep import expired_lots, sweep_lot

__all__ = [
    "capture_hold",
    "end_hold",
    "ensure_accounts",
    "ensure_lot",
    "expired_holds",
    "expired_lots",
    "hand_out_seal",
    "movement_of",
    "place_hold",
    "post",
    "post_one",
    "reverse",
    "seal_new_transfers",
    "settled_seq",
    "surplus_standing",
    "sweep_lot",
    "take_checkpoints",
    "township_accounts",
    "transfers_by_cause",
    "why_not_reversible",
]
