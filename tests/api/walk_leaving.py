"""Assessments, allotments, honours, policy sets, leaving and deaths, once through HTTP."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import XIWU, born_for_age, valid_id_number
from timebank.core import clock


def settle_accounts(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    """Nobody of the scene leaves: it is done before a steward, for somebody who is enrolled for it."""
    _assess(scene, people, staff)
    _compare(people["auditor"])
    honours = people["volunteer"].ok("me.honours")
    assert honours["honour_minutes"] >= 120
    assert (honours["stars"], honours["next_star_minutes"], honours["surplus_minutes"]) == (0, 6000, 0)
    _leave(people, staff["steward_xiwu"])
    _die(scene, people["auditor"], staff)


def _assess(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    before = people["auditor"].ok("allotments.preview", query={"township_code": XIWU})
    found = {"level": 2, "evidence": "评估表第7号", "circumstances": ["独居"]}
    entered = staff["steward_xiwu"].ok("people.assess", found, person_id=scene.person_id("elder"))
    assert (entered["level"], entered["circumstances"]) == (2, ["独居"])
    after = staff["steward_xiwu"].ok("allotments.preview")
    assert (after["people"] - before["people"], after["minutes"] - before["minutes"]) == (1, 120)
    assert {"township_code": XIWU, "level": 2, "level_name": "中度失能"}.items() <= after["items"][0].items()
    assert people["elder"].ok("allotments.list")["items"] == []
    assert people["proxy"].ok("allotments.list", query={"for_person_id": str(scene.person_id("elder"))})["items"] == []
    assert staff["district"].ok("allotments.list", query={"month": f"{clock.today():%Y-%m}"})["items"] == []


def _compare(auditor: Caller) -> None:
    assert [one["name"] for one in auditor.ok("policies.sets")["items"]] == [
        "beijing",
        "fenghua",
        "five_shares",
        "nanjing",
        "shanghai",
        "taiyuan",
    ]
    differing = auditor.ok("policies.compare", query={"one": "nanjing", "other": "shanghai"})["items"]
    (cap,) = [one for one in differing if one["key"] == "lifetime_cap_minutes"]
    assert (cap["one"]["value"], cap["other"]["value"], cap["unit"]) == (90_000, 36_000, "分钟")
    unknown = auditor.refused("policies.compare", query={"one": "nanjing", "other": "没有"})
    assert list(unknown["errors"]) == ["other"]


def _leave(people: dict[str, Caller], steward: Caller) -> None:
    number = valid_id_number(born_for_age(71))
    form = {"name": "邬国民", "id_number": number, "township_code": XIWU, "roles": ["elder"]}
    person_id = steward.ok("people.enrol", form)["person_id"]
    seen = steward.ok("leaving.preview", query={"person_id": person_id})
    assert (seen["may_leave"], seen["open"], seen["savings_minutes"]) == (True, [], 0)
    in_the_way = people["elder"].ok("leaving.preview")
    assert not in_the_way["may_leave"]
    refused = people["elder"].refused("leaving.leave", {"to": "pool"})
    assert refused["code"] == "not_settled_yet"
    # What is in the purse stands in the way too, and is asked about once the rest is settled.
    of_services = {item["id"] for item in in_the_way["open"] if item["kind"] != "meal_money"}
    assert {item["id"] for item in refused["items"]} == of_services
    left = steward.ok("leaving.leave", {"to": "pool", "person_id": person_id, "evidence": "申请书第2号"})
    assert (left["savings_to"], left["savings_minutes"], left["to_person_id"]) == ("pool", 0, None)
    again = steward.refused("leaving.leave", {"to": "pool", "person_id": person_id, "evidence": "申请书第2号"})
    assert again["code"] == "person_left"


def _die(scene: Scene, auditor: Caller, staff: dict[str, Caller]) -> None:
    (waiting,) = auditor.ok("deaths.list", query={"open": "true"})["items"]
    assert (waiting["report_id"], waiting["name"], waiting["status"]) == (
        str(scene.death_report_id),
        "吴阿公",
        "reported",
    )
    first = staff["district"].ok("deaths.approve", report_id=scene.death_report_id)
    assert first["status"] == "approved_once"
    assert (
        staff["district"].refused("deaths.approve", report_id=scene.death_report_id)["code"] == "second_person_needed"
    )
    done = staff["steward_xiwu"].ok("deaths.approve", report_id=scene.death_report_id)
    assert (done["status"], done["declined_at"]) == ("carried_out", None)
    number = valid_id_number(born_for_age(88))
    form = {"name": "沈阿公", "id_number": number, "township_code": XIWU, "roles": ["elder"]}
    alive = staff["steward_xiwu"].ok("people.enrol", form)["person_id"]
    told = {"person_id": alive, "died_on": f"{clock.today():%Y-%m-%d}", "evidence": "邻居电话"}
    wrong = staff["steward_xiwu"].ok("deaths.report", told)
    declined = staff["district"].ok("deaths.decline", {"reason": "同名之误"}, report_id=wrong["report_id"])
    assert (declined["status"], declined["decline_reason"]) == ("declined", "同名之误")
    assert auditor.ok("deaths.list", query={"open": "true"})["items"] == []
