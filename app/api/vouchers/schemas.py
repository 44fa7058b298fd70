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
    evidence = Text(
        longest=200,
        load_default=None,
        allow_none=True,
        metadata={"description": "镇街管理员代没有手机的老人购券时，老人书面同意的依据"},
    )


class VouchersQuery(PageQuery):
    """Whose vouchers, and which."""

    for_person_id = Id()
    status = Choice([str(status) for status in VoucherStatus])


class VoucherItem(Answer):
    """One voucher."""

    voucher_id = Id(required=True)
    code = fields.String(required=True)
    code_grouped = fields.String(required=True)
    qr_text = fields.String(allow_none=True, metadata={"description": "二维码内容（带签名）；没用过的券才有"})
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
    good_times = fields.String(required=True, metadata={"description": "可用的星期和餐次，如周一至周五；不限为“每天”"})
    on_expiry = fields.String(required=True, metadata={"description": "过期后 refund 退回本人，pool 转入公益时间池"})
    issued_by_name = fields.String(required=True)
    void_reason = fields.String(
        required=True, allow_none=True, metadata={"description": "lost 挂失补办，given 转赠，cancelled 镇街作废"}
    )
    void_note = fields.String(required=True, allow_none=True)
    replaces_voucher_id = Id(required=True, allow_none=True, metadata={"description": "它是哪张券补办或转赠而来"})
    replaced_by_voucher_id = Id(required=True, allow_none=True, metadata={"description": "补办或转赠后的新券"})


class BoughtAnswer(Answer):
    """The vouchers just bought."""

    items = fields.List(fields.Nested(VoucherItem), required=True)


class VoucherPage(Page):
    """Vouchers, newest first."""

    items = fields.List(fields.Nested(VoucherItem), required=True)


class ScanBody(Body):
    """One code under a scanner, or the signed text of its QR; the nonce is the scanner's own number for this scan.

    ``scanned_at`` is kept as evidence; whether a voucher has expired is judged when the scan arrives, except where the
    counter had no line (``offline``), checked a signed text by itself and sends it in time: that counts from then.
    """

    code = Scanned(required=True)
    nonce = Text(longest=100, required=True)
    scanned_at = Moment(load_default=None, allow_none=True)
    offline = Flag(load_default=False, metadata={"description": "断网时扫的，由助餐点自己验签"})


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
    honoured = fields.Boolean(required=True, metadata={"description": "券不能再用，但这一餐由保障金支付"})
    loss_id = Id(required=True, allow_none=True)
    nonce = fields.String(required=True, allow_none=True)


class BatchAnswer(Answer):
    """One final answer for each scan, in order."""

    results = fields.List(fields.Nested(ScanAnswerSchema), required=True)
