"""What the database refuses about diners, tried by raw SQL."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.diners import approved_diner, enrolled
from tests.factories.people import XIWU, add_person, steward
from tests.factories.tasks import NINE
from timebank.canteens.diners.actions import (
    Application,
    Grant,
    add_category,
    apply,
    end_category,
    end_diner,
    review,
    withdraw_category,
)
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id

CATEGORY = """INSERT INTO diner_category (id, person_id, category, valid_during, evidence, decided_at, decided_by,
    decided_by_name, ended_at, ended_by, ended_by_name, ended_reason)
SELECT gen_random_uuid(), person_id, 'low_income', CAST(:days AS daterange), :evidence, applied_at, applied_by, '某人',
    :ended, :by, :name, :name
FROM diner"""
DINER = """INSERT INTO diner (person_id, household_id, state, diet_form, delivery_address, delivery_note, applied_at,
    applied_by, applied_by_name, review_reason, ended_at)
SELECT id, id, :state, 'normal', '', '', enrolled_at, id, '某人', '', CASE :state WHEN 'ended' THEN enrolled_at END
FROM person"""
AGAIN = {"applied_at": "applied_at - interval '1 day'", "applied_by_name": "'别人'", "proposed_categories": "'{a}'"}
JUDGED = {"reviewed_by_name": "'别人'", "review_reason": "'别的'", "reviewed_at": "reviewed_at - interval '1 day'"}


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def refused(session: Session, statement: str, **values: Any) -> str:
    """The constraint or the SQLSTATE that refuses the statement."""
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(statement), values)
    session.rollback()
    diagnosis = raised.value.orig.diag  # type: ignore[union-attr]
    return str(diagnosis.constraint_name or diagnosis.sqlstate)


def with_a_category(bank: Database) -> tuple[Any, Any]:
    with bank.unit_of_work() as session:
        diner = approved_diner(session).person()
        grant = Grant("disabled", date(2026, 1, 1), "残疾证", date(2026, 12, 31))
        return diner, add_category(session, actor=steward(XIWU), person_id=diner, grant=grant).id


def test_files_and_categories_stay(bank: Database) -> None:
    with_a_category(bank)
    with bank.session() as session:
        for table in ("diner_category", "diner"):
            assert refused(session, f"DELETE FROM {table}") == "TB001"
            assert refused(session, f"TRUNCATE {table} CASCADE") == "TB001"


@pytest.mark.parametrize(("column", "value"), (AGAIN | JUDGED | {"person_id": "gen_random_uuid()"}).items())
def test_what_was_decided_about_a_diner_never_changes(bank: Database, column: str, value: str) -> None:
    with bank.unit_of_work() as session:
        approved_diner(session)
    with bank.session() as session:
        assert refused(session, f"UPDATE diner SET {column} = {value}") == "TB001"


@pytest.mark.parametrize("state", ["refused", "ended"])
def test_a_file_begins_by_an_application_or_an_approval(bank: Database, state: str) -> None:
    with bank.unit_of_work() as session:
        add_person(session, XIWU)
    with bank.session() as session:
        assert refused(session, DINER, state=state) == "TB001"
        assert refused(session, DINER, state="approved") == "ck_diner_decided_once_reviewed"
        session.execute(text(DINER), {"state": "applied"})


@pytest.mark.parametrize(
    ("begun", "reached"),
    [("approved", "applied"), ("approved", "refused"), ("ended", "refused"), ("refused", "refused")],
)
def test_files_go_on_by_the_steps_that_there_are(bank: Database, begun: str, reached: str) -> None:
    with bank.unit_of_work() as session:
        someone = enrolled(session)
        apply(session, actor=someone, form=Application())
        said = {"person_id": someone.person(), "reason": "材料不全"}
        review(session, actor=steward(XIWU), approve=begun != "refused", **said)
        if begun == "ended":
            end_diner(session, person_id=someone.person())
    whole = "reviewed_at = NULL, reviewed_by = NULL, reviewed_by_name = NULL" if reached == "applied" else ""
    also = [part for part in ("ended_at = NULL", whole) if part]
    with bank.session() as session:
        step = f"UPDATE diner SET state = '{reached}', review_reason = '再次', {', '.join(also)}"
        assert refused(session, step) == "TB001"


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("diet_form = 'raw'", "ck_diner_diet_form_known"),
        ("latitude = 29.6", "ck_diner_coordinates_whole"),
        ("state = 'ended'", "ck_diner_ended_whole"),
        ("state = 'gone'", "TB001"),
    ],
)
def test_a_file_is_whole(bank: Database, change: str, constraint: str) -> None:
    with bank.unit_of_work() as session:
        approved_diner(session)
    with bank.session() as session:
        assert refused(session, f"UPDATE diner SET {change}") == constraint


def test_a_refusal_has_its_reason(bank: Database) -> None:
    with bank.unit_of_work() as session:
        apply(session, actor=enrolled(session), form=Application())
    reviewed = "reviewed_at = applied_at, reviewed_by = applied_by, reviewed_by_name = '某人'"
    with bank.session() as session:
        step = f"UPDATE diner SET state = 'refused', {reviewed}"
        assert refused(session, step) == "ck_diner_refused_with_reason"
        assert refused(session, "UPDATE diner SET state = 'approved'") == "ck_diner_decided_once_reviewed"
        part = "UPDATE diner SET state = 'approved', reviewed_at = applied_at"
        assert refused(session, part) == "ck_diner_reviewed_whole"


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({"days": "[2026-03-01,2026-04-01)"}, None),
        ({"days": "[2026-03-01,2026-03-01)"}, "ck_diner_category_begins"),
        ({"days": "(,2026-03-01)"}, "ck_diner_category_begins"),
        ({"evidence": ""}, "ck_diner_category_whole"),
        ({"ended": NINE, "by": new_id(), "name": "某人"}, "TB001"),
    ],
)
def test_a_category_begins_on_a_day_with_evidence(
    bank: Database, values: dict[str, Any], constraint: str | None
) -> None:
    with bank.unit_of_work() as session:
        approved_diner(session)
    plain = {"days": "[2026-03-01,)", "evidence": "证", "ended": None, "by": None, "name": None}
    with bank.session() as session:
        if constraint is not None:
            assert refused(session, CATEGORY, **{**plain, **values}) == constraint
            return
        session.execute(text(CATEGORY), {**plain, **values})
        assert refused(session, CATEGORY, **plain) in ("ex_diner_category_once", "None")


def test_a_day_has_a_category_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        approved_diner(session, categories=["low_income"])
    plain = {"days": "[2026-03-01,)", "evidence": "证", "ended": None, "by": None, "name": None}
    with bank.session() as session:
        assert refused(session, CATEGORY, **plain) == "ex_diner_category_once"


@pytest.mark.parametrize(
    "change",
    [
        "category = 'low_income'",
        "evidence = '别的'",
        "decided_by_name = '别人'",
        "valid_during = '[2026-01-01,2026-06-01)'",
        "valid_during = '[2026-02-01,2026-06-01)', {ended}",
        "valid_during = '[2026-01-01,2027-06-01)', {ended}",
        "valid_during = '[2026-01-01,)', {ended}",
    ],
)
def test_what_was_decided_in_a_category_never_changes(bank: Database, change: str) -> None:
    with_a_category(bank)
    ended = "ended_at = decided_at, ended_by = decided_by, ended_by_name = '某人', ended_reason = '某事'"
    with bank.session() as session:
        assert refused(session, "UPDATE diner_category SET " + change.format(ended=ended)) == "TB001"


def test_an_ended_category_is_not_opened_again_nor_a_withdrawn_one_touched(bank: Database) -> None:
    diner, category_id = with_a_category(bank)
    which = {"actor": steward(XIWU), "person_id": diner, "category_id": category_id}
    nulls = "ended_at = NULL, ended_by = NULL, ended_by_name = NULL, ended_reason = NULL"
    with bank.unit_of_work() as session:
        end_category(session, **which, last_day=date(2026, 6, 30), reason="复核")
    with bank.session() as session:
        assert refused(session, f"UPDATE diner_category SET {nulls}") == "TB001"
        assert refused(session, "UPDATE diner_category SET ended_reason = '别的'") == "TB001"
        wider = "UPDATE diner_category SET valid_during = '[2026-01-01,2026-12-31)'"
        assert refused(session, wider) == "TB001"
        half = "UPDATE diner_category SET withdrawn_at = decided_at"
        assert refused(session, half) == "ck_diner_category_withdrawn_whole"
    with bank.unit_of_work() as session:
        withdraw_category(session, **which, reason="有误")
    with bank.session() as session:
        assert refused(session, "UPDATE diner_category SET withdrawn_reason = '别的'") == "TB001"
        back = nulls.replace("ended", "withdrawn")
        assert refused(session, f"UPDATE diner_category SET {back}") == "TB001"


def test_only_known_roles_are_given(bank: Database) -> None:
    with bank.unit_of_work() as session:
        enrolled(session, roles=("diner",))
    with bank.session() as session:
        assert refused(session, "UPDATE person_role SET role = 'king'") == "ck_person_role_role_known"
