"""Answering findings, approving and returning a claim 核查、审批、退回: two persons, neither of whom computed it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.queries import lock_canteen, organisation_of
from timebank.canteens.subsidies.models import SubsidyClaim, SubsidyFinding
from timebank.canteens.subsidies.queries.claims import (
    disallowed_fen,
    earlier_unpaid_claim,
    later_claim,
    lock_claim,
)
from timebank.canteens.subsidies.rules import ClaimState, FindingKind, after, claim_unknown, must_be_open, wrong_state
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, NotFound
from timebank.notifications.actions import notify_stewards
from timebank.townships.models import Organisation


def decide_finding(
    session: Session, *, actor: Actor, claim_id: UUID, number: int, decision: str, reason: str
) -> SubsidyFinding:
    """Answer a finding, by a steward of the canteen's township: ``upheld`` or ``dismissed``, with a reason.

    With the last answer the claim is checked. Raises NotFound ``claim_unknown``, ``finding_unknown``; NotAllowed
    ``steward_only``, ``other_township``; Refused ``reason_needed``; Conflict ``wrong_state``, ``finding_decided``,
    ``ledger_mismatch``: what the ledger and the orders say differently is cured there, and the claim returned.
    """
    claim, _ = locked_for_stewards(session, actor, claim_id)
    reason = reason_given(reason)
    finding = session.get(SubsidyFinding, (claim_id, number), populate_existing=True)
    if finding is None:
        raise NotFound("finding_unknown", "没有这条疑点", claim_id=claim_id, number=number)
    if finding.decision is not None:
        raise Conflict("finding_decided", "这条疑点已经答复", decision=finding.decision)
    if claim.state != ClaimState.COMPUTED:
        raise wrong_state(claim.state)
    if finding.kind == FindingKind.LEDGER_MISMATCH:
        raise ledger_mismatch(claim)
    finding.decision, finding.decision_reason = decision, reason
    finding.decided_at, finding.decided_by, finding.decided_by_name = clock.now(), actor.login_id, actor.name
    session.flush()
    if not _open_findings(session, claim_id):
        claim.state = after("check", claim.state)
        session.flush()
    note_down(
        session,
        actor=actor,
        action="claim_finding_decided",
        subject=("subsidy_claim", claim_id),
        number=number,
        decision=decision,
    )
    return finding


def approve_claim(session: Session, *, actor: Actor, claim_id: UUID) -> SubsidyClaim:
    """Approve a checked claim: first a steward of the canteen's township, then, another person, one of the district.

    With the first approval it is fixed how much is disallowed. Raises NotFound ``claim_unknown``; NotAllowed
    ``steward_only``, ``other_township``, ``township_first``, ``district_only``, ``second_person_needed``; Conflict
    ``wrong_state``, ``findings_open``, ``ledger_mismatch``, ``earlier_month_unpaid``.
    """
    claim, organisation = locked_for_stewards(session, actor, claim_id)
    _must_be_checked(session, claim)
    _must_be_the_next(actor, claim)
    if actor.login_id in (claim.computed_by, claim.township_approved_by):
        raise NotAllowed("second_person_needed", "算出、镇街审批、区级审批须由不同的人办理")
    if claim.state == ClaimState.CHECKED:
        _approve_for_township(session, actor, claim)
        body = f"{organisation.name}{claim.month}补贴结算镇街已审批，请区里审批。"
        notify_stewards(session, township_code=None, title="助餐补贴待审批", body=body)
    else:
        claim.state = after("approve_district", claim.state)
        claim.approved_at, claim.approved_by, claim.approved_by_name = clock.now(), actor.login_id, actor.name
    session.flush()
    note_down(session, actor=actor, action="claim_approved", subject=("subsidy_claim", claim_id), state=claim.state)
    return claim


def _must_be_the_next(actor: Actor, claim: SubsidyClaim) -> None:
    """The township's own steward approves first; the district, which could do both, only after that."""
    if claim.state == ClaimState.TOWNSHIP_APPROVED:
        actor.must_be_district()
    elif claim.state != ClaimState.CHECKED:
        raise wrong_state(claim.state)
    elif actor.is_district:
        raise NotAllowed("township_first", "须先由助餐点所在镇街的管理员审批，再由区级审批")


