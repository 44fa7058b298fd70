"""Requesting help 发布."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.people.queries import acts_for, must_be_here, person, roles_of, spoken_name
from timebank.people.rules import ProxyScope, may_be_helped
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.tasks.models import ServiceType, Task
from timebank.tasks.rules import TaskStatus
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class Request:
    """Help as it is asked for; ``minutes`` is what is agreed, ``places`` how many volunteers are wanted.

    ``address`` is where the visit goes, with its coordinates where they are known; only whoever accepts is told.
    """

    service_type: str
    starts_at: datetime
    minutes: int
    elder_id: UUID | None = None
    township_code: str | None = None
    places: int = 1
    note: str = ""
    address: str | None = None
    latitude: float | None = None
    longitude: float | None = None


def request(session: Session, *, actor: Actor, wanted: Request) -> Task:
    """Put a request for help forward.

    An elder asks for themselves, a proxy for the elder, a steward for an elder of the township or for a shift.
    Raises NotAllowed ``not_your_elder``, ``steward_only``, ``other_township``, ``registration_needed``; NotFound
    ``person_unknown``; Refused ``service_type_unknown``, ``too_young_for_help``, ``township_mismatch``,
    ``township_unknown``, ``township_needed``, ``amount_invalid``, ``starts_in_the_past``, ``starts_too_far_ahead``,
    ``minutes_too_many``, ``places_too_many``; Conflict ``person_left``, ``person_frozen``.
    """
    elder = _elder(session, actor, wanted)
    if elder is not None:
        must_be_here(elder)
    return _put_forward(session, actor, wanted, elder, _township(session, actor, wanted, elder))


def request_shift(session: Session, *, actor: Actor, wanted: Request) -> Task:
    """Put a shift forward for a township that has to do with it, as the meal programme does with delivery rounds.

    Whoever calls has looked at whether the actor may; the bank itself may. ``wanted`` names the township and no elder.
    Raises Refused ``service_type_unknown``, ``township_unknown``, ``amount_invalid``, ``starts_in_the_past``,
    ``starts_too_far_ahead``, ``minutes_too_many``, ``places_too_many``.
    """
    if wanted.township_code is None or wanted.elder_id is not None:
        raise ValueError("a shift is asked for by a township and for nobody in particular")
    township(session, wanted.township_code)
    return _put_forward(session, actor, wanted, None, wanted.township_code)


def _put_forward(session: Session, actor: Actor, wanted: Request, elder: Person | None, township_code: str) -> Task:
    service_type(session, wanted.service_type)
    policies = in_force(session, at=clock.now())
    _check_limits(wanted, policies, township_code)
    if elder is not None:
        must_be_helped(session, elder, policies)
    task = Task(
        id=new_id(),
        service_type=wanted.service_type,
        elder_id=elder.id if elder else None,
        township_code=township_code,
        starts_at=wanted.starts_at,
        ends_at=wanted.starts_at + timedelta(minutes=wanted.minutes),
        minutes=wanted.minutes,
        places=wanted.places,
        note=wanted.note,
        status=TaskStatus.OPEN,
        service_code=f"{secrets.randbelow(1_000_000):06}",
        requested_by=actor.login_id,
        requested_by_name=_requester(actor, elder),
        requested_at=clock.now(),
        address=wanted.address or None,
        latitude=wanted.latitude,
        longitude=wanted.longitude,
        parts=[],
    )
    session.add(task)
    session.flush()
    return task


def service_type(session: Session, code: str) -> ServiceType:
    """One kind of service. Raises Refused ``service_type_unknown``."""
    found = session.get(ServiceType, code)
    if found is None:
        raise Refused("service_type_unknown", "没有这种服务", service_type=code)
    return found


def must_be_helped(session: Session, elder: Person, policies: PolicyBook) -> None:
    """Raises Refused ``too_young_for_help``, with the age from which help may be asked for."""
    min_age = policies.whole("help_min_age", elder.township_code)
    if not may_be_helped(roles_of(session, elder.id), elder.born_on, clock.today(), min_age):
        raise Refused("too_young_for_help", f"满{min_age}周岁或经镇街登记为老人后可以求助", min_age=min_age)


def _requester(actor: Actor, elder: Person | None) -> str:
    """Both names where a proxy asks for the elder; staff keep their own."""
    return actor.name if elder is None or actor.person_id is None else spoken_name(actor, elder)


def _elder(session: Session, actor: Actor, wanted: Request) -> Person | None:
    """The elder, locked, so that nobody leaves while help is asked for; None for a shift."""
    if wanted.elder_id is None:
        if actor.is_steward:
            return None
        return person(session, actor.person(), for_update=True)
    if actor.is_steward:
        elder = person(session, wanted.elder_id, for_update=True)
        actor.must_steward(elder.township_code)
        return elder
    if not acts_for(session, actor, wanted.elder_id, ProxyScope.HELP):
        raise NotAllowed("not_your_elder", "只能为本人或登记代办的老人求助")
    return person(session, wanted.elder_id, for_update=True)


def _township(session: Session, actor: Actor, wanted: Request, elder: Person | None) -> str:
    if wanted.township_code is not None:
        township(session, wanted.township_code)
    if elder is not None:
        if wanted.township_code not in (None, elder.township_code):
            raise Refused("township_mismatch", "服务由老人所在镇街承担", township_code=elder.township_code)
        return elder.township_code
    code = wanted.township_code or actor.township_code
    if code is None:
        raise Refused("township_needed", "请指定镇街", field="township_code")
    actor.must_steward(code)
    return code


def _check_limits(wanted: Request, policies: PolicyBook, township_code: str) -> None:
    now = clock.now()
    grace = timedelta(minutes=policies.whole("request_grace_minutes", township_code))
    ahead = policies.whole("request_ahead_days", township_code)
    longest = policies.whole("task_max_minutes", township_code)
    most = policies.whole("task_max_places", township_code)
    if wanted.minutes < 1 or wanted.places < 1:
        raise Refused("amount_invalid", "分钟数和人数须为正整数")
    if wanted.starts_at < now - grace:
        raise Refused("starts_in_the_past", "开始时间已过", field="starts_at")
    if wanted.starts_at > now + timedelta(days=ahead):
        raise Refused("starts_too_far_ahead", f"最多提前{ahead}天发布", field="starts_at", days=ahead)
    if wanted.minutes > longest:
        raise Refused("minutes_too_many", f"单次服务最长{longest}分钟", field="minutes", max_minutes=longest)
    if wanted.places > most:
        raise Refused("places_too_many", f"最多{most}名志愿者", field="places", max_places=most)
