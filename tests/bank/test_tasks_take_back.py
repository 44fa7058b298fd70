"""A wrong credit is undone in the ledger, its service no longer counts, and the right one can be recorded instead."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, as_it_stands, ask, confirm, only_part, past_service, serve
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.ledger.queries import balance_of
from timebank.notifications.models import Notice
from timebank.people.actions import register_proxy
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def credited(bank: Database) -> tuple[Actor, Actor, Task]:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    return volunteer, elder, confirm(bank, elder, task)


def reversed_by_two(bank: Database, part_id: object) -> None:
    with bank.unit_of_work() as session:
        transfer = session.scalars(select(Transfer).where(Transfer.cause_id == part_id)).first()
        assert transfer is not None
        reverse(session, actor=steward(XIWU), transfer_id=transfer.id, reason="多记了")
    with bank.unit_of_work() as session:
        state, _, _ = reverse(session, actor=district(), transfer_id=transfer.id, reason="同意")
    assert state == "reversed"


def taken_back(bank: Database) -> list[bool]:
    with bank.session() as session:
        due = tasks.reversed_parts(session, limit=10)
    done = []
    for part_id in due:
        with bank.unit_of_work() as session:
            done.append(tasks.take_back(session, part_id=part_id))
    return done


def test_reversed_hours_make_room_for_the_right_ones_and_the_volunteer_is_told(bank: Database) -> None:
    volunteer, elder, task = credited(bank)
    assert taken_back(bank) == []
    right = past_service(volunteer, elder, ended_at=clock.now(), minutes=30)
    with pytest.raises(Conflict, match="volunteer_busy:"), bank.unit_of_work() as session:
        tasks.record(session, actor=steward(XIWU), form=right)
    reversed_by_two(bank, only_part(task).id)
    assert (taken_back(bank), taken_back(bank)) == ([True], [])
    assert as_it_stands(bank, task).status == "reversed"
    with bank.unit_of_work() as session:
        told = session.scalars(select(Notice.title).where(Notice.person_id == volunteer.person_id)).all()
        assert "时长已冲正" in told
        recorded = tasks.record(session, actor=steward(XIWU), form=right)
    with bank.unit_of_work() as session:
        tasks.approve_record(session, actor=district(), task_id=recorded.id)
        assert balance_of(session, volunteer.person()).savings_minutes == 30


def test_whoever_may_approve_a_reversal_is_told_that_one_is_asked_for(bank: Database) -> None:
    _, _, task = credited(bank)
    with bank.unit_of_work() as session:
        transfer = session.scalars(select(Transfer).where(Transfer.cause_id == only_part(task).id)).first()
        assert transfer is not None
        reverse(session, actor=steward(XIWU), transfer_id=transfer.id, reason="多记了")
    with bank.session() as session:
        told = select(Notice.township_code).where(Notice.title == "有冲正待批准")
        assert set(session.scalars(told)) == {XIWU, SHANGTIAN, None}


def test_a_proxy_does_not_serve_the_own_elder(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, elder = add_person(session, XIWU, age=50), add_elder(session, XIWU)
        register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书第1号",
        )
        task = ask(session, elder)
    with pytest.raises(Refused, match="self_service:"), bank.unit_of_work() as session:
        tasks.accept(session, actor=daughter, task_id=task.id)


def test_what_a_proxy_served_nobody_else_looked_at_goes_to_a_steward_and_is_not_paid_by_the_clock(
    bank: Database,
) -> None:
    with bank.unit_of_work() as session:
        daughter, elder = add_person(session, XIWU, age=50), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, daughter, task)
    with bank.unit_of_work() as session:
        register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书第1号",
        )
    clock.freeze(clock.now() + timedelta(hours=72))
    with bank.unit_of_work() as session:
        tasks.confirm_many(session, [Confirmation(task.id, SYSTEM)])
        assert balance_of(session, daughter.person()).savings_minutes == 0
    assert as_it_stands(bank, task).status == "disputed"


def test_a_steward_who_is_told_that_nobody_came_can_stop_it_and_another_rules(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    caller = steward(XIWU)
    with pytest.raises(NotAllowed, match="not_your_task:"), bank.unit_of_work() as session:
        tasks.dispute(session, actor=steward(SHANGTIAN), task_id=task.id, reason="老人来电")
    with bank.unit_of_work() as session:
        tasks.dispute(session, actor=caller, task_id=task.id, reason="老人来电说没有人来")
    ruling = {"task_id": task.id, "volunteer_id": volunteer.person(), "minutes": 0, "reason": "经核实未到"}
    with pytest.raises(NotAllowed, match="second_person_needed:"), bank.unit_of_work() as session:
        tasks.rule(session, actor=caller, **ruling)
    with bank.unit_of_work() as session:
        tasks.rule(session, actor=district(), **ruling)
        assert balance_of(session, volunteer.person()).savings_minutes == 0
