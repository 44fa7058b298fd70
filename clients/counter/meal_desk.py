"""A counter as it serves meals: always on the line, and with no doubt left about what was done to anybody's money.

A write is on the disk with its key before it leaves. Where its answer is lost, the next command asks for the same
again under the same key before it does anything else, so that nothing is done twice and nothing is forgotten.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from clients.counter.desk import Desk
from clients.counter.line import LineDown
from clients.miniprogram.problem import Problem, is_final

_WRITES, _LISTS = "writes", "lists"


class NeedsLine(Exception):
    """The counter was told to work without a line, and this cannot be done so."""


class OutcomeUnknown(Exception):
    """No answer came to something that may have been done."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.title = title


@dataclass(frozen=True)
class Write:
    """Something asked for: ``title`` in words for the clerk, ``body`` where there is one."""

    key: str
    path: str
    body: dict[str, Any] | None
    title: str

    def is_same(self, path: str, body: Mapping[str, Any] | None) -> bool:
        """Whether it asks for exactly this."""
        return (self.path, self.body) == (path, body)


@dataclass(frozen=True)
class Settled:
    """What became of a write whose answer had been lost: the ``answer``, or the ``problem``."""

    write: Write
    answer: dict[str, Any] | None
    problem: Problem | None


class MealDesk:
    """The meals' side of a counter. Raises NeedsLine where the counter works without a line."""

    def __init__(self, desk: Desk) -> None:
        if desk.offline_since is not None:
            raise NeedsLine
        self._desk, self._line = desk, desk.line
        self._today: dict[str, Any] | None = None
        self._settled: list[Settled] = []
        self.get, self.items = self._line.get, self._line.items

    @property
    def waiting(self) -> list[Write]:
        """Writes whose outcome nobody knows yet."""
        return [Write(**one) for one in self._desk.kept(_WRITES).get("writes", [])]

    def settle(self) -> Iterator[Settled]:
        """Ask again for what was left in doubt, one after the other.

        Raises OutcomeUnknown where the line is down still, Problem for a login that ended.
        """
        for write in self.waiting:
            try:
                settled = Settled(write, self._send(write), None)
            except LineDown:
                raise OutcomeUnknown(write.title) from None
            except Problem as problem:
                if not _is_last_word(problem):
                    raise
                settled = Settled(write, None, problem)
            self._settled.append(settled)
            yield settled

    def write(self, path: str, body: dict[str, Any] | None, title: str) -> tuple[dict[str, Any], bool]:
        """Have something done once: the answer, and whether it is that of a write settled just now.

        Raises Problem for a refusal, OutcomeUnknown where no answer came.
        """
        for settled in self._settled:
            if settled.answer is not None and settled.write.is_same(path, body):
                return settled.answer, True
        write = Write(str(uuid.uuid4()), path, body, title)
        self._keep([*self.waiting, write])
        try:
            return self._send(write), False
        except LineDown:
            raise OutcomeUnknown(title) from None
        except Problem as problem:
            if _is_last_word(problem) or problem.status == 401:
                # Sent for the first time: with a login that ended, nothing was done.
                self._forget(write)
                raise
            raise OutcomeUnknown(title) from None

    def today(self) -> dict[str, Any]:
        """The counter's day in counts; its ``on_day`` is the bank's today. Raises LineDown or Problem."""
        if self._today is None:
            self._today = self.get("/meal-counter/today")
        return self._today

    def meal_now(self) -> str:
        """The meal that is served here now, or else the nearest, as the bank says. Raises LineDown or Problem."""
        return str(self.today()["meal_now"])

    def find_diner(self, name: str, id_last_four: str) -> list[dict[str, Any]]:
        """Who has this name and these last four, with their purses. Raises LineDown or Problem."""
        asked = {"name": name, "id_last_four": id_last_four}
        return list(self._line.post("/purses/find-diner", asked)["items"])

    def remember(self, name: str, ids: Sequence[str]) -> None:
        """Keep the order of the list just shown, so that its numbers can be typed."""
        self._desk.keep(_LISTS, self._desk.kept(_LISTS) | {name: list(ids)})

    def shown(self, name: str) -> list[str]:
        """The ids of the list shown last under this name, in its order."""
        return list(self._desk.kept(_LISTS).get(name, []))

    def _send(self, write: Write) -> dict[str, Any]:
        """Raises LineDown or Problem; a refusal that is the last word is forgotten here, as an answer is."""
        try:
            answer = self._line.post(write.path, write.body, key=write.key)
        except Problem as problem:
            if _is_last_word(problem):
                self._forget(write)
            raise
        self._forget(write)
        return answer

    def _forget(self, write: Write) -> None:
        self._keep([one for one in self.waiting if one.key != write.key])

    def _keep(self, writes: Sequence[Write]) -> None:
        self._desk.keep(_WRITES, {"writes": [asdict(one) for one in writes]})


def _is_last_word(problem: Problem) -> bool:
    return is_final(problem.status) and problem.status != 401
