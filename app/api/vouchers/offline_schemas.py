"""Requests and answers about counters without a line, signing keys and losses of the guarantee fund."""

from marshmallow import fields

from app.api.fields import Answer, Body, Id, Moment, QueryFlag, QueryWhole, Text
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.core.amounts import MAX_AMOUNT
from timebank.redemption.offline_queries import LOSS_ORDERS

MOST_ENDINGS = 20_000


class BundleQuery(Body):
    """From where the list of ended vouchers goes on, and how much of it."""

    since = QueryWhole(0, MAX_AMOUNT, load_default=0, metadata={"description": "上次得到的 upto；0 为从头下载"})
    limit = QueryWhole(1, MOST_ENDINGS, load_default=10_000)


class BundleKey(Answer):
    """A key that counters check signatures with."""

    key_id = fields.Integer(required=True)
    public_key = fields.String(required=True, metadata={"description": "Ed25519 公钥，base64url"})
    signs_from = fields.String(required=True)
    signs_until = fields.String(required=True)
    revoked_at = fields.String(required=True, allow_none=True)


class BundleAnswer(Answer):
    """Everything a counter needs to say yes or no alone.

    ``signature`` is made with ``key_id`` over the answer without it: JSON with sorted keys, no blanks, ASCII only.
    """

    server_time = fields.String(required=True)
    canteen_id = fields.String(required=True)
    canteen_name = fields.String(required=True)
    township_code = fields.String(required=True)
    scan_max_hours = fields.Integer(required=True, metadata={"description": "断网扫码最迟多久内补传，小时"})
    clock_skew_minutes = fields.Integer(required=True)
    meal_periods = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)
    keys = fields.List(fields.Nested(BundleKey), required=True)
    since = fields.Integer(required=True)
    upto = fields.Integer(required=True, metadata={"description": "下次从这里接着下载"})
    more = fields.Boolean(required=True, metadata={"description": "名单还没有完，须接着下载"})
    ended = fields.List(
        fields.String(), required=True, metadata={"description": "提前结束的券：券码 SHA-256 的前 8 字节，十六进制"}
    )
    key_id = fields.Integer(required=True)
    signature = fields.String(required=True, metadata={"description": "Ed25519 签名，base64url"})


class KeyItem(Answer):
    """One signing key, without its secret."""

    key_id = fields.Integer(required=True)
    public_key = fields.String(required=True)
    made_at = Moment(required=True)
    signs_from = Moment(required=True)
    signs_until = Moment(required=True)
    revoked_at = Moment(required=True, allow_none=True)
    revoked_by_name = fields.String(required=True, allow_none=True)
    revoke_reason = fields.String(required=True, allow_none=True)


class KeyPage(Page):
    """Signing keys, oldest first."""

    items = fields.List(fields.Nested(KeyItem), required=True)


class RevokeBody(Body):
    """Why nobody may trust this key any more."""

    reason = Text(longest=500, required=True)


class LossesQuery(SortedQuery):
    """Whose losses, and which."""

    sort = Sort(LOSS_ORDERS)
    township_code = Text(longest=12)
    paid = QueryFlag()


class EvidenceItem(Answer):
    """One scan as evidence."""

    scan_id = Id(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    nonce = fields.String(required=True)
    offline = fields.Boolean(required=True)
    scanned_at = Moment(required=True)
    received_at = Moment(required=True)


class LossItem(Answer):
    """One meal that the guarantee fund pays."""

    loss_id = Id(required=True)
    reason = fields.String(required=True)
    reason_name = fields.String(required=True)
    voucher_id = Id(required=True)
    code = fields.String(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    township_code = fields.String(required=True)
    minutes = fields.Integer(required=True)
    loss_fen = fields.Integer(required=True, allow_none=True)
    eaten_at = Moment(required=True)
    noted_at = Moment(required=True)
    first_scan = fields.Nested(EvidenceItem, required=True, allow_none=True)
    second_scan = fields.Nested(EvidenceItem, required=True)
    paid_at = Moment(required=True, allow_none=True)
    paid_by_name = fields.String(required=True, allow_none=True)
    outside_reference = fields.String(required=True, allow_none=True)


class LossPage(SortedPage):
    """Losses, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(LossItem), required=True)


class PayBody(Body):
    """Under which number the bank or treasury paid."""

    outside_reference = Text(longest=100, required=True)
