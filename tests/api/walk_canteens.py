"""Every operation about canteens, as townships, the district and those who look for a meal use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import XIWU
from timebank.core import clock

Callers = dict[str, Caller]

LUNCHES = [
    {"weekday": day, "meal": "lunch", "opens_at": "10:30", "closes_at": "12:30", "capacity_meals": 40}
    for day in range(1, 8)
]
PARTICULARS = {"address": "西坞街道山下地村8号", "phone": "0574-88559120", "carrier": "nobody"}
PLACE = {"latitude": 29.7, "longitude": 121.5}


def open_a_canteen(scene: Scene, people: Callers, staff: Callers) -> None:
    """From the application to the closing of one, and the grade of another."""
    xiwu, district = staff["steward_xiwu"], staff["district"]
    form = {"name": "山下地村老年食堂", "township_code": XIWU, "canteen_type": "village", **PARTICULARS}
    applied = xiwu.ok("canteens.apply", form)
    assert (applied["state"], applied["number"], applied["latitude"]) == ("applied", None, None)
    path = {"canteen_id": applied["canteen_id"]}
    assert people["elder"].refused("canteens.show", **path)["code"] == "canteen_unknown"
    assert xiwu.refused("canteens.open", **path)["code"] == "wrong_state"
    accepted = _inspected(district, path)
    assert (accepted["state"], accepted["number"]) == ("accepted", f"{XIWU}-002")
    assert [one["passed"] for one in accepted["inspections"]] == [False, True]
    assert xiwu.refused("canteens.open", **path)["code"] == "place_needed"
    kitchen = {"kitchen_id": str(scene.canteens["open"])}
    changed = xiwu.ok("canteens.change", {**PARTICULARS, **PLACE, **kitchen}, **path)
    assert (changed["latitude"], changed["kitchen_name"]) == (29.7, "西坞街道中心食堂")
    assert [h["opens_at"] for h in xiwu.ok("canteens.set_hours", {"hours": LUNCHES}, **path)["hours"]] == ["10:30"] * 7
    opened = xiwu.ok("canteens.open", **path)
    assert (opened["state"], [meal["meal"] for meal in opened["meals_today"]]) == ("open", ["lunch"])
    _live(people, xiwu, path)
    closed = xiwu.ok("canteens.close", {"reason": "村民并入中心食堂"}, **path)
    assert (closed["state"], closed["state_reason"], closed["number"]) == ("closed", "村民并入中心食堂", f"{XIWU}-002")
    _grade(scene, people, staff)


def _inspected(district: Caller, path: dict[str, Any]) -> Any:
    found = {"inspected_on": f"{clock.today():%Y-%m-%d}", "inspector_name": "应国强"}
    asked = district.refused("canteens.accept", {**found, "checked": {}}, **path)
    assert asked["code"] == "acceptance_points_unfit"
    points = dict.fromkeys(asked["missing"], True)
    bad = {**points, "消防合格": False}
    refused = district.ok("canteens.accept", {**found, "checked": bad, "remarks": "灭火器过期"}, **path)
    assert (refused["state"], refused["state_reason"], refused["number"]) == ("refused", "灭火器过期", None)
    return district.ok("canteens.accept", {**found, "checked": points}, **path)


def _live(people: Callers, xiwu: Caller, path: dict[str, Any]) -> None:
    near = {"latitude": "29.7", "longitude": "121.5", "within_m": "5000"}
    first = people["elder"].ok("canteens.list", query={**near, "limit": 1})
    assert [(c["canteen_id"], c["distance_m"], c["walk_minutes"]) for c in first["items"]] == [
        (path["canteen_id"], 0, 0)
    ]
    rest = people["elder"].ok("canteens.list", query={**near, "cursor": first["next_cursor"]})["items"]
    assert {"西坞街道中心食堂", "山下地村老年食堂"} & {c["name"] for c in rest} == {"西坞街道中心食堂"}
    assert [c["distance_m"] for c in rest] == sorted(c["distance_m"] for c in rest)
    suppers = people["fresh"].ok("canteens.list", query={"meal": "supper", "township_code": XIWU})["items"]
    assert path["canteen_id"] not in {c["canteen_id"] for c in suppers}
    assert {"supper"} <= {meal["meal"] for c in suppers for meal in c["meals_today"]}
    tomorrow = f"{clock.today() + timedelta(days=1):%Y-%m-%d}"
    days = {"first_on": tomorrow, "last_on": tomorrow, "reason": "设备检修"}
    assert xiwu.ok("canteens.add_closed_days", days, **path)["closed_days"] == [
        {"closed_on": tomorrow, "meal": None, "reason": "设备检修"}
    ]
    assert xiwu.ok("canteens.remove_closed_day", {"closed_on": tomorrow}, **path)["closed_days"] == []
    suspended = xiwu.ok("canteens.suspend", {"reason": "停水"}, **path)
    assert (suspended["state"], suspended["meals_today"]) == ("suspended", [])
    assert xiwu.ok("canteens.open", **path)["state"] == "open"


def _grade(scene: Scene, people: Callers, staff: Callers) -> None:
    path, year = {"canteen_id": str(scene.canteens["open"])}, clock.today().year
    assert people["elder"].ok("canteens.grades", **path)["items"] == []
    proposed = staff["district"].ok("canteens.propose_grade", {"year": year, "grade": "AAA"}, **path)
    assert (proposed["subsidy_fen"], proposed["transfer_id"]) == (9_000_000, None)
    own = staff["district"].refused("canteens.approve_grade", {"year": year}, **path)
    assert own["code"] == "second_person_needed"
    approved = staff["district_2"].ok("canteens.approve_grade", {"year": year}, **path)
    assert approved["approved_by_name"]
    assert people["elder"].ok("canteens.grades", **path)["items"] == [approved]
    assert people["elder"].ok("canteens.show", **path)["grade"] == "AAA"
