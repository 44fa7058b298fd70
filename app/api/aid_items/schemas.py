"""Requests and answers about aids."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Id, Moment, QueryFlag, Text, Whole
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.redemption.aids.queries import AID_ITEM_ORDERS
from timebank.redemption.aids.rules import USABLE, Condition

USABLE_CHOICES = [str(condition) for condition in USABLE]


class EnterAidBody(Body):
    """An aid as it is entered; it stands in its home township."""

    serial = Text(longest=60, required=True)
    kind = Text(longest=40, required=True)
    name = Text(longest=60, required=True, metadata={"description": "名称与型号"})
    home_township_code = Text(longest=12, required=True)
    acquired_on = Day(required=True)
    condition = Choice(USABLE_CHOICES, load_default=str(Condition.GOOD))
    note = Text(longest=500, shortest=0, load_default="")


class AidReasonBody(Body):
    """Why."""

    reason = Text(longest=500, required=True)


class AidRepairedBody(Body):
    """How the aid is after its repair."""

    condition = Choice(USABLE_CHOICES, load_default=str(Condition.GOOD))
    note = Text(longest=500, shortest=0, load_default="")


class AidItemsQuery(SortedQuery):
    """Which aids; ``available`` leaves those that can be borrowed now."""

    sort = Sort(AID_ITEM_ORDERS)
    kind = Text(longest=40)
    township_code = Text(longest=12)
    serial = Text(longest=60)
    available = QueryFlag(load_default=False)


class AidKindAnswer(Answer):
    """One kind of aid, and what a day of it costs in the district."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    price_minutes_per_day = Whole(required=True)


class AidKindPage(Page):
    """Kinds, by code."""

    items = fields.List(fields.Nested(AidKindAnswer), required=True)


class AidItemAnswer(Answer):
    """One aid. ``due_back_on`` says when a taken one is to be free again; who has it is not said."""

    item_id = Id(required=True)
    serial = fields.String(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    name = fields.String(required=True)
    home_township_code = fields.String(required=True)
    at_township_code = fields.String(required=True)
    condition = fields.String(required=True)
    condition_name = fields.String(required=True)
    acquired_on = fields.Date(required=True)
    available = fields.Boolean(required=True)
    due_back_on = fields.Date(required=True, allow_none=True)


class AidItemPage(SortedPage):
    """Aids, in the order in which they were entered where no other is asked for."""

    items = fields.List(fields.Nested(AidItemAnswer), required=True)


class AidEventAnswer(Answer):
    """One change of an aid, and how it stood afterwards."""

    at = Moment(required=True)
    what = fields.String(required=True)
    what_name = fields.String(required=True)
    condition = fields.String(required=True)
    condition_name = fields.String(required=True)
    township_code = fields.String(required=True)
    loan_id = Id(required=True, allow_none=True)
    reason = fields.String(required=True)
    by_name = fields.String(required=True)


class AidHistoryAnswer(AidItemAnswer):
    """One aid with everything that happened to it, oldest first."""

    note = fields.String(required=True)
    history = fields.List(fields.Nested(AidEventAnswer), required=True)
