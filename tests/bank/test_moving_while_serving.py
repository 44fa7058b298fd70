"""Moving in the middle of things: hours served, records waiting, meals bought and confirmations at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from threading import Event

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.bank.test_moving_home import move, owing, savings_accounts, settled_in
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.tasks import NINE, ask, confirm, past_service, serve
from tests.factories.threads import at_once, codes_of
from timebank.clearing.actions import MovedHome, move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.queries import balance_of
from timebank.people.models import Person
from timebank.redemption.actions import buy_vouchers, refund_voucher
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield pool


def served(
    bank: Database, volunteer: Actor | None = None, elder: Actor | None = None
) -> tuple[Actor, Callable[[Session], object]]:
    """A volunteer, of 尚田 if nobody is named, has served an elder for an hour; how the elder confirms it."""
    with bank.unit_of_work() as session:
        volunteer, elder = volunteer or add_person(session, SHANGTIAN), elder or add_elder(session, XIWU)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    confirmation = Confirmation(task.id, elder, rating=5)
    return volunteer, lambda session: tasks.confirm(session, confirmation=confirmation)


def it_has_to_wait(moving: Future[MovedHome]) -> None:
    """Whoever moves waits for what is under way; where it does not, the figures that follow fail the test too."""
    Event().wait(0.3)
    assert not moving.done()


def test_who_moves_before_the_confirmation_is_credited_in_the_new_township(bank: Database) -> None:
    volunteer, confirmed = served(bank)
    move(bank, volunteer, DAYAN)
    with bank.unit_of_work() as session:
        confirmed(session)
    assert savings_accounts(bank, volunteer) == [(DAYAN, 60, True)]
    assert owing(bank) == {(XIWU, DAYAN): (60, 1)}


def test_who_is_at_an_elders_when_moving_can_check_out_and_is_credited_in_the_new_township(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        task = ask(session, elder)
        tasks.accept(session, actor=volunteer, task_id=task.id)
    clock.freeze(task.starts_at)
    assert task.service_code is not None
    with bank.unit_of_work() as session:
        tasks.check_in(session, actor=volunteer, task_id=task.id, service_code=task.service_code)
    move(bank, volunteer, DAYAN)
    clock.freeze(task.starts_at + timedelta(minutes=60))
    with bank.unit_of_work() as session:
        tasks.check_out(session, actor=volunteer, task_id=task.id)
    confirm(bank, elder, task)
    assert savings_accounts(bank, volunteer) == [(DAYAN, 60, True)]


def test_an_elder_who_moved_pays_from_the_savings_that_went_along(bank: Database) -> None:
    elder = settled_in(bank, 100)
    volunteer, confirmed = served(bank, elder=elder)
    move(bank, elder, XIWU)
    with bank.unit_of_work() as session:
        confirmed(session)
    assert savings_accounts(bank, elder) == [(SHANGTIAN, 0, False), (XIWU, 40, True)]
    assert savings_accounts(bank, volunteer) == [(SHANGTIAN, 60, True)]
    assert owing(bank) == {(SHANGTIAN, XIWU): (100, 1), (XIWU, SHANGTIAN): (60, 1)}


def test_hours_recorded_before_a_move_are_credited_in_the_new_township(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
        form = past_service(volunteer, elder, ended_at=NINE - timedelta(days=1))
        task = tasks.record(session, actor=steward(SHANGTIAN), form=form)
    move(bank, volunteer, DAYAN)
    with bank.unit_of_work() as session:
        tasks.approve_record(session, actor=steward(XIWU), task_id=task.id)
    assert savings_accounts(bank, volunteer) == [(DAYAN, 60, True)]


def test_a_move_waits_for_a_purchase_and_takes_along_what_it_left(bank: Database, pool: ThreadPoolExecutor) -> None:
    mover = settled_in(bank)
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=mover, quantity=2)
        moving = pool.submit(move, bank, mover, DAYAN)
        it_has_to_wait(moving)
    assert moving.result().moved_minutes == 180
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 0, False), (DAYAN, 180, True)]


def test_a_move_waits_for_a_credit_and_takes_it_along(bank: Database, pool: ThreadPoolExecutor) -> None:
    volunteer, first = served(bank)
    with bank.unit_of_work() as session:
        first(session)
    _, second = served(bank, volunteer)
    with bank.unit_of_work() as session:
        second(session)
        moving = pool.submit(move, bank, volunteer, DAYAN)
        it_has_to_wait(moving)
    assert moving.result().moved_minutes == 120
    assert savings_accounts(bank, volunteer) == [(SHANGTIAN, 0, False), (DAYAN, 120, True)]


def test_a_move_waits_for_a_refund_and_takes_it_along(bank: Database, pool: ThreadPoolExecutor) -> None:
    mover = settled_in(bank)
    with bank.unit_of_work() as session:
        [voucher] = buy_vouchers(session, actor=mover, quantity=1)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=mover, voucher_id=voucher.id)
        moving = pool.submit(move, bank, mover, DAYAN)
        it_has_to_wait(moving)
    assert moving.result().moved_minutes == 300


def test_whatever_happens_at_the_moment_of_a_move_loses_nothing(bank: Database) -> None:
    for _ in range(5):
        volunteer, first = served(bank)
        with bank.unit_of_work() as session:
            first(session)
        _, second = served(bank, volunteer)

        def leave(session: Session, who: Actor = volunteer) -> MovedHome:
            return move_home(
                session, actor=district(), person_id=who.person(), township_code=DAYAN, evidence="户口迁移证"
            )

        def buy(session: Session, buyer: Actor = volunteer) -> object:
            return buy_vouchers(session, actor=buyer, quantity=1)

        moved, *others = at_once(bank, [leave, second, buy])
        assert isinstance(moved, MovedHome)
        for call, answer in zip((second, buy), others, strict=True):
            if isinstance(answer, BankError):
                # Overtaken by the move: nothing was done, and the same call is right the next time.
                assert answer.code in ("account_closed", "insufficient_minutes")
                with bank.unit_of_work() as session:
                    call(session)
        with bank.session() as session:
            balance = balance_of(session, volunteer.person())
        assert (balance.savings_minutes, balance.voucher_minutes) == (60, 60)


def test_of_two_townships_that_take_somebody_at_once_one_does_and_the_other_is_told(bank: Database) -> None:
    letting_go = steward(SHANGTIAN)
    for _ in range(4):
        mover = settled_in(bank)
        answers = at_once(
            bank,
            [
                lambda s, code=code, who=mover: move_home(
                    s, actor=letting_go, person_id=who.person(), township_code=code, evidence="户口迁移证"
                )
                for code in (DAYAN, XIWU, DAYAN, XIWU)
            ],
        )
        assert codes_of(answers) == ["ok", "other_township", "other_township", "other_township"]
        [moved] = [answer for answer in answers if isinstance(answer, MovedHome)]
        with bank.session() as session:
            home = session.scalar(select(Person.township_code).where(Person.id == mover.person()))
        assert home == moved.to_township_code
        assert savings_accounts(bank, mover) == [(SHANGTIAN, 0, False), (home, 300, True)]
