"""A counter in front of a scripted bank that knows meals, and what that bank answers, as its schemas have it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner
from rich.cells import cell_len

from clients.counter.counter import counter
from tests.clients.conftest import ScriptedBank
from tests.clients.counter_pages import page
from tests.clients.shown import listed

CANTEEN, DAY = "01935f00-1000-7000-8000-000000000001", "2026-03-10"
ORDER, PERSON, ROUND = (f"01935f00-{kind}-7000-8000-000000000001" for kind in ("1001", "1002", "1003"))
PORK, GREENS, LOVE = (f"01935f00-1004-7000-8000-00000000000{number}" for number in (1, 2, 3))

Run = Callable[..., str]

SHARES = {"elder_fen": 1550, "government_fen": 400, "donation_fen": 100, "garden_fen": 50, "volunteers_fen": 0}
ITEMS = [{"menu_item_id": PORK, "name": "红烧肉", "quantity": 2, "price_fen": 1050, "is_love_meal": False}]
ORDERED: dict[str, Any] = {
    "order_id": ORDER,
    "diner_name": "周桂芬",
    "meal": "lunch",
    "meal_name": "午餐",
    "way_name": "堂食",
    "diet_form": "soft",
    "diet_form_name": "软食",
    "pickup_number": 12,
    "cash_fen": 0,
    "voucher_id": None,
    "note": "少放盐",
    "items": ITEMS,
    "list_fen": 2100,
    **SHARES,
}
WAITING = {
    **{name: ORDERED[name] for name in ("order_id", "pickup_number", "diet_form", "diet_form_name", "items", "note")},
    "masked_name": "周**",
    "way_name": "堂食",
    "allergies": ["鱼类"],
    "religious_diet": "清真",
    "paid_how": "余额已付15.50元",
}
COUNT = {
    **{"meal": "lunch", "meal_name": "午餐", "way_name": "堂食", "diet_form_name": "软食", "state_name": "已订"},
    "orders": 37,
}
TODAY = {"canteen_id": CANTEEN, "canteen_name": "西坞食堂", "on_day": DAY, "meal_now": "lunch", "counts": [COUNT]}
DINER: dict[str, Any] = {
    "person_id": PERSON,
    "name": "周桂芬",
    "township_name": "西坞街道",
    "village": "蒋家池头村",
    "unused_vouchers": 2,
    "balance_fen": 5850,
    "held_fen": 1000,
    "available_fen": 4850,
}
SLIP = {**DINER, "slip_id": ORDER, "amount_fen": 5000, "balance_fen": 10850, "available_fen": 9850}
TOTALS: dict[str, Any] = {
    "canteen_name": "西坞食堂",
    "on_day": DAY,
    "meals": [{"meal_name": "午餐", "way_name": "堂食", "meals": 2, "list_fen": 2100}],
    "meals_served": 2,
    "list_fen": 2100,
    **SHARES,
    "missed_fen": 300,
    "cash_sales_fen": 3600,
    "topped_up_fen": 5000,
    "paid_back_fen": 12100,
    "corrected_fen": 0,
    "handed_in_fen": 0,
    "drawer_fen": 6500,
    "ties": True,
    "misfits": [],
}
STOP: dict[str, Any] = {
    "order_id": ORDER,
    "pickup_number": 12,
    "portions": 1,
    "name": "周桂芬",
    "phone": "13800001111",
    "address": "西坞街道蒋家池头村12号",
    "delivery_note": "二楼",
    "outcome": None,
    "outcome_name": None,
    "note": "",
    "minutes_after_cooking": 9,
}
TRIP: dict[str, Any] = {
    "round_id": ROUND,
    "number": 1,
    "state_name": "待出发",
    "taken": True,
    "carrier_name": "李师傅",
    "carrier_phone": "13900002222",
    "service_code": "135790",
    "departs_at": "2026-03-10T10:40:00+08:00",
    "stops": 1,
    "open_stops": 1,
    "late": False,
    "stop_list": [STOP],
}


def dish(item_id: str, name: str, **more: Any) -> dict[str, Any]:
    said = {"menu_item_id": item_id, "name": name, "meal": "lunch", "state": "released", "withdrawn_at": None}
    plain = {"price_fen": 1200, "is_love_meal": False, "portions_left": None, "sold_out_at": None}
    return {**said, **plain, "portions_ordered": 3, **more}


MENU = [
    dish(PORK, "红烧肉"),
    dish(GREENS, "炒青菜", sold_out_at="2026-03-10T03:00:00Z", portions_left=0),
    dish(LOVE, "爱心套餐", is_love_meal=True, price_fen=800, portions_left=5),
    dish(ORDER, "红烧鱼", meal="supper"),
    dish(ROUND, "红烧茄子", withdrawn_at="2026-03-10T03:00:00Z"),
]


def a_bank_with_meals(bank: ScriptedBank) -> None:
    """A bank at noon on which every command of the counter does well."""
    bank.on("POST", "/auth/staff-login", bank.reply(200, {"access_token": "t"}))
    bank.on("GET", "/offline/bundle", bank.reply(200, page(canteen_id=CANTEEN)))
    bank.on("GET", "/meal-counter/today", bank.reply(200, TODAY))
    bank.on("GET", "/meal-counter/day-totals", bank.reply(200, TOTALS))
    bank.on("POST", "/meal-counter/serve", bank.reply(200, ORDERED))
    sold = {**ORDERED, "diner_name": None, "cash_fen": 2100, "pickup_number": 13}
    bank.on("POST", "/meal-counter/sell", bank.reply(201, sold))
    bank.on("POST", "/purses/find-diner", bank.reply(200, {"items": [DINER]}))
    for step in ("top-up", "pay-back"):
        bank.on("POST", f"/purses/{step}", bank.reply(201, SLIP))
    for step in ("sold-out", "on-sale"):
        bank.on("POST", f"/menus/items/{PORK}/{step}", bank.reply(200, MENU[0]))
    bank.on("GET", f"/rounds/{ROUND}", bank.reply(200, TRIP))
    for step in ("start", "finish", "courier"):
        bank.on("POST", f"/rounds/{ROUND}/{step}", bank.reply(200, TRIP))
    for step in ("deliver", "undelivered"):
        bank.on("POST", f"/rounds/{step}", bank.reply(200, STOP))
    listed(bank, "/meal-counter/queue", WAITING)
    listed(bank, "/menus", *MENU)
    listed(bank, "/rounds", TRIP)


def at(bank: ScriptedBank) -> Run:
    """The counter's commands, one a call: what it shows, within the terminal's width."""

    def run(*words: str, good: bool = True, answers: str | None = None) -> str:
        result = CliRunner().invoke(counter, ["--server", bank.url, "--as", "canteen-xiwu", *words], input=answers)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == (0 if good else 1), result.output
        assert all(cell_len(line) <= int(os.environ["COLUMNS"]) for line in result.output.splitlines())
        return result.output

    return run
