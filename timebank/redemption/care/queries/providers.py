"""Seeing services and providers of home care."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core.errors import NotFound, Refused
from timebank.redemption.care.models import CareEvent, CareProvider, CareService
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class ProviderView:
    """A provider as anybody may see it; ``no_shows`` is how often it did not come."""

    provider_id: UUID
    name: str
    township_code: str
    grade: int | None
    services: list[str]
    townships: list[str]
    daily_capacity_minutes: int
    active: bool
    latitude: float | None
    longitude: float | None
    no_shows: int


def care_services(session: Session) -> Sequence[CareService]:
    """The catalogue, by code."""
    return session.scalars(select(CareService).order_by(CareService.code)).all()


def care_service(session: Session, code: str) -> CareService:
    """One service that can be booked. Raises Refused ``care_service_unknown``."""
    found = session.get(CareService, code)
    if found is None or not found.active:
        raise Refused("care_service_unknown", "没有这项上门服务", service=code)
    return found


def care_provider(session: Session, provider_id: UUID) -> tuple[Organisation, CareProvider]:
    """One provider. Raises NotFound ``care_provider_unknown``."""
    query = select(Organisation, CareProvider).join(CareProvider, CareProvider.organisation_id == Organisation.id)
    row = session.execute(query.where(Organisation.id == provider_id)).one_or_none()
    if row is None:
        raise NotFound("care_provider_unknown", "没有这家居家养老服务机构", provider_id=provider_id)
    return row[0], row[1]


def provider_named(session: Session, name: str) -> Organisation:
    """The provider of this name. Raises NotFound ``care_provider_unknown``."""
    found = session.scalar(select(Organisation).where(Organisation.kind == "provider", Organisation.name == name))
    if found is None:
        raise NotFound("care_provider_unknown", "没有这家居家养老服务机构", name=name)
    return found


def find_providers(
    session: Session,
    *,
    township_code: str | None = None,
    service: str | None = None,
    stopped: bool = False,
    limit: int,
    after: UUID | None = None,
) -> list[ProviderView]:
    """Providers that serve a township, with a service, in the order in which they were entered.

    Those that have ``stopped`` are among them only where that is asked for.
    """
    query = select(Organisation, CareProvider).join(CareProvider, CareProvider.organisation_id == Organisation.id)
    if not stopped:
        query = query.where(CareProvider.active)
    if township_code is not None:
        query = query.where(CareProvider.townships.contains([township_code]))
    if service is not None:
        query = query.where(CareProvider.services.contains([service]))
    if after is not None:
        query = query.where(Organisation.id > after)
    return see_providers(
        session, [(row[0], row[1]) for row in session.execute(query.order_by(Organisation.id).limit(limit))]
    )


def see_providers(session: Session, rows: Sequence[tuple[Organisation, CareProvider]]) -> list[ProviderView]:
    """Views of these providers."""
    ids = [provider.organisation_id for _, provider in rows]
    counted = (
        select(CareEvent.provider_id, func.count())
        .where(CareEvent.provider_id.in_(ids), CareEvent.step == "no_show")
        .group_by(CareEvent.provider_id)
    )
    no_shows = {provider_id: times for provider_id, times in session.execute(counted)}
    return [
        ProviderView(
            provider_id=provider.organisation_id,
            name=organisation.name,
            township_code=organisation.township_code,
            grade=provider.grade,
            services=sorted(provider.services),
            townships=sorted(provider.townships),
            daily_capacity_minutes=provider.daily_capacity_minutes,
            active=provider.active,
            latitude=provider.latitude,
            longitude=provider.longitude,
            no_shows=no_shows.get(provider.organisation_id, 0),
        )
        for organisation, provider in rows
    ]
