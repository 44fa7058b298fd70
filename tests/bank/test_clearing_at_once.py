"""Closing a window while everybody goes on: each movement in one window, nobody refused, nobody made to wait."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank.clearing_by_hand import must_agree, owing_in
from tests.bank.clearing_crowd import work_and_close
from tests.bank.ledger_threads import held_open, wait_for_nobody
from tests.factories.imports import rows_of_all_tables
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, clerk, district
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.clearing.actions import close_window, tally_new_movements
from timebank.clearing.actions.tally import lock_mark, tally_up_to
from timebank.clearing.models import ClearingWindow
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict
from timebank.ledger.actions import seal, settled_seq
from timebank.redemption.actions import redeem_vouchers
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan


def test_a_window_closes_while_eight_redeem_without_pause(bank: Database) -> None:
    counters = work_and_close(bank, closings=(1, 2, 1, 2))
    assert {answer for counter in counters for answer in counter.answers} == {"ok"}
    by_window = must_agree(bank)
    assert len(by_window) == 5
    assert min(by_window) > 0
    with bank.session() as session:
        redeemed = text("SELECT count(*) FROM ledger_transfer WHERE kind = 'voucher_redemption' AND id = link_id")
        assert session.scalar(redeemed) == sum(len(counter.answers) for counter in counters)


def test_a_movement_whose_legs_lie_on_both_sides_of_the_end_is_in_the_window_of_its_first(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.freeze(NINE)
    (_, [first]), (_, [second]) = bought(bank), bought(bank)
    dayan, xiwu = counter_in(bank, DAYAN), counter_in(bank, XIWU)
    waiting = told_when_waiting(monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        with stopped_between_its_legs(bank, first):
            eating = pool.submit(scan, bank, dayan, first.code)
            wait_until_somebody_waits(bank, eating)
            closing = pool.submit(closed, bank)
            wait_until_it_waits(waiting, closing)
            # The end is taken; who comes now waits for nobody and belongs to the next window.
            with bank.unit_of_work() as session:
                wait_for_nobody(session)
                [answer] = redeem_vouchers(session, actor=xiwu, scans=[Scan(second.code, "n")])
        assert eating.result().verdict.accepted
        window = closing.result()
    with bank.session() as session:
        legs = text("SELECT seq FROM ledger_transfer WHERE cause_id = :id AND kind = 'voucher_redemption' ORDER BY seq")
        first_leg, second_leg = session.scalars(legs, {"id": first.id})
        assert (window.to_seq, window.last_leg_seq) == (first_leg, second_leg)
        assert all(seq > first_leg for seq in session.scalars(legs, {"id": second.id}))
    assert answer.verdict.accepted
    assert owing_in(bank, "2026-03") == {(SHANGTIAN, DAYAN): (60, 1)}
    assert owing_in(bank, None) == {(SHANGTIAN, XIWU): (60, 1)}
    assert must_agree(bank) == [1, 1]


def test_a_closing_waits_for_what_is_being_posted_and_who_comes_meanwhile_is_in_the_next_window(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.freeze(NINE)
    (_, [early]), (_, [late]) = bought(bank), bought(bank)
    dayan, xiwu = counter_in(bank, DAYAN), counter_in(bank, XIWU)
    waiting = told_when_waiting(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        with bank.session() as posting:
            redeem_vouchers(posting, actor=dayan, scans=[Scan(early.code, "n")])
            closing = pool.submit(closed, bank)
            wait_until_it_waits(waiting, closing)
            assert scan(bank, xiwu, late.code).verdict.accepted
            posting.commit()
        closing.result()
    assert must_agree(bank) == [1, 1]
    assert owing_in(bank, "2026-03") == {(SHANGTIAN, DAYAN): (60, 1)}
    assert owing_in(bank, None) == {(SHANGTIAN, XIWU): (60, 1)}


def test_the_tally_passes_nothing_over_that_is_still_being_posted(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.freeze(NINE)
    (_, [early]), (_, [late]) = bought(bank), bought(bank)
    dayan, xiwu = counter_in(bank, DAYAN), counter_in(bank, XIWU)
    waiting = told_when_waiting(monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        with bank.session() as posting:
            redeem_vouchers(posting, actor=dayan, scans=[Scan(early.code, "n")])
            assert scan(bank, xiwu, late.code).verdict.accepted
            tallying = pool.submit(tallied, bank)
            wait_until_it_waits(waiting, tallying)
            posting.commit()
        assert tallying.result() > 0
    assert must_agree(bank) == [2]
    closed(bank)
    assert must_agree(bank) == [2, 0]


def test_a_window_is_not_closed_while_a_posting_hangs_and_nothing_has_changed_then(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.freeze(NINE)
    _, [voucher] = bought(bank)
    dayan = counter_in(bank, DAYAN)
    with monkeypatch.context() as patch:
        patch.setattr(seal, "_PATIENCE_S", 0.05)
        with held_open(bank, lambda s: redeem_vouchers(s, actor=dayan, scans=[Scan(voucher.code, "n")])):
            before = rows_of_all_tables(bank)
            with pytest.raises(Conflict, match="postings_unfinished:"):
                closed(bank)
            assert rows_of_all_tables(bank) == before
    closed(bank)
    assert scan(bank, dayan, voucher.code).verdict.accepted
    assert must_agree(bank) == [0, 1]


def test_closing_twice_is_refused_and_changes_nothing(bank: Database) -> None:
    clock.freeze(NINE)
    _, [voucher] = bought(bank)
    assert scan(bank, counter_in(bank, DAYAN), voucher.code).verdict.accepted
    closed(bank)
    before = rows_of_all_tables(bank)
    with pytest.raises(Conflict, match="window_already_closed:") as told:
        closed(bank)
    assert told.value.facts == {"window": "2026-03", "closed_at": NINE}
    assert rows_of_all_tables(bank) == before


def test_closing_and_a_tally_that_is_at_work_end_one_after_the_other(bank: Database) -> None:
    """The tally writes rows that refer to the window, while the closing keeps it and waits for the tally."""
    clock.freeze(NINE)
    _, [voucher] = bought(bank)
    assert scan(bank, counter_in(bank, DAYAN), voucher.code).verdict.accepted
    with ThreadPoolExecutor(1) as pool:
        with bank.unit_of_work() as session:
            mark = lock_mark(session)
            closing = pool.submit(closed, bank)
            wait_until_somebody_waits(bank, closing)
            tally_up_to(session, mark, settled_seq(session) or 0)
        closing.result()
    assert must_agree(bank) == [1, 0]


def counter_in(bank: Database, township_code: str) -> Actor:
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, township_code))


def closed(bank: Database) -> ClearingWindow:
    with bank.unit_of_work() as session:
        return close_window(session, actor=district(), window_name="2026-03")


def tallied(bank: Database) -> int:
    with bank.unit_of_work() as session:
        return tally_new_movements(session)


def told_when_waiting(monkeypatch: pytest.MonkeyPatch) -> Event:
    """Set once a closing or a tally has taken its end and waits for those who were posting just then."""
    waiting = Event()

    def sleep(seconds: float) -> None:
        waiting.set()
        time.sleep(seconds)

    monkeypatch.setattr(seal, "time", SimpleNamespace(monotonic=time.monotonic, sleep=sleep))
    return waiting


@contextmanager
def stopped_between_its_legs(bank: Database, voucher: Voucher) -> Iterator[None]:
    """While the block runs, the redemption of this voucher stops when its first leg has a number, its second none."""
    with bank.unit_of_work() as session:
        _stop_first_leg_of(session, voucher)
    with held_open(bank, lambda s: s.execute(text("SELECT pg_advisory_xact_lock(1)"))):
        yield
    with bank.unit_of_work() as session:
        session.execute(text("DROP FUNCTION stop_a_moment CASCADE"))


def _stop_first_leg_of(session: Session, voucher: Voucher) -> None:
    session.execute(
        text(f"""
        CREATE FUNCTION stop_a_moment() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF NEW.cause_id = '{voucher.id}' AND NEW.id = NEW.link_id THEN
                PERFORM pg_advisory_xact_lock(1);
            END IF;
            RETURN NEW;
        END $$""")
    )
    session.execute(
        text("CREATE TRIGGER stopped BEFORE INSERT ON ledger_transfer FOR EACH ROW EXECUTE FUNCTION stop_a_moment()")
    )


def wait_until_it_waits(waiting: Event, doing: Future[Any]) -> None:
    """Come back when it waits for postings, or has ended without."""
    while not (waiting.is_set() or doing.done()):
        waiting.wait(timeout=0.01)


def wait_until_somebody_waits(bank: Database, doing: Future[Any]) -> None:
    """Come back when somebody waits for a lock. Raises what ``doing`` raised, if it ended instead."""
    looking = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with bank.session() as session:
        while not session.scalar(looking):
            session.rollback()
            if doing.done():
                raise AssertionError(f"did not wait, but said {doing.result()}")
