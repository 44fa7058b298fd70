"""Holds: what is set aside cannot be spent, is captured in whole or in part, and comes back once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene, account_row, clearing_sum, count_of, move, open_scene, posted
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import capture_hold, end_hold, expired_holds, place_hold, post_one
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import Posted

UNITS = pytest.mark.parametrize("unit", list(Unit))
UNTIL = NOON + timedelta(days=3)


def hold(
    session: Session, account_id: int, amount: int, *, hold_id: UUID | None = None, cause: UUID | None = None
) -> UUID:
    placed = place_hold(
        session,
        hold_id=hold_id or new_id(),
        account_id=account_id,
        amount=amount,
        expires_at=UNTIL,
        cause_kind="care",
        cause_id=cause or new_id(),
    )
    return placed.id


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(BankError) as raised:
        yield
    assert raised.value.code == code


@pytest.fixture(autouse=True)
def _at_noon() -> None:
    clock.freeze(NOON)


@UNITS
def test_what_is_held_cannot_be_spent_or_held_again(bank: Database, unit: Unit) -> None:
    short = "insufficient_minutes" if unit == Unit.MINUTE else "insufficient_fen"
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        hold(session, scene.here.mei, 60)
        assert account_row(session, scene.here.mei) == (100, 60, 1)
        with refused(short):
            hold(session, scene.here.mei, 41)
        with refused(short):
            post_one(session, (move(scene.here.mei, scene.here.lin, 41),))
        hold(session, scene.here.mei, 40)
        assert account_row(session, scene.here.mei) == (100, 100, 1)


@UNITS
@pytest.mark.parametrize("amount", [1, 45, 60])
def test_capturing_any_amount_up_to_the_held_gives_the_rest_back(bank: Database, unit: Unit, amount: int) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        hold_id = hold(session, scene.here.mei, 60)
        taken = move(scene.here.mei, scene.there.lin, amount)
        assert capture_hold(session, hold_id=hold_id, movement=taken) == Posted((taken.id,))
    with bank.session() as session:
        assert account_row(session, scene.here.mei) == (100 - amount, 0, 2)
        assert posted(session, scene.there.lin) == 100 + amount
        ended = session.get_one(Hold, hold_id)
        assert (ended.state, ended.captured_amount, ended.ended_at) == ("captured", amount, NOON)
        assert clearing_sum(session, unit) == 0


def test_a_hold_of_everything_can_be_captured(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        hold_id = hold(session, scene.here.mei, 100)
        capture_hold(session, hold_id=hold_id, movement=move(scene.here.mei, scene.here.lin, 100))
        assert account_row(session, scene.here.mei) == (0, 0, 2)


def test_capturing_again_under_the_same_id_takes_nothing_more(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        hold_id, taken = hold(session, scene.here.mei, 30), move(scene.here.mei, scene.here.lin, 20)
        capture_hold(session, hold_id=hold_id, movement=taken)
    with bank.unit_of_work() as session:
        again = capture_hold(session, hold_id=hold_id, movement=taken)
        assert again == Posted((taken.id,), replayed=True)
        assert account_row(session, scene.here.mei) == (80, 0, 2)


def test_capturing_again_under_another_id_is_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        hold_id, taken = hold(session, scene.here.mei, 30), move(scene.here.mei, scene.here.lin, 20)
        capture_hold(session, hold_id=hold_id, movement=taken)
    with bank.unit_of_work() as session:
        for other in (replace(taken, id=new_id()), replace(taken, id=new_id(), amount=10)):
            with refused("hold_ended"):
                capture_hold(session, hold_id=hold_id, movement=other)
        with refused("hold_ended"):
            end_hold(session, hold_id=hold_id)
        assert account_row(session, scene.here.mei) == (80, 0, 2)


def test_a_transfer_that_is_there_already_cannot_pass_for_a_capture(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        stands = move(scene.here.mei, scene.here.lin, 20)
        post_one(session, (stands,))
        hold_id = hold(session, scene.here.mei, 30)
        with refused("transfer_id_reused"):
            capture_hold(session, hold_id=hold_id, movement=stands)
        assert account_row(session, scene.here.mei) == (80, 30, 2)


def _target_closed(session: Session, scene: Scene) -> int:
    post_one(session, (move(scene.here.lin, scene.here.shared, 100),))
    session.get_one(Account, scene.here.lin, populate_existing=True).closed_at = NOON
    session.flush()
    return scene.here.lin


def test_a_refused_capture_leaves_the_hold_as_it_stood(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        hold_id = hold(session, scene.here.mei, 30)
        closed = _target_closed(session, scene)
        for code, taken in (
            ("capture_exceeds_hold", move(scene.here.mei, scene.there.lin, 31)),
            ("capture_exceeds_hold", move(scene.here.mei, scene.there.lin, 0)),
            ("capture_from_elsewhere", move(scene.there.mei, scene.here.mei, 30)),
            ("account_closed", move(scene.here.mei, closed, 30)),
            ("account_unknown", move(scene.here.mei, 10**9, 30)),
            ("clearing_is_not_for_hands", move(scene.here.mei, scene.here.clearing, 30)),
        ):
            with refused(code):
                capture_hold(session, hold_id=hold_id, movement=taken)
            assert count_of(session, taken.id) == 0
    with bank.session() as session:
        assert session.get_one(Hold, hold_id).state == "placed"
        assert account_row(session, scene.here.mei) == (100, 30, 1)


@UNITS
def test_a_released_hold_gives_everything_back_once(bank: Database, unit: Unit) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        hold_id = hold(session, scene.here.mei, 60)
        for _ in range(2):
            assert end_hold(session, hold_id=hold_id).state == "released"
            assert account_row(session, scene.here.mei) == (100, 0, 1)
        with refused("hold_ended"):
            capture_hold(session, hold_id=hold_id, movement=move(scene.here.mei, scene.here.lin, 1))
        with refused("hold_ended"):
            end_hold(session, hold_id=hold_id, expired=True)


def test_a_hold_expires_when_its_time_is_over_and_not_before(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        hold_id = hold(session, scene.here.mei, 60)
        clock.freeze(UNTIL - timedelta(microseconds=1))
        assert expired_holds(session, limit=9) == []
        with refused("hold_not_expired"):
            end_hold(session, hold_id=hold_id, expired=True)
        clock.freeze(UNTIL)
        assert expired_holds(session, limit=9) == [hold_id]
        assert end_hold(session, hold_id=hold_id, expired=True).state == "expired"
        assert expired_holds(session, limit=9) == []
        assert account_row(session, scene.here.mei) == (100, 0, 1)


def test_the_same_hold_again_is_one_hold_and_its_id_is_no_other(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        cause = new_id()
        hold_id = hold(session, scene.here.mei, 60, cause=cause)
        assert hold(session, scene.here.mei, 60, hold_id=hold_id, cause=cause) == hold_id
        assert account_row(session, scene.here.mei) == (100, 60, 1)
        for account, amount, why in (
            (scene.here.mei, 59, cause),
            (scene.here.lin, 60, cause),
            (scene.here.mei, 60, new_id()),
        ):
            with refused("hold_id_reused"):
                hold(session, account, amount, hold_id=hold_id, cause=why)


def test_what_cannot_be_held_is_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        closed = _target_closed(session, scene)
        for code, account, amount in (
            ("amount_invalid", scene.here.mei, 0),
            ("amount_invalid", scene.here.mei, -1),
            ("account_unknown", 10**9, 1),
            ("account_closed", closed, 1),
            ("hold_needs_floor", scene.here.source, 1),
        ):
            with refused(code):
                hold(session, account, amount)
        with refused("hold_unknown"):
            end_hold(session, hold_id=new_id())
        with refused("hold_unknown"):
            capture_hold(session, hold_id=new_id(), movement=move(scene.here.mei, scene.here.lin, 1))
