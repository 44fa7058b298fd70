"""Why something was refused: which policies are behind each code, and what can be done. Pure.

A code that is not here is explained by its own title, detail and facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from timebank.canteens.diners.rules import STATE_NAMES as DINER_NAMES
from timebank.canteens.orders.rules import STATE_NAMES as ORDER_NAMES
from timebank.core.amounts import hours_text, yuan_text
from timebank.explaining.rules import Explanation, Fact, Rule, Wanted, moment_text

_LABELS = {
    "available_minutes": "当时可用",
    "needed_minutes": "需要",
    "served_minutes": "累计服务",
    "needed_served_minutes": "须累计服务",
    "needed_days": "须等天数",
    "min_age": "须满年龄",
    "age": "年龄",
    "limit_minutes": "限额",
    "owed_minutes": "镇街应付",
    "max_quantity": "一次最多",
    "agreed_minutes": "约定时长",
    "held_minutes": "冻结中",
    "township_code": "镇街",
    "scope": "代办范围",
    "left_this_month": "本月还可",
    "current_status": "当时状态",
    "available_fen": "当时可用",
    "needed_fen": "需要",
    "balance_fen": "余额",
    "held_fen": "冻结中",
    "max_fen": "最多",
    "free_fen": "还可充",
    "cut_off_at": "截止时间",
    "latest_on": "最晚可订",
    "ahead_days": "最多提前天数",
    "left_portions": "剩余份数",
    "needed_portions": "要订份数",
    "max_portions": "一餐最多份数",
    "canteen_name": "助餐点",
    "reasons": "原因",
    "served_on": "用餐日期",
    "state": "当时状态",
}
_NEVER_SAID = frozenset({"type", "title", "status", "detail", "code", "request_id", "errors", "field"})
_STATES = {**{str(state): name for state, name in DINER_NAMES.items()}, **{str(s): n for s, n in ORDER_NAMES.items()}}

_BEHIND: dict[str, tuple[tuple[str, ...], str | None]] = {
    "insufficient_minutes": ((), "可以先服务攒时长，或请亲属赠与；政府购买服务时长每月到账。"),
    "not_vested_yet": (("vesting_min_minutes", "vesting_min_days"), "时长还在账户里，到时候就能用。"),
    "too_young_to_redeem": (
        ("redeem_min_age", "redeem_min_age_hardship"),
        "未到年龄可以把时长赠给符合条件的亲属，或捐入公益时间池。",
    ),
    "position_limit_reached": (("position_hard_limit_minutes",), "可以在本镇街使用，或请镇街联系区级管理员放行。"),
    "quantity_too_large": (("voucher_max_quantity",), "可以分几次买。"),
    "monthly_limit_reached": (("voucher_max_per_month",), "下个月可以再买。"),
    "volunteer_too_young": (("volunteer_min_age",), None),
    "too_young_for_help": (("help_min_age",), "镇街可以为有需要的人登记。"),
    "minutes_too_many": (("task_max_minutes",), "可以分成几次。"),
    "starts_too_far_ahead": (("request_ahead_days", "care_ahead_days"), None),
    "not_relatives": ((), "请先登记亲属关系，双方都同意后才能办理。"),
    "gift_relation_not_allowed": (("gift_relations",), None),
    "gift_cap_reached": (("gift_max_minutes_per_month",), "下个月可以再赠。"),
    "pool_short": ((), "公益时间池里有了时长再批，申请仍在等候。"),
    "hardship_help_too_much": (("hardship_help_max_minutes",), "可以分次申请。"),
    "aids_too_many": (("aid_max_items",), "先归还一件再借。"),
    "aid_days_too_many": (("aid_max_days",), "到期前可以续借。"),
    "aid_taken": ((), "可以预约同类的另一件，或等到归还。"),
    "care_time_taken": ((), "同一时间只能约一次，请换个时间。"),
    "care_provider_full": ((), "可以换一家机构或换一天。"),
    "voucher_not_today": (("voucher_weekdays",), "请在券上写的日子来用。"),
    "voucher_not_this_meal": (("voucher_meals", "meal_periods"), "请在券上写的餐次来用。"),
    "voucher_not_giftable": ((), "政府购买的时长只能本人使用。"),
    "person_frozen": ((), "如果弄错了，请联系镇街。"),
    "too_many_lookups": (("voucher_find_max_per_hour",), "请过一会儿再查。"),
    "receiver_too_young": (("gift_receiver_min_age",), None),
    "not_in_hardship": (("hardship_circumstances",), None),
    "voucher_not_refundable": ((), "用过、退过或过期的券不能再退。"),
    "voucher_expired": (("voucher_valid_days", "voucher_on_expiry"), "时长已按办法退回，可以重新购券。"),
    "proxy_scope_missing": ((), "请老人同意后，到镇街重新登记代办范围。"),
    "not_your_elder": ((), "请先登记代办，老人同意后才能代办。"),
    "volunteer_busy": ((), "同一时间只能在一处服务。"),
    "person_left": ((), "如果弄错了，请联系镇街。"),
    "insufficient_fen": ((), "可以到助餐点充值，或用用餐券抵。"),
    "cut_off_passed": (("order_cut_offs",), "可以到助餐点柜台现买，或订下一餐。"),
    "too_far_ahead": (("order_ahead_days",), "可以过几天再订，或办理长期订餐。"),
    "quantity_too_many": (("order_max_quantity", "order_max_portions"), "可以请另一位用餐人分开订。"),
    "capacity_reached": ((), "可以换一个助餐点，或换一餐。"),
    "sold_out": ((), "可以换一样菜，或换一个助餐点。"),
    "already_ordered": ((), "一餐只能订一份；要改请在截止时间以前改餐，或先取消。"),
    "dish_not_suitable": ((), "可以换一样菜；确实要吃的，请在订餐时注明接受。"),
    "diner_not_approved": ((), "请到镇街申请用餐对象，审核通过后就能订。"),
    "canteen_closed_that_day": ((), "可以换一天，或换一个助餐点。"),
    "canteen_not_open": ((), "可以换一个助餐点。"),
    "meal_not_served": ((), "这里不供这一餐，可以换一餐或换一个助餐点。"),
    "no_voucher": ((), "可以先买用餐券，或用餐费余额付。"),
    "delivery_not_offered": ((), "可以自取，或换一个送餐的助餐点。"),
    "delivery_address_needed": ((), "请写明送到哪里。"),
    "order_ended": ((), None),
    "purse_full": (("purse_max_fen",), "先用掉一些再充。"),
    "top_up_too_large": (("purse_top_up_max_fen",), "可以分几次充。"),
    "purse_not_empty": ((), "余额在任何一个助餐点柜台都能退成现金。"),
}

EXPLAINED_CODES = frozenset(_BEHIND)


def rules_of_refusal(code: str) -> tuple[Wanted, ...]:
    """Which policies decide about a refusal with this code."""
    return tuple(Wanted(key) for key in _BEHIND.get(code, ((), None))[0])


def explain_refusal(
    problem: Mapping[str, Any], *, at: datetime, what: str, policy_version: int | None, rules: list[Rule]
) -> Explanation:
    """Why a request was refused, from the problem that it was answered with; ``what`` names the request."""
    code, title, detail = str(problem["code"]), str(problem["title"]), str(problem.get("detail") or "")
    reason = f"{title}。" + (f"{detail}" if detail and detail != title else "")
    facts = [_fact(name, value) for name, value in problem.items() if _is_said(name, value)]
    return Explanation(
        title=f"{what}没有办成",
        reason=reason,
        happened_at=at,
        policy_version=policy_version,
        rules=rules,
        facts=facts,
        advice=_BEHIND.get(code, ((), None))[1],
    )


def _is_said(name: str, value: Any) -> bool:
    """Whether a fact is for people as well: no numbers of rows, no tables."""
    is_table = isinstance(value, list) and any(isinstance(one, dict) for one in value)
    return name not in _NEVER_SAID and not is_table


def _fact(name: str, value: Any) -> Fact:
    label = _LABELS.get(name, name)
    if isinstance(value, int) and not isinstance(value, bool):
        amount = hours_text if name.endswith("_minutes") else yuan_text if name.endswith("_fen") else str
        return Fact(name, label, value, amount(value))
    if isinstance(value, list):
        return Fact(name, label, value, "；".join(map(str, value)))
    if isinstance(value, str) and name.endswith("_at"):
        return Fact(name, label, value, moment_text(datetime.fromisoformat(value)))
    text = _STATES.get(str(value), str(value)) if name == "state" else str(value)
    return Fact(name, label, value, "未知" if value is None else text)
