"""Who acts on a booking, and the act as it is written down for ever, with both names where a proxy acts."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_person
from timebank.people.queries import acts_for, person, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.rules import PolicyBook
from timebank.redemption.care.models import CareBooking, CareEvent
from timebank.redemption.care.rules import deadline_of


def on_elders_side(session: Session, actor: Actor, booking: CareBooking) -> bool:
    """The elder, or a proxy who was allowed to book care. Raises NotAllowed ``proxy_scope_missing``."""
    return acts_for(session, actor, booking.elder_id, ProxyScope.CARE)


def stewarded(session: Session, actor: Actor, booking: CareBooking) -> bool:
    """Whether the actor is a steward of the township that was booked from, or of where the elder lives by now."""
    if actor.stewards(booking.township_code):
        return True
    return actor.is_steward and actor.stewards(person(session, booking.elder_id).township_code)


def of_the_provider(actor: Actor, provider_id: UUID | None) -> bool:
    """Whether the actor works for this provider."""
    works_there = provider_id is not None and actor.organisation_id == provider_id
    return works_there and actor.staff_role is StaffRole.CARE_PROVIDER


def not_your_booking() -> NotAllowed:
    """The refusal for whoever has no part in a booking."""
    return NotAllowed("not_your_booking", "只有老人本人、代办人、派到的机构或本镇街管理员可以办理")


def must_be_the_provider(actor: Actor, booking: CareBooking) -> None:
    """Raises NotAllowed ``not_your_booking`` for everybody but the provider that was sent."""
    if not of_the_provider(actor, booking.provider_id):
        raise not_your_booking()


def reason_said(reason: str) -> str:
    """A reason that says something. Raises Refused ``reason_needed``."""
    if not reason.strip():
        raise Refused("reason_needed", "请写明理由", field="reason")
    return reason.strip()


def evidence_said(evidence: str | None) -> str:
    """Evidence that says something. Raises Refused ``evidence_missing``."""
    if evidence is None or not evidence.strip():
        raise Refused("evidence_missing", "请填写依据（如电话记录、老人签字）", field="evidence")
    return evidence.strip()


def write_act(
    session: Session,
    booking: CareBooking,
    step: str,
    *,
    actor: Actor,
    reason: str = "",
    evidence: str | None = None,
    place: tuple[float | None, float | None] = (None, None),
    provider_id: UUID | None = None,
) -> None:
    """Keep one act; a steward's is noted in the audit trail as well."""
    session.add(
        CareEvent(
            id=new_id(),
            booking_id=booking.id,
            provider_id=provider_id or booking.provider_id,
            step=step,
            at=clock.now(),
            by_login_id=actor.login_id,
            by_name=acting_name(session, actor, booking),
            reason=reason,
            evidence=evidence,
            latitude=place[0],
            longitude=place[1],
        )
    )
    if actor.is_steward:
        note_down(session, actor=actor, action=f"care_{step}", subject=("care_booking", booking.id), reason=reason)


def acting_name(session: Session, actor: Actor, booking: CareBooking) -> str:
    """The actor's name, and the elder's too where a person acts for the elder."""
    return actor.name if actor.person_id is None else spoken_name(actor, person(session, booking.elder_id))


def set_deadline(booking: CareBooking, policies: PolicyBook) -> None:
    """Note when time alone will move the booking on from where it stands now."""
    booking.deadline_at = deadline_of(
        booking.status,
        starts_at=booking.starts_at,
        ends_at=booking.ends_at,
        checked_out_at=booking.checked_out_at,
        hold_until=booking.hold_until,
        township_code=booking.township_code,
        policies=policies,
    )


def tell_elder(session: Session, booking: CareBooking, title: str, body: str) -> None:
    """A notice to the elder that says which visit it is about."""
    notify_person(session, person_id=booking.elder_id, title=title, body=f"{when(booking)}的上门服务：{body}")


def when(booking: CareBooking) -> str:
    """``3月10日09:00``."""
    local = booking.starts_at.astimezone(clock.LOCAL)
    return f"{local.month}月{local.day}日{local:%H:%M}"
