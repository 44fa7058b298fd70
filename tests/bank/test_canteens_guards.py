"""What the database refuses about canteens, tried by raw SQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.canteens import apply_for_canteen, open_canteen
from tests.factories.people import DAYAN, XIWU, add_provider, district
from tests.factories.tasks import NINE
from timebank.canteens.network.actions import add_closed_days, approve_grade, close, propose_grade
from timebank.canteens.network.models import Canteen
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id

COPY = """INSERT INTO canteen (id, canteen_type, state, number, address, phone, carrier, applied_at, applied_by_name,
    accepted_at, opened_at, state_reason)
SELECT :id, canteen_type, :state, CAST(:number AS text), address, phone, carrier, applied_at, applied_by_name,
    CASE WHEN CAST(:number AS text) IS NOT NULL THEN applied_at END, applied_at, '' FROM canteen WHERE id = :here"""
ORGANISATION = "INSERT INTO organisation (id, kind, name, township_code) VALUES (:id, 'canteen', '另一家', '330213004')"
ACCEPT = "UPDATE canteen SET state = 'accepted', number = :number, accepted_at = :now WHERE id = :here"
INSPECT = """INSERT INTO canteen_acceptance (id, canteen_id, passed, checked, remarks, inspected_on, inspector_name,
    inspected_by, inspected_at)
VALUES (:id, :here, :passed, '{}', '', '2026-03-10', '某人', :id, :now)"""
GRADE = """INSERT INTO canteen_grade (canteen_id, year, grade, subsidy_fen, policy_version, remarks, proposed_by,
    proposed_by_name, proposed_at, approved_by, approved_by_name, approved_at, transfer_id)
