"""Every promise that the database keeps for the ledger: raw SQL against it is refused, and by nothing but its guard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank import guards_of_history, guards_of_holds, guards_of_reversals, guards_of_transfers
from tests.bank.guards_of_holds import RELEASED, placing
from tests.bank.guards_of_reversals import back, crossing
from tests.bank.guards_of_transfers import leg, pair, rows
from tests.bank.ledger_books import Scene, account_row
from tests.bank.ledger_guards import Guard, insert, one_database, says_no, says_no_without
from tests.postgres import ThrowawayPostgres
from timebank.core.db import Database

GUARDS = [
    *guards_of_history.GUARDS,
    *guards_of_transfers.GUARDS,
    *guards_of_reversals.GUARDS,
    *guards_of_holds.GUARDS,
]


@pytest.fixture(scope="module")
def shared_bank(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[Database]:
    with one_database(postgres, migrated_template, "guards") as bank:
        yield bank


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_the_database_refuses(shared_bank: Database, guard: Guard) -> None:
    assert guard.named in says_no(shared_bank, guard)


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_nothing_but_its_guard_refuses(shared_bank: Database, guard: Guard) -> None:
    assert says_no_without(shared_bank, guard) == ""


def test_rows_that_fit_pass(shared_bank: Database) -> None:
    for build in (
        lambda s, scene: [leg(s, scene.here.mei, scene.here.lin, 100)],
        lambda s, scene: pair(s, scene, 100),
    ):
        assert says_no(shared_bank, Guard("they fit", rows(build), "", ())) == ""


def test_a_reversal_that_mirrors_passes(shared_bank: Database) -> None:
    alone = Guard("alone", lambda s, scene: insert(s, [back(s, scene)]), "", ())
    across = Guard("across", lambda s, scene: crossing(s, scene, lambda legs, _: legs), "", ())
    assert [says_no(shared_bank, guard) for guard in (alone, across)] == ["", ""]


def test_a_hold_sets_aside_and_gives_back(shared_bank: Database) -> None:
    seen: list[tuple[int, int, int]] = []

    def attempt(session: Session, scene: Scene) -> None:
        placing("100")(session, scene)
        seen.append(account_row(session, scene.here.mei))
        session.execute(text(f"UPDATE ledger_hold SET {RELEASED} WHERE account_id = :id"), {"id": scene.here.mei})
        seen.append(account_row(session, scene.here.mei))

    assert says_no(shared_bank, Guard("it fits", attempt, "", ())) == ""
    assert seen == [(100, 100, 1), (100, 0, 1)]
