"""From nothing to the newest revision and back, and what stands there afterwards."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.orm import Session

from tests.conftest import books_must_balance
from tests.factories.people import DAYAN, XIWU
from tests.postgres import ThrowawayPostgres
from timebank import migrations
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one, seal_new_transfers
from timebank.ledger.rules import Movement
from timebank.migrations.tables import metadata
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.queries import in_force

# Foreign keys nobody looks up by, to rows that are never removed: an index would only cost.
NEED_NO_INDEX = {
    ("aid_item_event", "township_code"),
    ("aid_loan", "proxy_id"),
    ("aid_loan", "returned_township_code"),
    ("care_booking", "only_township_code"),
    ("care_booking", "service"),
    ("clearing_break", "counterpart_code"),
    ("clearing_break", "cured_by_transfer_id"),
    ("clearing_break", "other_window"),
    ("clearing_break", "person_id"),
    ("clearing_break", "reconciliation_id"),
    ("clearing_break", "transfer_id"),
    ("clearing_dispute", "township_code"),
    ("clearing_payment", "township_code"),
    ("clearing_reconciliation", "township_code"),
    ("clearing_statement", "township_code"),
    ("clearing_tally", "creditor"),
    ("clearing_tally", "debtor"),
    ("family_heir", "heir_id"),
    ("death_report", "leaving_id"),
    ("figure_day", "book_code"),
    ("figure_month", "township_code"),
    ("follow_up_draw", "township_code"),
    ("meal_order", "standing_order_id"),
    ("menu_item", "dish_id"),
    ("leaving", "to_person_id"),
    ("leaving", "township_code"),
    ("seed_grant", "township_code"),
    ("guarantee_loss", "canteen_id"),
    ("guarantee_loss", "first_scan_id"),
    ("ledger_seal_handout", "seal_number"),
    ("ledger_seal_handout", "township_code"),
    ("login", "organisation_id"),
    ("login", "township_code"),
    ("task", "service_type"),
    ("voucher", "account_id"),
    ("voucher", "canteen_id"),
    ("voucher", "only_township_code"),
    ("voucher", "source_account_id"),
    ("voucher_ending", "voucher_id"),
}
UNINDEXED = """
SELECT f.conrelid::regclass::text, a.attname
FROM pg_constraint f
JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = f.conkey[1]
WHERE f.contype = 'f'
  AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = f.conrelid AND i.indkey[0] = f.conkey[1])
