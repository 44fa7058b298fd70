"""The life of ``timebank serve``: it comes up, ends with everything it started, and comes back after a crash."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.running_bank import (
    RunningBank,
    alive,
    all_gone,
    free_port,
    listens,
    reachable_home,
    timebank,
)


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_home() as folder:
        yield folder


def test_two_banks_beside_each_other_end_cleanly_one_by_ctrl_c_and_one_by_sigterm(home: Path) -> None:
    with reachable_home() as other_home:
        first, second = RunningBank(home, "--workers", "2"), RunningBank(other_home, "--no-jobs")
        try:
            for bank in (first, second):
                bank.wait_until()
            first.wait_for(lambda: _workers_at_work(first) == 2, "both workers")
            families = first.family(), second.family()
            assert first.staff("district") != second.staff("district")
            assert _roles(families[0]) == {"serve", "workers", "jobs", "fake_wechat", "postgres"}
            assert _roles(families[1]) == {"serve", "workers", "fake_wechat", "postgres"}
            _requests_of_both_workers_are_counted(first)
            # A terminal sends Ctrl-C to the whole group, workers included.
            assert first.stop(signal.SIGINT, group=True) == 0, first.said()
            assert all_gone(families[0])
            assert not listens(first.port)
            assert "refused to gracefully stop" not in first.said()
            assert second.status_of("/readyz") == 200
            assert second.stop(signal.SIGTERM) == 0, second.said()
            assert all_gone(families[1])
            assert not listens(second.port)
        finally:
            first.close()
            second.close()
        for bank in (first, second):
            assert "时间银行已停止" in bank.said()
            assert "Traceback" not in bank.said()


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def _roles(pids: set[int]) -> set[str]:
    """What the processes of a bank are there for."""
    marks = {"spawn_main": "workers", " serve": "serve", " jobs": "jobs", "fake_wechat": "fake_wechat"}
    marks |= {"bin/postgres": "postgres", "resource_tracker": "serve"}
    return {next(role for mark, role in marks.items() if mark in _command(pid)) for pid in pids}


def _workers_at_work(bank: RunningBank) -> int:
    """Workers leave the terminal's group when they begin to work."""
    workers = [pid for pid in bank.family() if "spawn_main" in _command(pid)]
    return sum(os.getpgid(pid) == pid for pid in workers)


def _requests_of_both_workers_are_counted(bank: RunningBank) -> None:
    asked = 40
    for _ in range(asked):
        bank.status_of("/healthz")
    # Whichever worker answers, it answers for both.
    for _ in range(6):
        counted = re.search(
            r'timebank_requests_total\{operation="healthz",status="200"\} (\d+)', bank.text_of("/metrics")
        )
        assert counted is not None
        assert int(counted[1]) == asked


def test_a_bank_killed_outright_leaves_nothing_serving_and_the_next_one_goes_on_with_its_data(home: Path) -> None:
    bank = RunningBank(home)
    try:
        bank.wait_until()
        enrolled = bank.call(
            "POST",
            "/people",
            {"name": "王梅", "id_number": "330224195001010026", "township_code": "330213007", "roles": ["volunteer"]},
            token=bank.staff("shangtian"),
        )
        servants = bank.family() - {bank.process.pid, _postgres_of(home)}
        bank.stop(signal.SIGKILL)
        assert all_gone(servants)
        assert alive(_postgres_of(home))
        os.kill(_postgres_of(home), signal.SIGKILL)
    finally:
        bank.close()
    next_bank = RunningBank(home, port=bank.port)
    try:
        next_bank.wait_until()
        found = next_bank.get("/people/find", next_bank.staff("shangtian"), id_number="330224195001010026")
        assert (found["person_id"], found["name"]) == (enrolled["person_id"], "王梅")
        family = next_bank.family()
        assert next_bank.stop() == 0
        assert all_gone(family)
    finally:
        next_bank.close()


def test_jobs_that_were_killed_are_started_again_and_a_taken_port_is_one_sentence(home: Path) -> None:
    bank = RunningBank(home)
    try:
        bank.wait_until()
        [jobs] = [pid for pid in bank.family() if " jobs" in _command(pid)]
        _wait_for_a_line(bank, "jobs_started")
        os.kill(jobs, signal.SIGKILL)
        _wait_for_a_line(bank, "jobs_started", times=2)
        with reachable_home() as other_home:
            refused = timebank(other_home, "serve", TIMEBANK_PORT=str(bank.port))
            assert refused.returncode == 1
            [sentence] = refused.stderr.splitlines()
            assert f"127.0.0.1:{bank.port}" in sentence
            assert "TIMEBANK_PORT" in sentence
            assert not other_home.exists()
        assert bank.stop() == 0
    finally:
        bank.close()


def _postgres_of(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def _wait_for_a_line(bank: RunningBank, text: str, *, times: int = 1) -> None:
    bank.wait_for(lambda: bank.said().count(text) >= times, f"{times} × {text}")


def test_ctrl_c_while_the_bank_comes_up_stops_the_database_too(home: Path) -> None:
    bank = RunningBank(home, port=free_port())
    try:
        bank.wait_for((home / "postgres" / "data" / "postmaster.pid").exists, "the database's start")
        family = bank.family()
        assert bank.stop(group=True) == 0
        assert all_gone(family)
        assert "Traceback" not in bank.said()
    finally:
        bank.close()
