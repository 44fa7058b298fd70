"""How soon meals reach the door 送餐及时率: by canteen and month, from cooking to handover."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.rules import StopOutcome
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.policies.queries import in_force
from timebank.redemption.care.rules import month_end, month_start
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class Punctuality:
    """One canteen's deliveries of a month; ``timed`` are those whose cooking was said, ``in_time`` those within policy.

    ``percent_in_time`` is of those timed, rounded down; None where none was.
    """

    canteen_id: UUID
    canteen_name: str
    within_minutes: int
    delivered: int
    undelivered: int
    timed: int
    in_time: int

    @property
    def percent_in_time(self) -> int | None:
        """Whole percent."""
        return self.in_time * 100 // self.timed if self.timed else None


def punctuality(
    session: Session, *, actor: Actor, month: str, limit: int, after: UUID | None = None
) -> list[Punctuality]:
    """The canteens that delivered in ``month`` (as 2026-11), by id, as far as the actor may see.

    For stewards, auditors, and clerks of their own canteen. Raises NotAllowed ``books_not_yours``; Refused
    ``month_invalid``.
    """
    visible = _visible(actor)
    first, following = (clock.local_date(moment) for moment in (month_start(month), month_end(month)))
    policies, found = in_force(session, at=clock.now()), []
    outcome, minutes = DeliveryStop.outcome, DeliveryStop.minutes_after_cooking
    query = (
        select(
            Organisation,
            func.count().filter(outcome == StopOutcome.DELIVERED),
            func.count().filter(outcome == StopOutcome.UNDELIVERED),
            func.array_agg(minutes).filter(minutes.is_not(None)),
        )
        .join(DeliveryRound, DeliveryRound.canteen_id == Organisation.id)
        .join(DeliveryStop, DeliveryStop.round_id == DeliveryRound.id)
        .where(DeliveryRound.served_on >= first, DeliveryRound.served_on < following, visible)
        .where(outcome.in_([StopOutcome.DELIVERED, StopOutcome.UNDELIVERED]))
        .group_by(Organisation.id)
        .order_by(Organisation.id)
    )
    if after is not None:
        query = query.where(Organisation.id > after)
    for place, delivered, undelivered, taken in session.execute(query.limit(limit)):
        within = policies.whole("delivery_within_minutes", place.township_code)
        timed, in_time = len(taken or ()), sum(1 for one in taken or () if one is not None and one <= within)
        found.append(Punctuality(place.id, place.name, within, delivered, undelivered, timed, in_time))
    return found


def _visible(actor: Actor) -> ColumnElement[bool]:
    if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
        return Organisation.id.is_not(None)
    if actor.is_steward:
        return Organisation.township_code == actor.township_code
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        return Organisation.id == actor.organisation_id
    raise NotAllowed("books_not_yours", "只有管理员、审计和助餐点可以查看")
