"""What an expired allotment still holds goes to the pool of its book; what is held of it goes when the hold ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene, account_row, fill, move, open_account, open_scene
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import capture_hold, end_hold, expired_lots, place_hold, sweep_lot
from timebank.ledger.actions.post import transfers_by_cause
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind

EXPIRES_ON = clock.local_date(NOON)
DAY_AFTER = clock.day_start(EXPIRES_ON + timedelta(days=1))


@pytest.fixture(autouse=True)
def _at_noon() -> None:
    clock.freeze(NOON)


def lots(session: Session, scene: Scene, *days: int) -> Sequence[int]:
    """Lots of 50 minutes that expire so many days from now."""
    found = []
    for later in days:
        expires_on = EXPIRES_ON + timedelta(days=later)
        found.append(open_account(session, scene.here.book, AccountKind.GRANTED, expires_on=expires_on))
    fill(session, scene.here, dict.fromkeys(found, 50))
    return found


def test_a_lot_is_swept_to_the_pool_of_its_book_once_its_last_day_is_over(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        [lot] = lots(session, scene, 0)
        clock.freeze(DAY_AFTER - timedelta(microseconds=1))
        assert expired_lots(session, limit=9) == []
        assert sweep_lot(session, account_id=lot) == 0
        clock.freeze(DAY_AFTER)
        assert expired_lots(session, limit=9) == [lot]
        assert sweep_lot(session, account_id=lot) == 50
        assert account_row(session, lot) == (0, 0, 2)
        assert account_row(session, scene.here.shared) == (150, 0, 2)
        assert account_row(session, scene.there.shared) == (100, 0, 1)


def test_sweeping_again_finds_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        [lot] = lots(session, open_scene(session), 0)
        clock.freeze(DAY_AFTER)
        assert [sweep_lot(session, account_id=lot) for _ in range(3)] == [50, 0, 0]
        assert expired_lots(session, limit=9) == []


def test_what_is_held_of_a_lot_stays_until_the_hold_is_released(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        [lot] = lots(session, scene, 0)
        hold_id = _hold(session, lot, 20)
        clock.freeze(DAY_AFTER)
        assert sweep_lot(session, account_id=lot) == 30
        assert account_row(session, lot) == (20, 20, 2)
        assert expired_lots(session, limit=9) == []
        end_hold(session, hold_id=hold_id)
        assert expired_lots(session, limit=9) == [lot]
        assert sweep_lot(session, account_id=lot) == 20
        assert account_row(session, scene.here.shared) == (150, 0, 3)


def test_what_was_held_of_a_lot_can_still_be_captured_after_the_sweep(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        [lot] = lots(session, scene, 0)
        hold_id = _hold(session, lot, 20)
        clock.freeze(DAY_AFTER)
        sweep_lot(session, account_id=lot)
        capture_hold(session, hold_id=hold_id, movement=move(lot, scene.there.lin, 15))
        assert sweep_lot(session, account_id=lot) == 5
        assert account_row(session, lot) == (0, 0, 4)


def test_lots_come_the_longest_expired_first_and_only_as_many_as_asked(bank: Database) -> None:
    with bank.unit_of_work() as session:
        [now, soon, later, _] = lots(session, open_scene(session), 0, -3, -1, 30)
        clock.freeze(DAY_AFTER)
        assert expired_lots(session, limit=2) == [soon, later]
        assert expired_lots(session, limit=9) == [soon, later, now]


def test_an_account_that_never_expires_is_not_swept(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        assert sweep_lot(session, account_id=scene.here.mei) == 0


def test_the_sweep_stands_in_the_books_as_what_it_is(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        [lot] = lots(session, scene, 0)
        clock.freeze(DAY_AFTER)
        sweep_lot(session, account_id=lot)
        [swept] = session.query(Transfer).filter_by(from_account_id=lot).all()
        assert (swept.kind, swept.to_account_id, swept.amount) == ("lot_expiry", scene.here.shared, 50)
        assert swept.recorded_at == swept.effective_at == DAY_AFTER


def test_transfers_of_one_cause_come_in_the_order_of_posting(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene, cause = open_scene(session), new_id()
        for amount in (3, 1, 2):
            fill(session, scene.here, {scene.here.mei: amount})
            hold_id = _hold(session, scene.here.mei, amount)
            taken = move(scene.here.mei, scene.here.lin, amount, cause_kind="care", cause_id=cause)
            capture_hold(session, hold_id=hold_id, movement=taken)
        assert [transfer.amount for transfer in transfers_by_cause(session, cause)] == [3, 1, 2]


def _hold(session: Session, account_id: int, amount: int) -> UUID:
    until: dict[str, Any] = {"expires_at": NOON + timedelta(days=30), "cause_kind": "care", "cause_id": new_id()}
    return place_hold(session, hold_id=new_id(), account_id=account_id, amount=amount, **until).id
