"""A task as one person sees it: on which side they stand, how it is in words, and what they can do next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.web.screens import clock_text
from timebank.core.amounts import hours_text
from timebank.tasks.rules import GONE, NOT_BEGUN, TaskStatus, may

Task = dict[str, Any]
Part = dict[str, Any]

_IN_DISPUTE = "有申诉，等镇街管理员裁定"
_UNDERWAY = ("open", "accepted", "checked_in", "checked_out", "disputed", "recorded")

_SERVING = {
    "accepted": "您已接单，请按时到",
    "disputed": _IN_DISPUTE,
    "recorded": "镇街补录的服务，等审批",
    "rejected": "补录没有通过",
    "reversed": "记入的时长已经冲正",
}
_HELPED = {
    TaskStatus.OPEN: "正在等志愿者接单",
    TaskStatus.ACCEPTED: "{who}会来",
    TaskStatus.CHECKED_IN: "{who}正在服务",
    TaskStatus.CHECKED_OUT: "{who}做完了，请您确认",
    TaskStatus.CONFIRMED: "{who}的服务已经确认",
    TaskStatus.DISPUTED: _IN_DISPUTE,
}


@dataclass(frozen=True, slots=True)
class Seen:
    """One task, the person's own part in it if any, and whether it is help for them or their elder."""

    task: Task
    part: Part | None
    helped: bool
    on_behalf_of: str
    words: str
    steps: tuple[str, ...]
    awaiting: tuple[Part, ...]

    @property
    def mine(self) -> bool:
        """Whether it is more to this person than an offer."""
        return self.helped or self.part is not None

    @property
    def underway(self) -> bool:
        """Whether something is still to come."""
        return self.mine and self.task["status"] in _UNDERWAY

    @property
    def shows_code(self) -> bool:
        """The code is for whoever comes to the door: of use once somebody has promised to come."""
        return self.helped and any(one["status"] == "accepted" for one in self.task["assignments"])

    @property
    def shows_where(self) -> bool:
        """Where to go is for the volunteer until the visit is over, and for the helped side until somebody comes."""
        if not self.task["beneficiary_name"]:
            return False
        if self.part is not None:
            return self.part["status"] in ("accepted", "checked_in")
        return self.helped and self.task["status"] in ("open", "accepted")

    @property
    def gone(self) -> list[Part]:
        """Who had agreed to come and does not, with the reason, for the helped side."""
        withdrawn = [one for one in self.task["assignments"] if one["status"] == "withdrawn"]
        return withdrawn if self.helped and self.task["status"] == "open" else []


def look(task: Task, person_id: UUID | None) -> Seen:
    """The task in this person's eyes."""
    me = str(person_id)
    part = next((one for one in task["assignments"] if one["volunteer_id"] == me and one["status"] not in GONE), None)
    # The bank shows the code to the helped side and to nobody else of the people.
    helped = "service_code" in task or task["beneficiary_id"] == me
    others = [one for one in task["assignments"] if one["volunteer_id"] != me and one["status"] not in GONE]
    awaiting = tuple(one for one in others if helped and may("confirm", one["status"]))
    elder = task["beneficiary_name"] if helped and task["beneficiary_id"] != me else ""
    words = _serving_words(part) if part is not None else _words(task, others, helped=helped)
    return Seen(task, part, helped, elder, words, _steps(task, part, others, helped=helped), awaiting)


def _serving_words(part: Part) -> str:
    if part["status"] == "checked_in":
        return f"您{clock_text(part['checked_in_at'])}签到，正在服务"
    if part["status"] == "checked_out":
        return f"您服务了{hours_text(part['served_minutes'])}，等对方确认"
    if part["status"] == "confirmed":
        return f"已确认，记入{hours_text(part['payable_minutes'])}"
    return _SERVING[part["status"]]


def _words(task: Task, others: list[Part], *, helped: bool) -> str:
    status = TaskStatus(task["status"])
    if helped and status in _HELPED:
        return _HELPED[status].format(who="、".join(one["volunteer_name"] for one in others))
    if status is TaskStatus.OPEN:
        return "正在找志愿者" if task["places"] == 1 else f"要{task['places']}人，还缺{task['places_left']}人"
    return str(task["status_name"])


def _steps(task: Task, part: Part | None, others: list[Part], *, helped: bool) -> tuple[str, ...]:
    """What the bank would take from this person now; the bank itself decides once it is asked."""
    status = task["status"]
    own = part["status"] if part is not None else ""
    open_to_call_off = status in ("open", "accepted") and all(one["status"] in NOT_BEGUN for one in others)
    on_offer = {
        "accept": part is None and not helped and status == "open" and task["places_left"] > 0,
        "check_in": bool(own) and may("check_in", own),
        "check_out": bool(own) and may("check_out", own),
        "confirm": helped and any(may("confirm", one["status"]) for one in others),
        "dispute": may("dispute", own) if own else helped and any(may("dispute", one["status"]) for one in others),
        "cancel": may("withdraw", own) if own else helped and open_to_call_off,
    }
    return tuple(step for step, offered in on_offer.items() if offered)
