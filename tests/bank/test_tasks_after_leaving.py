"""Hours recorded afterwards for whoever had left, or had died, by then: refused, while earlier ones stay right."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from tests.factories.imports import NOON, bring_in, rejected_rows
from tests.factories.leaving import approve, leave, report
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, past_service
from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.leaving import actions as leaving
from timebank.leaving.actions.deaths import Death
from timebank.ledger.queries import balance_of
from timebank.people.models import Person
from timebank.tasks import actions as tasks
from timebank.tasks.actions import BackFill
from timebank.tasks.models import Task

A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def both(bank: Database) -> dict[str, Actor]:
    with bank.unit_of_work() as session:
        return {
            "volunteer": add_person(session, SHANGTIAN, age=66, name="林志远"),
            "elder": add_elder(session, XIWU, name="周桂芬"),
        }


def form_of(both: dict[str, Actor], **changed: object) -> BackFill:
    form = past_service(both["volunteer"], both["elder"], ended_at=clock.now())
    return replace(form, **changed)  # type: ignore[arg-type]


def record(bank: Database, form: BackFill) -> Task:
    with bank.unit_of_work() as session:
        return tasks.record(session, actor=steward(XIWU), form=form)


def credit(bank: Database, task: Task) -> Task:
    with bank.unit_of_work() as session:
        return tasks.approve_record(session, actor=district(), task_id=task.id)


def die(bank: Database, dead: Actor) -> None:
    """Reported today and carried out."""
    reported = report(bank, dead, by=district())
    for _ in range(2):
        approve(bank, reported.id)


@pytest.mark.parametrize("who", ["volunteer", "elder"])
def test_a_service_that_began_after_leaving_is_not_recorded(bank: Database, both: dict[str, Actor], who: str) -> None:
    leave(bank, both[who])
    clock.freeze(NINE + timedelta(hours=1))
    with pytest.raises(BankError, match="person_left:"):
        record(bank, form_of(both))
    before = form_of(both, started_at=NINE - timedelta(minutes=30), ended_at=NINE)
    assert credit(bank, record(bank, before)).status == "confirmed"


@pytest.mark.parametrize("carried_out", [True, False])
@pytest.mark.parametrize("who", ["volunteer", "elder"])
def test_a_service_after_the_day_of_death_is_not_recorded(
    bank: Database, both: dict[str, Actor], who: str, carried_out: bool
) -> None:
    if carried_out:
        die(bank, both[who])
    else:
        report(bank, both[who], by=district())
    clock.freeze(NINE + A_DAY)
    with pytest.raises(BankError, match="after_death:") as refusal:
        record(bank, form_of(both))
    assert refusal.value.facts == {"died_on": clock.local_date(NINE)}
    on_the_day = form_of(both, started_at=NINE - timedelta(minutes=30), ended_at=NINE)
    assert credit(bank, record(bank, on_the_day)).status == "confirmed"


def test_whoever_died_today_served_nobody_once_the_account_was_closed(bank: Database, both: dict[str, Actor]) -> None:
    die(bank, both["volunteer"])
    clock.freeze(NINE + timedelta(hours=2))
    with pytest.raises(BankError, match="after_death:"):
        record(bank, form_of(both))


@pytest.mark.parametrize("who", ["volunteer", "elder"])
def test_hours_recorded_before_the_death_was_known_are_not_approved(
    bank: Database, both: dict[str, Actor], who: str
) -> None:
    waiting = record(bank, form_of(both))
    with bank.unit_of_work() as session:
        death = Death(both[who].person(), clock.today() - A_DAY, "死亡证明第9号")
        reported = leaving.report_death(session, actor=district(), death=death)
    with pytest.raises(BankError, match="after_death:"):
        credit(bank, waiting)
    with bank.session() as session:
        assert balance_of(session, both["volunteer"].person()).savings_minutes == 0
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=reported.id, reason="误报")
        assert session.get_one(Person, both[who].person()).died_on is None
    assert credit(bank, waiting).status == "confirmed"


def test_a_report_that_is_wrong_can_still_be_turned_down_after_the_death(
    bank: Database, both: dict[str, Actor]
) -> None:
    waiting = record(bank, form_of(both))
    with bank.unit_of_work() as session:
        death = Death(both["elder"].person(), clock.today() - A_DAY, "死亡证明第9号")
        leaving.report_death(session, actor=district(), death=death)
    with bank.unit_of_work() as session:
        assert (
            tasks.reject_record(session, actor=district(), task_id=waiting.id, reason="老人已身故").status == "rejected"
        )


def test_nobody_has_a_day_of_death_without_a_report(bank: Database, both: dict[str, Actor]) -> None:
    wanted = {"id": both["elder"].person()}
    with pytest.raises(IntegrityError, match="death_reported"), bank.unit_of_work() as session:
        session.execute(text("UPDATE person SET died_on = '2026-03-01' WHERE id = :id"), wanted)


def rows_of(bank: Database, tmp_path: Path, *days: str) -> tuple[list[tuple[int, str]], int]:
    """The refused rows of a workbook with services on these days, and how many rows were credited."""
    heading, first = PLAIN_ROWS["服务记录"]
    rows = {"服务记录": [heading, *([day, *first[1:]] for day in days)]}
    brought = bring_in(bank, write_plain_workbook(tmp_path / "十一月.xlsx", rows))
    return rejected_rows(brought)["服务记录"], brought.new.records


@pytest.mark.parametrize("name", ["竺梅", "叶家惠"])
@pytest.mark.parametrize("died", [True, False])
def test_rows_of_a_workbook_after_that_come_back_and_what_was_credited_stays(
    bank: Database, tmp_path: Path, name: str, died: bool
) -> None:
    clock.freeze(NOON)
    assert rows_of(bank, tmp_path, "2026.11.19") == ([], 1)
    with bank.session() as session:
        gone = Actor(None, name, session.scalars(select(Person.id).where(Person.name == name)).one())
    if died:
        with bank.unit_of_work() as session:
            death = Death(gone.person(), date(2026, 11, 18), "死亡证明第9号")
            leaving.report_death(session, actor=district(), death=death)
    else:
        leave(bank, district(), person_id=gone.person_id, evidence="申请书")
    clock.freeze(NOON + 2 * A_DAY)
    later, earlier = "2026.11.22", "2026.11.18"
    reason = "after_death" if died else "person_left"
    # The credited row of the nineteenth comes once more.
    assert rows_of(bank, tmp_path, "2026.11.19", later, earlier) == ([(3, reason)], 1)
