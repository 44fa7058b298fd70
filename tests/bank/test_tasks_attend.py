"""Checking in and out, and never in two places at once."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from tests.factories.people import XIWU, add_elder, add_person, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, accept, as_it_stands, ask, ask_for_shift, check_in, check_out, only_part
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.core.sorting import Part
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Request
from timebank.tasks.queries import TaskFilter, find_tasks


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def test_the_elders_code_opens_and_no_other(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    assert task.service_code is not None
    right = task.service_code
    for wrong in ("", right[:5], f"{right}0", f"{(int(right) + 1) % 1_000_000:06}", "１２３４５６"):
        with bank.unit_of_work() as session:
            refusal = tasks.check_in(session, actor=volunteer, task_id=task.id, service_code=wrong)
        assert isinstance(refusal, Refused)
        assert refusal.code == "service_code_wrong"
    assert as_it_stands(bank, task).status == "accepted"
    assert check_in(bank, volunteer, task).status == "checked_in"


def test_the_code_cannot_be_guessed_for_ever_and_then_the_right_one_helps_no_more(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "service_code_most_misses", 3)
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    said = []
    for code in ("x", "y", "z", task.service_code or ""):
        with bank.unit_of_work() as session:
            refusal = tasks.check_in(session, actor=volunteer, task_id=task.id, service_code=code)
        assert isinstance(refusal, Refused)
        said.append((refusal.code, refusal.facts.get("tries_left")))
    assert said == [
        ("service_code_wrong", 2),
        ("service_code_wrong", 1),
        ("service_code_wrong", 0),
        ("service_code_blocked", None),
    ]
    assert as_it_stands(bank, task).status == "accepted"


def test_withdrawing_and_accepting_again_gives_no_new_guesses(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "service_code_most_misses", 1)
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    said = []
    for _ in range(2):
        accept(bank, volunteer, task)
        with bank.unit_of_work() as session:
            refusal = tasks.check_in(session, actor=volunteer, task_id=task.id, service_code="x")
        assert isinstance(refusal, Refused)
        said.append(refusal.code)
        with bank.unit_of_work() as session:
            tasks.cancel(session, actor=volunteer, task_id=task.id)
    assert said == ["service_code_wrong", "service_code_blocked"]


def test_checking_in_is_possible_a_day_before_and_not_earlier(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        task = ask(session, add_elder(session, XIWU), starts_at=NINE + timedelta(days=3))
    accept(bank, volunteer, task)
    with pytest.raises(Refused, match="too_early:"):
        check_in(bank, volunteer, task, at=NINE + timedelta(days=2, microseconds=-1))
    assert check_in(bank, volunteer, task, at=NINE + timedelta(days=2)).status == "checked_in"


def test_only_who_accepted_checks_in_and_each_step_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, stranger = (add_person(session, XIWU) for _ in range(2))
        task = ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    with pytest.raises(NotAllowed, match="not_your_task:"):
        check_in(bank, stranger, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        check_out(bank, volunteer, task, after=timedelta())
    check_in(bank, volunteer, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        check_in(bank, volunteer, task)
    check_out(bank, volunteer, task, after=timedelta(minutes=50))
    with pytest.raises(Conflict, match="wrong_state:"):
        check_out(bank, volunteer, task, after=timedelta())


def test_who_withdrew_no_longer_checks_in(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    with bank.unit_of_work() as session:
        tasks.cancel(session, actor=volunteer, task_id=task.id)
    with pytest.raises(Conflict, match="wrong_state:"):
        check_in(bank, volunteer, task)


def test_where_somebody_checked_in_is_kept(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    clock.freeze(task.starts_at)
    with bank.unit_of_work() as session:
        assert task.service_code is not None
        tasks.check_in(
            session, actor=volunteer, task_id=task.id, service_code=task.service_code, latitude=29.65, longitude=121.41
        )
    part = only_part(as_it_stands(bank, task))
    assert (part.latitude, part.longitude, part.checked_in_at) == (29.65, 121.41, task.starts_at)


def test_who_serves_here_checks_in_nowhere_else_until_checked_out(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        first = ask(session, add_elder(session, XIWU))
        second = ask(session, add_elder(session, XIWU), starts_at=first.ends_at)
    for task in (first, second):
        accept(bank, volunteer, task)
    check_in(bank, volunteer, first)
    with pytest.raises(Conflict, match="volunteer_busy:"):
        check_in(bank, volunteer, second)
    check_out(bank, volunteer, first, after=timedelta(minutes=5))
    with bank.unit_of_work() as session:
        assert second.service_code is not None
        # At the very moment of checking out: spans may touch.
        done = tasks.check_in(session, actor=volunteer, task_id=second.id, service_code=second.service_code)
        assert done.status == "checked_in"


def test_of_two_check_ins_at_once_exactly_one_happens(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        plans = [ask(session, add_elder(session, XIWU), starts_at=NINE + timedelta(hours=h)) for h in (1, 2, 3)]
    for task in plans:
        accept(bank, volunteer, task)
    answers = at_once(
        bank,
        [
            lambda s, t=t: tasks.check_in(s, actor=volunteer, task_id=t.id, service_code=t.service_code or "")
            for t in plans
        ],
    )
    assert codes_of(answers) == ["ok", "volunteer_busy", "volunteer_busy"]


def test_the_database_itself_keeps_a_volunteer_in_one_place(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        first = ask(session, add_elder(session, XIWU))
        second = ask(session, add_elder(session, XIWU), starts_at=first.ends_at)
    for task in (first, second):
        accept(bank, volunteer, task)
    check_in(bank, volunteer, first)
    served = "UPDATE task_assignment SET served_during = tstzrange(:at, NULL) WHERE task_id = :id"
    planned = "UPDATE task_assignment SET planned_during = tstzrange(:at, :at + interval '3 hours') WHERE task_id = :id"
    for statement, constraint in ((served, "one_place"), (planned, "one_promise")):
        with pytest.raises(IntegrityError, match=constraint) as broken, bank.unit_of_work() as session:
            session.execute(text(statement), {"at": first.starts_at, "id": second.id})
        assert isinstance(broken.value.orig, psycopg.errors.ExclusionViolation)


def test_leaving_at_the_moment_of_coming_is_no_minute(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, task = add_person(session, XIWU), ask(session, add_elder(session, XIWU))
    accept(bank, volunteer, task)
    check_in(bank, volunteer, task)
    check_out(bank, volunteer, task, after=timedelta())
    part = only_part(as_it_stands(bank, task))
    assert part.served_during is not None
    assert not part.served_during.isempty


def test_a_shift_goes_on_while_volunteers_come_and_go(bank: Database) -> None:
    with bank.unit_of_work() as session:
        early, late = (add_person(session, XIWU) for _ in range(2))
        shift = ask_for_shift(session, places=2, starts_at=NINE + timedelta(hours=1))
    accept(bank, early, shift)
    assert check_in(bank, early, shift).status == "open"
    assert check_out(bank, early, shift, after=timedelta(minutes=60)).status == "open"
    # Somebody else may still join a shift that runs.
    assert accept(bank, late, shift).status == "checked_in"
    check_in(bank, late, shift, at=clock.now())
    assert check_out(bank, late, shift, after=timedelta(minutes=30)).status == "checked_out"


def test_a_shift_begun_early_is_still_shown_to_volunteers(bank: Database) -> None:
    with bank.unit_of_work() as session:
        early, late = (add_person(session, XIWU) for _ in range(2))
        wanted = Request("canteen_shift", NINE + timedelta(hours=1), 180, township_code=XIWU, places=3)
        shift = tasks.request(session, actor=steward(XIWU), wanted=wanted)
    accept(bank, early, shift)
    check_in(bank, early, shift)
    with bank.session() as session:
        found = find_tasks(session, actor=late, wanted=TaskFilter(status="open"), part=Part(9)).items
        assert [task.id for task in found] == [shift.id]
