"""Every operation about claims, donations and produce, as stewards use them."""

from __future__ import annotations

from io import BytesIO

from openpyxl import load_workbook

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import XIWU
from timebank.core import clock

Callers = dict[str, Caller]


def settle_last_month(scene: Scene, people: Callers, staff: Callers) -> None:
    """Last month's claim returned, computed anew, checked, approved by two and paid; gifts received and followed."""
    assert scene.claims is not None
    claims, township, region = scene.claims, staff["steward_xiwu"], staff["district"]
    path = {"claim_id": claims.claim_id}
    assert township.ok("subsidy_claims.return_", {"reason": "重新核对"}, **path)["state"] == "returned"
    wanted = {"canteen_id": str(claims.canteen_id), "month": claims.month}
    claim = staff["district_2"].ok("subsidy_claims.compute", wanted)
    assert (claim["state"], claim["meals"], claim["government_fen"], claim["open_findings"]) == ("computed", 1, 500, 1)
    assert {line["share_name"] for line in claim["lines"]} == {"老人付一点", "政府补一点", "企业捐一点"}
    listed = people["auditor"].ok("subsidy_claims.list", query={"month": claims.month})["items"]
    assert [one["state"] for one in listed] == ["computed", "returned"]
    _answer_and_pay(claim["claim_id"], township, region, people["auditor"])
    shares = people["auditor"].ok("subsidies.shares", query={"month": claims.month, "township_code": XIWU})["items"]
    five = ("elder_fen", "government_fen", "donation_fen", "garden_fen", "volunteers_fen")
    assert [one["list_fen"] - sum(one[share] for share in five) for one in shares] == [0]
    _give(scene, people, staff)


def _answer_and_pay(claim_id: str, township: Caller, region: Caller, auditor: Caller) -> None:
    [finding] = auditor.ok("subsidy_claims.findings", claim_id=claim_id)["items"]
    assert (finding["kind"], finding["fen"], finding["diner_name"]) == ("over_daily_limit", 100, "毛**")
    decision = {"decision": "upheld", "reason": "多补一元"}
    checked = township.ok("subsidy_claims.decide", decision, claim_id=claim_id, number=finding["number"])
    assert checked["state"] == "checked"
    assert township.ok("subsidy_claims.approve", claim_id=claim_id)["disallowed_fen"] == 100
    assert region.ok("subsidy_claims.approve", claim_id=claim_id)["state"] == "approved"
    paid = region.ok("subsidy_claims.pay", {"reference": "拨款单7号"}, claim_id=claim_id)
    assert (paid["netted_fen"], paid["paid_fen"]) == (600, 500)
    assert township.ok("subsidy_claims.show", claim_id=claim_id)["paid_reference"] == "拨款单7号"
    book = load_workbook(BytesIO(auditor.ok("subsidy_claims.workbook", claim_id=claim_id)))
    assert book.sheetnames == ["汇总", "按规则", "明细", "疑点"]
    assert [cell.value for cell in book["疑点"][2]][1:3] == ["超出补贴标准", finding["served_on"]]
    assert [cell.value for cell in book["明细"][2]][5:8] == [12, 6, 5]
    amounts = {row[0].value: row[1].value for row in book["汇总"].iter_rows()}
    assert (amounts["不予补贴"], amounts["应拨付"]) == (1, 5)


def _give(scene: Scene, people: Callers, staff: Callers) -> None:
    assert scene.claims is not None
    canteen_id, today = str(scene.claims.canteen_id), clock.today().isoformat()
    form = {"amount_fen": 30_000, "received_on": today, "reference": "银行回单9号"}
    pot = staff["district"].ok("meal_donations.receive", form)
    assert (pot["canteen_id"], pot["donor_name"], pot["left_fen"]) == (None, None, 30_000)
    allotted = staff["district"].ok("meal_donations.allot", {"canteen_id": canteen_id, "amount_fen": 12_000})
    assert allotted["amount_fen"] == 12_000
    story = people["auditor"].ok("meal_donations.show", donation_id=scene.claims.donation_id)
    assert (story["meals"], story["used_fen"], story["left_fen"]) == (1, 100, 4900)
    assert story["last_meals"][0]["fen"] == 100
    listed = staff["steward_xiwu"].ok("meal_donations.list")["items"]
    assert [one["donation_id"] for one in listed] == [pot["donation_id"], str(scene.claims.donation_id)]
    brought = {
        "canteen_id": canteen_id,
        "item": "青菜",
        "weight_g": 2500,
        "received_on": today,
        "from_name": "村民菜园",
    }
    gift = staff["steward_xiwu"].ok("produce.receive", brought)
    assert (gift["value_fen"], gift["proposed_fen"]) == (1500, 1500)
    assert staff["steward_xiwu"].ok("produce.list")["items"] == [gift]
    for query, found in (({"since": today, "until": today}, [gift]), ({"until": "2020-01-01"}, [])):
        assert staff["steward_xiwu"].ok("produce.list", query={**query, "sort": "from"})["items"] == found
