"""Every night all positions are recomputed from raw transfers, and a difference is named."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, text

from tests.factories.clearing import close, eat
from tests.factories.people import DAYAN, SHANGTIAN
from timebank.clearing import actions as clearing
from timebank.clearing.models import Recomputation
from timebank.core import clock
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.notifications.models import Notice

NIGHT = datetime(2026, 3, 11, 2, tzinfo=LOCAL)


@pytest.fixture(autouse=True)
def _at_night() -> None:
    clock.freeze(NIGHT)


def recompute(bank: Database) -> list[BankError]:
    with bank.unit_of_work() as session:
        return clearing.recompute(session, day=clock.today())


def test_it_is_due_once_a_night_from_two_oclock_on(bank: Database) -> None:
    def due() -> list[object]:
        with bank.session() as session:
            return list(clearing.recomputations_due(session))

    clock.freeze(NIGHT - timedelta(seconds=1))
    assert due() == []
    clock.freeze(NIGHT)
    assert due() == [NIGHT.date()]
    assert recompute(bank) == []
    assert due() == []
    clock.freeze(NIGHT + timedelta(days=1))
    assert due() == [(NIGHT + timedelta(days=1)).date()]


def test_what_agrees_raises_no_alert(bank: Database) -> None:
    eat(bank, DAYAN)
    close(bank)
    eat(bank, DAYAN, meals=2)
    assert recompute(bank) == []
    with bank.session() as session:
        assert session.scalars(select(Recomputation.differences)).one() == []
        assert session.scalars(select(Notice.id).where(Notice.title == "头寸复算不符")).all() == []


def _more_in_the_tally(bank: Database) -> None:
    with bank.unit_of_work() as session:
        session.execute(text("UPDATE clearing_tally SET minutes = minutes + 1 WHERE window_number = 2"))


def _other_statement(bank: Database) -> None:
    with bank.unit_of_work() as session:
        session.execute(
            text("UPDATE clearing_statement SET position_minutes = 61 WHERE township_code = :code"), {"code": DAYAN}
        )


def _mark_too_far(bank: Database) -> None:
    eat(bank, DAYAN)
    with bank.unit_of_work() as session:
        session.execute(text("UPDATE clearing_tally_mark SET upto_seq = upto_seq + 100"))


BOTH_BY_ONE = [("2026-03-2", "position", DAYAN, 61, 60), ("2026-03-2", "position", SHANGTIAN, -61, -60)]


@pytest.mark.parametrize(
    ("meddle", "differences"),
    [
        (_more_in_the_tally, BOTH_BY_ONE),
        (_other_statement, [("2026-03", "statement", DAYAN, 61, 60)]),
        (
            _mark_too_far,
            [
                ("2026-03-2", "position", DAYAN, 60, 120),
                ("2026-03-2", "position", SHANGTIAN, -60, -120),
                ("all", "debt", DAYAN, -120, -180),
                ("all", "debt", SHANGTIAN, 120, 180),
            ],
        ),
    ],
)
def test_a_difference_is_named_and_told_to_the_stewards(
    unverified_bank: Database,
    meddle: Callable[[Database], None],
    differences: list[tuple[str, str, str, int, int]],
) -> None:
    bank = unverified_bank
    eat(bank, DAYAN)
    close(bank)
    eat(bank, DAYAN)
    with bank.unit_of_work() as session:
        clearing.tally_new_movements(session)
    meddle(bank)
    found = recompute(bank)
    assert {refusal.code for refusal in found} == {"positions_differ"}
    named = [tuple(refusal.facts.values()) for refusal in found]
    assert sorted(named) == sorted(differences)
    with bank.session() as session:
        told = set(session.scalars(select(Notice.township_code).where(Notice.title == "头寸复算不符")))
    assert told == {code for _, _, code, _, _ in differences} | {None}
    # Once a night, however often it is asked for.
    assert recompute(bank) == []
