"""Six people, twelve stewards and twelve counters, copied as they stand for every history that is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import count

from sqlalchemy import make_url

from tests.bank.ledger_guards import one_database
from tests.factories.minutes import save_minutes
from tests.factories.people import add_canteen, add_person, clerk, steward
from tests.factories.tasks import NINE
from tests.postgres import ThrowawayPostgres
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.townships.queries import townships

SAVED = 200
"""Minutes that everybody begins with."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who is there, in which townships, and how to get a bank of one's own in which nothing else has happened."""

    codes: list[str]
    people: list[Actor]
    stewards: dict[str, Actor]
    counters: dict[str, Actor]
    open_bank: Callable[[], AbstractContextManager[Database]]


@contextmanager
def scene_of_clearing(postgres: ThrowawayPostgres, template: str, name: str) -> Iterator[Scene]:
    """The scene, on databases that are called ``name`` and a number."""
    url, numbers = postgres.clone(template, name), count()
    clock.freeze(NINE)
    bank = Database(url, pool_size=1)
    with bank.unit_of_work() as session:
        codes = [township.code for township in townships(session)]
        people = [add_person(session, code) for code in codes[::2]]
        counters = {code: clerk(add_canteen(session, code)) for code in codes}
        for person in people:
            save_minutes(session, person, SAVED)
    bank.close()
    populated = str(make_url(url).database)

    def open_bank() -> AbstractContextManager[Database]:
        return one_database(postgres, populated, f"{name}_{next(numbers)}")

    yield Scene(codes, people, {code: steward(code) for code in codes}, counters, open_bank)
    postgres.drop(name)
