"""Whoever shows no good token gets into no operation that needs one, whatever else the request says."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import jwt
import pytest
from flask import Flask
from sqlalchemy import update

from app.auth.tokens import LIFETIME, issue_token, read_token
from tests.api.caller import Caller
from tests.api.description import Operation, describe
from tests.api.samples import sample
from tests.api.scene import Scene
from tests.api.whole_database import fingerprint
from timebank.core import clock
from timebank.core.crypto import keyring
from timebank.core.ids import new_id
from timebank.people.login_models import Login

GUARDED = [o for o in describe().operations.values() if not o.anyone]
Doors = tuple[Flask, Scene]


def claims(login_id: UUID, **other: object) -> dict[str, object]:
    now = clock.machine_now()
    return {"sub": str(login_id), "iat": now, "exp": now + timedelta(hours=1), **other}


def signed(content: dict[str, object], key: bytes | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(content, key or keyring().derive("sign tokens", 32), algorithm=algorithm)


def without_signature(login_id: UUID) -> str:
    """Algorithm none, as every library once let through."""
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": str(login_id), "iat": 1, "exp": 9999999999})
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


FORGERIES: dict[str, Callable[[UUID], str]] = {
    "another key": lambda login: signed(claims(login), b"another key that is long enough!"),
    "no signature": without_signature,
    "another algorithm": lambda login: signed(claims(login), keyring().derive("sign tokens", 32) * 2, "HS512"),
    "over": lambda login: signed(claims(login, exp=clock.machine_now() - timedelta(seconds=1))),
    "from the future": lambda login: signed(claims(login, iat=clock.machine_now() + timedelta(hours=1))),
    "never over": lambda login: signed({k: v for k, v in claims(login).items() if k != "exp"}),
    "nobody's": lambda login: signed({k: v for k, v in claims(login).items() if k != "sub"}),
    "no login": lambda _: signed(claims(new_id())),
    "a name for an id": lambda _: signed(claims(UUID(int=0), sub="district")),
    "a number for an id": lambda _: signed(claims(UUID(int=0), sub=7)),
    "cut": lambda login: signed(claims(login))[:-3],
    "no token": lambda _: "甲".encode().decode("latin-1"),
    "dots": lambda _: "..",
    "very long": lambda _: "a" * 5000,
}


@pytest.mark.parametrize("how", FORGERIES)
def test_a_forged_token_opens_nothing(how: str, still_callers: dict[str, Caller], still_doors: Doors) -> None:
    login_id = read_token(still_callers["district"].token or "")
    assert login_id is not None
    forger = Caller(still_doors[0], still_callers["nobody"].description, FORGERIES[how](login_id))
    assert forger.refused("me.show")["code"] == "not_signed_in"
    assert forger.refused("ledger.reverse", {"reason": "要"}, transfer_id=still_doors[1].transfer_id)["status"] == 401


@pytest.mark.parametrize("operation", GUARDED, ids=[o.operation_id for o in GUARDED])
def test_without_a_token_nobody_comes_in(
    operation: Operation, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    before = fingerprint(bank)
    body = sample(operation, operation.body) if operation.body is not None else None
    for shown in (None, "", "Bearer", "Basic ZGlzdHJpY3Q6eA=="):
        headers = {} if shown is None else {"Authorization": shown}
        # Neither a good body nor a bad one, nor a missing key, is looked at before the token.
        for how in ({"body": body}, {"data": b"{"}, {"body": body, "key": None}):
            answer = still_callers["nobody"].raw(operation.operation_id, headers=headers, **how)  # type: ignore[arg-type]
            assert (answer.status_code, answer.get_json()["code"]) == (401, "not_signed_in")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert fingerprint(bank) == before


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_read_in_any_case(scheme: str, still_callers: dict[str, Caller]) -> None:
    token = still_callers["volunteer"].token
    answer = still_callers["nobody"].raw("me.show", headers={"Authorization": f"{scheme} {token}"})
    assert answer.status_code == 200


def test_the_token_of_a_closed_login_is_worth_nothing_from_that_moment(
    still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    auditor = still_callers["auditor"]
    login_id = read_token(auditor.token or "")
    closing = update(Login).where(Login.id == login_id)
    auditor.ok("clearing.positions")
    with bank.unit_of_work() as session:
        session.execute(closing.values(disabled_at=clock.now()))
    try:
        assert auditor.refused("clearing.positions")["code"] == "not_signed_in"
    finally:
        with bank.unit_of_work() as session:
            session.execute(closing.values(disabled_at=None))


def test_roles_are_looked_up_at_each_request(still_callers: dict[str, Caller], still_doors: Doors) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    auditor = still_callers["auditor"]
    changing = update(Login).where(Login.id == read_token(auditor.token or ""))
    assert auditor.refused("notices.list")["code"] == "no_notices"
    with bank.unit_of_work() as session:
        session.execute(changing.values(staff_role="district_steward"))
    try:
        auditor.ok("notices.list")
    finally:
        with bank.unit_of_work() as session:
            session.execute(changing.values(staff_role="auditor"))


def test_a_token_lasts_two_hours_by_the_machines_clock(still_callers: dict[str, Caller]) -> None:
    login_id = read_token(still_callers["volunteer"].token or "")
    assert login_id is not None
    assert timedelta(hours=2) == LIFETIME
    now = clock.machine_now()
    assert read_token(issue_token(login_id, now - timedelta(hours=1, minutes=59))) == login_id
    assert read_token(issue_token(login_id, now - timedelta(hours=2, seconds=1))) is None
    # Moving the bank's clock signs nobody out, and lets nobody stay.
    clock.freeze(now + timedelta(days=300))
    assert still_callers["volunteer"].ok("me.show")["name"] == "林志远"
