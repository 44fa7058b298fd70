"""Many at the same aid at the same moment; the same job in two processes; and a failure at every step."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.aids import add_aid, borrower_with, days_pass, lent, reserved, run_charges
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.queries import balance_of
from timebank.redemption.aids.actions import (
    Wish,
    cancel,
    charge_day,
    extend,
    lapse_reservation,
    lend,
    lose,
    remind,
    reserve,
    return_aid,
    send_to_repair,
)
from timebank.redemption.aids.models import AidCharge, AidItem, AidLoan, AidReminder


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def wishes_for(bank: Database, people: int, townships: tuple[str, ...] = (XIWU,)) -> list[Actor]:
    with bank.unit_of_work() as session:
        return [borrower_with(session, 90, township_code=townships[n % len(townships)]) for n in range(people)]


def reserving(borrower: Actor, wish: Wish) -> Callable[[Session], AidLoan]:
    return lambda session: reserve(session, actor=borrower, wish=wish)


def test_one_aid_reserved_by_twenty_at_once_goes_to_one_and_the_others_hear_when_it_is_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        item = add_aid(session)
    people = wishes_for(bank, 20, (XIWU, SHANGTIAN))
    answers = at_once(bank, [reserving(one, Wish(3, item_id=item.id)) for one in people])
    assert codes_of(answers) == ["aid_taken"] * 19 + ["ok"]
    # Kept until the 12th, nine o'clock, and then three days of use.
    backs = {answer.facts["due_back_on"] for answer in answers if isinstance(answer, BankError)}
    assert backs == {"2026-03-14"}
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(AidLoan)) == 1
        held = [balance_of(session, one.person()).held_minutes for one in people]
    assert sorted(held) == [0] * 19 + [90]


def test_of_three_of_a_kind_wanted_by_twelve_at_once_each_goes_to_one(bank: Database) -> None:
    with bank.unit_of_work() as session:
        items = {add_aid(session, code).id for code in (XIWU, SHANGTIAN, DAYAN)}
    people = wishes_for(bank, 12, (XIWU, SHANGTIAN, DAYAN))
    answers = at_once(bank, [reserving(one, Wish(1, kind="wheelchair")) for one in people])
    assert codes_of(answers) == ["aid_taken"] * 9 + ["ok"] * 3
    assert {answer.item_id for answer in answers if isinstance(answer, AidLoan)} == items


def test_a_borrower_who_asks_for_many_at_once_gets_as_many_as_policy_allows(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "aid_max_items", 2)
        items = [add_aid(session) for _ in range(6)]
        borrower = borrower_with(session, 600)
    answers = at_once(bank, [reserving(borrower, Wish(1, item_id=item.id)) for item in items])
    assert codes_of(answers) == ["aids_too_many"] * 4 + ["ok"] * 2


def test_minutes_for_one_loan_pay_for_one_however_many_are_asked_at_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        items = [add_aid(session, code) for code in (XIWU, SHANGTIAN, DAYAN)]
        borrower = borrower_with(session, 60)
    answers = at_once(bank, [reserving(borrower, Wish(2, item_id=item.id)) for item in items])
    assert codes_of(answers) == ["insufficient_minutes"] * 2 + ["ok"]


def test_a_day_is_charged_once_however_many_processes_run_the_job(bank: Database) -> None:
    borrower, loan = lent(bank, days=4)
    days_pass(2)
    days = [date(2026, 3, day) for day in (10, 11, 12)]
    calls = [lambda s, day=day: (charge_day(s, loan_id=loan.id, day=day),) for day in days * 2]
    at_once(bank, calls)
    run_charges(bank)
    with bank.session() as session:
        charged = session.scalars(select(AidCharge.day).order_by(AidCharge.number)).all()
        assert (charged, balance_of(session, borrower.person()).held_minutes) == (days, 30)


def test_of_a_return_and_a_charge_at_once_every_day_is_charged_once(bank: Database) -> None:
    for _ in range(4):
        clock.freeze(NINE)
        borrower, loan = lent(bank, days=5)
        days_pass(1)
        at_once(
            bank,
            [
                lambda s, i=loan.id: (charge_day(s, loan_id=i, day=date(2026, 3, 10)),),
                lambda s, i=loan.id: (return_aid(s, actor=steward(DAYAN), loan_id=i, condition="good"),),
                lambda s, i=loan.id: (charge_day(s, loan_id=i, day=date(2026, 3, 11)),),
            ],
        )
        with bank.session() as session:
            charged = session.scalars(select(AidCharge.number).where(AidCharge.loan_id == loan.id)).all()
            left = balance_of(session, borrower.person())
        assert (sorted(charged), left.held_minutes, left.available_minutes) == ([1, 2], 0, 90)


def test_of_lending_and_two_cancellations_at_once_exactly_one_happens(bank: Database) -> None:
    for _ in range(4):
        clock.freeze(NINE)
        borrower, loan = reserved(bank)
        answers = at_once(
            bank,
            [
                lambda s, x=loan: lend(s, actor=steward(XIWU), loan_id=x.id, condition="good", code=x.code).status,
                lambda s, x=loan, b=borrower: cancel(s, actor=b, loan_id=x.id).status,
                lambda s, x=loan: cancel(s, actor=steward(XIWU), loan_id=x.id, reason="老人住院").status,
            ],
        )
        assert codes_of(answers) == ["ok", "wrong_state", "wrong_state"]
        [status] = [answer for answer in answers if not isinstance(answer, BankError)]
        with bank.session() as session:
            assert session.get_one(AidLoan, loan.id).status == status
            assert balance_of(session, borrower.person()).held_minutes == (90 if status == "lent" else 0)


def test_of_a_reservation_and_a_repair_at_once_exactly_one_happens(bank: Database) -> None:
    for _ in range(4):
        [borrower] = wishes_for(bank, 1)
        with bank.unit_of_work() as session:
            item = add_aid(session)
        answers = at_once(
            bank,
            [
                reserving(borrower, Wish(1, item_id=item.id)),
                lambda s, i=item.id: send_to_repair(s, actor=steward(XIWU), item_id=i, reason="轮胎"),
            ],
        )
        assert codes_of(answers) in (["aid_not_usable", "ok"], ["aid_taken", "ok"])


def test_a_reminder_is_written_once_however_many_processes_run_the_job(bank: Database) -> None:
    _, loan = lent(bank, days=1)
    answers = at_once(bank, [lambda s: (remind(s, loan_id=loan.id),)] * 5)
    assert sorted(answers, key=str) == [(False,)] * 4 + [(True,)]
    with bank.session() as session:
        assert session.scalars(select(AidReminder.offset_days)).all() == [0]


def whole(bank: Database) -> object:
    """Everything that a step may have changed."""
    with bank.session() as session:
        loans = select(AidLoan.id, AidLoan.status, AidLoan.days, AidLoan.due_on).order_by(AidLoan.id)
        charges = select(AidCharge.loan_id, AidCharge.day, AidCharge.paid_from).order_by(AidCharge.id)
        items = select(AidItem.id, AidItem.condition, AidItem.at_township_code).order_by(AidItem.id)
        holders = session.scalars(select(AidLoan.holder_id)).all()
        balances = {holder: balance_of(session, holder) for holder in holders}
        return [[tuple(row) for row in session.execute(query)] for query in (loans, charges, items)], balances


Step = Callable[[Session, Actor, AidLoan], object]
STEPS: dict[str, Step] = {
    "charge": lambda s, _, x: charge_day(s, loan_id=x.id, day=clock.today()),
    "extend": lambda s, b, x: extend(s, actor=b, loan_id=x.id, days=1),
    "return": lambda s, _, x: return_aid(s, actor=steward(DAYAN), loan_id=x.id, condition="worn"),
    "lose": lambda s, _, x: lose(s, actor=steward(XIWU), loan_id=x.id, reason="遗失"),
}
EARLY: dict[str, Step] = {
    "cancel": lambda s, b, x: cancel(s, actor=b, loan_id=x.id),
    "lapse": lambda s, _, x: lapse_reservation(s, loan_id=x.id),
    "lend": lambda s, _, x: lend(s, actor=steward(XIWU), loan_id=x.id, condition="good", code=x.code),
}


@pytest.mark.parametrize("name", [*STEPS, *EARLY])
def test_a_crash_at_any_flush_of_any_step_leaves_nothing_behind_and_the_step_can_be_done_again(
    bank: Database, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    early = name in EARLY
    borrower, loan = reserved(bank, days=3, minutes=300) if early else lent(bank, days=3, minutes=300)
    if name == "lapse":
        clock.freeze(loan.reserved_until)
    elif not early:
        days_pass(1)
        run_charges(bank)
        days_pass(1)
    step, before = {**STEPS, **EARLY}[name], whole(bank)
    flushes = 0

    class PowerFails(Exception):
        pass

    def crash_at(number: int) -> bool:
        """Whether the step came so far."""
        nonlocal flushes
        flushes = 0
        flush = Session.flush

        def counting(self: Session, *more: object) -> None:
            nonlocal flushes
            flush(self, *more)  # type: ignore[arg-type]
            flushes += 1
            if flushes == number:
                raise PowerFails

        with monkeypatch.context() as broken:
            broken.setattr(Session, "flush", counting)
            try:
                with bank.unit_of_work() as session:
                    step(session, borrower, loan)
                    raise PowerFails
            except PowerFails:
                return flushes == number

    number = 1
    while crash_at(number):
        assert whole(bank) == before
        number += 1
    assert number > 1
    with bank.unit_of_work() as session:
        step(session, borrower, loan)
    assert whole(bank) != before
