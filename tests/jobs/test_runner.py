"""The runner: one unit of work an item, failures kept apart, and a clean stop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.jobs.job import Job
from app.jobs.runner import run_job, run_until_told
from timebank.core.db import Database
from timebank.core.errors import Conflict, Refused


@pytest.fixture
def table(bank: Database) -> Database:
    with bank.unit_of_work() as session:
        session.execute(text("CREATE TABLE done_here (item int PRIMARY KEY)"))
    return bank


@pytest.fixture(autouse=True)
def _signals_kept() -> Iterator[None]:
    kept = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    yield
    for sign, handler in kept.items():
        signal.signal(sign, handler)


def note(session: Session, item: int) -> None:
    session.execute(text("INSERT INTO done_here VALUES (:item)"), {"item": item})


def noted(bank: Database) -> list[int]:
    with bank.session() as session:
        return list(session.scalars(text("SELECT item FROM done_here ORDER BY item")))


def job(do: object, items: list[int], *, every_s: int = 3600) -> Job:
    return Job("a_job", "测试", every_s, lambda _: items, do)  # type: ignore[arg-type]


def test_an_item_that_fails_undoes_only_itself(table: Database) -> None:
    def do(session: Session, item: int) -> None:
        note(session, item)
        if item == 2:
            raise ZeroDivisionError

    assert run_job(table, job(do, [1, 2, 3])) == (2, 1)
    assert noted(table) == [1, 3]


@pytest.mark.parametrize(
    ("refusal", "counted"),
    [(Conflict("wrong_state", "已办理"), (2, 0)), (Refused("account_closed", "账户已销户"), (2, 1))],
)
def test_being_late_is_no_failure_but_any_other_refusal_is_one(
    table: Database, refusal: Conflict | Refused, counted: tuple[int, int]
) -> None:
    def raised(session: Session, item: int) -> None:
        note(session, item)
        if item == 2:
            raise refusal

    def answered(_session: Session, item: int) -> list[object]:
        return [refusal if item == 2 else "done"]

    assert run_job(table, job(raised, [1, 2, 3])) == counted
    assert run_job(table, job(answered, [1, 2, 3])) == counted
    assert noted(table) == [1, 3]


def test_an_item_that_breaks_its_connection_does_not_keep_the_next_from_being_done(table: Database) -> None:
    def do(session: Session, item: int) -> None:
        if item == 1:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        note(session, item)

    assert run_job(table, job(do, [1, 2])) == (1, 1)
    assert noted(table) == [2]


def test_when_told_to_stop_the_item_under_way_is_the_last(table: Database) -> None:
    over = threading.Event()

    def do(session: Session, item: int) -> None:
        over.set()
        note(session, item)

    assert run_job(table, job(do, [1, 2, 3]), over) == (1, 0)
    assert noted(table) == [1]


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_every_job_runs_soon_after_the_start_and_a_signal_ends_the_runner_cleanly(
    table: Database, sign: signal.Signals
) -> None:
    def do(session: Session, item: int) -> None:
        # Told in the middle of its work, which is done nevertheless.
        os.kill(os.getpid(), sign)
        note(session, item)

    before = threading.active_count()
    run_until_told(table, (job(do, [7]),))
    assert noted(table) == [7]
    assert threading.active_count() == before


def test_a_job_that_cannot_even_look_leaves_the_others_running(table: Database) -> None:
    def blind(_session: Session) -> list[int]:
        raise ZeroDivisionError

    def do(session: Session, item: int) -> None:
        note(session, item)
        os.kill(os.getpid(), signal.SIGTERM)

    run_until_told(table, (Job("blind", "测试", 3600, blind, do), job(do, [7])))
    assert noted(table) == [7]
