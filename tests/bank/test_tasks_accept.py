"""Accepting, withdrawing, calling off."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, accept, as_it_stands, ask, ask_for_shift, check_in, confirm, past_service, serve
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notices_for
from timebank.tasks import actions as tasks
from timebank.tasks.actions import record
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def cancel(bank: Database, actor: Actor, task: Task) -> Task:
    with bank.unit_of_work() as session:
        return tasks.cancel(session, actor=actor, task_id=task.id, words="改日再约")


def test_a_volunteer_of_any_township_takes_the_place(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, SHANGTIAN, age=30), ask(session, add_elder(session, XIWU))
    assert accept(bank, volunteer, task).status == "accepted"


def test_nobody_serves_themselves_or_under_age(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, minor = add_elder(session, XIWU), add_person(session, XIWU, age=17)
        task = ask(session, elder)
    with pytest.raises(Refused, match="self_service:"):
        accept(bank, elder, task)
    with pytest.raises(Refused, match="volunteer_too_young:"):
        accept(bank, minor, task)
    assert as_it_stands(bank, task).parts == []


def test_a_place_is_taken_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        first, second = (add_person(session, XIWU) for _ in range(2))
        task = ask(session, add_elder(session, XIWU))
    accept(bank, first, task)
    for volunteer in (first, second):
        with pytest.raises(Conflict, match="task_already_accepted:"):
            accept(bank, volunteer, task)


def test_what_is_over_called_off_or_unknown_is_not_open(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        called_off, over = ask(session, elder), ask(session, elder)
        form = past_service(volunteer, elder, ended_at=NINE)
        recorded = record(session, actor=steward(XIWU), form=form)
    cancel(bank, elder, called_off)
    clock.freeze(over.ends_at)
    for task in (called_off, over, recorded):
        with pytest.raises(Conflict, match="task_not_open:"):
            accept(bank, volunteer, task)
    with pytest.raises(NotFound, match="task_unknown:"), bank.unit_of_work() as session:
        tasks.accept(session, actor=volunteer, task_id=new_id())


def test_of_two_who_take_one_place_at_once_exactly_one_has_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteers = [add_person(session, XIWU) for _ in range(6)]
        task = ask(session, add_elder(session, XIWU))
    answers = at_once(bank, [lambda s, v=v: tasks.accept(s, actor=v, task_id=task.id) for v in volunteers])
    assert codes_of(answers) == ["ok"] + ["task_already_accepted"] * 5
    assert len(as_it_stands(bank, task).parts) == 1


def test_a_shift_of_ten_takes_ten_at_once_and_no_eleventh(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteers = [add_person(session, XIWU) for _ in range(13)]
        task = ask_for_shift(session, places=10, starts_at=NINE + timedelta(hours=2))
    answers = at_once(bank, [lambda s, v=v: tasks.accept(s, actor=v, task_id=task.id) for v in volunteers])
    assert codes_of(answers) == ["ok"] * 10 + ["task_already_accepted"] * 3
    assert as_it_stands(bank, task).status == "accepted"


def test_of_two_overlapping_tasks_that_one_volunteer_takes_at_once_exactly_one_is_taken(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        wanted = [ask(session, add_elder(session, XIWU), starts_at=NINE + timedelta(minutes=m)) for m in (60, 90, 119)]
    answers = at_once(bank, [lambda s, t=t: tasks.accept(s, actor=volunteer, task_id=t.id) for t in wanted])
    assert codes_of(answers) == ["ok", "volunteer_busy", "volunteer_busy"]


def test_plans_may_touch(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        plans = [ask(session, add_elder(session, XIWU), starts_at=NINE + timedelta(hours=h)) for h in (1, 2, 3)]
    assert {accept(bank, volunteer, task).status for task in plans} == {"accepted"}


def test_who_withdraws_opens_the_place_and_may_come_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        first, second, elder = add_person(session, XIWU), add_person(session, XIWU), add_elder(session, XIWU)
        task = ask(session, elder)
    accept(bank, first, task)
    assert cancel(bank, first, task).status == "open"
    with bank.session() as session:
        assert [n.title for n in notices_for(session, person_id=elder.person_id, limit=9)] == ["志愿者取消了接单"]
    accept(bank, second, task)
    cancel(bank, second, task)
    assert accept(bank, first, task).status == "accepted"
    assert check_in(bank, first, task).status == "checked_in"


def test_the_elder_or_the_steward_calls_off_before_it_begins(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder, other = add_person(session, XIWU), add_elder(session, XIWU), add_elder(session, XIWU)
        wanted = [ask(session, elder, starts_at=NINE + timedelta(hours=2 * h)) for h in (1, 2, 3)]
    for stranger in (other, steward(DAYAN)):
        with pytest.raises(NotAllowed, match="not_your_task:"):
            cancel(bank, stranger, wanted[0])
    for actor, task in zip((elder, steward(XIWU), district()), wanted, strict=True):
        accept(bank, volunteer, task)
        done = cancel(bank, actor, task)
        assert (done.status, [p.status for p in done.parts]) == ("cancelled", ["cancelled"])
    with bank.session() as session:
        assert [n.title for n in notices_for(session, person_id=volunteer.person_id, limit=9)] == ["任务已取消"] * 3


def test_nothing_is_called_off_once_somebody_serves(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        task = ask(session, elder)
        shift = ask_for_shift(session, places=10, starts_at=NINE + timedelta(hours=5))
    for wanted, host in ((task, elder), (shift, steward(XIWU))):
        accept(bank, volunteer, wanted)
        check_in(bank, volunteer, wanted)
        for actor in (host, volunteer):
            with pytest.raises(Conflict, match="wrong_state:"):
                cancel(bank, actor, wanted)
        with bank.unit_of_work() as session:
            tasks.check_out(session, actor=volunteer, task_id=wanted.id)


def test_what_is_finished_is_not_called_off(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    confirm(bank, elder, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        cancel(bank, elder, task)
    with bank.unit_of_work() as session:
        gone = ask(session, elder)
    cancel(bank, elder, gone)
    with pytest.raises(Conflict, match="wrong_state:"):
        cancel(bank, elder, gone)
