"""Answers about single transfers, for the desk."""

from marshmallow import fields

from app.api.fields import Answer, Id, Moment, PageQuery
from app.api.operation import Page


class OfCauseQuery(PageQuery):
    """Of what: a service, a voucher, an order, a claim, a settlement; or a task, a loan."""

    cause_id = Id(required=True)


class TransferBrief(Answer):
    """One movement in a list; ``amount`` in minutes or fen by ``unit``."""

    transfer_id = Id(required=True)
    recorded_at = Moment(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    unit = fields.String(required=True)
    amount = fields.Integer(required=True)
    from_book_name = fields.String(required=True)
    to_book_name = fields.String(required=True)
    note = fields.String(required=True)
    reverses_id = Id(required=True, allow_none=True, metadata={"description": "冲正的是哪一笔"})
    reversed = fields.Boolean(required=True)


class TransferPage(Page):
    """Movements, oldest first."""

    items = fields.List(fields.Nested(TransferBrief), required=True)


class TransferSide(Answer):
    """One of a line's two accounts; ``person_id`` where the asker may open that person's page."""

    account_name = fields.String(required=True)
    holder_name = fields.String(required=True, allow_none=True)
    person_id = Id(required=True, allow_none=True)
    balance = fields.Integer(
        required=True, allow_none=True, metadata={"description": "记账后的余额；不逐笔记的为 null"}
    )


class TransferLine(Answer):
    """One row of the books."""

    leg_id = Id(required=True)
    seq = fields.Integer(required=True)
    book_code = fields.String(required=True)
    book_name = fields.String(required=True)
    source = fields.Nested(TransferSide, required=True)
    target = fields.Nested(TransferSide, required=True)
    amount = fields.Integer(required=True)


class TransferCause(Answer):
    """Why it was made; ``subject`` and ``subject_id`` are what can be opened."""

    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    cause_id = Id(required=True)
    subject = fields.String(required=True, allow_none=True)
    subject_id = fields.String(required=True, allow_none=True)
    person_id = Id(required=True, allow_none=True)


class TransferReversal(Answer):
    """Whether it may be undone, how far that is, and what lines would be written."""

    state = fields.String(
        required=True,
        metadata={"enum": ["reversible", "not_reversible", "awaiting_second_person", "reversed"]},
    )
    why_not = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    requested_by_name = fields.String(required=True, allow_none=True)
    requested_at = Moment(required=True, allow_none=True)
    requested_by_me = fields.Boolean(required=True)
    reversal_transfer_id = Id(required=True, allow_none=True)
    will = fields.List(fields.Nested(TransferLine), required=True)
    besides = fields.List(fields.String(), required=True)


class TransferSeal(Answer):
    """The seal that a movement's first line lies under."""

    number = fields.Integer(required=True)
    from_seq = fields.Integer(required=True)
    to_seq = fields.Integer(required=True)
    transfers = fields.Integer(required=True)
    hash = fields.String(required=True)
    sealed_at = Moment(required=True)


class TransferAnswer(Answer):
    """One movement from end to end."""

    movement = fields.Nested(TransferBrief, required=True)
    effective_at = Moment(required=True)
    policy_version = fields.Integer(required=True, allow_none=True)
    recorded_by_name = fields.String(required=True, allow_none=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    lines = fields.List(fields.Nested(TransferLine), required=True)
    cause = fields.Nested(TransferCause, required=True, allow_none=True)
    reversal = fields.Nested(TransferReversal, required=True)
    seal = fields.Nested(TransferSeal, required=True, allow_none=True, metadata={"description": "null 表示还没有封存"})
