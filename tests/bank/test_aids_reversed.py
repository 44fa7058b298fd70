"""A day of use that was charged wrongly is reversed: its minutes return, and the loan shows what is left of it."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from tests.factories.aids import add_aid, borrower_with, days_pass, lent, run_charges
from tests.factories.leaving import accounts_of, leave
from tests.factories.minutes import grant_minutes, posted_in
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, district, steward
from tests.factories.reversals import reversed_by_two
from tests.factories.tasks import NINE
from timebank.clearing.queries import owed_minutes
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.leaving import actions as leaving
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.redemption.aids.actions import Wish, lend, reserve, return_aid
from timebank.redemption.aids.models import AidCharge, AidLoan
from timebank.redemption.aids.views import LoanView, loan_for


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def seen(bank: Database, loan: AidLoan) -> LoanView:
    with bank.session() as session:
        return loan_for(session, actor=district(), loan_id=loan.id)


def granted_and_saved(bank: Database, borrower: Actor) -> tuple[int, int]:
    with bank.session() as session:
        return posted_in(session, AccountKind.GRANTED, borrower), posted_in(session, AccountKind.SAVINGS, borrower)


def test_a_day_of_an_aid_of_another_township_is_reversed_whole(bank: Database) -> None:
    borrower, loan = lent(bank, days=2, home=SHANGTIAN, at=DAYAN)
    days_pass(1)
    run_charges(bank)
    assert granted_and_saved(bank, borrower) == (0, 0)
    reversed_by_two(bank, "aid_use")
    assert granted_and_saved(bank, borrower) == (0, 30)
    view = seen(bank, loan)
    assert (view.used_days, view.charged_minutes, view.reversed_minutes) == (2, 30, 30)
    with bank.session() as session:
        titles = session.scalars(select(Notice.title).where(Notice.person_id == borrower.person())).all()
        assert titles.count("时长已冲正") == 1
        # Two days were owed to the aid's township; one of them is not any more.
        assert owed_minutes(session, [SHANGTIAN, DAYAN]) == {SHANGTIAN: 30, DAYAN: -30}


def test_a_day_paid_from_a_lot_and_from_savings_returns_to_each_by_its_own_reversal(bank: Database) -> None:
    with bank.unit_of_work() as session:
        borrower = borrower_with(session, 20)
        grant_minutes(session, borrower, 10, expires_on=date(2026, 4, 30))
        loan = reserve(session, actor=borrower, wish=Wish(1, item_id=add_aid(session).id))
        lend(session, actor=steward(XIWU), loan_id=loan.id, condition="good", code=loan.code)
    run_charges(bank)
    assert granted_and_saved(bank, borrower) == (0, 0)
    with bank.session() as session:
        day = session.scalars(select(AidCharge.id)).one()
    reversed_by_two(bank, "aid_use", cause_id=day)
    assert granted_and_saved(bank, borrower) == (10, 0)
    view = seen(bank, loan)
    assert (view.charged_minutes, view.reversed_minutes) == (20, 10)


def test_a_day_of_somebody_who_has_left_follows_the_savings(bank: Database) -> None:
    borrower, loan = lent(bank, days=1)
    run_charges(bank)
    with bank.unit_of_work() as session:
        return_aid(session, actor=steward(XIWU), loan_id=loan.id, condition="good")
    leave(bank, borrower)
    reversed_by_two(bank, "aid_use")
    with bank.unit_of_work() as session:
        assert leaving.left_overs(session, limit=9) == [borrower.person()]
        assert leaving.follow(session, person_id=borrower.person()) == 30
        assert all(minutes == 0 and closed for _, minutes, closed in accounts_of(session, borrower))
    assert seen(bank, loan).reversed_minutes == 30
