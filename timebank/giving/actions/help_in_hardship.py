"""Hardship help 困难帮扶: minutes out of a township's pool for an elder; one steward asks, a second one approves.

What is approved is a lot that expires, so that it is spent before savings and returns to the pool if it is not.
Order of locks: the request, the lock of moving, the elder's row, then the ledger's accounts.
"""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.giving.models import HardshipRequest
from timebank.giving.rules import (
    HARDSHIP_HELP,
    HardshipStatus,
    hardship_of,
    must_be_amount,
    must_be_waiting,
    must_be_within_help,
    pool_short,
    second_person_needed,
)
from timebank.ledger.actions import ensure_lot, post_one, township_accounts
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.models import ElderFile, Person
from timebank.people.queries import must_be_here, nobody_moves, person
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook


def request_hardship(
    session: Session, *, actor: Actor, person_id: UUID, minutes: int, reason: str, evidence: str
) -> HardshipRequest:
    """Ask for help for an elder of the steward's township whose file has a circumstance that policy counts.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Refused ``amount_invalid``,
    ``reason_needed``, ``evidence_missing``, ``not_in_hardship``, ``hardship_help_too_much``; Conflict
    ``person_left``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    must_be_amount(minutes)
    nobody_moves(session)
    elder = person(session, person_id)
    home = elder.township_code
    actor.must_steward(home)
    must_be_here(elder)
    policies = in_force(session, at=clock.now())
    must_be_within_help(minutes, policies.whole("hardship_help_max_minutes", home))
    file = session.get(ElderFile, elder.id)
    counting = policies.value("hardship_circumstances", home)
    asked = HardshipRequest(
        id=new_id(),
        person_id=elder.id,
        township_code=home,
        minutes=minutes,
        reason=_given(reason, "reason"),
        evidence=_given(evidence, "evidence"),
        circumstances=hardship_of(file.circumstances if file else (), counting),
        requested_at=clock.now(),
        requested_by=actor.login_id,
        requested_by_name=actor.name,
        status=HardshipStatus.WAITING,
    )
    session.add(asked)
    session.flush()
    _note(session, actor, asked, "hardship_requested", reason=asked.reason, evidence=asked.evidence)
    body = f"{elder.name}申请{hours_text(minutes)}困难帮扶，待另一位管理员批准：{asked.reason}"
    for code in (home, None):
        notify_stewards(session, township_code=code, title="有困难帮扶待批准", body=body)
    return asked


def approve_hardship(session: Session, *, actor: Actor, hardship_id: UUID) -> HardshipRequest:
    """Grant what was asked, out of the pool of the township; for another steward of it, or of the district.

    A pool that is short is never overdrawn, and the request goes on waiting. Raises NotAllowed ``steward_only``,
    ``other_township``, ``second_person_needed``; NotFound ``hardship_unknown``; Conflict ``hardship_decided``,
    ``elder_moved``, ``person_left``, ``person_frozen``; Refused ``pool_short``.
    """
    asked = _lock(session, actor, hardship_id)
    if asked.requested_by == actor.login_id:
        raise second_person_needed()
    nobody_moves(session)
    elder = person(session, asked.person_id, for_update=True)
    must_be_here(elder)
    if elder.township_code != asked.township_code:
        raise Conflict("elder_moved", "老人已迁往其他镇街，请由现镇街重新申请", township_code=elder.township_code)
    policies = in_force(session, at=clock.now())
    expires_on = clock.today() + timedelta(days=policies.whole("hardship_help_valid_days", asked.township_code))
    transfer_id = _grant(session, asked, expires_on, actor, policies)
    asked.expires_on, asked.transfer_id = expires_on, transfer_id
    _decide(session, asked, actor, HardshipStatus.APPROVED)
    _note(session, actor, asked, "hardship_approved", minutes=asked.minutes)
    _tell_elder(session, asked, elder)
    return asked


def decline_hardship(session: Session, *, actor: Actor, hardship_id: UUID, reason: str) -> HardshipRequest:
    """Turn a request down, or take back one's own, with the reason.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``hardship_unknown``; Conflict
    ``hardship_decided``; Refused ``reason_needed``.
    """
    asked = _lock(session, actor, hardship_id)
    asked.decline_reason = _given(reason, "reason")
    _decide(session, asked, actor, HardshipStatus.DECLINED)
    _note(session, actor, asked, "hardship_declined", reason=asked.decline_reason)
    return asked


def _lock(session: Session, actor: Actor, hardship_id: UUID) -> HardshipRequest:
    actor.must_be_steward()
    asked = session.get(HardshipRequest, hardship_id, with_for_update=True, populate_existing=True)
    if asked is None:
        raise NotFound("hardship_unknown", "没有这份帮扶申请", hardship_id=hardship_id)
    actor.must_steward(asked.township_code)
    must_be_waiting(asked.status)
    return asked


def _grant(session: Session, asked: HardshipRequest, expires_on: date, actor: Actor, policies: PolicyBook) -> UUID:
    """Move the minutes from the pool into a lot of the elder's; answers the transfer."""
    home = asked.township_code
    pool = township_accounts(session, [home], AccountKind.POOL)[home]
    lot = ensure_lot(session, person_id=asked.person_id, book_code=home, expires_on=expires_on)
    available = lock_accounts(session, [pool, lot])[pool].available
    if available < asked.minutes:
        raise pool_short(available=available, needed=asked.minutes)
    movement = Movement(
        id=new_id(),
        from_account_id=pool,
        to_account_id=lot,
        amount=asked.minutes,
        kind=HARDSHIP_HELP,
        effective_at=clock.now(),
        cause_kind=HARDSHIP_HELP,
        cause_id=asked.id,
        # Why somebody is in need stays in the request: what the ledger says is never taken back.
        note="困难帮扶",
        policy_version=policies.version,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    return movement.id


def _decide(session: Session, asked: HardshipRequest, actor: Actor, status: HardshipStatus) -> None:
    asked.status, asked.decided_at = status, clock.now()
    asked.decided_by, asked.decided_by_name = actor.login_id, actor.name
    session.flush()


def _note(session: Session, actor: Actor, asked: HardshipRequest, action: str, **facts: object) -> None:
    note_down(session, actor=actor, action=action, subject=("hardship_request", asked.id), **facts)


def _tell_elder(session: Session, asked: HardshipRequest, elder: Person) -> None:
    body = f"镇街从公益时间池拨付您{hours_text(asked.minutes)}，可用到{asked.expires_on:%Y年%m月%d日}。"
    notify_person(session, person_id=elder.id, title="困难帮扶已到账", body=body)
    body = f"{elder.name}的{hours_text(asked.minutes)}困难帮扶已由{asked.decided_by_name}批准并拨付。"
    notify_stewards(session, township_code=asked.township_code, title="困难帮扶已拨付", body=body)


def _given(text: str, field: str) -> str:
    said = text.strip()
    if not said and field == "evidence":
        raise Refused("evidence_missing", "请写明核实困难情况的依据", field=field)
    if not said:
        raise Refused("reason_needed", "请写明理由", field=field)
    return said
