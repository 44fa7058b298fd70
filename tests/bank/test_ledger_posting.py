"""Posting on the database, in minutes and in fen: what stands afterwards, and what a repetition does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from tests.bank.ledger_books import NOON, Scene, account_row, clearing_sum, count_of, move, net_of, open_scene, posted
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.errors import BankError, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions import post, post_one
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import Posted, second_leg_id

UNITS = pytest.mark.parametrize("unit", list(Unit))


def codes(results: list[Any]) -> list[str]:
    return [r.code if isinstance(r, BankError) else "replayed" if r.replayed else "posted" for r in results]


@UNITS
def test_a_movement_between_books_leaves_both_balanced_and_clearing_at_zero(bank: Database, unit: Unit) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        across = move(scene.here.mei, scene.there.lin, 30)
        assert post_one(session, (across,)) == Posted((across.id,))
    with bank.session() as session:
        assert [posted(session, a) for a in (scene.here.mei, scene.there.lin)] == [70, 130]
        assert net_of(session, [scene.here.clearing]) == 30
        assert net_of(session, [scene.there.clearing]) == -30
        assert clearing_sum(session, unit) == 0
        out, into = (session.get_one(Transfer, i) for i in (across.id, second_leg_id(across.id)))
        assert (out.book_code, out.counterpart_book_code, out.to_account_id) == (
            *(scene.here.book, scene.there.book, scene.here.clearing),
        )
        assert (into.book_code, into.counterpart_book_code, into.from_account_id) == (
            *(scene.there.book, scene.here.book, scene.there.clearing),
        )
        assert out.link_id == into.link_id == across.id


@UNITS
def test_everything_asked_for_is_in_the_row(bank: Database, unit: Unit) -> None:
    clock.freeze(NOON)
    said = {"kind": "opening", "cause_kind": "task", "cause_id": new_id(), "note": "谢谢", "policy_version": 3}
    said |= {"effective_at": NOON - timedelta(days=9), "recorded_by": new_id()}
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        asked = move(scene.here.mei, scene.here.lin, 1, **said)
        post_one(session, (asked,))
    with bank.session() as session:
        row = session.get_one(Transfer, asked.id)
        assert {name: getattr(row, name) for name in said} == said
        assert (row.unit, row.amount, row.recorded_at) == (unit, 1, NOON)
        assert (row.from_version, row.from_balance, row.to_version, row.to_balance) == (2, 99, 2, 101)


@UNITS
def test_each_posting_of_a_batch_gets_its_own_answer(bank: Database, unit: Unit) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        here, there = scene.here, scene.there
        first = move(here.mei, here.lin, 60)
        results = post(
            session,
            [
                (first,),
                (move(here.mei, here.lin, 41),),
                (first,),
                (replace(first, amount=1),),
                (move(here.mei, there.mei, 20), move(here.mei, there.lin, 20)),
                (move(here.lin, there.lin, 160), move(here.lin, there.lin, 1)),
                (move(here.lin, 10**9, 1),),
            ],
        )
    short = "insufficient_minutes" if unit == Unit.MINUTE else "insufficient_fen"
    assert codes(results) == ["posted", short, "replayed", "transfer_id_reused", "posted", short, "account_unknown"]
    with bank.session() as session:
        accounts = (here.mei, here.lin, there.mei, there.lin)
        assert [posted(session, account) for account in accounts] == [0, 160, 120, 120]
        assert clearing_sum(session, unit) == 0


@UNITS
def test_repeating_a_posting_later_answers_the_same_and_moves_nothing(bank: Database, unit: Unit) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, unit)
        linked = (move(scene.here.mei, scene.there.mei, 100), move(scene.there.mei, scene.here.lin, 5))
        first = post_one(session, linked)
    with bank.unit_of_work() as session:
        assert post_one(session, linked) == replace(first, replayed=True)
        assert post_one(session, linked[1:]).replayed
        assert count_of(session, *(i for m in linked for i in (m.id, second_leg_id(m.id)))) == 4
        assert posted(session, scene.here.mei) == 0


def test_an_id_that_is_the_second_leg_of_another_movement_is_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        across = move(scene.here.mei, scene.there.mei, 1)
        post_one(session, (across,))
    thief = move(scene.here.mei, scene.here.lin, 1, id=second_leg_id(across.id))
    unlucky = move(scene.here.mei, scene.there.mei, 1)
    neighbour = move(scene.here.mei, scene.here.lin, 1, id=second_leg_id(unlucky.id))
    with bank.unit_of_work() as session:
        answers = post(session, [(thief,), (neighbour,), (unlucky,)])
        assert codes(answers) == ["transfer_id_reused", "posted", "transfer_id_reused"]
    with bank.unit_of_work() as session:
        assert codes(post(session, [(unlucky,), (neighbour,)])) == ["transfer_id_reused", "replayed"]


def test_a_refused_posting_can_be_raised_and_changes_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        with pytest.raises(Refused) as refused:
            post_one(session, (move(scene.here.mei, scene.there.lin, 101),))
        assert refused.value.facts == {"available_minutes": 100, "needed_minutes": 101}
    with bank.session() as session:
        assert account_row(session, scene.here.mei) == (100, 0, 1)
        assert account_row(session, scene.there.lin) == (100, 0, 1)


def test_a_closed_account_takes_nothing_and_gives_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        post_one(session, (move(scene.here.lin, scene.here.mei, 100),))
        session.get_one(Account, scene.here.lin, populate_existing=True).closed_at = clock.now()
    with bank.unit_of_work() as session:
        across, within = move(scene.there.mei, scene.here.lin, 1), move(scene.here.lin, scene.here.mei, 1)
        assert codes(post(session, [(across,), (within,)])) == ["account_closed", "account_closed"]


def test_a_batch_of_nothing_is_answered_with_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        assert post(session, []) == []


@UNITS
def test_recorded_times_never_run_back_though_the_clock_stands_still_or_is_set_back(bank: Database, unit: Unit) -> None:
    with bank.unit_of_work() as session:
        clock.freeze(NOON)
        scene = open_scene(session, unit)
        for moment in (NOON, NOON, NOON - timedelta(days=1), NOON + timedelta(seconds=1), NOON - timedelta(hours=1)):
            clock.freeze(moment)
            post_one(session, (move(scene.here.mei, scene.here.lin, 1),))
            post_one(session, (move(scene.here.lin, scene.there.mei, 2),))
    with bank.session() as session:
        lines = session.execute(
            select(Transfer.from_version, Transfer.recorded_at)
            .where(Transfer.from_account_id == scene.here.mei)
            .order_by(Transfer.from_version)
        ).all()
    assert [line.from_version for line in lines] == [2, 3, 4, 5, 6]
    later = NOON + timedelta(seconds=1)
    assert [line.recorded_at for line in lines] == [NOON, NOON, NOON, later, later]


def test_posting_takes_the_same_few_statements_however_many_there_are(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, each=1000)
    counted = [_statements_for(bank, scene, size) for size in (1, 300)]
    assert counted[0] == counted[1]
    assert [statement.split()[0] for statement in counted[0]] == ["WITH", "SELECT", "INSERT"]


def _statements_for(bank: Database, scene: Scene, size: int) -> list[str]:
    sent: list[str] = []

    def note_down(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "SAVEPOINT" not in statement:
            sent.append(statement.strip())

    with bank.unit_of_work() as session:
        event.listen(bank.engine, "before_cursor_execute", note_down)
        results = post(session, [(move(scene.here.mei, scene.there.lin, 1),) for _ in range(size)])
        event.remove(bank.engine, "before_cursor_execute", note_down)
    assert codes(results) == ["posted"] * size
    return sent
