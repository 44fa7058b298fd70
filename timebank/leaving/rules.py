"""Leaving and dying: where the minutes go, what has to be settled first, who must agree. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from timebank.core.amounts import yuan_text
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused


class Destination(StrEnum):
    """Where the savings of whoever leaves go."""

    POOL = "pool"
    RELATIVE = "relative"


class LeavingReason(StrEnum):
    """Why an account is closed."""

    LEFT = "left"
    DIED = "died"


DESTINATION_NAMES = {Destination.POOL: "公益时间池", Destination.RELATIVE: "亲属"}
REASON_NAMES = {LeavingReason.LEFT: "退出", LeavingReason.DIED: "身故"}

OPEN_KIND_NAMES = {
    "task": "服务任务",
    "care_booking": "居家养老预约",
    "aid_loan": "康复辅具借用",
    "hold": "冻结的时长",
    "meal_money": "餐费余额",
}
"""What may still be open when somebody wants to leave."""


@dataclass(frozen=True, slots=True)
class OpenThing:
    """Something that has to be brought to an end first; ``until`` is when it ends by itself, where it does."""

    kind: str
    id: UUID | int
    until: datetime | None

    @property
    def kind_name(self) -> str:
        """What people call it."""
        return OPEN_KIND_NAMES.get(self.kind, OPEN_KIND_NAMES["hold"])


def must_be_settled(open_things: Sequence[OpenThing], reason: LeavingReason) -> None:
    """Raises Conflict ``not_settled_yet`` with everything that is open."""
    if not open_things:
        return
    items: list[dict[str, Any]] = [
        {
            "kind": thing.kind,
            "kind_name": thing.kind_name,
            "id": str(thing.id),
            "until": None if thing.until is None else thing.until.isoformat(),
        }
        for thing in open_things
    ]
    kinds = "、".join(sorted({thing.kind_name for thing in open_things}))
    wanted = "退出" if reason is LeavingReason.LEFT else "身故办结"
    raise Conflict("not_settled_yet", f"还有{len(items)}项没有办结（{kinds}），办结或取消后再办理{wanted}", items=items)


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the money of a purse is paid back."""

    canteen_id: UUID
    name: str
    address: str
    phone: str


class MealMoney(Protocol):
    """What somebody has for meals, in fen."""

    @property
    def balance_fen(self) -> int:
        """All of it."""

    @property
    def held_fen(self) -> int:
        """What of it is set aside for meals ordered."""

    @property
    def available_fen(self) -> int:
        """What can be paid back."""


def purse_not_empty(purse: MealMoney, counters: Sequence[Counter]) -> Conflict:
    """The refusal of leaving while there is money in the purse, with how much, and where it is paid back."""
    where = "；".join(f"{one.name}（{one.address}，{one.phone}）" for one in counters) or "任何一个助餐点"
    held = f"其中{yuan_text(purse.held_fen)}为已订的餐冻结，请先取消订餐或用餐。" if purse.held_fen else ""
    return Conflict(
        "purse_not_empty",
        f"餐费余额还有{yuan_text(purse.balance_fen)}，请先到助餐点柜台退款，再办理退出",
        detail=f"{held}退款地点：{where}。",
        balance_fen=purse.balance_fen,
        held_fen=purse.held_fen,
        available_fen=purse.available_fen,
        counters=[
            {"canteen_id": str(one.canteen_id), "name": one.name, "address": one.address, "phone": one.phone}
            for one in counters
        ],
    )


def must_name_one(to: str, to_person_id: UUID | None, person_id: UUID) -> None:
    """The relative is named when the savings go to one, and only then. Raises Refused ``relative_needed``."""
    if (to == Destination.RELATIVE) != (to_person_id is not None) or to_person_id == person_id:
        raise Refused("relative_needed", "转给亲属时须指定亲属，转入公益时间池时不用指定", field="to_person_id")


def evidence_given(evidence: str | None) -> str:
    """What shows it, without blanks around it. Raises Refused ``evidence_missing``."""
    said = (evidence or "").strip()
    if not said:
        raise Refused("evidence_missing", "请填写依据", field="evidence")
    return said


def check_died_on(died_on: date, born_on: date, today: date) -> None:
    """Nobody dies before being born, or tomorrow. Raises Refused ``died_on_invalid``."""
    if not born_on <= died_on <= today:
        raise Refused("died_on_invalid", "身故日期有误", field="died_on")


def must_be_another(login_id: UUID | None, before: Sequence[UUID | None]) -> None:
    """Who reports and the two who approve are three people. Raises NotAllowed ``second_person_needed``."""
    if login_id is None or login_id in before:
        raise NotAllowed("second_person_needed", "上报人和两位批准人须是三位不同的管理员")


def report_ended(*, declined: bool) -> BankError:
    """The refusal of another step on a report that was declined or carried out."""
    said = "已驳回" if declined else "已办结"
    return Conflict("death_report_ended", f"这项身故上报{said}", declined=declined)
