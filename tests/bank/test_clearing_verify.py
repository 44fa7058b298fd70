"""Whoever rewrites the rows of clearing past every guard is found, and the check that finds it says which row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.bank.clearing_life import Life, abort, dispute, live, raw
from tests.bank.clearing_tampering import OTHER_PRICES, SEALED_ANEW, TAMPERED, Tampering
from tests.bank.guards_of_clearing_rows import TABLES
from tests.bank.ledger_guards import one_database
from tests.conftest import books_must_balance
from tests.factories.clearing import close, confirm_all, eat, payments_of, settle, transfer_of
from tests.factories.people import DAYAN, XIWU, district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.postgres import ThrowawayPostgres
from timebank.clearing import actions as clearing
from timebank.clearing.models import ClearingWindow, GuaranteeCall, Settlement
from timebank.clearing.queries.seals import seal_of
from timebank.clearing.verify import clearing_checks
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.actions import seal_new_transfers, township_accounts
from timebank.ledger.rules import HOUSE, AccountKind
from timebank.ledger.verify import Misfit
from timebank.supervision.verify import checks


@pytest.fixture(scope="module")
def lived(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[tuple[Database, Life]]:
    with one_database(postgres, migrated_template, "clearing_verify") as bank:
        life = live(bank)
        with bank.unit_of_work() as session:
            assert seal_new_transfers(session) is not None
        yield bank, life


def unguarded(session: Session) -> None:
    """Whoever owns the tables switches every trigger off, and drops every CHECK and foreign key of clearing."""
    for table in (*(table.name for table in TABLES), "ledger_transfer"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    query = text("""SELECT conrelid::regclass::text, conname FROM pg_constraint
                    WHERE conrelid::regclass::text LIKE 'clearing_%' AND contype IN ('c', 'f')""")
    for table, name in session.execute(query).all():
        session.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))


def misfits(session: Session) -> dict[str, Misfit]:
    """What every check of the bank finds, clearing's or not."""
    session.flush()
    session.expire_all()
    return {check.name: misfit for check in checks() if (misfit := check.first_misfit(session)) is not None}


def names_in(session: Session, life: Life) -> dict[str, Any]:
    """The life's ids and numbers, its windows' names and the account that the house nets on."""
    names = {number: name for number, name in session.execute(select(ClearingWindow.number, ClearingWindow.name))}
    known = asdict(life)
    guaranteed = session.scalars(select(GuaranteeCall.transfer_id).order_by(GuaranteeCall.seq)).first()
    netting = township_accounts(session, [HOUSE], AccountKind.NETTING)[HOUSE]
    return (
        known
        | {f"{state}_name": names.get(value) for state, value in known.items()}
        | {
            "netting": netting,
            "guaranteed": guaranteed,
        }
    )


@pytest.mark.parametrize("tampering", TAMPERED, ids=str)
def test_tampering_is_found_and_named(lived: tuple[Database, Life], tampering: Tampering) -> None:
    bank, life = lived
    with bank.session() as session:
        names = names_in(session, life)
        unguarded(session)
        tampering.rewrite(session, life)
        found = misfits(session)
        session.rollback()
    assert {check: (misfit.table, misfit.row) for check, misfit in found.items()} == {
        check: (table, row.format(**names)) for check, (table, row) in tampering.found.items()
    }
    assert all(misfit.problem for misfit in found.values())


def test_every_check_of_clearing_is_tried_alone_here() -> None:
    # The ledger's own seals also find what is changed in a transfer that they lie on.
    found = [tampering.found.keys() - {"seals_hold"} for tampering in TAMPERED]
    alone = {check for checks in found if len(checks) == 1 for check in checks}
    assert alone == {check.name for check in clearing_checks()}


def seal_anew(session: Session, number: int) -> tuple[bytes | None, bytes]:
    """The seal that was on the statements given out, and the one that fits what the rows say now."""
    window = session.get_one(ClearingWindow, number, populate_existing=True)
    before, window.seal = window.seal, seal_of(session, window)
    session.flush()
    return before, window.seal


@pytest.mark.parametrize(("rewritten", "finders"), SEALED_ANEW)
def test_a_window_sealed_anew_is_still_found_by_what_it_was_made_of(
    lived: tuple[Database, Life], rewritten: tuple[str, ...], finders: set[str]
) -> None:
    bank, life = lived
    with bank.session() as session:
        unguarded(session)
        raw(*rewritten)(session, life)
        before, after = seal_anew(session, life.paid)
        found = misfits(session)
        session.rollback()
    # Also by the seal itself: the old one stands in the notes of the settlement's transfers, under the ledger's seals.
    assert finders | {"window_seals_hold"} <= found.keys()
    assert before != after


def test_other_prices_sealed_anew_do_not_fit_the_seal_in_the_ledger(lived: tuple[Database, Life]) -> None:
    bank, life = lived
    with bank.session() as session:
        unguarded(session)
        OTHER_PRICES(session, life)
        seal_anew(session, life.paid)
        found = misfits(session)
        session.rollback()
    assert found["window_seals_hold"].problem == "the seal is not the one that stood when the window was settled"


def settled_by(bank: Database) -> list[tuple[str, str]]:
    """Every settlement's method and status, in the order of making."""
    with bank.session() as session:
        query = select(Settlement.method, Settlement.status).order_by(Settlement.window_number, Settlement.attempt)
        return [(method, status) for method, status in session.execute(query)]


def test_a_whole_life_of_windows_verifies_after_every_step(bank: Database) -> None:
    clock.freeze(NINE)
    moved = transfer_of(bank, eat(bank, DAYAN, meals=2))
    eat(bank, XIWU)
    books_must_balance(bank)
    first = close(bank)
    books_must_balance(bank)
    dispute(bank, first, moved, "moved")
    books_must_balance(bank)
    confirm_all(bank, first)
    for finished in (abort, pay_everybody):
        settle(bank, first)
        books_must_balance(bank)
        finished(bank, first)
        books_must_balance(bank)
    with bank.unit_of_work() as session:
        change_policy(session, "clearing_settlement_method", "carry")
    second = close(bank)
    confirm_all(bank, second)
    for finished in (abort, lambda *_: None):
        settle(bank, second)
        books_must_balance(bank)
        finished(bank, second)
        books_must_balance(bank)
    assert settled_by(bank) == [("pay", "aborted"), ("pay", "completed"), ("carry", "aborted"), ("carry", "completed")]


def pay_everybody(bank: Database, window: str) -> None:
    """Every payment of a window goes through."""
    for code, payment in payments_of(bank, window).items():
        with bank.unit_of_work() as session:
            clearing.payment_paid(
                session, actor=district(), payment_id=payment.id, outside_reference=f"国库-{window}-{code}"
            )
