"""Acceptance on site 现场验收: point by point; a canteen that passes gets its number 统一赋码."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.models import Canteen, CanteenAcceptance
from timebank.canteens.network.queries import lock_canteen
from timebank.canteens.network.rules import after, must_answer_every_point, next_number
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_accounts_of_kinds
from timebank.ledger.rules import OF_ORGANISATIONS
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation, Township


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found on site: each point of the policy in order or not, by whom, on which day."""

    checked: Mapping[str, bool]
    inspected_on: date
    inspector_name: str
    remarks: str = ""


def accept(session: Session, *, actor: Actor, canteen_id: UUID, found: Inspection) -> Canteen:
    """Write down an inspection on site; for the district. With every point in order the canteen is accepted.

    Else it is refused with the ``remarks``, and may be inspected again. Raises NotAllowed ``district_only``; NotFound
    ``canteen_unknown``; Conflict ``wrong_state``; Refused ``acceptance_points_unfit``, ``date_in_future``,
    ``inspected_too_early``, ``reason_needed``.
    """
    actor.must_be_district()
    canteen = lock_canteen(session, canteen_id)
    points = in_force(session, at=clock.now()).value("canteen_acceptance_points")
    passed = must_answer_every_point(found.checked, points)
    state = after("accept" if passed else "refuse", canteen.state)
    _check_day(found.inspected_on, canteen)
    inspector_name = reason_given(found.inspector_name, field="inspector_name")
    remarks = found.remarks.strip() if passed else reason_given(found.remarks, field="remarks")
    session.add(
        CanteenAcceptance(
            id=new_id(),
            canteen_id=canteen_id,
            passed=passed,
            checked=dict(found.checked),
            remarks=remarks,
            inspected_on=found.inspected_on,
            inspector_name=inspector_name,
            inspected_by=actor.login_id,
            inspected_at=clock.now(),
        )
    )
    session.flush()
    organisation = session.get_one(Organisation, canteen_id)
    if passed:
        canteen.number, canteen.accepted_at = _number(session, organisation.township_code), clock.now()
    canteen.state, canteen.state_reason = state, remarks
    session.flush()
    if passed:
        ensure_accounts_of_kinds(session, [canteen_id], OF_ORGANISATIONS)
    _tell(session, actor, canteen, organisation)
    return canteen


def _check_day(inspected_on: date, canteen: Canteen) -> None:
    if inspected_on > clock.today():
        raise Refused("date_in_future", "验收日期不能在将来", field="inspected_on")
    applied_on = clock.local_date(canteen.applied_at)
    if inspected_on < applied_on:
        raise Refused(
            "inspected_too_early", "验收日期不能早于申请日期", field="inspected_on", applied_on=applied_on.isoformat()
        )


def _number(session: Session, township_code: str) -> str:
    """The next number of a township; whoever else gives one waits, so none is left out or given twice."""
    session.get_one(Township, township_code, with_for_update={"key_share": True})
    serial = cast(func.split_part(Canteen.number, "-", 2), BigInteger)
    highest = session.scalar(select(func.max(serial)).where(func.starts_with(Canteen.number, f"{township_code}-")))
    return next_number(township_code, highest or 0)


def _tell(session: Session, actor: Actor, canteen: Canteen, organisation: Organisation) -> None:
    note_down(
        session,
        actor=actor,
        action="canteen_accepted" if canteen.number else "canteen_refused",
        subject=("canteen", canteen.id),
        number=canteen.number,
        remarks=canteen.state_reason,
    )
    if canteen.number:
        title, body = "助餐点通过验收", f"{organisation.name}已通过验收，编号{canteen.number}，可以开业。"
    else:
        title, body = "助餐点未通过验收", f"{organisation.name}未通过验收：{canteen.state_reason}。整改后可再次验收。"
    notify_stewards(session, township_code=organisation.township_code, title=title, body=body)
