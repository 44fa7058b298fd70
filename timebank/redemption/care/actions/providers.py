"""Entering a provider of home care 登记机构, and changing what it offers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.redemption.care.models import CareCapacity, CareProvider
from timebank.redemption.care.queries.providers import ProviderView, care_provider, care_service, see_providers
from timebank.townships.models import Organisation
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class Offer:
    """What a provider offers; in a change, what is None stays as it is."""

    grade: int | None = None
    services: list[str] | None = None
    townships: list[str] | None = None
    daily_capacity_minutes: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    active: bool | None = None

    def given(self) -> dict[str, Any]:
        """What is not None, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) is not None}


def enter_provider(session: Session, *, actor: Actor, name: str, township_code: str, offer: Offer) -> ProviderView:
    """Enter a provider of the actor's own township; an organisation of that name and kind is taken up.

    Raises NotAllowed ``steward_only``, ``other_township``; Conflict ``care_provider_entered``, ``name_taken``; Refused
    ``township_unknown``, ``care_service_unknown``, ``offer_incomplete``, ``place_incomplete``, ``amount_invalid``,
    ``grade_invalid``.
    """
    actor.must_be_steward()
    township(session, township_code)
    actor.must_steward(township_code)
    _check(session, offer)
    if not (offer.services and offer.townships and offer.daily_capacity_minutes):
        raise Refused("offer_incomplete", "请写明服务项目、服务镇街和每天可服务的分钟数")
    organisation = _organisation(session, name, township_code)
    given = {"active": True, **offer.given()}
    provider = CareProvider(organisation_id=organisation.id, entered_at=clock.now(), entered_by=actor.login_id, **given)
    session.add(provider)
    session.flush()
    note_down(session, actor=actor, action="care_provider_entered", subject=("organisation", organisation.id), **given)
    return see_providers(session, [(organisation, provider)])[0]


def change_provider(session: Session, *, actor: Actor, provider_id: UUID, offer: Offer) -> ProviderView:
    """Change what a provider offers; days on which more is promised already keep what is promised.

    Raises NotFound ``care_provider_unknown``; NotAllowed ``steward_only``, ``other_township``; Refused
    ``township_unknown``, ``care_service_unknown``, ``place_incomplete``, ``amount_invalid``, ``grade_invalid``.
    """
    actor.must_be_steward()
    # Not against those who only refer to it: they hold the days that are locked next.
    provider = session.get(CareProvider, provider_id, with_for_update={"key_share": True}, populate_existing=True)
    if provider is None:
        raise NotFound("care_provider_unknown", "没有这家居家养老服务机构", provider_id=provider_id)
    organisation, _ = care_provider(session, provider_id)
    actor.must_steward(organisation.township_code)
    _check(session, offer)
    for key, value in offer.given().items():
        setattr(provider, key, value)
    session.flush()
    if offer.daily_capacity_minutes is not None:
        _change_days(session, provider)
    note_down(
        session, actor=actor, action="care_provider_changed", subject=("organisation", provider_id), **offer.given()
    )
    return see_providers(session, [(organisation, provider)])[0]


def _check(session: Session, offer: Offer) -> None:
    for code in offer.services or ():
        care_service(session, code)
    for code in offer.townships or ():
        township(session, code)
    if (offer.services is not None and not offer.services) or (offer.townships is not None and not offer.townships):
        raise Refused("offer_incomplete", "服务项目和服务镇街不能为空")
    if (offer.latitude is None) != (offer.longitude is None):
        raise Refused("place_incomplete", "经度和纬度须一起填写", field="longitude")
    if offer.daily_capacity_minutes is not None and offer.daily_capacity_minutes < 1:
        raise Refused("amount_invalid", "每天可服务的分钟数须为正整数", field="daily_capacity_minutes")
    if offer.grade is not None and not 1 <= offer.grade <= 5:
        raise Refused("grade_invalid", "等级须为1至5A", field="grade")


def _organisation(session: Session, name: str, township_code: str) -> Organisation:
    """The organisation of this name, entered where there is none yet."""
    found = session.scalar(select(Organisation).where(Organisation.name == name).with_for_update(key_share=True))
    if found is None:
        found = Organisation(id=new_id(), kind="provider", name=name, township_code=township_code)
        session.add(found)
        session.flush()
        return found
    if (found.kind, found.township_code) != ("provider", township_code):
        raise Conflict("name_taken", "已有同名的其他机构", name=name)
    if session.get(CareProvider, found.id) is not None:
        raise Conflict("care_provider_entered", "这家机构已经登记", provider_id=found.id)
    return found


def _change_days(session: Session, provider: CareProvider) -> None:
    """Bring the days from today on to the new capacity, locked in order."""
    query = (
        select(CareCapacity)
        .where(CareCapacity.provider_id == provider.organisation_id, CareCapacity.day >= clock.today())
        .order_by(CareCapacity.day)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for day in session.scalars(query).all():
        day.capacity_minutes = max(provider.daily_capacity_minutes, day.used_minutes)
    session.flush()
