"""Monthly claims of meal subsidies: computed, findings answered, approved by two, paid."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.lists import asked, listed, township_names
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.canteens.subsidies.rules import DECISION_NAMES, STATE_NAMES

doors = Blueprint("desk_claims", __name__)

CLAIM = "/desk/claims/<uuid:claim_id>"


@page(doors, "/desk/claims", who="desk")
def claims(ask: Asker) -> Response:
    found = listed(ask, "subsidy_claims.list", asked("state", "month", "township_code"))
    states = [(str(state), name) for state, name in STATE_NAMES.items()]
    return screen("desk/claims.html", ask.actor, states=states, townships=township_names(ask), **found)


@page(doors, CLAIM, who="desk")
def claim(ask: Asker, claim_id: UUID) -> Response:
    return _claim_page(ask, claim_id)


@page(doors, f"{CLAIM}/workbook.xlsx", who="desk")
def workbook(ask: Asker, claim_id: UUID) -> Response:
    return sent_response(200, ask.read("subsidy_claims.workbook", claim_id=claim_id), XLSX)


@page(doors, f"{CLAIM}/findings/<int:number>", who="desk")
def finding(ask: Asker, claim_id: UUID, number: int) -> Response:
    return _finding_page(ask, claim_id, number)


@page(doors, f"{CLAIM}/findings/<int:number>", who="desk", method="POST")
def decide(ask: Asker, claim_id: UUID, number: int) -> Response:
    answer = ask.write("subsidy_claims.decide", filled(), key=form_key(), claim_id=claim_id, number=number)
    if isinstance(answer, Refusal):
        return _finding_page(ask, claim_id, number, answer)
    tell("疑点已答复")
    return go(f"/desk/claims/{claim_id}")


@page(doors, f"{CLAIM}/approve", who="desk", method="POST")
def approve_claim(ask: Asker, claim_id: UUID) -> Response:
    return _after(ask, claim_id, ask.write("subsidy_claims.approve", key=form_key(), claim_id=claim_id), "已审批")


@page(doors, f"{CLAIM}/return", who="desk", method="POST")
def return_claim(ask: Asker, claim_id: UUID) -> Response:
    answer = ask.write("subsidy_claims.return_", filled(), key=form_key(), claim_id=claim_id)
    return _after(ask, claim_id, answer, "已退回，重新结算后再审")


@page(doors, f"{CLAIM}/pay", who="desk", method="POST")
def pay_claim(ask: Asker, claim_id: UUID) -> Response:
    answer = ask.write("subsidy_claims.pay", filled(), key=form_key(), claim_id=claim_id)
    return _after(ask, claim_id, answer, "已登记拨付")


def _after(ask: Asker, claim_id: UUID, answer: object, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _claim_page(ask, claim_id, answer)
    tell(words)
    return go(f"/desk/claims/{claim_id}")


def _claim_page(ask: Asker, claim_id: UUID, refusal: Refusal | None = None) -> Response:
    cursor = {"limit": 30, "cursor": request.args.get("cursor")}
    findings = ask.read("subsidy_claims.findings", cursor, claim_id=claim_id)
    return screen(
        "desk/claim.html",
        ask.actor,
        refusal=refusal,
        claim=ask.read("subsidy_claims.show", claim_id=claim_id),
        findings=findings["items"],
        next_cursor=findings["next_cursor"],
        decisions=DECISION_NAMES,
        townships=township_names(ask),
    )


def _finding_page(ask: Asker, claim_id: UUID, number: int, refusal: Refusal | None = None) -> Response:
    findings = ask.everything("subsidy_claims.findings", claim_id=claim_id)
    return screen(
        "desk/finding.html",
        ask.actor,
        refusal=refusal,
        claim=ask.read("subsidy_claims.show", claim_id=claim_id),
        finding=next((one for one in findings if one["number"] == number), None),
        decisions=list(DECISION_NAMES.items()),
    )