def _approve_for_township(session: Session, actor: Actor, claim: SubsidyClaim) -> None:
    earlier = earlier_unpaid_claim(session, claim.canteen_id, claim.month)
    if earlier is not None:
        raise Conflict("earlier_month_unpaid", f"{earlier.month}的补贴还没有办完，请先办", month=earlier.month)
    claim.disallowed_fen = disallowed_fen(session, claim.id)
    claim.state = after("approve_township", claim.state)
    claim.township_approved_at = clock.now()
    claim.township_approved_by, claim.township_approved_by_name = actor.login_id, actor.name


def return_claim(session: Session, *, actor: Actor, claim_id: UUID, reason: str) -> SubsidyClaim:
    """Return a claim that is not paid, to be computed anew once what was wrong is cured.

    Raises NotFound ``claim_unknown``; NotAllowed ``steward_only``, ``other_township``; Refused ``reason_needed``;
    Conflict ``wrong_state``, ``later_month_claimed``: claims are undone in the opposite order of their months.
    """
    claim, organisation = locked_for_stewards(session, actor, claim_id)
    reason = reason_given(reason)
    must_be_open(claim.state)
    later = later_claim(session, claim.canteen_id, claim.month)
    if later is not None:
        raise Conflict("later_month_claimed", f"请先退回{later.month}的补贴结算", month=later.month)
    claim.state, claim.return_reason = ClaimState.RETURNED, reason
    claim.returned_at, claim.returned_by, claim.returned_by_name = clock.now(), actor.login_id, actor.name
    session.flush()
    note_down(session, actor=actor, action="claim_returned", subject=("subsidy_claim", claim_id), reason=reason)
    body = f"{organisation.name}{claim.month}补贴结算已退回：{reason}"
    notify_stewards(session, township_code=organisation.township_code, title="助餐补贴已退回", body=body)
    return claim


def locked_for_stewards(session: Session, actor: Actor, claim_id: UUID) -> tuple[SubsidyClaim, Organisation]:
    """A claim for stewards of its canteen's township, locked after its canteen, as computing locks it.

    Raises NotFound ``claim_unknown``; NotAllowed ``steward_only``, ``other_township``.
    """
    actor.must_be_steward()
    canteen_id = session.scalar(select(SubsidyClaim.canteen_id).where(SubsidyClaim.id == claim_id))
    if canteen_id is None:
        raise claim_unknown(claim_id)
    organisation = organisation_of(session, canteen_id)
    actor.must_steward(organisation.township_code)
    lock_canteen(session, canteen_id)
    return lock_claim(session, claim_id), organisation


def ledger_mismatch(claim: SubsidyClaim) -> Conflict:
    """The refusal for a claim of which the ledger says something else than the orders."""
    return Conflict(
        "ledger_mismatch",
        "订单与账目不符，不能审批；请查明后退回重算",
        ledger_fen=claim.ledger_fen,
        list_fen=claim.list_fen,
    )


def _must_be_checked(session: Session, claim: SubsidyClaim) -> None:
    if claim.state != ClaimState.COMPUTED:
        return
    mismatch = select(func.count()).where(
        SubsidyFinding.claim_id == claim.id, SubsidyFinding.kind == FindingKind.LEDGER_MISMATCH
    )
    if claim.ledger_fen != claim.list_fen or session.scalar(mismatch):
        raise ledger_mismatch(claim)
    raise Conflict("findings_open", "还有疑点没有答复", open_findings=_open_findings(session, claim.id))


def _open_findings(session: Session, claim_id: UUID) -> int:
    query = select(func.count()).where(SubsidyFinding.claim_id == claim_id, SubsidyFinding.decision.is_(None))
    return int(session.scalar(query) or 0)
