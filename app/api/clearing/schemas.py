"""Answers about what townships owe one another."""

from marshmallow import fields

from app.api.fields import Answer, Body, PageQuery, Text
from app.api.operation import Page


class WindowQuery(Body):
    """Which month; the current one by default."""

    window = Text(longest=20, metadata={"example": "2026-11"})


class MatrixQuery(PageQuery):
    """Which month, and how much of it."""

    window = Text(longest=20, metadata={"example": "2026-11"})


class PositionItem(Answer):
    """One township's position; positive is owed to it."""

    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    position_minutes = fields.Integer(required=True)
    soft_limit_minutes = fields.Integer(required=True)
    hard_limit_minutes = fields.Integer(required=True)


class PositionsAnswer(Answer):
    """All positions of one window; they sum to zero."""

    window = fields.String(required=True)
    status = fields.String(required=True)
    items = fields.List(fields.Nested(PositionItem), required=True)
    sum_minutes = fields.Integer(required=True)


class MatrixItem(Answer):
    """Who owes whom, gross."""

    debtor_township_code = fields.String(required=True)
    creditor_township_code = fields.String(required=True)
    minutes = fields.Integer(required=True)
    transfers = fields.Integer(required=True)


class MatrixPage(Page):
    """At most twelve times eleven lines, on one page."""

    window = fields.String(required=True)
    items = fields.List(fields.Nested(MatrixItem), required=True)
