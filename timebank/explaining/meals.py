"""Why a meal cost what it did, who bore it, and why a missed one was charged, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from timebank.canteens.delivery.rules import REASON_NAMES as UNDELIVERED_NAMES
from timebank.canteens.delivery.rules import UndeliveredReason
from timebank.canteens.orders.rules import SOURCE_NAMES, STATE_NAMES, OrderSource, OrderState
from timebank.canteens.pricing.rules import (
    DIET_FORM_NAMES,
    MEAL_NAMES,
    SHARE_NAMES,
    WAY_NAMES,
    DietForm,
    Meal,
    Share,
    Way,
)
from timebank.core.amounts import hours_text, yuan_text
from timebank.explaining.rules import Explanation, Fact, Rule, Wanted, moment_fact, moment_text, words_fact


@dataclass(frozen=True, slots=True)
class ReceiptLine:
    """One line of a receipt: who bears ``fen`` (None: what is listed), by which rule and version of policy."""

    number: int
    share: str | None
    rule_key: str
    label: str
    fen: int
    policy_version: int


@dataclass(frozen=True, slots=True)
class CategoryHeld:
    """A special category that a diner had on the day; ``withdrawn`` where it was found to be an error since."""

    name: str
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class MealSeen:
    """One order, its receipt, the diner on that day, and what became of it; amounts in fen.

    ``charged_fen`` is what a meal that did not reach the diner cost all the same; ``frozen`` says that it was not
    handed over because of a report of a death.
    """

    state: OrderState
    canteen_name: str
    served_on: date
    meal: str
    way: str
    diet_form: str
    source: str
    revision: int
    pickup_number: int
    list_fen: int
    elder_fen: int
    cash_fen: int
    lines: Sequence[ReceiptLine]
    rule_sentences: Mapping[str, str]
    placed_at: datetime
    placed_by_name: str
    cut_off_at: datetime
    policy_version: int
    age: int | None
    assessment_level: int | None
    categories: Sequence[CategoryHeld]
    voucher_code: str | None
    voucher_minutes: int
    ended_at: datetime | None
    ended_by_name: str | None
    end_reason: str
    charged_fen: int
    frozen: bool
    corrected_at: datetime | None
    corrected_by: Sequence[str]
    correction_reason: str


PRICED = ("meal_subsidy_rules", "order_cut_offs")
_ENDED = {
    OrderState.MISSED: ("meal_missed_charge_percent", "missed_after_minutes"),
    OrderState.UNDELIVERED: ("undelivered_charge_percent",),
}


def rules_of_price(*, way: str, with_voucher: bool) -> list[Wanted]:
    """Which policies decided about the price, when it was made."""
    keys = [*PRICED]
    if way == Way.DELIVER:
        keys.append("meal_delivery_fee_fen")
    if with_voucher:
        keys.append("voucher_meal_max_fen")
    return [Wanted(key) for key in keys]


def rules_of_ending(state: OrderState) -> list[Wanted]:
    """Which policies decided about a meal that was not had, when it ended."""
    return [Wanted(key) for key in _ENDED.get(state, ())]


def explain_meal(meal: MealSeen, rules: Sequence[Rule]) -> Explanation:
    """Who bore a meal and why, with every line; what a meal cost that was not had."""
    title, reason, advice = _said(meal)
    return Explanation(
        title=title,
        reason=reason,
        happened_at=meal.corrected_at or meal.ended_at or meal.placed_at,
        policy_version=meal.policy_version,
        rules=rules,
        facts=[*_order_facts(meal), *_diner_facts(meal), *_line_facts(meal), *_end_facts(meal)],
        advice=advice,
    )


def _what(meal: MealSeen) -> str:
    return f"{meal.served_on:%m月%d日}{MEAL_NAMES[Meal(meal.meal)]}"


def _said(meal: MealSeen) -> tuple[str, str, str | None]:
    what, pays = _what(meal), yuan_text(meal.elder_fen)
    if meal.state is OrderState.PLACED:
        until = f"{moment_text(meal.cut_off_at)}以前可以取消，全部退回。"
        wait = f"您应付的{pays}冻结在餐费余额里，取餐时才扣。" if meal.elder_fen > meal.cash_fen else ""
        return f"{what}已订，您付{pays}", f"{_shares(meal)}{wait}{until}", None
    if meal.state is OrderState.SERVED:
        return f"{what}您付了{pays}", _shares(meal), "如与事实不符，请向镇街申诉，由两位管理员整份冲正。"
    if meal.state is OrderState.CORRECTED:
        who = "、".join(meal.corrected_by) or "两位管理员"
        said = f"这份餐经{who}核实后冲正，您付的{pays}和别人分担的都已退回。理由：{meal.correction_reason}。"
        return f"{what}已冲正，没有收费", said, None
    if meal.state is OrderState.CANCELLED:
        why = f"原因：{meal.end_reason}。" if meal.end_reason else ""
        back = "冻结的餐费和用餐券都已退回，没有收费。"
        return f"{what}已取消，没有收费", f"{moment_text(_ended(meal))}由{_by(meal)}取消。{why}{back}", None
    return _not_had(meal, what)


def _not_had(meal: MealSeen, what: str) -> tuple[str, str, str | None]:
    """A meal that was cooked, and missed or brought back."""
    happened = "订了没有来取"
    if meal.state is OrderState.UNDELIVERED:
        happened = f"没有送到（{UNDELIVERED_NAMES[UndeliveredReason(meal.end_reason)]}）"
    rest = "政府、捐款、菜园都没有出钱" + ("，用餐券已退回。" if meal.voucher_code else "。")
    if meal.charged_fen:
        pays = yuan_text(meal.charged_fen)
        said = f"餐已做好，{happened}，按办法收取您本人应付{yuan_text(meal.elder_fen)}中的{pays}。{rest}"
        return f"{what}{happened}，收取{pays}", said, "吃不了请在截止时间以前取消，分文不收。"
    why = "核实身故上报期间不供餐，所以不收费。" if meal.frozen else "按办法不收费。"
    if meal.end_reason == UndeliveredReason.NOT_BROUGHT:
        why = "不是您的原因，所以不收费。"
    return f"{what}{happened}，没有收费", f"{happened}，{why}{rest}", None


def _shares(meal: MealSeen) -> str:
    """``价格12.00元：老人付一点6.00元，政府补一点6.00元。``."""
    said = []
    for share in Share:
        fen = sum(line.fen for line in meal.lines if line.share == share)
        if fen:
            said.append(f"{SHARE_NAMES[share]}{yuan_text(fen)}")
    return f"{meal.canteen_name}{_what(meal)}，价格{yuan_text(meal.list_fen)}：{'，'.join(said)}。"


def _ended(meal: MealSeen) -> datetime:
    return meal.ended_at or meal.placed_at


def _by(meal: MealSeen) -> str:
    return meal.ended_by_name or "系统"


def _order_facts(meal: MealSeen) -> Iterator[Fact]:
    yield from words_fact("state", "状态", STATE_NAMES[meal.state])
    yield from words_fact("canteen", "助餐点", meal.canteen_name)
    yield Fact("served_on", "用餐日期", meal.served_on.isoformat(), _what(meal))
    yield from words_fact("way", "用餐方式", WAY_NAMES[Way(meal.way)])
    yield from words_fact("placed_by", "订餐人", f"{meal.placed_by_name}（{SOURCE_NAMES[OrderSource(meal.source)]}）")
    yield from moment_fact("placed_at", "订餐时间", meal.placed_at)
    yield from moment_fact("cut_off_at", "截止时间", meal.cut_off_at)
    yield Fact("pickup_number", "取餐号", meal.pickup_number, str(meal.pickup_number))
    if meal.revision > 1:
        changed = meal.revision - 1
        yield Fact("changes", "改餐次数", changed, f"改过{changed}次，以下是最后一次的价格")


def _diner_facts(meal: MealSeen) -> Iterator[Fact]:
    """The diner on the day of the meal, as far as rules ask."""
    if meal.age is not None:
        yield Fact("age", "当天年龄", meal.age, f"{meal.age}岁")
    held = [one.name + ("（后来撤销）" if one.withdrawn else "") for one in meal.categories]
    yield Fact("categories", "当天的特殊类别", held, "、".join(held) or "无")
    if meal.assessment_level is not None:
        yield Fact("assessment_level", "能力评估等级", meal.assessment_level, f"{meal.assessment_level}级")
    yield from words_fact("diet_form", "餐食形态", DIET_FORM_NAMES[DietForm(meal.diet_form)])


_WITHOUT_A_RULE = {
    "dish": "菜单价",
    "delivery": "按办法收的送餐费",
    "volunteer_delivery": "志愿者送餐，送餐费由志愿服务抵",
    "voucher": "用餐券抵本人应付的部分",
    "elder_pays": "其余由本人付",
}


def _line_facts(meal: MealSeen) -> Iterator[Fact]:
    """Each line of the receipt with its rule and version."""
    for line in meal.lines:
        who = "列出" if line.share is None else SHARE_NAMES[Share(line.share)]
        rule = meal.rule_sentences.get(line.rule_key) or _WITHOUT_A_RULE.get(line.rule_key, line.label)
        named = "" if rule.startswith(line.label) else f"{line.label}，"
        value = {"share": line.share, "rule_key": line.rule_key, "fen": line.fen, "policy_version": line.policy_version}
        text = f"{yuan_text(line.fen)}：{named}{rule}（第{line.policy_version}版办法）"
        yield Fact(f"line_{line.number}", who, value, text)


def _end_facts(meal: MealSeen) -> Iterator[Fact]:
    if meal.voucher_code is not None:
        text = f"{meal.voucher_code}（{hours_text(meal.voucher_minutes)}）"
        yield Fact("voucher", "用餐券", meal.voucher_code, text)
    if meal.cash_fen:
        yield Fact("cash_fen", "其中付现金", meal.cash_fen, yuan_text(meal.cash_fen))
    if meal.state in (OrderState.MISSED, OrderState.UNDELIVERED):
        yield Fact("charged_fen", "收取", meal.charged_fen, yuan_text(meal.charged_fen))
    yield from moment_fact("ended_at", "办结时间", meal.ended_at)
    yield from words_fact("ended_by", "经办", meal.ended_by_name)
    yield from moment_fact("corrected_at", "冲正时间", meal.corrected_at)
