"""Monthly claims of subsidies: computed, checked, approved by two, paid; and who bore a month's meals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.operation import Sent, operation, page_of_all
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from app.api.subsidy_claims.schemas import (
    ClaimAnswer,
    ClaimFindingItem,
    ClaimFindingPage,
    ClaimItem,
    ClaimPage,
    ClaimsQuery,
    ComputeClaimBody,
    DecideFindingBody,
    FindingsQuery,
    FiveSharesPage,
    PayClaimBody,
    ReturnClaimBody,
    SharesQuery,
)
from app.api.workbooks import XLSX, workbook_sent
from timebank.canteens.pricing.rules import SHARE_NAMES, Share
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.queries import views
from timebank.canteens.subsidies.queries.views import CLAIM_ORDERS, FINDING_ORDERS, ClaimFilter, ClaimView, FindingView
from timebank.canteens.subsidies.rules import FINDING_NAMES, STATE_NAMES, ClaimState, FindingKind
from timebank.core.actors import Actor
from timebank.core.amounts import MAX_AMOUNT
from timebank.importing.claim_workbook import write_claim

doors = Doors("subsidy_claims", __name__, url_prefix="/api/v1/subsidy-claims", description="助餐补贴结算")
share_doors = Doors("subsidies", __name__, url_prefix="/api/v1/subsidies", description="五方分担")

_OF_THE_CLAIM = tuple(
    name
    for name in ClaimItem().fields
    if name not in ("claim_id", "canteen_name", "township_code", "state_name", "findings", "open_findings")
)
_OF_THE_FINDING = tuple(
    name for name in ClaimFindingItem().fields if name not in ("kind_name", "diner_name", "served_on", "meal")
)


@operation(
    doors, "", "subsidy_claims.compute", "结算一个月的助餐补贴",
    method="POST", body=ComputeClaimBody, answers=ClaimAnswer, status=201, key="optional",
)  # fmt: skip
def compute(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _shown(session, actor, actions.compute_claim(session, actor=actor, **body).id)


@operation(doors, "", "subsidy_claims.list", "助餐补贴结算列表", query=ClaimsQuery, answers=ClaimPage)
def list_(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = ClaimFilter(*(query.get(name) for name in ("month", "township_code", "canteen_id", "state")))
    found = views.find_claims(session, actor=actor, wanted=wanted, part=part_of(query, CLAIM_ORDERS))
    return listed(found.holding([_claim(view) for view in found.items]), CLAIM_ORDERS)


@operation(doors, "/<uuid:claim_id>", "subsidy_claims.show", "一份助餐补贴结算", answers=ClaimAnswer)
def show(session: Session, actor: Actor, claim_id: UUID) -> dict[str, Any]:
    return _shown(session, actor, claim_id)


@operation(
    doors, "/<uuid:claim_id>/findings", "subsidy_claims.findings", "补贴结算的疑点",
    query=FindingsQuery, answers=ClaimFindingPage,
)  # fmt: skip
def findings(session: Session, actor: Actor, query: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    part = part_of(query, FINDING_ORDERS)
    views.claim_for(session, actor=actor, claim_id=claim_id)
    found = views.find_findings(session, claim_id, open_only=query["open"], part=part)
    return listed(found.holding([_finding(view) for view in found.items]), FINDING_ORDERS)


@operation(
    doors, f"/<uuid:claim_id>/findings/<int(max={MAX_AMOUNT}):number>", "subsidy_claims.decide", "答复一处疑点",
    method="POST", body=DecideFindingBody, answers=ClaimAnswer,
)  # fmt: skip
def decide(session: Session, actor: Actor, body: dict[str, Any], claim_id: UUID, number: int) -> dict[str, Any]:
    actions.decide_finding(session, actor=actor, claim_id=claim_id, number=number, **body)
    return _shown(session, actor, claim_id)


@operation(
    doors, "/<uuid:claim_id>/approve", "subsidy_claims.approve", "审批补贴结算（先镇街，后区级）",
    method="POST", answers=ClaimAnswer,
)  # fmt: skip
def approve(session: Session, actor: Actor, claim_id: UUID) -> dict[str, Any]:
    return _shown(session, actor, actions.approve_claim(session, actor=actor, claim_id=claim_id).id)


@operation(
    doors, "/<uuid:claim_id>/return", "subsidy_claims.return_", "退回补贴结算",
    method="POST", body=ReturnClaimBody, answers=ClaimAnswer,
)  # fmt: skip
def return_(session: Session, actor: Actor, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    return _shown(session, actor, actions.return_claim(session, actor=actor, claim_id=claim_id, **body).id)


@operation(
    doors, "/<uuid:claim_id>/pay", "subsidy_claims.pay", "拨付补贴",
    method="POST", body=PayClaimBody, answers=ClaimAnswer, key="required",
)  # fmt: skip
def pay(session: Session, actor: Actor, body: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
    return _shown(session, actor, actions.pay_claim(session, actor=actor, claim_id=claim_id, **body).id)


@operation(
    doors, "/<uuid:claim_id>/workbook.xlsx", "subsidy_claims.workbook", "一份助餐补贴结算（Excel）",
    answers=None, media_type=XLSX, one_moment=True,
)  # fmt: skip
def workbook(session: Session, actor: Actor, claim_id: UUID) -> Sent:
    seen = views.claim_for(session, actor=actor, claim_id=claim_id)
    month = seen.claim.month
    return workbook_sent(
        lambda file: write_claim(file, views.whole_claim(session, seen)),
        plain=f"subsidy-claim-{month}",
        named=f"{seen.canteen_name}{month}补贴结算",
    )


@operation(share_doors, "/shares", "subsidies.shares", "五方分担月报", query=SharesQuery, answers=FiveSharesPage)
def shares(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    named = {name: query.get(name) for name in ("month", "township_code")}
    return page_of_all(views.five_shares(session, actor=actor, **named), query)


def shown_claim(session: Session, actor: Actor, claim_id: UUID) -> Any:
    """What ``subsidy_claims.show`` answers, as JSON has it."""
    return ClaimAnswer().dump(_shown(session, actor, claim_id))


def _shown(session: Session, actor: Actor, claim_id: UUID) -> dict[str, Any]:
    lines = [
        {"share_name": SHARE_NAMES[Share(line.share)], **{name: getattr(line, name) for name in _OF_THE_LINE}}
        for line in views.claim_lines(session, claim_id)
    ]
    return {**_claim(views.claim_for(session, actor=actor, claim_id=claim_id)), "lines": lines}


_OF_THE_LINE = ("share", "rule_key", "label", "meals", "fen", "in_kind")


def _claim(view: ClaimView) -> dict[str, Any]:
    return {
        "claim_id": view.claim.id,
        "canteen_name": view.canteen_name,
        "township_code": view.township_code,
        "state_name": STATE_NAMES[ClaimState(view.claim.state)],
        "findings": view.findings,
        "open_findings": view.open_findings,
        **{name: getattr(view.claim, name) for name in _OF_THE_CLAIM},
    }


def _finding(view: FindingView) -> dict[str, Any]:
    return {
        "kind_name": FINDING_NAMES[FindingKind(view.finding.kind)],
        "diner_name": view.diner_name,
        "served_on": view.served_on,
        "meal": view.meal,
        **{name: getattr(view.finding, name) for name in _OF_THE_FINDING},
    }
