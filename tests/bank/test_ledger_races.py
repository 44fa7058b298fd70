"""Many at once: one id stands once, nothing waits in a ring, nothing is spent twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene, account_row, clearing_sum, count_of, move, net_of, open_scene, posted
from tests.bank.ledger_guards import insert, leg, refusal_of
from tests.bank.ledger_threads import at_once, held_open, wait_for_nobody
from tests.factories.people import staff
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import capture_hold, end_hold, place_hold, post, post_one, reverse
from timebank.ledger.rules import Movement, Posted, Posting

UNITS = pytest.mark.parametrize("unit", list(Unit))


def said(bank: Database, act: Callable[[Session], Any]) -> Any:
    """What the bank answers to one unit of work, refusals as their codes."""
    try:
        with bank.unit_of_work() as session:
            return act(session)
    except BankError as refusal:
        return refusal.code


def scene_of(bank: Database, unit: Unit = Unit.MINUTE) -> Scene:
    with bank.unit_of_work() as session:
        return open_scene(session, unit)


@UNITS
def test_one_id_posted_by_eight_at_once_stands_once(bank: Database, unit: Unit) -> None:
    scene = scene_of(bank, unit)
    for target in (scene.here.lin, scene.there.lin):
        asked = move(scene.here.mei, target, 30)
        answers = at_once([lambda a=asked: said(bank, lambda s: post_one(s, (a,)).replayed)] * 8)
        assert sorted(answers) == [False] + [True] * 7
        with bank.session() as session:
            assert count_of(session, asked.id) == 1
    with bank.session() as session:
        assert posted(session, scene.here.mei) == 40


def test_one_id_between_accounts_that_nobody_locks_stands_once(bank: Database) -> None:
    scene = scene_of(bank)
    with bank.session() as session:
        query = text(
            "SELECT id FROM ledger_account WHERE kind = 'redeemed' AND book_code = ANY(:books) ORDER BY book_code"
        )
        here, there = session.scalars(query, {"books": sorted([scene.here.book, scene.there.book])})
    for target in (here, there):
        asked = move(scene.here.source, target, 30)
        answers = at_once([lambda a=asked: said(bank, lambda s: post_one(s, (a,)).replayed)] * 8)
        assert sorted(answers) == [False] + [True] * 7
        with bank.session() as session:
            assert count_of(session, asked.id) == 1


def test_one_id_asked_for_different_movements_at_once_stands_for_one_of_them(bank: Database) -> None:
    scene = scene_of(bank)
    targets = [scene.here.mei, scene.here.lin, scene.here.shared, scene.there.mei, scene.there.lin]
    for _ in range(6):
        shared_id = new_id()

        def ask(target: int, wanted: Any = shared_id) -> list[str]:
            first = move(scene.here.source, target, 5, id=wanted)
            batch = [(first,), (move(scene.here.source, target, 1),)]
            results = said(bank, lambda s: post(s, batch))
            return [r.code if isinstance(r, BankError) else "posted" for r in results]

        answers = at_once([lambda t=target: ask(t) for target in targets])
        assert sorted(answers) == [["posted", "posted"]] + [["transfer_id_reused", "posted"]] * 4
        with bank.session() as session:
            assert count_of(session, shared_id) == 1


@UNITS
def test_eight_who_spend_at_once_spend_what_is_there_and_no_more(bank: Database, unit: Unit) -> None:
    scene = scene_of(bank, unit)
    answers = at_once(
        [
            lambda: said(bank, lambda s: [isinstance(r, Posted) for r in post(s, _spend(scene, 3))]),
        ]
        * 8
    )
    assert sum(answer.count(True) for answer in answers) == 14
    with bank.session() as session:
        assert posted(session, scene.here.mei) == 2


def _spend(scene: Scene, times: int) -> list[Posting]:
    return [(move(scene.here.mei, random.choice([scene.here.lin, scene.there.lin]), 7),) for _ in range(times)]


@UNITS
def test_eight_who_move_among_many_accounts_in_any_order_never_wait_in_a_ring(bank: Database, unit: Unit) -> None:
    scene = scene_of(bank, unit)
    sides = (scene.here, scene.there)
    accounts = [account for side in sides for account in (side.mei, side.lin, side.shared, side.source)]

    def keep_moving(seed: int) -> set[str]:
        chance, refusals = random.Random(seed), set()
        for _ in range(25):
            batch = [_any_posting(chance, accounts) for _ in range(chance.randint(1, 6))]
            with bank.unit_of_work() as session:
                refusals |= {r.code for r in post(session, batch) if isinstance(r, BankError)}
        return refusals

    refusals = set().union(*at_once([lambda n=n: keep_moving(n) for n in range(8)]))
    assert refusals <= {"insufficient_minutes", "insufficient_fen"}
    with bank.session() as session:
        assert net_of(session, accounts) == 0
        assert clearing_sum(session, unit) == 0


def _any_posting(chance: random.Random, accounts: list[int]) -> Posting:
    made: list[Movement] = []
    for _ in range(chance.randint(1, 3)):
        source, target = chance.sample(accounts, 2)
        made.append(move(source, target, chance.randint(1, 30)))
    return tuple(made)


@UNITS
def test_capturing_and_releasing_at_once_is_one_or_the_other(bank: Database, unit: Unit) -> None:
    for _ in range(4):
        _capture_and_release(bank, scene_of(bank, unit))


def _capture_and_release(bank: Database, scene: Scene) -> None:
    hold_id, taken = new_id(), move(scene.here.mei, scene.there.lin, 20)
    with bank.unit_of_work() as session:
        asked: dict[str, Any] = {"expires_at": NOON + timedelta(days=3), "cause_kind": "care", "cause_id": new_id()}
        place_hold(session, hold_id=hold_id, account_id=scene.here.mei, amount=30, **asked)
    capture = lambda: said(bank, lambda s: capture_hold(s, hold_id=hold_id, movement=taken).replayed)  # noqa: E731
    release = lambda: said(bank, lambda s: end_hold(s, hold_id=hold_id).state)  # noqa: E731
    answers = at_once([capture, release, capture, release])
    with bank.session() as session:
        row = account_row(session, scene.here.mei)
    captured = sorted(map(str, answers)) == ["False", "True", "hold_ended", "hold_ended"]
    assert captured or sorted(answers) == ["hold_ended", "hold_ended", "released", "released"]
    assert row == ((80, 0, 2) if captured else (100, 0, 1))


def test_two_who_capture_one_hold_under_different_ids_capture_it_once(bank: Database) -> None:
    scene, hold_id = scene_of(bank), new_id()
    with bank.unit_of_work() as session:
        asked: dict[str, Any] = {"expires_at": NOON + timedelta(days=3), "cause_kind": "care", "cause_id": new_id()}
        place_hold(session, hold_id=hold_id, account_id=scene.here.mei, amount=30, **asked)
    captures = [move(scene.here.mei, scene.here.lin, 20) for _ in range(4)]
    answers = at_once(
        [lambda m=m: said(bank, lambda s: capture_hold(s, hold_id=hold_id, movement=m)) for m in captures]
    )
    assert sorted(map(type, answers), key=str) == [str, str, str, Posted]
    with bank.session() as session:
        assert account_row(session, scene.here.mei) == (80, 0, 2)


def test_four_stewards_who_ask_at_once_reverse_once(bank: Database) -> None:
    scene = scene_of(bank)
    made = move(scene.here.source, scene.there.mei, 30)
    with bank.unit_of_work() as session:
        post_one(session, (made,))
    stewards = [staff() for _ in range(4)]
    ask = lambda actor: said(bank, lambda s: reverse(s, actor=actor, transfer_id=made.id, reason="记错")[0])  # noqa: E731
    answers = at_once([lambda a=actor: ask(a) for actor in stewards])
    assert sorted(answers) == ["already_reversed", "already_reversed", "awaiting_second_person", "reversed"]
    with bank.session() as session:
        assert posted(session, scene.there.mei) == 100


@UNITS
def test_accounts_that_everybody_touches_are_never_waited_for(bank: Database, unit: Unit) -> None:
    scene = scene_of(bank, unit)
    lock = text("SELECT id FROM ledger_account WHERE NOT floored FOR UPDATE")
    with held_open(bank, lambda s: s.execute(lock)), bank.unit_of_work() as session:
        wait_for_nobody(session)
        query = text("SELECT id FROM ledger_account WHERE kind = 'redeemed' AND book_code = :book")
        redeemed = session.scalar(query, {"book": scene.there.book}) if unit == Unit.MINUTE else scene.there.source
        answers = post(
            session,
            [
                (move(scene.here.source, scene.here.mei, 5),),
                (move(scene.here.source, scene.there.mei, 5),),
                (move(scene.here.mei, redeemed, 5),),
            ],
        )
        assert [isinstance(answer, Posted) for answer in answers] == [True] * 3


def test_whoever_writes_past_the_locks_is_overtaken_and_refused(bank: Database) -> None:
    """Two rows of one account that share no unique key: only the account's version tells that one came too late."""
    scene = scene_of(bank)
    with bank.session() as late, bank.session() as early:
        row = leg(late, scene.here.mei, scene.here.lin, 10)
        late.rollback()
        insert(early, [leg(early, scene.here.source, scene.here.mei, 50)])
        said_no, _ = at_once(
            [lambda: refusal_of(late, lambda: insert(late, [row])), lambda: _commit_once_waited_for(bank, early)]
        )
        late.rollback()
    assert "meanwhile" in (said_no or "")
    with bank.session() as session:
        assert account_row(session, scene.here.mei) == (150, 0, 2)


def _commit_once_waited_for(bank: Database, early: Session) -> None:
    """End the transaction when somebody else has come to wait for it."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with bank.session() as looking:
        while not looking.scalar(waiting):
            looking.rollback()
    early.commit()
