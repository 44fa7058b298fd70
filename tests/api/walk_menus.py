"""Every operation about dishes and menus, as the scene's clerk, stewards and diners use them."""

from __future__ import annotations

from datetime import timedelta

from app.api.menus.import_routes import WORKBOOK
from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.api.scene_menus import next_monday
from tests.factories.menus import a_row, menu_workbook
from tests.factories.people import XIWU
from timebank.core import clock

Callers = dict[str, Caller]


def write_menus(scene: Scene, people: Callers, staff: Callers) -> None:
    """From a book of dishes to a released week, and what changes in it afterwards."""
    clerk, canteen_id = people["clerk"], str(scene.canteens["clerks"])
    _keep_a_book_of_dishes(clerk, canteen_id)
    _draft_and_release(scene, people, staff)
    _change_what_is_released(scene, people)
    _import(scene, people, staff)
    today = people["elder"].ok("menus.today", query={"latitude": "29.69", "longitude": "121.47", "meal": "lunch"})
    (offer,) = today["items"]
    assert (offer["canteen_id"], offer["distance_m"], len(offer["dishes"])) == (canteen_id, 0, 5)
    assert people["elder"].ok("menus.today", query={"township_code": XIWU})["items"] == []
    halfway = people["elder"].refused("menus.today", query={"latitude": "29.69"})
    assert halfway["code"] == "place_incomplete"


def _keep_a_book_of_dishes(clerk: Caller, canteen_id: str) -> None:
    form = {"name": "红烧肉", "price_fen": 1200, "diet_tags": ["低盐"]}
    dish = clerk.ok("dishes.enter", {**form, "canteen_id": canteen_id})
    assert (dish["diet_forms"], dish["diet_tags"], dish["archived_at"]) == (["normal"], ["低盐"], None)
    path = {"dish_id": dish["dish_id"]}
    assert clerk.ok("dishes.change", {**form, "price_fen": 1300}, **path)["price_fen"] == 1300
    unknown = clerk.refused("dishes.change", {**form, "allergens": ["灰尘"]}, **path)
    assert (unknown["code"], unknown["words"]) == ("diet_word_unknown", ["灰尘"])
    assert clerk.ok("dishes.archive", **path)["archived_at"]
    assert [one["name"] for one in clerk.ok("dishes.list", query={"canteen_id": canteen_id})["items"]] == ["豆腐汤"]
    everything = {"canteen_id": canteen_id, "archived": "true", "limit": 1}
    first = clerk.ok("dishes.list", query=everything)
    last = clerk.ok("dishes.list", query={**everything, "cursor": first["next_cursor"]})
    assert [one["name"] for one in (*first["items"], *last["items"])] == ["豆腐汤", "红烧肉"]


def _draft_and_release(scene: Scene, people: Callers, staff: Callers) -> None:
    clerk, canteen_id = people["clerk"], str(scene.canteens["clerks"])
    draft = {"menu_id": scene.menus["draft"]}
    hidden = people["elder"].refused("menus.week", **draft)
    assert (hidden["status"], hidden["code"]) == (404, "menu_unknown")
    refused = clerk.refused("menus.release", **draft)
    assert (refused["status"], refused["code"]) == (422, "menu_not_releasable")
    assert [fault["fault"] for fault in refused["faults"]].count("love_meals_too_few") == 7
    assert {fault["name"] for fault in refused["faults"]} == {"", "没价的鱼"}
    monday = next_monday() + timedelta(days=7)
    dish = {"served_on": f"{monday}", "meal": "supper", "dish_id": str(scene.menus["dish"])}
    added = clerk.ok("menus.add_item", dish, **draft)
    assert (added["name"], added["price_fen"], added["meal_name"], added["state"]) == ("豆腐汤", 400, "晚餐", "draft")
    item = {"menu_item_id": added["menu_item_id"]}
    changed = clerk.ok("menus.change_item", {**dish, "price_fen": 450, "portions_limit": 20}, **item)
    assert (changed["menu_item_id"], changed["price_fen"], changed["portions_limit"]) == (*item.values(), 450, 20)
    assert clerk.ok("menus.remove_item", **item)["items_count"] == 1
    whole = clerk.ok("menus.draft", {"canteen_id": canteen_id, "week_starts_on": f"{monday}", "items": []})
    assert (whole["items_count"], whole["state_name"], whole["released_at"]) == (0, "草稿", None)
    copy = {"canteen_id": canteen_id, "from_week": f"{next_monday()}", "to_week": f"{monday}"}
    copied = staff["district"].ok("menus.copy", copy)
    assert (copied["items_count"], copied["love_meals_count"]) == (70, 28)
    assert staff["district"].refused("menus.copy", copy)["code"] == "menu_has_items"
    anew = {"canteen_id": canteen_id, "week_starts_on": f"{monday}", "items": [], "only_if_empty": True}
    assert clerk.refused("menus.draft", anew)["code"] == "menu_has_items"
    assert clerk.ok("menus.release", **draft)["state_name"] == "已发布"
    assert people["elder"].ok("menus.week", **draft)["released_by_name"] == "clerk"
    weeks = people["elder"].ok("menus.weeks", query={"canteen_id": canteen_id, "limit": 2})
    assert [week["week_starts_on"] for week in weeks["items"]] == [f"{monday}", f"{next_monday()}"]
    rest = people["elder"].ok("menus.weeks", query={"canteen_id": canteen_id, "cursor": weeks["next_cursor"]})
    assert rest["items"][0]["week_starts_on"] == f"{next_monday() - timedelta(days=7)}"


