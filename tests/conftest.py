"""Fixtures for every test: one PostgreSQL a process, a database of its own for each test that asks, balanced books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from tests.balance import books_must_balance
from tests.day import live_by
from tests.kept import KeptBank
from tests.postgres import ThrowawayPostgres
from tests.warm import WarmBank
from timebank import migrations
from timebank.core import clock, crypto
from timebank.core.db import Database
from timebank.people import passwords

pytest_plugins = ["tests.doors"]

SECRET = "a secret for tests that is long enough"

BANK_OPENED = datetime(2026, 3, 2, 8, tzinfo=clock.LOCAL)
"""When the databases of the tests were set up, by the bank's clock."""

# A password that is dear to guess is dear to sign in with, some thousand times in a run.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

_numbers = count()
_warm = WarmBank()


@pytest.fixture(scope="session")
def _clock_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clock") / "offset"


@pytest.fixture(autouse=True)
def _clean_process(_clock_file: Path) -> Iterator[None]:
    """The same secret for every test, and a clock that nobody left standing or moved, on the tests' own day."""
    crypto.use_secret(SECRET)
    clock.freeze(None)
    live_by(_clock_file)
    yield
    clock.freeze(None)
    clock.movable_by(None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[ThrowawayPostgres]:
    """The PostgreSQL of this test process."""
    with ThrowawayPostgres.from_environment() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_template(postgres: ThrowawayPostgres) -> str:
    """A database at the newest migration, to be copied."""
    crypto.use_secret(SECRET)
    # Before every moment at which a test holds the clock, so that the first clearing window has opened by then.
    clock.freeze(BANK_OPENED)
    try:
        return postgres.make_template("bank", migrations.upgrade)
    finally:
        clock.freeze(None)


@pytest.fixture
def database_url(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[str]:
    """A fresh migrated database of the test's own."""
    name = f"t{next(_numbers)}"
    yield postgres.clone(migrated_template, name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def _kept_bank(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[KeptBank]:
    kept = KeptBank(postgres, migrated_template)
    yield kept
    kept.discard()


@pytest.fixture
def unverified_bank(request: pytest.FixtureRequest, _kept_bank: KeptBank) -> Iterator[Database]:
    """The bank on a database of the test's own, for tests that break the books on purpose.

    Whoever also asks for the database's address may do anything there: that test gets a copy that nobody had before.
    """
    if "database_url" not in request.fixturenames:
        with _kept_bank.lent() as bank:
            yield bank
        return
    bank = _warm.on(request.getfixturevalue("database_url"))
    yield bank
    bank.close()


@pytest.fixture
def bank(unverified_bank: Database) -> Iterator[Database]:
    """The bank on a fresh database; when the test is over, everything in it must balance."""
    yield unverified_bank
    books_must_balance(unverified_bank)
