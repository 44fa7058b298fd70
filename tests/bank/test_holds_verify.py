"""What ``verify`` asks of the holds of care and aids: it names what does not fit, and reads every hold only once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from tests.factories.aids import lent
from tests.factories.care import booked, elder_with
from tests.factories.people import XIWU, steward
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.verify import Check
from timebank.redemption.aids.actions import return_aid
from timebank.redemption.care import actions as care
from timebank.supervision.verify import checks

HOLDS = 50_000
MANY_HOLDS = """INSERT INTO ledger_hold (id, account_id, amount, state, cause_kind, cause_id, placed_at, expires_at,
    ended_at)
SELECT gen_random_uuid(), h.account_id, 1, 'released', h.cause_kind, gen_random_uuid(), h.placed_at, h.expires_at,
    h.placed_at FROM (SELECT * FROM ledger_hold LIMIT 1) h, generate_series(1, :n)"""
MANY_DAYS = """INSERT INTO aid_loan_day (id, loan_id, number, minutes, policy_version, added_at, added_by_name)
SELECT gen_random_uuid(), loan_id, number + i, minutes, policy_version, added_at, added_by_name
FROM (SELECT * FROM aid_loan_day ORDER BY number DESC LIMIT 1) d, generate_series(1, 2000) i"""
MANY_BOOKINGS = """INSERT INTO care_booking
SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*
FROM care_booking b, generate_series(1, 2000)"""
THEIR_HOLDS = """INSERT INTO ledger_hold (id, account_id, amount, state, cause_kind, cause_id, placed_at, expires_at,
    ended_at)
SELECT gen_random_uuid(), h.account_id, b.held_minutes, 'released', h.cause_kind, b.id, h.placed_at, h.expires_at,
    h.placed_at FROM (SELECT * FROM ledger_hold WHERE cause_kind = 'care_booking' LIMIT 1) h, care_booking b
WHERE NOT EXISTS (SELECT FROM ledger_hold WHERE cause_id = b.id)"""


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def ended(unverified_bank: Database) -> Database:
    """A bank with one visit called off and one aid brought back; its guards no longer look."""
    with unverified_bank.unit_of_work() as session:
        elder = elder_with(session, 120)
    booking = booked(unverified_bank, elder)
    with unverified_bank.unit_of_work() as session:
        care.cancel(session, actor=elder, booking_id=booking.id)
    _, loan = lent(unverified_bank, days=3)
    with unverified_bank.unit_of_work() as session:
        return_aid(session, actor=steward(XIWU), loan_id=loan.id, condition="good")
    with unverified_bank.unit_of_work() as session:
        for table in ("ledger_hold", "aid_loan_day", "care_booking"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    return unverified_bank


def check(name: str) -> Check:
    return next(one for one in checks() if one.name == name)


def problem(bank: Database, name: str) -> str | None:
    with bank.session() as session:
        misfit = check(name).first_misfit(session)
    return misfit and misfit.problem


@pytest.mark.parametrize(
    ("name", "damage", "said"),
    [
        (
            "care_holds",
            "UPDATE ledger_hold SET amount = 59 WHERE cause_kind = 'care_booking'",
            "cancelled with 60 minutes to hold, held in all 59, still held 0",
        ),
        (
            "care_holds",
            "UPDATE ledger_hold SET cause_id = :new WHERE cause_kind = 'care_booking'",
            "cancelled with 60 minutes to hold, held in all 0, still held 0",
        ),
        (
            "care_holds",
            "UPDATE ledger_hold SET state = 'placed', ended_at = NULL WHERE cause_kind = 'care_booking'",
            "cancelled with 60 minutes to hold, held in all 60, still held 60",
        ),
        (
            "aid_holds_end_with_loans",
            """UPDATE ledger_hold SET state = 'placed', ended_at = NULL, captured_amount = NULL
               WHERE cause_id = (SELECT id FROM aid_loan_day WHERE number = 3)""",
            "returned: day 3 holds 30 of 30 minutes",
        ),
    ],
)
def test_holds_that_do_not_fit_are_named(ended: Database, name: str, damage: str, said: str) -> None:
    assert problem(ended, name) is None
    with ended.unit_of_work() as session:
        session.execute(text(damage).bindparams(**({"new": new_id()} if ":new" in damage else {})))
    assert problem(ended, name) == said


@pytest.mark.parametrize(
    ("name", "many"),
    [("care_holds", [MANY_BOOKINGS, THEIR_HOLDS]), ("aid_holds_end_with_loans", [MANY_DAYS])],
)
def test_holds_are_read_once_however_many_there_are(ended: Database, name: str, many: list[str]) -> None:
    with ended.unit_of_work() as session:
        session.execute(text(MANY_HOLDS), {"n": HOLDS})
        for statement in many:
            session.execute(text(statement))
    assert problem(ended, name) is None
    with ended.session() as session:
        touched = sum(_rows_touched(_plan(session, name)))
    assert HOLDS < touched < 10 * HOLDS


def _plan(session: Session, name: str) -> dict[str, Any]:
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    check(name).first_misfit(session)
    event.remove(engine, "before_cursor_execute", note)
    answer = (
        session.connection().exec_driver_sql(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {asked[-1]}").scalar_one()
    )
    plan: dict[str, Any] = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
    return plan


def _rows_touched(node: dict[str, Any]) -> Iterator[int]:
    """Rows that each step of a plan read or threw away, over all of its turns."""
    thrown = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
    yield (node["Actual Rows"] + thrown) * node["Actual Loops"]
    for below in node.get("Plans", []):
        yield from _rows_touched(below)
