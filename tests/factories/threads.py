"""Several calls at the same moment, each in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Barrier, Thread
from typing import TypeVar

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
