"""All policies there are. Pure; the numbers themselves are data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from timebank.core.amounts import MAX_AMOUNT
from timebank.policies.definition import CLOCK_TIME, MAX_FEN_PER_HOUR, MEALS, Definition, whole, words
from timebank.policies.meal_definitions import MEAL_DEFINITIONS

PAYERS = ("granted", "savings", "pool", "issuance")
"""Where a volunteer's hour may be paid from: 政府购买时长、本人储蓄、公益时间池、镇街发行."""


def _rates(value: Any) -> bool:
    within = whole(1, 1000)
    return isinstance(value, dict) and bool(value) and all(isinstance(k, str) and within(v) for k, v in value.items())


def _payment_order(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(set(map(str, value))) == len(value)
        and all(payer in PAYERS for payer in value)
        and value[-1:] == ["issuance"]
    )


PRICE_KINDS = ("meal", "care", "aid")
"""What has a reference price of its own: 助餐、照护、辅具."""

SETTLEMENT_METHODS = ("pay", "carry")
"""How a clearing window is settled: 付款, or carrying the minutes into the next window 结转."""


def _prices(value: Any) -> bool:
    within = whole(1, MAX_FEN_PER_HOUR)
    return isinstance(value, dict) and all(kind in PRICE_KINDS and within(fen) for kind, fen in value.items())


def _weekdays(value: Any) -> bool:
    within = whole(1, 7)
    return isinstance(value, list) and bool(value) and all(map(within, value)) and value == sorted(set(value))


