"""Every promise that the database keeps for clearing: raw SQL against it is refused, and by nothing but its guard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from tests.bank import guards_of_clearing_rows, guards_of_reviews, guards_of_settlements, guards_of_windows
from tests.bank.clearing_life import Life, live
from tests.bank.ledger_guards import Guard, one_database, says_no, says_no_without
from tests.conftest import books_must_balance
from tests.postgres import ThrowawayPostgres
from timebank.core.db import Database

GUARDS = [
    *guards_of_windows.GUARDS,
    *guards_of_reviews.GUARDS,
    *guards_of_settlements.GUARDS,
    *guards_of_clearing_rows.GUARDS,
]
FITTING = {
    **guards_of_windows.STEPS_THAT_FIT,
    **guards_of_reviews.REVIEWS_THAT_FIT,
    **guards_of_settlements.SETTLEMENTS_THAT_FIT,
}


_NAMED = text("""
    SELECT conname FROM pg_constraint
    WHERE conrelid::regclass::text = ANY(:tables) AND contype IN ('c', 'u', 'p', 'x', 'f')
    UNION SELECT indexrelid::regclass::text FROM pg_index
    WHERE indrelid::regclass::text = ANY(:tables) AND indisunique""")
_TRIGGERS = text("""
    SELECT t.tgname, p.proname FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid::regclass::text = ANY(:tables) AND NOT t.tgisinternal""")


@pytest.fixture(scope="module")
def lived(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[tuple[Database, Life]]:
    with one_database(postgres, migrated_template, "clearing_guards") as bank:
        yield bank, live(bank)


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_the_database_refuses(lived: tuple[Database, Life], guard: Guard) -> None:
    bank, life = lived
    assert guard.named in says_no(bank, guard, lambda _: life)


@pytest.mark.parametrize("guard", GUARDS, ids=str)
def test_nothing_but_its_guard_refuses(lived: tuple[Database, Life], guard: Guard) -> None:
    bank, life = lived
    assert says_no_without(bank, guard, lambda _: life) == ""


@pytest.mark.parametrize("what", FITTING)
def test_what_fits_passes(lived: tuple[Database, Life], what: str) -> None:
    bank, life = lived
    assert says_no(bank, Guard(what, FITTING[what], "", ()), lambda _: life) == ""


def test_every_constraint_index_and_trigger_of_clearing_is_tried_here(lived: tuple[Database, Life]) -> None:
    tried = {guard.named for guard in GUARDS}
    away = "\n".join(each for guard in GUARDS for each in guard.taken_away)
    asked = {"tables": [table.name for table in guards_of_clearing_rows.TABLES]}
    with lived[0].session() as session:
        named = set(session.scalars(_NAMED, asked))
        triggers = session.execute(_TRIGGERS, asked).all()
    assert len(named) > 60
    assert named <= tried
    assert [name for name, function in triggers if name not in away and f'"{function}"' not in away] == []


def test_what_was_lived_verifies(lived: tuple[Database, Life]) -> None:
    books_must_balance(lived[0])