VALUES (:here, 2026, 'A', 100, 1, '', :id, '某人', :now, gen_random_uuid(), '某人', :now, gen_random_uuid())"""


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def refused(session: Session, statement: str, **values: Any) -> str:
    """The constraint or the SQLSTATE that refuses the statement; what went before it is given up too."""
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(statement), {"id": new_id(), "now": NINE, "number": None, **values})
    session.rollback()
    diagnosis = raised.value.orig.diag  # type: ignore[union-attr]
    return str(diagnosis.constraint_name or diagnosis.sqlstate)


@pytest.fixture
def here(bank: Database) -> Canteen:
    with bank.unit_of_work() as session:
        return open_canteen(session)


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ("state = 'applied'", "TB001"),
        ("state = 'accepted'", "TB001"),
        ("number = '330213004-002'", "TB001"),
        ("number = NULL, accepted_at = NULL", "TB001"),
        ("canteen_type = 'central'", "TB001"),
        ("applied_by_name = '别人'", "TB001"),
        ("state = 'suspended', suspended_at = now()", "ck_canteen_reasoned"),
        ("state = 'suspended', state_reason = '停水'", "ck_canteen_suspended_once"),
        ("state = 'closed', state_reason = '搬迁'", "ck_canteen_closed_whole"),
        ("closed_at = now()", "ck_canteen_closed_whole"),
        ("kitchen_id = id", "ck_canteen_not_its_own_kitchen"),
        ("latitude = NULL", "ck_canteen_coordinates_whole"),
        ("carrier = 'dog'", "ck_canteen_carrier_known"),
        ("state = 'asleep'", "TB001"),
    ],
)
def test_an_open_canteen_changes_only_as_canteens_do(bank: Database, here: Canteen, change: str, by: str) -> None:
    with bank.session() as session:
        assert refused(session, f"UPDATE canteen SET {change} WHERE id = :here", here=here.id) == by


@pytest.mark.parametrize("table", ["canteen", "canteen_acceptance", "canteen_grade", "canteen_closed_day"])
def test_nothing_is_wiped_out(bank: Database, here: Canteen, table: str) -> None:
    with bank.session() as session:
        assert refused(session, f"TRUNCATE {table} CASCADE") == "TB001"
        if table != "canteen_closed_day":
            assert refused(session, f"DELETE FROM {table}") == "TB001"


def test_an_inspection_and_a_closed_day_stay_as_they_were_entered(bank: Database, here: Canteen) -> None:
    day = clock.today() + timedelta(days=1)
    with bank.unit_of_work() as session:
        add_closed_days(session, actor=district(), canteen_id=here.id, first_on=day, last_on=day, reason="停电")
    with bank.session() as session:
        assert refused(session, "UPDATE canteen_acceptance SET passed = false") == "TB001"
        assert refused(session, "UPDATE canteen_closed_day SET reason = '别的'") == "TB001"


def test_a_canteen_begins_as_an_application_of_a_canteen(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        provider = add_provider(session, XIWU)
    with bank.session() as session:
        other = new_id()
        session.execute(text(ORGANISATION), {"id": other})
        opened = {"here": here.id, "state": "open", "number": f"{XIWU}-002"}
        assert refused(session, COPY, id=other, **opened) == "TB001"
        assert refused(session, COPY, id=provider.id, here=here.id, state="applied") == "TB001"


@pytest.mark.parametrize(
    ("passed", "number", "by"),
    [
        (None, f"{XIWU}-002", "TB001"),
        (False, f"{XIWU}-002", "TB001"),
        (True, f"{DAYAN}-001", "TB001"),
        (True, f"{XIWU}-001", "uq_canteen_number"),
        (True, f"{XIWU}-2", "ck_canteen_number_form"),
        (True, None, "ck_canteen_number_fits_state"),
    ],
)
def test_a_number_comes_with_an_acceptance_of_its_township_and_once(
    bank: Database, here: Canteen, passed: bool | None, number: str | None, by: str
) -> None:
    with bank.unit_of_work() as session:
        waiting = apply_for_canteen(session)
        if passed is not None:
            inspected = {"id": new_id(), "here": waiting.id, "passed": passed, "now": NINE}
            session.execute(text(INSPECT), inspected)
    with bank.session() as session:
        assert refused(session, ACCEPT, here=waiting.id, number=number) == by


def test_a_closed_canteen_is_history(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        close(session, actor=district(), canteen_id=here.id, reason="搬迁")
    with bank.session() as session:
        for change in ("state = 'open', closed_at = NULL", "address = '别处'"):
            assert refused(session, f"UPDATE canteen SET {change} WHERE id = :here", here=here.id) == "TB001"


def test_who_cooks_for_canteens_is_served_by_none(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        point, other = open_canteen(session, kitchen_id=here.id), open_canteen(session)
    served = "UPDATE canteen SET kitchen_id = :kitchen WHERE id = :here"
    with bank.session() as session:
        assert refused(session, served, here=here.id, kitchen=other.id) == "TB001"
        assert refused(session, served, here=other.id, kitchen=point.id) == "TB001"


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ("weekday = 8", "ck_canteen_hours_weekday_range"),
        ("capacity_meals = 0", "ck_canteen_hours_capacity_positive"),
        ("closes_at = opens_at", "ck_canteen_hours_times_ordered"),
        ("meal = 'tea'", "ck_canteen_hours_meal_known"),
    ],
)
def test_hours_make_sense(bank: Database, here: Canteen, change: str, by: str) -> None:
    with bank.session() as session:
        one = "canteen_id = :here AND weekday = 1 AND meal = 'lunch'"
        assert refused(session, f"UPDATE canteen_hours SET {change} WHERE {one}", here=here.id) == by


def test_a_grade_is_proposed_first_approved_by_another_and_then_settled(bank: Database, here: Canteen) -> None:
    with bank.session() as session:
        assert refused(session, GRADE, here=here.id) == "TB001"
    proposer = district()
    with bank.unit_of_work() as session:
        propose_grade(session, actor=proposer, canteen_id=here.id, year=2026, grade="A")
    signed = "approved_by_name = '某人', approved_at = :now, transfer_id = :id"
    with bank.session() as session:
        for change, by in (
            (f"{signed}, approved_by = proposed_by", "ck_canteen_grade_second_person"),
            (f"{signed}, approved_by = :id, subsidy_fen = 1", "TB001"),
            ("approved_by_name = '某人'", "ck_canteen_grade_approved_whole"),
            (
                "approved_by_name = '某人', approved_at = :now, approved_by = :id",
                "ck_canteen_grade_credited_on_approval",
            ),
            ("transfer_id = :id", "ck_canteen_grade_credited_on_approval"),
            ("year = 2025", "TB001"),
        ):
            assert refused(session, f"UPDATE canteen_grade SET {change}") == by
    with bank.unit_of_work() as session:
        approve_grade(session, actor=district(), canteen_id=here.id, year=2026)
    with bank.session() as session:
        assert refused(session, "UPDATE canteen_grade SET remarks = '改'") == "TB001"
