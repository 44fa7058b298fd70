"""Answers about monthly bulletins; amounts are whole minutes, fen or numbers, as the unit says."""

from marshmallow import fields

from app.api.fields import Answer, Body, Moment, Text
from app.api.operation import Page


class BulletinQuery(Body):
    """Which month, and whose; a township steward's own by default, all townships for the district."""

    month = Text(longest=7, required=True, metadata={"example": "2026-11"})
    township_code = Text(longest=12, metadata={"description": "镇街管理员只看本镇街；区级不填为全区"})


class BulletinItem(Answer):
    """A month that has a bulletin."""

    month = fields.String(required=True)
    is_final = fields.Boolean(required=True)


class BulletinPage(Page):
    """Months, the running one first."""

    items = fields.List(fields.Nested(BulletinItem), required=True)


class BulletinPart(Answer):
    """One township's part of a figure; no code for the district's own book."""

    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    amount = fields.Integer(required=True)


class BulletinLineItem(Answer):
    """One figure of the month, and of the month before where that was kept."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    section = fields.String(required=True)
    section_name = fields.String(required=True)
    unit = fields.String(required=True, metadata={"description": "minute、fen 或 count"})
    counted = fields.String(required=True, metadata={"description": "unit 为 count 时的量词"})
    how = fields.String(required=True, metadata={"description": "怎样算的"})
    amount = fields.Integer(required=True)
    before_amount = fields.Integer(required=True, allow_none=True)
    parts = fields.List(fields.Nested(BulletinPart), required=True)


class BulletinAnswer(Answer):
    """A month's bulletin; once it is ``final`` it never reads otherwise."""

    month = fields.String(required=True)
    township_code = fields.String(required=True, allow_none=True)
    township_name = fields.String(required=True, allow_none=True)
    status = fields.String(required=True, metadata={"description": "running、ended 或 final"})
    begins_at = Moment(required=True)
    ends_at = Moment(required=True)
    as_of = Moment(required=True)
    closed_at = Moment(required=True, allow_none=True)
    lines = fields.List(fields.Nested(BulletinLineItem), required=True)
