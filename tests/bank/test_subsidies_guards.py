"""What the database itself refuses about claims and gifts, and what ``timebank verify`` notices all the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from tests.factories.people import district
from tests.factories.subsidies import (
    APRIL,
    GOVERNMENT_80,
    Place,
    a_place,
    answered,
    approved,
    computed,
    give,
    paid,
    served,
)
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.checks import subsidy_checks
from timebank.canteens.subsidies.models import SubsidyClaim
from timebank.core import clock
from timebank.core.db import Database

OVER = ("government", "government_80", 500)


@pytest.fixture(autouse=True)
def _the_third_of_april() -> Iterator[None]:
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def place(unverified_bank: Database) -> Place:
    return a_place(unverified_bank)


@pytest.fixture
def claim(unverified_bank: Database, place: Place) -> SubsidyClaim:
    """A claim with one meal and one finding that nobody has answered."""
    clock.freeze(datetime(2026, 4, 2, 9, tzinfo=clock.LOCAL))
    with unverified_bank.unit_of_work() as session:
        served(session, place, place.diner, OVER)
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    return computed(unverified_bank, place)


def tried(bank: Database, statement: str, **values: object) -> str:
    """What the database says to a statement; '' where it lets it pass."""
    said, refusal = "", None
    try:
        with bank.unit_of_work() as session:
            session.execute(text(statement), values)
    except DatabaseError as refused:
        said, refusal = str(refused.orig), refused
    by_a_guard = (
        isinstance(refusal, IntegrityError) or getattr(getattr(refusal, "orig", None), "sqlstate", "") == "TB001"
    )
    assert refusal is None or by_a_guard, refusal
    return said


@pytest.mark.parametrize(
    "table",
    [
        *("meal_donation", "donation_allotment", "produce_gift", "subsidy_claim_meal", "subsidy_claim_line"),
        *("subsidy_claim", "subsidy_finding"),
    ],
)
def test_history_is_neither_deleted_nor_emptied(unverified_bank: Database, claim: SubsidyClaim, table: str) -> None:
    assert tried(unverified_bank, f"DELETE FROM {table}")
    assert tried(unverified_bank, f"TRUNCATE {table} CASCADE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meal_donation SET amount_fen = amount_fen + 1",
        "UPDATE produce_gift SET value_fen = 1",
        "UPDATE subsidy_claim_meal SET meals = 0",
        "UPDATE subsidy_claim_line SET fen = 1",
        "UPDATE subsidy_finding SET fen = 0",
        "UPDATE subsidy_finding SET reason = '无'",
        "UPDATE subsidy_claim SET government_fen = 400, elder_fen = elder_fen + 100, state = 'checked'",
        "UPDATE subsidy_claim SET ledger_fen = 0",
        "UPDATE subsidy_claim SET computed_by = NULL",
        "UPDATE subsidy_claim SET state = 'checked'",
        "UPDATE subsidy_claim SET state = 'approved'",
        "UPDATE subsidy_claim SET state = 'paid'",
        "INSERT INTO subsidy_claim_meal SELECT claim_id, gen_random_uuid(), served_on, meal, meals, list_fen,"
        " elder_fen, government_fen, donation_fen, garden_fen, volunteers_fen FROM subsidy_claim_meal",
        "INSERT INTO subsidy_finding (claim_id, number, kind, order_id, fen, reason, decision, decision_reason,"
        " decided_at, decided_by, decided_by_name) SELECT claim_id, 2, kind, order_id, fen, reason, 'dismissed', 'x',"
        " now(), claim_id, 'x' FROM subsidy_finding",
    ],
)
def test_what_was_computed_stays_and_steps_are_not_skipped(
    unverified_bank: Database, claim: SubsidyClaim, statement: str
) -> None:
    assert tried(unverified_bank, statement)


def test_an_answered_finding_and_a_checked_claim_are_closed(unverified_bank: Database, claim: SubsidyClaim) -> None:
    answered(unverified_bank, claim)
    assert tried(unverified_bank, "UPDATE subsidy_finding SET decision = 'dismissed'")
    more = "INSERT INTO subsidy_finding (claim_id, number, kind, order_id, fen, reason)"
    assert tried(unverified_bank, f"{more} SELECT claim_id, 2, kind, order_id, 0, 'x' FROM subsidy_finding")
    lines = "SELECT claim_id, 9, share, rule_key, label, meals, fen FROM subsidy_claim_line"
    columns = "(claim_id, line, share, rule_key, label, meals, fen)"
    assert "takes no more" in tried(unverified_bank, f"INSERT INTO subsidy_claim_line {columns} {lines} LIMIT 1")


def test_a_line_added_by_hand_keeps_a_claim_from_going_on(unverified_bank: Database, claim: SubsidyClaim) -> None:
    columns = "(claim_id, line, share, rule_key, label, meals, fen)"
    added = f"INSERT INTO subsidy_claim_line {columns} SELECT id, 9, 'government', 'a', 'a', 1, 100 FROM subsidy_claim"
    assert tried(unverified_bank, added) == ""
    with pytest.raises(DatabaseError, match="its lines"):
        answered(unverified_bank, claim)


def test_no_meal_is_claimed_twice_and_no_month_has_two_claims(
    unverified_bank: Database, place: Place, claim: SubsidyClaim
) -> None:
    bank = unverified_bank
    with bank.unit_of_work() as session:
        served(session, place, place.diner, on=date(2026, 4, 2))
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    april = computed(bank, place, APRIL)
    with bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE subsidy_claim DISABLE TRIGGER subsidy_claim_guarded"))
        session.execute(text("UPDATE subsidy_claim SET state = 'computed' WHERE id = :id"), {"id": april.id})
        session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        session.execute(text("ALTER TABLE subsidy_claim ENABLE TRIGGER subsidy_claim_guarded"))
    again = """INSERT INTO subsidy_claim_meal SELECT :to, order_id, served_on, meal, meals, list_fen, elder_fen,
    government_fen, donation_fen, garden_fen, volunteers_fen FROM subsidy_claim_meal WHERE claim_id = :of"""
    assert "claimed with 1200 fen already" in tried(bank, again, to=april.id, of=claim.id)
    columns = """canteen_id, %s, 'computed', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, computed_at, computed_by, 'x'
    FROM subsidy_claim WHERE month = '2026-03'"""
    names = """(id, canteen_id, month, state, meals, list_fen, elder_fen, government_fen, donation_fen, garden_fen,
    volunteers_fen, volunteers_in_kind_fen, operating_fen, ledger_fen, policy_version, computed_at, computed_by,
    computed_by_name)"""
    new = f"INSERT INTO subsidy_claim {names} SELECT gen_random_uuid(), {columns}"
    assert "uq_subsidy_claim_month" in tried(bank, new % "'2026-04'")
    assert "a later month" in tried(bank, new % "'2026-02'")
    assert "month_form" in tried(bank, new % "'2026-13'")


def test_two_persons_approve_also_for_the_database(unverified_bank: Database, claim: SubsidyClaim) -> None:
    answered(unverified_bank, claim)
    approve = """UPDATE subsidy_claim SET state = 'township_approved', disallowed_fen = 0, township_approved_at = now(),
    township_approved_by = %s, township_approved_by_name = 'x'"""
    assert "other_persons" in tried(unverified_bank, approve % "computed_by")
    assert tried(unverified_bank, approve % "gen_random_uuid()") == ""
    then = "UPDATE subsidy_claim SET state = 'approved', approved_at = now(), approved_by = %s, approved_by_name = 'x'"
    assert "other_persons" in tried(unverified_bank, then % "township_approved_by")
    assert "never changes" in tried(unverified_bank, "UPDATE subsidy_claim SET disallowed_fen = 1")


def test_a_payment_adds_up_and_is_final(unverified_bank: Database, claim: SubsidyClaim) -> None:
    answered(unverified_bank, claim)
    approved(unverified_bank, claim)
    pay = """UPDATE subsidy_claim SET state = 'paid', paid_at = now(), paid_by = id, paid_by_name = 'x',
    paid_reference = 'x', netted_fen = 0, paid_fen = 1"""
    assert "paid_adds_up" in tried(unverified_bank, pay)


TAMPERINGS = {
    "claims_add_up": ("subsidy_claim_line", "UPDATE subsidy_claim_line SET fen = fen + 1"),
    "claims_are_the_ledgers": (
        "subsidy_claim_meal",
        "UPDATE subsidy_claim_meal SET list_fen = list_fen + 1, elder_fen = elder_fen + 1",
    ),
    "claims_paid_as_said": (
        "subsidy_claim",
        "UPDATE subsidy_claim SET paid_fen = paid_fen - 1, netted_fen = netted_fen + 1",
    ),
    "settlements_of_canteens_claimed": (
        "subsidy_claim",
        "UPDATE subsidy_claim SET state = 'returned', returned_at = now(), returned_by = id, returned_by_name = 'x',"
        " return_reason = 'x', paid_at = NULL, paid_by = NULL, paid_by_name = NULL, paid_reference = NULL,"
        " netted_fen = NULL, paid_fen = NULL",
    ),
    "meal_donations_booked": ("meal_donation", "UPDATE meal_donation SET amount_fen = amount_fen + 1"),
    "meal_donations_booked_by_somebody": ("meal_donation", "DELETE FROM meal_donation"),
    "allotments_of_donations_booked": ("donation_allotment", "UPDATE donation_allotment SET amount_fen = 1"),
    "allotments_of_donations_booked_by_somebody": ("donation_allotment", "DELETE FROM donation_allotment"),
    "produce_booked": ("produce_gift", "UPDATE produce_gift SET value_fen = 1"),
    "produce_booked_by_somebody": ("produce_gift", "DELETE FROM produce_gift"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_verify_notices_what_was_tampered_with(
    unverified_bank: Database, place: Place, claim: SubsidyClaim, name: str
) -> None:
    bank = unverified_bank
    with bank.unit_of_work() as session:
        give(session, None, 500)
        actions.allot_donations(session, actor=district(), canteen_id=place.id, amount_fen=300)
    answered(bank, claim)
    paid(bank, claim)
    assert noticed(bank) == set()
    table, statement = TAMPERINGS[name]
    with bank.unit_of_work() as session:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(statement))
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    assert name in noticed(bank)


def test_every_check_is_tampered_with_here() -> None:
    assert {check.name for check in subsidy_checks()} == set(TAMPERINGS)


def noticed(bank: Database) -> set[str]:
    with bank.session() as session:
        return {check.name for check in subsidy_checks() if check.first_misfit(session) is not None}


def test_an_honest_meal_is_let_through(unverified_bank: Database, place: Place) -> None:
    with unverified_bank.unit_of_work() as session:
        served(session, place, place.diner, GOVERNMENT_80)
    assert computed(unverified_bank, place).state == "checked"
