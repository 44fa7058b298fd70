"""The steps of a task, each on a page of its own: sign in, sign out, confirm, object, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, next_path, page
from app.web.phone.acting import sure
from app.web.phone.help import task_screen
from app.web.phone.help_seen import Seen, look
from app.web.screens import clock_text, filled, moment_text, screen
from timebank.core.amounts import hours_text
from timebank.tasks.rules import CANCEL_REASON_NAMES, CancelReason

doors = Blueprint("help_steps", __name__)

_WHY_NOT_COMING = (CancelReason.ILL, CancelReason.BUSY, CancelReason.MISTAKE, CancelReason.OTHER)
_WHY_NOT_NEEDED = (
    *(CancelReason.NOT_NEEDED, CancelReason.HELPED, CancelReason.ILL),
    *(CancelReason.BUSY, CancelReason.MISTAKE, CancelReason.OTHER),
)

STARS = ((5, "★★★★★ 很满意"), (4, "★★★★ 满意"), (3, "★★★ 一般"), (2, "★★ 不太满意"), (1, "★ 不满意"))


@page(doors, "/m/tasks/<uuid:task_id>/check-in", who="person")
def before_check_in(ask: Asker, task_id: UUID) -> Response:
    return _form(ask, task_id, "check_in")


@page(doors, "/m/tasks/<uuid:task_id>/check-in", who="person", method="POST")
def check_in(ask: Asker, task_id: UUID) -> Response:
    return _do(ask, task_id, "check_in", {"service_code": filled().get("service_code")}, "签到成功，开始计时")


@page(doors, "/m/tasks/<uuid:task_id>/check-out", who="person")
def before_check_out(ask: Asker, task_id: UUID) -> Response:
    return _form(ask, task_id, "check_out")


@page(doors, "/m/tasks/<uuid:task_id>/check-out", who="person", method="POST")
def check_out(ask: Asker, task_id: UUID) -> Response:
    return _do(ask, task_id, "check_out", None, "签退成功，等对方确认")


@page(doors, "/m/tasks/<uuid:task_id>/confirm", who="person")
def before_confirming(ask: Asker, task_id: UUID) -> Response:
    return _form(ask, task_id, "confirm")


@page(doors, "/m/tasks/<uuid:task_id>/confirm", who="person", method="POST")
def confirm(ask: Asker, task_id: UUID) -> Response:
    sent = filled()
    return _do(
        ask, task_id, "confirm", {"rating": sent.get("rating"), "comment": sent.get("comment")}, "已确认，谢谢您"
    )


@page(doors, "/m/tasks/<uuid:task_id>/dispute", who="person")
def before_objecting(ask: Asker, task_id: UUID) -> Response:
    return _form(ask, task_id, "dispute")


@page(doors, "/m/tasks/<uuid:task_id>/dispute", who="person", method="POST")
def dispute(ask: Asker, task_id: UUID) -> Response:
    return _do(ask, task_id, "dispute", {"reason": filled().get("reason")}, "申诉已交给镇街管理员")


@page(doors, "/m/tasks/<uuid:task_id>/cancel", who="person")
def before_cancelling(ask: Asker, task_id: UUID) -> Response:
    return _form(ask, task_id, "cancel")


@page(doors, "/m/tasks/<uuid:task_id>/cancel", who="person", method="POST")
def cancel(ask: Asker, task_id: UUID) -> Response:
    sent = filled()
    why = {name: sent.get(name) for name in ("reason", "words")}
    answer = ask.write("tasks.cancel", why, key=form_key(), task_id=task_id)
    if isinstance(answer, Refusal):
        return _form(ask, task_id, "cancel", answer)
    tell("已取消")
    return go("/m/tasks")


def _do(ask: Asker, task_id: UUID, step: str, body: dict[str, Any] | None, done: str) -> Response:
    answer = ask.write(f"tasks.{step}", body, key=form_key(), task_id=task_id)
    if isinstance(answer, Refusal):
        return _form(ask, task_id, step, answer)
    tell(done)
    return go(next_path(f"/m/tasks/{task_id}"))


def _form(ask: Asker, task_id: UUID, step: str, refusal: Refusal | None = None) -> Response:
    """The page of one step; where the step is not to be taken any more, the task itself."""
    seen = look(ask.read("tasks.show", task_id=task_id), ask.actor.person_id)
    if step not in seen.steps:
        return go(f"/m/tasks/{task_id}") if refusal is None else task_screen(ask, task_id, refusal)
    if step in _ONCE_MORE:
        return _ONCE_MORE[step](ask, seen, refusal)
    return screen(
        f"phone/help_{step}.html",
        ask.actor,
        refusal=refusal,
        seen=seen,
        stars=STARS,
        next=next_path(""),
    )


def _sure_to_cancel(ask: Asker, seen: Seen, refusal: Refusal | None) -> Response:
    serves = seen.part is not None
    reasons = _WHY_NOT_COMING if serves else _WHY_NOT_NEEDED
    return screen(
        "phone/help_cancel.html",
        ask.actor,
        refusal=refusal,
        seen=seen,
        serves=serves,
        facts=_facts(seen),
        reasons=[(str(reason), CANCEL_REASON_NAMES[reason]) for reason in reasons],
    )


def _sure_to_check_out(ask: Asker, seen: Seen, refusal: Refusal | None) -> Response:
    assert seen.part is not None
    of_task = f"/m/tasks/{seen.task['task_id']}"
    return sure(
        ask,
        "签退",
        to=f"{of_task}/check-out",
        button="做完了，签退",
        back=next_path(of_task),
        facts=[*_facts(seen), ("签到", clock_text(seen.part["checked_in_at"]))],
        words=("做完了再签退。签退以后不再计时，等对方确认。",),
        hidden={"next": next_path(of_task)},
        refusal=refusal,
    )


def _facts(seen: Seen) -> list[tuple[str, str]]:
    task = seen.task
    return [
        ("服务", task["service_type_name"]),
        ("时间", moment_text(task["starts_at"])),
        ("说好多久", hours_text(task["minutes"])),
    ]


_ONCE_MORE = {"cancel": _sure_to_cancel, "check_out": _sure_to_check_out}
"""Steps that need a second thought and have pages of their own."""
