"""Requests and answers about produce given to meals; its value in fen."""

from marshmallow import fields

from app.api.fields import Answer, Body, Day, Id, Moment, Text, Whole
from app.api.sorting import DatedQuery, Sort, SortedPage
from timebank.canteens.subsidies.queries.gifts import PRODUCE_ORDERS


class ReceiveProduceBody(Body):
    """What was brought; without ``value_fen`` it is worth what policy says."""

    canteen_id = Id(required=True)
    item = Text(longest=40, required=True)
    weight_g = Whole(1, 10_000_000, required=True)
    value_fen = Whole(1, 100_000_000, load_default=None, allow_none=True)
    received_on = Day(required=True)
    from_name = Text(longest=100, load_default=None, allow_none=True)


class ProduceQuery(DatedQuery):
    """Which gifts; days are those on which they came."""

    sort = Sort(PRODUCE_ORDERS)
    canteen_id = Id()


class ProduceAnswer(Answer):
    """One gift of produce; ``proposed_fen`` is what policy would have said."""

    produce_id = Id(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    item = fields.String(required=True)
    weight_g = fields.Integer(required=True)
    value_fen = fields.Integer(required=True)
    proposed_fen = fields.Integer(required=True)
    from_name = fields.String(required=True, allow_none=True)
    received_on = fields.Date(required=True)
    received_at = Moment(required=True)
    received_by_name = fields.String(required=True)
    transfer_id = Id(required=True, metadata={"description": "记错时按此划转冲正"})
    reversed = fields.Boolean(required=True)


class ProducePage(SortedPage):
    """Gifts, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(ProduceAnswer), required=True)
