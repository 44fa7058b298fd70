"""Answers about oneself."""

from marshmallow import fields

from app.api.fields import Answer, Id, Moment
from app.api.operation import Page


class MeAnswer(Answer):
    """Who I am."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    township_code = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class BalanceAnswer(Answer):
    """My minutes."""

    savings_minutes = fields.Integer(required=True)
    granted_minutes = fields.Integer(required=True)
    held_minutes = fields.Integer(required=True)
    available_minutes = fields.Integer(required=True)
    voucher_minutes = fields.Integer(required=True, metadata={"description": "未用餐券中的分钟数"})
    as_of = Moment(required=True)


class StatementItem(Answer):
    """One line; ``minutes`` is signed."""

    transfer_id = Id(required=True)
    posted_at = Moment(required=True)
    effective_at = Moment(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    balance_minutes = fields.Integer(required=True)
    counterpart_township_code = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)


class StatementPage(Page):
    """Lines, newest first."""

    items = fields.List(fields.Nested(StatementItem), required=True)
