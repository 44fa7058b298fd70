"""Requests and answers about what becomes of vouchers: printed, lost, given, void, looked up at the counter."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, Several, Text
from app.web.coupon_page import PAPERS
from timebank.redemption.actions.choosing import MOST_AT_ONCE


class VoucherChoiceBody(Body):
    """Which vouchers: by id, or all that a person has unused; one of the two."""

    voucher_ids = Several(Id(), lowest=1, highest=MOST_AT_ONCE, load_default=None, allow_none=True)
    for_person_id = Id(load_default=None, allow_none=True)


class VoucherSheetBody(VoucherChoiceBody):
    """Which vouchers, on which paper."""

    format = Choice(list(PAPERS), load_default="a4", metadata={"description": "a4 或 80 毫米小票 receipt"})


class VoucherGiftBody(Body):
    """To whom."""

    to_person_id = Id(required=True)


class VoucherGivenAnswer(Answer):
    """What was given; the new code is the relative's alone."""

    voucher_id = Id(required=True, metadata={"description": "受赠人的新券"}, attribute="id")
    to_person_id = Id(required=True, attribute="holder_id")
    replaces_voucher_id = Id(required=True, attribute="replaces_id")
    price_minutes = fields.Integer(required=True)
    given_at = Moment(required=True, attribute="issued_at")
    expires_at = Moment(required=True)


class VoucherVoidBody(Body):
    """Why."""

    reason = Text(longest=200, required=True)


class DinerBody(Body):
    """Whom the clerk has before them; the last four are never kept or answered."""

    name = Text(longest=50, required=True, load_only=True)
    id_last_four = Text(longest=10, required=True, load_only=True)


class DinerItem(Answer):
    """Somebody whom the clerk may mean, with where they live, so that the clerk can ask."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    village = fields.String(required=True, allow_none=True)
    unused_vouchers = fields.Integer(required=True)
    next_voucher_id = Id(required=True, allow_none=True)
    next_expires_at = Moment(required=True, allow_none=True)


class DinersAnswer(Answer):
    """Everybody with this name and these last four."""

    items = fields.List(fields.Nested(DinerItem), required=True)


class RedeemForBody(Body):
    """Which voucher of somebody looked up; the nonce is the counter's own number for this use."""

    voucher_id = Id(required=True)
    nonce = Text(longest=100, required=True)
    scanned_at = Moment(load_default=None, allow_none=True)
