"""A server told to stop while counters redeem answers all that it has taken: nothing is done and left unsaid."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from app.auth.tokens import issue_token
from tests.conftest import SECRET
from tests.factories.people import XIWU, add_canteen, add_staff_login
from tests.story.running_bank import PATIENCE_S, PRODUCTION, RunningBank, reachable_home
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.redemption.models import VoucherScan

CLIENTS = 16
ENOUGH = 200


@pytest.fixture
def home() -> Iterator[Path]:
    with reachable_home() as folder:
        yield folder


def test_what_was_taken_before_the_stop_is_answered(home: Path, database_url: str) -> None:
    bank = Database(database_url)
    with bank.unit_of_work() as session:
        canteen = add_canteen(session, XIWU)
        where = {"township_code": XIWU, "organisation_id": canteen.id}
        login = add_staff_login(session, "counter", "a password of some length", StaffRole.CANTEEN_CLERK, **where)
    token = issue_token(login.id)
    settings = {**PRODUCTION, "TIMEBANK_SECRET_KEY": SECRET, "TIMEBANK_DATABASE_URL": database_url}
    server = RunningBank(home, "--no-jobs", settings=settings)
    answered: set[str] = set()
    numbers = count()
    try:
        server.wait_until()
        with ThreadPoolExecutor(CLIENTS) as threads:
            crowd = [threads.submit(_redeem, server.port, token, numbers, answered) for _ in range(CLIENTS)]
            server.wait_for(lambda: len(answered) > ENOUGH, "answers")
            assert server.stop(signal.SIGTERM) == 0, server.said()
            for client in crowd:
                client.result(PATIENCE_S)
    finally:
        server.close()
    with bank.session() as session:
        done = set(session.scalars(select(VoucherScan.nonce)))
    bank.close()
    assert done == answered
    assert "WARNING" not in server.said()


def _redeem(port: int, token: str, numbers: Iterator[int], answered: set[str]) -> None:
    """Scan a code that nobody knows, again and again, each under a nonce of its own, until the server is gone."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    line = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    while True:
        nonce = f"n{next(numbers)}"
        try:
            line.request(
                "POST", "/api/v1/vouchers/redeem", json.dumps({"code": "22222222222", "nonce": nonce}), headers
            )
            answer = line.getresponse()
            assert json.loads(answer.read())["reason"] == "voucher_unknown"
            answered.add(nonce)
        except (OSError, HTTPException):
            line.close()
            return
