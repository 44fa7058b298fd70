"""Answers about ready-made policy sets."""

from typing import Any

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Moment, PageQuery, QueryWhole
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


class AgainstNowItem(Answer):
    """One policy as it is in force in the district, and as the set would have it."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    unit = fields.String(required=True)
    now: fields.Field[Any] = fields.Raw(required=True)
    then = fields.Nested(SetValueAnswer, required=True)
    differs = fields.Boolean(required=True)


class SetAgainstNowPage(Page):
    """A set, policy by policy, beside what is in force."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    items = fields.List(fields.Nested(AgainstNowItem), required=True)


class SetTrialQuery(Body):
    """Over how many past months."""

    months = QueryWhole(1, 60, load_default=12)


class TrialFigure(Answer):
    """One figure as it came out, and as it would have under the set."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    what = fields.String(required=True)
    unit = fields.String(required=True)
    now = fields.Integer(required=True)
    tried = fields.Integer(required=True)


class SetTrialAnswer(Answer):
    """All figures of one set, over what happened since ``since``."""

    name = fields.String(required=True)
    title = fields.String(required=True)
    since = Moment(required=True)
    until = Moment(required=True)
    figures = fields.List(fields.Nested(TrialFigure), required=True)


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
