"""Allotments of a month in which the job was down: granted late, once, and good as long as if they had come in time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.factories.allotments import assess, assessed, grant_month
from tests.factories.minutes import posted_in
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.allotments import actions
from timebank.allotments.actions import MonthsBatch
from timebank.allotments.models import Allotment
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice

MARCH, APRIL, MAY, JUNE = (date(2026, month, 1) for month in (3, 4, 5, 6))


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def begin(month: date) -> None:
    """The month's first second."""
    clock.freeze(clock.day_start(month) + timedelta(seconds=1))


def granted_to(bank: Database, elder: Actor) -> list[tuple[date, int, date]]:
    with bank.session() as session:
        rows = session.scalars(select(Allotment).where(Allotment.person_id == elder.person_id).order_by(Allotment.id))
        return [(row.month, row.minutes, row.expires_on) for row in rows]


def going(bank: Database) -> Actor:
    """An elder of level 1 in a bank that granted its first month in time."""
    elder = assessed(bank, 1)
    assert grant_month(bank) == 1
    return elder


def test_a_batch_found_before_midnight_and_granted_after_it_is_good_through_the_new_month(bank: Database) -> None:
    elder = assessed(bank, 1)
    with bank.session() as session:
        found = actions.allotments_due(session)
    begin(APRIL)
    for batch in found:
        with bank.unit_of_work() as session:
            assert actions.grant_allotments(session, batch=batch) == 1
    assert granted_to(bank, elder) == [(MARCH, 60, date(2026, 4, 30))]
    assert [grant_month(bank), grant_month(bank)] == [1, 0]
    with bank.session() as session:
        assert posted_in(session, AccountKind.GRANTED, elder) == 120
        lots = select(Account.expires_on).where(Account.person_id == elder.person_id, Account.kind == "granted")
        assert session.scalars(lots).all() == [date(2026, 4, 30)]


def test_a_month_in_which_the_job_was_down_is_granted_late_and_once(bank: Database) -> None:
    elder = going(bank)
    begin(MAY)
    assert [grant_month(bank), grant_month(bank)] == [2, 0]
    until = date(2026, 5, 31)
    assert granted_to(bank, elder)[1:] == [(APRIL, 60, until), (MAY, 60, until)]
    with bank.session() as session:
        told = select(Notice.title, Notice.body).where(Notice.person_id == elder.person_id).order_by(Notice.id)
        rows = session.execute(told).all()[1:]
    assert [row.title for row in rows] == ["2026年4月服务时长已补发", "2026年5月服务时长已到账"]
    assert {row.body.rpartition("，")[2] for row in rows} == {"请在5月31日前使用。"}


def test_a_late_month_has_the_level_and_the_policies_of_that_month(bank: Database) -> None:
    elder = going(bank)
    clock.freeze(NINE + timedelta(days=40))
    assess(bank, elder, 4)
    with bank.unit_of_work() as session:
        more = {"0": 0, "1": 90, "2": 120, "3": 180, "4": 300}
        change_policy(session, "allotment_minutes_by_level", more, at=clock.day_start(MAY))
    begin(MAY)
    assert grant_month(bank) == 2
    assert [row[:2] for row in granted_to(bank, elder)[1:]] == [(APRIL, 60), (MAY, 300)]


@pytest.mark.parametrize(("most", "months"), [(0, [JUNE]), (1, [MAY, JUNE]), (3, [APRIL, MAY, JUNE])])
def test_policy_says_how_many_months_back_are_granted_late(bank: Database, most: int, months: list[date]) -> None:
    elder = going(bank)
    begin(JUNE)
    with bank.unit_of_work() as session:
        change_policy(session, "allotment_late_months", most)
    assert grant_month(bank) == len(months)
    assert [row[0] for row in granted_to(bank, elder)[1:]] == months


@pytest.mark.parametrize("month", [date(2026, 1, 1), date(2025, 3, 1), APRIL])
def test_a_month_long_past_or_still_to_come_is_granted_to_nobody(bank: Database, month: date) -> None:
    elder = going(bank)
    with bank.unit_of_work() as session:
        assert actions.grant_allotments(session, batch=MonthsBatch(month, (elder.person(),))) == 0
    assert [row[0] for row in granted_to(bank, elder)] == [MARCH]


def test_nothing_is_late_before_the_bank_began_to_grant(bank: Database) -> None:
    elder = assessed(bank, 1)
    begin(MAY)
    assert grant_month(bank) == 1
    assert [row[0] for row in granted_to(bank, elder)] == [MAY]


def test_who_became_an_elder_since_is_owed_no_month_before(bank: Database) -> None:
    going(bank)
    begin(APRIL)
    newcomer = assessed(bank, 1)
    begin(MAY)
    late = assessed(bank, 1)
    assert grant_month(bank) == 5
    assert [row[0] for row in granted_to(bank, newcomer)] == [APRIL, MAY]
    assert [row[0] for row in granted_to(bank, late)] == [MAY]
