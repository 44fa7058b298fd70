"""Which figures there are, what each is called, and how months follow one another. Pure.

What is shown follows the published figures of the district (DOMAIN.md, "The scale it is sized for") and its rule of
five shares 五个一.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

MONTHS_BEFORE = 12
"""A dashboard shows the running month and as many before it."""


class Section(StrEnum):
    """Under which heading a figure stands."""

    PEOPLE = "people"
    EARNED = "earned"
    SPENT = "spent"
    MEALS = "meals"
    SHARES = "shares"
    MONEY = "money"


SECTION_NAMES = {
    Section.PEOPLE: "人员和助餐点",
    Section.EARNED: "时长存入",
    Section.SPENT: "时长兑换",
    Section.MEALS: "助餐和上门服务",
    Section.SHARES: "五个一：餐费由谁承担",
    Section.MONEY: "捐赠和补贴",
}


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure is called, its unit (``minute``, ``fen``, or ``count`` of ``counted``), and how it is reckoned."""

    key: str
    label: str
    section: Section
    unit: str
    how: str
    counted: str = ""


def _minutes(key: str, label: str, section: Section, how: str) -> Figure:
    return Figure(key, label, section, "minute", how)


def _fen(key: str, label: str, section: Section, how: str) -> Figure:
    return Figure(key, label, section, "fen", how)


def _count(key: str, label: str, section: Section, counted: str, how: str) -> Figure:
    return Figure(key, label, section, "count", how, counted)


_AT_HOME = "按居民所属镇街"
_HERE = "按提供服务的镇街"
_OF_CANTEEN = "按助餐点所在镇街"

_MOVED = (
    _minutes("earned_minutes", "志愿服务存入", Section.EARNED, f"计入志愿者储蓄的时长，{_AT_HOME}"),
    _minutes("surplus_minutes", "超出上限转入公益时间池", Section.EARNED, f"服务时长超出上限的部分，{_AT_HOME}"),
    _minutes("granted_minutes", "政府给的时长", Section.EARNED, f"政府购买服务时长和种子时长，{_AT_HOME}"),
    _minutes("gift_minutes", "赠与亲属", Section.EARNED, f"从储蓄赠出，{_AT_HOME}"),
    _minutes("donated_minutes", "捐入公益时间池", Section.EARNED, f"从储蓄捐出，{_AT_HOME}"),
    _minutes("spent_meal_minutes", "本地居民兑换：用餐", Section.SPENT, f"已核销用餐券所值的时长，{_AT_HOME}"),
    _minutes("spent_care_minutes", "本地居民兑换：居家养老", Section.SPENT, f"居家养老扣付的时长，{_AT_HOME}"),
    _minutes("spent_aid_minutes", "本地居民兑换：康复辅具", Section.SPENT, f"借用辅具扣付的时长，{_AT_HOME}"),
    _minutes("here_meal_minutes", "在本地兑换：用餐", Section.SPENT, f"在本地助餐点核销的用餐券，{_HERE}"),
    _minutes("here_care_minutes", "在本地兑换：居家养老", Section.SPENT, f"由本地承担的居家养老，{_HERE}"),
    _minutes("here_aid_minutes", "在本地兑换：康复辅具", Section.SPENT, f"由本地出借的辅具，{_HERE}"),
    _count("vouchers_used", "核销用餐券", Section.SPENT, "张", f"在本地助餐点核销的张数，{_HERE}"),
    _fen("meal_elder_fen", "老人付一点", Section.SHARES, _OF_CANTEEN),
    _fen("meal_government_fen", "政府补一点", Section.SHARES, _OF_CANTEEN),
    _fen("meal_donation_fen", "企业捐一点", Section.SHARES, _OF_CANTEEN),
    _fen("meal_garden_fen", "菜园供一点", Section.SHARES, _OF_CANTEEN),
    _fen("meal_volunteers_fen", "志愿者帮一点", Section.SHARES, _OF_CANTEEN),
    _fen("meal_missed_fen", "未取餐收费", Section.MONEY, _OF_CANTEEN),
    _fen("money_donated_fen", "收到助餐捐款", Section.MONEY, "按受赠的助餐点或账簿"),
    _fen("produce_fen", "收到菜园食材", Section.MONEY, f"折价，{_OF_CANTEEN}"),
    _fen("operating_subsidy_fen", "助餐点运营补贴", Section.MONEY, f"按年度等级记入，{_OF_CANTEEN}"),
)

