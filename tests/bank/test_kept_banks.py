"""A bank that served a test is as good as new for the next, and books out of balance are seen however often."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.api.whole_database import contents, driver_of
from tests.balance import books_must_balance, hear
from tests.factories.minutes import save_minutes
from tests.factories.people import SHANGTIAN, add_person
from tests.kept import KeptBank
from tests.postgres import ThrowawayPostgres
from timebank.core.db import Base, Database
from timebank.supervision.verify import checks


@pytest.fixture
def kept(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[KeptBank]:
    kept = KeptBank(postgres, migrated_template)
    yield kept
    kept.discard()


def everything(bank: Database) -> tuple[object, ...]:
    """Every row, and where every row of numbers stands."""
    with bank.session() as session:
        numbers = session.execute(text("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")).all()
        return contents(driver_of(session), Base.metadata.tables), numbers, bank.engine.url.database


def somebody_saves(bank: Database) -> None:
    with bank.unit_of_work() as session:
        save_minutes(session, add_person(session, SHANGTIAN), 60)


def test_what_one_test_wrote_the_next_does_not_find(kept: KeptBank, postgres: ThrowawayPostgres) -> None:
    with kept.lent() as bank:
        fresh = everything(bank)
    for _ in range(3):
        with kept.lent() as bank:
            somebody_saves(bank)
            books_must_balance(bank)
            assert everything(bank) != fresh
    with kept.lent() as bank:
        *rows, name = everything(bank)
    assert rows == list(fresh[:-1])
    # Nobody washes on a server that is not ours: every test has a fresh copy there.
    assert (name == fresh[-1]) == postgres.is_ours


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE ledger_account DISABLE TRIGGER USER",
        "ALTER TABLE ledger_account ADD COLUMN more bigint",
        "CREATE OR REPLACE FUNCTION care_takes_place(status text) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
        "TRUNCATE kept_reply",
        "CREATE TABLE more (id bigint)",
        "CREATE TEMP TABLE more (id bigint)",
    ],
)
def test_after_another_schema_the_next_test_has_a_copy_of_its_own(kept: KeptBank, change: str) -> None:
    with kept.lent() as bank:
        before = everything(bank)
        with bank.unit_of_work() as session:
            session.execute(text(change))
    with kept.lent() as bank:
        *rows, name = everything(bank)
    assert name != before[-1]
    assert rows == list(before[:-1])


def test_whoever_is_still_at_work_is_not_there_for_the_next_test(kept: KeptBank) -> None:
    with kept.lent() as bank:
        session = bank.session()
        add_person(session, SHANGTIAN)
        session.flush()
        _, _, name = everything(bank)
    session.invalidate()
    with kept.lent() as bank:
        assert everything(bank)[-1] != name


def test_a_test_that_fails_hands_nothing_on(kept: KeptBank) -> None:
    with pytest.raises(AssertionError), kept.lent() as bank:  # noqa: PT012
        somebody_saves(bank)
        name = everything(bank)[-1]
        raise AssertionError
    with kept.lent() as bank:
        assert everything(bank)[-1] != name


def test_books_out_of_balance_are_seen_after_any_number_of_balanced_ones(kept: KeptBank) -> None:
    tampering = "UPDATE ledger_account SET posted = posted + 1 WHERE posted > 0"
    for _ in range(2):
        with kept.lent() as bank:
            somebody_saves(bank)
            books_must_balance(bank)
            with bank.unit_of_work() as session:
                session.execute(text("ALTER TABLE ledger_account DISABLE TRIGGER USER"))
                session.execute(text(tampering))
            with pytest.raises(AssertionError, match="accounts_agree"):
                books_must_balance(bank)


def test_what_a_check_says_follows_from_rows_alone() -> None:
    heard = [hear(check, set()) for check in checks()]
    asked = [one for one in heard if one.query]
    assert len(asked) > 0.9 * len(heard)
    assert all(one.tables for one in asked)
    clocks = re.compile(r"\b(now|current_\w+|localtime\w*|\w+_timestamp|random|nextval)\b", re.IGNORECASE)
    assert [one.check.name for one in asked if clocks.search(one.query)] == []
