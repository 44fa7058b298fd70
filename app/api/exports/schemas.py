"""Requests and answers about lists that are taken out as a file."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Moment, Text, Whole
from timebank.audit.rules import EXPORTED


class ExportBody(Body):
    """Which list, how many rows of it, and by which filters: codes, states and days, never a name or a number."""

    name = Choice(list(EXPORTED), required=True)
    rows = Whole(0, required=True, allow_none=True, metadata={"description": "null 表示多得不再数"})
    filters = Text(
        shortest=0,
        longest=500,
        load_default="",
        metadata={"description": "筛选与排序，如 status=recorded&sort=-starts_at", "example": "status=recorded"},
    )


class ExportAnswer(Answer):
    """What was written down."""

    export_number = fields.Integer(required=True, attribute="id")
    exported_at = Moment(required=True, attribute="at")
    exported_by_name = fields.String(required=True, attribute="actor_name")
