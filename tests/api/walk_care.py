"""Every operation of home care, as the scene's people, provider and stewards use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import XIWU
from timebank.core import clock

Callers = dict[str, Caller]


def receive_care(scene: Scene, nobody: Caller, people: Callers, staff: Callers) -> None:
    """From the catalogue to the bill."""
    assert {item["rate_percent"] for item in nobody.ok("care_services.list")["items"]} == {100}
    _enter_providers(scene, nobody, staff)
    _end_what_stands(scene, people, staff)
    _decline_and_send_another(scene, people, staff)
    _visit(scene, people, staff)
    _find_nobody_at_home(people, staff)
    _bill(scene, people, staff)


def _enter_providers(scene: Scene, nobody: Caller, staff: Callers) -> None:
    form = {"name": "金钟护理站", "township_code": XIWU, "services": ["bathing", "daily_care"], "townships": [XIWU]}
    entered = staff["steward_xiwu"].ok("care_providers.enter", {**form, "daily_capacity_minutes": 480, "grade": 1})
    again = staff["steward_xiwu"].refused("care_providers.enter", {**form, "daily_capacity_minutes": 480})
    assert (again["status"], again["code"]) == (409, "care_provider_entered")
    changed = staff["district"].ok("care_providers.change", {"grade": 2}, provider_id=entered["provider_id"])
    assert (changed["grade"], changed["daily_capacity_minutes"]) == (2, 480)
    first = nobody.ok("care_providers.list", query={"township_code": XIWU, "service": "bathing", "limit": 1})
    rest = nobody.ok("care_providers.list", query={"township_code": XIWU, "cursor": first["next_cursor"]})
    found = {item["provider_id"] for item in first["items"] + rest["items"]}
    assert found == {str(scene.care_provider_id), entered["provider_id"]}
    one = {"provider_id": entered["provider_id"]}
    staff["district"].ok("care_providers.change", {"active": False}, **one)
    assert one["provider_id"] not in _provider_ids(nobody)
    assert one["provider_id"] in _provider_ids(nobody, stopped="true")
    staff["district"].ok("care_providers.change", {"active": True}, **one)


def _provider_ids(nobody: Caller, **wanted: str) -> set[str]:
    return {item["provider_id"] for item in nobody.ok("care_providers.list", query=wanted)["items"]}


def _end_what_stands(scene: Scene, people: Callers, staff: Callers) -> None:
    ids = {status: str(booking_id) for status, booking_id in scene.care_bookings.items()}
    listed = people["elder"].ok("care_bookings.list", query={"limit": 3})
    more = people["elder"].ok("care_bookings.list", query={"cursor": listed["next_cursor"]})
    assert {item["booking_id"] for item in listed["items"] + more["items"]} == set(ids.values())
    shown = people["provider"].ok("care_bookings.show", booking_id=ids["assigned"])
    day = shown["starts_at"][:10]
    there = people["provider"].ok("care_bookings.list", query={"since": day, "until": day})["items"]
    assert [item["booking_id"] for item in there] == [ids["assigned"]]
    assert (shown["address"], "service_code" in shown) == ("金钟路8号", False)
    assert people["proxy"].ok("care_bookings.show", booking_id=ids["assigned"])["service_code"]
    cancelled = people["proxy"].ok("care_bookings.cancel", {}, booking_id=ids["booked"])
    assert (cancelled["status"], cancelled["acts"][-1]["by_name"]) == ("cancelled", "周小敏（代周桂芬）")
    nothing = people["elder"].ok("care_bookings.confirm", {"rating": 1}, booking_id=ids["checked_out"])
    assert (nothing["status"], nothing["payable_minutes"], nothing["rating"]) == ("confirmed", 0, 1)
    decision = {"minutes": 20, "reason": "双方同意"}
    decided = staff["steward_xiwu"].ok("care_bookings.decide", decision, booking_id=ids["disputed"])
    assert (decided["status"], decided["payable_minutes"], decided["decided_minutes"]) == ("confirmed", 20, 20)
    out = people["provider"].ok("care_bookings.check_out", booking_id=ids["checked_in"])
    # Checked in when the scene was set, a moment ago.
    assert (out["status"], out["served_minutes"] < 10) == ("checked_out", True)
    disputed = people["elder"].ok("care_bookings.dispute", {"reason": "时间不对"}, booking_id=ids["checked_in"])
    assert disputed["status"] == "disputed"


def _book(caller: Caller, minutes_ahead: float, **more: Any) -> dict[str, Any]:
    starts_at = clock.now() + timedelta(minutes=minutes_ahead)
    booked = caller.ok("care_bookings.book", {"starts_at": starts_at.isoformat(), "minutes": 30, **more})
    assert (booked["status"], booked["held_minutes"]) == ("booked", 30)
    return dict(booked)


def _decline_and_send_another(scene: Scene, people: Callers, staff: Callers) -> None:
    chosen = {"provider_id": str(scene.care_provider_id), "for_person_id": str(scene.person_id("elder"))}
    booked = _book(people["proxy"], 600, **chosen)
    path = {"booking_id": booked["booking_id"]}
    assert booked["booked_by_name"] == "周小敏（代周桂芬）"
    assert people["provider"].ok("care_bookings.assign", {}, **path)["assigned_because"] == "您选择的机构"
    assert people["provider"].ok("care_bookings.decline", {"reason": "人手不足"}, **path)["status"] == "booked"
    again = staff["steward_xiwu"].refused("care_bookings.assign", {"provider_id": chosen["provider_id"]}, **path)
    assert (again["status"], again["code"]) == (409, "care_provider_declined")
    sent = staff["steward_xiwu"].ok("care_bookings.assign", {}, **path)
    assert (sent["status"], sent["provider_name"]) == ("assigned", "金钟护理站")


def _visit(scene: Scene, people: Callers, staff: Callers) -> None:
    booked = _book(people["elder"], 5)
    path = {"booking_id": booked["booking_id"]}
    staff["district"].ok("care_bookings.assign", {"provider_id": str(scene.care_provider_id)}, **path)
    wrong = {"service_code": f"{(int(booked['service_code']) + 1) % 1_000_000:06}"}
    assert people["provider"].refused("care_bookings.check_in", wrong, **path)["code"] == "service_code_wrong"
    where = {"service_code": booked["service_code"], "latitude": 29.65, "longitude": 121.41}
    assert people["provider"].ok("care_bookings.check_in", where, **path)["status"] == "checked_in"
    people["elder"].ok("dev.set_clock", {"now": (clock.now() + timedelta(minutes=45)).isoformat()})
    assert people["provider"].ok("care_bookings.check_out", **path)["unpaid_excess_minutes"] == 15
    differs = people["elder"].refused("care_bookings.confirm", {"accept_excess_minutes": 14}, **path)
    assert (differs["status"], differs["code"], differs["excess_minutes"]) == (422, "excess_differs", 15)
    done = people["elder"].ok("care_bookings.confirm", {"rating": 5, "accept_excess_minutes": 15}, **path)
    assert (done["captured_minutes"], done["excess_minutes"], done["payable_minutes"]) == (30, 15, 45)


def _find_nobody_at_home(people: Callers, staff: Callers) -> None:
    booked = _book(people["elder"], 1)
    path = {"booking_id": booked["booking_id"]}
    staff["district"].ok("care_bookings.assign", {}, **path)
    people["elder"].ok("dev.set_clock", {"now": (clock.now() + timedelta(minutes=2)).isoformat()})
    said = {"reason": "敲门无人应答", "evidence": "门口照片"}
    gone = people["provider"].ok("care_bookings.not_home", said, **path)
    assert (gone["status"], gone["payable_minutes"]) == ("not_home", 15)


def _bill(scene: Scene, people: Callers, staff: Callers) -> None:
    month = f"{clock.today():%Y-%m}"
    own = people["provider"].ok("care_bills.show", query={"month": month, "limit": 2})
    assert (own["bill"]["issued"], own["bill"]["minutes"], own["bill"]["fen"]) == (False, 80, 4000)
    assert [line["kind"] for line in own["items"]] == ["visit", "visit"]
    rest = people["provider"].ok("care_bills.show", query={"month": month, "cursor": own["next_cursor"]})
    assert [line["kind"] for line in rest["items"]] == ["not_home"]
    asked = {"month": month, "provider_id": str(scene.care_provider_id)}
    assert people["auditor"].ok("care_bills.show", query=asked)["bill"] == own["bill"]
    assert staff["steward_xiwu"].ok("care_bills.workbook", query=asked)[:2] == b"PK"
