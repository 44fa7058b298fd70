"""What arrives while somebody leaves, or later: it goes along, or it follows to where the savings went."""

from __future__ import annotations

from datetime import datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.factories.family import make_relatives
from tests.factories.leaving import accounts_of, is_here, leave, report
from tests.factories.minutes import balance_at, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, past_service
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.giving.actions.give import give
from timebank.leaving import actions as leaving
from timebank.leaving.actions.leave import Wish
from timebank.leaving.checks import leaving_checks
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import AccountKind
from timebank.people.models import Person
from timebank.policies.queries import in_force
from timebank.redemption.actions import buy_vouchers
from timebank.tasks import actions as tasks
from timebank.tasks.actions.accept import settle_status
from timebank.tasks.actions.back_fill import recorded_task
from timebank.tasks.actions.confirm import credit, mark_confirmed, payable
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def pool_of(bank: Database, code: str) -> int:
    with bank.session() as session:
        return balance_at(session, township_accounts(session, [code], AccountKind.POOL)[code])


def pair(bank: Database, minutes: int = 40) -> tuple[Actor, Actor]:
    """A volunteer of 尚田 with some savings, and an elder of 西坞."""
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        save_minutes(session, volunteer, minutes)
    return volunteer, elder


def recorded(bank: Database, volunteer: Actor, elder: Actor, *, ended_at: datetime = NINE) -> Task:
    with bank.unit_of_work() as session:
        form = past_service(volunteer, elder, ended_at=ended_at)
        return tasks.record(session, actor=steward(XIWU), form=form)


def credited(bank: Database, task: Task) -> None:
    with bank.unit_of_work() as session:
        tasks.approve_record(session, actor=district(), task_id=task.id)


def followed(bank: Database) -> int:
    """What the job does in one turn."""
    with bank.session() as session:
        found = leaving.left_overs(session, limit=10)
    moved = 0
    for person_id in found:
        with bank.unit_of_work() as session:
            moved += leaving.follow(session, person_id=person_id)
    return moved


def test_an_hour_credited_after_leaving_follows_the_savings_into_the_pool(bank: Database) -> None:
    volunteer, elder = pair(bank)
    leave(bank, volunteer)
    credited(bank, recorded(bank, volunteer, elder))
    assert [followed(bank), followed(bank)] == [60, 0]
    assert pool_of(bank, SHANGTIAN) == 100
    with bank.session() as session:
        assert accounts_of(session, volunteer) == [("savings", 0, True), ("savings", 0, True)]


def test_and_to_the_relative_who_got_the_savings_while_the_relative_is_here(bank: Database) -> None:
    volunteer, elder = pair(bank)
    with bank.unit_of_work() as session:
        child = add_person(session, DAYAN, age=40)
        make_relatives(session, volunteer, child)
    leave(bank, volunteer, to="relative", to_person_id=child.person_id)
    credited(bank, recorded(bank, volunteer, elder))
    assert followed(bank) == 60
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, child) == 100
    leave(bank, child)
    # An hour from before both left, which somebody finds on a list now.
    credited(bank, recorded(bank, volunteer, elder, ended_at=NINE - timedelta(hours=1)))
    assert followed(bank) == 60
    assert (pool_of(bank, DAYAN), pool_of(bank, SHANGTIAN)) == (100, 60)


def test_late_minutes_wait_while_the_death_of_who_gets_them_is_only_reported(bank: Database) -> None:
    volunteer, elder = pair(bank)
    with bank.unit_of_work() as session:
        child = add_person(session, XIWU, age=40)
        make_relatives(session, volunteer, child)
    leave(bank, volunteer, to="relative", to_person_id=child.person_id)
    reported = report(bank, child)
    credited(bank, recorded(bank, volunteer, elder))
    with bank.session() as session:
        assert leaving.left_overs(session, limit=10) == []
    with bank.unit_of_work() as session:
        assert leaving.follow(session, person_id=volunteer.person()) == 0
        assert posted_in(session, AccountKind.SAVINGS, volunteer) == 60
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=steward(XIWU), report_id=reported.id, reason="同名")
    assert followed(bank) == 60
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, child) == 100


