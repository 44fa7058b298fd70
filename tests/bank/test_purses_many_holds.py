"""Many holds at once: decided as one after another would be, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene, account_row, move, open_scene
from tests.thorough import length
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import capture_hold, end_hold, many_holds, place_hold, post_one
from timebank.ledger.actions.many_holds import capture_holds, end_holds, place_holds
from timebank.ledger.holding import Capture, HoldWanted
from timebank.ledger.models import Hold, Transfer
from timebank.ledger.rules import Movement, Posted

UNTIL = NOON + timedelta(days=3)
PLACES = st.integers(0, 3)
AMOUNTS = st.sampled_from((-1, 0, 1, 40, 60, 101))

Said = list[object]


@pytest.fixture(autouse=True)
def _at_noon() -> None:
    clock.freeze(NOON)


def of(scene: Scene, place: int) -> int:
    """Two people, a shared account, and one without a floor."""
    return (scene.here.mei, scene.here.lin, scene.there.shared, scene.here.source)[place]


def want(account_id: int, amount: int, hold_id: UUID | None = None) -> HoldWanted:
    return HoldWanted(hold_id or new_id(), account_id, amount, UNTIL, "meal_order", UUID(int=7))


def code_of(deed: Callable[[], object]) -> object:
    try:
        return deed()
    except BankError as refusal:
        return refusal.code, refusal.facts


def said(answer: object) -> object:
    return (answer.code, answer.facts) if isinstance(answer, BankError) else answer


def one_by_one(session: Session, wanted: HoldWanted) -> object:
    return code_of(
        lambda: (
            place_hold(
                session,
                hold_id=wanted.hold_id,
                account_id=wanted.account_id,
                amount=wanted.amount,
                expires_at=wanted.expires_at,
                cause_kind=wanted.cause_kind,
                cause_id=wanted.cause_id,
            ).id
        )
    )


def state_of(session: Session, scene: Scene) -> Said:
    session.expire_all()
    rows = [account_row(session, account) for side in (scene.here, scene.there) for account in (side.mei, side.lin)]
    holds = select(Hold.id, Hold.account_id, Hold.amount, Hold.state, Hold.captured_amount, Hold.ended_at)
    moved = select(Transfer.id, Transfer.amount, Transfer.from_balance, Transfer.to_balance, Transfer.from_version)
    shared = [account_row(session, side.shared) for side in (scene.here, scene.there)]
    return [
        rows,
        shared,
        session.execute(holds.order_by(Hold.id)).all(),
        session.execute(moved.order_by(Transfer.id)).all(),
    ]


def tried_and_undone(session: Session, scene: Scene, deed: Callable[[], Said]) -> Said:
    savepoint = session.begin_nested()
    answers = deed()
    found = [answers, state_of(session, scene)]
    savepoint.rollback()
    session.expire_all()
    return found


@contextmanager
def counting(session: Session) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            seen.append(statement)

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(connection, "before_cursor_execute", note)


WISHES = st.lists(st.tuples(PLACES, AMOUNTS, st.integers(0, 11)), min_size=3, max_size=12)


def test_a_batch_of_wanted_holds_decides_as_one_after_another(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)

        @settings(
            max_examples=length(30, 1_000), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(WISHES)
        def decides_the_same(wishes: list[tuple[int, int, int]]) -> None:
            ids = [new_id() for _ in range(12)]
            wanted = [want(of(scene, place), amount, ids[which]) for place, amount, which in wishes]
            singly = tried_and_undone(session, scene, lambda: [one_by_one(session, w) for w in wanted])
            at_once = tried_and_undone(
                session,
                scene,
                lambda: [
                    answer.id if isinstance(answer, Hold) else said(answer) for answer in place_holds(session, wanted)
                ],
            )
            assert at_once == singly

        decides_the_same()


def test_what_one_wish_has_set_aside_the_next_cannot_have(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        mei = scene.here.mei
        answers = place_holds(session, [want(mei, 60), want(mei, 41), want(mei, 40), want(mei, 1)])
        assert [answer.amount if isinstance(answer, Hold) else said(answer) for answer in answers] == [
            60,
            ("insufficient_fen", {"available_fen": 40, "needed_fen": 41}),
            40,
            ("insufficient_fen", {"available_fen": 0, "needed_fen": 1}),
        ]


def placed_holds(session: Session, scene: Scene) -> list[Hold]:
    wanted = [want(of(scene, place), amount) for place, amount in ((0, 30), (0, 20), (1, 60), (2, 40))]
    return [hold for hold in place_holds(session, wanted) if isinstance(hold, Hold)]


def singly_captured(session: Session, hold_id: UUID, movement: Movement) -> object:
    return code_of(lambda: capture_hold(session, hold_id=hold_id, movement=movement))


CAPTURES = st.lists(st.tuples(st.integers(0, 4), PLACES, st.integers(0, 70), st.integers(0, 5)), max_size=10)


def test_a_batch_of_captures_decides_as_one_after_another(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        holds = placed_holds(session, scene)
        assert len(holds) == 4
        facts = [(hold.id, hold.account_id) for hold in holds] + [(new_id(), scene.here.mei)]

        @settings(
            max_examples=length(30, 1_000), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        )
        @given(CAPTURES)
        def decides_the_same(wishes: list[tuple[int, int, int, int]]) -> None:
            ids = [new_id() for _ in range(6)]
            asked = []
            for which, place, amount, under in wishes:
                hold_id, account_id = facts[which]
                source = account_id if amount % 7 else of(scene, place)
                asked.append((hold_id, move(source, scene.there.lin, amount, id=ids[under])))
            asked = [(hold_id, movement) for hold_id, movement in asked if movement.amount > 0]
            captures = [Capture({hold_id: movement.amount}, (movement,)) for hold_id, movement in asked]
            singly = tried_and_undone(session, scene, lambda: [singly_captured(session, *one) for one in asked])
            at_once = tried_and_undone(session, scene, lambda: [said(r) for r in capture_holds(session, captures)])
            assert at_once == singly

        decides_the_same()


def test_a_batch_of_releases_ends_what_one_after_another_would(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        ids = [hold.id for hold in placed_holds(session, scene)]
        singly = tried_and_undone(session, scene, lambda: [end_hold(session, hold_id=i) and None for i in ids])
        at_once = tried_and_undone(session, scene, lambda: [end_holds(session, ids) for _ in ids])
        assert at_once == singly
        capture_hold(session, hold_id=ids[0], movement=move(scene.here.mei, scene.here.lin, 30))
        before = state_of(session, scene)
        assert code_of(lambda: end_holds(session, ids)) == ("hold_ended", {"hold_id": ids[0], "state": "captured"})
        assert code_of(lambda: end_holds(session, [ids[1], UUID(int=1)])) == ("hold_unknown", {"hold_id": UUID(int=1)})
        assert state_of(session, scene) == before


def test_holds_of_several_accounts_end_with_one_posting_or_not_at_all(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        mine, also_mine, _, pooled = placed_holds(session, scene)
        shares = (move(scene.here.mei, scene.here.lin, 25), move(scene.there.shared, scene.here.lin, 40))
        too_much = Capture({also_mine.id: 0}, (move(scene.here.mei, scene.here.lin, 81),))
        good = Capture({mine.id: 25, pooled.id: 40}, (*shares, move(scene.here.source, scene.here.lin, 9)))
        results = capture_holds(session, [too_much, good, good])
        assert [said(r) for r in results] == [
            ("capture_from_elsewhere", {}),
            Posted(tuple(m.id for m in good.posting)),
            Posted(tuple(m.id for m in good.posting), replayed=True),
        ]
        assert (mine.state, mine.captured_amount, also_mine.state) == ("captured", 25, "placed")
        assert account_row(session, scene.here.mei)[:2] == (75, 20)
        assert account_row(session, scene.there.shared)[:2] == (60, 0)


def test_a_posting_that_is_refused_leaves_its_holds_and_its_neighbours_alone(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        mine, also_mine, _, _ = placed_holds(session, scene)
        nothing_there = move(scene.there.lin, scene.here.lin, 101)
        spoilt = Capture({mine.id: 30}, (move(scene.here.mei, scene.here.lin, 30), nothing_there))
        fine = Capture({also_mine.id: 0}, ())
        # 50 are held, whatever was tried in vain before.
        greedy = Capture({}, (move(scene.here.mei, scene.here.lin, 51),))
        results = capture_holds(session, [spoilt, greedy, fine])
        assert said(results.pop(1)) == ("insufficient_fen", {"available_fen": 50, "needed_fen": 51})
        assert said(results[0]) == ("insufficient_fen", {"available_fen": 100, "needed_fen": 101})
        assert results[1] == Posted(())
        assert (mine.state, also_mine.state) == ("placed", "released")
        assert account_row(session, scene.here.mei) == (100, 30, 1)


@pytest.mark.parametrize("act", ["place", "capture", "end"])
def test_the_number_of_statements_does_not_grow(bank: Database, act: str) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN, each=10_000)
        counts = []
        for many in (1, 60):
            wanted = [want(of(scene, n % 3), 5) for n in range(many)]
            if act == "place":
                with counting(session) as seen:
                    place_holds(session, wanted)
                counts.append(len(seen))
                continue
            placed = [hold for hold in place_holds(session, wanted) if isinstance(hold, Hold)]
            with counting(session) as seen:
                _end_or_capture(session, scene, act, placed)
            counts.append(len(seen))
        assert counts[0] == counts[1] <= 6, counts


def _end_or_capture(session: Session, scene: Scene, act: str, placed: Sequence[Hold]) -> None:
    if act == "end":
        end_holds(session, [hold.id for hold in placed])
        return
    captures = [Capture({h.id: 5}, (move(h.account_id, scene.there.lin, 5),)) for h in placed]
    assert all(isinstance(result, Posted) for result in capture_holds(session, captures))


def test_nothing_asked_is_nothing_done(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        before = state_of(session, scene)
        assert (place_holds(session, []), capture_holds(session, [])) == ([], [])
        end_holds(session, [])
        assert state_of(session, scene) == before
        post_one(session, (move(scene.here.mei, scene.here.lin, 1),))


def test_whoever_is_overtaken_decides_anew_and_ends_no_hold_for_nothing(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session, Unit.FEN)
        mine = placed_holds(session, scene)[0]
        capture = Capture({mine.id: 30}, (move(scene.here.mei, scene.here.lin, 30),))
        tries: list[str] = []

        def overtaken(*_: object) -> bool:
            tries.append(mine.state)
            return False

        with monkeypatch.context() as patched:
            patched.setattr(many_holds, "insert_legs", overtaken)
            with pytest.raises(RuntimeError, match="kept posting"):
                capture_holds(session, [capture])
        assert tries == ["captured"] * 3
        assert account_row(session, scene.here.mei)[:2] == (100, 50)
        assert capture_holds(session, [capture]) == [Posted((capture.posting[0].id,))]
        assert account_row(session, scene.here.mei)[:2] == (70, 20)
