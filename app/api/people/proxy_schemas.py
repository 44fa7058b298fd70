"""Requests and answers about proxies on the phone."""

from marshmallow import fields

from app.api.family.schemas import AskedBody
from app.api.fields import Answer, Choice, Id, Moment, Several, Text
from app.api.operation import Page
from app.api.people.schemas import SCOPES


class ProposeProxyBody(AskedBody):
    """Who is asked to act for the asker, what they are to each other, and for what."""

    relation = Text(longest=20, required=True)
    scopes = Several(Choice(SCOPES), lowest=1, highest=len(SCOPES), required=True)


class ProxyItem(Answer):
    """A consent in force: who may act for me, or for whom I may."""

    registration_id = Id(required=True)
    acts_for_me = fields.Boolean(required=True, metadata={"description": "true 为代我办理的人；false 为我代办的老人"})
    person_id = Id(required=True)
    name = fields.String(required=True)
    relation = fields.String(required=True)
    scopes = fields.List(fields.String(), required=True)
    scope_names = fields.List(fields.String(), required=True)
    registered_at = Moment(required=True)
    township_code = fields.String(
        required=True, allow_none=True, metadata={"description": "我代办的老人所在的镇街；代我办理的人不给"}
    )


class ProxyPage(Page):
    """Consents in force, by when they were registered."""

    items = fields.List(fields.Nested(ProxyItem), required=True)
