"""Requests and answers about the books."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Text


class TrialQuery(Body):
    """Which unit."""

    unit = Choice(["minute", "fen"], load_default="minute")


class TrialItem(Answer):
    """A book's accounts of one kind."""

    book = fields.String(required=True)
    account = fields.String(required=True)
    account_name = fields.String(required=True)
    debit = fields.Integer(required=True)
    credit = fields.Integer(required=True)


class TrialAnswer(Answer):
    """The whole ledger at a glance: both sides are equal."""

    unit = fields.String(required=True)
    items = fields.List(fields.Nested(TrialItem), required=True)
    total_debit = fields.Integer(required=True)
    total_credit = fields.Integer(required=True)


class ReverseBody(Body):
    """Why it is to be undone."""

    reason = Text(longest=500, required=True)


class ReverseAnswer(Answer):
    """``awaiting_second_person`` after the first steward, ``reversed`` after the second."""

    status = fields.String(required=True)
    transfer_id = Id(required=True)
    reversal_transfer_id = Id(required=True, allow_none=True)
