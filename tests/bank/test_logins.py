"""Signing in: WeChat finds or makes its login; guessing a staff password slows down, for unknown names too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.factories.people import DAYAN, add_staff_login
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.people.actions import try_password, wechat_login
from timebank.people.actions.sign_in import LoginRefused, TooManyAttempts
from timebank.people.login_models import Login, LoginAttempt
from timebank.people.queries import actor_of

RIGHT = "timebank-demo"


class MachineTime:
    """The machine's time, as the throttle reads it, in the hands of a test."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 10, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineTime:
    time = MachineTime()
    monkeypatch.setattr(clock, "machine_now", time)
    return time


def answer(bank: Database, username: str, password: str) -> object:
    with bank.unit_of_work() as session:
        return try_password(session, username=username, password=password)


def add_steward(bank: Database) -> Login:
    with bank.unit_of_work() as session:
        return add_staff_login(session, "dayan", RIGHT, StaffRole.TOWNSHIP_STEWARD, township_code=DAYAN)


def test_the_right_password_signs_in_as_what_one_is(bank: Database) -> None:
    login = add_steward(bank)
    found = answer(bank, "dayan", RIGHT)
    assert isinstance(found, Login)
    assert found.id == login.id
    assert RIGHT not in (found.password_hash or RIGHT)
    with bank.session() as session:
        actor = actor_of(session, found.id)
        assert actor is not None
        assert (actor.staff_role, actor.township_code, actor.person_id) == ("township_steward", DAYAN, None)


@pytest.mark.parametrize("username", ["dayan", "nobody"])
def test_guessing_slows_down_alike_for_names_that_exist_and_that_do_not(
    bank: Database, machine: MachineTime, username: str
) -> None:
    add_steward(bank)
    for _ in range(5):
        assert isinstance(answer(bank, username, "wrong"), LoginRefused)
    blocked = answer(bank, username, RIGHT)
    assert isinstance(blocked, TooManyAttempts)
    assert blocked.facts == {"retry_after_seconds": 31}
    machine.now += timedelta(seconds=29)
    assert isinstance(answer(bank, username, "wrong"), TooManyAttempts)
    machine.now += timedelta(seconds=1)
    assert isinstance(answer(bank, username, "wrong"), LoginRefused)
    longer = answer(bank, username, "wrong")
    assert isinstance(longer, TooManyAttempts)
    assert longer.facts == {"retry_after_seconds": 61}


def test_being_blocked_costs_no_further_attempt(bank: Database, machine: MachineTime) -> None:
    for _ in range(9):
        answer(bank, "nobody", "wrong")
    with bank.session() as session:
        assert session.get_one(LoginAttempt, "nobody").failures == 5


def test_success_forgets_the_failures(bank: Database, machine: MachineTime) -> None:
    add_steward(bank)
    for _ in range(2):
        for _ in range(4):
            assert isinstance(answer(bank, "dayan", "wrong"), LoginRefused)
        assert isinstance(answer(bank, "dayan", RIGHT), Login)
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(LoginAttempt)) == 0


def test_moving_the_banks_clock_opens_no_block(bank: Database, machine: MachineTime) -> None:
    for _ in range(5):
        answer(bank, "nobody", "wrong")
    clock.freeze(machine.now + timedelta(days=30))
    assert isinstance(answer(bank, "nobody", "wrong"), TooManyAttempts)


def test_two_who_sign_in_at_once_after_a_failure_both_do(bank: Database) -> None:
    add_steward(bank)
    answer(bank, "dayan", "wrong")
    answers = at_once(bank, [lambda s: try_password(s, username="dayan", password=RIGHT)] * 4)
    assert [type(found) for found in answers] == [Login] * 4


def test_guesses_at_once_are_all_counted(bank: Database) -> None:
    at_once(bank, [lambda s: try_password(s, username="nobody", password="wrong")] * 4)
    with bank.session() as session:
        assert session.get_one(LoginAttempt, "nobody").failures == 4


def test_a_closed_login_is_refused_like_a_wrong_password(bank: Database) -> None:
    login = add_steward(bank)
    with bank.unit_of_work() as session:
        session.get_one(Login, login.id).disabled_at = clock.now()
    refused = answer(bank, "dayan", RIGHT)
    assert isinstance(refused, LoginRefused)
    assert refused.title == LoginRefused().title
    with bank.session() as session:
        assert actor_of(session, login.id) is None


def test_a_wechat_login_is_made_once_however_many_come_at_once(bank: Database) -> None:
    answers = at_once(bank, [lambda s: wechat_login(s, openid="openid-1").id] * 5)
    assert len(set(answers)) == 1
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(Login)) == 1
