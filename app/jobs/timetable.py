"""What runs when: one table. Every job finds its items, then does each in a unit of work of its own.

A job may run in two processes at once, and twice in a row: an item is locked, looked at again and done once.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from app.jobs.figures import figure_jobs
from app.jobs.job import BATCH, EVERY_FEW_S, Job
from app.jobs.meals import meal_jobs
from app.jobs.sending import Sender
from timebank.allotments import actions as allotments
from timebank.clearing import actions as clearing
from timebank.core.actors import SYSTEM
from timebank.core.replies import forget_old_replies
from timebank.importing.actions.office_imports import forget_file, forgotten_files
from timebank.leaving import actions as leaving
from timebank.ledger import actions as ledger
from timebank.notifications.actions import unsent_notices
from timebank.notifications.proposals import tell_of_proposal, untold_proposals
from timebank.people import actions as people
from timebank.redemption import actions as redemption
from timebank.redemption.aids import actions as aids
from timebank.redemption.care import actions as care
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation

MOST_ENDINGS = 50_000
"""Endings of vouchers numbered at once, in one statement; a lunch in the whole province is fewer."""


def _once(_session: Session) -> Iterable[Any]:
    return [None]


def timetable(sender: Sender | None) -> tuple[Job, ...]:
    """All jobs of the bank; without a sender those that need none, so that no notice is given up for want of WeChat."""
    groups = (
        *(_minute_jobs(), _voucher_jobs(), _offline_jobs(), _aid_jobs(), _care_jobs()),
        *(_family_jobs(), _allotment_jobs(), _clearing_jobs(), _ledger_jobs(), meal_jobs(), figure_jobs()),
    )
    return tuple(job for group in groups for job in group) + (() if sender is None else (_sending(sender),))


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
            "用餐券过期",
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


def _offline_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "make_signing_key",
            "公布下一个签名密钥",
            60,
            redemption.signing_keys_due,
            lambda s, _: redemption.make_signing_key(s),
        ),
        Job(
            "number_endings",
            "提前结束的用餐券上名单",
            EVERY_FEW_S,
            redemption.endings_waiting,
            lambda s, _: redemption.number_endings(s, limit=MOST_ENDINGS),
        ),
    )


def _care_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "assign_care",
            "居家养老自动派单",
            EVERY_FEW_S,
            lambda s: care.assignments_due(s, limit=BATCH),
            lambda s, booking_id: care.assign_best(s, booking_id=booking_id),
        ),
        Job(
            "care_deadlines",
            "居家养老到期：未派单、未到、忘记签退、自动确认",
            EVERY_FEW_S,
            lambda s: care.deadlines_passed(s, limit=BATCH),
            lambda s, booking_id: care.move_on(s, booking_id=booking_id),
        ),
        Job(
            "charge_care_reversals",
            "居家养老冲正计入下期账单",
            60,
            lambda s: care.uncharged_reversals(s, limit=BATCH),
            lambda s, transfer_id: care.charge_reversal(s, transfer_id=transfer_id),
        ),
        Job(
            "issue_care_bills",
            "居家养老月度账单",
            600,
            lambda s: care.bills_due(s, limit=BATCH),
            lambda s, due: care.issue_due_bill(s, provider_id=due[0], month=due[1]),
        ),
    )


def _aid_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "lapse_aid_reservations",
            "辅具预约过期，时长退回",
            EVERY_FEW_S,
            lambda s: aids.lapsed_reservations(s, limit=BATCH),
            lambda s, loan_id: aids.lapse_reservation(s, loan_id=loan_id),
        ),
        Job(
            "charge_aids",
            "按天扣辅具借用时长",
            60,
            lambda s: aids.charges_due(s, limit=BATCH),
            lambda s, due: aids.charge_day(s, loan_id=due[0], day=due[1]),
        ),
        Job(
            "remind_of_aids",
            "提醒归还辅具",
            600,
            lambda s: aids.reminders_to_send(s, limit=BATCH),
            lambda s, loan_id: aids.remind(s, loan_id=loan_id),
        ),
    )


def _family_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "tell_of_proposals",
            "告知待确认的亲属、代办请求",
            EVERY_FEW_S,
            lambda s: untold_proposals(s, limit=BATCH),
            lambda s, proposal_id: tell_of_proposal(s, proposal_id=proposal_id),
        ),
    )


def _allotment_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "grant_allotments",
            "按月发放政府购买服务时长",
            600,
            allotments.allotments_due,
            lambda s, batch: allotments.grant_allotments(s, batch=batch),
        ),
        Job(
            "grant_seed_hours",
            "发放种子时长",
            3600,
            allotments.seeds_due,
            lambda s, people: allotments.grant_seed_hours(s, people=people),
        ),
        Job(
            "follow_leavers",
            "退出后到账的时长随储蓄转出",
            60,
            lambda s: leaving.left_overs(s, limit=BATCH),
            lambda s, person_id: leaving.follow(s, person_id=person_id),
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


def _voucher_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "remind_vouchers",
            "提醒快到期的用餐券",
            300,
            lambda s: redemption.holders_to_remind(s, limit=BATCH),
            lambda s, holder_id: redemption.remind_holder(s, holder_id=holder_id),
        ),
        Job(
            "index_people",
            "补建按姓名和证件末四位的查找",
            60,
            lambda s: people.unindexed_people(s, limit=BATCH),
            lambda s, person_id: people.index_person(s, person_id=person_id),
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
            lambda s, _: people.forget_old_attempts(s, limit=10_000),
        ),
        Job(
            "forget_import_files",
            "删除过期的导入文件",
            600,
            forgotten_files,
            lambda s, import_id: forget_file(s, import_id=import_id),
        ),
        Job(
            "forget_old_web_sessions",
            "清理旧的网页登录",
            3600,
            _once,
            lambda s, _: people.forget_old_web_sessions(s, limit=10_000),
        ),
        Job(
            "forget_old_web_tickets",
            "清理旧的网页进门票",
            3600,
            _once,
            lambda s, _: people.forget_old_web_tickets(s, limit=10_000),
        ),
    )


def _sending(sender: Sender) -> Job:
    return Job("send_notices", "发送通知", EVERY_FEW_S, lambda s: unsent_notices(s, limit=BATCH), sender.send)
