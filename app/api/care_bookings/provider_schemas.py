"""Requests and answers about services and providers of home care."""

from marshmallow import fields

from app.api.fields import Answer, Body, Degrees, Flag, Id, PageQuery, QueryFlag, Several, Text, Whole
from app.api.operation import Page

_MOST_MINUTES = 1_000_000


class CareServiceItem(Answer):
    """One service and what an hour of it costs."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    active = fields.Boolean(required=True)
    rate_percent = fields.Integer(required=True)


class CareServiceList(Page):
    """The catalogue."""

    items = fields.List(fields.Nested(CareServiceItem), required=True)


class CareOfferBody(Body):
    """What a provider offers; what is left out stays as it is."""

    grade = Whole(1, 5, metadata={"description": "等级，几个A"})
    services = Several(Text(longest=40), lowest=1, highest=50)
    townships = Several(Text(longest=20), lowest=1, highest=50, metadata={"description": "服务的镇街代码"})
    daily_capacity_minutes = Whole(1, _MOST_MINUTES, metadata={"description": "每天可服务的分钟数"})
    latitude = Degrees(90)
    longitude = Degrees(180)
    active = Flag()


class CareEnterBody(CareOfferBody):
    """A provider and what it offers."""

    name = Text(longest=100, required=True)
    township_code = Text(longest=20, required=True)
    services = Several(Text(longest=40), lowest=1, highest=50, required=True)
    townships = Several(Text(longest=20), lowest=1, highest=50, required=True)
    daily_capacity_minutes = Whole(1, _MOST_MINUTES, required=True)


class CareProvidersQuery(PageQuery):
    """Which providers."""

    township_code = Text(longest=20)
    service = Text(longest=40)
    stopped = QueryFlag(load_default=False, metadata={"description": "连同停止服务的"})


class CareProviderItem(Answer):
    """One provider."""

    provider_id = Id(required=True)
    name = fields.String(required=True)
    township_code = fields.String(required=True)
    grade = fields.Integer(required=True, allow_none=True)
    services = fields.List(fields.String(), required=True)
    townships = fields.List(fields.String(), required=True)
    daily_capacity_minutes = fields.Integer(required=True)
    active = fields.Boolean(required=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    no_shows = fields.Integer(required=True, metadata={"description": "约好而未到的次数"})


class CareProviderPage(Page):
    """Providers, in the order in which they were entered."""

    items = fields.List(fields.Nested(CareProviderItem), required=True)
