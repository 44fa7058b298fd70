"""Reserving, lending, charging, returning aids: what becomes of the item and of the minutes."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.factories.aids import add_aid, borrower_with, days_pass, lent, reserved, run_charges
from tests.factories.minutes import balance_at, grant_minutes, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.clearing.queries import owed_minutes
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.actions import end_hold, expired_holds, sweep_lot
from timebank.ledger.models import Hold, Transfer
from timebank.ledger.queries import balance_of
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.people.actions import register_proxy
from timebank.redemption.aids.actions import (
    Wish,
    cancel,
    extend,
    lapse_reservation,
    lapsed_reservations,
    lend,
    lose,
    mark_repaired,
    reserve,
    return_aid,
    send_to_repair,
)
from timebank.redemption.aids.models import AidCharge, AidItem, AidLoan, AidLoanDay
from timebank.redemption.aids.queries import item_history
from timebank.redemption.aids.views import LoanView, loan_for


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def seen(bank: Database, loan: AidLoan) -> LoanView:
    with bank.session() as session:
        return loan_for(session, actor=district(), loan_id=loan.id)


def left(bank: Database, person: object) -> tuple[int, int]:
    """Minutes held and available."""
    with bank.session() as session:
        balance = balance_of(session, person.person())  # type: ignore[attr-defined]
    return balance.held_minutes, balance.available_minutes


def bring_back(bank: Database, loan: AidLoan, at: str = XIWU, condition: str = "good", damage: str = "") -> AidLoan:
    with bank.unit_of_work() as session:
        return return_aid(session, actor=steward(at), loan_id=loan.id, condition=condition, damage=damage)


def test_a_reservation_holds_every_days_price_and_moves_nothing(bank: Database) -> None:
    borrower, loan = reserved(bank, days=3, minutes=100)
    assert left(bank, borrower) == (90, 10)
    view = seen(bank, loan)
    assert (view.loan.status, view.held_minutes, view.charged_minutes, view.code) == ("reserved", 90, 0, None)


def test_each_day_begun_is_charged_and_the_rest_given_back_on_return(bank: Database) -> None:
    borrower, loan = lent(bank, days=5)
    assert run_charges(bank) == 1
    assert left(bank, borrower) == (120, 0)
    days_pass(2)
    assert run_charges(bank) == 2
    bring_back(bank, loan)
    assert left(bank, borrower) == (0, 60)
    view = seen(bank, loan)
    assert (view.loan.status, view.used_days, view.charged_minutes, view.held_minutes) == ("returned", 3, 90, 0)


def test_lent_and_returned_on_one_day_costs_one_day_whether_the_job_has_run_or_not(bank: Database) -> None:
    for run in (False, True):
        borrower, loan = lent(bank, days=2)
        if run:
            run_charges(bank)
        bring_back(bank, loan)
        assert left(bank, borrower) == (0, 30)


def test_a_day_ends_at_midnight_in_fenghua(bank: Database) -> None:
    _, loan = lent(bank, days=3)
    run_charges(bank)
    clock.freeze(clock.day_start(date(2026, 3, 11)) - timedelta(seconds=1))
    assert run_charges(bank) == 0
    clock.freeze(clock.day_start(date(2026, 3, 11)))
    assert run_charges(bank) == 1
    with bank.session() as session:
        days = session.scalars(select(AidCharge.day).where(AidCharge.loan_id == loan.id).order_by(AidCharge.number))
        assert days.all() == [date(2026, 3, 10), date(2026, 3, 11)]


def test_a_job_that_was_down_for_a_week_charges_every_day_of_it(bank: Database) -> None:
    borrower, loan = lent(bank, days=10)
    days_pass(6)
    assert run_charges(bank) == 7
    assert run_charges(bank) == 0
    assert left(bank, borrower) == (90, 0)
    assert seen(bank, loan).charged_minutes == 210


def test_an_aid_returned_elsewhere_stays_there_and_its_home_township_is_paid(bank: Database) -> None:
    borrower, loan = lent(bank, days=2, home=XIWU, at=SHANGTIAN)
    bring_back(bank, loan, at=DAYAN)
    with bank.session() as session:
        item = session.get_one(AidItem, loan.item_id)
        assert (item.home_township_code, item.at_township_code) == (SHANGTIAN, DAYAN)
        kinds = select(Transfer.book_code, Transfer.counterpart_book_code).where(Transfer.kind == "aid_use")
        assert {tuple(row) for row in session.execute(kinds)} == {(XIWU, SHANGTIAN), (SHANGTIAN, XIWU)}
        told = select(Notice.body).where(Notice.audience == "stewards", Notice.township_code == SHANGTIAN)
        assert "大堰镇" in session.scalars(told).one()
    with bank.unit_of_work() as session:
        other = borrower_with(session, 30, township_code=DAYAN)
        again = reserve(session, actor=other, wish=Wish(1, kind="wheelchair", township_code=DAYAN))
        assert again.item_id == loan.item_id
    assert left(bank, borrower) == (0, 30)


def test_granted_minutes_pay_first_and_a_lot_that_expires_meanwhile_still_pays_its_days(bank: Database) -> None:
    with bank.unit_of_work() as session:
        borrower, item = borrower_with(session, 60), add_aid(session)
        lot = grant_minutes(session, borrower, 60, expires_on=date(2026, 3, 10))
        loan = reserve(session, actor=borrower, wish=Wish(4, item_id=item.id))
        lend(session, actor=steward(XIWU), loan_id=loan.id, condition="worn", evidence="本人身份证")
    days_pass(1)
    with bank.unit_of_work() as session:
        assert sweep_lot(session, account_id=lot) == 0
    assert run_charges(bank) == 2
    with bank.session() as session:
        assert (balance_at(session, lot), posted_in(session, AccountKind.SAVINGS, borrower)) == (0, 60)
    bring_back(bank, loan)
    assert left(bank, borrower) == (0, 60)


def test_what_an_expired_lot_gets_back_goes_where_its_rest_goes(bank: Database) -> None:
    with bank.unit_of_work() as session:
        borrower, item = borrower_with(session, 0), add_aid(session)
        lot = grant_minutes(session, borrower, 90, expires_on=date(2026, 3, 10))
        loan = reserve(session, actor=borrower, wish=Wish(3, item_id=item.id))
    days_pass(1)
    with bank.unit_of_work() as session:
        cancel(session, actor=borrower, loan_id=loan.id)
        assert sweep_lot(session, account_id=lot) == 90


def test_overdue_days_are_paid_from_what_is_available_then_owed_and_never_below_zero(bank: Database) -> None:
    borrower, loan = lent(bank, days=1, minutes=75)
    days_pass(3)
    assert run_charges(bank) == 4
    view = seen(bank, loan)
    assert left(bank, borrower) == (0, 15)
    assert (view.overdue_days, view.used_days, view.charged_minutes) == (3, 4, 60)
    assert (view.owed_days, view.owed_minutes) == (2, 60)
    with bank.session() as session:
        rows = select(AidCharge.paid_from, AidCharge.owed_reason).order_by(AidCharge.number)
        assert [tuple(row) for row in session.execute(rows)] == [
            ("held", None),
            ("available", None),
            ("owed", "insufficient_minutes"),
            ("owed", "insufficient_minutes"),
        ]
        owing = select(Notice.id).where(Notice.title == "辅具借用有欠付")
        assert len(session.scalars(owing).all()) == 1


def test_after_as_many_overdue_days_as_policy_says_days_are_only_noted(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "aid_overdue_max_days", 2)
    days_pass(1)
    borrower, loan = lent(bank, days=1, minutes=600)
    days_pass(4)
    run_charges(bank)
    assert left(bank, borrower) == (0, 510)
    assert (seen(bank, loan).owed_days, seen(bank, loan).owed_minutes) == (2, 60)
    bring_back(bank, loan)
    with bank.session() as session:
        assert "欠付2天" in session.scalars(select(Notice.body).where(Notice.audience == "stewards")).one()


def test_each_day_names_the_policy_version_that_it_was_priced_by(bank: Database) -> None:
    borrower, loan = lent(bank, days=1, minutes=400)
    with bank.unit_of_work() as session:
        later = change_policy(session, "aid_price_minutes_per_day", {"default": 30, "wheelchair": 40})
    with bank.unit_of_work() as session:
        extend(session, actor=borrower, loan_id=loan.id, days=1)
    with bank.unit_of_work() as session:
        in_the_night = clock.day_start(date(2026, 3, 12)) + timedelta(hours=9)
        dearest = change_policy(session, "aid_price_minutes_per_day", {"default": 50}, at=in_the_night)
    days_pass(4)
    run_charges(bank)
    with bank.session() as session:
        rows = select(AidCharge.minutes, AidCharge.policy_version).order_by(AidCharge.number)
        found = [tuple(row) for row in session.execute(rows)]
        # On 12 March the day began under the old price; from 13 March on the new one is in force.
        versions = [loan.policy_version, later.id, later.id, dearest.id, dearest.id]
        assert found == list(zip([30, 40, 40, 50, 50], versions, strict=True))
        charged = select(Transfer.amount, Transfer.policy_version).where(Transfer.kind == "aid_use")
        assert [tuple(row) for row in session.execute(charged.order_by(Transfer.seq))] == found


def test_a_day_whose_hold_ran_out_is_paid_from_what_is_available(bank: Database) -> None:
    borrower, loan = lent(bank, days=2)
    # Two days to collect it, two of use, and the ninety of policy.
    days_pass(93)
    with bank.session() as session:
        assert expired_holds(session, limit=10) == []
    days_pass(1)
    for _ in range(2):
        with bank.unit_of_work() as session:
            [hold_id, *_] = expired_holds(session, limit=10)
            end_hold(session, hold_id=hold_id, expired=True)
    with bank.session() as session:
        # Both days of 10 and 11 March, nothing is held for them any more; the minutes are there.
        assert session.scalars(select(Hold.state)).all() == ["expired", "expired"]
    bring_back(bank, loan)
    view = seen(bank, loan)
    assert left(bank, borrower) == (0, 0)
    assert (view.used_days, view.charged_minutes, view.owed_days) == (95, 60, 93)


def test_days_are_added_before_the_last_one_is_over_and_not_after(bank: Database) -> None:
    borrower, loan = lent(bank, days=2, minutes=200)
    days_pass(1)
    with bank.unit_of_work() as session:
        longer = extend(session, actor=borrower, loan_id=loan.id, days=2)
        assert (longer.days, longer.due_on) == (4, date(2026, 3, 13))
    days_pass(3)
    with bank.unit_of_work() as session, pytest.raises(BankError) as refused:
        extend(session, actor=borrower, loan_id=loan.id, days=1)
    assert (refused.value.code, refused.value.facts) == ("aid_overdue", {"overdue_days": 1})
    with bank.session() as session:
        assert session.scalars(select(AidLoanDay.number).order_by(AidLoanDay.number)).all() == [1, 2, 3, 4]


def test_a_reservation_lapses_when_its_hours_are_over_and_gives_its_minutes_back(bank: Database) -> None:
    borrower, loan = reserved(bank)
    clock.freeze(loan.reserved_until - timedelta(seconds=1))
    with bank.session() as session:
        assert lapsed_reservations(session, limit=5) == []
    clock.freeze(loan.reserved_until)
    with bank.unit_of_work() as session, pytest.raises(BankError) as refused:
        lend(session, actor=steward(XIWU), loan_id=loan.id, condition="good", code=loan.code)
    assert refused.value.code == "aid_reservation_lapsed"
    for expected in (True, False):
        with bank.unit_of_work() as session:
            assert lapse_reservation(session, loan_id=loan.id) is expected
    assert left(bank, borrower) == (0, 90)
    assert seen(bank, loan).loan.status == "lapsed"


def test_a_lost_aid_ends_its_loan_and_is_retired_for_good(bank: Database) -> None:
    borrower, loan = lent(bank, days=5)
    days_pass(1)
    with bank.unit_of_work() as session:
        lose(session, actor=steward(XIWU), loan_id=loan.id, reason="老人外出时遗失")
    assert left(bank, borrower) == (0, 90)
    with bank.unit_of_work() as session, pytest.raises(BankError) as refused:
        reserve(session, actor=borrower, wish=Wish(1, item_id=loan.item_id))
    assert refused.value.code == "aid_not_usable"
    with bank.session() as session:
        _, history = item_history(session, actor=district(), item_id=loan.item_id)
    assert [(event.what, event.condition) for event in history] == [
        ("entered", "good"),
        ("lent", "good"),
        ("lost", "retired"),
    ]


def test_a_damaged_aid_goes_to_repair_on_return_and_can_be_borrowed_once_repaired(bank: Database) -> None:
    borrower, loan = lent(bank, days=2)
    bring_back(bank, loan, condition="in_repair", damage="刹车断了")
    wish = Wish(1, item_id=loan.item_id)
    with bank.unit_of_work() as session, pytest.raises(BankError) as refused:
        reserve(session, actor=borrower, wish=wish)
    assert refused.value.code == "aid_not_usable"
    with bank.unit_of_work() as session:
        mark_repaired(session, actor=steward(XIWU), item_id=loan.item_id, condition="worn")
        assert reserve(session, actor=borrower, wish=wish).status == "reserved"


def test_the_nearest_free_aid_of_a_kind_is_the_own_townships(bank: Database) -> None:
    with bank.unit_of_work() as session:
        far, near = add_aid(session, DAYAN), add_aid(session, SHANGTIAN)
        broken = add_aid(session, SHANGTIAN)
        send_to_repair(session, actor=steward(SHANGTIAN), item_id=broken.id, reason="轮胎漏气")
        add_aid(session, SHANGTIAN, kind="walker")
        borrower = borrower_with(session, 300, township_code=SHANGTIAN)
        wish = Wish(1, kind="wheelchair")
        assert [reserve(session, actor=borrower, wish=wish).item_id for _ in range(2)] == [near.id, far.id]
    with bank.unit_of_work() as session, pytest.raises(BankError) as refused:
        reserve(session, actor=borrower, wish=wish)
    assert (refused.value.code, refused.value.facts["due_back_on"]) == ("aid_taken", "2026-03-12")


def test_a_proxy_reserves_for_an_elder_and_both_names_stand(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, proxy = borrower_with(session, 60), add_person(session, XIWU, age=45, name="周小敏")
        register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=proxy.person(),
            relation="女儿",
            consent_evidence="委托书",
        )
        item = add_aid(session)
        loan = reserve(session, actor=proxy, wish=Wish(2, item_id=item.id, for_person_id=elder.person()))
        assert loan.reserved_by_name == "周小敏（代周桂芬）"
        assert loan_for(session, actor=proxy, loan_id=loan.id).code == loan.code
        told = session.scalars(select(Notice.person_id).where(Notice.title == "辅具预约成功"))
        assert set(told) == {elder.person(), proxy.person()}
        cancelled = cancel(session, actor=proxy, loan_id=loan.id)
        assert cancelled.ended_by_name == "周小敏（代周桂芬）"


def test_a_township_at_its_hard_limit_borrows_at_home_only(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 0, township_code=XIWU)
        change_policy(session, "position_hard_limit_minutes", 0, township_code=XIWU)
        abroad, at_home, borrower = add_aid(session, DAYAN), add_aid(session, XIWU), borrower_with(session, 300)
        assert owed_minutes(session, [XIWU]) == {XIWU: 0}
    with bank.unit_of_work() as session, pytest.raises(BankError) as refused:
        reserve(session, actor=borrower, wish=Wish(1, item_id=abroad.id))
    assert refused.value.code == "position_limit_reached"
    with bank.unit_of_work() as session:
        assert reserve(session, actor=borrower, wish=Wish(1, item_id=at_home.id)).status == "reserved"
        save_minutes(session, borrower, 1)
