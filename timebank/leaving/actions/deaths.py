"""Death 身故: reported by one steward, agreed to by two more, then carried out; until then the minutes are frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.diners.queries import diners_by_ids
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.leaving.actions.leave import tell
from timebank.leaving.actions.settle import Farewell, lock_for_leaving, settle
from timebank.leaving.models import DeathReport
from timebank.leaving.queries import must_be_seen, open_things
from timebank.leaving.rules import (
    LeavingReason,
    check_died_on,
    evidence_given,
    must_be_another,
    report_ended,
)
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.actions.consent import lock_people
from timebank.people.family_queries import heir_of
from timebank.people.models import Person
from timebank.people.queries import must_be_here, nobody_moves, person


@dataclass(frozen=True, slots=True)
class Death:
    """What is reported: who died, when, and what shows it."""

    person_id: UUID
    died_on: date
    evidence: str


def report_death(session: Session, *, actor: Actor, death: Death) -> DeathReport:
    """Report that somebody has died, for a steward of the township; from now on the minutes are frozen.

    Meals that were ordered are not handed over meanwhile; nobody is charged for them.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Refused ``evidence_missing``,
    ``died_on_invalid``; Conflict ``person_left``, ``person_frozen``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    actor.must_steward(person(session, death.person_id).township_code)
    nobody_moves(session)
    dead = lock_people(session, {death.person_id})[death.person_id]
    # A meal that is being handed over is waited for; the next one is refused.
    diners_by_ids(session, [dead.id], lock=True)
    actor.must_steward(dead.township_code)
    must_be_here(dead)
    check_died_on(death.died_on, dead.born_on, clock.today())
    report = DeathReport(
        id=new_id(),
        person_id=dead.id,
        township_code=dead.township_code,
        died_on=death.died_on,
        evidence=evidence_given(death.evidence),
        reported_at=clock.now(),
        reported_by=actor.login_id,
        reported_by_name=actor.name,
    )
    session.add(report)
    dead.death_reported_at, dead.died_on = clock.now(), report.died_on
    session.flush()
    note_down(session, actor=actor, action="death_reported", subject=("person", dead.id), evidence=report.evidence)
    _tell_of_report(session, report, dead)
    return report


def approve_death(session: Session, *, actor: Actor, report_id: UUID) -> DeathReport:
    """Agree to a report; the second one to agree carries it out: savings to the heir or the pool, accounts closed.

    Raises NotAllowed ``steward_only``, ``other_township``, ``second_person_needed``; NotFound
    ``death_report_unknown``; Conflict ``death_report_ended``, ``not_settled_yet``, ``heir_report_open``.
    """
    report = _lock(session, actor, report_id)
    must_be_another(actor.login_id, [report.reported_by, report.first_approved_by])
    note_down(session, actor=actor, action="death_approved", subject=("person", report.person_id))
    if report.first_approved_at is None:
        report.first_approved_at = clock.now()
        report.first_approved_by, report.first_approved_by_name = actor.login_id, actor.name
        session.flush()
        return report
    nobody_moves(session)
    people = lock_for_leaving(session, report.person_id, heir_of(session, report.person_id))
    # Asked again: the heir may have ended the relation before it was locked.
    heir_id = heir_of(session, report.person_id)
    heir = people.get(heir_id) if heir_id is not None else None
    if heir is not None and heir.left_at is None and heir.death_reported_at is not None:
        raise Conflict("heir_report_open", "继承人也有身故上报还没有办结，请先办结那一项", person_id=heir.id)
    if heir is not None and heir.left_at is not None:
        heir = None
    farewell = Farewell(people[report.person_id], heir, LeavingReason.DIED, report.evidence)
    leaving = settle(session, actor=actor, farewell=farewell)
    report.second_approved_at, report.leaving_id = clock.now(), leaving.id
    report.second_approved_by, report.second_approved_by_name = actor.login_id, actor.name
    tell(session, farewell, leaving)
    session.flush()
    return report


def decline_death(session: Session, *, actor: Actor, report_id: UUID, reason: str) -> DeathReport:
    """Turn a report down, since it was wrong: the minutes can be spent again, meals that still wait are handed over.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``death_report_unknown``; Conflict
    ``death_report_ended``; Refused ``reason_needed``.
    """
    report = _lock(session, actor, report_id)
    said = reason.strip()
    if not said:
        raise Refused("reason_needed", "请写明原因", field="reason")
    alive = lock_people(session, {report.person_id})[report.person_id]
    diners_by_ids(session, [alive.id], lock=True)
    alive.death_reported_at = alive.died_on = None
    report.declined_at, report.decline_reason = clock.now(), said
    report.declined_by, report.declined_by_name = actor.login_id, actor.name
    session.flush()
    note_down(session, actor=actor, action="death_declined", subject=("person", alive.id), reason=said)
    body = "此前的上报有误，已更正，您的时间账户恢复正常使用，还在等候的订餐照常供应。给您带来不便，敬请谅解。"
    notify_person(session, person_id=alive.id, title="账户已恢复使用", body=body)
    notify_stewards(
        session,
        township_code=report.township_code,
        title="身故上报已驳回",
        body=f"{alive.name}的身故上报已驳回：{said}",
    )
    return report


def _lock(session: Session, actor: Actor, report_id: UUID) -> DeathReport:
    """The report, nobody else answering it; the person's row is locked after it, and a report is made before it is."""
    actor.must_be_steward()
    query = select(DeathReport).where(DeathReport.id == report_id).with_for_update(key_share=True)
    report = session.scalar(query.execution_options(populate_existing=True))
    if report is None:
        raise NotFound("death_report_unknown", "没有这项身故上报", report_id=report_id)
    must_be_seen(actor, report)
    if report.declined_at is not None or report.second_approved_at is not None:
        raise report_ended(declined=report.declined_at is not None)
    return report


def _tell_of_report(session: Session, report: DeathReport, dead: Person) -> None:
    open_now = open_things(session, dead.id)
    kinds = "、".join(sorted({thing.kind_name for thing in open_now}))
    body = f"{dead.name}被上报身故（{report.died_on:%Y-%m-%d}），时长已冻结，待另外两位管理员批准。"
    if open_now:
        body += f"尚有{len(open_now)}项未办结（{kinds}），须先办结。"
    for code in (report.township_code, None):
        notify_stewards(session, township_code=code, title="有身故上报待批准", body=body)
    heir_id = heir_of(session, dead.id)
    if heir_id is not None:
        said = f"{dead.name}的时间账户已冻结，经核实后储蓄时长将转入您的时间账户。如有疑问请联系镇街。"
        notify_person(session, person_id=heir_id, title="亲属账户已冻结", body=said)
