"""How a statement 对账单 is worded, in a workbook as on a page."""

from __future__ import annotations

from timebank.clearing.queries import StatementView
from timebank.clearing.rules import PRICE_KIND_NAMES, PriceKind
from timebank.core.amounts import hours_text, yuan_text

TITLE = "奉化区时间银行镇街清算对账单"
SIGNATURES = ("经办人", "复核人", "负责人（签字盖章）", "日期")
MEANING = "应收是其他镇街应付给本镇街的，应付是本镇街应付给其他镇街的；净额为正是应收，为负是应付。"
LINE_DISPUTE_NAMES = {None: "", "raised": "已提出", "moved": "移入下一周期", "stays": "维持在本周期"}
NO_PRICE = "缺参考价"


def position_text(said: StatementView) -> str:
    """The position in words: hours and yuan, each owed to the township or by it.

    The two may differ: at different prices one can be owed minutes and owe money.
    """
    minutes, fen = said.position_minutes, said.position_fen
    hours = f"{_way(minutes)} {hours_text(abs(minutes))}（{abs(minutes)} 分钟）"
    return f"{hours}，{NO_PRICE if fen is None else f'{_way(fen)} {yuan_text(abs(fen))}'}"


def _way(amount: int) -> str:
    return "应收" if amount > 0 else "应付" if amount < 0 else "收付相抵"


def prices_text(said: StatementView) -> str:
    """The reference prices in words."""
    prices = said.prices_fen_per_hour
    return "，".join(f"{PRICE_KIND_NAMES[kind]} {yuan_text(prices[kind])}/小时" for kind in PriceKind if kind in prices)


def standing_text(said: StatementView) -> str:
    """How the township stands against its limits now; nothing where the window is settled."""
    now = said.standing
    if now is None:
        return ""
    owed = f"{'应收' if now.owed_minutes < 0 else '应付'} {hours_text(abs(now.owed_minutes))}"
    granted = f"，另放行 {hours_text(now.override_minutes)}" if now.override_minutes else ""
    limits = f"软限额 {hours_text(now.soft_limit_minutes)}，硬限额 {hours_text(now.hard_limit_minutes)}{granted}"
    return f"{owed}（{limits}），{now.limit_state_name}"


def settled_text(said: StatementView) -> str:
    """How the window was settled, in words; nothing where it is not."""
    settlement = said.settlement
    if settlement is None:
        return ""
    where = f"（{settlement.carried_into}）" if settlement.carried_into else ""
    return f"{settlement.method_name}{where}，{settlement.status_name}"


def confirmed_text(said: StatementView) -> str:
    """Who confirmed it for the township; nothing while the window is open."""
    confirmed = said.confirmation
    if confirmed is None:
        return "" if said.window.closed_at is None else "尚未确认"
    return confirmed.confirmed_by_name + (f"（{confirmed.note}）" if confirmed.note else "")


def seal_label(said: StatementView) -> str:
    """What the seal is at this stage."""
    if said.seal is None:
        return "封存值"
    return "封存值（已结算，不再更改）" if said.seal_is_final else "封存值（核对中，可能变动）"


def grouped_seal(said: StatementView) -> str:
    """The seal in groups of eight characters, so that people can compare it."""
    if said.seal is None:
        return "本周期进行中，尚未封存"
    return " ".join(said.seal[place : place + 8] for place in range(0, len(said.seal), 8))
