"""A batch of confirmations decides exactly as its confirmations one after another would.

Two townships live through the same story; in one of them everything is confirmed in one batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.factories.minutes import balance_at, fill_pool, posted_in, save_minutes
from tests.factories.people import DAYAN, XIWU, add_person
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.queries import trial_balance
from timebank.ledger.rules import AccountKind
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation, Request
from timebank.tasks.models import Task

PEOPLE = 3


@dataclass(frozen=True, slots=True)
class Visit:
    """One of the three helps another for some minutes."""

    helped: int
    helper: int
    minutes: int


VISITS = st.builds(
    lambda helped, step, minutes: Visit(helped, (helped + step) % PEOPLE, minutes),
    st.integers(0, PEOPLE - 1),
    st.integers(1, PEOPLE - 1),
    st.sampled_from([0, 1, 40, 60, 90]),
)
# Which visit (beyond the last: an unknown one) is confirmed by whom of the three.
STEPS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, PEOPLE - 1)), min_size=1, max_size=7)


@dataclass(frozen=True, slots=True)
class World:
    """One township's people, its pool's account, and the tasks that await confirmation there."""

    township: str
    people: list[Actor]
    pool: int
    waiting: list[Task]


def live_through(session: Session, township: str, visits: Sequence[Visit], savings: Sequence[int], pool: int) -> World:
    """What the people of one township did for one another, from nine o'clock on."""
    people = [add_person(session, township, age=70) for _ in range(PEOPLE)]
    for person, minutes in zip(people, savings, strict=True):
        if minutes:
            save_minutes(session, person, minutes)
    waiting = []
    for number, visit in enumerate(visits):
        starts_at = NINE + timedelta(hours=2 * number)
        clock.freeze(starts_at)
        wanted = Request("companionship", starts_at, 60)
        task = tasks.request(session, actor=people[visit.helped], wanted=wanted)
        helper = people[visit.helper]
        tasks.accept(session, actor=helper, task_id=task.id)
        tasks.check_in(session, actor=helper, task_id=task.id, service_code=task.service_code or "")
        clock.freeze(starts_at + timedelta(minutes=visit.minutes))
        waiting.append(tasks.check_out(session, actor=helper, task_id=task.id))
    return World(township, people, pool, waiting)


def asked(world: World, steps: Sequence[tuple[int, int]]) -> list[Confirmation]:
    ids = [task.id for task in world.waiting]
    return [
        Confirmation(ids[visit] if visit < len(ids) else new_id(), world.people[who], rating=1 + who)
        for visit, who in steps
    ]


def told(results: Sequence[Task | BankError]) -> list[str]:
    return [
        result.code if isinstance(result, BankError) else f"{result.status} {result.parts[0].payable_minutes}"
        for result in results
    ]


def books_of(session: Session, world: World) -> tuple[list[int], int, list[int]]:
    savings = [posted_in(session, AccountKind.SAVINGS, person) for person in world.people]
    lines = [line for line in trial_balance(session, "minute") if line.book == world.township]
    return savings, balance_at(session, world.pool), [line.debit for line in lines if line.account == "issuance"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    visits=st.lists(VISITS, min_size=1, max_size=4),
    savings=st.lists(st.sampled_from([0, 30, 100]), min_size=PEOPLE, max_size=PEOPLE),
    shared=st.sampled_from([1, 50]),
    steps=STEPS,
)
def test_a_batch_of_confirmations_decides_as_one_by_one(
    bank: Database, visits: list[Visit], savings: list[int], shared: int, steps: list[tuple[int, int]]
) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        batched, single = (
            live_through(session, township, visits, savings, fill_pool(session, township, shared))
            for township in (XIWU, DAYAN)
        )
    with bank.unit_of_work() as session:
        in_one = told(tasks.confirm_many(session, asked(batched, steps)))
    one_by_one = []
    for confirmation in asked(single, steps):
        with bank.unit_of_work() as session:
            one_by_one += told(tasks.confirm_many(session, [confirmation]))
    assert in_one == one_by_one
    with bank.session() as session:
        assert books_of(session, batched) == books_of(session, single)
