"""Statements are read page by page without a gap or a double; balances leave out what has expired."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Side, fill, move, open_account, open_person, open_scene
from tests.factories.people import SHANGTIAN, XIWU
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, place_hold, post, post_one, take_checkpoints
from timebank.ledger.actions.seal import seal_new_transfers
from timebank.ledger.models import Account
from timebank.ledger.queries import Balance, StatementLine, balance_of, statement, trial_balance
from timebank.ledger.rules import AccountKind


def pages(session: Session, person_id: UUID, limit: int) -> list[StatementLine]:
    """The whole statement, walked page by page."""
    lines: list[StatementLine] = []
    after = None
    while page := statement(session, person_id, limit=limit, after=after):
        assert len(page) <= limit
        assert len(lines) < 100, "the pages never end"
        lines += page
        after = (page[-1].account_id, page[-1].version)
    return lines


def moved_house(session: Session) -> tuple[UUID, list[tuple[UUID, int, int]]]:
    """A person with a closed account in one township and one in another; the moves made, oldest first."""
    scene = open_scene(session, each=0)
    person_id, balance = open_person(session), 0
    moves: list[tuple[UUID, int, int]] = []

    def live_at(side: Side, other: Side, amounts: list[int]) -> int:
        nonlocal balance
        account = ensure_accounts(session, [(person_id, side.book)], AccountKind.SAVINGS)[person_id]
        for number, amount in enumerate(amounts):
            partner = (other.lin, side.lin)[number % 2] if amount < 0 else (other.source, side.source)[number % 2]
            made = move(partner, account, amount) if amount > 0 else move(account, partner, -amount)
            post_one(session, (made,))
            balance += amount
            moves.append((made.id, amount, balance))
        return account

    old = live_at(scene.here, scene.there, [5, 7, -3, -2, 9, -16])
    session.get_one(Account, old, populate_existing=True).closed_at = clock.now()
    session.flush()
    live_at(scene.there, scene.here, [11, -1, -1, 4, 4])
    return person_id, moves


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 10, 11, 12, 50])
def test_walking_all_pages_gives_the_whole_history_newest_first(bank: Database, limit: int) -> None:
    with bank.unit_of_work() as session:
        person_id, moves = moved_house(session)
    with bank.session() as session:
        lines = pages(session, person_id, limit)
    assert [(line.transfer_id, line.minutes, line.balance_minutes) for line in lines] == moves[::-1]
    assert [line.counterpart_book_code for line in lines][:3] == [XIWU, SHANGTIAN, XIWU]


def test_new_lines_do_not_shift_the_pages_that_follow(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene, person_id = open_scene(session, each=0), open_person(session)
        account = ensure_accounts(session, [(person_id, XIWU)], AccountKind.SAVINGS)[person_id]
        first = [move(scene.here.source, account, n) for n in (1, 2, 3, 4)]
        post(session, [(m,) for m in first])
    with bank.unit_of_work() as session:
        [*_, last] = statement(session, person_id, limit=2)
        post_one(session, (move(scene.here.source, account, 5),))
        rest = statement(session, person_id, limit=9, after=(last.account_id, last.version))
    assert [line.minutes for line in rest] == [2, 1]


def test_a_cursor_of_somebody_elses_account_shows_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene, person_id = open_scene(session), open_person(session)
        assert statement(session, person_id, limit=9, after=(scene.here.mei, 99)) == []


def test_coming_back_to_a_township_opens_a_new_account_there(bank: Database) -> None:
    with bank.unit_of_work() as session:
        person_id = open_person(session)
        old = ensure_accounts(session, [(person_id, XIWU)], AccountKind.SAVINGS)[person_id]
        session.get_one(Account, old).closed_at = clock.now()
        session.flush()
        new = ensure_accounts(session, [(person_id, XIWU)], AccountKind.SAVINGS)[person_id]
        assert new != old
        assert ensure_accounts(session, [(person_id, XIWU)], AccountKind.SAVINGS)[person_id] == new


def test_a_balance_leaves_out_lots_that_have_expired_and_what_is_held_of_them(bank: Database) -> None:
    clock.freeze(NOON)
    today = clock.today()
    with bank.unit_of_work() as session:
        scene, person_id = open_scene(session), open_person(session)
        lots = [
            open_account(session, XIWU, AccountKind.GRANTED, person_id=person_id, expires_on=today + timedelta(days=d))
            for d in (0, 1)
        ]
        savings = open_account(session, XIWU, AccountKind.SAVINGS, person_id=person_id)
        vouchers = open_account(session, XIWU, AccountKind.VOUCHERS, person_id=person_id)
        fill(session, scene.here, {lots[0]: 30, lots[1]: 40, savings: 5, vouchers: 60})
        post_one(session, (move(vouchers, scene.here.shared, 60),))
        for lot in lots:
            asked: dict[str, Any] = {"expires_at": NOON + timedelta(days=9), "cause_kind": "care", "cause_id": new_id()}
            place_hold(session, hold_id=new_id(), account_id=lot, amount=10, **asked)
        assert balance_of(session, person_id) == Balance(5, 70, 20, 55, 0, NOON)
        tomorrow = clock.day_start(today + timedelta(days=1))
        clock.freeze(tomorrow - timedelta(microseconds=1))
        assert balance_of(session, person_id).granted_minutes == 70
        clock.freeze(tomorrow)
        assert balance_of(session, person_id) == Balance(5, 40, 10, 35, 0, tomorrow)


@pytest.mark.parametrize("unit", list(Unit))
def test_the_trial_balance_is_the_same_before_and_after_checkpoints(bank: Database, unit: Unit) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        post_one(session, (move(scene.here.mei, scene.there.mei, 40),))
    with bank.unit_of_work() as session:
        before = trial_balance(session, unit)
        assert seal_new_transfers(session) is not None
        assert take_checkpoints(session) == 4
    with bank.unit_of_work() as session:
        assert trial_balance(session, unit) == before
        by_place = {(line.book, line.account): line.credit - line.debit for line in before}
        assert by_place[scene.here.book, "clearing"] == 40
        assert by_place[scene.there.book, "clearing"] == -40
        assert sum(line.debit for line in before) == sum(line.credit for line in before) == 640
