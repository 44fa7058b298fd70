"""Requests and answers about people."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Cursor, Id, Moment, Several, Text, Whole
from app.api.operation import Page
from timebank.people.rules import ROLE_NAMES, USUAL_SCOPES, ProxyScope

SCOPES = [str(scope) for scope in ProxyScope]


class EnrolBody(Body):
    """A person as a steward enters them."""

    name = Text(longest=50, required=True)
    id_number = Text(longest=40, required=True, load_only=True)
    phone = Text(longest=40, load_default=None, allow_none=True, load_only=True)
    township_code = Text(longest=20, required=True)
    village = Text(
        longest=80, load_default=None, allow_none=True, metadata={"description": "村社，须属于该镇街；可不填"}
    )
    roles = Several(Choice(list(ROLE_NAMES)), lowest=1, highest=len(ROLE_NAMES), required=True)


class EnrolledAnswer(Answer):
    """Whom it became."""

    person_id = Id(required=True)


class FindQuery(Body):
    """The number to look for."""

    id_number = Text(longest=40, required=True, load_only=True)


class PersonAnswer(Answer):
    """A person, with number and phone masked."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    id_number_masked = fields.String(required=True)
    phone_masked = fields.String(required=True, allow_none=True)
    township_code = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    savings_minutes = fields.Integer(required=True)


class PersonSeenAnswer(PersonAnswer):
    """A person as the desk sees one; an auditor reads a shortened name."""

    village = fields.String(required=True, allow_none=True)
    age = fields.Integer(required=True)
    enrolled_at = Moment(required=True)
    left_at = Moment(required=True, allow_none=True)
    death_reported_at = Moment(required=True, allow_none=True)
    assessment_level = fields.Integer(
        required=True, allow_none=True, metadata={"description": "0 能力完好 … 4 完全失能"}
    )


class SearchPeopleBody(Body):
    """A name, or how it begins; it is in the body so that no address holds it."""

    name = Text(longest=40, shortest=2, required=True)
    township_code = Text(longest=20, load_default=None, allow_none=True)
    cursor = Cursor(load_default=None, metadata={"type": "string"})
    limit = Whole(1, 100, load_default=30)


class FoundPersonItem(Answer):
    """Somebody of that name, with what tells two of them apart."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    id_number_masked = fields.String(required=True)
    phone_masked = fields.String(required=True, allow_none=True)
    township_code = fields.String(required=True)
    age = fields.Integer(required=True)
    left_at = Moment(required=True, allow_none=True)


class FoundPeoplePage(Page):
    """People by name."""

    items = fields.List(fields.Nested(FoundPersonItem), required=True)


class ProxyBody(Body):
    """Who may act for whom, and where the elder's consent can be found."""

    elder_id = Id(required=True)
    proxy_id = Id(required=True)
    relation = Text(longest=20, required=True)
    consent_evidence = Text(longest=200, required=True)
    scopes = Several(
        Choice(SCOPES),
        lowest=1,
        highest=len(SCOPES),
        load_default=lambda: list(USUAL_SCOPES),
        metadata={"description": "代办范围；未填为日常四项，不含赠与"},
    )


class ProxyAnswer(Answer):
    """A registration of a proxy."""

    registration_id = Id(required=True, attribute="id")
    elder_id = Id(required=True)
    proxy_id = Id(required=True)
    relation = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    registered_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)


class MoveBody(Body):
    """Where somebody goes to live, and what shows it."""

    township_code = Text(longest=20, required=True)
    evidence = Text(longest=200, required=True)


class MovedAnswer(Answer):
    """Who moved, and the savings that went along."""

    person_id = Id(required=True)
    from_township_code = fields.String(required=True)
    to_township_code = fields.String(required=True)
    moved_minutes = fields.Integer(required=True)
    transfer_id = Id(required=True, allow_none=True, metadata={"description": "null 表示没有储蓄时长可迁"})
