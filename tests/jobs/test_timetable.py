"""Every job of the timetable does its work once, however often and by however many processes it is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
from sqlalchemy.orm import Session

from app.adapters.wechat import WeChat
from app.jobs.job import Job
from app.jobs.runner import run_job
from app.jobs.sending import Sender
from app.jobs.timetable import timetable
from clients.fake_wechat.server import FakeWeChat
from tests.jobs.due import DUE, START
from timebank.core import clock
from timebank.core.db import Database


@pytest.fixture
def wechat() -> Iterator[FakeWeChat]:
    with FakeWeChat() as running:
        yield running


@pytest.fixture
def jobs(wechat: FakeWeChat) -> dict[str, Job]:
    sender = Sender(WeChat(wechat.url, "wx-test", "secret"), "template")
    return {job.name: job for job in timetable(sender)}


def test_every_job_of_the_timetable_has_something_due_here(jobs: dict[str, Job]) -> None:
    assert set(DUE) == set(jobs)


@pytest.mark.parametrize("name", DUE)
def test_a_job_does_its_work_once_when_run_again_and_again(bank: Database, jobs: dict[str, Job], name: str) -> None:
    clock.freeze(START)
    look = DUE[name].prepare(bank)
    assert seen(bank, look) == DUE[name].before
    assert run_job(bank, jobs[name]) == (1, 0)
    assert seen(bank, look) == DUE[name].after
    assert run_job(bank, jobs[name])[1] == 0
    assert seen(bank, look) == DUE[name].after


@pytest.mark.parametrize("name", DUE)
def test_a_job_does_its_work_once_when_two_processes_find_the_same(
    bank: Database, jobs: dict[str, Job], wechat: FakeWeChat, name: str
) -> None:
    clock.freeze(START)
    look = DUE[name].prepare(bank)
    both, before_commit = Barrier(2, timeout=30), Barrier(2)

    def find_together(session: Session) -> Iterable[Any]:
        items = list(jobs[name].find(session))
        both.wait()
        return items

    def do_before_the_other_commits(session: Session, item: Any) -> object:
        answer = jobs[name].do(session, item)
        with suppress(BrokenBarrierError):
            # Who waits for the other's lock never comes here; then the other goes on alone.
            before_commit.wait(0.5)
        return answer

    outcomes: list[tuple[int, int]] = []
    job = replace(jobs[name], find=find_together, do=do_before_the_other_commits)
    threads = [Thread(target=lambda: outcomes.append(run_job(bank, job))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [failed for _, failed in outcomes] == [0, 0]
    assert seen(bank, look) == DUE[name].after
    assert len(wechat.state.messages()) == (1 if name == "send_notices" else 0)


def test_without_a_wechat_every_other_job_runs(jobs: dict[str, Job]) -> None:
    assert {job.name for job in timetable(None)} == set(jobs) - {"send_notices"}


def seen(bank: Database, look: Any) -> object:
    with bank.session() as session:
        return look(session)
