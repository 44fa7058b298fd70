"""The policies of the meal programme. Pure; the numbers themselves are data."""

from __future__ import annotations

from typing import Any

from timebank.core.amounts import MAX_AMOUNT
from timebank.policies.definition import CLOCK_TIME, MAX_FEN_PER_HOUR, MEALS, Definition, whole, words
from timebank.policies.meal_rule_overlaps import check_rules


def _labels(value: Any) -> bool:
    """Chinese labels by code."""
    return isinstance(value, dict) and all(code and isinstance(label, str) and label for code, label in value.items())


CANTEEN_GRADES = ("A", "AA", "AAA")
"""Yearly grades of canteens, as keys of a policy."""

MAX_FEN_A_YEAR = 10_000_000_00
"""10 million CNY; more for one canteen and year is a slip of the hand."""


def _fen_by_grade(value: Any) -> bool:
    within = whole(0, MAX_FEN_A_YEAR)
    return isinstance(value, dict) and set(value) == set(CANTEEN_GRADES) and all(map(within, value.values()))


def _points(value: Any) -> bool:
    return words(value) and bool(value) and len(set(value)) == len(value)


UNDELIVERED_REASONS = ("nobody_home", "refused", "wrong_address", "spilled", "late")
"""Why a meal did not reach its diner, as keys of a policy: 家中无人、本人不收、地址不对、洒漏、太晚."""


def _percent_by_reason(value: Any) -> bool:
    within = whole(0, 100)
    return isinstance(value, dict) and set(value) == set(UNDELIVERED_REASONS) and all(map(within, value.values()))


def _cut_offs(value: Any) -> bool:
    """For each meal how many days before it, and until which time, it is ordered."""
    if not isinstance(value, dict) or set(value) != set(MEALS):
        return False
    within = whole(-30, 0)
    fit = (isinstance(one, list) and len(one) == 2 and within(one[0]) for one in value.values())
    return all(fit) and all(isinstance(at, str) and bool(CLOCK_TIME.fullmatch(at)) for _, at in value.values())


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _produce_prices(value: Any) -> bool:
    within = whole(1, 1_000_000)
    return isinstance(value, dict) and "default" in value and all(within(fen) for fen in value.values())


MEAL_DEFINITIONS: tuple[Definition, ...] = (
    Definition("meal_subsidy_rules", "助餐补贴规则", "", lambda value: isinstance(value, list), check=check_rules),
    Definition("meal_delivery_fee_fen", "送餐上门每单收费", "分", whole(0, 100_000)),
    Definition("voucher_meal_max_fen", "一张用餐券最多抵", "分", whole(1, 100_000)),
    Definition("purse_max_fen", "餐费余额最多", "分", whole(1, MAX_AMOUNT)),
    Definition("purse_top_up_max_fen", "一次最多充值", "分", whole(1, MAX_AMOUNT)),
    Definition("serve_early_minutes", "开餐前多久可以取餐", "分钟", whole(0, 24 * 60)),
    Definition("missed_after_minutes", "供餐结束后多久记为未取餐", "分钟", whole(0, 24 * 60)),
    Definition("meal_missed_charge_percent", "未取餐时本人应付部分照收", "%", whole(0, 100)),
    Definition("rating_tags", "评价标签", "", words),
    Definition("rating_days", "取餐后多少天内可以评价", "天", whole(1, 366)),
    Definition("rating_change_hours", "评价后多少小时内可以修改", "小时", whole(0, 24 * 366)),
    Definition("follow_up_percent", "每月回访用餐对象的比例", "%", whole(0, 100)),
    Definition("follow_up_stars", "评分不高于多少须回访，0为不回访", "星", whole(0, 5)),
    Definition("follow_up_most_calls", "一次回访最多打几个电话", "次", whole(1, 20)),
    Definition("order_cut_offs", "各餐订餐截止（提前天数、时间）", "", _cut_offs),
    Definition("order_ahead_days", "最多提前多少天订餐", "天", whole(0, 366)),
    Definition("order_max_quantity", "每样菜一次最多订", "份", whole(1, 1000)),
    Definition("order_max_portions", "一餐最多订", "份", whole(1, 1000)),
    Definition("order_hold_days", "餐后冻结餐费最长保留", "天", whole(1, 366)),
    Definition("standing_order_hours_before", "长期订餐在截止前多久下单", "小时", whole(1, 24 * 14)),
    Definition("diner_min_age", "申请用餐最低年龄", "岁", whole(0, 120)),
    Definition("diner_child_below_age", "儿童用餐对象须未满", "岁", whole(0, 120)),
    Definition("diner_categories", "用餐对象特殊类别", "", _labels, district_only=True),
    Definition("religious_diets", "饮食习惯", "", words),
    Definition("love_meals_min_per_day", "每天至少几种爱心餐，0为不要求", "种", whole(0, 50)),
    Definition("love_meal_max_fen", "爱心餐最高价格", "分", whole(1, MAX_FEN_PER_HOUR)),
    Definition("diet_tags", "菜品可用的饮食标签", "", words),
    Definition("allergens", "菜品须标明的过敏原", "", words),
    Definition("canteen_acceptance_points", "助餐点现场验收要点", "", _points, district_only=True),
    Definition("operating_subsidy_fen_by_grade", "助餐点各等级每年运营补贴", "分", _fen_by_grade, district_only=True),
    Definition("walking_m_per_minute", "步行速度", "米/分钟", whole(1, 500)),
    Definition("map_minutes", "助餐地图的步行范围", "分钟", whole(1, 24 * 60)),
    Definition("claim_day", "每月几日结算上月助餐补贴", "日", whole(1, 28), district_only=True),
    Definition("claim_moved_diners_allowed", "迁出的用餐对象回原镇街用餐是否照常补贴", "", _flag),
    Definition("claim_hours_tolerance_minutes", "供餐时间以外多久取餐不列为疑点", "分钟", whole(0, 24 * 60)),
    Definition("claim_many_orders_by_one", "同一人一天代订超过几份列为疑点", "份", whole(1, 100_000)),
    Definition("produce_fen_per_kg", "菜园食材每公斤折价，按品种", "分/公斤", _produce_prices),
    Definition("detour_percent", "送餐路程按直线距离的", "%", whole(100, 1000)),
    Definition("delivery_m_per_minute", "送餐每分钟行进", "米", whole(1, 10_000)),
    Definition("stop_minutes", "送餐每户停留", "分钟", whole(0, 120)),
    Definition("delivery_within_minutes", "送餐须在出餐后多久内送到", "分钟", whole(1, 24 * 60)),
    Definition("round_max_stops", "一趟最多送几份", "份", whole(1, 500)),
    Definition("round_untaken_notice_minutes", "出发前多久无人接单即提醒", "分钟", whole(0, 24 * 60)),
    Definition("handover_code_most_misses", "送餐交接码最多可错次数", "次", whole(1, 1000)),
    Definition("delivery_ends_after_minutes", "供餐结束后多久仍没有送到即退回", "分钟", whole(0, 24 * 60)),
    Definition("undelivered_charge_percent", "未送达时老人承担的比例，按原因", "%", _percent_by_reason),
)
