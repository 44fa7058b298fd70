"""Requests and answers about gifts, donations, pools and hardship help."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, PageQuery, Text, Whole
from app.api.operation import Page
from app.api.sorting import DatedQuery, Sort, SortedPage
from timebank.giving.queries import HARDSHIP_ORDERS
from timebank.giving.rules import HardshipStatus


class GiveMinutesBody(Body):
    """To whom, how much, and a word with it; as a proxy, whose minutes."""

    to_person_id = Id(required=True)
    minutes = Whole(required=True)
    note = Text(longest=100, shortest=0, load_default="")
    for_person_id = Id(load_default=None, allow_none=True)


class GiftsQuery(PageQuery):
    """Whose gifts, and which."""

    for_person_id = Id()
    direction = Choice(["given", "received"])


class GiftItem(Answer):
    """A gift; name and relation are of the other side."""

    gift_id = Id(required=True)
    direction = fields.String(required=True)
    person_id = Id(required=True)
    name = fields.String(required=True)
    relation = fields.String(required=True)
    relation_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    note = fields.String(required=True)
    given_at = Moment(required=True)
    given_by_name = fields.String(required=True)
    transfer_id = Id(required=True)
    reversed = fields.Boolean(required=True, metadata={"description": "是否已冲正"})


class GiftPage(Page):
    """Gifts, newest first."""

    items = fields.List(fields.Nested(GiftItem), required=True)


class DonateBody(Body):
    """How much, a word with it, and the team in whose name."""

    minutes = Whole(required=True)
    note = Text(longest=100, shortest=0, load_default="")
    from_group = Text(longest=50, load_default=None, allow_none=True)


class DonationItem(Answer):
    """A donation to the pool of a township."""

    donation_id = Id(required=True)
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    from_group = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    donated_at = Moment(required=True)
    donated_by_name = fields.String(required=True)
    transfer_id = Id(required=True)
    reversed = fields.Boolean(required=True, metadata={"description": "是否已冲正"})


class DonationPage(Page):
    """One's donations, newest first, and what all of them come to."""

    items = fields.List(fields.Nested(DonationItem), required=True)
    total_minutes = fields.Integer(required=True)


class PoolItem(Answer):
    """One township's pool; donated and given are of all time, without what was reversed."""

    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    balance_minutes = fields.Integer(required=True)
    donated_minutes = fields.Integer(required=True)
    given_minutes = fields.Integer(required=True, metadata={"description": "困难帮扶拨出的分钟"})


class PoolPage(Page):
    """Pools, by township."""

    items = fields.List(fields.Nested(PoolItem), required=True)


class PoolStatementQuery(PageQuery):
    """Whose pool; the own township's if none is named."""

    township_code = Text(longest=20)


class PoolLineItem(Answer):
    """One movement of a pool."""

    transfer_id = Id(required=True)
    posted_at = Moment(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    balance_minutes = fields.Integer(required=True)
    person_name = fields.String(required=True, allow_none=True, metadata={"description": "本镇街管理员以外隐去名字"})
    from_group = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)


class PoolStatementPage(Page):
    """Movements, newest first."""

    items = fields.List(fields.Nested(PoolLineItem), required=True)


class HardshipBody(Body):
    """For whom, how much, why, and where it can be seen."""

    person_id = Id(required=True)
    minutes = Whole(required=True)
    reason = Text(longest=200, required=True)
    evidence = Text(longest=200, required=True)


class DeclineHardshipBody(Body):
    """Why not."""

    reason = Text(longest=200, required=True)


class HardshipQuery(DatedQuery):
    """Which requests; days are those on which they were made."""

    sort = Sort(HARDSHIP_ORDERS)
    township_code = Text(longest=20)
    status = Choice([str(status) for status in HardshipStatus])
    person_id = Id()


class HardshipItem(Answer):
    """A request for help out of a pool, and what became of it."""

    hardship_id = Id(required=True)
    person_id = Id(required=True)
    person_name = fields.String(required=True)
    township_code = fields.String(required=True)
    minutes = fields.Integer(required=True)
    reason = fields.String(required=True)
    evidence = fields.String(required=True)
    circumstances = fields.List(fields.String(), required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    requested_at = Moment(required=True)
    requested_by_name = fields.String(required=True)
    decided_at = Moment(required=True, allow_none=True)
    decided_by_name = fields.String(required=True, allow_none=True)
    decline_reason = fields.String(required=True, allow_none=True)
    transfer_id = Id(required=True, allow_none=True)
    expires_on = fields.Date(required=True, allow_none=True, metadata={"description": "可用到这一天为止"})
    reversed = fields.Boolean(required=True, metadata={"description": "是否已冲正"})


class HardshipPage(SortedPage):
    """Requests, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(HardshipItem), required=True)
