"""Every operation about purses, drawers and the counter, on the day of the scene's lunch."""

from __future__ import annotations

from datetime import datetime, time

from sqlalchemy import select

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.api.scene_menus import next_monday
from timebank.canteens.menus.models import MenuItem
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.models import Person

Callers = dict[str, Caller]


def work_at_the_counter(scene: Scene, bank: Database, people: Callers, staff: Callers) -> None:
    """Cash in and out of the elder's purse, the lunch handed over, one sold, the drawer handed in, one corrected."""
    clock.freeze(datetime.combine(next_monday(), time(11, 30), clock.LOCAL))
    try:
        _go_through_the_purse(scene, bank, people, staff)
        _hand_the_lunch_over(scene, people, staff)
        _sell_and_close(scene, bank, people, staff)
    finally:
        clock.freeze(None)


def _go_through_the_purse(scene: Scene, bank: Database, people: Callers, staff: Callers) -> None:
    elder, proxy, clerk = people["elder"], people["proxy"], people["clerk"]
    person_id = str(scene.person_id("elder"))
    had = elder.ok("purses.show")
    cash = {"person_id": person_id, "amount_fen": 2000, "note": "收据7"}
    slip = clerk.ok("purses.top_up", cash)
    assert (slip["kind_name"], slip["amount_fen"], slip["canteen_name"]) == ("充值", 2000, "大堰镇老年食堂")
    assert slip["balance_fen"] == had["balance_fen"] + 2000
    too_much = clerk.refused("purses.top_up", {**cash, "amount_fen": 20_001})
    assert (too_much["status"], too_much["code"], too_much["max_fen"]) == (422, "top_up_too_large", 20_000)
    back = clerk.ok("purses.pay_back", {"person_id": person_id, "amount_fen": 500})
    assert (back["kind_name"], back["balance_fen"]) == ("退款", had["balance_fen"] + 1500)
    seen = proxy.ok("purses.show", query={"person_id": person_id})
    assert seen["available_fen"] == seen["balance_fen"] - seen["held_fen"]
    assert people["stranger"].refused("purses.show", query={"person_id": person_id})["code"] == "purse_unknown"
    first = elder.ok("purses.statement", query={"limit": 1})
    assert [(line["kind"], line["fen"]) for line in first["items"]] == [("purse_pay_back", -500)]
    rest = elder.ok("purses.statement", query={"limit": 1, "cursor": first["next_cursor"]})["items"]
    assert [(line["fen"], line["sentence"]) for line in rest] == [
        (2000, "您在大堰镇老年食堂交现金20.00元，存入餐费余额。")
    ]
    told = elder.ok("me.explain", query={"transfer_id": slip["transfer_id"]})
    assert "20.00元" in told["reason"]
    with bank.session() as session:
        someone = session.get_one(Person, scene.person_id("elder"))
        asked = {"name": someone.name, "id_last_four": someone.id_number[-4:]}
    (found,) = clerk.ok("purses.find_diner", asked)["items"]
    assert (found["person_id"], found["balance_fen"]) == (person_id, back["balance_fen"])


def _hand_the_lunch_over(scene: Scene, people: Callers, staff: Callers) -> None:
    clerk, order_id = people["clerk"], str(scene.orders["placed"])
    today = clerk.ok("meal_counter.today", query={"meal": "lunch"})
    assert sum(count["orders"] for count in today["counts"] if count["state"] == "placed") >= 1
    waiting = clerk.ok("meal_counter.queue", query={"meal": "lunch", "limit": 1})["items"]
    mine = next(one for one in waiting if one["order_id"] == order_id)
    assert (mine["masked_name"], mine["diet_form_name"], mine["items"][0]["name"]) == ("周**", "软食", "红烧肉")
    shown = {"pickup_number": mine["pickup_number"], "meal": "lunch"}
    served = clerk.ok("meal_counter.serve", shown)
    assert (served["state"], served["order_id"]) == ("served", order_id)
    assert sum(line["fen"] for line in served["lines"] if line["share"]) == served["list_fen"]
    again = clerk.refused("meal_counter.serve", shown)
    assert (again["status"], again["code"], again["canteen_name"]) == (409, "order_already_served", "大堰镇老年食堂")
    many = clerk.ok("meal_counter.serve_many", {"order_ids": [order_id]})["results"]
    assert [(one["served"], one["code"]) for one in many] == [(False, "order_already_served")]


def _sell_and_close(scene: Scene, bank: Database, people: Callers, staff: Callers) -> None:
    clerk, canteen_id = people["clerk"], str(scene.canteens["clerks"])
    with bank.session() as session:
        place = (MenuItem.canteen_id == scene.canteens["clerks"], MenuItem.served_on == clock.today())
        found = session.scalars(select(MenuItem).where(*place, MenuItem.meal == "lunch", MenuItem.name == "炒青菜"))
        item = {"menu_item_id": str(found.one().id), "quantity": 2}
    foreseen = clerk.ok("meal_counter.price", {"meal": "lunch", "items": [item], "cash": True})
    sold = clerk.ok("meal_counter.sell", {"meal": "lunch", "items": [item], "cash": True})
    assert (foreseen["elder_fen"], foreseen["lacking_fen"]) == (sold["cash_fen"], 0)
    assert (sold["state"], sold["diner_id"], sold["cash_fen"]) == ("served", None, sold["list_fen"])
    till = clerk.ok("tills.show")
    brought = {"canteen_id": canteen_id, "amount_fen": 1000, "reference": "缴001"}
    handed = staff["district"].ok("tills.hand_in", brought)
    assert handed["drawer_fen"] == till["drawer_fen"] - 1000
    totals = clerk.ok("meal_counter.day_totals")
    assert (totals["ties"], totals["misfits"], totals["meals_served"]) == (True, [], 2)
    assert (totals["cash_sales_fen"], totals["topped_up_fen"], totals["handed_in_fen"]) == (
        sold["cash_fen"],
        2000,
        1000,
    )
    wrong = {"order_id": sold["order_id"], "reason": "退餐"}
    assert staff["district"].ok("meal_counter.correct", wrong)["state"] == "awaiting_second_person"
    assert staff["district"].refused("meal_counter.correct", wrong)["code"] == "second_person_needed"
    corrected = staff["district_2"].ok("meal_counter.correct", wrong)
    assert (corrected["state"], corrected["order"]["state_name"]) == ("corrected", "已冲正")
    after = people["auditor"].ok("meal_counter.day_totals", query={"canteen_id": canteen_id})
    assert (after["ties"], after["meals_served"], after["corrected_fen"]) == (True, 1, sold["cash_fen"])
