"""Why minutes came or went: one sentence for each kind of transfer, from the side of whoever asks. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from timebank.core.amounts import Unit, hours_text, yuan_text
from timebank.explaining.rules import Explanation, Fact, Rule, Wanted, amount_fact, moment_fact, words_fact


@dataclass(frozen=True, slots=True)
class Moved:
    """One movement as the asker sees it: ``minutes`` is signed, ``other_name`` is who or what is on the other side."""

    kind: str
    kind_name: str
    minutes: int
    at: datetime
    effective_at: datetime
    own_township: str
    other_township: str
    other_name: str | None
    note: str
    done_by: str | None
    approved_by: str | None
    policy_version: int | None
    reversed_kind_name: str | None = None
    expires_on: str | None = None
    unit: str = Unit.MINUTE

    @property
    def amount(self) -> str:
        """How much, in words: time, or money."""
        words = hours_text if self.unit == Unit.MINUTE else yuan_text
        return words(abs(self.minutes))

    @property
    def came(self) -> bool:
        """Whether the asker received it."""
        return self.minutes > 0


@dataclass(frozen=True, slots=True)
class Said:
    """How one kind of transfer is explained."""

    sentence: Callable[[Moved], str]
    wanted: tuple[Wanted, ...] = ()
    advice: str | None = None


_ASK = "如与事实不符，请向镇街申诉，由两位管理员冲正。"


def _reversed(moved: Moved) -> str:
    what = moved.reversed_kind_name or "一笔划转"
    who = "、".join(name for name in (moved.done_by, moved.approved_by) if name)
    went = f"{moved.amount}{'退回' if moved.came else '扣回'}"
    return f"原来的“{what}”经{who or '两位管理员'}核实后冲正，{went}。理由：{moved.note}。"


def _gift(moved: Moved) -> str:
    other = moved.other_name or "亲属"
    return f"{other}把{moved.amount}赠给了您。" if moved.came else f"您把{moved.amount}赠给了{other}。"


def _from_moving(moved: Moved) -> str:
    if moved.other_township == moved.own_township:
        return f"为更正以前的一笔账，{moved.amount}转回原来的账户。"
    return f"您的登记在{moved.other_township}和{moved.own_township}之间迁移，储蓄时长{moved.amount}随人走，一分钟不少。"


def _granted(reason: str) -> Callable[[Moved], str]:
    def sentence(moved: Moved) -> str:
        until = f"，到{moved.expires_on}为止有效，先于储蓄时长使用" if moved.expires_on else ""
        return f"{reason}{moved.amount}{until}。"

    return sentence


_BY_KIND: dict[str, Said] = {
    "voucher_purchase": Said(
        lambda m: f"买用餐券用去{m.amount}。先用政府购买服务时长（快到期的在前），再用储蓄时长。",
        (Wanted("voucher_price_minutes"), Wanted("voucher_valid_days"), Wanted("redeem_min_age")),
    ),
    "voucher_redemption": Said(
        lambda m: f"{m.note or '用餐'}，用掉一张用餐券（{m.amount}）。", (Wanted("voucher_price_minutes"),), _ASK
    ),
    "voucher_refund": Said(lambda m: f"用餐券没有使用，{m.amount}退回原来的账户。{m.note}"),
    "voucher_expiry": Said(
        lambda m: f"用餐券过了有效期还没有使用，{m.amount}自动退回原来的账户。",
        (Wanted("voucher_valid_days"), Wanted("voucher_on_expiry")),
    ),
    "voucher_gift": Said(
        lambda m: (
            f"{m.other_name or '亲属'}送给您一张用餐券（{m.amount}）。"
            if m.came
            else f"您把一张用餐券（{m.amount}）送给了{m.other_name or '亲属'}。"
        ),
        (Wanted("gift_receiver_min_age"),),
    ),
    "care_use": Said(
        lambda m: f"上门服务用去{m.amount}：{m.note}。按实际时长扣，多冻结的已退回。",
        (Wanted("care_rates_percent"), Wanted("care_late_cancel_percent"), Wanted("care_not_home_percent")),
        _ASK,
    ),
    "aid_use": Said(
        lambda m: f"借用康复辅具用去{m.amount}：{m.note}。按天扣，开始的一天算一天。",
        (Wanted("aid_price_minutes_per_day"),),
        _ASK,
    ),
    "purse_top_up": Said(
        lambda m: f"您在助餐点交现金，餐费余额{'增加' if m.came else '减少'}{m.amount}。{m.note}",
        (Wanted("purse_max_fen"), Wanted("purse_top_up_max_fen")),
    ),
    "purse_pay_back": Said(lambda m: f"助餐点从餐费余额退给您现金{m.amount}。{m.note}"),
    "purse_inherited": Said(
        lambda m: (
            f"{m.other_name or '亲属'}身故后余下的餐费{m.amount}按登记转入您的餐费余额。"
            if m.came
            else f"身故后余下的餐费{m.amount}按登记转给{m.other_name or '亲属'}。"
        )
    ),
    "purse_estate_paid": Said(lambda m: f"身故后余下的餐费{m.amount}由两位管理员凭继承依据退给继承人。{m.note}"),
    "meal_elder": Said(
        lambda m: f"{m.note or '用餐'}，您本人付{m.amount}，其余由政府、捐款、菜园和志愿者分担，见订餐的价格明细。",
        (Wanted("meal_subsidy_rules"),),
        "如与事实不符，请向镇街申诉，由两位管理员冲正。",
    ),
    "meal_missed": Said(
        lambda m: f"订了餐没有来取，按规定收取您本人应付的{m.amount}。",
        (Wanted("meal_missed_charge_percent"), Wanted("missed_after_minutes")),
        "吃不了请在截止时间以前取消，分文不收。",
    ),
    "gift": Said(_gift, (Wanted("gift_relations"), Wanted("gift_receiver_min_age"))),
    "donation": Said(lambda m: f"您把{m.amount}捐入{m.own_township}公益时间池，用来帮助困难老人。荣誉时长照样保留。"),
    "hardship_help": Said(
        _granted("镇街从公益时间池帮扶您，经两位管理员批准，记入"),
        (Wanted("hardship_help_max_minutes"), Wanted("hardship_help_valid_days"), Wanted("hardship_circumstances")),
    ),
    "allotment": Said(
        _granted("政府按您的能力评估等级购买服务时长，按月记入"),
        (Wanted("allotment_minutes_by_level"), Wanted("allotment_valid_months")),
    ),
    "seed_grant": Said(
        _granted("您符合种子时长的条件（高龄独居，或困难失能），由镇街一次记入"),
        (Wanted("seed_minutes"), Wanted("seed_alone_min_age"), Wanted("seed_valid_days")),
    ),
    "surplus": Said(
        lambda m: (
            f"超过上限的{m.amount}转入公益时间池，荣誉时长照记。"
            if m.came
            else f"您得到的帮助用去{m.amount}；志愿者的时长已到上限，这部分记入公益时间池。"
        ),
        (Wanted("lifetime_cap_minutes"), Wanted("daily_cap_minutes")),
    ),
    "lot_expiry": Said(
        lambda m: f"政府购买服务时长到期没有用完，剩下的{m.amount}转入公益时间池。",
        (Wanted("allotment_valid_months"),),
    ),
    "inheritance": Said(
        lambda m: (
            f"{m.other_name or '亲属'}的储蓄时长{m.amount}按登记转给您。"
            if m.came
            else f"储蓄时长{m.amount}按登记转给{m.other_name or '亲属'}。"
        )
    ),
    "left_to_pool": Said(lambda m: f"办理退出，余下的{m.amount}转入公益时间池。"),
    "savings_moved": Said(_from_moving),
    "reversal": Said(_reversed, advice=_ASK),
    "service_credit": Said(
        lambda m: f"您得到的帮助用去{m.amount}：{m.note}。",
        (Wanted("service_rates_percent"), Wanted("tolerance_minutes"), Wanted("payment_order")),
        _ASK,
    ),
}
_BY_KIND["back_fill_credit"] = _BY_KIND["service_credit"]

EXPLAINED_KINDS = frozenset(_BY_KIND)


def rules_of_kind(kind: str) -> tuple[Wanted, ...]:
    """Which policies decide about a transfer of this kind."""
    return _BY_KIND[kind].wanted if kind in _BY_KIND else ()


def explain_movement(moved: Moved, rules: list[Rule]) -> Explanation:
    """Why this movement happened; a kind without a sentence of its own is told by its name and note."""
    said = _BY_KIND.get(moved.kind)
    reason = said.sentence(moved) if said else f"{moved.kind_name}{moved.amount}。{moved.note}"
    sign = "收入" if moved.came else "支出"
    return Explanation(
        title=f"{moved.kind_name}：{sign}{moved.amount}",
        reason=reason,
        happened_at=moved.at,
        policy_version=moved.policy_version,
        rules=rules,
        facts=_facts(moved),
        advice=said.advice if said else None,
    )


def _facts(moved: Moved) -> list[Fact]:
    return [
        amount_fact(moved.minutes, moved.unit),
        *moment_fact("posted_at", "入账", moved.at),
        *(moment_fact("effective_at", "发生", moved.effective_at) if moved.effective_at != moved.at else []),
        *words_fact("own_township", "本方镇街", moved.own_township),
        *words_fact("other_township", "对方镇街", moved.other_township),
        *words_fact("other_name", "对方", moved.other_name),
        *words_fact("note", "备注", moved.note),
        *words_fact("done_by", "经办", moved.done_by),
        *words_fact("approved_by", "批准", moved.approved_by),
    ]