_STOCKS = (
    _count("elders", "在册老人", Section.PEOPLE, "人", "月末在册、没有退出的老人"),
    _count("volunteers", "在册志愿者", Section.PEOPLE, "人", "月末在册、没有退出的志愿者"),
    _count("diners", "用餐对象", Section.PEOPLE, "人", "月末审核通过、没有退出的用餐对象"),
    _count("canteens_open", "营业的助餐点", Section.PEOPLE, "个", "月末营业、没有暂停的助餐点"),
    _minutes("savings_minutes", "储蓄余额", Section.EARNED, f"月末居民储蓄账户的余额，{_AT_HOME}"),
    _minutes("held_minutes", "冻结中的时长", Section.EARNED, f"月末已预约、还没有扣付的时长，{_AT_HOME}"),
)

_COUNTS = (
    _count("meals", "供餐份数", Section.MEALS, "份", f"当月就餐日已取餐、没有冲正的，{_OF_CANTEEN}"),
    _count("visits", "居家养老上门", Section.MEALS, "次", "当月确认的上门服务，按老人所属镇街"),
    _minutes("visit_minutes", "居家养老服务时长", Section.MEALS, "当月确认的上门服务实际时长，按老人所属镇街"),
)

_HEADS = (
    _count("active_volunteers", "当月有存入的志愿者", Section.PEOPLE, "人", f"当月确认过服务的志愿者人数，{_AT_HOME}"),
    _count("diners_served", "当月用餐的人数", Section.PEOPLE, "人", f"当月取过餐的用餐对象，{_OF_CANTEEN}"),
)

_ORDER = (
    *("elders", "volunteers", "active_volunteers", "diners", "diners_served", "canteens_open"),
    *("earned_minutes", "surplus_minutes", "granted_minutes", "gift_minutes", "donated_minutes"),
    *("savings_minutes", "held_minutes"),
    *("spent_meal_minutes", "spent_care_minutes", "spent_aid_minutes"),
    *("here_meal_minutes", "here_care_minutes", "here_aid_minutes", "vouchers_used"),
    *("meals", "visits", "visit_minutes"),
    *("meal_elder_fen", "meal_government_fen", "meal_donation_fen", "meal_garden_fen", "meal_volunteers_fen"),
    *("meal_missed_fen", "money_donated_fen", "produce_fen", "operating_subsidy_fen"),
)

FIGURES = {one.key: one for one in sorted((*_MOVED, *_STOCKS, *_COUNTS, *_HEADS), key=lambda f: _ORDER.index(f.key))}
"""All figures, in the order in which they are shown."""

MOVED_KEYS = tuple(one.key for one in _MOVED)
"""Figures that are sums over transfers by the day on which they were recorded; a reversal counts against its kind."""

HEAD_KEYS = tuple(one.key for one in _HEADS)
"""Figures that count people by what they did in a month, once it has ended."""

SPENT_KEYS = ("spent_meal_minutes", "spent_care_minutes", "spent_aid_minutes")
"""Redemptions by kind, of the residents."""

SHARE_KEYS = tuple(one.key for one in _MOVED if one.section is Section.SHARES)
"""The five shares of a meal's price."""


def month_name(day: date) -> str:
    """``2026-11`` for the month in which ``day`` lies."""
    return f"{day:%Y-%m}"


def months_before(month: date, count: int) -> date:
    """The first day of the month that lies ``count`` months before ``month``."""
    number = month.year * 12 + month.month - 1 - count
    return date(number // 12, number % 12 + 1, 1)


def next_month(month: date) -> date:
    """The first day of the month after."""
    return months_before(month, -1)


def percent_of(owed_minutes: int, limit_minutes: int) -> int:
    """How much of a limit is used, in whole percent rounded down; a limit of 0 is used up by any debt."""
    if owed_minutes <= 0:
        return 0
    return owed_minutes * 100 // limit_minutes if limit_minutes > 0 else 100
