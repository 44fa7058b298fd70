"""Requests and answers about follow-up calls."""

from marshmallow import fields

from app.api.fields import Answer, Body, Flag, Id, Moment, QueryFlag, Text, Whole
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.canteens.ratings.rules import HIGHEST, LONGEST_WORDS, LOWEST
from timebank.canteens.ratings.views import FOLLOW_UP_ORDERS


class RecordCallBody(Body):
    """What came of a call; ``satisfied`` only where somebody was reached."""

    reached = Flag(required=True)
    satisfied = Whole(LOWEST, HIGHEST, load_default=None, allow_none=True)
    words = Text(longest=LONGEST_WORDS, shortest=0, load_default="")


class FollowUpsQuery(SortedQuery):
    """Which follow-ups: a steward's own township; the open ones, or all."""

    sort = Sort(FOLLOW_UP_ORDERS)
    township_code = Text(longest=12)
    only_open = QueryFlag(load_default=True)


class CallAnswer(Answer):
    """One call."""

    number = fields.Integer(required=True)
    reached = fields.Boolean(required=True)
    satisfied = fields.Integer(required=True, allow_none=True)
    words = fields.String(required=True)
    called_at = Moment(required=True)
    called_by_name = fields.String(required=True)


class FollowUpAnswer(Answer):
    """One diner to call about one meal."""

    follow_up_id = Id(required=True)
    reason = fields.String(required=True)
    reason_name = fields.String(required=True)
    month = fields.String(required=True, metadata={"description": "如 2026-03"})
    township_code = fields.String(required=True)
    person_id = Id(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True, allow_none=True, metadata={"description": "只给该镇街和区级管理员"})
    order_id = Id(required=True)
    served_on = fields.Date(required=True)
    meal = fields.String(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    stars = fields.Integer(required=True, allow_none=True)
    rating_words = fields.String(required=True)
    opened_at = Moment(required=True)
    closed_at = Moment(required=True, allow_none=True)
    calls = fields.List(fields.Nested(CallAnswer), required=True)


class FollowUpPage(SortedPage):
    """Follow-ups, oldest first where no other order is asked for."""

    items = fields.List(fields.Nested(FollowUpAnswer), required=True)
