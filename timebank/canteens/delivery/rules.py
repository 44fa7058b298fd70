"""Kitchens and delivery rounds 配送: states, codes, what an undelivered meal costs, refusals. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from uuid import UUID

from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.people.widths import half_width, without_blanks


class RoundState(StrEnum):
    """Where a round stands; planned again, those that nobody has taken are replaced; one that never left lapses."""

    PLANNED = "planned"
    DEPARTED = "departed"
    FINISHED = "finished"
    REPLACED = "replaced"
    LAPSED = "lapsed"


ROUND_STATE_NAMES = {
    RoundState.PLANNED: "待出发",
    RoundState.DEPARTED: "配送中",
    RoundState.FINISHED: "已完成",
    RoundState.REPLACED: "已重排",
    RoundState.LAPSED: "没有出发",
}


class RoundCarrier(StrEnum):
    """Who carries a round: a volunteer, for whom it is a task, or a courier with a name and a phone."""

    VOLUNTEERS = "volunteers"
    COURIER = "courier"


CARRIER_NAMES = {RoundCarrier.VOLUNTEERS: "志愿者", RoundCarrier.COURIER: "配送员"}


class StopOutcome(StrEnum):
    """What became of a stop; ``elsewhere`` is an order that ended without the carrier, as when somebody fetched it."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    ELSEWHERE = "elsewhere"
    REPLACED = "replaced"


OUTCOME_NAMES = {
    StopOutcome.DELIVERED: "已送达",
    StopOutcome.UNDELIVERED: "未送达",
    StopOutcome.ELSEWHERE: "另行处理",
    StopOutcome.REPLACED: "已重排",
}


class UndeliveredReason(StrEnum):
    """Why a meal did not reach its diner; ``not_brought``, that nobody said anything, is the bank's own finding."""

    NOBODY_HOME = "nobody_home"
    REFUSED = "refused"
    WRONG_ADDRESS = "wrong_address"
    SPILLED = "spilled"
    LATE = "late"
    NOT_BROUGHT = "not_brought"


REASON_NAMES = {
    UndeliveredReason.NOBODY_HOME: "家中无人",
    UndeliveredReason.REFUSED: "本人不收",
    UndeliveredReason.WRONG_ADDRESS: "地址不对",
    UndeliveredReason.SPILLED: "餐食洒漏",
    UndeliveredReason.LATE: "送得太晚",
    UndeliveredReason.NOT_BROUGHT: "助餐点没有送出",
}

REPORTED = tuple(reason for reason in UndeliveredReason if reason is not UndeliveredReason.NOT_BROUGHT)
"""Reasons that a carrier can name; policy says what each of them costs."""

CODE_DIGITS = 4

_STEPS = {
    ("start", RoundState.PLANNED): RoundState.DEPARTED,
    ("finish", RoundState.DEPARTED): RoundState.FINISHED,
    ("replace", RoundState.PLANNED): RoundState.REPLACED,
    ("lapse", RoundState.PLANNED): RoundState.LAPSED,
    ("give", RoundState.PLANNED): RoundState.PLANNED,
    ("hand_over", RoundState.DEPARTED): RoundState.DEPARTED,
}


def after(step: str, state: str) -> RoundState:
    """The state of a round after a step. Raises Conflict ``wrong_state``."""
    try:
        return _STEPS[step, RoundState(state)]
    except KeyError:
        name = ROUND_STATE_NAMES[RoundState(state)]
        raise Conflict("wrong_state", f"这一趟配送{name}，不能这样办理", status=str(state)) from None


def handover_code(digest: bytes) -> str:
    """The code of one order, from a digest that only the bank can compute."""
    return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}}"


def code_fits(code: str, typed: str) -> bool:
    """Whether what was typed is the code; full-width digits and blanks do not matter."""
    return compare_digest(code.encode(), without_blanks(half_width(typed)).encode())


