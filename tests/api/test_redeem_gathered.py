"""Counters that redeem at the same moment share a transaction; each hears its own answer, as if it had come alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import pytest
from flask import Flask
from prometheus_client import REGISTRY
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.api.together import Gatherings
from app.auth.tokens import issue_token
from tests.api.caller import Caller, proper_problem
from tests.api.description import Description
from tests.api.scene import PASSWORD
from tests.doors import SignIn
from tests.factories.people import DAYAN, XIWU, add_canteen, add_staff_login
from tests.factories.vouchers import bought
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.people.login_models import Login
from timebank.redemption import actions
from timebank.redemption.actions.known_vouchers import lock_canteens
from timebank.redemption.models import VoucherScan
from timebank.townships.models import Organisation

PATIENCE_S = 20
OPERATION = "vouchers.redeem"

Call = tuple[Caller, Mapping[str, Any]]


@pytest.fixture
def counters(app: Flask, bank: Database, description: Description) -> list[Caller]:
    """Clerks of three canteens in two townships."""
    with bank.unit_of_work() as session:
        logins = [_add_clerk(session, f"counter{n}", code) for n, code in enumerate((DAYAN, DAYAN, XIWU))]
    return [Caller(app, description, issue_token(login.id)) for login in logins]


def _add_clerk(session: Any, username: str, code: str) -> Login:
    canteen = add_canteen(session, code)
    where = {"township_code": code, "organisation_id": canteen.id}
    return add_staff_login(session, username, PASSWORD, StaffRole.CANTEEN_CLERK, **where)


def codes(bank: Database, quantity: int) -> list[str]:
    return [voucher.code for voucher in bought(bank, quantity)[1]]


def scan(code: str, nonce: str | None = None) -> dict[str, str]:
    return {"code": code, "nonce": nonce or str(new_id())}


@contextmanager
def counters_closed(bank: Database) -> Iterator[None]:
    """Nobody gets on with a scan while the block runs."""
    with bank.unit_of_work() as session:
        lock_canteens(session, session.scalars(select(Organisation.id).where(Organisation.kind == "canteen")).all())
        yield


def together(app: Flask, bank: Database, first: Call, calls: Sequence[Call]) -> list[TestResponse]:
    """The answers to ``calls``, all of which have come while ``first`` was at work."""
    gatherings: Gatherings = app.extensions["timebank_gatherings"]
    with ThreadPoolExecutor(len(calls) + 1) as threads:
        with counters_closed(bank):
            leading = threads.submit(first[0].raw, OPERATION, first[1])
            until(lambda: gatherings.at_work == 1)
            others = []
            for number, (caller, body) in enumerate(calls):
                others.append(threads.submit(caller.raw, OPERATION, body))
                # One after another, so that they are answered in the order in which they stand here.
                until(lambda number=number: gatherings.waiting + sum(o.done() for o in others) == number + 1)
        leading.result(PATIENCE_S)
        return [other.result(PATIENCE_S) for other in others]


def until(met: Callable[..., bool]) -> None:
    ends = monotonic() + PATIENCE_S
    while not met():
        assert monotonic() < ends, "waited in vain"
        sleep(0.001)


def transactions() -> float:
    return REGISTRY.get_sample_value("timebank_gathered_calls_count", {"operation": OPERATION}) or 0.0


def test_counters_that_come_together_each_hear_their_own_answer(
    app: Flask, bank: Database, counters: list[Caller], sign_in: SignIn
) -> None:
    one, other, third = counters
    good = codes(bank, 4)
    again = scan(good[1])
    before = transactions()
    answers = together(
        app,
        bank,
        (one, scan("22222222222")),
        [
            (one, scan(good[0])),
            (other, scan(good[0])),
            (other, again),
            (other, again),
            (other, scan(good[2], again["nonce"])),
            (third, scan(good[2])),
            (sign_in("district"), scan(good[3])),
            (third, scan("33333333333")),
            (one, scan(good[3])),
        ],
    )
    assert transactions() - before == 2
    assert [(a.status_code, (a.get_json() or {}).get("reason") or a.get_json()["code"]) for a in answers] == [
        (200, "ok"),
        (200, "already_redeemed"),
        (200, "ok"),
        (200, "ok"),
        (200, "nonce_reused"),
        (200, "ok"),
        (403, "clerk_only"),
        (200, "voucher_unknown"),
        (200, "ok"),
    ]
    assert answers[2].get_json() == answers[3].get_json()
    assert len({answer.headers["X-Request-Id"] for answer in answers}) == len(answers)
    assert proper_problem(answers[6])["detail"] == "只有助餐点工作人员可以核销"
    assert one.ok(OPERATION, scan(good[2]))["canteen_name"] == answers[5].get_json()["canteen_name"]


def test_a_login_that_is_closed_is_out_at_once_and_harms_nobody_beside_it(
    app: Flask, bank: Database, counters: list[Caller]
) -> None:
    one, other, third = counters
    good = codes(bank, 2)
    assert other.ok(OPERATION, scan("22222222222"))["reason"] == "voucher_unknown"
    with bank.unit_of_work() as session:
        closed = session.scalars(select(Login).where(Login.username == "counter1")).one()
        closed.disabled_at = clock.machine_now()
    calls = [(other, scan(good[0])), (third, scan(good[0])), (other, scan(good[1]))]
    answers = together(app, bank, (one, scan("22222222222")), calls)
    assert [answer.status_code for answer in answers] == [401, 200, 401]
    assert proper_problem(answers[0])["code"] == "not_signed_in"
    assert answers[0].headers["WWW-Authenticate"] == "Bearer"
    assert answers[1].get_json()["reason"] == "ok"
    assert one.ok(OPERATION, scan(good[1]))["reason"] == "ok"


def test_who_would_wait_too_long_is_told_at_once_when_to_come_again_and_nothing_has_happened(
    app: Flask, bank: Database, counters: list[Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions, "timebank_gatherings", Gatherings(at_once=4, most_waiting=2))
    one, other, third = counters
    good = codes(bank, 4)
    late = scan(good[2])
    calls = [(one, scan(good[0])), (other, scan(good[1])), (third, late), (one, scan(good[3]))]
    with bank.session() as session:
        before = session.scalar(select(func.count()).select_from(VoucherScan))
    answers = together(app, bank, (one, scan("22222222222")), calls)
    assert [answer.status_code for answer in answers] == [200, 200, 503, 503]
    assert proper_problem(answers[2])["code"] == "busy"
    assert answers[2].headers["Retry-After"] == "1"
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(VoucherScan)) == (before or 0) + 3
    assert third.ok(OPERATION, late)["reason"] == "ok"


def test_one_that_breaks_is_told_so_and_spoils_none_of_the_others(
    app: Flask, bank: Database, counters: list[Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, third = counters
    good = codes(bank, 3)
    right = actions.redeem_at_counters

    def breaks(session: Any, scanned: Sequence[actions.Scanned]) -> Any:
        answers = right(session, scanned)
        if any(each.code == good[1] for of_one in scanned for each in of_one.scans):
            raise ValueError("this one breaks")
        return answers

    monkeypatch.setattr(actions, "redeem_at_counters", breaks)
    calls = [(one, scan(good[0])), (other, scan(good[1])), (third, scan(good[2]))]
    answers = together(app, bank, (one, scan("22222222222")), calls)
    assert [answer.status_code for answer in answers] == [200, 500, 200]
    assert [answers[n].get_json()["reason"] for n in (0, 2)] == ["ok", "ok"]
    assert proper_problem(answers[1])["code"] == "internal_error"
    monkeypatch.undo()
    assert other.ok(OPERATION, scan(good[1]))["reason"] == "ok"


def test_a_crowd_redeems_every_voucher_once(app: Flask, bank: Database, counters: list[Caller]) -> None:
    good = codes(bank, 60)
    calls = [(counters[n % 3], scan(code)) for n, code in enumerate(good * 2)]
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda call: call[0].ok(OPERATION, call[1]), calls))
    said = sorted((answer["reason"], answer["voucher_id"]) for answer in answers)
    assert [reason for reason, _ in said] == ["already_redeemed"] * 60 + ["ok"] * 60
    assert {voucher_id for _, voucher_id in said[:60]} == {voucher_id for _, voucher_id in said[60:]}
