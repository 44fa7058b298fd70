"""For each job of the timetable: something that is due, and how to see what the job has made of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.factories.clearing import eat
from tests.factories.minutes import balance_at, fill_pool, grant_minutes, save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, ask, confirm, serve
from tests.jobs.due_aids import due_back_four_days_ago, lent_today, reserved_and_not_collected
from tests.jobs.due_allotments import assessed_before_this_month, eighty_and_alone, recorded_after_leaving
from tests.jobs.due_care import (
    booked_a_while_ago,
    visit_reversed_in_the_ledger,
    visited_last_month,
    visited_three_days_ago,
)
from tests.jobs.due_delivery import leaves_soon_with_nobody, ordered_to_the_door, planned_and_never_brought
from tests.jobs.due_family import asked_to_be_relatives
from tests.jobs.due_figures import eaten_and_not_summed_up, saved_last_month
from tests.jobs.due_imports import handed_in_long_ago
from tests.jobs.due_meal_counter import ordered_and_not_collected
from tests.jobs.due_offline import eaten_and_not_listed, signing_without_a_key
from tests.jobs.due_orders import ordered_and_left, ordered_for_a_closed_day, standing_for_tomorrow
from tests.jobs.due_ratings import a_month_of_meals_has_ended
from tests.jobs.due_subsidies import eaten_last_month
from tests.jobs.due_vouchers import about_to_expire, entered_before_the_index
from tests.jobs.due_web_sessions import opened_long_ago, signed_in_long_ago
from timebank.clearing.models import ClearingWindow, Recomputation, Tally
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.core.replies import KEPT_FOR, KeptReply
from timebank.ledger.actions import place_hold, reverse, seal_new_transfers
from timebank.ledger.models import Checkpoint, Hold, Seal, SealHandout, Transfer
from timebank.notifications.actions import notify_person
from timebank.notifications.models import Notice
from timebank.people.login_models import LoginAttempt
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.models import Voucher
from timebank.tasks.models import Task

Look = Callable[[Session], object]


@dataclass(frozen=True, slots=True)
class Due:
    """What is due: how to prepare it, answering what to look at, and what is seen before and after the job."""

    prepare: Callable[[Database], Look]
    before: object
    after: object


def volunteer(bank: Database, minutes: int = 0) -> Actor:
    """A volunteer of 尚田 of seventy, with savings where asked."""
    with bank.unit_of_work() as session:
        person = add_person(session, SHANGTIAN, age=70)
        if minutes:
            save_minutes(session, person, minutes)
    return person


def savings_of(session: Session, person: Actor) -> int:
    """Minutes a person has saved."""
    query = text("SELECT coalesce(sum(posted), 0) FROM ledger_account WHERE kind = 'savings' AND person_id = :id")
    return int(session.execute(query, {"id": person.person_id}).scalar_one())


def served_three_days_ago(bank: Database) -> Look:
    """A service checked out and then forgotten by the elder."""
    person = volunteer(bank)
    with bank.unit_of_work() as session:
        task = ask(session, add_elder(session, XIWU))
    serve(bank, person, task)
    clock.freeze(clock.now() + timedelta(hours=72, minutes=1))
    return lambda session: (session.get_one(Task, task.id).status, savings_of(session, person))


def asked_for_in_vain(bank: Database) -> Look:
    """A request whose time has passed without anybody coming."""
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        task = ask(session, elder)
    clock.freeze(clock.now() + timedelta(days=1))
    told = select(func.count()).select_from(Notice).where(Notice.person_id == elder.person_id)
    return lambda session: (session.get_one(Task, task.id).status, session.scalar(told))


def bought_half_a_year_ago(bank: Database) -> Look:
    """A voucher that nobody used."""
    person = volunteer(bank, 60)
    with bank.unit_of_work() as session:
        [voucher] = buy_vouchers(session, actor=person, quantity=1)
    clock.freeze(voucher.expires_at + timedelta(seconds=1))
    return lambda session: (session.get_one(Voucher, voucher.id).status, savings_of(session, person))


def held_until_yesterday(bank: Database) -> Look:
    """Minutes set aside for something that never came."""
    hold_id, ends = new_id(), clock.now() + timedelta(hours=1)
    with bank.unit_of_work() as session:
        account_id = save_minutes(session, add_person(session, XIWU), 60)
        place_hold(
            session,
            hold_id=hold_id,
            account_id=account_id,
            amount=45,
            expires_at=ends,
            cause_kind="care_booking",
            cause_id=new_id(),
        )
    clock.freeze(ends)
    held = text("SELECT held FROM ledger_account WHERE id = :id")
    return lambda session: (
        session.get_one(Hold, hold_id).state,
        session.execute(held, {"id": account_id}).scalar_one(),
    )


def granted_until_yesterday(bank: Database) -> Look:
    """An allotment of which something is left."""
    with bank.unit_of_work() as session:
        lot = grant_minutes(session, add_elder(session, XIWU), 90, expires_on=date(2026, 3, 31))
        pool = fill_pool(session, XIWU, 10)
    clock.freeze(clock.day_start(date(2026, 4, 1)))
    return lambda session: (balance_at(session, lot), balance_at(session, pool))


def written_but_unsent(bank: Database) -> Look:
    """A notice in the outbox."""
    person = volunteer(bank)
    with bank.unit_of_work() as session:
        notify_person(session, person_id=person.person(), title="时长已到账", body="陪伴1小时已记入您的时间账户。")
    return lambda session: session.scalar(select(func.count(Notice.sent_at)))


def posted_and_unsealed(bank: Database) -> Look:
    """One transfer that no seal covers."""
    volunteer(bank, 60)
    return lambda session: session.scalars(select(Seal.transfers)).all()


def sealed_and_unnoted(bank: Database) -> Look:
    """A sealed transfer out of an account without a floor."""
    posted_and_unsealed(bank)
    with bank.unit_of_work() as session:
        assert seal_new_transfers(session) is not None
    return lambda session: session.scalars(select(Checkpoint.balance)).all()


def sealed_yesterday(bank: Database) -> Look:
    """A seal of yesterday that no township holds yet."""
    sealed_and_unnoted(bank)
    clock.freeze(clock.now() + timedelta(days=1))
    told = select(func.count()).select_from(Notice).where(Notice.audience == "stewards")
    return lambda session: (session.scalar(select(func.count()).select_from(SealHandout)), session.scalar(told))


def reversed_in_the_ledger(bank: Database) -> Look:
    """A credit that two stewards have reversed."""
    person = volunteer(bank)
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, person, task)
    done = confirm(bank, elder, task)
    with bank.unit_of_work() as session:
        query = select(Transfer.id).where(Transfer.cause_id == done.parts[0].id, Transfer.id == Transfer.link_id)
        transfer_id = session.scalars(query).one()
        reverse(session, actor=steward(XIWU), transfer_id=transfer_id, reason="记错了人")
        reverse(session, actor=district(), transfer_id=transfer_id, reason="同意")
    return lambda session: session.get_one(Task, task.id, populate_existing=True).status


def guessed_long_ago(bank: Database) -> Look:
    """A name guessed at two days ago, and one just now."""
    now = clock.machine_now()
    with bank.unit_of_work() as session:
        session.add(LoginAttempt(username="long ago", failures=9, blocked_until=now - timedelta(days=2)))
        session.add(LoginAttempt(username="lately", failures=1, blocked_until=now))
    return lambda session: sorted(session.scalars(select(LoginAttempt.username)))


def answered_long_ago(bank: Database) -> Look:
    """A reply nobody will ask for again, and one that somebody may."""
    now = clock.machine_now()
    with bank.unit_of_work() as session:
        for key, kept_at in (("old", now - KEPT_FOR - timedelta(minutes=1)), ("new", now - timedelta(days=1))):
            reply = KeptReply(login_id=new_id(), key=key, operation="vouchers.buy", request_hash=b"h", kept_at=kept_at)
            session.add(reply)
    return lambda session: sorted(session.scalars(select(KeptReply.key)))


def eaten_elsewhere(bank: Database) -> Look:
    """A meal that the tally has not reached."""
    eat(bank, XIWU)
    return lambda session: session.scalars(select(Tally.minutes)).all()


def opened_last_month(bank: Database) -> Look:
    """A window whose month is over."""
    clock.freeze(clock.day_start(date(2026, 4, 1)))
    return lambda session: [(w.name, w.status) for w in session.scalars(select(ClearingWindow))]


def not_recomputed_tonight(bank: Database) -> Look:
    """A night in which nobody has looked at the positions."""
    eat(bank, XIWU)
    return lambda session: session.scalars(select(Recomputation.differences)).all()


DUE = {
    "tally_clearing": Due(eaten_elsewhere, [], [60]),
    "close_window": Due(opened_last_month, [("2026-03", "open")], [("2026-03", "closed"), ("2026-04", "open")]),
    "recompute_positions": Due(not_recomputed_tonight, [], [[]]),
    "auto_confirm": Due(served_three_days_ago, ("checked_out", 0), ("confirmed", 60)),
    "lapse_tasks": Due(asked_for_in_vain, ("open", 0), ("expired", 1)),
    "remind_vouchers": Due(about_to_expire, 0, 1),
    "index_people": Due(entered_before_the_index, None, 32),
    "expire_vouchers": Due(bought_half_a_year_ago, ("issued", 0), ("expired", 60)),
    "expire_holds": Due(held_until_yesterday, ("placed", 45), ("expired", 0)),
    "sweep_lots": Due(granted_until_yesterday, (90, 10), (0, 100)),
    "make_signing_key": Due(signing_without_a_key, 0, 1),
    "number_endings": Due(eaten_and_not_listed, [None, None, None], [1, 2, 3]),
    "send_notices": Due(written_but_unsent, 0, 1),
    "seal": Due(posted_and_unsealed, [], [1]),
    "take_checkpoints": Due(sealed_and_unnoted, [], [-60]),
    "hand_out_seal": Due(sealed_yesterday, (0, 0), (12, 12)),
    "forget_old_replies": Due(answered_long_ago, ["new", "old"], ["new"]),
    "take_back_reversed": Due(reversed_in_the_ledger, "confirmed", "reversed"),
    "lapse_aid_reservations": Due(reserved_and_not_collected, ("reserved", 3), ("lapsed", 0)),
    "charge_aids": Due(lent_today, ([], 90), ([30], 60)),
    "remind_of_aids": Due(due_back_four_days_ago, [], ["person", "stewards"]),
    "make_standing_orders": Due(standing_for_tomorrow, [], [(None, "placed", "standing")]),
    "mark_missed_orders": Due(ordered_and_not_collected, ("placed", (5000, 200)), ("missed", (4800, 0))),
    "plan_rounds": Due(ordered_to_the_door, [], [("planned", "open")]),
    "tell_of_untaken_rounds": Due(leaves_soon_with_nobody, 0, 1),
    "end_deliveries": Due(
        planned_and_never_brought,
        ("placed", (5000, 200), "planned"),
        ("undelivered", (5000, 0), "lapsed"),
    ),
    "stop_meals": Due(ordered_for_a_closed_day, (["placed"], 0), (["cancelled"], 1)),
    "stop_leavers_meals": Due(ordered_and_left, (["placed"], 0), (["cancelled"], 1)),
    "draw_follow_ups": Due(a_month_of_meals_has_ended, ([], 0), ([(1, 1)], 1)),
    "compute_claims": Due(eaten_last_month, [], [("2026-03", "checked", 1200, "系统")]),
    "assign_care": Due(booked_a_while_ago, "booked", "assigned"),
    "care_deadlines": Due(visited_three_days_ago, ("checked_out", 60), ("confirmed", 0)),
    "charge_care_reversals": Due(visit_reversed_in_the_ledger, (60, 3000), (0, 0)),
    "issue_care_bills": Due(visited_last_month, [], [("2026-03", 60)]),
    "tell_of_proposals": Due(asked_to_be_relatives, [], ["有请求待您确认"]),
    "forget_import_files": Due(handed_in_long_ago, 2, 1),
    "forget_old_web_sessions": Due(signed_in_long_ago, 2, 1),
    "forget_old_web_tickets": Due(opened_long_ago, 2, 1),
    "forget_old_attempts": Due(guessed_long_ago, ["lately", "long ago"], ["lately"]),
    "grant_allotments": Due(assessed_before_this_month, ([], 0, 0), ([120], 120, 1)),
    "grant_seed_hours": Due(eighty_and_alone, ([], 0), (["alone"], 600)),
    "follow_leavers": Due(recorded_after_leaving, (60, []), (0, [60])),
    "sum_up_days": Due(eaten_and_not_summed_up, [], [("03-10", 1)]),
    "close_bulletins": Due(saved_last_month, [], [("2026-02", "elders", 1), ("2026-02", "savings_minutes", 90)]),
}
START = NINE
