"""Calls that come together are done together, each with its own answer; too many are turned away at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import Any

import pytest

from app.gathering import Gathering, TooManyWait

PATIENCE_S = 20


class Work:
    """Answers each number with its double; ``held`` keeps the first batch at work until it is let go."""

    def __init__(self, answer: Callable[[int], Any] = lambda number: number * 2) -> None:
        self.batches: list[list[int]] = []
        self.begun, self.held = Event(), Event()
        self._answer, self._adding = answer, Lock()

    def __call__(self, numbers: Sequence[int]) -> list[Any]:
        with self._adding:
            self.batches.append(list(numbers))
        self.begun.set()
        assert self.held.wait(PATIENCE_S)
        return [self._answer(number) for number in numbers]


def _behind_the_first(gathering: Gathering[int, Any], work: Work, numbers: Sequence[int]) -> list[Any]:
    """The answers to ``numbers``, all of which come while the first one is at work; what was raised counts as one."""

    def asked(number: int) -> Any:
        try:
            return gathering.do(number)
        except Exception as raised:
            return raised

    with ThreadPoolExecutor(len(numbers) + 1) as threads:
        first = threads.submit(asked, 0)
        assert work.begun.wait(PATIENCE_S)
        others = [threads.submit(asked, number) for number in numbers]
        # All of them wait, or were turned away, before the first one's work ends.
        while gathering.waiting + sum(one.done() for one in others) < len(numbers):
            pass
        work.held.set()
        first.result(PATIENCE_S)
        return [one.result(PATIENCE_S) for one in others]


def test_a_call_that_comes_alone_is_done_alone() -> None:
    work = Work()
    work.held.set()
    assert Gathering(work, at_once=8, most_waiting=8).do(21) == 42
    assert work.batches == [[21]]


def test_calls_that_come_meanwhile_are_done_together_and_each_hears_its_own_answer() -> None:
    work = Work()
    gathering: Gathering[int, int] = Gathering(work, at_once=8, most_waiting=8)
    assert _behind_the_first(gathering, work, [1, 2, 3, 4, 5]) == [2, 4, 6, 8, 10]
    assert [len(batch) for batch in work.batches] == [1, 5]


def test_no_more_are_done_together_than_may_be() -> None:
    work = Work()
    gathering: Gathering[int, int] = Gathering(work, at_once=3, most_waiting=20)
    assert _behind_the_first(gathering, work, range(1, 9)) == [2 * number for number in range(1, 9)]
    assert [len(batch) for batch in work.batches] == [1, 3, 3, 2]


def test_who_would_wait_for_too_long_is_turned_away_at_once() -> None:
    work = Work()
    gathering: Gathering[int, int] = Gathering(work, at_once=8, most_waiting=2)
    heard = _behind_the_first(gathering, work, [1, 2, 3, 4])
    assert sorted(one for one in heard if isinstance(one, int)) == sorted({2, 4, 6, 8} & set(map(_plain, heard)))
    assert [type(one) for one in heard if not isinstance(one, int)] == [TooManyWait, TooManyWait]


def _plain(heard: Any) -> int:
    return heard if isinstance(heard, int) else -1


def test_one_that_fails_spoils_none_of_those_beside_it() -> None:
    def answer(number: int) -> int:
        if number == 3:
            raise ValueError(number)
        return number

    work = Work(answer)
    gathering: Gathering[int, int] = Gathering(work, at_once=8, most_waiting=8)
    heard = _behind_the_first(gathering, work, [1, 2, 3, 4])
    assert [one if isinstance(one, int) else type(one) for one in heard] == [1, 2, ValueError, 4]


@pytest.mark.parametrize("leaders", [1, 3])
def test_everybody_is_answered_whoever_leads(leaders: int) -> None:
    work = Work()
    work.held.set()
    gathering: Gathering[int, int] = Gathering(work, at_once=4, most_waiting=1000, leaders=leaders)
    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(gathering.do, range(2000))) == [2 * number for number in range(2000)]
    assert (gathering.waiting, gathering.at_work) == (0, 0)
    assert sorted(number for batch in work.batches for number in batch) == list(range(2000))


def test_what_keeps_all_of_them_waiting_is_not_waited_for_once_for_each() -> None:
    def stuck(number: int) -> int:
        raise TimeoutError(number)

    work = Work(stuck)
    gathering: Gathering[int, int] = Gathering(work, at_once=8, most_waiting=8, patience_s=-1)
    heard = _behind_the_first(gathering, work, [1, 2, 3])
    assert [type(one) for one in heard] == [TooManyWait] * 3
    assert [len(batch) for batch in work.batches] == [1, 3]
