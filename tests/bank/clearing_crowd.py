"""A crowd at work while clearing windows close: who redeems without pause, who buys, who credits help, who tallies."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from threading import Event

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, district, steward
from tests.factories.tasks import NINE, past_service
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import holder_with, scan
from timebank.clearing.actions import close_window, tally_new_movements
from timebank.clearing.queries import open_window
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.redemption.actions import buy_vouchers
from timebank.tasks import actions as tasks

TOWNSHIPS = (XIWU, DAYAN, SHANGTIAN)
CLIENTS = 8
_AT_FIRST = 40
_AT_A_TIME = 10


@dataclass(slots=True)
class Counter:
    """A canteen's counter: its clerk, a holder from another township, what is still to be scanned, the answers."""

    clerk: Actor
    holder: Actor
    codes: deque[str] = field(default_factory=deque)
    answers: list[str] = field(default_factory=list)


def open_counters(bank: Database) -> list[Counter]:
    """A counter for each client, every township's people eating in another, with some vouchers to begin with."""
    counters = []
    for number in range(CLIENTS):
        here, home = TOWNSHIPS[number % 3], TOWNSHIPS[(number + 1 + number // 3) % 3]
        home = home if home != here else TOWNSHIPS[(number + 1) % 3]
        with bank.unit_of_work() as session:
            counter = Counter(clerk(add_canteen(session, here)), holder_with(session, 60 * 4000, township_code=home))
        buy(bank, counter, _AT_FIRST)
        counters.append(counter)
    return counters


def buy(bank: Database, counter: Counter, quantity: int) -> None:
    """More vouchers for one counter."""
    with bank.unit_of_work() as session:
        bought = buy_vouchers(session, actor=counter.holder, quantity=quantity)
    counter.codes.extend(voucher.code for voucher in bought)


def acts_of(bank: Database, counters: Sequence[Counter]) -> list[Callable[[], None]]:
    """What everybody does over and over: redeem, buy for whoever has least, credit help, tally in two processes."""

    def redeeming(counter: Counter) -> Callable[[], None]:
        return lambda: counter.answers.append(scan(bank, counter.clerk, counter.codes.popleft()).verdict.reason)

    def tally() -> None:
        with bank.unit_of_work() as session:
            tally_new_movements(session)

    buying = lambda: buy(bank, min(counters, key=lambda one: len(one.codes)), _AT_A_TIME)  # noqa: E731
    return [*map(redeeming, counters), buying, _crediting(bank), tally, tally]


def _crediting(bank: Database) -> Callable[[], None]:
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, DAYAN)
    quarters = count()

    def credit() -> None:
        ended_at = NINE - timedelta(minutes=15 * next(quarters))
        form = past_service(volunteer, elder, ended_at=ended_at, minutes=15)
        with bank.unit_of_work() as session:
            task = tasks.record(session, actor=steward(DAYAN), form=form)
        with bank.unit_of_work() as session:
            tasks.approve_record(session, actor=steward(SHANGTIAN), task_id=task.id)

    return credit


@contextmanager
def going_on(acts: Sequence[Callable[[], None]]) -> Iterator[Callable[[], None]]:
    """Each act over and over in a thread of its own while the block runs; raises what any of them raised.

    Yields a function that comes back when each act has been done twice since.
    """
    enough, done = Event(), [0] * len(acts)

    def again(number: int, act: Callable[[], None]) -> None:
        while not enough.is_set():
            act()
            done[number] += 1

    with ThreadPoolExecutor(len(acts)) as pool:
        running: list[Future[None]] = [pool.submit(again, number, act) for number, act in enumerate(acts)]

        def all_went_on() -> None:
            before = list(done)
            while any(now < then + 2 for now, then in zip(done, before, strict=True)):
                for one in running:
                    if one.done():
                        one.result()
                enough.wait(0.002)

        try:
            yield all_went_on
        finally:
            enough.set()
        for one in running:
            one.result()


def close_at_once(bank: Database, people: int) -> list[str]:
    """So many district stewards close the open window at the same moment; what they hear, sorted."""
    with bank.session() as session:
        name = open_window(session).name
    answers = at_once(bank, [lambda s: close_window(s, actor=district(), window_name=name)] * people)
    return codes_of(answers)


def work_and_close(bank: Database, closings: Sequence[int]) -> list[Counter]:
    """Everybody works without pause while windows are closed by so many people each; the counters afterwards."""
    clock.freeze(NINE)
    counters = open_counters(bank)
    with going_on(acts_of(bank, counters)) as all_went_on:
        for people in closings:
            all_went_on()
            assert close_at_once(bank, people) == ["ok"] + ["window_already_closed"] * (people - 1)
        all_went_on()
    return counters
