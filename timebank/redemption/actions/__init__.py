"""What can be done with vouchers."""

from timebank.redemption.actions.buy_vouchers import buy_vouchers
from timebank.redemption.actions.endings import endings_waiting, number_endings
from timebank.redemption.actions.expire_voucher import expire_voucher, expired_vouchers
from timebank.redemption.actions.find_diners import Diner, find_diners
from timebank.redemption.actions.give_voucher import give_voucher
from timebank.redemption.actions.losses import pay_loss
from timebank.redemption.actions.print_sheet import Coupon, Sheet, print_sheet
from timebank.redemption.actions.redeem_for import redeem_for
from timebank.redemption.actions.redeem_vouchers import ScanAnswer, Scanned, redeem_at_counters, redeem_vouchers
from timebank.redemption.actions.refund_voucher import refund_voucher
from timebank.redemption.actions.reissue_vouchers import reissue_vouchers
from timebank.redemption.actions.remind_holders import holders_to_remind, remind_holder
from timebank.redemption.actions.set_aside import redeem_set_aside, set_aside, take_back_aside
from timebank.redemption.actions.signing_keys import make_signing_key, revoke_signing_key, signing_keys_due
from timebank.redemption.actions.void_voucher import void_voucher

__all__ = [
    "Coupon",
    "Diner",
    "ScanAnswer",
    "Scanned",
    "Sheet",
    "buy_vouchers",
    "endings_waiting",
    "expire_voucher",
    "expired_vouchers",
    "find_diners",
    "give_voucher",
    "holders_to_remind",
    "make_signing_key",
    "number_endings",
    "pay_loss",
    "print_sheet",
    "redeem_at_counters",
    "redeem_for",
    "redeem_set_aside",
    "redeem_vouchers",
    "refund_voucher",
    "reissue_vouchers",
    "remind_holder",
    "revoke_signing_key",
    "set_aside",
    "signing_keys_due",
    "take_back_aside",
    "void_voucher",
]
