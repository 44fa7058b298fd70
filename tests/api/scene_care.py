"""Home care of the scene: one visit of the elder in each state, by the provider that has a login; all minutes held."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.care import ALL_SERVICES, carer
from tests.factories.minutes import save_minutes
from tests.factories.people import XIWU, district
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.redemption.care import actions as care
from timebank.redemption.care.actions import Offer, Visit
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries import ProviderView

PROVIDER = "西坞居家养老服务中心"


def add_care(session: Session, elder: Actor) -> tuple[UUID, dict[str, UUID]]:
    """The provider, and ids of visits under the status that they stand in."""
    offer = Offer(grade=3, services=ALL_SERVICES, townships=[XIWU], daily_capacity_minutes=960)
    provider = care.enter_provider(session, actor=district(), name=PROVIDER, township_code=XIWU, offer=offer)
    save_minutes(session, elder, 5 * 60)
    now = clock.now()
    soon = now + timedelta(minutes=10)
    visits = {"booked": _book(session, elder, now + timedelta(days=2)).id}
    visits["assigned"] = _send(session, _book(session, elder, now + timedelta(days=3)), provider).id
    for status in ("checked_out", "disputed"):
        served = _arrive(session, _send(session, _book(session, elder, soon), provider), provider)
        visits[status] = care.check_out(session, actor=carer(provider), booking_id=served.id).id
    care.dispute(session, actor=elder, booking_id=visits["disputed"], reason="没有来")
    visits["checked_in"] = _arrive(session, _send(session, _book(session, elder, soon), provider), provider).id
    return provider.provider_id, visits


def _book(session: Session, elder: Actor, starts_at: datetime) -> CareBooking:
    return care.book(session, actor=elder, wanted=Visit(starts_at, 60, address="金钟路8号"))


def _send(session: Session, booking: CareBooking, provider: ProviderView) -> CareBooking:
    return care.assign(session, actor=district(), booking_id=booking.id, provider_id=provider.provider_id)


def _arrive(session: Session, booking: CareBooking, provider: ProviderView) -> CareBooking:
    code = booking.service_code
    done = care.check_in(session, actor=carer(provider), booking_id=booking.id, service_code=code)
    assert isinstance(done, CareBooking)
    return done
