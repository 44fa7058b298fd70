"""Requests and answers about relatives, heirs, and what waits for consent."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, PageQuery, Text
from app.api.operation import Page
from timebank.people.family_rules import Relation

RELATIONS = [str(relation) for relation in Relation]


class AskedBody(Body):
    """Who is asked: the name, and either the identity number or the person."""

    name = Text(longest=50, required=True)
    id_number = Text(longest=40, load_only=True)
    person_id = Id()


class ProposeRelationBody(AskedBody):
    """Who is asked, and what they are to the asker."""

    relation = Choice(RELATIONS, required=True, metadata={"description": "对方是我的什么人，如 child 为我的子女"})


class ProposalItem(Answer):
    """A request for consent; the status never tells its maker that it was declined."""

    proposal_id = Id(required=True)
    kind = fields.String(required=True)
    received = fields.Boolean(required=True, metadata={"description": "true 为等我确认的"})
    name = fields.String(required=True, metadata={"description": "对方姓名"})
    relation = fields.String(required=True)
    relation_name = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    scope_names = fields.List(fields.String(), required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    proposed_at = Moment(required=True)
    expires_at = Moment(required=True)


class ProposalPage(Page):
    """Requests that one made, and those that wait for one's answer; newest first."""

    items = fields.List(fields.Nested(ProposalItem), required=True)


class OfPersonQuery(PageQuery):
    """Whose; a steward may name somebody of the township."""

    person_id = Id()


class RelativeItem(Answer):
    """A registered relative, and what they are to the one who looks."""

    relation_id = Id(required=True)
    person_id = Id(required=True)
    name = fields.String(required=True)
    relation = fields.String(required=True)
    relation_name = fields.String(required=True)
    registered_at = Moment(required=True)
    registered_by_name = fields.String(required=True)
    is_heir = fields.Boolean(required=True, metadata={"description": "是否被指定为继承人"})


class RelativePage(Page):
    """Relatives, by when they were registered."""

    items = fields.List(fields.Nested(RelativeItem), required=True)


class RegisterRelationBody(Body):
    """Two people and what the relative is to the person; where the paper lies, and who signed it."""

    person_id = Id(required=True)
    relative_id = Id(required=True)
    relation = Choice(RELATIONS, required=True)
    consent_evidence = Text(longest=200, required=True)


class RegisteredRelationAnswer(Answer):
    """Registered at once, or waiting for the side that has a phone."""

    status = fields.String(required=True, metadata={"description": "registered 已登记；waiting 待有手机的一方确认"})
    relation_id = Id(required=True, allow_none=True)
    proposal_id = Id(required=True, allow_none=True)


class EndedRelationAnswer(Answer):
    """A relation that stands no longer."""

    relation_id = Id(required=True, attribute="id")
    ended_at = Moment(required=True)


class HeirBody(Body):
    """Whom to name, null for nobody; for somebody without a phone a steward says whose heir, and where the paper is."""

    person_id = Id(required=True, allow_none=True)
    of_person_id = Id()
    evidence = Text(longest=200)


class HeirAnswer(Answer):
    """Who is the heir now."""

    person_id = Id(required=True, allow_none=True)
