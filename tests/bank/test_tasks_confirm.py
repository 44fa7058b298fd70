"""Confirming: by whom, when the bank does it by itself, and what is then paid."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import (
    NINE,
    accept,
    as_it_stands,
    ask,
    ask_for_shift,
    check_in,
    check_out,
    confirm,
    only_part,
    serve,
    serve_shift,
)
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.queries import balance_of
from timebank.notifications.actions import notices_for
from timebank.people.actions import end_proxy, register_proxy
from timebank.people.models import Proxy
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation

THREE_DAYS = timedelta(minutes=4320)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def saved(bank: Database, volunteer: Actor) -> int:
    with bank.session() as session:
        return balance_of(session, volunteer.person()).savings_minutes


def with_proxy(bank: Database, elder: Actor, proxy: Actor) -> Proxy:
    with bank.unit_of_work() as session:
        return register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=proxy.person(),
            relation="女儿",
            consent_evidence="同意书第1号",
        )


@pytest.mark.parametrize(("served", "paid"), [(59.5, 60), (74.4, 74), (75, 75), (200, 75)])
def test_what_was_served_is_credited_up_to_the_tolerance(bank: Database, served: float, paid: int) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task, minutes=served)
    assert saved(bank, volunteer) == 0
    part = only_part(confirm(bank, elder, task))
    assert (part.status, part.payable_minutes, part.rating) == ("confirmed", paid, 5)
    assert (part.confirmed_by, part.confirmed_by_name) == (elder.login_id, elder.name)
    assert saved(bank, volunteer) == paid


def test_nothing_is_confirmed_before_check_out_or_twice(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        task = ask(session, elder)
    with pytest.raises(Conflict, match="wrong_state:"):
        confirm(bank, elder, task)
    accept(bank, volunteer, task)
    check_in(bank, volunteer, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        confirm(bank, elder, task)
    check_out(bank, volunteer, task, after=timedelta(minutes=60))
    confirm(bank, elder, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        confirm(bank, elder, task)
    assert saved(bank, volunteer) == 60


def test_only_the_elders_side_confirms(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder, stranger = add_person(session, XIWU), add_elder(session, XIWU), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    for actor in (volunteer, stranger, steward(XIWU), district()):
        with pytest.raises(NotAllowed, match="not_your_elder:"):
            confirm(bank, actor, task)
    assert saved(bank, volunteer) == 0
    with pytest.raises(NotFound, match="task_unknown:"), bank.unit_of_work() as session:
        tasks.confirm(session, confirmation=Confirmation(new_id(), elder))


def test_a_proxy_confirms_while_the_consent_lasts(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        daughter = add_person(session, SHANGTIAN, age=50)
        first, second = ask(session, elder), ask(session, elder, starts_at=NINE + timedelta(hours=3))
    proxy = with_proxy(bank, elder, daughter)
    serve(bank, volunteer, first)
    assert only_part(confirm(bank, daughter, first)).confirmed_by_name == f"{daughter.name}（代{elder.name}）"
    serve(bank, volunteer, second)
    with bank.unit_of_work() as session:
        end_proxy(session, actor=steward(XIWU), registration_id=proxy.id)
    with pytest.raises(NotAllowed, match="not_your_elder:"):
        confirm(bank, daughter, second)
    assert saved(bank, volunteer) == 60


def test_a_proxy_who_served_the_elder_does_not_confirm_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, daughter = add_elder(session, XIWU), add_person(session, XIWU, age=50)
        task = ask(session, elder)
    serve(bank, daughter, task)
    # Registered only afterwards: a proxy cannot accept the own elder's task.
    with_proxy(bank, elder, daughter)
    with pytest.raises(Refused, match="self_service:"):
        confirm(bank, daughter, task)
    assert saved(bank, daughter) == 0
    confirm(bank, elder, task)
    assert saved(bank, daughter) == 60


def test_a_shift_is_confirmed_by_its_steward_one_by_one_or_all_together(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteers = [add_person(session, XIWU) for _ in range(3)]
        shift = ask_for_shift(session, places=3, starts_at=NINE + timedelta(hours=1))
    serve_shift(bank, volunteers, shift, minutes=180)
    with pytest.raises(NotAllowed, match="not_your_elder:"):
        confirm(bank, steward(SHANGTIAN), shift)
    assert confirm(bank, steward(XIWU), shift, volunteer_id=volunteers[1].person_id).status == "checked_out"
    assert [saved(bank, v) for v in volunteers] == [0, 180, 0]
    assert confirm(bank, steward(XIWU), shift).status == "confirmed"
    assert [saved(bank, v) for v in volunteers] == [180, 180, 180]


def test_the_bank_confirms_by_itself_after_three_days_and_not_a_moment_before(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        task = ask(session, elder)
    ended_at = only_part(serve(bank, volunteer, task)).checked_out_at
    assert ended_at is not None
    clock.freeze(ended_at + THREE_DAYS - timedelta(microseconds=1))
    with bank.unit_of_work() as session:
        assert tasks.confirmations_due(session, limit=9) == []
        [answer] = tasks.confirm_many(session, [Confirmation(task.id, SYSTEM)])
        assert isinstance(answer, Conflict)
    clock.freeze(ended_at + THREE_DAYS)
    with bank.unit_of_work() as session:
        assert tasks.confirmations_due(session, limit=9) == [task.id]
        tasks.confirm_many(session, [Confirmation(task.id, SYSTEM)])
        assert tasks.confirmations_due(session, limit=9) == []
    part = only_part(as_it_stands(bank, task))
    assert (part.status, part.confirmed_by, part.confirmed_by_name, part.rating) == ("confirmed", None, "系统", None)
    assert saved(bank, volunteer) == 60


def test_of_a_shift_only_who_waited_long_enough_is_confirmed_by_the_bank(bank: Database) -> None:
    with bank.unit_of_work() as session:
        first, second = (add_person(session, XIWU) for _ in range(2))
        shift = ask_for_shift(session, places=2, starts_at=NINE + timedelta(hours=1))
    accept(bank, second, shift)
    serve(bank, first, shift, minutes=30)
    left_at = clock.now()
    check_in(bank, second, shift, at=left_at)
    check_out(bank, second, shift, after=timedelta(minutes=100))
    clock.freeze(left_at + THREE_DAYS)
    with bank.unit_of_work() as session:
        tasks.confirm_many(session, [Confirmation(shift.id, SYSTEM)])
    assert (saved(bank, first), saved(bank, second)) == (30, 0)


def test_two_processes_that_confirm_at_once_confirm_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        task = ask(session, add_elder(session, XIWU))
    serve(bank, volunteer, task)
    clock.freeze(clock.now() + THREE_DAYS)
    due = Confirmation(task.id, SYSTEM)
    answers = at_once(bank, [lambda s: tasks.confirm_many(s, [due])[0]] * 4)
    assert codes_of(answers) == ["ok", "wrong_state", "wrong_state", "wrong_state"]
    assert saved(bank, volunteer) == 60


def test_what_a_patient_township_waits_for_does_not_hide_what_is_due_elsewhere(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        waiting, due = ask(session, add_elder(session, XIWU)), ask(session, add_elder(session, SHANGTIAN))
        change_policy(session, "auto_confirm_after_minutes", 10 * 4320, township_code=XIWU)
    serve(bank, volunteer, waiting, minutes=10)
    accept(bank, volunteer, due)
    check_in(bank, volunteer, due, at=clock.now())
    check_out(bank, volunteer, due, after=timedelta(minutes=30))
    clock.freeze(clock.now() + THREE_DAYS)
    with bank.session() as session:
        assert tasks.confirmations_due(session, limit=1) == [due.id]


def test_the_volunteer_is_told_what_was_credited(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        full, empty = ask(session, elder), ask(session, elder, starts_at=NINE + timedelta(hours=4))
    for task, minutes in ((full, 75.0), (empty, 0.2)):
        serve(bank, volunteer, task, minutes=minutes)
        confirm(bank, elder, task)
    with bank.session() as session:
        told = [(n.title, n.body) for n in notices_for(session, person_id=volunteer.person_id, limit=9)]
    assert told == [
        ("本次服务未计时长", "陪伴已确认，按实际情况没有可记入的时长。"),
        ("时长已到账", "陪伴1小时15分钟已记入您的时间账户。"),
    ]
    assert saved(bank, volunteer) == 75
