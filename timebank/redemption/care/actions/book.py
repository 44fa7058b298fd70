"""Booking a visit 预约: the minutes are set aside at once, allotments first, then savings."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import cast, select
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Session

from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.people.queries import acts_for, nobody_moves, person, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.actions.acts import evidence_said, set_deadline, tell_elder, write_act
from timebank.redemption.care.actions.capacity import must_serve
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.queries.providers import care_provider, care_service
from timebank.redemption.care.rules import CAUSE, PLANNED, USUAL_SERVICE, CareStatus, price_minutes, rate_percent
from timebank.redemption.paying import books_of, hold_minutes, must_be_of_redeeming_age


@dataclass(frozen=True, slots=True)
class Visit:
    """The visit that is wanted; ``evidence`` is how an elder without a phone asked a steward for it."""

    starts_at: datetime
    minutes: int
    service: str = USUAL_SERVICE
    for_person_id: UUID | None = None
    provider_id: UUID | None = None
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    note: str = ""
    evidence: str | None = None


def book(session: Session, *, actor: Actor, wanted: Visit) -> CareBooking:
    """Book a visit for oneself, as a proxy for an elder, or as a steward for an elder without a phone.

    While the elder's township is at its hard limit, only providers at home can be sent (``only_township_code``).
    Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``, ``registration_needed``, ``other_township``; NotFound
    ``person_unknown``, ``care_provider_unknown``; Conflict ``person_left``, ``care_time_taken``; Refused
    ``elder_needed``, ``evidence_missing``, ``too_young_to_redeem``, ``care_service_unknown``, ``place_incomplete``,
    ``minutes_too_few``, ``minutes_too_many``, ``starts_in_the_past``, ``starts_too_far_ahead``,
    ``care_provider_not_serving``, ``position_limit_reached``, ``insufficient_minutes``, ``not_vested_yet``.
    """
    nobody_moves(session)
    elder = _elder(session, actor, wanted)
    policies = in_force(session, at=clock.now())
    must_be_of_redeeming_age(session, elder, policies)
    care_service(session, wanted.service)
    _check_form(wanted, policies, elder.township_code)
    only = _only_at_home(session, elder, wanted, policies)
    _must_be_free(session, elder.id, Range(wanted.starts_at, wanted.starts_at + timedelta(minutes=wanted.minutes)))
    booking = _booking(actor, elder, wanted, policies, only)
    set_deadline(booking, policies)
    session.add(booking)
    session.flush()
    _hold(session, booking, elder, policies)
    write_act(session, booking, "book", actor=actor, reason=wanted.note, evidence=booking.evidence)
    tell_elder(session, booking, "已预约上门服务", f"已冻结{hours_text(booking.held_minutes)}，派单后会再通知您。")
    session.flush()
    return booking


def _elder(session: Session, actor: Actor, wanted: Visit) -> Person:
    """The elder, locked, so that two bookings for one elder come one after another."""
    if actor.is_steward:
        if wanted.for_person_id is None:
            raise Refused("elder_needed", "请写明为哪位老人预约", field="for_person_id")
        elder = person(session, wanted.for_person_id, for_update=True)
        actor.must_steward(elder.township_code)
        evidence_said(wanted.evidence)
        return elder
    elder_id = wanted.for_person_id or actor.person()
    if not acts_for(session, actor, elder_id, ProxyScope.CARE):
        raise NotAllowed("not_your_elder", "只能为本人或登记代办的老人预约")
    return person(session, elder_id, for_update=True)


def _check_form(wanted: Visit, policies: PolicyBook, township_code: str) -> None:
    now = clock.now()
    shortest = policies.whole("care_min_minutes", township_code)
    longest = policies.whole("care_max_minutes", township_code)
    ahead = policies.whole("care_ahead_days", township_code)
    if wanted.minutes < shortest:
        raise Refused("minutes_too_few", f"单次服务最短{shortest}分钟", field="minutes", min_minutes=shortest)
    if wanted.minutes > longest:
        raise Refused("minutes_too_many", f"单次服务最长{longest}分钟", field="minutes", max_minutes=longest)
    if wanted.starts_at <= now:
        raise Refused("starts_in_the_past", "开始时间已过", field="starts_at")
    if wanted.starts_at > now + timedelta(days=ahead):
        raise Refused("starts_too_far_ahead", f"最多提前{ahead}天预约", field="starts_at", days=ahead)
    if (wanted.latitude is None) != (wanted.longitude is None):
        raise Refused("place_incomplete", "经度和纬度须一起填写", field="longitude")


def _only_at_home(session: Session, elder: Person, wanted: Visit, policies: PolicyBook) -> str | None:
    """The township that providers must come from, if any: at the hard limit no new debt may be made."""
    home = elder.township_code
    chosen = None
    if wanted.provider_id is not None:
        chosen, offered = care_provider(session, wanted.provider_id)
        must_serve(offered, home, wanted.service)
    try:
        must_be_within_limit(session, township_code=home, policies=policies)
    except BankError:
        if chosen is not None and chosen.township_code != home:
            raise
        return home
    return None


def _must_be_free(session: Session, elder_id: UUID, during: Range[datetime]) -> None:
    taken = select(CareBooking.id).where(
        CareBooking.elder_id == elder_id,
        CareBooking.status.in_(PLANNED),
        CareBooking.during.op("&&")(cast(during, TSTZRANGE)),
    )
    standing = session.scalar(taken.limit(1))
    if standing is not None:
        raise Conflict("care_time_taken", "这段时间老人已有上门服务预约", booking_id=standing)


def _booking(actor: Actor, elder: Person, wanted: Visit, policies: PolicyBook, only: str | None) -> CareBooking:
    now, home = clock.now(), elder.township_code
    ends_at = wanted.starts_at + timedelta(minutes=wanted.minutes)
    rate = rate_percent(policies, wanted.service, home)
    wait = timedelta(minutes=policies.whole("care_assign_after_minutes", home))
    return CareBooking(
        id=new_id(),
        elder_id=elder.id,
        township_code=home,
        service=wanted.service,
        starts_at=wanted.starts_at,
        ends_at=ends_at,
        during=Range(wanted.starts_at, ends_at),
        day=clock.local_date(wanted.starts_at),
        minutes=wanted.minutes,
        rate_percent=rate,
        held_minutes=price_minutes(wanted.minutes, rate),
        policy_version=policies.version,
        service_code=f"{secrets.randbelow(1_000_000):06}",
        chosen_provider_id=wanted.provider_id,
        only_township_code=only,
        address=wanted.address,
        latitude=wanted.latitude,
        longitude=wanted.longitude,
        note=wanted.note,
        evidence=evidence_said(wanted.evidence) if actor.is_steward else None,
        hold_until=ends_at + timedelta(days=policies.whole("care_hold_days", home)),
        booked_at=now,
        booked_by=actor.login_id,
        booked_by_name=actor.name if actor.is_steward else spoken_name(actor, elder),
        status=CareStatus.BOOKED,
        next_assign_at=max(now, min(now + wait, wanted.starts_at - wait)),
        service_code_misses=0,
        excess_minutes=0,
    )


def _hold(session: Session, booking: CareBooking, elder: Person, policies: PolicyBook) -> None:
    """Set the minutes aside; those that another township granted are owed by that township when they are spent."""
    holds = hold_minutes(
        session,
        holder=elder,
        minutes=booking.held_minutes,
        cause_kind=CAUSE,
        cause_id=booking.id,
        expires_at=booking.hold_until,
        policies=policies,
    )
    for book_code in sorted(books_of(session, [hold.account_id for hold in holds]) - {elder.township_code}):
        must_be_within_limit(session, township_code=book_code, policies=policies)
