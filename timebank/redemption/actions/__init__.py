"""What can be done with vouchers."""

from timebank.redemption.actions.buy_vouchers import buy_vouchers
from timebank.redemption.actions.redeem_vouchers import ScanAnswer, redeem_vouchers
from timebank.redemption.actions.refund_voucher import expire_voucher, expired_vouchers, refund_voucher

__all__ = [
    "ScanAnswer",
    "buy_vouchers",
    "expire_voucher",
    "expired_vouchers",
    "redeem_vouchers",
    "refund_voucher",
]
