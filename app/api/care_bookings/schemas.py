"""Requests and answers about bookings of home care."""

from marshmallow import fields, post_dump

from app.api.fields import Answer, Body, Choice, Degrees, Id, Moment, Text, Whole
from app.api.sorting import DatedQuery, Sort, SortedPage
from timebank.redemption.care.queries import CARE_BOOKING_ORDERS
from timebank.redemption.care.rules import USUAL_SERVICE, CareStatus

DAY_MINUTES = 24 * 60


class CareBookBody(Body):
    """The visit that is wanted."""

    starts_at = Moment(required=True)
    minutes = Whole(1, DAY_MINUTES, required=True)
    for_person_id = Id(load_default=None, allow_none=True, metadata={"description": "代办的老人；管理员须写"})
    service = Text(longest=40, load_default=USUAL_SERVICE)
    provider_id = Id(load_default=None, allow_none=True, metadata={"description": "自己选择的机构"})
    address = Text(longest=200, load_default=None, allow_none=True)
    latitude = Degrees(90, load_default=None, allow_none=True)
    longitude = Degrees(180, load_default=None, allow_none=True)
    note = Text(shortest=0, longest=500, load_default="", allow_none=True)
    evidence = Text(longest=500, load_default=None, allow_none=True, metadata={"description": "管理员代约的依据"})


class CareAssignBody(Body):
    """Whom to send; a steward who names nobody sends whom the rules choose."""

    provider_id = Id(load_default=None, allow_none=True)


class CareCancelBody(Body):
    """Why, where one wants to say so; a steward and a provider must."""

    reason = Text(shortest=0, longest=500, load_default="", allow_none=True)


class CareNotHomeBody(Body):
    """What happened at the door, and what shows it."""

    reason = Text(longest=500, required=True)
    evidence = Text(longest=500, required=True)


class CareConfirmBody(Body):
    """How it was, and whether what goes beyond the hold is paid."""

    rating = Whole(1, 5, load_default=None, allow_none=True)
    comment = Text(shortest=0, longest=500, load_default=None, allow_none=True)
    accept_excess_minutes = Whole(
        0,
        DAY_MINUTES * 10,
        load_default=None,
        allow_none=True,
        metadata={"description": "同意另付的超出分钟，须等于所示的 unpaid_excess_minutes"},
    )
    evidence = Text(longest=500, load_default=None, allow_none=True, metadata={"description": "管理员代为确认的依据"})


class CareDecideBody(Body):
    """What a steward decides."""

    minutes = Whole(0, DAY_MINUTES, required=True)
    reason = Text(longest=500, required=True)


class CareBookingsQuery(DatedQuery):
    """Which bookings; days are those of the visits."""

    sort = Sort(CARE_BOOKING_ORDERS)
    status = Choice([str(status) for status in CareStatus])
    township_code = Text(longest=20)
    for_person_id = Id()


class CareActAnswer(Answer):
    """One act on a booking; where a proxy acted, both names."""

    step = fields.String(required=True)
    step_name = fields.String(required=True)
    at = Moment(required=True)
    by_name = fields.String(required=True)
    reason = fields.String(required=True)
    evidence = fields.String(required=True, allow_none=True)


class CareBookingAnswer(Answer):
    """A booking as the asker may see it."""

    booking_id = Id(required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    service = fields.String(required=True)
    service_name = fields.String(required=True)
    elder_id = Id(required=True)
    elder_name = fields.String(required=True)
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    minutes = fields.Integer(required=True)
    held_minutes = fields.Integer(required=True)
    chosen_provider_id = Id(required=True, allow_none=True)
    chosen_provider_name = fields.String(required=True, allow_none=True)
    provider_id = Id(required=True, allow_none=True)
    provider_name = fields.String(required=True, allow_none=True)
    assigned_because = fields.String(required=True, allow_none=True)
    only_township_code = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    booked_at = Moment(required=True)
    booked_by_name = fields.String(required=True)
    service_code = fields.String(metadata={"description": "只给老人、代办人和代约的管理员"})
    checked_in_at = Moment(required=True, allow_none=True)
    checked_out_at = Moment(required=True, allow_none=True)
    served_minutes = fields.Integer(required=True, allow_none=True)
    decided_minutes = fields.Integer(required=True, allow_none=True)
    unpaid_excess_minutes = fields.Integer(
        required=True,
        metadata={
            "description": "超出冻结、未另付的分钟；待确认时就是请老人同意另付的，确认时写进 accept_excess_minutes"
        },
    )
    captured_minutes = fields.Integer(required=True, allow_none=True)
    excess_minutes = fields.Integer(required=True, metadata={"description": "经同意已另付的分钟；确认以前是 0"})
    payable_minutes = fields.Integer(required=True, allow_none=True)
    rating = fields.Integer(required=True, allow_none=True)
    comment = fields.String(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    objection = fields.Nested(
        CareActAnswer,
        required=True,
        allow_none=True,
        metadata={"description": "老人对上门无人、临时取消所扣时长的申诉；属实的由两位管理员用 ledger.reverse 冲正"},
    )
    acts = fields.List(fields.Nested(CareActAnswer), required=True)

    @post_dump
    def _hide_code(self, data: dict[str, object], **_rest: object) -> dict[str, object]:
        if data.get("service_code") is None:
            data.pop("service_code", None)
        return data


class CareBookingPage(SortedPage):
    """Bookings, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(CareBookingAnswer), required=True)
