"""Monthly claims of meal subsidies: computed, findings answered, approved by two, paid."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.tables import Column, Filter, Table, list_page, said, shown, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from app.web.steps import after
from timebank.canteens.subsidies.rules import DECISION_NAMES, STATE_NAMES
from timebank.core import clock

doors = Blueprint("desk_claims", __name__)

CLAIM = "/desk/claims/<uuid:claim_id>"


@list_page(doors, "/desk/claims")
def claims(ask: Asker) -> Response:
    return table_page(ask, _claims(ask), "desk/claims.html")


def _claims(ask: Asker) -> Table:
    townships = township_names(ask)
    return Table(
        name="subsidy_claims",
        asks="subsidy_claims.list",
        columns=(
            Column("助餐点", said("canteen_name"), sort="canteen", link=lambda one: f"/desk/claims/{one['claim_id']}"),
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("月份", said("month"), sort="month"),
            Column("餐数", said("meals"), "whole", "meals"),
            Column("政府补", said("government_fen"), "yuan", "government_fen"),
            Column("疑点", said("findings"), "whole", "findings"),
            Column("待答复", said("open_findings"), "whole", "open_findings"),
            Column("状态", said("state_name"), sort="state"),
            Column("餐费合计", said("list_fen"), "yuan", on="sheet"),
            Column("老人付", said("elder_fen"), "yuan", on="sheet"),
            Column("企业捐", said("donation_fen"), "yuan", on="sheet"),
            Column("菜园供", said("garden_fen"), "yuan", on="sheet"),
            Column("志愿者助", said("volunteers_fen"), "yuan", on="sheet"),
            Column("运营补贴", said("operating_fen"), "yuan", on="sheet"),
            Column("不予补贴", said("disallowed_fen"), "yuan", on="sheet"),
            Column("已拨付", said("paid_fen"), "yuan", "paid_fen", on="sheet"),
            Column("拨款凭证", said("paid_reference"), on="sheet"),
        ),
        filters=(
            Filter("state", "状态", [(str(state), name) for state, name in STATE_NAMES.items()]),
            *township_filter(ask),
            Filter("month", "月份", kind="month"),
        ),
        empty=("没有这样的结算。每月由系统结算上月。", "/desk/canteens", "看助餐点"),
    )


@page(doors, "/desk/claims/compute", who="desk")
def compute_form(ask: Asker) -> Response:
    return _compute_form(ask)


@page(doors, "/desk/claims/compute", who="desk", method="POST")
def compute(ask: Asker) -> Response:
    answer = ask.write("subsidy_claims.compute", filled(), key=form_key())
    path = f"/desk/claims/{answer['claim_id']}" if isinstance(answer, dict) else ""
    return after(answer, "已结算，请先答复疑点", path, lambda no: _compute_form(ask, no))


@page(doors, CLAIM, who="desk")
def claim(ask: Asker, claim_id: UUID) -> Response:
    return _claim_page(ask, claim_id)


@page(doors, f"{CLAIM}/workbook.xlsx", who="desk")
def workbook(ask: Asker, claim_id: UUID) -> Response:
    return sent_response(200, ask.read("subsidy_claims.workbook", claim_id=claim_id), XLSX)


@page(doors, f"{CLAIM}.xlsx", who="desk")
def findings_workbook(ask: Asker, claim_id: UUID) -> Response:
    return table_page(ask, _findings(ask, claim_id))


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


def _compute_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    own = {"township_code": ask.actor.township_code} if ask.actor.township_code else {}
    canteens = [(one["canteen_id"], one["name"]) for one in ask.everything("canteens.list", own, most=200)]
    last_month = f"{clock.today().replace(day=1) - timedelta(days=1):%Y-%m}"
    shown: dict[str, Any] = {"canteens": canteens, "last_month": last_month}
    return screen("desk/claim_compute.html", ask.actor, refusal=refusal, **shown)


def _claim_page(ask: Asker, claim_id: UUID, refusal: Refusal | None = None) -> Response:
    return screen(
        "desk/claim.html",
        ask.actor,
        refusal=refusal,
        claim=ask.read("subsidy_claims.show", claim_id=claim_id),
        table=shown(ask, _findings(ask, claim_id)),
    )


def _findings(ask: Asker, claim_id: UUID) -> Table:
    here = f"/desk/claims/{claim_id}"

    def answer(finding: dict[str, Any]) -> str:
        return DECISION_NAMES[finding["decision"]] if finding["decision"] else "待答复"

    def to_answer(finding: dict[str, Any]) -> str | None:
        return f"{here}/findings/{finding['number']}" if ask.actor.is_steward and not finding["decision"] else None

    return Table(
        name="claim_findings",
        asks="subsidy_claims.findings",
        at=here,
        path={"claim_id": claim_id},
        columns=(
            Column("序号", said("number"), "whole", "number"),
            Column("疑点", said("kind_name"), sort="kind"),
            Column(
                "用餐",
                said("diner_name"),
                link=lambda one: f"/desk/orders/{one['order_id']}" if one["order_id"] else None,
                shows=lambda one: one["diner_name"] or ("看这一餐" if one["order_id"] else "—"),
            ),
            Column("日期", said("served_on"), "day", "served_on"),
            Column("政府补", said("fen"), "yuan", "fen"),
            Column("说明", said("reason"), width=40),
            Column("答复", answer, sort="decided_at", link=to_answer, note=lambda one: one["decision_reason"] or ""),
            Column("答复理由", said("decision_reason"), on="sheet", width=40),
            Column("答复人", said("decided_by_name"), on="sheet"),
            Column("答复时间", said("decided_at"), "moment", on="sheet"),
        ),
        filters=(Filter("open", "要办的", [("true", "待答复")]),),
        empty=("没有疑点。", "/desk/claims", "回到结算"),
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
