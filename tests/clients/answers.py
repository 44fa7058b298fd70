"""What a bank answers about everything an hour can become, as its schemas have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.clients.shown import listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

Things = dict[str, Any]

ME: Things = {"person_id": "01935f00-0001-7000-8000-000000000001", "name": "周小敏", "township_code": "330213004"}
ELDER_ID, RELATIVE_ID = "01935f00-0002-7000-8000-000000000001", "01935f00-0003-7000-8000-000000000001"
BOTH = "周小敏（代周桂芬）"

SERVICES: list[Things] = [
    {"code": "daily_care", "name": "生活照料", "active": True, "rate_percent": 100},
    {"code": "bathing", "name": "助浴", "active": True, "rate_percent": 150},
    {"code": "old", "name": "停办的项目", "active": False, "rate_percent": 100},
]
PROVIDER: Things = {
    "provider_id": "01935f00-0100-7000-8000-000000000001",
    "name": "西坞居家养老服务中心",
    "township_code": "330213004",
    "grade": 5,
    "services": ["daily_care", "bathing"],
    "townships": ["330213004", "330213007"],
    "daily_capacity_minutes": 480,
    "active": True,
    "no_shows": 2,
}
ACT: Things = {
    "step": "book",
    "step_name": "预约",
    "at": "2026-11-21T02:00:00Z",
    "by_name": "周桂芬",
    "reason": "",
    "evidence": None,
}
BOOKING: Things = {
    "booking_id": "01935f00-0200-7000-8000-000000000001",
    "status": "booked",
    "status_name": "待派单",
    "service": "daily_care",
    "service_name": "生活照料",
    "elder_id": ELDER_ID,
    "elder_name": "周桂芬",
    "township_code": "330213004",
    "township_name": "西坞街道",
    "starts_at": "2026-11-25T01:00:00Z",
    "ends_at": "2026-11-25T02:00:00Z",
    "minutes": 60,
    "held_minutes": 60,
    "chosen_provider_id": None,
    "chosen_provider_name": None,
    "provider_id": None,
    "provider_name": None,
    "address": "西坞街道蒋家池头村 12 号，村口老樟树往里走第三家",
    "note": "请带一双干净的拖鞋",
    "service_code": "012345",
    "served_minutes": None,
    "decided_minutes": None,
    "unpaid_excess_minutes": 0,
    "captured_minutes": None,
    "excess_minutes": 0,
    "payable_minutes": None,
    "objection": None,
    "acts": [ACT],
}
KINDS: list[Things] = [
    {"code": "wheelchair", "name": "轮椅", "price_minutes_per_day": 30},
    {"code": "walker", "name": "助行器", "price_minutes_per_day": 15},
]
ITEM: Things = {
    "item_id": "01935f00-0300-7000-8000-000000000001",
    "serial": "FH-0001",
    "kind": "wheelchair",
    "kind_name": "轮椅",
    "name": "轻便轮椅",
    "home_township_code": "330213007",
    "at_township_code": "330213007",
    "condition": "good",
    "condition_name": "完好",
    "available": True,
    "due_back_on": None,
}
NEAR = ITEM | {
    "item_id": "01935f00-0300-7000-8000-000000000002",
    "serial": "FH-0002",
    "name": "加宽轮椅",
    "at_township_code": "330213004",
}
LOAN: Things = {
    "loan_id": "01935f00-0400-7000-8000-000000000001",
    "status": "reserved",
    "status_name": "已预约",
    "item_name": "轻便轮椅",
    "at_township_code": "330213007",
    "holder_name": "周桂芬",
    "days": 7,
    "price_minutes": 30,
    "code": "987654",
    "reserved_by_name": "周桂芬",
    "reserved_until": "2026-11-23T02:00:00Z",
    "due_on": None,
    "overdue_days": 0,
    "used_days": 0,
    "charged_minutes": 0,
    "held_minutes": 210,
    "owed_days": 0,
    "owed_minutes": 0,
}
OVERDUE = LOAN | {
    "loan_id": "01935f00-0400-7000-8000-000000000002",
    "status": "lent",
    "status_name": "借用中",
    "due_on": "2026-11-18",
    "overdue_days": 3,
    "used_days": 10,
    "charged_minutes": 240,
    "held_minutes": 0,
    "owed_days": 2,
    "owed_minutes": 60,
}
RELATIVE: Things = {
    "relation_id": "01935f00-0500-7000-8000-000000000001",
    "person_id": RELATIVE_ID,
    "name": "周桂芬",
    "relation": "parent",
    "relation_name": "父母",
    "registered_at": "2026-11-20T02:00:00Z",
    "is_heir": False,
}
ASKED_ME: Things = {
    "proposal_id": "01935f00-0600-7000-8000-000000000001",
    "kind": "relation",
    "received": True,
    "name": "周建国",
    "relation": "sibling",
    "relation_name": "兄弟姐妹",
    "scope_names": [],
    "status": "waiting",
    "expires_at": "2026-12-01T02:00:00Z",
}
I_ASKED = ASKED_ME | {"proposal_id": "01935f00-0600-7000-8000-000000000002", "received": False, "name": "周小红"}
PROXY_ASKED = ASKED_ME | {
    "proposal_id": "01935f00-0600-7000-8000-000000000003",
    "kind": "proxy",
    "name": "周阿公",
    "relation": "孙女",
    "relation_name": "孙女",
    "scope_names": ["用餐券", "居家养老预约"],
}
MY_ELDER: Things = {
    "registration_id": "01935f00-0700-7000-8000-000000000001",
    "acts_for_me": False,
    "person_id": ELDER_ID,
    "name": "周桂芬",
    "relation": "女儿",
    "scope_names": ["用餐券", "居家养老预约", "赠与"],
}
MY_PROXY = MY_ELDER | {
    "registration_id": "01935f00-0700-7000-8000-000000000002",
    "acts_for_me": True,
    "person_id": "01935f00-0004-7000-8000-000000000001",
    "name": "林阿姨",
}
GIFT: Things = {
    "gift_id": "01935f00-0800-7000-8000-000000000001",
    "direction": "given",
    "name": "周桂芬",
    "relation_name": "父母",
    "minutes": 90,
    "note": "妈妈生日快乐",
    "given_at": "2026-11-21T02:00:00Z",
    "given_by_name": "周小敏",
    "reversed": False,
}
DONATION: Things = {
    "donation_id": "01935f00-0900-7000-8000-000000000001",
    "township_name": "西坞街道",
    "minutes": 30,
    "from_group": "蒋家池头志愿队",
    "note": "",
    "donated_at": "2026-11-21T03:00:00Z",
    "reversed": True,
}
POOL: Things = {
    "township_name": "西坞街道",
    "balance_minutes": 500,
    "donated_minutes": 620,
    "given_minutes": 120,
}
POOL_LINE: Things = {
    "posted_at": "2026-11-21T03:00:00Z",
    "kind_name": "收到捐赠",
    "minutes": 30,
    "person_name": "周**",
    "from_group": None,
    "note": "",
}
HONOURS: Things = {
    "honour_minutes": 7200,
    "stars": 1,
    "next_star_minutes": 18000,
    "surplus_minutes": 60,
    "donated_minutes": 30,
}
ALLOTMENT: Things = {
    "name": "周桂芬",
    "month": "2026-11",
    "level_name": "中度失能",
    "minutes": 120,
    "expires_on": "2026-11-30",
}
LEAVING: Things = {
    "name": "周小敏",
    "may_leave": True,
    "savings_minutes": 600,
    "granted_minutes": 120,
    "vouchers": 2,
    "voucher_minutes": 120,
    "care_bookings": 1,
    "aid_reservations": 1,
    "proxies": 1,
    "relatives": 3,
    "open": [],
}
NOTICE: Things = {
    "title": "用餐券快到期了",
    "body": "您有 2 张用餐券，11 月 25 日以后不能再用。",
    "written_at": "2026-11-21T03:00:00Z",
}


def policy(key: str, value: Any, **townships: Any) -> Things:
    return {"key": key, "label": "", "unit": "", "value": value, "township_values": townships}


def everything(bank: ScriptedBank) -> None:
    """A bank that has one of each."""
    bank.on("GET", "/me", bank.reply(200, ME))
    bank.on("GET", "/me/honours", bank.reply(200, HONOURS))
    bank.on("GET", "/leaving/preview", bank.reply(200, LEAVING))
    bank.on("GET", f"/care-bookings/{BOOKING['booking_id']}", bank.reply(200, BOOKING))
    for path, items in (
        ("/care-services", SERVICES),
        ("/care-providers", [PROVIDER]),
        ("/care-bookings", [BOOKING]),
        ("/policies", [policy("care_cancel_free_minutes", 240), policy("care_late_cancel_percent", 50)]),
        ("/aid-items/kinds", KINDS),
        ("/aid-items", [ITEM, NEAR]),
        ("/aid-loans", [LOAN, OVERDUE]),
        ("/family", [RELATIVE]),
        ("/family/proposals", [ASKED_ME, I_ASKED]),
        ("/proxies", [MY_ELDER, MY_PROXY]),
        ("/proxies/proposals", [PROXY_ASKED]),
        ("/gifts", [GIFT, GIFT | {"direction": "received", "given_by_name": BOTH}]),
        ("/donations", [DONATION]),
        ("/pools", [POOL]),
        ("/pools/statement", [POOL_LINE]),
        ("/allotments", [ALLOTMENT]),
        ("/notices", [NOTICE]),
    ):
        listed(bank, path, *items)
