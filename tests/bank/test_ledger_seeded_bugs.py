"""Every bug that is put into the ledger on purpose is caught, and none is seen where there is none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from tests.bank.ledger_books import account_row, move, open_scene
from tests.bank.ledger_guards import one_database
from tests.bank.ledger_machine import LedgerMachine
from tests.bank.ledger_threads import at_once
from tests.bank.seeded_bugs import BUGS, Bug
from tests.bank.test_ledger_seals import must_cover_everything_once, sealed, settled
from tests.conftest import books_must_balance
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.actions import post
from timebank.ledger.rules import Posted

BRIEF = settings(
    max_examples=length(16, 40),
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)


def machine(bank: Database) -> None:
    run_state_machine_as_test(partial(LedgerMachine, bank, Counter()), settings=BRIEF)


def crowd(bank: Database) -> None:
    """Eight spend of one account again and again: what is gone from it is what they were told they had moved."""
    with bank.unit_of_work() as session:
        scene = open_scene(session, each=200)

    def spend() -> int:
        moved = 0
        for _ in range(6):
            with bank.unit_of_work() as session:
                results = post(session, [(move(scene.here.mei, scene.there.lin, 3),) for _ in range(2)])
                moved += sum(isinstance(result, Posted) for result in results)
        return moved

    moved = sum(at_once([spend] * 8))
    with bank.session() as session:
        assert account_row(session, scene.here.mei)[::2] == (200 - 3 * moved, 1 + moved)
        assert moved == 66
    books_must_balance(bank)


def seals(bank: Database) -> None:
    settled(bank)
    assert sealed(bank) is not None
    with bank.session() as session:
        must_cover_everything_once(session)


CHECKS = {"machine": machine, "crowd": crowd, "seals": seals}


def caught(bank: Database, bug: Bug) -> str:
    """Who caught the bug: the database, which refused to write, or the check, which compared; '' where nobody did."""
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch, bank)
        try:
            CHECKS[bug.seen_by](bank)
        # Broken books behave differently the second time that an example is run on them: Flaky comes of a failure only.
        except (AssertionError, BankError, DBAPIError, Flaky, RuntimeError) as error:
            refused = any(isinstance(one, DBAPIError) for one in _behind(error))
            return "the database" if refused else f"the {bug.seen_by}"
    return ""


def _behind(error: BaseException) -> Iterator[BaseException]:
    yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _behind(one)
    if error.__context__ is not None:
        yield from _behind(error.__context__)


def test_every_seeded_bug_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    by: dict[str, str] = {}
    for number, bug in enumerate(BUGS[: length(7, len(BUGS))]):
        with one_database(postgres, migrated_template, f"seeded_{number}") as bank:
            by[bug.name] = caught(bank, bug)
        print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    print(f"{sum(map(bool, by.values()))} of {len(by)}")
    assert [name for name, who in by.items() if not who] == []


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_where_there_is_no_bug_none_is_seen(bank: Database, check: str) -> None:
    CHECKS[check](bank)
