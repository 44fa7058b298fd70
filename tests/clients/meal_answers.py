"""What a bank answers about meals, as its schemas have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.clients.answers import ELDER_ID, ME, MY_ELDER, Things, policy
from tests.clients.shown import listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

CANTEEN: Things = {
    "canteen_id": "01935f00-1000-7000-8000-000000000001",
    "name": "西坞街道中心食堂",
    "number": "330213004-001",
    "township_code": "330213004",
    "canteen_type": "central",
    "type_name": "中心食堂",
    "state": "open",
    "state_name": "营业",
    "address": "西坞街道西坞村",
    "phone": "0574-88530001",
    "grade": "AA",
    "distance_m": 320,
    "walk_minutes": 5,
    "meals_today": [
        {
            "meal": "lunch",
            "meal_name": "午餐",
            "opens_at": "2026-11-22T02:30:00Z",
            "closes_at": "2026-11-22T04:30:00Z",
            "capacity_meals": 200,
        }
    ],
}
FAR = CANTEEN | {
    "canteen_id": "01935f00-1000-7000-8000-000000000002",
    "name": "蒋家池头村老年食堂",
    "grade": None,
    "distance_m": None,
    "walk_minutes": None,
    "meals_today": [],
}
SOUP: Things = {
    "menu_item_id": "01935f00-1100-7000-8000-000000000001",
    "canteen_id": CANTEEN["canteen_id"],
    "served_on": "2026-11-25",
    "meal": "lunch",
    "meal_name": "午餐",
    "name": "番茄蛋汤",
    "portion": "一碗",
    "price_fen": 450,
    "is_love_meal": False,
    "diet_forms": ["normal"],
    "diet_tags": ["素食"],
    "allergens": ["蛋类", "大豆"],
    "portions_left": 3,
    "on_offer": True,
}
LOVE = SOUP | {
    "menu_item_id": "01935f00-1100-7000-8000-000000000002",
    "name": "爱心套餐",
    "portion": "",
    "price_fen": 800,
    "is_love_meal": True,
    "diet_forms": ["normal", "soft"],
    "diet_tags": ["清真"],
    "allergens": [],
    "portions_left": None,
}
EVENING = LOVE | {
    "menu_item_id": "01935f00-1100-7000-8000-000000000003",
    "meal": "supper",
    "meal_name": "晚餐",
    "portions_left": 0,
    "on_offer": False,
}
DINER: Things = {
    "person_id": ME["person_id"],
    "name": "周小敏",
    "state": "approved",
    "state_name": "已通过",
    "diet_form": "soft",
    "diet_form_name": "软食",
    "allergies": ["蛋类"],
    "religious_diet": "清真",
    "usual_canteen_id": CANTEEN["canteen_id"],
    "usual_canteen_name": CANTEEN["name"],
    "township_code": "330213004",
    "delivery_address": "西坞村 3 号",
    "delivery_note": "按两下门铃",
    "latitude": 29.69,
    "longitude": 121.47,
    "household": [
        {"person_id": ME["person_id"], "name": "周小敏"},
        {"person_id": ELDER_ID, "name": "周桂芬"},
    ],
    "categories": [
        {"category_name": "低保", "valid_until": "2026-12-31", "valid_today": True},
        {"category_name": "三无", "valid_until": None, "valid_today": False},
    ],
    "proposed_categories": ["low_income"],
    "applied_by_name": "周小敏",
    "review_reason": None,
}
LINES: list[Things] = [
    {"share": None, "share_name": None, "rule_key": "dish", "label": "爱心套餐×2", "fen": 1600, "policy_version": 3},
    {"share": None, "share_name": None, "rule_key": "delivery", "label": "送餐费", "fen": 300, "policy_version": 3},
    {
        "share": "government",
        "share_name": "政府补一点",
        "rule_key": "over_60",
        "label": "六十岁以上每人每天",
        "fen": 200,
        "policy_version": 3,
    },
    {
        "share": "volunteers",
        "share_name": "志愿者帮一点",
        "rule_key": "volunteer_delivery",
        "label": "志愿者送餐",
        "fen": 300,
        "policy_version": 3,
    },
    {
        "share": "elder",
        "share_name": "老人付一点",
        "rule_key": "elder_pays",
        "label": "本人支付",
        "fen": 1400,
        "policy_version": 3,
    },
]
SHARES: Things = {
    "list_fen": 1900,
    "elder_fen": 1400,
    "government_fen": 200,
    "donation_fen": 0,
    "garden_fen": 0,
    "volunteers_fen": 300,
    "lines": LINES,
}
PRICED = SHARES | {
    "voucher_id": None,
    "purse_fen": 5000,
    "lacking_fen": 0,
    "cut_off_at": "2026-11-25T01:00:00Z",
}
ORDER: Things = SHARES | {
    "order_id": "01935f00-1200-7000-8000-000000000001",
    "state": "placed",
    "state_name": "已订",
    "diner_id": ME["person_id"],
    "diner_name": "周小敏",
    "canteen_id": CANTEEN["canteen_id"],
    "canteen_name": CANTEEN["name"],
    "served_on": "2026-11-25",
    "meal": "lunch",
    "meal_name": "午餐",
    "way": "deliver",
    "way_name": "送餐上门",
    "diet_form": "soft",
    "diet_form_name": "软食",
    "pickup_number": 12,
    "cash_fen": 0,
    "voucher_id": None,
    "delivery_address": "西坞村 3 号",
    "handover_code": "1522",
    "note": "少放盐",
    "unsuitable_accepted": False,
    "cut_off_at": "2026-11-25T01:00:00Z",
    "source": "phone",
    "source_name": "本人手机",
    "placed_by_name": "周小敏",
    "end_reason": "",
    "items": [{"menu_item_id": LOVE["menu_item_id"], "name": "爱心套餐", "quantity": 2, "price_fen": 800}],
}
STANDING: Things = {
    "standing_order_id": "01935f00-1300-7000-8000-000000000001",
    "diner_name": "周小敏",
    "canteen_name": CANTEEN["name"],
    "meal": "lunch",
    "meal_name": "午餐",
    "way_name": "堂食",
    "weekdays_text": "周一至周五",
    "choice_name": "爱心餐",
    "use_vouchers": True,
    "starts_on": "2026-11-23",
    "ends_on": "2026-12-31",
    "paused_from": None,
    "paused_until": None,
    "made_by_name": "周小敏",
    "ended_at": None,
    "last_day": "2026-11-23",
    "last_refusal_code": "sold_out",
    "last_refusal_title": "“爱心套餐”已售完",
}
PURSE: Things = {
    "person_id": ME["person_id"],
    "name": "周小敏",
    "balance_fen": 5050,
    "held_fen": 1400,
    "available_fen": 3650,
}
PURSE_LINE: Things = {
    "posted_at": "2026-11-21T03:00:00Z",
    "fen": -850,
    "balance_fen": 5050,
    "sentence": "11月20日午餐，在西坞街道中心食堂用餐，本人付8.50元。",
}
RATING: Things = {
    "order_id": ORDER["order_id"],
    "diner_name": "周**",
    "served_on": "2026-11-20",
    "stars": 4,
    "tags": ["味道好", "热乎"],
    "words": "红烧肉很烂，咬得动",
    "hidden": False,
    "hidden_reason": None,
    "reply": {"words": "谢谢，下周还有"},
}
POLICIES: list[Things] = [
    policy("allergens", ["鱼类", "蛋类", "花生"]),
    policy("religious_diets", ["清真", "素食"]),
    policy("diner_categories", {"low_income": "低保", "three_withouts": "三无"}),
    policy("rating_tags", ["味道好", "热乎", "太咸"]),
]

ONE_ORDER = f"/orders/{ORDER['order_id']}"
ONE_STANDING = f"/standing-orders/{STANDING['standing_order_id']}"


def meals(bank: ScriptedBank) -> None:
    """A bank with a canteen, its menu, and somebody who eats there; today is Sunday, 22 November 2026."""
    for path, answer in (
        ("/me", ME),
        (f"/diners/{ME['person_id']}", DINER),
        (f"/canteens/{CANTEEN['canteen_id']}", CANTEEN),
        (f"/canteens/{FAR['canteen_id']}", FAR),
        (ONE_ORDER, ORDER),
        ("/purses", PURSE),
    ):
        bank.on("GET", path, bank.reply(200, answer))
    for path, items in (
        ("/policies", POLICIES),
        ("/proxies", [MY_ELDER]),
        ("/canteens", [CANTEEN, FAR]),
        ("/menus", [SOUP, LOVE, EVENING]),
        ("/orders", [ORDER]),
        ("/standing-orders", [STANDING]),
        ("/purses/statement", [PURSE_LINE]),
    ):
        listed(bank, path, *items)
    said = {"items": [RATING], "next_cursor": None, "average": {"ratings": 7, "average_hundredths": 435}}
    bank.on("GET", "/ratings", bank.reply(200, said))
    for path, answer in (
        ("/orders/price", PRICED),
        ("/orders", ORDER),
        (f"{ONE_ORDER}/change", ORDER),
        (f"{ONE_ORDER}/cancel", ORDER | {"state": "cancelled", "state_name": "已取消", "end_reason": "女儿回家"}),
        ("/standing-orders", STANDING),
        (f"{ONE_STANDING}/pause", STANDING | {"paused_from": "2026-11-25", "paused_until": "2026-11-26"}),
        (f"{ONE_STANDING}/end", STANDING | {"ended_at": "2026-11-22T03:00:00Z"}),
        ("/diners", DINER | {"state": "applied", "state_name": "待审核"}),
        (f"/diners/{ME['person_id']}/change", DINER),
        (f"/ratings/{ORDER['order_id']}", RATING),
    ):
        bank.on("POST", path, bank.reply(200, answer))
