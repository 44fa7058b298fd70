"""Operations done for many at once: calls that come together share one transaction, each with its own answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any
from uuid import UUID

from flask import Flask, current_app
from prometheus_client import Histogram
from sqlalchemy.orm import Session

from app.auth.current import not_signed_in
from app.gathering import Gathering, TooManyWait
from app.session import database
from timebank.core.actors import Actor
from timebank.core.errors import BankError, Refused
from timebank.people.queries import actors_of

_CALLS = Histogram(
    "timebank_gathered_calls", "Calls done in one transaction", ["operation"], buckets=(1, 2, 4, 8, 16, 32, 64, 128)
)
_PAUSE_S = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One of those who call together: who it is, and what they sent."""

    actor: Actor
    body: dict[str, Any]


ManyView = Callable[[Session, Sequence[Call]], Sequence[Any]]
"""Answers several calls in order, as if one after another; a BankError for a call in which nothing was done."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A call that was read, of whoever the token names."""

    login_id: UUID
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call was answered, or its refusal; ``actor`` is None where nobody stands behind its token."""

    actor: Actor | None
    answer: Any


class Gatherings:
    """The gatherings of one process, one an operation."""

    def __init__(self, *, at_once: int, most_waiting: int) -> None:
        self._at_once, self._most_waiting = at_once, most_waiting
        self._by_operation: dict[str, Gathering[Asking, Heard]] = {}
        self._adding = Lock()

    def of(self, operation_id: str, view: ManyView) -> Gathering[Asking, Heard]:
        """Where calls of this operation gather."""
        with self._adding:
            if operation_id not in self._by_operation:
                work = partial(_do, operation_id, view)
                self._by_operation[operation_id] = Gathering(
                    work, at_once=self._at_once, most_waiting=self._most_waiting
                )
            return self._by_operation[operation_id]

    @property
    def waiting(self) -> int:
        """How many calls wait, of all operations."""
        return sum(gathering.waiting for gathering in self._by_operation.values())

    @property
    def at_work(self) -> int:
        """How many batches are being done."""
        return sum(gathering.at_work for gathering in self._by_operation.values())


def register_gatherings(app: Flask, *, at_once: int, most_waiting: int) -> None:
    """Let calls gather in this process: so many are done at once, and so many may wait."""
    app.extensions["timebank_gatherings"] = Gatherings(at_once=at_once, most_waiting=most_waiting)


def do_together(operation_id: str, view: ManyView, asking: Asking) -> Heard:
    """Do a call together with those of others. Raises Refused ``busy`` where too many wait; what its work raises."""
    gatherings: Gatherings = current_app.extensions["timebank_gatherings"]
    try:
        return gatherings.of(operation_id, view).do(asking)
    except TooManyWait:
        raise Refused("busy", "系统正忙，请稍后再试", retry_after_seconds=_PAUSE_S) from None


def alone(view: ManyView) -> Callable[..., Any]:
    """The view of a single call, for whoever has a session of their own. Raises its refusal."""

    def view_of_one(session: Session, actor: Actor, body: dict[str, Any]) -> Any:
        [answer] = view(session, [Call(actor, body)])
        if isinstance(answer, BankError):
            raise answer
        return answer

    return view_of_one


def _do(operation_id: str, view: ManyView, asking: Sequence[Asking]) -> list[Heard]:
    """All of these in one unit of work; who stands behind a token is asked in it, once for all."""
    _CALLS.labels(operation_id).observe(len(asking))
    with database().unit_of_work() as session:
        actors = actors_of(session, {one.login_id for one in asking})
        known = [(actors[one.login_id], one.body) for one in asking if one.login_id in actors]
        answers = iter(view(session, [Call(*one) for one in known]) if known else ())
        found = [actors.get(one.login_id) for one in asking]
        return [Heard(actor, next(answers) if actor is not None else not_signed_in()) for actor in found]
