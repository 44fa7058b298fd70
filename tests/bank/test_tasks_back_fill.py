"""Back-filling: hours recorded afterwards, approved by a second person, marked as such for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, staff, steward
from tests.factories.tasks import NINE, as_it_stands, ask, confirm, only_part, past_service, serve
from tests.factories.threads import at_once, codes_of
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.queries import balance_of, statement
from timebank.tasks import actions as tasks
from timebank.tasks.actions import BackFill
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def pair(bank: Database) -> tuple[Actor, Actor]:
    with bank.unit_of_work() as session:
        return add_person(session, SHANGTIAN, age=66), add_elder(session, XIWU)


def record(bank: Database, actor: Actor, form: BackFill) -> Task:
    with bank.unit_of_work() as session:
        return tasks.record(session, actor=actor, form=form)


def approve(bank: Database, actor: Actor, task: Task) -> Task:
    with bank.unit_of_work() as session:
        return tasks.approve_record(session, actor=actor, task_id=task.id)


def saved(bank: Database, volunteer: Actor) -> int:
    with bank.session() as session:
        return balance_of(session, volunteer.person()).savings_minutes


def test_recorded_hours_count_from_the_second_persons_approval_on(bank: Database) -> None:
    volunteer, elder = pair(bank)
    task = record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=NINE, minutes=95))
    assert (task.status, task.back_filled, task.evidence) == ("recorded", True, "签到表第3页")
    assert saved(bank, volunteer) == 0
    done = approve(bank, steward(XIWU), task)
    assert (done.status, only_part(done).payable_minutes) == ("confirmed", 95)
    assert saved(bank, volunteer) == 95


def test_who_recorded_does_not_approve(bank: Database) -> None:
    volunteer, elder = pair(bank)
    recorder = steward(XIWU)
    task = record(bank, recorder, past_service(volunteer, elder, ended_at=NINE))
    for step in (tasks.approve_record, lambda *a, **k: tasks.reject_record(*a, **k, reason="不实")):
        with pytest.raises(NotAllowed, match="second_person_needed:"), bank.unit_of_work() as session:
            step(session, actor=recorder, task_id=task.id)
    assert saved(bank, volunteer) == 0


def test_recording_and_approving_are_for_stewards_whom_it_concerns(bank: Database) -> None:
    volunteer, elder = pair(bank)
    form = past_service(volunteer, elder, ended_at=NINE)
    for actor, code in (
        (elder, "steward_only"),
        (staff(StaffRole.AUDITOR), "steward_only"),
        (steward(DAYAN), "other_township"),
    ):
        with pytest.raises(NotAllowed, match=f"{code}:"):
            record(bank, actor, form)
    task = record(bank, steward(SHANGTIAN), form)
    with pytest.raises(NotAllowed, match="steward_only:"):
        approve(bank, volunteer, task)
    # Approving is for any other steward: where a township has only one, the second person comes from elsewhere.
    assert approve(bank, steward(DAYAN), task).status == "confirmed"


def test_what_cannot_be_is_not_recorded(bank: Database) -> None:
    volunteer, elder = pair(bank)
    with bank.unit_of_work() as session:
        minor, young = add_person(session, XIWU, age=17), add_person(session, XIWU, age=50)
    form = past_service(volunteer, elder, ended_at=NINE)
    refused: list[tuple[BackFill, str]] = [
        (replace(form, ended_at=NINE + timedelta(microseconds=1)), "date_in_future"),
        (replace(form, ended_at=form.started_at), "times_invalid"),
        (replace(form, started_at=NINE - timedelta(hours=24, microseconds=1)), "times_invalid"),
        (replace(form, service_type="dancing"), "service_type_unknown"),
        (replace(form, volunteer_id=elder.person()), "self_service"),
        (replace(form, volunteer_id=minor.person()), "volunteer_too_young"),
        (replace(form, elder_id=young.person()), "too_young_for_help"),
        (replace(form, volunteer_id=new_id()), "person_unknown"),
        (replace(form, elder_id=new_id()), "person_unknown"),
    ]
    for wrong, code in refused:
        with pytest.raises(BankError, match=f"{code}:") as refusal:
            record(bank, steward(XIWU), wrong)
        assert isinstance(refusal.value, NotFound if code == "person_unknown" else Refused)
    with bank.session() as session:
        assert session.scalars(select(Task)).all() == []


def test_age_counts_on_the_day_of_the_service(bank: Database) -> None:
    with bank.unit_of_work() as session:
        # Eighteen since the first of January.
        volunteer, elder = add_person(session, XIWU, age=18), add_elder(session, XIWU)
    new_year = clock.day_start(NINE.date().replace(month=1, day=1))
    with pytest.raises(Refused, match="volunteer_too_young:"):
        record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=new_year - timedelta(hours=8)))
    record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=new_year + timedelta(hours=8)))


def test_spans_that_overlap_are_refused_and_those_that_touch_are_not(bank: Database) -> None:
    volunteer, elder = pair(bank)
    noon = NINE - timedelta(days=1)
    record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=noon))
    for overlapping in (noon, noon + timedelta(minutes=59), noon - timedelta(minutes=59)):
        with pytest.raises(Conflict, match="volunteer_busy:"):
            record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=overlapping))
    for touching in (noon + timedelta(minutes=60), noon - timedelta(minutes=60)):
        record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=touching))


def test_hours_served_with_check_in_are_not_recorded_again(bank: Database) -> None:
    volunteer, elder = pair(bank)
    with bank.unit_of_work() as session:
        task = ask(session, elder)
    serve(bank, volunteer, task)
    with pytest.raises(Conflict, match="volunteer_busy:"):
        record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=clock.now(), minutes=10))
    confirm(bank, elder, task)
    with pytest.raises(Conflict, match="volunteer_busy:"):
        record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=clock.now(), minutes=10))


def test_a_rejected_record_frees_its_span(bank: Database) -> None:
    volunteer, elder = pair(bank)
    form = past_service(volunteer, elder, ended_at=NINE)
    task = record(bank, steward(XIWU), form)
    with bank.unit_of_work() as session:
        rejected = tasks.reject_record(session, actor=district(), task_id=task.id, reason="签名不符")
        assert (rejected.status, rejected.ended_reason, only_part(rejected).ruling) == (
            "rejected",
            "签名不符",
            "签名不符",
        )
    with pytest.raises(Conflict, match="wrong_state:"):
        approve(bank, district(), task)
    again = record(bank, steward(XIWU), form)
    approve(bank, district(), again)
    assert saved(bank, volunteer) == 60


def test_one_span_recorded_twice_at_once_stands_once(bank: Database) -> None:
    volunteer, elder = pair(bank)
    form = past_service(volunteer, elder, ended_at=NINE)
    answers = at_once(bank, [lambda s: tasks.record(s, actor=steward(XIWU), form=form)] * 4)
    assert codes_of(answers) == ["ok"] + ["volunteer_busy"] * 3


def test_one_record_approved_twice_at_once_is_credited_once(bank: Database) -> None:
    volunteer, elder = pair(bank)
    task = record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=NINE))
    answers = at_once(bank, [lambda s: tasks.approve_record(s, actor=district(), task_id=task.id)] * 3)
    assert codes_of(answers) == ["ok", "wrong_state", "wrong_state"]
    assert saved(bank, volunteer) == 60


def test_only_what_was_recorded_is_approved(bank: Database) -> None:
    volunteer, elder = pair(bank)
    with bank.unit_of_work() as session:
        task = ask(session, elder)
    serve(bank, volunteer, task)
    with pytest.raises(Conflict, match="wrong_state:"):
        approve(bank, district(), task)
    with pytest.raises(NotFound, match="task_unknown:"), bank.unit_of_work() as session:
        tasks.approve_record(session, actor=district(), task_id=new_id())


def test_back_filled_hours_are_marked_as_such_for_ever(bank: Database) -> None:
    volunteer, elder = pair(bank)
    task = record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=NINE))
    approve(bank, district(), task)
    found = as_it_stands(bank, task)
    assert (found.back_filled, found.evidence, found.service_code) == (True, "签到表第3页", None)
    with bank.session() as session:
        [line] = statement(session, volunteer.person(), limit=9)
        assert (line.kind, line.note, line.effective_at) == ("back_fill_credit", "陪伴（补录）", NINE)
        query = select(AuditEntry.action).where(AuditEntry.subject_id == str(task.id)).order_by(AuditEntry.id)
        assert list(session.scalars(query)) == ["back_fill_recorded", "back_fill_approved"]
    with pytest.raises(IntegrityError, match="back_fill_has_evidence"), bank.unit_of_work() as session:
        session.execute(text("UPDATE task SET back_filled = false"))


def test_no_elder_confirms_or_disputes_what_awaits_approval(bank: Database) -> None:
    volunteer, elder = pair(bank)
    task = record(bank, steward(XIWU), past_service(volunteer, elder, ended_at=NINE))
    with pytest.raises(Conflict, match="wrong_state:"):
        confirm(bank, elder, task)
    with pytest.raises(Conflict, match="wrong_state:"), bank.unit_of_work() as session:
        tasks.cancel(session, actor=steward(XIWU), task_id=task.id)
