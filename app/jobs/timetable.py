"""What runs when: one table. Every job finds its items, then does each in a unit of work of its own.

A job may run in two processes at once, and twice in a row: an item is locked, looked at again and done once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.jobs.sending import Sender
from timebank.clearing import actions as clearing
from timebank.core.actors import SYSTEM
from timebank.core.replies import forget_old_replies
from timebank.ledger import actions as ledger
from timebank.notifications.actions import unsent_notices
from timebank.people.actions import forget_old_attempts
from timebank.redemption import actions as redemption
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation

EVERY_FEW_S = 5
"""For what people wait for; each look is one indexed query."""

BATCH = 500
"""Items looked for at once; what is left is found at the next turn."""

Find = Callable[[Session], Iterable[Any]]
Do = Callable[[Session, Any], object]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its name, what it is for, how often it runs, how it finds its items and what it does with one."""

    name: str
    title: str
    every_s: int
    find: Find
    do: Do


def _once(_session: Session) -> Iterable[Any]:
    return [None]


def timetable(sender: Sender | None) -> tuple[Job, ...]:
    """All jobs of the bank; without a sender those that need none, so that no notice is given up for want of WeChat."""
    return _minute_jobs() + _clearing_jobs() + _ledger_jobs() + (() if sender is None else (_sending(sender),))


def _minute_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "auto_confirm",
            "到期自动确认服务",
            EVERY_FEW_S,
            lambda s: tasks.confirmations_due(s, limit=BATCH),
            lambda s, task_id: tasks.confirm_many(s, [Confirmation(task_id, SYSTEM)]),
        ),
        Job(
            "lapse_tasks",
            "过期、未到与忘记签退的任务",
            EVERY_FEW_S,
            lambda s: tasks.lapsing(s, limit=BATCH),
            lambda s, task_id: tasks.lapse(s, task_id=task_id),
        ),
        Job(
            "take_back_reversed",
            "冲正后的服务不再计入",
            EVERY_FEW_S,
            lambda s: tasks.reversed_parts(s, limit=BATCH),
            lambda s, part_id: tasks.take_back(s, part_id=part_id),
        ),
        Job(
            "expire_vouchers",
            "用餐券过期退回",
            EVERY_FEW_S,
            lambda s: redemption.expired_vouchers(s, limit=BATCH),
            lambda s, voucher_id: redemption.expire_voucher(s, voucher_id=voucher_id),
        ),
        Job(
            "expire_holds",
            "到期解冻",
            EVERY_FEW_S,
            lambda s: ledger.expired_holds(s, limit=BATCH),
            lambda s, hold_id: ledger.end_hold(s, hold_id=hold_id, expired=True),
        ),
        Job(
            "sweep_lots",
            "到期时长转入公益时间池",
            300,
            lambda s: ledger.expired_lots(s, limit=BATCH),
            lambda s, account_id: ledger.sweep_lot(s, account_id=account_id),
        ),
    )


def _clearing_jobs() -> tuple[Job, ...]:
    return (
        Job("tally_clearing", "累计镇街往来、查看限额", 10, _once, lambda s, _: clearing.tally_new_movements(s)),
        Job(
            "close_window",
            "清算周期到期关账",
            60,
            clearing.windows_due,
            lambda s, name: clearing.close_due_window(s, window_name=name),
        ),
        Job(
            "recompute_positions",
            "每夜按划转复算头寸",
            600,
            clearing.recomputations_due,
            lambda s, day: clearing.recompute(s, day=day),
        ),
    )


def _ledger_jobs() -> tuple[Job, ...]:
    return (
        Job("seal", "封存新划转", 120, _once, lambda s, _: ledger.seal_new_transfers(s)),
        Job("take_checkpoints", "余额检查点", 3600, _once, lambda s, _: ledger.take_checkpoints(s)),
        Job("hand_out_seal", "分发每日封存", 600, _once, lambda s, _: ledger.hand_out_seal(s)),
        Job("forget_old_replies", "清理旧的幂等应答", 3600, _once, lambda s, _: forget_old_replies(s, limit=10_000)),
        Job(
            "forget_old_attempts",
            "清理旧的登录失败记录",
            3600,
            _once,
            lambda s, _: forget_old_attempts(s, limit=10_000),
        ),
    )


def _sending(sender: Sender) -> Job:
    return Job("send_notices", "发送通知", EVERY_FEW_S, lambda s: unsent_notices(s, limit=BATCH), sender.send)
