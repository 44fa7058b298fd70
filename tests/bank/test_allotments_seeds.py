"""Seed hours, once in life; and what the database and verify themselves hold of grants."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.factories.allotments import add_assessed, assess, assessed, grant_month
from tests.factories.minutes import posted_in
from tests.factories.people import XIWU
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from timebank.allotments import actions
from timebank.allotments.checks import allotment_checks
from timebank.allotments.models import SeedGrant
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.rules import AccountKind


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def test_seed_hours_come_once_in_life(bank: Database) -> None:
    with bank.unit_of_work() as session:
        alone = add_assessed(session, XIWU, None, circumstances=["独居"])
        needy = add_assessed(session, XIWU, 3, circumstances=["低保"], age=66)
        add_assessed(session, XIWU, None, circumstances=["独居"], age=70)
        add_assessed(session, XIWU, 4)
    with bank.unit_of_work() as session:
        [batch] = actions.seeds_due(session)
        assert set(batch) == {alone.person_id, needy.person_id}
        assert actions.grant_seed_hours(session, people=batch) == 2
    clock.freeze(NINE + timedelta(days=500))
    with bank.unit_of_work() as session:
        assert actions.seeds_due(session) == []
        assert actions.grant_seed_hours(session, people=batch) == 0
        rows = session.scalars(select(SeedGrant).order_by(SeedGrant.reason)).all()
        assert [(row.person_id, row.reason, row.minutes, row.expires_on) for row in rows] == [
            (alone.person_id, "alone", 600, date(2027, 3, 10)),
            (needy.person_id, "hardship", 600, date(2027, 3, 10)),
        ]


def test_seed_hours_that_two_processes_grant_at_once_are_granted_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_assessed(session, XIWU, None, circumstances=["独居"])
    people = [elder.person()]
    answers = at_once(bank, [lambda s: actions.grant_seed_hours(s, people=people)] * 4)
    assert sorted(answer for answer in answers if isinstance(answer, int)) == [0, 0, 0, 1]
    with bank.session() as session:
        assert posted_in(session, AccountKind.GRANTED, elder) == 600


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE allotment SET minutes = 600",
        "DELETE FROM allotment",
        "TRUNCATE allotment",
        "UPDATE seed_grant SET minutes = 1",
        "DELETE FROM seed_grant",
        "UPDATE elder_assessment SET level = 4",
        "DELETE FROM elder_assessment",
    ],
)
def test_what_was_assessed_or_granted_is_not_changed_by_hand(bank: Database, statement: str) -> None:
    with bank.unit_of_work() as session:
        elder = add_assessed(session, XIWU, 1, circumstances=["独居"])
        actions.grant_seed_hours(session, people=[elder.person()])
    grant_month(bank)
    assess(bank, elder, 2)
    with pytest.raises(DBAPIError, match="never changed or removed"), bank.unit_of_work() as session:
        session.execute(text(statement))


AGAIN = "INSERT INTO allotment SELECT gen_random_uuid(), person_id, {} FROM allotment"
REST = "level, minutes, township_code, expires_on, policy_version, granted_at"


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        (f"month, {REST}", "uq_allotment_person_id_month"),
        (f"month + 1, {REST}", "month_begins"),
        (f"date '2026-05-01', {REST}", "expires_later"),
        (f"date '2026-02-01', {REST.replace('minutes', '0')}", "minutes_positive"),
        (f"date '2026-02-01', {REST.replace('level', '5')}", "level_range"),
    ],
)
def test_the_database_itself_grants_a_month_once(bank: Database, columns: str, constraint: str) -> None:
    assessed(bank, 1)
    grant_month(bank)
    with pytest.raises(IntegrityError, match=constraint), bank.unit_of_work() as session:
        session.execute(text(AGAIN.format(columns)))


def test_verify_finds_a_grant_without_its_transfer_and_a_transfer_without_its_grant(unverified_bank: Database) -> None:
    elder = assessed(unverified_bank, 1)
    assert grant_month(unverified_bank) == 1

    def misfits() -> list[str]:
        with unverified_bank.session() as session:
            return [check.name for check in allotment_checks() if check.first_misfit(session) is not None]

    assert misfits() == []
    with unverified_bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE allotment DISABLE TRIGGER USER"))
        session.execute(text("UPDATE allotment SET minutes = 90"))
    assert misfits() == ["allotments_granted_once"]
    with unverified_bank.unit_of_work() as session:
        session.execute(text("DELETE FROM allotment"))
    assert misfits() == ["allotments_granted_once"]
    assert elder.person_id is not None
