"""Requests and answers about assessments and allotments."""

from marshmallow import fields

from app.api.fields import Answer, Body, Id, Moment, PageQuery, Several, Text, Whole
from app.api.operation import Page


class AssessBody(Body):
    """What an assessment found; circumstances are left as they are where none are given."""

    level = Whole(0, 4, required=True, metadata={"description": "评估等级，0能力完好至4完全失能"})
    evidence = Text(longest=200, required=True)
    circumstances = Several(
        Text(longest=20),
        lowest=1,
        highest=10,
        load_default=None,
        allow_none=True,
        metadata={"description": "特殊情况，如独居、低保；没有的写“无”"},
    )


class AssessedAnswer(Answer):
    """An assessment as it was entered."""

    assessment_id = Id(required=True, attribute="id")
    person_id = Id(required=True)
    level = fields.Integer(required=True)
    previous_level = fields.Integer(required=True, allow_none=True)
    circumstances = fields.List(fields.String(), required=True)
    evidence = fields.String(required=True)
    assessed_at = Moment(required=True)
    assessed_by_name = fields.String(required=True)


class AllotmentsQuery(PageQuery):
    """Whose allotments: one's own, an elder's, or a township's; of one month or all."""

    for_person_id = Id()
    township_code = Text(longest=20)
    month = Text(longest=7, metadata={"description": "如 2026-11"})


class AllotmentItem(Answer):
    """Minutes granted for one month."""

    allotment_id = Id(required=True)
    person_id = Id(required=True)
    name = fields.String(required=True)
    month = fields.String(required=True)
    level = fields.Integer(required=True)
    level_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    township_code = fields.String(required=True)
    expires_on = fields.Date(required=True)
    granted_at = Moment(required=True)


class AllotmentPage(Page):
    """Allotments, newest first."""

    items = fields.List(fields.Nested(AllotmentItem), required=True)


class NextMonthQuery(PageQuery):
    """Of which township; a steward's own, for the district all."""

    township_code = Text(longest=20)


class NextMonthItem(Answer):
    """What the people of one township at one level will get."""

    township_code = fields.String(required=True)
    level = fields.Integer(required=True)
    level_name = fields.String(required=True)
    people = fields.Integer(required=True)
    minutes_each = fields.Integer(required=True)
    minutes = fields.Integer(required=True)


class NextMonthPage(Page):
    """What the next month will bring as things stand."""

    month = fields.String(required=True)
    people = fields.Integer(required=True)
    minutes = fields.Integer(required=True)
    items = fields.List(fields.Nested(NextMonthItem), required=True)
