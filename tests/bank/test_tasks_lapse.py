"""What happens to tasks when nothing happens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.factories.people import XIWU, add_elder, add_person, steward
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
)
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.queries import balance_of
from timebank.notifications.actions import notices_for
from timebank.tasks import actions as tasks
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def lapse_all(bank: Database, at: datetime) -> int:
    """How many tasks changed when the job runs at this moment."""
    clock.freeze(at)
    with bank.session() as session:
        due = tasks.lapsing(session, limit=99)
    changed = 0
    for task_id in due:
        with bank.unit_of_work() as session:
            changed += tasks.lapse(session, task_id=task_id)
    return changed


def status_of(bank: Database, task: Task) -> str:
    return as_it_stands(bank, task).status


def test_a_request_that_nobody_took_expires_when_its_time_is_over(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        task = ask(session, elder)
    assert lapse_all(bank, task.ends_at - timedelta(microseconds=1)) == 0
    assert status_of(bank, task) == "open"
    assert lapse_all(bank, task.ends_at) == 1
    assert status_of(bank, task) == "expired"
    assert lapse_all(bank, task.ends_at + timedelta(days=30)) == 0
    with bank.session() as session:
        assert [n.title for n in notices_for(session, person_id=elder.person_id, limit=9)] == ["求助已过期"]


def test_who_never_came_is_marked_a_day_after_the_end(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    late = task.ends_at + timedelta(minutes=1440)
    assert lapse_all(bank, late - timedelta(microseconds=1)) == 0
    assert only_part(as_it_stands(bank, task)).status == "accepted"
    assert lapse_all(bank, late) == 1
    found = as_it_stands(bank, task)
    assert (found.status, only_part(found).status) == ("expired", "no_show")
    with bank.session() as session:
        assert [n.title for n in notices_for(session, person_id=volunteer.person_id, limit=9)] == ["未签到"]


def test_a_forgotten_check_out_goes_to_the_steward_who_rules(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    check_in(bank, volunteer, task)
    late = task.ends_at + timedelta(minutes=720)
    assert lapse_all(bank, late - timedelta(microseconds=1)) == 0
    assert lapse_all(bank, late) == 1
    found = as_it_stands(bank, task)
    assert (found.status, only_part(found).disputed_by_name) == ("disputed", "系统")
    with bank.session() as session:
        assert [n.title for n in notices_for(session, township_code=XIWU, limit=9)] == ["有服务忘记签退"]
    with bank.unit_of_work() as session:
        tasks.rule(
            session,
            actor=steward(XIWU),
            task_id=task.id,
            volunteer_id=volunteer.person(),
            minutes=60,
            reason="电话核实",
        )
        assert balance_of(session, volunteer.person()).savings_minutes == 60


def test_a_check_out_late_but_in_time_is_no_dispute(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    check_in(bank, volunteer, task)
    check_out(bank, volunteer, task, after=timedelta(hours=9))
    assert lapse_all(bank, task.ends_at + timedelta(days=2)) == 0
    assert status_of(bank, task) == "checked_out"


def test_a_shift_that_ends_with_free_places_ends_as_what_was_served(bank: Database) -> None:
    with bank.unit_of_work() as session:
        came, stayed_away = (add_person(session, XIWU) for _ in range(2))
        shift = ask_for_shift(session, places=10, starts_at=NINE + timedelta(hours=1))
    accept(bank, stayed_away, shift)
    serve(bank, came, shift, minutes=100)
    confirm(bank, steward(XIWU), shift)
    assert status_of(bank, shift) == "open"
    assert lapse_all(bank, shift.ends_at) == 1
    assert status_of(bank, shift) == "checked_in"
    assert lapse_all(bank, shift.ends_at + timedelta(minutes=1440)) == 1
    found = as_it_stands(bank, shift)
    assert found.status == "confirmed"
    assert {p.volunteer_id: p.status for p in found.parts} == {
        came.person_id: "confirmed",
        stayed_away.person_id: "no_show",
    }


def test_one_volunteers_dispute_does_not_keep_another_serving_for_ever(bank: Database) -> None:
    with bank.unit_of_work() as session:
        quarrels, forgets = (add_person(session, XIWU) for _ in range(2))
        shift = ask_for_shift(session, places=2, starts_at=NINE + timedelta(hours=1))
    for volunteer in (quarrels, forgets):
        accept(bank, volunteer, shift)
        check_in(bank, volunteer, shift)
    with bank.unit_of_work() as session:
        tasks.dispute(session, actor=quarrels, task_id=shift.id, reason="身体不适")
    assert lapse_all(bank, shift.ends_at + timedelta(minutes=720)) == 1
    assert [p.status for p in as_it_stands(bank, shift).parts] == ["disputed", "disputed"]
    assert lapse_all(bank, shift.ends_at + timedelta(days=9)) == 0


def test_two_processes_that_let_a_task_lapse_do_it_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    clock.freeze(task.ends_at + timedelta(days=2))
    answers = at_once(bank, [lambda s: (tasks.lapse(s, task_id=task.id),)] * 4)
    assert sorted(answers, key=str) == [(False,), (False,), (False,), (True,)]
    with bank.session() as session:
        assert len(notices_for(session, person_id=volunteer.person_id, limit=9)) == 1
