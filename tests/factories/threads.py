"""Several calls at the same moment, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from threading import Barrier, Event, Thread
from typing import TypeVar

import pytest
from sqlalchemy.orm import Session

from timebank.core.db import Database
from timebank.core.errors import BankError

T = TypeVar("T")


def at_once(bank: Database, calls: Sequence[Callable[[Session], T]]) -> list[T | BankError]:
    """Each call in a unit of work of its own, all begun together: the answers or refusals, in order.

    Anything but an answer or a refusal fails the test.
    """
    ready = Barrier(len(calls), timeout=30)
    answers: list[T | BankError | None] = [None] * len(calls)
    broken: list[BaseException] = []

    def work(number: int, call: Callable[[Session], T]) -> None:
        try:
            with bank.unit_of_work() as session:
                # The connection is there before the start, so that all of them truly begin together.
                session.connection()
                ready.wait()
                answers[number] = call(session)
        except BankError as refusal:
            answers[number] = refusal
        except BaseException as failure:
            broken.append(failure)

    threads = [Thread(target=work, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return [answer for answer in answers if answer is not None]


def codes_of(answers: Sequence[object]) -> list[str]:
    """``ok`` for an answer and the code for a refusal, sorted."""
    return sorted(answer.code if isinstance(answer, BankError) else "ok" for answer in answers)


def after_waiting(bank: Database, first: Callable[[Session], object], then: Callable[[Session], T]) -> T | BankError:
    """``first`` done and not committed yet, ``then`` has to wait for it; answers what ``then`` came to."""
    answers: list[T | BankError] = []
    waiting = Thread(target=lambda: answers.extend(at_once(bank, [then])))
    with bank.unit_of_work() as session:
        first(session)
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive(), "nothing was waited for"
    waiting.join(30)
    assert answers, "it failed, or still waits"
    return answers[0]


def half_way(
    patch: pytest.MonkeyPatch, module: str, step: str, first: Callable[[Session], T], then: Callable[[Session], T]
) -> list[Callable[[Session], T]]:
    """Calls for ``at_once``: ``first`` stops before ``step`` while ``then`` goes as far as it can get."""
    reached, over = Event(), Event()
    original = getattr(import_module(module), step)

    def paused(*args: object, **kwargs: object) -> object:
        reached.set()
        over.wait(1)
        return original(*args, **kwargs)

    def meanwhile(session: Session) -> T:
        assert reached.wait(30)
        try:
            return then(session)
        finally:
            over.set()

    patch.setattr(import_module(module), step, paused)
    return [first, meanwhile]
