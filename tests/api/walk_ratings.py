"""Every operation about ratings and follow-up calls, as the scene's people, clerk and stewards use them."""

from __future__ import annotations

from typing import Any

from tests.api.caller import Caller
from tests.api.scene import Scene

Callers = dict[str, Caller]


def say_what_one_thinks(scene: Scene, people: Callers, staff: Callers) -> None:
    """A rating is changed, answered, hidden and read by everybody as they may; and the diner is called."""
    canteen = {"canteen_id": str(scene.canteens["clerks"])}
    path = {"order_id": str(scene.rated_order_id)}
    changed = people["proxy"].ok("ratings.rate", {"stars": 1, "tags": ["菜凉了", "太咸"], "words": "粥是凉的"}, **path)
    assert (changed["revision"], changed["stars"], changed["reply"]) == (2, 1, None)
    assert people["elder"].refused("ratings.rate", {"stars": 5, "tags": ["没有的"]}, **path)["tags"] == ["没有的"]
    assert people["stranger"].refused("ratings.rate", {"stars": 5}, **path)["code"] == "not_your_meal"
    answered = people["clerk"].ok("ratings.reply", {"words": "已换保温桶"}, **path)
    assert (answered["reply"]["words"], answered["diner_name"]) == ("已换保温桶", "周**")
    hidden = staff["district"].ok("ratings.hide", {"reason": "试试"}, **path)
    assert (hidden["hidden"], hidden["words"], hidden["diner_name"]) == (True, "粥是凉的", "周桂芬")
    again = staff["district"].refused("ratings.hide", {"reason": "试试"}, **path)
    assert (again["status"], again["code"]) == (409, "rating_already_hidden")
    for who in ("elder", "proxy"):
        own = people[who].ok("ratings.show", **path)
        assert (own["words"], own["diner_name"], own["reply"]["words"]) == ("粥是凉的", "周桂芬", "已换保温桶")
        assert own["changeable_until"] > own["rated_at"]
    assert people["clerk"].ok("ratings.show", **path)["words"] == ""
    assert people["stranger"].refused("ratings.show", **path)["code"] == "order_unknown"
    unrated = people["elder"].refused("ratings.show", order_id=str(scene.orders["placed"]))
    assert (unrated["status"], unrated["code"]) == (404, "rating_unknown")
    _read(people, canteen)
    _call(scene, people, staff)


def _read(people: Callers, canteen: dict[str, Any]) -> None:
    listed = people["stranger"].ok("ratings.list", query=canteen)
    assert (listed["average"], len(listed["months"])) == ({"ratings": 1, "average_hundredths": 100}, 1)
    shown = listed["items"][0]
    assert (shown["order_id"], shown["words"], shown["tags"]) == (None, "", ["菜凉了", "太咸"])
    assert people["elder"].ok("ratings.list", query=canteen)["items"][0]["words"] == "粥是凉的"


def _call(scene: Scene, people: Callers, staff: Callers) -> None:
    xiwu, path = staff["steward_xiwu"], {"follow_up_id": str(scene.follow_up_id)}
    found = xiwu.ok("follow_ups.list")["items"]
    assert [(one["follow_up_id"], one["stars"], one["name"]) for one in found] == [(path["follow_up_id"], 1, "周桂芬")]
    assert people["auditor"].ok("follow_ups.list")["items"][0]["phone"] is None
    assert xiwu.ok("follow_ups.record", {"reached": False}, **path)["closed_at"] is None
    missing = xiwu.refused("follow_ups.record", {"reached": True}, **path)
    assert (missing["status"], missing["code"]) == (422, "outcome_incomplete")
    closed = xiwu.ok("follow_ups.record", {"reached": True, "satisfied": 4, "words": "已和好"}, **path)
    assert [(call["reached"], call["satisfied"]) for call in closed["calls"]] == [(False, None), (True, 4)]
    assert xiwu.ok("follow_ups.list")["items"] == []
    done = xiwu.ok("follow_ups.list", query={"only_open": "false"})["items"]
    assert [one["closed_at"] == closed["closed_at"] for one in done] == [True]
