"""Requests and answers about leaving and deaths."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Id, Moment, QueryFlag, Text
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.leaving.queries import DEATH_ORDERS
from timebank.leaving.rules import Destination


class LeaveBody(Body):
    """Where the savings shall go; a steward names the person and the paper."""

    to = Choice([str(one) for one in Destination], required=True)
    to_person_id = Id(load_default=None, allow_none=True, metadata={"description": "转给亲属时，是哪位亲属"})
    person_id = Id(load_default=None, allow_none=True, metadata={"description": "管理员代办时，是哪位人员"})
    evidence = Text(longest=200, load_default=None, allow_none=True)


class LeftAnswer(Answer):
    """What became of the minutes."""

    leaving_id = Id(required=True, attribute="id")
    person_id = Id(required=True)
    savings_to = fields.String(required=True)
    to_person_id = Id(required=True, allow_none=True)
    savings_minutes = fields.Integer(required=True)
    granted_minutes = fields.Integer(required=True)
    vouchers_refunded = fields.Integer(required=True)
    left_at = Moment(required=True)


class LeavingPreviewQuery(Body):
    """Who would leave; oneself where nobody is named."""

    person_id = Id()


class OpenThingItem(Answer):
    """Something that must come to its end first."""

    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    id = fields.String(required=True)
    until = Moment(required=True, allow_none=True)


class LeavingPreviewAnswer(Answer):
    """What leaving would do, as things stand."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    may_leave = fields.Boolean(required=True)
    savings_minutes = fields.Integer(required=True)
    granted_minutes = fields.Integer(required=True, metadata={"description": "收回公益时间池"})
    vouchers = fields.Integer(required=True, metadata={"description": "将退的用餐券张数"})
    voucher_minutes = fields.Integer(required=True)
    care_bookings = fields.Integer(required=True, metadata={"description": "将取消的上门服务预约"})
    aid_reservations = fields.Integer(required=True, metadata={"description": "将取消的辅具预约"})
    meal_orders = fields.Integer(required=True, metadata={"description": "将取消的订餐"})
    standing_orders = fields.Integer(required=True, metadata={"description": "将结束的长期订餐"})
    purse_fen = fields.Integer(required=True, metadata={"description": "餐费余额，退出前到助餐点柜台退款"})
    proxies = fields.Integer(required=True)
    relatives = fields.Integer(required=True)
    heir_id = Id(required=True, allow_none=True)
    open = fields.List(fields.Nested(OpenThingItem), required=True, attribute="open_things")


class ReportDeathBody(Body):
    """Who died, when, and what shows it."""

    person_id = Id(required=True)
    died_on = Day(required=True)
    evidence = Text(longest=200, required=True)


class DeclineDeathBody(Body):
    """Why a report is turned down."""

    reason = Text(longest=200, required=True)


class DeathItem(Answer):
    """A report of a death and where it stands."""

    report_id = Id(required=True, attribute="id")
    person_id = Id(required=True)
    township_code = fields.String(required=True)
    status = fields.String(required=True)
    died_on = fields.Date(required=True)
    evidence = fields.String(required=True)
    reported_at = Moment(required=True)
    reported_by_name = fields.String(required=True)
    first_approved_at = Moment(required=True, allow_none=True)
    first_approved_by_name = fields.String(required=True, allow_none=True)
    second_approved_at = Moment(required=True, allow_none=True)
    second_approved_by_name = fields.String(required=True, allow_none=True)
    declined_at = Moment(required=True, allow_none=True)
    declined_by_name = fields.String(required=True, allow_none=True)
    decline_reason = fields.String(required=True, allow_none=True)


class DeathsQuery(SortedQuery):
    """Which reports are wanted; with ``open`` those that await somebody."""

    sort = Sort(DEATH_ORDERS)
    township_code = Text(longest=20)
    open = QueryFlag(load_default=False)


class NamedDeath(DeathItem):
    """A report with the person's name."""

    name = fields.String(required=True)


class DeathPage(SortedPage):
    """Reports, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(NamedDeath), required=True)
