"""Answers about townships."""

from marshmallow import fields

from app.api.fields import Answer
from app.api.operation import Page


class TownshipItem(Answer):
    """One township."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    is_pilot = fields.Boolean(required=True)


class TownshipList(Page):
    """All townships; there are never more than fit one page."""

    items = fields.List(fields.Nested(TownshipItem), required=True)