def _not_ordered(scene: Scene, clerk: Caller) -> str:
    """A dish of next Monday that costs 12 yuan and that nobody has ordered."""
    query = {"from": f"{next_monday()}", "to": f"{next_monday()}", "canteen_id": str(scene.canteens["clerks"])}
    shown = clerk.ok("menus.show", query={**query, "limit": 100})["items"]
    return str(next(i["menu_item_id"] for i in shown if i["price_fen"] == 1200 and not i["portions_ordered"]))


def _change_what_is_released(scene: Scene, people: Callers) -> None:
    clerk, item = people["clerk"], {"menu_item_id": _not_ordered(scene, people["clerk"])}
    changed = clerk.ok("menus.change_price", {"price_fen": 1100, "reason": "肉价回落"}, **item)
    assert (changed["price_fen"], changed["on_offer"], changed["portions_left"]) == (1100, True, None)
    (change,) = people["elder"].ok("menus.price_changes", **item)["items"]
    assert (change["old_price_fen"], change["new_price_fen"], change["reason"]) == (1200, 1100, "肉价回落")
    assert clerk.ok("menus.limit_portions", {"portions_limit": 30}, **item)["portions_left"] == 30
    assert clerk.ok("menus.sold_out", **item)["portions_left"] == 0
    assert clerk.ok("menus.on_sale", **item)["portions_left"] == 30
    days = {"from": f"{next_monday()}", "to": f"{next_monday()}", "canteen_id": str(scene.canteens["clerks"])}
    shown, cursor = [], None
    while cursor is not None or not shown:
        place = {"cursor": cursor} if cursor else {}
        page = people["elder"].ok("menus.show", query={**days, **place, "limit": 4})
        shown, cursor = [*shown, *page["items"]], page["next_cursor"]
    assert len(shown) == 10
    assert next(one for one in shown if one["menu_item_id"] == str(item["menu_item_id"]))["portions_left"] == 30
    assert clerk.ok("menus.withdraw_item", {"reason": "缺货"}, **item)["withdrawn_at"]
    assert len(people["elder"].ok("menus.show", query=days)["items"]) == 9
    assert len(clerk.ok("menus.show", query=days)["items"]) == 10
    backwards = {**days, "to": f"{clock.today()}"}
    assert "to" in clerk.refused("menus.show", query=backwards)["errors"]


def _import(scene: Scene, people: Callers, staff: Callers) -> None:
    monday = next_monday() + timedelta(days=14)
    listed = menu_workbook([a_row(monday), a_row(monday, name="鱼", price=None), a_row(monday, "晚餐", 爱心餐="是")])
    where = {"canteen_id": str(scene.canteens["clerks"]), "week_starts_on": f"{monday}", "file_name": "菜单.xlsx"}
    sent = {"data": listed, "content_type": WORKBOOK.media_type}
    tried = people["clerk"].ok("menus.import", query={**where, "dry_run": "true"}, **sent)
    assert (tried["menu_id"], tried["added"], tried["dry_run"]) == (None, 2, True)
    done = people["clerk"].ok("menus.import", query=where, **sent)
    assert (done["added"], done["changed"], done["already_present"]) == (2, 0, 0)
    assert [(one["row"], one["reason"], one["reason_name"]) for one in done["rejected"]] == [
        (3, "price_missing", "缺少单价")
    ]
    again = staff["district"].ok("menus.import", query=where, **sent)
    assert (again["menu_id"], again["added"], again["already_present"]) == (done["menu_id"], 0, 2)
