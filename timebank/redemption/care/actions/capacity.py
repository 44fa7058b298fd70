"""Providers' days: who could come, and how much of the day is left; locked in the order of their ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core.errors import Conflict, Refused
from timebank.redemption.care.choosing import Candidate
from timebank.redemption.care.models import CareBooking, CareCapacity, CareEvent, CareProvider
from timebank.townships.models import Organisation


def must_serve(provider: CareProvider, township_code: str, service: str) -> None:
    """Whether a provider offers this service in this township. Raises Refused ``care_provider_not_serving``."""
    if not (provider.active and township_code in provider.townships and service in provider.services):
        raise Refused("care_provider_not_serving", "这家机构不在老人所在镇街提供这项服务", service=service)


def declined_by(session: Session, booking_id: UUID) -> set[UUID]:
    """The providers that have declined this booking; it is not offered to them again."""
    query = select(CareEvent.provider_id).where(CareEvent.booking_id == booking_id, CareEvent.step == "decline")
    return {provider_id for provider_id in session.scalars(query) if provider_id is not None}


def lock_day(session: Session, provider_ids: Sequence[UUID], day: date) -> dict[UUID, CareCapacity]:
    """These providers' day, opened where it is new, nobody else filling it until the unit of work ends.

    Opening reads the providers' capacity under a shared lock, so that a change of it misses no day.
    """
    offered = select(CareProvider.organisation_id, literal(day), CareProvider.daily_capacity_minutes)
    missing = offered.where(
        CareProvider.organisation_id.in_(provider_ids),
        ~select(CareCapacity.day)
        .where(CareCapacity.provider_id == CareProvider.organisation_id, CareCapacity.day == day)
        .exists(),
    )
    opened = missing.order_by(CareProvider.organisation_id).with_for_update(read=True, of=CareProvider)
    session.execute(
        insert(CareCapacity).from_select(["provider_id", "day", "capacity_minutes"], opened).on_conflict_do_nothing()
    )
    query = (
        select(CareCapacity)
        .where(CareCapacity.provider_id.in_(provider_ids), CareCapacity.day == day)
        .order_by(CareCapacity.provider_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {capacity.provider_id: capacity for capacity in session.scalars(query)}


def candidates_for(session: Session, booking: CareBooking) -> list[Candidate]:
    """Everybody who could come, with the day locked: serving the township and the service, not having declined."""
    query = (
        select(Organisation, CareProvider)
        .join(CareProvider, CareProvider.organisation_id == Organisation.id)
        .where(
            CareProvider.active,
            CareProvider.townships.contains([booking.township_code]),
            CareProvider.services.contains([booking.service]),
        )
    )
    if booking.only_township_code is not None:
        query = query.where(Organisation.township_code == booking.only_township_code)
    declined = declined_by(session, booking.id)
    rows = [(org, offered) for org, offered in session.execute(query) if org.id not in declined]
    days = lock_day(session, [org.id for org, _ in rows], booking.day)
    return [_candidate(org, offered, days[org.id]) for org, offered in rows]


def must_have_room(capacity: CareCapacity, minutes: int) -> None:
    """Raises Conflict ``care_provider_full`` with what is left of the day, in minutes."""
    left = capacity.capacity_minutes - capacity.used_minutes
    if left < minutes:
        raise Conflict("care_provider_full", "这家机构当天已经约满", left_minutes=left, needed_minutes=minutes)


def _candidate(organisation: Organisation, offered: CareProvider, capacity: CareCapacity) -> Candidate:
    known = offered.latitude is not None and offered.longitude is not None
    return Candidate(
        provider_id=organisation.id,
        name=organisation.name,
        township_code=organisation.township_code,
        grade=offered.grade,
        place=(float(offered.latitude or 0), float(offered.longitude or 0)) if known else None,
        used_minutes=capacity.used_minutes,
        left_minutes=capacity.capacity_minutes - capacity.used_minutes,
    )