def test_whoever_has_come_back_keeps_what_came_late(bank: Database) -> None:
    volunteer, elder = pair(bank)
    leave(bank, volunteer)
    credited(bank, recorded(bank, volunteer, elder))
    with bank.unit_of_work() as session:
        session.get_one(Person, volunteer.person()).left_at = None
    with bank.unit_of_work() as session:
        assert leaving.follow(session, person_id=volunteer.person()) == 0
        assert posted_in(session, AccountKind.SAVINGS, volunteer) == 60


def credit_as_imported(session: Session, volunteer: Actor, elder: Actor) -> None:
    """Hours that an office hands in: recorded, approved and credited in one unit of work."""
    form = past_service(volunteer, elder, ended_at=clock.now())
    task = recorded_task(
        form, task_id=new_id(), township_code=XIWU, recorded_by=district().login_id, recorder_name="镇街"
    )
    [part] = task.parts
    policies = in_force(session, at=clock.now())
    mark_confirmed(part, step="approve_record", minutes=payable(task, part, policies), actor=district())
    settle_status(task)
    session.add(task)
    session.flush()
    credit(session, [(task, part)], policies)


def test_a_credit_that_arrives_while_somebody_leaves_waits_and_follows(bank: Database) -> None:
    volunteer, elder = pair(bank)
    failed: list[BaseException] = []

    def arrive() -> None:
        try:
            with bank.unit_of_work() as session:
                credit_as_imported(session, volunteer, elder)
        except BaseException as failure:
            failed.append(failure)

    arriving = Thread(target=arrive)
    with bank.unit_of_work() as session:
        leaving.leave(session, actor=volunteer, wish=Wish("pool"))
        arriving.start()
        arriving.join(1)
        assert arriving.is_alive()
    arriving.join(30)
    assert failed == []
    assert followed(bank) == 60
    assert pool_of(bank, SHANGTIAN) == 100


def test_who_wants_to_leave_while_a_credit_arrives_waits_and_takes_it_along(bank: Database) -> None:
    volunteer, elder = pair(bank)
    left: list[int] = []
    going = Thread(target=lambda: left.append(leave(bank, volunteer).savings_minutes))
    with bank.unit_of_work() as session:
        credit_as_imported(session, volunteer, elder)
        going.start()
        going.join(1)
        assert going.is_alive()
    going.join(30)
    assert left == [100]
    assert (followed(bank), pool_of(bank, SHANGTIAN)) == (0, 100)


def test_what_is_bought_or_given_while_somebody_leaves_is_never_lost(bank: Database) -> None:
    volunteer, _ = pair(bank, 120)
    with bank.unit_of_work() as session:
        giver = add_person(session, DAYAN, age=66)
        save_minutes(session, giver, 50)
        make_relatives(session, giver, volunteer)
    calls = [
        lambda s: buy_vouchers(s, actor=volunteer, quantity=1),
        lambda s: give(s, actor=giver, to_person_id=volunteer.person(), minutes=50),
        lambda s: leaving.leave(s, actor=volunteer, wish=Wish("pool")),
    ]
    answers = at_once(bank, calls)
    assert not isinstance(answers[2], BankError)
    followed(bank)
    given = 0 if isinstance(answers[1], BankError) else 50
    assert pool_of(bank, SHANGTIAN) == 120 + given
    with bank.session() as session:
        assert not is_here(session, volunteer)
        assert posted_in(session, AccountKind.SAVINGS, giver) == 50 - given


def test_verify_finds_a_leaving_that_does_not_tie(unverified_bank: Database) -> None:
    volunteer, _ = pair(unverified_bank)
    leave(unverified_bank, volunteer)

    def misfits() -> list[str]:
        with unverified_bank.session() as session:
            return [check.name for check in leaving_checks() if check.first_misfit(session) is not None]

    assert misfits() == []
    tampering = (
        ("leaving", "UPDATE leaving SET savings_minutes = 41", "leavings_paid_out"),
        ("leaving", "UPDATE leaving SET savings_minutes = 40, reason = 'died'", "deaths_carried_out_once"),
    )
    for table, statement, name in tampering:
        with unverified_bank.unit_of_work() as session:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
            session.execute(text(statement))
        assert misfits() == [name]
