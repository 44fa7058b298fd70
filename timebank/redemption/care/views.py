"""How a booking looks to whoever looks: names, what it costs so far, and the service code for the elder's side only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.people.models import Person
from timebank.people.queries import elders_of, people_by_ids
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.actions.confirm import charge_now
from timebank.redemption.care.models import CareBooking, CareEvent
from timebank.redemption.care.queries.bookings import events_of, objections_to
from timebank.redemption.care.queries.providers import care_services
from timebank.redemption.care.rules import STATUS_NAMES, STEP_NAMES, CareStatus
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class ActView:
    """One act on a booking."""

    step: str
    step_name: str
    at: datetime
    by_name: str
    reason: str
    evidence: str | None


@dataclass(frozen=True, slots=True)
class BookingView:
    """A booking as one actor may see it.

    ``unpaid_excess_minutes`` is what goes beyond the hold and is charged only where the elder agrees to it;
    ``payable_minutes`` what was taken in the end; ``objection`` is the elder's to what was taken unserved.
    """

    booking_id: UUID
    status: str
    status_name: str
    service: str
    service_name: str
    elder_id: UUID
    elder_name: str
    township_code: str
    township_name: str
    starts_at: datetime
    ends_at: datetime
    minutes: int
    held_minutes: int
    chosen_provider_id: UUID | None
    chosen_provider_name: str | None
    provider_id: UUID | None
    provider_name: str | None
    assigned_because: str | None
    only_township_code: str | None
    address: str | None
    note: str
    booked_at: datetime
    booked_by_name: str
    service_code: str | None
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    served_minutes: int | None
    decided_minutes: int | None
    unpaid_excess_minutes: int
    captured_minutes: int | None
    excess_minutes: int
    payable_minutes: int | None
    rating: int | None
    comment: str | None
    ended_at: datetime | None
    objection: ActView | None
    acts: list[ActView]


def see_bookings(session: Session, *, actor: Actor, bookings: Sequence[CareBooking]) -> list[BookingView]:
    """Views of these bookings for one actor, in a fixed number of statements."""
    known = _Known(session, actor, bookings)
    return [_view(booking, known, actor) for booking in bookings]


def see_booking(session: Session, *, actor: Actor, booking: CareBooking) -> BookingView:
    """The view of one booking."""
    return see_bookings(session, actor=actor, bookings=[booking])[0]


class _Known:
    """Names and policies that views are made of."""

    def __init__(self, session: Session, actor: Actor, bookings: Sequence[CareBooking]) -> None:
        self.policies: PolicyBook = in_force(session, at=clock.now())
        self.services = {one.code: one.name for one in care_services(session)}
        self.townships = township_names(session)
        self.people: dict[UUID, Person] = people_by_ids(session, {booking.elder_id for booking in bookings})
        ids = {i for b in bookings for i in (b.provider_id, b.chosen_provider_id) if i is not None}
        names = select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids))
        self.providers: dict[UUID | None, str] = {row.id: row.name for row in session.execute(names)}
        self.events = events_of(session, [booking.id for booking in bookings])
        self.objections = objections_to(session, bookings)
        own = elders_of(session, actor.person_id, ProxyScope.CARE) if actor.person_id else []
        self.elders = {actor.person_id, *own}


def _view(booking: CareBooking, known: _Known, actor: Actor) -> BookingView:
    sees_code = booking.elder_id in known.elders or (actor.is_steward and booking.booked_by == actor.login_id)
    taken = None if booking.captured_minutes is None else booking.captured_minutes + booking.excess_minutes
    return BookingView(
        booking_id=booking.id,
        status=booking.status,
        status_name=STATUS_NAMES[CareStatus(booking.status)],
        service=booking.service,
        service_name=known.services[booking.service],
        elder_id=booking.elder_id,
        elder_name=known.people[booking.elder_id].name,
        township_code=booking.township_code,
        township_name=known.townships[booking.township_code],
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        minutes=booking.minutes,
        held_minutes=booking.held_minutes,
        chosen_provider_id=booking.chosen_provider_id,
        chosen_provider_name=known.providers.get(booking.chosen_provider_id),
        provider_id=booking.provider_id,
        provider_name=known.providers.get(booking.provider_id),
        assigned_because=booking.assigned_because,
        only_township_code=booking.only_township_code,
        address=booking.address,
        note=booking.note,
        booked_at=booking.booked_at,
        booked_by_name=booking.booked_by_name,
        service_code=booking.service_code if sees_code else None,
        checked_in_at=booking.checked_in_at,
        checked_out_at=booking.checked_out_at,
        served_minutes=booking.served_minutes,
        decided_minutes=booking.decided_minutes,
        unpaid_excess_minutes=_unpaid_excess(booking, known.policies),
        captured_minutes=booking.captured_minutes,
        excess_minutes=booking.excess_minutes,
        payable_minutes=taken,
        rating=booking.rating,
        comment=booking.comment,
        ended_at=booking.ended_at,
        objection=_act(objection) if (objection := known.objections.get(booking.id)) else None,
        acts=[_act(event) for event in known.events[booking.id]],
    )


def _unpaid_excess(booking: CareBooking, policies: PolicyBook) -> int:
    if booking.status not in (CareStatus.CHECKED_OUT, CareStatus.CONFIRMED) or booking.decided_minutes is not None:
        return 0
    return max(0, charge_now(booking, policies).excess - booking.excess_minutes)


def _act(event: CareEvent) -> ActView:
    return ActView(event.step, STEP_NAMES[event.step], event.at, event.by_name, event.reason, event.evidence)
