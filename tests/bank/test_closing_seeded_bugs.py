"""Every bug that is put into the closing of windows on purpose is caught."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from tests.bank import test_clearing_at_once as at_once
from tests.bank.clearing_by_hand import must_agree
from tests.bank.clearing_crowd import work_and_close
from tests.bank.closing_bugs import BUGS, Bug
from tests.bank.ledger_guards import one_database
from tests.conftest import books_must_balance
from tests.postgres import ThrowawayPostgres
from tests.thorough import length
from timebank.core.db import Database
from timebank.core.errors import BankError


def crowd(bank: Database, _patch: pytest.MonkeyPatch) -> None:
    work_and_close(bank, closings=(2, 2))
    must_agree(bank)


CHECKS = {
    "waits": at_once.test_a_closing_waits_for_what_is_being_posted_and_who_comes_meanwhile_is_in_the_next_window,
    "tally": at_once.test_the_tally_passes_nothing_over_that_is_still_being_posted,
    "legs": at_once.test_a_movement_whose_legs_lie_on_both_sides_of_the_end_is_in_the_window_of_its_first,
    "crowd": crowd,
}


def caught(bank: Database, bug: Bug) -> str:
    """Who caught the bug: the database, which refused to write, or the check, which compared; '' where nobody did."""
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch, bank)
        try:
            CHECKS[bug.seen_by](bank, patch)
            books_must_balance(bank)
        except (AssertionError, BankError) as error:
            return f"the {bug.seen_by}: {str(error).partition(chr(10))[0]}".rstrip(": ")
        except DBAPIError as error:
            return f"the database: {str(error.orig).splitlines()[0]}"
    return ""


def test_every_bug_seeded_into_the_closing_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    by: dict[str, str] = {}
    for number, bug in enumerate(BUGS[: length(5, len(BUGS))]):
        with one_database(postgres, migrated_template, f"closing_{number}") as bank:
            by[bug.name] = caught(bank, bug)
        print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    print(f"{sum(map(bool, by.values()))} of {len(by)}")
    assert [name for name, who in by.items() if not who] == []
