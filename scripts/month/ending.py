"""When the month is over: every canteen's claim computed, its findings answered, approved by two, paid."""

from __future__ import annotations

from datetime import date
from typing import Any

from scripts.month.living import Call, Month
from scripts.month.opening import DISTRICT


def claim(month: Month, first: date) -> list[dict[str, Any]]:
    """The month's claims, paid. The claim of a canteen is the ledger's sum of its meals, to the fen."""
    name = f"{first:%Y-%m}"
    month.bank.job("compute_claims")
    claims = [one for one in month.bank.all_of("subsidy_claims.list", DISTRICT, month=name) if one["list_fen"]]
    by_canteen = {canteen.canteen_id: canteen for canteen in month.canteens}
    for one in claims:
        _answer_findings(month, one)
    stewards = [by_canteen[one["canteen_id"]].steward for one in claims]
    for what, who in (("townships' approvals", stewards), ("the district's approvals", [DISTRICT] * len(claims))):
        calls: list[Call] = [
            ("subsidy_claims.approve", login, None, {"claim_id": one["claim_id"]})
            for login, one in zip(who, claims, strict=True)
        ]
        month.all_at_once(what, calls)
    payments: list[Call] = [
        ("subsidy_claims.pay", DISTRICT, {"reference": f"{name}-{n}"}, {"claim_id": one["claim_id"]})
        for n, one in enumerate(claims)
    ]
    return month.all_at_once("payments", payments)


def _answer_findings(month: Month, claim: dict[str, Any]) -> None:
    """In an honest month there is little to find; what is found is looked into and dismissed."""
    if not claim["findings"]:
        return
    steward = next(c.steward for c in month.canteens if c.canteen_id == claim["canteen_id"])
    path = {"claim_id": claim["claim_id"]}
    for finding in month.bank.all_of("subsidy_claims.findings", steward, **path):
        month.done[f"finding: {finding['kind']}"] += 1
        body = {"decision": "dismissed", "reason": "已电话核实，确有此餐"}
        month.bank.call("subsidy_claims.decide", steward, body, number=finding["number"], **path)
