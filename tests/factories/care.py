"""Home care for tests: providers, elders with minutes, and visits brought to any state, each step a unit of work."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.minutes import save_minutes
from tests.factories.people import XIWU, add_elder, district, staff
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.people.actions import register_proxy
from timebank.people.rules import ProxyScope
from timebank.redemption.care import actions as care
from timebank.redemption.care.actions import Offer, Visit
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries import ProviderView, booking_for

_numbers = count(1)
ALL_SERVICES = ["bathing", "cleaning", "companionship", "daily_care", "medical_help", "rehabilitation"]


def add_provider(
    session: Session,
    township_code: str = XIWU,
    *,
    name: str | None = None,
    capacity: int = 480,
    townships: list[str] | None = None,
    services: list[str] | None = None,
    grade: int | None = None,
    place: tuple[float, float] | None = None,
) -> ProviderView:
    """A provider of one township that serves it, and others where named."""
    offer = Offer(
        grade=grade,
        services=services or ALL_SERVICES,
        townships=townships or [township_code],
        daily_capacity_minutes=capacity,
        latitude=place[0] if place else None,
        longitude=place[1] if place else None,
    )
    called = name or f"{township_code}护理院{next(_numbers)}"
    return care.enter_provider(session, actor=district(), name=called, township_code=township_code, offer=offer)


def carer(provider: ProviderView) -> Actor:
    """Somebody who works for a provider."""
    return staff(StaffRole.CARE_PROVIDER, provider.township_code, provider.provider_id)


def elder_with(session: Session, minutes: int, *, township_code: str = XIWU, name: str = "周桂芬") -> Actor:
    """An elder with savings."""
    elder = add_elder(session, township_code, name=name)
    if minutes:
        save_minutes(session, elder, minutes)
    return elder


def booked(
    bank: Database,
    elder: Actor,
    *,
    starts_at: datetime | None = None,
    minutes: int = 60,
    provider_id: UUID | None = None,
    service: str = "daily_care",
) -> CareBooking:
    """A visit tomorrow at this hour, if nothing else is said."""
    wanted = Visit(starts_at or clock.now() + timedelta(days=1), minutes, service=service, provider_id=provider_id)
    with bank.unit_of_work() as session:
        return care.book(session, actor=elder, wanted=wanted)


def assigned(bank: Database, elder: Actor, provider: ProviderView, *, minutes: int = 60) -> CareBooking:
    """A visit tomorrow that a provider was sent on."""
    return send(bank, booked(bank, elder, minutes=minutes), provider)


def send(bank: Database, booking: CareBooking, provider: ProviderView) -> CareBooking:
    """Send a provider, by the district."""
    with bank.unit_of_work() as session:
        return care.assign(session, actor=district(), booking_id=booking.id, provider_id=provider.provider_id)


def visit(bank: Database, booking: CareBooking, provider: ProviderView, *, minutes: float) -> CareBooking:
    """Check in at the agreed time and out after so many minutes; the clock stands there."""
    clock.freeze(booking.starts_at)
    arrive(bank, booking, provider)
    clock.freeze(clock.now() + timedelta(minutes=minutes))
    with bank.unit_of_work() as session:
        return care.check_out(session, actor=carer(provider), booking_id=booking.id)


def arrive(bank: Database, booking: CareBooking, provider: ProviderView) -> CareBooking:
    """Check in with the right code."""
    with bank.unit_of_work() as session:
        code = booking.service_code
        answer = care.check_in(session, actor=carer(provider), booking_id=booking.id, service_code=code)
    assert not isinstance(answer, BankError), answer
    return answer


def confirmed(bank: Database, elder: Actor, provider: ProviderView, *, minutes: float = 60) -> CareBooking:
    """An hour booked, served as long as said, and confirmed."""
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=minutes)
    with bank.unit_of_work() as session:
        return care.confirm(session, actor=elder, booking_id=booking.id, rating=5)


def as_it_is(bank: Database, booking: CareBooking) -> CareBooking:
    """The booking, read afresh."""
    with bank.session() as session:
        return booking_for(session, actor=district(), booking_id=booking.id)


def let_act(bank: Database, elder: Actor, proxy: Actor, *scopes: ProxyScope) -> None:
    """Register a proxy of an elder."""
    with bank.unit_of_work() as session:
        register_proxy(
            session,
            actor=district(),
            elder_id=elder.person(),
            proxy_id=proxy.person(),
            relation="女儿",
            consent_evidence="委托书1号",
            scopes=scopes,
        )