def _meals(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and value == [meal for meal in MEALS if meal in value]


def _meal_periods(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != set(MEALS):
        return False
    return all(isinstance(period, list) and len(period) == 2 and _begins_and_ends(*period) for period in value.values())


def _begins_and_ends(begins: Any, ends: Any) -> bool:
    times = all(isinstance(time, str) and CLOCK_TIME.fullmatch(time) for time in (begins, ends))
    return times and begins < ends


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


CARE_SERVICES = ("daily_care", "bathing", "cleaning", "medical_help", "rehabilitation", "companionship")
"""Services of home care that have a rate: 生活照料、助浴、助洁、助医、康复护理、精神慰藉."""

CARE_GRADES = ("0", "1", "2", "3", "4", "5")
"""Grades of home-care providers by the number of A's; 0 is not graded."""


def _care_rates(value: Any) -> bool:
    return _rates(value) and set(value) == set(CARE_SERVICES)


def _prices_by_grade(value: Any) -> bool:
    within = whole(1, MAX_FEN_PER_HOUR)
    return isinstance(value, dict) and set(value) == set(CARE_GRADES) and all(map(within, value.values()))


def _aid_prices(value: Any) -> bool:
    within = whole(1, MAX_AMOUNT)
    return isinstance(value, dict) and "default" in value and all(within(minutes) for minutes in value.values())


def _reminder_days(value: Any) -> bool:
    within = whole(-365, 3660)
    return isinstance(value, list) and len(value) <= 50 and all(map(within, value)) and len(set(value)) == len(value)


RELATIONS = (
    *("spouse", "parent", "child", "grandparent", "grandchild", "sibling"),
    *("parent_in_law", "child_in_law", "other"),
)
"""What somebody may be to somebody else; ``people.family_rules`` has their names."""


def _relations(value: Any) -> bool:
    return isinstance(value, list) and value == [relation for relation in RELATIONS if relation in value]


def _rising(value: Any) -> bool:
    within = whole(1, MAX_AMOUNT)
    return isinstance(value, list) and all(map(within, value)) and value == sorted(set(value))


LEVELS = ("0", "1", "2", "3", "4")
"""Assessment levels of GB/T 42195-2022, 0 able … 4 fully dependent, as keys of a policy."""


def _minutes_by_level(value: Any) -> bool:
    within = whole(0, 31 * 24 * 60)
    return isinstance(value, dict) and set(value) == set(LEVELS) and all(map(within, value.values()))


_YEAR_OF_MINUTES = 366 * 24 * 60

DEFINITIONS: Mapping[str, Definition] = {
    d.key: d
    for d in (
        Definition("service_rates_percent", "各类服务折算比例", "%", _rates),
        Definition("volunteer_min_age", "志愿者最低年龄", "岁", whole(0, 120)),
        Definition("help_min_age", "求助最低年龄", "岁", whole(0, 120)),
        Definition("redeem_min_age", "本人兑换最低年龄", "岁", whole(0, 120)),
        Definition("redeem_min_age_hardship", "困难老人本人兑换最低年龄", "岁", whole(0, 120)),
        Definition("hardship_circumstances", "视为困难的特殊情况", "", words),
        Definition("vesting_min_minutes", "本人兑换前须累计服务", "分钟", whole(0, MAX_AMOUNT)),
        Definition("vesting_min_days", "本人兑换前首次服务须满", "天", whole(0, 36_600)),
        Definition("lifetime_cap_minutes", "志愿者一生计入储蓄的上限，0为不限", "分钟", whole(0, MAX_AMOUNT)),
        Definition("daily_cap_minutes", "志愿者每天计入储蓄的上限，0为不限", "分钟", whole(0, 24 * 60)),
        Definition("star_minutes", "各星级所需的荣誉时长", "分钟", _rising),
        Definition("allotment_minutes_by_level", "各评估等级每月政府购买服务时长", "分钟", _minutes_by_level),
        Definition("allotment_valid_months", "政府购买服务时长有效月数（1为当月）", "个月", whole(1, 24)),
        Definition("allotment_late_months", "漏发的政府购买服务时长最多补发几个月，0为不补发", "个月", whole(0, 12)),
        Definition("seed_minutes", "种子时长，0为不发放", "分钟", whole(0, MAX_AMOUNT)),
        Definition("seed_alone_min_age", "独居老人领取种子时长的最低年龄", "岁", whole(0, 120)),
        Definition("alone_circumstances", "视为独居的特殊情况", "", words),
        Definition("seed_hardship_min_age", "困难老人领取种子时长的最低年龄", "岁", whole(0, 120)),
        Definition("seed_hardship_min_level", "困难老人领取种子时长的最低评估等级", "级", whole(0, 4)),
        Definition("seed_valid_days", "种子时长有效期", "天", whole(1, 36_600)),
        Definition("payment_order", "服务时长支付顺序", "", _payment_order),
        Definition("tolerance_minutes", "超出约定时长的容许", "分钟", whole(0, 24 * 60)),
        Definition("auto_confirm_after_minutes", "自动确认时限", "分钟", whole(1, _YEAR_OF_MINUTES)),
        Definition("check_in_early_minutes", "可提前签到", "分钟", whole(0, 7 * 24 * 60)),
        Definition("service_code_most_misses", "服务码最多可错次数", "次", whole(1, 1000)),
        Definition("no_show_after_minutes", "逾期未签到作废时限", "分钟", whole(0, _YEAR_OF_MINUTES)),
        Definition("check_out_forgotten_after_minutes", "忘记签退转人工时限", "分钟", whole(1, _YEAR_OF_MINUTES)),
        Definition("request_grace_minutes", "发布时开始时间可早于当前", "分钟", whole(0, 24 * 60)),
        Definition("request_ahead_days", "最多提前多少天发布", "天", whole(1, 3660)),
        Definition("task_max_minutes", "单次服务最长", "分钟", whole(1, 24 * 60)),
        Definition("task_max_places", "单项任务最多志愿者", "人", whole(1, 10_000)),
        Definition("voucher_price_minutes", "一张用餐券的价格", "分钟", whole(1, MAX_AMOUNT)),
        Definition("voucher_valid_days", "用餐券有效期", "天", whole(1, 36_600)),
        Definition("voucher_max_quantity", "一次最多购券", "张", whole(1, 1000)),
        Definition("voucher_max_per_month", "每人每月最多购券，0为不限", "张", whole(0, 10_000)),
        Definition("voucher_weekdays", "用餐券可用的星期（1为周一）", "", _weekdays),
        Definition("voucher_meals", "用餐券可用的餐次", "", _meals),
        Definition("meal_periods", "各餐供应时间", "", _meal_periods),
        Definition("voucher_on_expiry", "用餐券过期后时长退回本人或转入公益时间池", "", _one_of("refund", "pool")),
        Definition("voucher_reminder_days", "用餐券到期前多少天提醒，0为不提醒", "天", whole(0, 365)),
        Definition("voucher_find_max_per_hour", "助餐点每位工作人员每小时最多查找用餐人", "次", whole(1, 100_000)),
        Definition("care_rates_percent", "居家养老各项服务折算比例", "%", _care_rates),
        Definition("care_min_minutes", "居家养老单次最短", "分钟", whole(1, 24 * 60)),
        Definition("care_max_minutes", "居家养老单次最长", "分钟", whole(1, 24 * 60)),
        Definition("care_ahead_days", "居家养老最多提前多少天预约", "天", whole(1, 3660)),
        Definition("care_tolerance_minutes", "居家养老超出预约不另计的容许", "分钟", whole(0, 24 * 60)),
        Definition("care_check_in_early_minutes", "居家养老可提前签到", "分钟", whole(0, 24 * 60)),
        Definition("care_assign_after_minutes", "居家养老预约后自动派单等待", "分钟", whole(0, 30 * 24 * 60)),
        Definition("care_no_show_after_minutes", "居家养老机构逾期未签到作废时限", "分钟", whole(1, _YEAR_OF_MINUTES)),
        Definition(
            "care_check_out_forgotten_after_minutes", "居家养老忘记签退转人工时限", "分钟", whole(1, _YEAR_OF_MINUTES)
        ),
        Definition("care_auto_confirm_after_minutes", "居家养老自动确认时限", "分钟", whole(1, _YEAR_OF_MINUTES)),
        Definition("care_cancel_free_minutes", "居家养老开始前多久取消不扣时长", "分钟", whole(0, _YEAR_OF_MINUTES)),
        Definition("care_late_cancel_percent", "居家养老临时取消扣除比例", "%", whole(0, 100)),
        Definition("care_not_home_percent", "居家养老上门无人扣除比例", "%", whole(0, 100)),
        Definition("care_objection_days", "居家养老上门无人、临时取消扣除后可申诉", "天", whole(0, 3660)),
        Definition("care_hold_days", "居家养老结束后冻结时长最长保留", "天", whole(1, 3660)),
        Definition("care_fen_per_hour_by_grade", "居家养老机构各等级每小时价格", "分/小时", _prices_by_grade),
        Definition("aid_price_minutes_per_day", "康复辅具每天的价格，按种类", "分钟/天", _aid_prices),
        Definition("aid_max_days", "康复辅具一次最多借用", "天", whole(1, 3660)),
        Definition("aid_max_items", "一人最多同时借用康复辅具", "件", whole(1, 1000)),
        Definition("aid_reserve_hours", "康复辅具预约保留", "小时", whole(1, 24 * 366)),
        Definition("aid_reminder_days", "康复辅具到期前（负数）后多少天提醒", "天", _reminder_days),
        Definition("aid_overdue_max_days", "康复辅具逾期最多继续扣时长", "天", whole(0, 3660)),
        Definition("aid_hold_days", "康复辅具到期后冻结时长最长保留", "天", whole(1, 3660)),
        Definition("signing_key_days", "用餐券签名密钥使用期", "天", whole(1, 3660), district_only=True),
        Definition("signing_key_ahead_days", "新签名密钥提前多少天公布", "天", whole(0, 3660), district_only=True),
        Definition("offline_scan_max_hours", "断网扫码最迟多久内补传", "小时", whole(0, 24 * 366), district_only=True),
        Definition("import_file_hours", "上传的工作簿保留", "小时", whole(1, 24 * 366), district_only=True),
        Definition("offline_clock_skew_minutes", "断网扫码时钟误差容许", "分钟", whole(0, 24 * 60), district_only=True),
        Definition("proposal_valid_days", "亲属、代办请求等待确认的期限", "天", whole(1, 366)),
        Definition("proposal_max_open", "一人同时待确认的请求最多", "份", whole(1, 1000)),
        Definition("gift_relations", "可以接受赠与的亲属关系", "", _relations),
        Definition("gift_receiver_min_age", "接受赠与的最低年龄", "岁", whole(0, 120)),
        Definition("gift_max_minutes_per_month", "每人每月最多赠出，0为不限", "分钟", whole(0, MAX_AMOUNT)),
        Definition("hardship_help_max_minutes", "困难帮扶一次最多", "分钟", whole(1, MAX_AMOUNT)),
        Definition("hardship_help_valid_days", "困难帮扶时长有效期", "天", whole(1, 36_600)),
        Definition("position_soft_limit_minutes", "镇街头寸软限额", "分钟", whole(0, MAX_AMOUNT)),
        Definition("position_hard_limit_minutes", "镇街头寸硬限额", "分钟", whole(0, MAX_AMOUNT)),
        Definition("position_warning_percent", "头寸用到硬限额多少时标明接近限额", "%", whole(1, 100)),
        Definition("reference_price_fen_per_hour", "结算参考价", "分/小时", _prices, district_only=True),
        Definition("limit_override_max_days", "头寸限额放行最长", "天", whole(1, 3660)),
        Definition("clearing_window_months", "清算周期长度", "个月", whole(1, 12), district_only=True),
        Definition(
            "clearing_settlement_method",
            "清算结算方式",
            "",
            lambda value: isinstance(value, str) and value in SETTLEMENT_METHODS,
            district_only=True,
        ),
        *MEAL_DEFINITIONS,
    )
}
