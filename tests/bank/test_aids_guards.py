"""What the database refuses about aids, tried by raw SQL; and what ``verify`` finds where it was got round."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.aids import add_aid, borrower_with, days_pass, lent, reserved, run_charges
from tests.factories.people import XIWU, steward
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.redemption.aids.actions import cancel, retire_item, return_aid, send_to_repair
from timebank.redemption.aids.models import AidLoan
from timebank.supervision.verify import verify

COPY = """INSERT INTO aid_loan (id, item_id, holder_id, status, days, price_minutes, policy_version, code, reserved_at,
    reserved_by_name, reserved_until)
SELECT :id, coalesce(:item, item_id), holder_id, :status, days, price_minutes, policy_version, code, reserved_at,
    reserved_by_name, reserved_until FROM aid_loan WHERE id = :loan"""
CHARGE = """INSERT INTO aid_charge (id, loan_id, number, day, minutes, paid_from, policy_version, charged_at)
VALUES (:id, :loan, :number, CAST(:day AS date), 30, 'available', 1, now())"""
DAY = """INSERT INTO aid_loan_day (id, loan_id, number, minutes, policy_version, added_at, added_by_name)
VALUES (:id, :loan, :number, 30, 1, now(), '某人')"""
END = "UPDATE aid_loan SET status = :status, ended_at = :now, ended_by_name = '某人'"


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def refused(session: Session, statement: str, **values: Any) -> str:
    """The constraint or the SQLSTATE that refuses the statement."""
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(statement), {"id": new_id(), "item": None, **values})
    session.rollback()
    diagnosis = raised.value.orig.diag  # type: ignore[union-attr]
    return str(diagnosis.constraint_name or diagnosis.sqlstate)


@pytest.mark.parametrize("status", ["reserved", "lent"])
def test_an_aid_is_in_one_active_loan_at_a_time(bank: Database, status: str) -> None:
    _, loan = reserved(bank) if status == "reserved" else lent(bank)
    with bank.session() as session:
        assert refused(session, COPY, loan=loan.id, status="reserved") == "uq_aid_loan_item_active"


@pytest.mark.parametrize("condition", ["in_repair", "retired"])
def test_an_aid_out_of_use_is_neither_reserved_nor_lent(bank: Database, condition: str) -> None:
    _, loan = reserved(bank)
    with bank.unit_of_work() as session:
        out = add_aid(session)
        if condition == "in_repair":
            send_to_repair(session, actor=steward(XIWU), item_id=out.id, reason="轮胎")
        else:
            session.execute(text("UPDATE aid_item SET condition = 'retired' WHERE id = :id"), {"id": out.id})
            session.execute(
                text(
                    "INSERT INTO aid_item_event (item_id, at, what, condition, township_code, reason,"
                    " by_name) SELECT id, entered_at, 'retired', condition, at_township_code, '', '某人'"
                    " FROM aid_item WHERE id = :id"
                ),
                {"id": out.id},
            )
    with bank.session() as session:
        assert refused(session, COPY, loan=loan.id, item=out.id, status="reserved") == "TB001"


@pytest.mark.parametrize("make", [reserved, lent])
@pytest.mark.parametrize("condition", ["in_repair", "retired"])
def test_an_aid_that_somebody_has_is_not_taken_out_of_use(bank: Database, make: Any, condition: str) -> None:
    _, loan = make(bank)
    with bank.session() as session:
        statement = "UPDATE aid_item SET condition = :condition WHERE id = :item"
        assert refused(session, statement, condition=condition, item=loan.item_id) == "TB001"


def test_while_somebody_takes_an_aid_out_of_use_nobody_can_lend_it_behind_their_back(bank: Database) -> None:
    _, loan = reserved(bank)
    with bank.unit_of_work() as session:
        item = add_aid(session)
    with bank.session() as one, bank.session() as other:
        one.execute(text("UPDATE aid_item SET condition = 'in_repair' WHERE id = :id"), {"id": item.id})
        other.execute(text("SET LOCAL lock_timeout = '200ms'"))
        # It waits for the other to say whether the item is out of use, and does not take the old word for it.
        assert refused(other, COPY, loan=loan.id, item=item.id, status="reserved") == "55P03"


@pytest.mark.parametrize("status", ["lent", "returned", "cancelled", "lapsed", "lost"])
def test_a_loan_begins_as_a_reservation(bank: Database, status: str) -> None:
    _, loan = reserved(bank)
    with bank.unit_of_work() as session:
        other = add_aid(session)
    with bank.session() as session:
        assert refused(session, COPY, loan=loan.id, item=other.id, status=status) == "TB001"


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE aid_loan SET days = days - 1",
        "UPDATE aid_loan SET price_minutes = 1",
        "UPDATE aid_loan SET reserved_by_name = '别人'",
        "UPDATE aid_loan SET reserved_until = reserved_until + interval '1 day'",
        "UPDATE aid_loan SET lent_on = lent_on - 1",
        "UPDATE aid_loan SET lent_by_name = '别人'",
        "UPDATE aid_loan SET status = 'reserved', lent_at = NULL, lent_on = NULL, lent_by_name = NULL,"
        " lent_condition = NULL",
        "UPDATE aid_loan SET status = 'cancelled', ended_at = now(), ended_by_name = '某人', lent_at = NULL,"
        " lent_on = NULL, lent_by_name = NULL, lent_condition = NULL",
        "UPDATE aid_item SET serial = 'X'",
        "UPDATE aid_item SET home_township_code = '330213107'",
        *(f"DELETE FROM {name}" for name in ("aid_loan", "aid_charge", "aid_loan_day", "aid_item_event")),
        *(f"TRUNCATE {name} CASCADE" for name in ("aid_item", "aid_charge", "aid_reminder")),
        "UPDATE aid_charge SET minutes = 1",
        "UPDATE aid_loan_day SET minutes = 1",
        "UPDATE aid_item_event SET by_name = '别人'",
    ],
)
def test_what_was_agreed_and_what_happened_is_never_rewritten(bank: Database, change: str) -> None:
    lent(bank)
    run_charges(bank)
    with bank.session() as session:
        assert refused(session, change) == "TB001"


def test_an_ended_loan_is_history_and_a_retired_aid_stays_retired(bank: Database) -> None:
    borrower, loan = reserved(bank)
    with bank.unit_of_work() as session:
        cancel(session, actor=borrower, loan_id=loan.id)
    with bank.session() as session:
        assert refused(session, "UPDATE aid_loan SET ended_reason = '改了'") == "TB001"
        assert refused(session, DAY, loan=loan.id, number=4) == "TB001"
    with bank.unit_of_work() as session:
        retire_item(session, actor=steward(XIWU), item_id=loan.item_id, reason="太旧")
    with bank.session() as session:
        assert refused(session, "UPDATE aid_item SET condition = 'good'") == "TB001"


def test_days_are_charged_in_order_each_once_each_under_its_own_date(bank: Database) -> None:
    _, loan = lent(bank, days=3)
    run_charges(bank)
    with bank.session() as session:
        again = {"loan": loan.id, "number": 1, "day": "2026-03-10"}
        assert refused(session, CHARGE, **again) == "TB001"
        session.execute(text("ALTER TABLE aid_charge DISABLE TRIGGER aid_charge_guarded"))
        assert refused(session, CHARGE, **{**again, "day": "2026-03-11"}) == "uq_aid_charge_loan_id_number"
        session.execute(text("ALTER TABLE aid_charge DISABLE TRIGGER aid_charge_guarded"))
        assert refused(session, CHARGE, **{**again, "number": 2}) == "uq_aid_charge_loan_id_day"
        assert refused(session, CHARGE, loan=loan.id, number=3, day="2026-03-12") == "TB001"
        assert refused(session, CHARGE, loan=loan.id, number=2, day="2026-03-12") == "TB001"


def test_a_loan_does_not_end_before_every_day_begun_is_charged(bank: Database) -> None:
    lent(bank, days=3)
    days_pass(1)
    end = END + ", returned_condition = 'good', returned_township_code = '330213004'"
    with bank.session() as session:
        assert refused(session, end, status="returned", now=clock.now()) == "TB001"
    run_charges(bank)
    with bank.session() as session:
        assert refused(session, end, status="returned", now=clock.now() + timedelta(days=1)) == "TB001"
        assert refused(session, END, status="returned", now=clock.now()) == "ck_aid_loan_returned_whole"
        assert refused(session, END, status="lost", now=clock.now()) == "ck_aid_loan_loss_has_reason"


def test_days_are_promised_one_after_another_within_the_loan(bank: Database) -> None:
    _, loan = reserved(bank, days=3)
    with bank.session() as session:
        assert refused(session, DAY, loan=loan.id, number=4) == "TB001"
        assert refused(session, DAY, loan=loan.id, number=3) == "TB001"


@pytest.mark.parametrize(
    ("damage", "found_by"),
    [
        ("UPDATE aid_charge SET minutes = 29 WHERE number = 1", {"aid_days_paid"}),
        ("UPDATE aid_charge SET paid_from = 'owed', owed_reason = 'x' WHERE number = 1", {"aid_days_paid"}),
        ("DELETE FROM aid_charge WHERE number = 2", {"aid_transfers_charged"}),
        ("UPDATE aid_charge SET number = 7 WHERE number = 2", {"aid_days_in_order"}),
        ("UPDATE aid_item SET condition = 'worn'", {"aids_where_they_are"}),
        ("UPDATE aid_item SET at_township_code = '330213107'", {"aids_where_they_are"}),
        (
            "UPDATE ledger_hold SET state = 'released', ended_at = now() WHERE state = 'placed'",
            {"aid_holds_end_with_loans"},
        ),
        ("UPDATE aid_loan_day SET minutes = 31 WHERE number = 3", {"aid_holds_end_with_loans"}),
    ],
)
def test_rows_that_do_not_agree_with_the_ledger_are_found(
    unverified_bank: Database, damage: str, found_by: set[str]
) -> None:
    lent(unverified_bank, days=3)
    with unverified_bank.unit_of_work() as session:
        borrower_with(session, 10)
    days_pass(1)
    run_charges(unverified_bank)
    assert found(unverified_bank) == set()
    with unverified_bank.unit_of_work() as session:
        for table in ("aid_charge", "aid_item", "aid_loan", "aid_loan_day"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(damage))
    assert found(unverified_bank) >= found_by


def test_a_hold_that_outlives_its_loan_is_found(unverified_bank: Database) -> None:
    _, loan = lent(unverified_bank, days=3)
    with unverified_bank.unit_of_work() as session:
        return_aid(session, actor=steward(XIWU), loan_id=loan.id, condition="good")
    with unverified_bank.unit_of_work() as session:
        session.execute(
            text("""INSERT INTO ledger_hold (id, account_id, amount, state, cause_kind, cause_id, placed_at,
            expires_at) SELECT gen_random_uuid(), account_id, amount, 'placed', cause_kind, cause_id, placed_at,
            expires_at FROM ledger_hold WHERE state = 'released' LIMIT 1""")
        )
        assert session.get_one(AidLoan, loan.id).status == "returned"
    assert found(unverified_bank) == {"aid_holds_end_with_loans"}


def found(bank: Database) -> set[str]:
    with bank.session() as session:
        return {verified.check.name for verified in verify(session) if verified.misfit is not None}
