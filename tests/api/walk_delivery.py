"""Every operation about kitchens and rounds, as the canteen, a volunteer and the district use them."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

from openpyxl import load_workbook

from tests.api.caller import Caller
from tests.api.scene import Scene
from timebank.canteens.delivery.queries.rounds import code_of
from timebank.core import clock

Callers = dict[str, Caller]


def carry_meals(scene: Scene, people: Callers, staff: Callers) -> None:
    """Today's breakfast: cooked, two boxes gone with couriers, one taken by a volunteer and brought back."""
    clerk, district = people["clerk"], staff["district"]
    meal = {"canteen_id": str(scene.canteens["clerks"]), "on": f"{clock.today():%Y-%m-%d}", "meal": "breakfast"}
    _look_into_the_kitchen(clerk, people["auditor"], meal)
    _courier(scene, clerk, district, meal)
    _volunteer(scene, clerk, people["stranger"], meal)
    month = {"month": f"{clock.today():%Y-%m}"}
    [figure] = district.ok("rounds.punctuality", query=month)["items"]
    assert (figure["delivered"], figure["undelivered"], figure["in_time"], figure["percent_in_time"]) == (1, 1, 1, 100)


def _look_into_the_kitchen(clerk: Caller, auditor: Caller, meal: dict[str, Any]) -> None:
    plan = clerk.ok("kitchen.plan", query=meal)
    assert (plan["provisional"], plan["portions"], plan["cooked_at"]) == (False, 3, None)
    assert plan["totals"] == [{"dish": "青菜粥", "diet_form": "normal", "portions": 3}]
    [boxes] = auditor.ok("kitchen.distribution", query=meal)["distribution"]
    assert (boxes["way"], boxes["boxes"]) == ("deliver", 3)
    book = load_workbook(BytesIO(auditor.ok("kitchen.workbook", query=meal)))
    assert book.sheetnames == ["生产计划", "分送清单", "过敏提示"]
    assert clerk.ok("kitchen.cooked", meal)["meal"] == "breakfast"
    assert clerk.refused("kitchen.cooked", meal)["code"] == "already_cooked"


def _courier(scene: Scene, clerk: Caller, district: Caller, meal: dict[str, Any]) -> None:
    away = {"round_id": str(scene.rounds["departed"])}
    shown = district.ok("rounds.show", **away)
    assert (shown["state"], shown["carrier_name"], shown["carrier_phone"]) == ("departed", "应师傅", "13811112222")
    another = {"name": "李师傅", "phone": "13811113333"}
    assert clerk.refused("rounds.give_to_courier", another, **away)["status"] == 409
    [stop] = shown["stop_list"]
    code = code_of(scene.rounds["order_away"])
    wrong = {"order_id": stop["order_id"], "handover_code": f"{(int(code) + 1) % 10_000:04}"}
    refused = clerk.refused("rounds.deliver", wrong)
    assert (refused["code"], refused["tries_left"]) == ("handover_code_wrong", 4)
    done = clerk.ok("rounds.deliver", {"order_id": stop["order_id"], "handover_code": code})
    assert (done["outcome_name"], done["minutes_after_cooking"] is not None) == ("已送达", True)
    assert clerk.ok("rounds.finish", **away)["state_name"] == "已完成"
    given = clerk.ok("rounds.give_to_courier", another, round_id=str(scene.rounds["unmapped"]))
    assert (given["carrier"], given["carrier_name"]) == ("courier", "李师傅")
    assert clerk.ok("rounds.start", round_id=given["round_id"])["state"] == "departed"
    waiting = clerk.ok("rounds.list", query={**meal, "state": "planned"})["items"]
    assert [round_["round_id"] for round_ in waiting] == [str(scene.rounds["planned"])]


def _volunteer(scene: Scene, clerk: Caller, volunteer: Caller, meal: dict[str, Any]) -> None:
    [round_] = clerk.ok("rounds.plan", meal)["items"]
    path, task = {"round_id": round_["round_id"]}, {"task_id": round_["task_id"]}
    assert volunteer.refused("rounds.show", **path)["code"] == "round_unknown"
    assert volunteer.ok("tasks.accept", **task)["status"] == "accepted"
    [mine] = volunteer.ok("rounds.list")["items"]
    assert (mine["taken"], mine["service_code"], mine["open_stops"]) == (True, None, 1)
    assert volunteer.refused("rounds.start", **path)["code"] == "check_in_first"
    volunteer.ok("dev.set_clock", {"now": (clock.now() + timedelta(minutes=1)).isoformat()})
    volunteer.ok("tasks.check_in", {"service_code": round_["service_code"]}, **task)
    [stop] = volunteer.ok("rounds.start", **path)["stop_list"]
    assert (stop["name"], stop["order_id"]) == ("周桂芬", str(scene.rounds["order_waiting"]))
    courier = {"name": "应师傅", "phone": "13811112222"}
    assert clerk.refused("rounds.give_to_courier", courier, **path)["code"] == "wrong_state"
    assert volunteer.refused("rounds.finish", **path)["code"] == "round_has_stops_left"
    back = volunteer.ok("rounds.undelivered", {"order_id": stop["order_id"], "reason": "nobody_home"})
    assert (back["outcome"], back["reason"]) == ("undelivered", "nobody_home")
    assert volunteer.ok("rounds.finish", **path)["open_stops"] == 0
    volunteer.ok("tasks.check_out", **task)
