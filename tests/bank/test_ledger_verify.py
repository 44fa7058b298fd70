"""Whoever rewrites rows past every guard is found, and the check that finds it says which row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene, move, open_scene
from tests.bank.ledger_guards import one_database
from tests.factories.people import staff
from tests.postgres import ThrowawayPostgres
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import (
    capture_hold,
    hand_out_seal,
    place_hold,
    post_one,
    reverse,
    seal_new_transfers,
    take_checkpoints,
)
from timebank.ledger.verify import Misfit, ledger_checks
from timebank.supervision.verify import verify

TABLES = ("transfer", "account", "hold", "seal", "seal_handout", "checkpoint", "book")
LAST = "(SELECT id FROM ledger_transfer WHERE {0} ORDER BY seq DESC LIMIT 1)"
OUT, INTO = LAST.format("link_id = id AND reverses_id IS NULL"), LAST.format("link_id <> id AND reverses_id IS NULL")
ALONE = LAST.format("link_id IS NULL AND from_version IS NOT NULL AND reverses_id IS NULL")
BACK = LAST.format("reverses_id IS NOT NULL")
MEI = "(SELECT from_account_id FROM ledger_transfer WHERE kind = 'mark')"
LIN = "(SELECT to_account_id FROM ledger_transfer WHERE kind = 'mark')"
ABROAD = "(SELECT id FROM ledger_account WHERE kind = 'issuance' AND book_code = 'house')"
TAMPERED = [
    ("transfers_fit_accounts", f"UPDATE ledger_transfer SET unit = 'minute' WHERE id = {ALONE}"),
    ("transfers_fit_accounts", f"UPDATE ledger_transfer SET book_code = 'house' WHERE id = {ALONE}"),
    ("transfers_fit_accounts", f"UPDATE ledger_transfer SET to_account_id = 0 WHERE id = {ALONE}"),
    ("linked_legs_pair", f"UPDATE ledger_transfer SET amount = amount + 1 WHERE id = {OUT}"),
    ("linked_legs_pair", f"DELETE FROM ledger_transfer WHERE id = {INTO}"),
    ("linked_legs_pair", f"UPDATE ledger_transfer SET counterpart_book_code = 'house' WHERE id = {INTO}"),
    ("linked_legs_pair", f"UPDATE ledger_transfer SET link_id = gen_random_uuid() WHERE id = {INTO}"),
    ("balances_follow", f"UPDATE ledger_transfer SET to_balance = to_balance + 1 WHERE id = {ALONE}"),
    ("balances_follow", f"UPDATE ledger_transfer SET from_version = from_version + 9 WHERE id = {ALONE}"),
    ("balances_follow", f"UPDATE ledger_transfer SET amount = amount + 1 WHERE id = {ALONE}"),
    (
        "balances_follow",
        f"UPDATE ledger_transfer SET recorded_at = recorded_at - interval '9 years' WHERE id = {ALONE}",
    ),
    ("accounts_agree", f"UPDATE ledger_account SET posted = posted + 1 WHERE id = {MEI}"),
    ("accounts_agree", f"UPDATE ledger_account SET version = version + 1 WHERE id = {LIN}"),
    ("accounts_agree", f"DELETE FROM ledger_transfer WHERE id = {ALONE}"),
    ("holds_agree", f"UPDATE ledger_account SET held = held + 1 WHERE id = {LIN}"),
    ("holds_agree", "UPDATE ledger_hold SET amount = amount + 1 WHERE state = 'placed'"),
    ("holds_agree", "DELETE FROM ledger_hold WHERE state = 'placed'"),
    ("holds_agree", "UPDATE ledger_hold SET state = 'released', ended_at = now() WHERE state = 'placed'"),
    ("reversals_mirror", f"UPDATE ledger_transfer SET reverses_id = {ALONE} WHERE id = {BACK}"),
    ("reversals_mirror", f"UPDATE ledger_transfer SET approved_by = recorded_by WHERE id = {BACK}"),
    ("reversals_mirror", f"UPDATE ledger_transfer SET recorded_by = NULL WHERE id = {BACK}"),
    ("reversals_mirror", f"UPDATE ledger_transfer SET amount = amount + 1 WHERE id = {BACK}"),
    ("books_balance", f"UPDATE ledger_transfer SET from_account_id = {ABROAD} WHERE id = {ALONE}"),
    ("clearing_sums_to_zero", f"DELETE FROM ledger_transfer WHERE id = {OUT}"),
    ("checkpoints_agree", "UPDATE ledger_checkpoint SET balance = balance + 1"),
    ("checkpoints_agree", "DELETE FROM ledger_transfer WHERE from_version IS NULL"),
    ("seals_hold", f"UPDATE ledger_transfer SET note = 'rewritten' WHERE id = {ALONE}"),
    ("seals_hold", f"DELETE FROM ledger_transfer WHERE id = {ALONE}"),
    ("seals_hold", "DELETE FROM ledger_seal WHERE number = 1"),
    ("seals_hold", "UPDATE ledger_seal SET sealed_at = sealed_at - interval '1 second' WHERE number = 1"),
    ("seals_hold", "UPDATE ledger_seal SET transfers = transfers - 1 WHERE number = 2"),
    ("seals_hold", "UPDATE ledger_seal SET merkle_root = hash WHERE number = 2"),
    ("seals_hold", "UPDATE ledger_seal SET previous_hash = hash WHERE number = 2"),
    ("seals_hold", "UPDATE ledger_seal_handout SET seal_hash = sha256('other') WHERE township_code = '330213004'"),
]


def fill_books(session: Session) -> None:
    """Something of everything: legs, a hold in force, one captured, a reversal, two seals, checkpoints, a handout."""
    clock.freeze(NOON)
    asked: dict[str, Any] = {"expires_at": NOON + timedelta(days=3), "cause_kind": "care"}
    for unit in Unit:
        scene = open_scene(session, unit)
        post_one(session, (move(scene.here.mei, scene.there.mei, 5, kind="opening"),))
        for _ in range(2):
            hold_id = new_id()
            place_hold(session, hold_id=hold_id, account_id=scene.here.mei, amount=9, cause_id=new_id(), **asked)
        capture_hold(session, hold_id=hold_id, movement=move(scene.here.mei, scene.there.lin, 4))
        _reversed_credit(session, scene)
        assert seal_new_transfers(session) is not None
        take_checkpoints(session)
    clock.freeze(NOON + timedelta(days=1))
    hand_out_seal(session)


def _reversed_credit(session: Session, scene: Scene) -> None:
    credit = move(scene.here.source, scene.there.lin, 6)
    post_one(session, (credit,))
    for reason in ("记错", "同意"):
        reverse(session, actor=staff(), transfer_id=credit.id, reason=reason)
    kind = "mark" if scene.unit == Unit.MINUTE else "opening"
    post_one(session, (move(scene.here.mei, scene.here.lin, 7, kind=kind),))


@pytest.fixture(scope="module")
def filled(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[Database]:
    with one_database(postgres, migrated_template, "verify") as bank:
        with bank.unit_of_work() as session:
            fill_books(session)
        yield bank


def misfits(session: Session) -> dict[str, Misfit]:
    return {check.name: misfit for check in ledger_checks() if (misfit := check.first_misfit(session)) is not None}


def test_clean_books_pass_every_check(filled: Database) -> None:
    with filled.session() as session:
        assert {found.check.name: found.misfit for found in verify(session) if found.misfit} == {}


@pytest.mark.parametrize(("check", "statement"), TAMPERED)
def test_tampering_is_found_and_named(filled: Database, check: str, statement: str) -> None:
    with filled.session() as session:
        for table in TABLES:
            session.execute(text(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER"))
        _drop_constraints(session)
        assert session.execute(text(statement)).rowcount > 0  # type: ignore[attr-defined]
        found = misfits(session)
        session.rollback()
    assert check in found
    assert found[check].row
    assert found[check].problem


def _drop_constraints(session: Session) -> None:
    """Whoever owns the tables can drop every CHECK, foreign key and unique index, too."""
    query = text("""SELECT conrelid::regclass::text, conname FROM pg_constraint
                    WHERE conrelid::regclass::text LIKE 'ledger_%' AND contype IN ('c', 'f')""")
    for table, name in session.execute(query).all():
        session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))


def test_every_check_of_the_ledger_is_tried_here() -> None:
    assert {check for check, _ in TAMPERED} == {check.name for check in ledger_checks()}


def test_the_misfit_names_the_row(filled: Database) -> None:
    with filled.session() as session:
        session.execute(text("ALTER TABLE ledger_account DISABLE TRIGGER USER"))
        account = session.scalar(text(f"UPDATE ledger_account SET posted = posted + 1 WHERE id = {MEI} RETURNING id"))
        found = misfits(session)["accounts_agree"]
        session.rollback()
    assert (found.check, found.table, found.row) == ("accounts_agree", "ledger_account", str(account))
