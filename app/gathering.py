"""Gathering 合批: calls that come while others are at work wait a moment and are done together, each with an answer.

One of those who wait leads: it does what has gathered, hands the answers out and names the next one. So nobody waits
for a timer, and a call that comes alone is done at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class TooManyWait(Exception):
    """So many wait already that this call would be answered late: it had better come again."""


@dataclass(eq=False, slots=True)
class _Call(Generic[A, R]):
    asked: A
    woken: Lock = field(default_factory=Lock)
    answer: R | None = None
    failure: BaseException | None = None
    done: bool = False

    def __post_init__(self) -> None:
        self.woken.acquire()

    def result(self) -> R:
        if self.failure is not None:
            raise self.failure
        return self.answer  # type: ignore[return-value]


class Gathering(Generic[A, R]):
    """Calls of one kind. ``work`` does many at once and answers one by one; where it fails, each is done by itself.

    At most ``at_once`` calls are done together, by at most ``leaders`` threads at a time; beyond ``most_waiting`` none
    waits. Who has not had its turn ``patience_s`` after its batch has begun is turned away too.
    """

    def __init__(
        self,
        work: Callable[[Sequence[A]], Sequence[R]],
        *,
        at_once: int,
        most_waiting: int,
        leaders: int = 1,
        patience_s: float = 20.0,
    ) -> None:
        self._work, self._at_once, self._most_waiting, self._most_leaders = work, at_once, most_waiting, leaders
        self._patience_s = patience_s
        self._waiting: deque[_Call[A, R]] = deque()
        self._leaders = 0
        self._changing = Lock()

    def do(self, asked: A) -> R:
        """The answer to one call. Raises TooManyWait, and whatever its own work raises."""
        call: _Call[A, R] = _Call(asked)
        with self._changing:
            leads = self._leaders < self._most_leaders
            if leads:
                self._leaders += 1
            elif len(self._waiting) < self._most_waiting:
                self._waiting.append(call)
            else:
                raise TooManyWait
        if not leads:
            call.woken.acquire()
        if not call.done:
            self._lead(call)
        return call.result()

    @property
    def waiting(self) -> int:
        """How many wait, without those who are at work."""
        return len(self._waiting)

    @property
    def at_work(self) -> int:
        """How many batches are being done."""
        return self._leaders

    def _lead(self, first: _Call[A, R]) -> None:
        """Do the leader's own call with those that have gathered behind it, and name who leads next."""
        with self._changing:
            more = min(self._at_once - 1, len(self._waiting))
            batch = [first, *(self._waiting.popleft() for _ in range(more))]
        self._do_all(batch)
        with self._changing:
            following = self._waiting.popleft() if self._waiting else None
            if following is None:
                self._leaders -= 1
        for call in batch[1:]:
            call.woken.release()
        if following is not None:
            following.woken.release()

    def _do_all(self, batch: Sequence[_Call[A, R]]) -> None:
        begun = monotonic()
        if not self._do(batch):
            for call in batch:
                # Whatever keeps them all waiting, a lock or a database that is away, is not waited for once for each.
                if monotonic() - begun > self._patience_s:
                    call.failure = TooManyWait()
                else:
                    self._do([call])
        for call in batch:
            call.done = True

    def _do(self, batch: Sequence[_Call[A, R]]) -> bool:
        """Do these together; False where that has failed, and each of several is to be done by itself."""
        try:
            answers = self._work([call.asked for call in batch])
            for call, answer in zip(batch, answers, strict=True):
                call.answer = answer
        except BaseException as failure:
            if len(batch) > 1:
                return False
            batch[0].failure = failure
        return True
