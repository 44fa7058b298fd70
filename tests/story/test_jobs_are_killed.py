"""Jobs that die at any point: whatever was due is done once, and the books balance, when they are let run to the end.

A real ``timebank run-job`` is killed with SIGKILL again and again, each time at another moment of its work.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.factories.minutes import grant_minutes, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder
from tests.story.killing import Start, Work, jobs_of, kill_in_mid_work
from tests.story.running_bank import PATIENCE_S
from tests.thorough import length
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import place_hold
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.care import actions as care

ELDERS, VOUCHERS_EACH, HOLDS_EACH, LOTS_EACH, VISITS_EACH = 12, 12, 12, 12, 6
MINUTES_EACH = 60 * (VOUCHERS_EACH + VISITS_EACH) + 100
LATER = timedelta(days=400)
KILLS = length(1, 4)
SEED = 20261122


WORK = {
    "care_deadlines": Work(
        "SELECT count(*) FROM care_booking WHERE ended_at IS NULL",
        "SELECT count(*), count(DISTINCT booking_id) FROM care_event WHERE step = 'lapse'",
        (ELDERS * VISITS_EACH, ELDERS * VISITS_EACH),
    ),
    "expire_vouchers": Work(
        "SELECT count(*) FROM voucher WHERE status = 'issued'",
        "SELECT count(*), count(DISTINCT cause_id) FROM ledger_transfer WHERE kind = 'voucher_expiry'",
        (ELDERS * VOUCHERS_EACH, ELDERS * VOUCHERS_EACH),
    ),
    "expire_holds": Work(
        "SELECT count(*) FROM ledger_hold WHERE state = 'placed'",
        "SELECT count(*), count(DISTINCT id) FROM ledger_hold WHERE state = 'expired'",
        (ELDERS * HOLDS_EACH, ELDERS * HOLDS_EACH),
    ),
    "sweep_lots": Work(
        "SELECT count(*) FROM ledger_account WHERE expires_on IS NOT NULL AND posted > 0",
        "SELECT count(*), count(DISTINCT from_account_id) FROM ledger_transfer WHERE kind = 'lot_expiry'",
        (ELDERS * LOTS_EACH, ELDERS * LOTS_EACH),
    ),
}


@pytest.fixture
def start(bank: Database, tmp_path: Path) -> Iterator[Start]:
    """Starts jobs of the test's bank."""
    with jobs_of(bank, tmp_path) as run:
        yield run


def fill(bank: Database) -> int:
    """Vouchers, visits, holds and lots that will all be over; answers the minutes that people have in all."""
    for number in range(ELDERS):
        with bank.unit_of_work() as session:
            elder = add_elder(session, (XIWU, SHANGTIAN, DAYAN)[number % 3])
            account_id = save_minutes(session, elder, MINUTES_EACH)
            buy_vouchers(session, actor=elder, quantity=VOUCHERS_EACH)
            for days in range(1, VISITS_EACH + 1):
                care.book(session, actor=elder, wanted=care.Visit(clock.now() + timedelta(days=days), 60))
            for days in range(1, LOTS_EACH + 1):
                grant_minutes(session, elder, 45, expires_on=clock.today() + timedelta(days=days))
            for minutes in range(1, HOLDS_EACH + 1):
                place_hold(
                    session,
                    hold_id=new_id(),
                    account_id=account_id,
                    amount=minutes,
                    expires_at=clock.now() + timedelta(hours=minutes),
                    cause_kind="a booking",
                    cause_id=new_id(),
                )
    return ELDERS * MINUTES_EACH


def test_jobs_killed_in_mid_work_finish_what_was_begun_once(bank: Database, start: Start) -> None:
    had, chance, killed = fill(bank), random.Random(SEED), 0
    later = clock.now() + LATER
    for job, work in WORK.items():
        for _ in range(KILLS):
            killed += kill_in_mid_work(bank, work, start(job, later), chance.uniform(0, 0.05))
        assert start(job, later).wait(PATIENCE_S) == 0
        assert work.left(bank) == 0
        assert work.was_done(bank) == work.expected
    assert killed >= KILLS * len(WORK) // 2, "hardly any job was killed before its work was done"
    with bank.session() as session:
        saved = text("SELECT sum(posted), sum(held) FROM ledger_account WHERE kind = 'savings'")
        assert tuple(session.execute(saved).one()) == (had, 0)
