"""Answers about providers' monthly bills."""

from marshmallow import fields

from app.api.fields import Answer, Id, Moment, PageQuery, Text
from app.api.operation import Page


class CareBillQuery(PageQuery):
    """Whose bill of which month; a provider's own where none is named."""

    month = Text(longest=7, required=True, metadata={"description": "如 2026-11"})
    provider_id = Id()


class CareBillFileQuery(CareBillQuery):
    """The same for a file, which is always whole."""

    class Meta(CareBillQuery.Meta):
        """A file has no pages."""

        exclude = ("cursor", "limit")


class CareServiceTotalItem(Answer):
    """What one service makes."""

    service = fields.String(required=True)
    service_name = fields.String(required=True)
    lines = fields.Integer(required=True)
    minutes = fields.Integer(required=True)
    fen = fields.Integer(required=True)


class CareBillLineItem(Answer):
    """One visit's line; negative where something is taken back."""

    charge_id = Id(required=True)
    booking_id = Id(required=True)
    service = fields.String(required=True)
    service_name = fields.String(required=True)
    elder_name = fields.String(required=True)
    starts_at = Moment(required=True)
    served_minutes = fields.Integer(required=True, allow_none=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    fen_per_hour = fields.Integer(required=True)
    grade = fields.Integer(required=True, allow_none=True)
    charged_at = Moment(required=True)


class CareBillAnswer(Answer):
    """A provider's month; what is not issued yet is what it comes to so far."""

    provider_id = Id(required=True)
    provider_name = fields.String(required=True)
    township_code = fields.String(required=True)
    month = fields.String(required=True)
    issued = fields.Boolean(required=True)
    issued_at = Moment(required=True, allow_none=True)
    issued_by_name = fields.String(required=True, allow_none=True)
    lines = fields.Integer(required=True)
    minutes = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    services = fields.List(fields.Nested(CareServiceTotalItem), required=True)


class CareBillPage(Page):
    """The bill, and a page of its lines in the order in which they were charged."""

    bill = fields.Nested(CareBillAnswer, required=True)
    items = fields.List(fields.Nested(CareBillLineItem), required=True)
