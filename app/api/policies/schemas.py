"""Requests and answers about policies."""

from typing import Any

from marshmallow import fields

from app.api.fields import Answer, Anything, Body, Id, Moment, Part, QueryFlag, Several, Text
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.policies.queries import CHANGE_ORDERS


class ValueBody(Body):
    """What one policy shall be; without a township, for the whole district."""

    key = Text(longest=80, required=True)
    value = Anything(required=True)
    township_code = Text(longest=20, load_default=None, allow_none=True)


class ProposeBody(Body):
    """A change of policy."""

    values = Several(Part(ValueBody), lowest=1, highest=100, required=True)
    effective_at = Moment(required=True)
    reason = Text(longest=500, required=True)
    source = Text(longest=500, required=True)


class PolicyItem(Answer):
    """One policy as it is in force now."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    unit = fields.String(required=True)
    value: fields.Field[Any] = fields.Raw(required=True)
    township_values = fields.Dict(required=True, metadata={"description": "有自己取值的镇街"})


class PolicyList(Page):
    """All policies in force, and the newest change among them."""

    policy_version = fields.Integer(required=True)
    items = fields.List(fields.Nested(PolicyItem), required=True)


class ChangedValue(Answer):
    """One value of a change."""

    key = fields.String(required=True)
    township_code = fields.String(allow_none=True)
    value: fields.Field[Any] = fields.Raw(required=True)
    valid_from = Moment(allow_none=True)
    valid_to = Moment(allow_none=True)


class ChangeAnswer(Answer):
    """A change of policy; its number is the policy version that transfers record."""

    change_id = fields.Integer(required=True)
    effective_at = Moment(required=True)
    reason = fields.String(required=True)
    source = fields.String(required=True)
    proposed_by = Id(required=True)
    proposed_by_name = fields.String(required=True)
    proposed_at = Moment(required=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    approved_at = Moment(required=True, allow_none=True)
    shipped = fields.Boolean(required=True, metadata={"description": "随系统交付，不经批准"})
    values = fields.List(fields.Nested(ChangedValue), required=True)


class ChangesQuery(SortedQuery):
    """Which changes; with ``waiting`` those that await the second person."""

    sort = Sort(CHANGE_ORDERS)
    waiting = QueryFlag(load_default=False)


class ChangePage(SortedPage):
    """Changes, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(ChangeAnswer), required=True)


class PolicyHistoryItem(Answer):
    """One value, when it was in force, and the change that brought it; ``valid_from`` null was never in force."""

    township_code = fields.String(required=True, allow_none=True)
    value: fields.Field[Any] = fields.Raw(required=True)
    valid_from = Moment(required=True, allow_none=True)
    valid_to = Moment(required=True, allow_none=True)
    change_id = fields.Integer(required=True)
    effective_at = Moment(required=True)
    reason = fields.String(required=True)
    source = fields.String(required=True)
    proposed_by_name = fields.String(required=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    approved_at = Moment(required=True, allow_none=True)


class PolicyHistoryPage(Page):
    """What a policy was and is, newest change first."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    unit = fields.String(required=True)
    items = fields.List(fields.Nested(PolicyHistoryItem), required=True)
