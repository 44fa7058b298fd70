"""Bugs that are sown into the bank while a state machine runs on it, and who catches them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import pytest
from hypothesis.errors import Flaky
from sqlalchemy.exc import DBAPIError

from tests.bank.ledger_guards import one_database
from tests.postgres import ThrowawayPostgres
from timebank.core.db import Database
from timebank.core.errors import BankError


class Sown(Protocol):
    """What is wrong, and how to bring it about."""

    @property
    def name(self) -> str: ...

    @property
    def sow(self) -> Callable[[pytest.MonkeyPatch], None]: ...


def must_all_be_caught(
    postgres: ThrowawayPostgres, template: str, bugs: Sequence[Sown], live: Callable[[Database], object]
) -> None:
    """Each bug, sown into a bank of its own, is caught by the database or by the machine that ``live`` runs."""
    by: dict[str, str] = {}
    for number, bug in enumerate(bugs):
        with one_database(postgres, template, f"machine_bug_{number}") as bank:
            by[bug.name] = _caught(bank, bug, live)
        print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    assert [name for name, who in by.items() if not who] == []


def _caught(bank: Database, bug: Sown, live: Callable[[Database], object]) -> str:
    """What caught the bug: the database, which refused to write, or the machine; '' where nothing did."""
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch)
        try:
            live(bank)
        except DBAPIError:
            return "the database"
        # Broken books behave differently the second time that an example is run on them: Flaky comes of a failure only.
        except (AssertionError, BankError, Flaky, RuntimeError, KeyError):
            return "the machine"
    return ""
