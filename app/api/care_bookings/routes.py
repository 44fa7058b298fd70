"""Home care: book, assign, visit, confirm, cancel, dispute."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.care_bookings.schemas import (
    CareAssignBody,
    CareBookBody,
    CareBookingAnswer,
    CareBookingPage,
    CareBookingsQuery,
    CareCancelBody,
    CareConfirmBody,
    CareDecideBody,
    CareNotHomeBody,
)
from app.api.operation import operation
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from app.api.tasks.schemas import CheckInBody, ReasonBody
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.redemption.care import actions, queries
from timebank.redemption.care.actions import Visit
from timebank.redemption.care.queries import CARE_BOOKING_ORDERS, BookingFilter
from timebank.redemption.care.views import BookingView, see_booking, see_bookings

doors = Doors("care_bookings", __name__, url_prefix="/api/v1/care-bookings", description="居家养老预约")

ONE = "/<uuid:booking_id>"


@operation(
    doors, "", "care_bookings.book", "预约上门服务",
    method="POST", body=CareBookBody, answers=CareBookingAnswer, status=201, key="required",
)  # fmt: skip
def book(session: Session, actor: Actor, body: dict[str, Any]) -> BookingView:
    wanted = Visit(**{**body, "note": body["note"] or ""})
    return see_booking(session, actor=actor, booking=actions.book(session, actor=actor, wanted=wanted))


@operation(doors, "", "care_bookings.list", "上门服务预约列表", query=CareBookingsQuery, answers=CareBookingPage)
def list_bookings(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    named = ("status", "township_code", "for_person_id", "since", "until")
    wanted = BookingFilter(**{name: query.get(name) for name in named})
    found = queries.find_bookings(session, actor=actor, wanted=wanted, part=part_of(query, CARE_BOOKING_ORDERS))
    seen = see_bookings(session, actor=actor, bookings=found.items)
    return listed(found.holding(seen), CARE_BOOKING_ORDERS)


@operation(doors, ONE, "care_bookings.show", "上门服务预约详情", answers=CareBookingAnswer)
def show(session: Session, actor: Actor, booking_id: UUID) -> BookingView:
    found = queries.booking_for(session, actor=actor, booking_id=booking_id)
    return see_booking(session, actor=actor, booking=found)


@operation(
    doors, f"{ONE}/assign", "care_bookings.assign", "派单",
    method="POST", body=CareAssignBody, answers=CareBookingAnswer, key="optional",
)  # fmt: skip
def assign(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.assign(session, actor=actor, booking_id=booking_id, **body)
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/decline", "care_bookings.decline", "机构谢绝派单",
    method="POST", body=ReasonBody, answers=CareBookingAnswer, key="optional",
)  # fmt: skip
def decline(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.decline(session, actor=actor, booking_id=booking_id, **body)
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/check-in", "care_bookings.check_in", "上门签到",
    method="POST", body=CheckInBody, answers=CareBookingAnswer, key="optional",
)  # fmt: skip
def check_in(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView | BankError:
    answer = actions.check_in(session, actor=actor, booking_id=booking_id, **body)
    return answer if isinstance(answer, BankError) else see_booking(session, actor=actor, booking=answer)


@operation(
    doors, f"{ONE}/check-out", "care_bookings.check_out", "上门签退",
    method="POST", answers=CareBookingAnswer, key="optional",
)  # fmt: skip
def check_out(session: Session, actor: Actor, booking_id: UUID) -> BookingView:
    done = actions.check_out(session, actor=actor, booking_id=booking_id)
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/not-home", "care_bookings.not_home", "登记上门无人",
    method="POST", body=CareNotHomeBody, answers=CareBookingAnswer, key="required",
)  # fmt: skip
def not_home(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.not_home(session, actor=actor, booking_id=booking_id, **body)
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/confirm", "care_bookings.confirm", "确认上门服务",
    method="POST", body=CareConfirmBody, answers=CareBookingAnswer, key="required",
)  # fmt: skip
def confirm(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.confirm(session, actor=actor, booking_id=booking_id, **body)
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/cancel", "care_bookings.cancel", "取消上门服务",
    method="POST", body=CareCancelBody, answers=CareBookingAnswer, key="required",
)  # fmt: skip
def cancel(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.cancel(session, actor=actor, booking_id=booking_id, reason=body["reason"] or "")
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/dispute", "care_bookings.dispute", "申诉上门服务",
    method="POST", body=ReasonBody, answers=CareBookingAnswer, key="optional",
)  # fmt: skip
def dispute(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.dispute(session, actor=actor, booking_id=booking_id, **body)
    return see_booking(session, actor=actor, booking=done)


@operation(
    doors, f"{ONE}/decide", "care_bookings.decide", "裁定上门服务申诉",
    method="POST", body=CareDecideBody, answers=CareBookingAnswer, key="required",
)  # fmt: skip
def decide(session: Session, actor: Actor, body: dict[str, Any], booking_id: UUID) -> BookingView:
    done = actions.decide(session, actor=actor, booking_id=booking_id, **body)
    return see_booking(session, actor=actor, booking=done)
