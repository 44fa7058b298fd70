"""Requests and answers about meal vouchers."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, EachByItself, Flag, Id, Moment, PageQuery, Part, Scanned, Text, Whole
from app.api.operation import Page
from timebank.redemption.rules import VoucherStatus


class BuyBody(Body):
    """How many, and for whom."""

    quantity = Whole(1, 1000, required=True)
    for_person_id = Id(load_default=None, allow_none=True)
    home_only = Flag(load_default=False, metadata={"description": "只在持券人本镇街使用；不受头寸限额影响"})


class VouchersQuery(PageQuery):
    """Whose vouchers, and which."""

    for_person_id = Id()
    status = Choice([str(status) for status in VoucherStatus])


class VoucherItem(Answer):
    """One voucher."""

    voucher_id = Id(required=True)
    code = fields.String(required=True)
    code_grouped = fields.String(required=True)
    holder_id = Id(required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    price_minutes = fields.Integer(required=True)
    issued_at = Moment(required=True)
    expires_at = Moment(required=True)
    redeemed_at = Moment(required=True, allow_none=True)
    canteen_id = Id(required=True, allow_none=True)
    canteen_name = fields.String(required=True, allow_none=True)
    only_township_code = fields.String(
        required=True, allow_none=True, metadata={"description": "只能在这个镇街使用；null 为任一镇街"}
    )


class BoughtAnswer(Answer):
    """The vouchers just bought."""

    items = fields.List(fields.Nested(VoucherItem), required=True)


class VoucherPage(Page):
    """Vouchers, newest first."""

    items = fields.List(fields.Nested(VoucherItem), required=True)


class ScanBody(Body):
    """One code under a scanner; the nonce is the scanner's own number for this scan.

    ``scanned_at`` is kept as evidence; whether a voucher has expired is judged when the scan arrives.
    """

    code = Scanned(required=True)
    nonce = Text(longest=100, required=True)
    scanned_at = Moment(load_default=None, allow_none=True)


class BatchBody(Body):
    """Scans that waited for the line to come back, in order; one that cannot be read spoils none of the others."""

    scans = EachByItself(Part(ScanBody), lowest=1, highest=1000, required=True)


class ScanAnswerSchema(Answer):
    """Yes or no, and why, in words for the clerk."""

    result = fields.String(required=True)
    reason = fields.String(required=True)
    message = fields.String(required=True)
    voucher_id = Id(required=True, allow_none=True)
    holder_name = fields.String(required=True, allow_none=True)
    redeemed_at = Moment(required=True, allow_none=True)
    canteen_id = Id(required=True, allow_none=True)
    canteen_name = fields.String(required=True, allow_none=True)
    nonce = fields.String(required=True, allow_none=True)


class BatchAnswer(Answer):
    """One final answer for each scan, in order."""

    results = fields.List(fields.Nested(ScanAnswerSchema), required=True)
