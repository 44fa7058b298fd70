"""The yearly grade 年度等级: proposed by one of the district, approved by another; then its subsidy is credited."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.models import CanteenGrade
from timebank.canteens.network.queries import lock_canteen
from timebank.canteens.network.rules import OPERATING_SUBSIDY, after_acceptance, must_be_a_year_to_grade, not_graded
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation


def propose_grade(
    session: Session, *, actor: Actor, canteen_id: UUID, year: int, grade: str, remarks: str = ""
) -> CanteenGrade:
    """Propose the grade of a year, at the subsidy of today's policy; until it is approved a new proposal replaces it.

    Raises NotAllowed ``district_only``; NotFound ``canteen_unknown``; Conflict ``canteen_not_accepted``,
    ``grade_approved``; Refused ``grade_year_invalid``.
    """
    actor.must_be_district()
    canteen = lock_canteen(session, canteen_id)
    accepted_at = after_acceptance(canteen.accepted_at)
    accepted_in = clock.local_date(accepted_at).year
    must_be_a_year_to_grade(year, accepted_in=accepted_in, this_year=clock.today().year)
    policies = in_force(session, at=clock.now())
    proposed = session.get(CanteenGrade, (canteen_id, year))
    if proposed is None:
        proposed = CanteenGrade(canteen_id=canteen_id, year=year)
        session.add(proposed)
    elif proposed.approved_at is not None:
        raise _approved(proposed)
    proposed.grade = grade
    proposed.subsidy_fen = int(policies.value("operating_subsidy_fen_by_grade")[grade])
    proposed.policy_version = policies.version
    proposed.remarks = remarks.strip()
    proposed.proposed_by, proposed.proposed_by_name = actor.login_id, actor.name  # type: ignore[assignment]
    proposed.proposed_at = clock.now()
    session.flush()
    _note(session, actor, "canteen_grade_proposed", proposed)
    return proposed


def approve_grade(session: Session, *, actor: Actor, canteen_id: UUID, year: int) -> CanteenGrade:
    """Approve a proposed grade, for another steward of the district; the canteen is credited with its subsidy.

    Raises NotAllowed ``district_only``, ``second_person_needed``; NotFound ``canteen_unknown``, ``grade_unknown``;
    Conflict ``grade_approved``.
    """
    actor.must_be_district()
    lock_canteen(session, canteen_id)
    proposed = session.get(CanteenGrade, (canteen_id, year), populate_existing=True)
    if proposed is None:
        raise not_graded(year)
    if proposed.approved_at is not None:
        raise _approved(proposed)
    if proposed.proposed_by == actor.login_id:
        raise NotAllowed("second_person_needed", "须由区里另一位管理员批准")
    transfer_id = _credit(session, actor, proposed) if proposed.subsidy_fen else None
    proposed.approved_by, proposed.approved_by_name = actor.login_id, actor.name
    proposed.approved_at, proposed.transfer_id = clock.now(), transfer_id
    session.flush()
    _note(session, actor, "canteen_grade_approved", proposed)
    organisation = session.get_one(Organisation, canteen_id)
    body = f"{organisation.name}{year}年评为{proposed.grade}级。"
    notify_stewards(session, township_code=organisation.township_code, title="助餐点年度等级", body=body)
    return proposed


def _credit(session: Session, actor: Actor, graded: CanteenGrade) -> UUID:
    own = ensure_organisation_accounts(session, [graded.canteen_id], AccountKind.CANTEEN)[graded.canteen_id]
    movement = Movement(
        id=new_id(),
        from_account_id=house_account(session, AccountKind.SUBSIDY),
        to_account_id=own,
        amount=graded.subsidy_fen,
        kind=OPERATING_SUBSIDY,
        effective_at=clock.now(),
        cause_kind="canteen_grade",
        cause_id=graded.canteen_id,
        note=f"{graded.year}年{graded.grade}级运营补贴",
        policy_version=graded.policy_version,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    return movement.id


def _approved(graded: CanteenGrade) -> Conflict:
    title = f"这个助餐点{graded.year}年的等级已经批准"
    return Conflict("grade_approved", title, year=graded.year, grade=graded.grade)


def _note(session: Session, actor: Actor, action: str, graded: CanteenGrade) -> None:
    said = {"year": graded.year, "grade": graded.grade, "subsidy_fen": graded.subsidy_fen}
    note_down(session, actor=actor, action=action, subject=("canteen", graded.canteen_id), **said)
