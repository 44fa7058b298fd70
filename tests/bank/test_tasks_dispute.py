"""Disputes and rulings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import (
    NINE,
    accept,
    as_it_stands,
    ask,
    ask_for_shift,
    check_in,
    confirm,
    only_part,
    serve,
    serve_shift,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.ledger.queries import balance_of
from timebank.notifications.actions import notices_for
from timebank.tasks import actions as tasks
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def saved(bank: Database, volunteer: Actor) -> int:
    with bank.session() as session:
        return balance_of(session, volunteer.person()).savings_minutes


def dispute(bank: Database, actor: Actor, task: Task, **which: object) -> Task:
    with bank.unit_of_work() as session:
        return tasks.dispute(session, actor=actor, task_id=task.id, reason="时间不对", **which)  # type: ignore[arg-type]


def rule(bank: Database, actor: Actor, task: Task, volunteer: Actor, minutes: int) -> Task:
    with bank.unit_of_work() as session:
        return tasks.rule(
            session, actor=actor, task_id=task.id, volunteer_id=volunteer.person(), minutes=minutes, reason="已核实"
        )


def served_task(bank: Database) -> tuple[Actor, Actor, Task]:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    return volunteer, elder, task


@pytest.mark.parametrize("minutes", [0, 45, 720])
def test_either_side_disputes_and_the_steward_rules(bank: Database, minutes: int) -> None:
    volunteer, elder, task = served_task(bank)
    disputed = dispute(bank, elder if minutes else volunteer, task)
    assert disputed.status == "disputed"
    part = only_part(rule(bank, steward(XIWU), task, volunteer, minutes))
    assert (part.status, part.payable_minutes, part.ruling) == ("confirmed", minutes, "已核实")
    assert (part.dispute_reason, part.disputed_by_name) == ("时间不对", (elder if minutes else volunteer).name)
    assert saved(bank, volunteer) == minutes
    with bank.session() as session:
        assert [n.title for n in notices_for(session, township_code=XIWU, limit=9)] == ["有服务申诉待裁定"]
        assert "申诉已裁定" in [n.title for n in notices_for(session, person_id=elder.person_id, limit=9)]


def test_a_dispute_stops_every_confirmation(bank: Database) -> None:
    volunteer, elder, task = served_task(bank)
    dispute(bank, volunteer, task)
    clock.freeze(clock.now() + timedelta(days=30))
    with bank.session() as session:
        assert tasks.confirmations_due(session, limit=9) == []
    for actor in (elder, volunteer):
        with pytest.raises(Conflict, match="wrong_state:"):
            dispute(bank, actor, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        confirm(bank, elder, task)
    assert saved(bank, volunteer) == 0


def test_only_the_two_sides_and_the_townships_steward_dispute(bank: Database) -> None:
    _, _, task = served_task(bank)
    with bank.unit_of_work() as session:
        stranger = add_elder(session, XIWU)
    for actor in (stranger, steward(DAYAN)):
        with pytest.raises(NotAllowed, match="not_your_task:"):
            dispute(bank, actor, task)
    dispute(bank, steward(XIWU), task)


def test_only_a_steward_of_the_township_rules_and_within_reason(bank: Database) -> None:
    volunteer, elder, task = served_task(bank)
    with pytest.raises(Conflict, match="wrong_state:"):
        rule(bank, steward(XIWU), task, volunteer, 30)
    dispute(bank, elder, task)
    for actor, code in ((elder, "steward_only"), (steward(DAYAN), "other_township")):
        with pytest.raises(NotAllowed, match=f"{code}:"):
            rule(bank, actor, task, volunteer, 30)
    for minutes, code in ((721, "minutes_too_many"), (-1, "amount_invalid")):
        with pytest.raises(Refused, match=f"{code}:"):
            rule(bank, steward(XIWU), task, volunteer, minutes)
    assert saved(bank, volunteer) == 0
    rule(bank, district(), task, volunteer, 30)
    with pytest.raises(Conflict, match="wrong_state:"):
        rule(bank, district(), task, volunteer, 30)
    assert saved(bank, volunteer) == 30


def test_what_is_confirmed_or_not_begun_is_not_disputed(bank: Database) -> None:
    volunteer, elder, task = served_task(bank)
    confirm(bank, elder, task)
    with bank.unit_of_work() as session:
        fresh = ask(session, elder, starts_at=NINE + timedelta(hours=5))
    accept(bank, volunteer, fresh)
    for wanted in (task, fresh):
        for actor in (volunteer, elder):
            with pytest.raises(Conflict, match="wrong_state:"):
                dispute(bank, actor, wanted)


def test_disputing_somebody_who_serves_ends_the_service(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        task, other = ask(session, elder), ask(session, elder, starts_at=NINE + timedelta(hours=2))
    for wanted in (task, other):
        accept(bank, volunteer, wanted)
    check_in(bank, volunteer, task)
    clock.freeze(task.starts_at + timedelta(minutes=20))
    part = only_part(dispute(bank, elder, task))
    assert part.checked_out_at == clock.now()
    # The volunteer is free again.
    assert check_in(bank, volunteer, other).status == "checked_in"


def test_one_volunteers_dispute_leaves_the_others_of_a_shift_alone(bank: Database) -> None:
    with bank.unit_of_work() as session:
        first, second = (add_person(session, XIWU) for _ in range(2))
        shift = ask_for_shift(session, places=2, starts_at=NINE + timedelta(hours=1))
    serve_shift(bank, (first, second), shift, minutes=180)
    dispute(bank, first, shift, volunteer_id=second.person_id)
    statuses = {p.volunteer_id: p.status for p in as_it_stands(bank, shift).parts}
    assert statuses == {first.person_id: "disputed", second.person_id: "checked_out"}
    confirm(bank, steward(XIWU), shift)
    assert (saved(bank, first), saved(bank, second)) == (0, 180)