"""


@pytest.fixture
def empty(postgres: ThrowawayPostgres) -> Iterator[Engine]:
    engine = create_engine(postgres.create("migrating"))
    yield engine
    engine.dispose()
    postgres.drop("migrating")


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def inventory(engine: Engine) -> list[str]:
    """Everything that a revision may have made: tables, sequences, indexes, functions, triggers and types."""
    query = text("""
        SELECT 'relation ' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public'
        UNION ALL SELECT 'function ' || proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
        UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'constraint ' || conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
        WHERE n.nspname = 'public' AND contype <> 'n'
        ORDER BY 1""")
    with engine.connect() as connection:
        return list(connection.scalars(query))


def test_up_from_nothing_down_to_nothing_and_up_again(empty: Engine) -> None:
    migrations.upgrade(url_of(empty))
    first = inventory(empty)
    assert "relation ledger_transfer" in first
    with empty.connect() as connection:
        assert migrations.current_revision(connection) == migrations.newest_revision()
    migrations.downgrade(url_of(empty), "base")
    assert [found for found in inventory(empty) if "alembic" not in found] == []
    with empty.connect() as connection:
        assert migrations.current_revision(connection) is None
    migrations.upgrade(url_of(empty))
    assert inventory(empty) == first


def test_upgrading_twice_changes_nothing(empty: Engine) -> None:
    migrations.upgrade(url_of(empty))
    before = inventory(empty)
    migrations.upgrade(url_of(empty))
    assert inventory(empty) == before


def test_models_and_migrations_agree(bank: Database) -> None:
    with bank.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_checks_and_exclusions_of_the_models_stand_in_the_database(bank: Database) -> None:
    """Alembic compares neither, so their names are compared here."""
    with bank.engine.connect() as connection:
        stands = set(
            connection.scalars(text("SELECT conname FROM pg_constraint WHERE contype IN ('c', 'x') AND conrelid <> 0"))
        )
    wanted = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if constraint.__visit_name__ in ("check_constraint", "table_or_column_check_constraint", "exclude_constraint")
    }
    assert len(wanted) > 40
    assert {name for name in wanted if name not in stands} == set()
    assert {name for name in stands if name not in wanted and not name.startswith("cardinal")} == set()


def test_every_foreign_key_has_its_index_or_needs_none(bank: Database) -> None:
    with bank.engine.connect() as connection:
        assert {(table, column) for table, column in connection.execute(text(UNINDEXED))} == NEED_NO_INDEX


def test_every_table_has_a_primary_key(bank: Database) -> None:
    found = inspect(bank.engine)
    keyless = [name for name in found.get_table_names() if not found.get_pk_constraint(name)["constrained_columns"]]
    assert keyless == []


def test_fenghua_has_twelve_townships_with_their_villages_and_thirteen_books(bank: Database) -> None:
    with bank.session() as session:
        rows = session.execute(text("SELECT code, name FROM township WHERE is_pilot ORDER BY code")).all()
        assert [tuple(row) for row in rows] == [
            ("330213004", "西坞街道"),
            ("330213007", "尚田街道"),
            ("330213107", "大堰镇"),
        ]
        counts = "SELECT (SELECT count(*) FROM township), (SELECT count(*) FROM village), (SELECT count(*) FROM {})"
        assert tuple(session.execute(text(counts.format("ledger_book"))).one()) == (12, 337, 13)
        found = Counter(session.scalars(text("SELECT township_code FROM village")))
        books = set(session.scalars(text("SELECT code FROM ledger_book")))
    with (migrations.FOLDER / "data" / "fenghua_divisions.csv").open(encoding="utf-8-sig", newline="") as file:
        given = Counter(row["township_code"] for row in csv.DictReader(file))
    assert found == given
    assert books == {*given, "house"}


def test_each_books_own_accounts_stand_in_both_units(bank: Database) -> None:
    with bank.session() as session:
        query = """SELECT book_code, count(*) FILTER (WHERE kind = 'clearing'), count(DISTINCT unit)
                   FROM ledger_account GROUP BY book_code"""
        rows = session.execute(text(query)).all()
    assert len(rows) == 13
    assert {(clearing, units) for _, clearing, units in rows} == {(2, 2)}


def test_every_policy_is_in_force_from_the_first_day(bank: Database) -> None:
    with bank.session() as session:
        book = in_force(session, at=clock.now())
        for key in DEFINITIONS:
            assert book.value(key) is not None
        kinds = list(session.scalars(text("SELECT code FROM service_type")))
    assert len(kinds) == 9
    assert {book.rate_percent(kind) for kind in kinds} == {100}


def person_of_then(session: Session, township_code: str) -> Actor:
    """Somebody as the tables of the third revision knew people; the models of today know more columns."""
    someone = Actor(new_id(), "梅", person_id=new_id(), township_code=township_code)
    session.execute(
        text("""INSERT INTO person (id, name, id_number, id_number_index, born_on, sex, township_code, enrolled_at)
                VALUES (:id, '梅', :sealed, :sealed, '1950-01-01', 'F', :code, :now)"""),
        {"id": someone.person_id, "sealed": new_id().bytes, "code": township_code, "now": clock.now()},
    )
    return someone


def savings_of_then(session: Session, person: Actor, minutes: int) -> int:
    """Savings as the accounts of the third revision were; the model of today knows more columns."""
    account_id = session.scalar(
        text("""INSERT INTO ledger_account (book_code, unit, kind, floored, person_id, opened_at)
                VALUES (:book, 'minute', 'savings', true, :person_id, :now) RETURNING id"""),
        {"book": person.township_code, "person_id": person.person_id, "now": clock.now()},
    )
    assert isinstance(account_id, int)
    issuance = session.scalars(
        text("SELECT id FROM ledger_account WHERE book_code = :book AND unit = 'minute' AND kind = 'issuance'"),
        {"book": person.township_code},
    ).one()
    post_one(session, (Movement(new_id(), issuance, account_id, minutes, "opening", clock.now()),))
    return account_id


def test_a_bank_from_before_clearing_windows_keeps_its_books_and_finds_them_in_the_first_window(empty: Engine) -> None:
    url = url_of(empty)
    migrations.upgrade(url, "0003_tasks_and_vouchers")
    bank = Database(url)
    try:
        with bank.unit_of_work() as session:
            # As it was: the set of policies had no prices yet.
            session.execute(text("ALTER TABLE policy_value DISABLE TRIGGER policy_value_guarded"))
            session.execute(text("DELETE FROM policy_value WHERE key ~ '^(clearing|reference)_'"))
            session.execute(text("ALTER TABLE policy_value ENABLE TRIGGER policy_value_guarded"))
            mei, lin = person_of_then(session, XIWU), person_of_then(session, DAYAN)
            paying, receiving = savings_of_then(session, mei, 90), savings_of_then(session, lin, 5)
            post_one(session, (Movement(new_id(), paying, receiving, 90, "service_credit", clock.now()),))
        with bank.unit_of_work() as session:
            assert seal_new_transfers(session) is not None
        migrations.upgrade(url)
        with bank.session() as session:
            _, found = positions(session, window_name=None)
            owed = {p.township_code: (p.position_minutes, p.position_fen) for p in found if p.position_minutes}
            assert owed == {XIWU: (-90, -4500), DAYAN: (90, 4500)}
        books_must_balance(bank)
        migrations.downgrade(url, "0003_tasks_and_vouchers")
        migrations.upgrade(url)
        books_must_balance(bank)
    finally:
        bank.close()
