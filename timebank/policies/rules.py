"""What may be a policy, and what a change of policy must satisfy. The numbers themselves are data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timebank.core.amounts import MAX_AMOUNT
from timebank.core.errors import Refused

PAYERS = ("granted", "savings", "pool", "issuance")
"""Where a volunteer's hour may be paid from: 政府购买时长、本人储蓄、公益时间池、镇街发行."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One policy: its key, what it is called, its unit, which values make sense, and whether all townships share it."""

    key: str
    label: str
    unit: str
    accepts: Callable[[Any], bool]
    district_only: bool = False


def _whole(lowest: int, highest: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest


def _rates(value: Any) -> bool:
    within = _whole(1, 1000)
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

MAX_FEN_PER_HOUR = 1_000_000
"""10,000 CNY; a price beyond it is a slip of the hand."""


def _prices(value: Any) -> bool:
    within = _whole(1, MAX_FEN_PER_HOUR)
    return isinstance(value, dict) and all(kind in PRICE_KINDS and within(fen) for kind, fen in value.items())


_YEAR_OF_MINUTES = 366 * 24 * 60

DEFINITIONS: Mapping[str, Definition] = {
    d.key: d
    for d in (
        Definition("service_rates_percent", "各类服务折算比例", "%", _rates),
        Definition("volunteer_min_age", "志愿者最低年龄", "岁", _whole(0, 120)),
        Definition("help_min_age", "求助最低年龄", "岁", _whole(0, 120)),
        Definition("redeem_min_age", "本人兑换最低年龄", "岁", _whole(0, 120)),
        Definition("payment_order", "服务时长支付顺序", "", _payment_order),
        Definition("tolerance_minutes", "超出约定时长的容许", "分钟", _whole(0, 24 * 60)),
        Definition("auto_confirm_after_minutes", "自动确认时限", "分钟", _whole(1, _YEAR_OF_MINUTES)),
        Definition("check_in_early_minutes", "可提前签到", "分钟", _whole(0, 7 * 24 * 60)),
        Definition("service_code_most_misses", "服务码最多可错次数", "次", _whole(1, 1000)),
        Definition("no_show_after_minutes", "逾期未签到作废时限", "分钟", _whole(0, _YEAR_OF_MINUTES)),
        Definition("check_out_forgotten_after_minutes", "忘记签退转人工时限", "分钟", _whole(1, _YEAR_OF_MINUTES)),
        Definition("request_grace_minutes", "发布时开始时间可早于当前", "分钟", _whole(0, 24 * 60)),
        Definition("request_ahead_days", "最多提前多少天发布", "天", _whole(1, 3660)),
        Definition("task_max_minutes", "单次服务最长", "分钟", _whole(1, 24 * 60)),
        Definition("task_max_places", "单项任务最多志愿者", "人", _whole(1, 10_000)),
        Definition("voucher_price_minutes", "一张用餐券的价格", "分钟", _whole(1, MAX_AMOUNT)),
        Definition("voucher_valid_days", "用餐券有效期", "天", _whole(1, 36_600)),
        Definition("voucher_max_quantity", "一次最多购券", "张", _whole(1, 1000)),
        Definition("position_soft_limit_minutes", "镇街头寸软限额", "分钟", _whole(0, MAX_AMOUNT)),
        Definition("position_hard_limit_minutes", "镇街头寸硬限额", "分钟", _whole(0, MAX_AMOUNT)),
        Definition("reference_price_fen_per_hour", "结算参考价", "分/小时", _prices, district_only=True),
        Definition("limit_override_max_days", "头寸限额放行最长", "天", _whole(1, 3660)),
        Definition("clearing_window_months", "清算周期长度", "个月", _whole(1, 12), district_only=True),
        Definition(
            "clearing_settlement_method",
            "清算结算方式",
            "",
            lambda value: isinstance(value, str) and value in SETTLEMENT_METHODS,
            district_only=True,
        ),
    )
}


def check_value(key: str, value: Any, township_code: str | None = None) -> None:
    """Raises Refused ``policy_unknown``, ``policy_value_invalid``; for a township's own ``policy_district_only``."""
    definition = DEFINITIONS.get(key)
    if definition is None:
        raise Refused("policy_unknown", "没有这项办法", key=key)
    if not definition.accepts(value):
        raise Refused("policy_value_invalid", f"“{definition.label}”的取值不合理", key=key)
    if definition.district_only and township_code is not None:
        raise Refused("policy_district_only", f"“{definition.label}”全区一致，不能由镇街另定", key=key)


def check_rates(rates: Mapping[str, int], in_force: Mapping[str, int], *, partly: bool) -> None:
    """Rates name kinds of service that have one already: some of them (``partly``, a township), else every one.

    Raises Refused ``policy_value_invalid``, with the kinds that are missing or unknown.
    """
    missing = set() if partly else set(in_force) - set(rates)
    unknown = set(rates) - set(in_force)
    if missing or unknown:
        kinds = sorted(missing | unknown)
        raise Refused("policy_value_invalid", "各类服务的折算比例须与现有服务类型一致", service_types=kinds)


def check_effective(effective_at: datetime, now: datetime) -> None:
    """A change is scheduled and never rewrites history. Raises Refused ``policy_in_the_past``."""
    if effective_at < now:
        raise Refused("policy_in_the_past", "办法只能从将来生效，不能改写历史", effective_at=effective_at)


class PolicyBook:
    """The policies in force at one moment: district default, township override.

    ``version`` is the number of the newest change in force; a transfer records it.
    """

    def __init__(self, version: int, values: Mapping[tuple[str, str | None], Any]) -> None:
        self.version = version
        self._values = values

    def value(self, key: str, township_code: str | None = None) -> Any:
        """The township's own value where it has one, else the district's. KeyError for an unknown key."""
        own = self._values.get((key, township_code))
        return self._values[key, None] if own is None else own

    def township_values(self, key: str) -> dict[str, Any]:
        """The townships that have a value of their own, with it."""
        return {code: value for (name, code), value in self._values.items() if name == key and code is not None}

    def whole(self, key: str, township_code: str | None = None) -> int:
        """A policy that is one whole number, in the unit its definition names."""
        return int(self.value(key, township_code))

    def rate_percent(self, service_type: str, township_code: str | None = None) -> int:
        """Minutes credited for 100 minutes of this kind of service; a township may differ in some kinds only."""
        own = self._values.get(("service_rates_percent", township_code), {})
        return int(own.get(service_type) or self._values["service_rates_percent", None][service_type])

    def payment_order(self, township_code: str | None = None) -> tuple[str, ...]:
        """Who pays first for a volunteer's hour; see ``PAYERS``."""
        return tuple(self.value("payment_order", township_code))


def check_limits(wanted: Mapping[tuple[str, str | None], Any], now: PolicyBook) -> None:
    """A township's soft limit is reached before its hard one. Raises Refused ``policy_value_invalid``."""
    soft, hard = "position_soft_limit_minutes", "position_hard_limit_minutes"
    for code in {code for key, code in wanted if key in (soft, hard)}:
        values = [wanted.get((key, code), now.whole(key, code)) for key in (soft, hard)]
        if values[0] > values[1]:
            raise Refused("policy_value_invalid", "软限额不能高于硬限额", key=soft, township_code=code)
