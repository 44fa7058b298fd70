"""Why, through HTTP: a credit, a service, a refusal, and what is nobody else's business."""

from __future__ import annotations

from uuid import uuid4

from tests.api.caller import Caller
from tests.api.scene import Scene


def ask_why(scene: Scene, people: dict[str, Caller]) -> None:
    """A volunteer asks about a credit, about a service without hours yet, and about a purchase that was refused."""
    volunteer = people["volunteer"]
    credit = next(line for line in volunteer.ok("me.statement")["items"] if line["kind"] == "service_credit")
    said = volunteer.ok("me.explain", query={"transfer_id": credit["transfer_id"]})
    assert said["title"] == "陪伴记入2小时"
    assert {rule["key"] for rule in said["rules"]} >= {"service_rates_percent", "tolerance_minutes"}
    assert said["policy_version"] >= 1
    assert "正在等老人确认" in volunteer.ok("me.explain", query={"task_id": scene.tasks["checked_out"]})["reason"]
    voucher = volunteer.ok("me.explain", query={"voucher_id": scene.vouchers["redeemed"]})
    assert "在大堰镇老年食堂用掉了，用去1小时" in voucher["reason"]
    key = uuid4().hex
    refused = volunteer.refused("vouchers.buy", {"quantity": 900}, key=key)
    [newest] = volunteer.ok("me.refusals", query={"limit": 1})["items"]
    assert (newest["key"], newest["code"], newest["operation_name"]) == (key, refused["code"], "购买用餐券")
    explained = volunteer.ok("me.explain", query={"key": key})
    assert explained["title"] == "购买用餐券没有办成"
    assert explained["reason"].startswith(refused["title"])
    assert [rule["key"] for rule in explained["rules"]] == ["voucher_max_quantity"]
    _ask_about_a_meal(scene, people)
    assert people["elder"].refused("me.explain", query={"key": key})["code"] == "refusal_unknown"
    for wrong in ({}, {"key": key, "task_id": str(scene.tasks["open"])}):
        assert volunteer.refused("me.explain", query=wrong)["code"] == "invalid_input"


def _ask_about_a_meal(scene: Scene, people: dict[str, Caller]) -> None:
    """The elder and the proxy ask who bears the lunch; the balance shows the purse to whoever has one."""
    elder, order_id = people["elder"], str(scene.orders["placed"])
    said = elder.ok("me.explain", query={"order_id": order_id})
    assert said["title"].endswith("元")
    lines = [fact["value"] for fact in said["facts"] if fact["name"].startswith("line_")]
    borne = sum(line["fen"] for line in lines if line["share"])
    assert borne == sum(line["fen"] for line in lines if not line["share"]) > 0
    assert "meal_subsidy_rules" in {rule["key"] for rule in said["rules"]}
    for_elder = {"for_person_id": str(scene.person_id("elder"))}
    assert people["proxy"].ok("me.explain", query={"order_id": order_id, **for_elder}) == said
    assert people["stranger"].refused("me.explain", query={"order_id": order_id})["code"] == "order_unknown"
    balance = elder.ok("me.balance")
    assert balance["purse_fen"] - balance["purse_held_fen"] == balance["purse_available_fen"] > 0
    assert "purse_fen" not in people["volunteer"].ok("me.balance")
