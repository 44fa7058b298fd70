"""Seeing bookings, and locking one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import BankError, NotFound
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of, within_days
from timebank.ledger.models import Hold
from timebank.people.models import Person
from timebank.people.queries import elders_of
from timebank.people.rules import ProxyScope
from timebank.redemption.care.models import CareBooking, CareEvent, CareService
from timebank.redemption.care.rules import CHARGED_UNSERVED, CareStatus
from timebank.townships.models import Organisation

CARE_BOOKING_ORDERS = Orders(
    of="care_bookings",
    by={
        "booked_at": CareBooking.id,
        "starts_at": CareBooking.starts_at,
        "name": by_pinyin(Person.name),
        "township": CareBooking.township_code,
        "service": by_pinyin(CareService.name),
        "minutes": CareBooking.minutes,
        "provider": by_pinyin(Organisation.name),
        "status": by_course(CareBooking.status, list(CareStatus)),
    },
    tie=CareBooking.id,
    usual="-booked_at",
)


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """Which bookings are wanted; days are those of the visits, both included."""

    status: str | None = None
    township_code: str | None = None
    for_person_id: UUID | None = None
    since: date | None = None
    until: date | None = None


def booking_unknown(booking_id: UUID) -> BankError:
    """The refusal for a booking that is not there, or is nobody's business of the asker."""
    return NotFound("care_booking_unknown", "没有这次预约", booking_id=booking_id)


def lock_booking(session: Session, booking_id: UUID) -> CareBooking:
    """One booking, nobody else changing it until the unit of work ends. Raises NotFound ``care_booking_unknown``."""
    found = session.get(CareBooking, booking_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise booking_unknown(booking_id)
    return found


def find_bookings(session: Session, *, actor: Actor, wanted: BookingFilter, part: Part) -> Slice[CareBooking]:
    """Bookings the actor may see, newest first where ``part`` asks for no other order.

    A person sees the own ones and those of elders who let them book care; a provider those that it was sent to or that
    chose it; a steward those booked from the township and those of elders who live there by now; the district and the
    auditor all.
    """
    query = (
        select(CareBooking)
        .join(Person, Person.id == CareBooking.elder_id)
        .join(CareService, CareService.code == CareBooking.service)
        .outerjoin(Organisation, Organisation.id == CareBooking.provider_id)
        .where(_visible(session, actor), *within_days(CareBooking.starts_at, wanted.since, wanted.until))
    )
    if wanted.status is not None:
        query = query.where(CareBooking.status == wanted.status)
    if wanted.township_code is not None:
        query = query.where(CareBooking.township_code == wanted.township_code)
    if wanted.for_person_id is not None:
        query = query.where(CareBooking.elder_id == wanted.for_person_id)
    return slice_of(session, query, CARE_BOOKING_ORDERS, part)


def booking_for(session: Session, *, actor: Actor, booking_id: UUID) -> CareBooking:
    """One booking the actor may see. Raises NotFound ``care_booking_unknown``."""
    found = session.scalar(select(CareBooking).where(CareBooking.id == booking_id, _visible(session, actor)))
    if found is None:
        raise booking_unknown(booking_id)
    return found


def events_of(session: Session, booking_ids: Collection[UUID]) -> dict[UUID, list[CareEvent]]:
    """What was done on these bookings, in order."""
    query = select(CareEvent).where(CareEvent.booking_id.in_(booking_ids)).order_by(CareEvent.at, CareEvent.id)
    found: dict[UUID, list[CareEvent]] = {booking_id: [] for booking_id in booking_ids}
    for event in session.scalars(query):
        found[event.booking_id].append(event)
    return found


def objections_to(session: Session, bookings: Sequence[CareBooking]) -> dict[UUID, CareEvent]:
    """The elder's objection to what each of these bookings cost though nobody was served, where there is one."""
    ids = [booking.id for booking in bookings if booking.status in CHARGED_UNSERVED]
    query = select(CareEvent).where(CareEvent.booking_id.in_(ids), CareEvent.step == "dispute")
    return {event.booking_id: event for event in session.scalars(query)}


def still_held(session: Session, booking_id: UUID) -> int:
    """Minutes that are still set aside for a booking."""
    query = select(func.coalesce(func.sum(Hold.amount), 0)).where(Hold.cause_id == booking_id, Hold.state == "placed")
    return int(session.scalar(query) or 0)


def _visible(session: Session, actor: Actor) -> ColumnElement[bool]:
    if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
        return CareBooking.id.is_not(None)
    if actor.is_steward:
        here = select(Person.id).where(Person.township_code == actor.township_code).correlate(None)
        return or_(CareBooking.township_code == actor.township_code, CareBooking.elder_id.in_(here))
    if actor.staff_role is StaffRole.CARE_PROVIDER:
        return or_(CareBooking.provider_id == actor.organisation_id, _asked_for(actor.organisation_id))
    if actor.person_id is None:
        return false()
    return CareBooking.elder_id.in_([actor.person_id, *elders_of(session, actor.person_id, ProxyScope.CARE)])


def _asked_for(provider_id: UUID | None) -> ColumnElement[bool]:
    """Bookings that chose this provider, which nobody was sent to yet and which it has not declined."""
    declined = exists().where(
        CareEvent.booking_id == CareBooking.id, CareEvent.provider_id == provider_id, CareEvent.step == "decline"
    )
    return and_(CareBooking.chosen_provider_id == provider_id, CareBooking.status == CareStatus.BOOKED, ~declined)
