"""Requests and answers about tasks."""

from typing import Any

from marshmallow import ValidationError, fields, post_dump, validates_schema

from app.api.canteens.fields import QueryDegrees
from app.api.fields import Answer, Body, Choice, Degrees, Id, Moment, QueryFlag, Text, Whole
from app.api.operation import Page
from app.api.sorting import DatedQuery, Sort, SortedPage
from timebank.tasks.queries import TASK_ORDERS
from timebank.tasks.rules import CANCEL_REASON_NAMES, CancelReason, TaskStatus

_DAY = 24 * 60


def must_be_whole(place: dict[str, Any]) -> None:
    """Latitude and longitude come together. Raises ValidationError."""
    if (place.get("latitude") is None) != (place.get("longitude") is None):
        raise ValidationError({"longitude": ["经度和纬度须一起给出"]})


class ServiceTypeItem(Answer):
    """One kind of service and what an hour of it counts for."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    rate_percent = fields.Integer(required=True)


class ServiceTypeList(Page):
    """All kinds of service."""

    items = fields.List(fields.Nested(ServiceTypeItem), required=True)


class RequestBody(Body):
    """Help that is asked for."""

    service_type = Text(longest=40, required=True)
    elder_id = Id(load_default=None, allow_none=True)
    township_code = Text(longest=20, load_default=None, allow_none=True)
    starts_at = Moment(required=True)
    minutes = Whole(1, _DAY, required=True)
    places = Whole(1, 10_000, load_default=1)
    note = Text(shortest=0, longest=500, load_default="", allow_none=True)
    address = Text(
        shortest=0,
        longest=200,
        load_default=None,
        allow_none=True,
        metadata={"description": "上门地址，只给接单的志愿者看，服务做完就不再给"},
    )
    latitude = Degrees(90, load_default=None, allow_none=True)
    longitude = Degrees(180, load_default=None, allow_none=True)

    @validates_schema
    def _place_is_whole(self, data: dict[str, Any], **_rest: object) -> None:
        must_be_whole(data)


class CancelTaskBody(Body):
    """Why; the other side reads it. May be left out."""

    may_be_left_out = True

    reason = Choice(
        [str(reason) for reason in CancelReason],
        load_default=None,
        allow_none=True,
        metadata={"description": "、".join(f"{reason} {name}" for reason, name in CANCEL_REASON_NAMES.items())},
    )
    words = Text(shortest=0, longest=200, load_default="")


class WhereAnswer(Answer):
    """Where a visit goes; the telephone is whole only for whoever has accepted it and has not finished."""

    address = fields.String(required=True, allow_none=True)
    village = fields.String(required=True, allow_none=True)
    contact_name = fields.String(required=True, allow_none=True)
    contact_is_proxy = fields.Boolean(required=True, metadata={"description": "老人没有电话时，是代办人的电话"})
    phone = fields.String(required=True, allow_none=True)


class CheckInBody(Body):
    """The code that the elder read out, and where the phone was."""

    service_code = Text(longest=20, required=True)
    latitude = Degrees(90, load_default=None, allow_none=True)
    longitude = Degrees(180, load_default=None, allow_none=True)


class ConfirmBody(Body):
    """How it was."""

    rating = Whole(1, 5, required=True)
    comment = Text(shortest=0, longest=500, load_default=None, allow_none=True)
    volunteer_id = Id(load_default=None, allow_none=True)


class DisputeBody(Body):
    """Why the minutes are not right."""

    reason = Text(longest=500, required=True)
    volunteer_id = Id(load_default=None, allow_none=True)


class RuleBody(Body):
    """What a steward decides."""

    volunteer_id = Id(required=True)
    minutes = Whole(0, _DAY, required=True)
    reason = Text(longest=500, required=True)


class RecordBody(Body):
    """Hours recorded afterwards."""

    service_type = Text(longest=40, required=True)
    volunteer_id = Id(required=True)
    elder_id = Id(required=True)
    started_at = Moment(required=True)
    ended_at = Moment(required=True)
    evidence = Text(longest=500, required=True)
    note = Text(shortest=0, longest=500, load_default="", allow_none=True)


class ReasonBody(Body):
    """Why."""

    reason = Text(longest=500, required=True)


class TasksQuery(DatedQuery):
    """Which tasks; days are those on which they begin."""

    sort = Sort(TASK_ORDERS)
    service_type = Text(longest=40)

    status = Choice([str(status) for status in TaskStatus])
    township_code = Text(longest=20)
    mine = QueryFlag(load_default=False)
    person_id = Id(metadata={"description": "只列此人受助或服务过的；看得见哪些任务不变"})
    latitude = QueryDegrees(90, metadata={"description": "sort=near 时从这里算起；不给就先列本镇街的"})
    longitude = QueryDegrees(180)

    @validates_schema
    def _place_is_whole(self, data: dict[str, Any], **_rest: object) -> None:
        must_be_whole(data)


class AssignmentAnswer(Answer):
    """One volunteer's part."""

    volunteer_id = Id(required=True)
    volunteer_name = fields.String(required=True)
    status = fields.String(required=True)
    checked_in_at = Moment(allow_none=True)
    checked_out_at = Moment(allow_none=True)
    served_minutes = fields.Integer(allow_none=True)
    payable_minutes = fields.Integer(allow_none=True)
    confirmed_by_name = fields.String(allow_none=True)
    rating = fields.Integer(allow_none=True)
    comment = fields.String(allow_none=True)
    dispute_reason = fields.String(allow_none=True)
    ruling = fields.String(allow_none=True)
    ended_reason = fields.String(allow_none=True, metadata={"description": "志愿者不去了的原因"})


class TaskAnswer(Answer):
    """A task as the asker may see it."""

    task_id = Id(required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    service_type = fields.String(required=True)
    service_type_name = fields.String(required=True)
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    starts_at = Moment(required=True)
    minutes = fields.Integer(required=True)
    places = fields.Integer(required=True)
    places_left = fields.Integer(required=True)
    note = fields.String(required=True)
    beneficiary_id = Id(allow_none=True)
    beneficiary_name = fields.String(allow_none=True)
    back_filled = fields.Boolean(required=True)
    evidence = fields.String(allow_none=True)
    requested_by_name = fields.String(required=True)
    requested_at = Moment(required=True)
    payable_minutes = fields.Integer(required=True, allow_none=True)
    service_code = fields.String(metadata={"description": "只给老人、代办人和组织者"})
    assignments = fields.List(fields.Nested(AssignmentAnswer), required=True)
    ended_reason = fields.String(allow_none=True)

    @post_dump
    def _hide_code(self, data: dict[str, object], **_rest: object) -> dict[str, object]:
        if data.get("service_code") is None:
            data.pop("service_code", None)
        return data


class TaskPage(SortedPage):
    """Tasks, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(TaskAnswer), required=True)
