"""Production: secrets must be given, nothing of development is there, and nobody migrates unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.running_bank import PRODUCTION, RunningBank, reachable_home, timebank

PASSWORD = "a password of the office"


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_home() as folder:
        yield folder


def test_production_serves_no_demo_no_clock_no_fake_wechat_and_is_ready_once_somebody_migrated(home: Path) -> None:
    bank = RunningBank(home, settings=PRODUCTION)
    try:
        bank.wait_until("/healthz")
        assert bank.status_of("/readyz") == 503
        unready = timebank(home, "verify", **PRODUCTION)
        assert (unready.returncode, "timebank db upgrade" in unready.stderr) == (1, True)
        assert "Traceback" not in unready.stderr
        upgraded = timebank(home, "db", "upgrade", **PRODUCTION)
        assert (upgraded.returncode, upgraded.stderr) == (0, "")
        bank.wait_until("/readyz")
        bank.wait_for(lambda: "jobs_started" in bank.said(), "the jobs")
        refused = bank.call("POST", "/auth/staff-login", {"username": "district", "password": "timebank-demo"})
        assert (refused.status, refused["code"]) == (401, "login_refused")
        assert bank.call("POST", "/dev/clock", {"now": "2036-01-01T00:00:00Z"}).status == 404
        assert not any("fake_wechat" in Path(f"/proc/{pid}/cmdline").read_text() for pid in bank.family())
        _real_staff_can_work(bank)
        assert bank.stop() == 0
        assert "timebank-demo" not in bank.said()
    finally:
        bank.close()
    requests = [json.loads(line) for line in bank.said().splitlines() if '"event": "request"' in line]
    assert {"operation", "status", "ms", "request_id"} <= requests[-1].keys()


def _real_staff_can_work(bank: RunningBank) -> None:
    words = ["staff", "add", "civil-affairs", "--name", "区民政局", "--role", "district_steward"]
    added = timebank(bank.home, *words, stdin=f"{PASSWORD}\n{PASSWORD}\n", **PRODUCTION)
    assert added.returncode == 0, added.stderr
    login = bank.call("POST", "/auth/staff-login", {"username": "civil-affairs", "password": PASSWORD})
    positions = bank.get("/clearing/positions", login["access_token"])
    assert (positions.status, len(positions["items"])) == (200, 12)


def test_serve_without_secrets_in_production_says_what_is_missing_and_makes_nothing(home: Path) -> None:
    done = timebank(home, "serve", TIMEBANK_ENV="production")
    [sentence] = done.stderr.splitlines()
    assert done.returncode == 1
    for name in ("TIMEBANK_SECRET_KEY", "TIMEBANK_WECHAT_APPID", "TIMEBANK_WECHAT_SECRET"):
        assert name in sentence
    assert not home.exists()


def test_the_damaged_secret_of_a_home_is_not_replaced(home: Path) -> None:
    home.mkdir(mode=0o711)
    (home / "secret-key").write_text("")
    done = timebank(home, "policies", "show")
    assert done.returncode == 1
    assert "secret-key" in done.stderr.splitlines()[0]
    assert (home / "secret-key").read_text() == ""
