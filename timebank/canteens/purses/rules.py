"""Purses 餐费余额 and tills: how much is put in, taken out and handed in, and what a line says. Pure.

Amounts are fen. No large prepayments: a purse has a cap, and so has one top-up (both are policy).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from timebank.core.amounts import yuan_text
from timebank.core.clock import LOCAL
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.people.rules import person_frozen

TOP_UP, PAY_BACK, HANDED_IN = "purse_top_up", "purse_pay_back", "till_handed_in"
"""Kinds of transfer: cash into a purse, cash back out of it, cash of a drawer brought to the office."""

INHERITED, ESTATE_PAID = "purse_inherited", "purse_estate_paid"
"""Kinds of transfer: what the dead had in the purse, into the heir's, or paid to an heir at the office."""

CAUSE_SLIP, CAUSE_HAND_IN, CAUSE_ESTATE = "purse_slip", "till_hand_in", "purse_estate"
"""What such a transfer names as its cause."""


class SlipKind(StrEnum):
    """Which way the cash went."""

    TOP_UP = "top_up"
    PAY_BACK = "pay_back"


SLIP_KIND_NAMES = {SlipKind.TOP_UP: "充值", SlipKind.PAY_BACK: "退款"}


def must_be_moderate(amount: int, balance: int, *, most_at_once: int, most_in_all: int) -> None:
    """Raises Refused ``top_up_too_large`` or ``purse_full``, with how much may be put in."""
    if amount > most_at_once:
        title = f"一次最多充值{yuan_text(most_at_once)}"
        raise Refused("top_up_too_large", title, max_fen=most_at_once, field="amount_fen")
    if balance + amount > most_in_all:
        free = max(0, most_in_all - balance)
        title = f"餐费余额最多{yuan_text(most_in_all)}，现有{yuan_text(balance)}，还可充{yuan_text(free)}"
        raise Refused("purse_full", title, max_fen=most_in_all, balance_fen=balance, free_fen=free)


def must_be_in_drawer(amount: int, drawer: int) -> None:
    """Nobody takes out of a drawer what is not in it. Raises Conflict ``drawer_short``, with what is in it."""
    if amount > drawer:
        title = f"钱箱里应有{yuan_text(drawer)}，不够这次的{yuan_text(amount)}"
        raise Conflict("drawer_short", title, drawer_fen=drawer, needed_fen=amount)


def must_be_paid_to_the_living(name: str, *, death_reported: bool, left: bool) -> None:
    """A counter pays the holder; what the dead leave is paid at the office, on evidence, by two people.

    Raises Conflict ``person_frozen`` while a report is looked into; Refused ``estate_at_the_office`` after that.
    """
    if death_reported and left:
        raise Refused("estate_at_the_office", f"{name}已身故，餐费余额由镇街凭继承依据退给继承人，柜台不能退")
    if death_reported:
        raise person_frozen(name)


def must_be_an_estate(name: str, *, died: bool, left: bool) -> None:
    """Whose death was approved and carried out. Raises Conflict ``death_not_settled``."""
    if not (died and left):
        raise Conflict("death_not_settled", f"{name}没有已办结的身故上报，不能按继承退餐费余额")


def estate_empty(name: str) -> Conflict:
    """The refusal where nothing is left to be paid out."""
    return Conflict("estate_empty", f"{name}的餐费余额为零，没有可退的")


def estate_differs(receiver_name: str, evidence: str) -> Conflict:
    """The refusal of an approval that names somebody else, or another paper, than was asked for."""
    title = f"申请写的是退给{receiver_name}（{evidence}），与您填的不一致，请核对"
    return Conflict("estate_differs", title, receiver_name=receiver_name, evidence=evidence)


def reference_already_entered(reference: str, received_at: datetime, received_by_name: str) -> Conflict:
    """The refusal for a receipt whose money is in the books already."""
    title = f"凭证号{reference}已由{received_by_name}于{received_at.astimezone(LOCAL):%Y年%m月%d日}登记过，请核对"
    return Conflict(
        "reference_already_entered",
        title,
        reference=reference,
        received_at=received_at,
        received_by_name=received_by_name,
    )


def not_your_purse() -> NotFound:
    """The refusal for a purse that is none of the asker's business."""
    return NotFound("purse_unknown", "没有这位用餐人的餐费余额")


def clerk_only() -> NotAllowed:
    """The refusal for whoever stands at no counter."""
    return NotAllowed("clerk_only", "只有助餐点工作人员可以办理")


def till_not_yours() -> NotAllowed:
    """The refusal for a drawer that is none of the asker's business."""
    return NotAllowed("till_not_yours", "只能查看本助餐点、本镇街的钱箱")


@dataclass(frozen=True, slots=True)
class LineFacts:
    """What is known of one line of a purse; ``fen`` is signed."""

    kind: str
    fen: int
    canteen_name: str | None
    served_on: date | None
    meal_name: str | None
    note: str


def line_sentence(line: LineFacts) -> str:
    """Why money came or went, in one sentence for the diner."""
    place = line.canteen_name or "助餐点"
    amount = yuan_text(abs(line.fen))
    meal = f"{line.served_on:%m月%d日}{line.meal_name or '用餐'}" if line.served_on else "用餐"
    if line.kind == TOP_UP:
        return f"您在{place}交现金{amount}，存入餐费余额。"
    if line.kind == PAY_BACK:
        return f"{place}从餐费余额退给您现金{amount}。"
    if line.kind == INHERITED:
        way = "转入您的餐费余额" if line.fen > 0 else "转入继承人的餐费余额"
        return f"身故后余下的{amount}按登记{way}。"
    if line.kind == ESTATE_PAID:
        return f"身故后余下的{amount}由镇街凭继承依据退给继承人。{line.note}"
    if line.kind == "meal_elder":
        return f"在{place}{meal}，您本人付{amount}。"
    if line.kind == "meal_missed":
        return f"{meal}在{place}订了没有来取，按规定收取{amount}。"
    if line.kind == "reversal":
        return f"{meal}已冲正，{amount}{'退回餐费余额' if line.fen > 0 else '扣回'}。理由：{line.note}。"
    return f"{amount}。{line.note}"
