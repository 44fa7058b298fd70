"""Every operation about orders, as diners, proxies, the counter and stewards use them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.api.scene_menus import next_monday

Callers = dict[str, Caller]


def order_meals(scene: Scene, people: Callers, staff: Callers) -> None:
    """A supper priced, ordered, changed and cancelled; the scene's lunch seen by whom it concerns; a standing order."""
    elder, proxy, clerk, auditor = (people[who] for who in ("elder", "proxy", "clerk", "auditor"))
    day = next_monday() + timedelta(days=1)
    dishes = _menu(elder, scene, day)
    wanted = {
        "canteen_id": str(scene.canteens["clerks"]),
        "served_on": f"{day:%Y-%m-%d}",
        "meal": "supper",
        "way": "eat_in",
        "items": [{"menu_item_id": dishes["爱心套餐"], "quantity": 1}],
    }
    for_elder = {"for_person_id": str(scene.person_id("elder"))}
    unsuitable = elder.refused("orders.price", wanted)
    assert (unsuitable["status"], unsuitable["code"], len(unsuitable["reasons"])) == (422, "dish_not_suitable", 1)
    asked = proxy.ok("orders.price", {**wanted, **for_elder, "accept_unsuitable": True})
    assert (asked["list_fen"], asked["lacking_fen"]) == (600, 0)
    assert sum(line["fen"] for line in asked["lines"] if line["share"]) == 600
    order = proxy.ok("orders.place", {**wanted, **for_elder, "accept_unsuitable": True})
    assert (order["state"], order["source"], order["pickup_number"]) == ("placed", "proxy", 1)
    assert (order["elder_fen"], order["diner_name"]) == (
        asked["elder_fen"],
        order["placed_by_name"].split("代")[1][:-1],
    )
    path = {"order_id": order["order_id"]}
    assert people["stranger"].refused("orders.show", **path)["code"] == "order_unknown"
    change = {"way": "take_away", "items": [{"menu_item_id": dishes["炒青菜"], "quantity": 2}], "note": "少油"}
    before = clerk.ok("orders.show", **path)
    foreseen = clerk.ok("orders.price_change", {**change, "accept_unsuitable": True}, **path)
    assert clerk.ok("orders.show", **path) == before
    changed = clerk.ok("orders.change", {**change, "accept_unsuitable": True}, **path)
    assert (changed["revision"], changed["list_fen"], changed["way_name"]) == (2, 1000, "自取")
    assert (foreseen["elder_fen"], foreseen["lacking_fen"]) == (changed["elder_fen"], 0)
    assert (order["revised_at"], changed["revised_by_name"].endswith(f"（代{order['diner_name']}）")) == (None, True)
    assert clerk.refused("orders.cancel", {}, **path)["code"] == "reason_needed"
    cancelled = elder.ok("orders.cancel", {}, **path)
    assert (cancelled["state"], cancelled["state_name"]) == ("cancelled", "已取消")
    placed = scene.orders["placed"]
    for caller in (elder, clerk, auditor, staff["steward_xiwu"], staff["district"]):
        assert caller.ok("orders.show", order_id=placed)["state"] == "placed"
        found = caller.ok("orders.list", query={"state": "placed"})["items"]
        assert str(placed) in {item["order_id"] for item in found}
    assert staff["steward_shangtian"].ok("orders.list")["items"] == []
    span = {"from": f"{day:%Y-%m-%d}", "to": f"{day:%Y-%m-%d}", "meal": "supper", **for_elder}
    assert [item["order_id"] for item in proxy.ok("orders.list", query=span)["items"]] == [order["order_id"]]
    _order_every_week(scene, elder, proxy, people["stranger"])


def _order_every_week(scene: Scene, elder: Caller, proxy: Caller, stranger: Caller) -> None:
    wanted = {
        "canteen_id": str(scene.canteens["clerks"]),
        "meal": "lunch",
        "weekdays": [5, 1],
        "way": "eat_in",
        "choice": "cheapest",
        "starts_on": f"{next_monday():%Y-%m-%d}",
    }
    standing = elder.ok("standing_orders.set", wanted)
    assert (standing["weekdays"], standing["weekdays_text"]) == ([1, 5], "周一、周五")
    path = {"standing_order_id": standing["standing_order_id"]}
    days = {"from": f"{next_monday():%Y-%m-%d}", "until": f"{next_monday() + timedelta(days=4):%Y-%m-%d}"}
    assert stranger.refused("standing_orders.pause", days, **path)["code"] == "standing_order_unknown"
    assert proxy.ok("standing_orders.pause", days, **path)["paused_until"] == days["until"]
    assert elder.ok("standing_orders.show", **path) == proxy.ok("standing_orders.show", **path)
    assert stranger.refused("standing_orders.show", **path)["code"] == "standing_order_unknown"
    assert elder.ok("standing_orders.end", **path)["ended_at"] is not None
    assert elder.refused("standing_orders.end", **path)["code"] == "standing_order_ended"
    active = elder.ok("standing_orders.list")["items"]
    assert [item["standing_order_id"] for item in active] == [str(scene.orders["standing"])]


def _menu(elder: Caller, scene: Scene, day: date) -> dict[str, Any]:
    """Ids of that day's suppers by name."""
    query = {"canteen_id": str(scene.canteens["clerks"]), "from": f"{day:%Y-%m-%d}", "to": f"{day:%Y-%m-%d}"}
    items = elder.ok("menus.show", query=query)["items"]
    return {item["name"]: item["menu_item_id"] for item in items if item["meal"] == "supper"}
