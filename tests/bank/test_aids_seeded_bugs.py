"""Every bug that is put into the borrowing of aids on purpose is caught, and none is seen where there is none."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from tests.bank.aids_machine import AidsMachine, set_policies
from tests.bank.aids_seeded_bugs import BUGS
from tests.bank.ledger_guards import one_database
from tests.bank.test_aids_machine import STEADY
from tests.factories.tasks import NINE
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError

BRIEF = settings(STEADY, max_examples=length(6, 25), report_multiple_bugs=False)


def machine(bank: Database) -> None:
    clock.freeze(NINE)
    set_policies(bank)
    run_state_machine_as_test(partial(AidsMachine, bank, Counter()), settings=BRIEF)


def test_every_seeded_bug_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    missed = []
    bugs = BUGS[: length(4, len(BUGS))]
    for number, sow in enumerate(bugs):
        with one_database(postgres, migrated_template, f"aids_{number}") as bank, pytest.MonkeyPatch.context() as patch:
            sow(patch, bank)
            try:
                machine(bank)
            # Broken books behave differently the second time that an example is run on them.
            except (AssertionError, BankError, DBAPIError, Flaky, BaseExceptionGroup):
                continue
            missed.append(sow.__name__)
    print(f"{len(bugs) - len(missed)} of {len(bugs)}")
    assert missed == []


def test_where_there_is_no_bug_none_is_seen(bank: Database) -> None:
    machine(bank)