def code_wrong(tries_left: int) -> Refused:
    """The refusal of a wrong code, with how many tries are left."""
    return Refused(
        "handover_code_wrong", "交接码不对，请老人再念一遍", field="handover_code", tries_left=max(0, tries_left)
    )


def code_blocked() -> Refused:
    """The refusal once a code was guessed at too often."""
    return Refused("handover_code_blocked", "交接码错误次数太多，请联系助餐点核实", field="handover_code")


def round_unknown(round_id: object) -> BankError:
    """The refusal for a round that is not there, or nobody's business of the asker."""
    return NotFound("round_unknown", "没有这一趟配送", round_id=round_id)


def stop_unknown(order_id: object) -> BankError:
    """The refusal for an order that no round carries, or nobody's business of the asker."""
    return NotFound("stop_unknown", "这份订餐不在配送途中", order_id=order_id)


def must_be_open(outcome: str | None) -> None:
    """Raises Conflict ``stop_closed`` for a stop that was closed before."""
    if outcome is not None:
        name = OUTCOME_NAMES[StopOutcome(outcome)]
        raise Conflict("stop_closed", f"这一份{name}，不能再办理", outcome=str(outcome))


def must_have_no_stops_left(left: int) -> None:
    """Raises Conflict ``round_has_stops_left``."""
    if left:
        raise Conflict("round_has_stops_left", f"还有{left}份没有送达或登记", stops=left)


def must_be_past_cut_off(cut_off_at: datetime, now: datetime) -> None:
    """Before the cut-off orders still come and go. Raises Conflict ``cut_off_not_reached``."""
    if now < cut_off_at:
        raise Conflict("cut_off_not_reached", "订餐还没有截止，不能安排配送", cut_off_at=cut_off_at)


def charge_percent(percents: Mapping[str, int], reason: str) -> int:
    """How much of the elder's share is kept for an undelivered meal, in percent, by reason."""
    return percents[UndeliveredReason(reason)]


def minutes_between(cooked_at: datetime | None, delivered_at: datetime) -> int | None:
    """Whole minutes from cooking to the door, begun ones counted; None where the kitchen said nothing, or later."""
    if cooked_at is None or cooked_at > delivered_at:
        return None
    return -((cooked_at - delivered_at) // timedelta(minutes=1))


def works_at(actor: Actor, canteen_id: UUID, township_code: str) -> bool:
    """Whether the actor does a canteen's work: its clerk, or a steward of its township."""
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        return actor.organisation_id == canteen_id
    return actor.stewards(township_code)


def must_work_at(actor: Actor, canteen_id: UUID, township_code: str) -> None:
    """Raises NotAllowed ``canteen_not_yours``."""
    if not works_at(actor, canteen_id, township_code):
        raise NotAllowed("canteen_not_yours", "只能办理本助餐点的事项", canteen_id=canteen_id)


def must_look_into(actor: Actor, canteen_id: UUID, township_code: str) -> None:
    """Whoever works at a canteen looks into its kitchen, and an auditor. Raises NotAllowed ``canteen_not_yours``."""
    if actor.staff_role is not StaffRole.AUDITOR:
        must_work_at(actor, canteen_id, township_code)


def must_be_carried(*, taken: bool) -> None:
    """Raises Conflict ``round_not_taken`` for a round without a volunteer or courier."""
    if not taken:
        raise Conflict("round_not_taken", "这一趟还没有人接单，请先接单或指派配送员")


def must_be_checked_in(checked_in: bool) -> None:
    """Whoever leaves has checked in, or the minutes would be lost. Raises Conflict ``check_in_first``."""
    if not checked_in:
        raise Conflict("check_in_first", "请志愿者先签到，再出发")


def must_be_todays(served_on: date, today: date) -> None:
    """Raises Refused ``cooked_only_today``."""
    if served_on != today:
        raise Refused("cooked_only_today", "只能登记当天的出餐", field="on", today=today)


def code_needed() -> Refused:
    """The refusal of a handover without a code."""
    return Refused("handover_code_needed", "请输入老人的交接码", field="handover_code")
