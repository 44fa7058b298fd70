"""Answers about ready-made policy sets."""

from typing import Any

from marshmallow import fields

from app.api.fields import Answer, Choice, PageQuery
from app.api.operation import Page
from timebank.policies.comparing import set_names


class PolicySetItem(Answer):
    """A set, and how many policies it speaks of itself."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    own_values = fields.Integer(required=True)


class PolicySetPage(Page):
    """All sets, by name."""

    items = fields.List(fields.Nested(PolicySetItem), required=True)


class CompareQuery(PageQuery):
    """Which two sets."""

    one = Choice(set_names(), required=True)
    other = Choice(set_names(), required=True)


class SetValueAnswer(Answer):
    """What a set says, and where that comes from."""

    value: fields.Field[Any] = fields.Raw(required=True)
    source = fields.String(required=True)
    fallback = fields.Boolean(required=True, metadata={"description": "true 表示该地报告未说明，沿用奉化的假定"})


class DifferenceItem(Answer):
    """One policy in which the two differ."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    unit = fields.String(required=True)
    one = fields.Nested(SetValueAnswer, required=True)
    other = fields.Nested(SetValueAnswer, required=True)


class DifferencePage(Page):
    """Where two sets differ, in the order of the policies."""

    items = fields.List(fields.Nested(DifferenceItem), required=True)
