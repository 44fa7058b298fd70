"""Every operation about aids, as the scene's people and stewards use them."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import DAYAN, SHANGTIAN, XIWU

Callers = dict[str, Caller]


def borrow_aids(scene: Scene, nobody: Caller, people: Callers, staff: Callers) -> None:
    """From the shelf to the elder and back in another township, and what else may become of an aid."""
    prices = {kind["code"]: kind["price_minutes_per_day"] for kind in nobody.ok("aid_items.kinds")["items"]}
    assert prices["wheelchair"] == 30
    _go_through_loans(scene, people, staff)
    _go_through_items(scene, people, staff)


def _go_through_loans(scene: Scene, people: Callers, staff: Callers) -> None:
    elder, proxy = people["elder"], people["proxy"]
    reserved, lent = (str(scene.aid_loans[name]) for name in ("reserved", "lent"))
    assert {loan["status"] for loan in elder.ok("aid_loans.list")["items"]} == {"reserved", "lent"}
    cancelled = proxy.ok("aid_loans.cancel", {}, loan_id=reserved)
    assert (cancelled["status"], cancelled["ended_by_name"]) == ("cancelled", "周小敏（代周桂芬）")
    wish = {"kind": "walker", "days": 1, "for_person_id": str(scene.person_id("elder"))}
    loan = proxy.ok("aid_loans.reserve", wish)
    assert (loan["status"], loan["held_minutes"], loan["at_township_code"]) == ("reserved", 30, DAYAN)
    assert staff["district"].ok("aid_loans.show", loan_id=loan["loan_id"])["code"] is None
    taken = staff["district"].ok("aid_items.list", query={"kind": "walker"})["items"]
    assert (taken[0]["available"], taken[0]["due_back_on"] is None) == (False, False)
    handed = {"condition": "worn", "code": loan["code"]}
    wrong = {"condition": "worn", "code": f"{(int(loan['code']) + 1) % 1_000_000:06}"}
    refused = staff["district"].refused("aid_loans.lend", wrong, loan_id=loan["loan_id"])
    assert refused["code"] == "aid_code_wrong"
    assert staff["district"].ok("aid_loans.lend", handed, loan_id=loan["loan_id"])["status"] == "lent"
    longer = elder.ok("aid_loans.extend", {"days": 1}, loan_id=loan["loan_id"])
    assert (longer["days"], longer["held_minutes"]) == (2, 60)
    found = staff["steward_shangtian"].ok("aid_loans.list", query={"serial": loan["serial"]})["items"]
    assert [one["loan_id"] for one in found] == [loan["loan_id"]]
    back = staff["steward_shangtian"].ok("aid_loans.return_", {"condition": "good"}, loan_id=loan["loan_id"])
    assert (back["status"], back["charged_minutes"], back["held_minutes"]) == ("returned", 30, 0)
    assert (back["at_township_code"], back["home_township_code"]) == (SHANGTIAN, DAYAN)
    lost = staff["steward_xiwu"].ok("aid_loans.lost", {"reason": "搬家时丢失"}, loan_id=lent)
    assert (lost["status"], lost["used_days"]) == ("lost", 1)


def _go_through_items(scene: Scene, people: Callers, staff: Callers) -> None:
    xiwu = staff["steward_xiwu"]
    form = {"serial": "FJ-9001", "kind": "nursing_bed", "name": "三摇护理床", "home_township_code": XIWU}
    bed = xiwu.ok("aid_items.enter", {**form, "acquired_on": "2026-01-05"})
    assert (bed["condition"], bed["available"], bed["kind_name"]) == ("good", True, "护理床")
    again = xiwu.refused("aid_items.enter", {**form, "acquired_on": "2026-01-05"})
    assert (again["status"], again["code"]) == (409, "aid_serial_taken")
    path = {"item_id": bed["item_id"]}
    assert xiwu.ok("aid_items.to_repair", {"reason": "摇杆断了"}, **path)["condition"] == "in_repair"
    assert xiwu.ok("aid_items.repaired", {"condition": "worn"}, **path)["available"] is True
    assert xiwu.ok("aid_items.retire", {"reason": "无法再用"}, **path)["condition"] == "retired"
    history = people["auditor"].ok("aid_items.show", **path)["history"]
    assert [event["what"] for event in history] == ["entered", "to_repair", "repaired", "retired"]
    shown = people["volunteer"].ok("aid_items.list", query={"available": "true", "limit": 1})
    assert all(item["available"] for item in shown["items"])
