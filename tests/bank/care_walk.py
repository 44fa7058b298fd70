"""The machine's own steps in one fixed order, one of each kind at least: what random steps reach only now and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from tests.bank.care_machine import CareMachine
from timebank.core.db import Database

Step = Callable[[CareMachine], None]

ONE_OF_EACH: tuple[Step, ...] = (
    lambda m: m.confirm(1, "nothing"),
    lambda m: m.check_in(1, False),
    lambda m: m.decline(0, 0),
    lambda m: m.dispute(0, True),
    lambda m: m.book(1, 600, 95, None),
    lambda m: m.book(1, 1440, 30, None),
    lambda m: m.cancel(0, True),
    lambda m: m.cancel(1, True),
    lambda m: m.book(1, 120, 45, None),
    lambda m: m.assign(1, 0),
    lambda m: m.cancel(1, True),
    # Stayed a little longer, which is no excess; and a minute less than agreed.
    lambda m: m.book(0, 60, 60, None),
    lambda m: m.assign(1, 0),
    lambda m: m.check_in(1, True),
    lambda m: m.check_out(1, 7),
    lambda m: m.confirm(1, "nothing"),
    lambda m: m.book(1, 60, 30, None),
    lambda m: m.assign(1, 1),
    lambda m: m.check_in(1, True),
    lambda m: m.check_out(1, -1),
    lambda m: m.confirm(1, "nothing"),
    # The first provider's day is full; nobody confirms in time.
    lambda m: m.book(0, 60, 60, None),
    lambda m: m.assign(1, 0),
    lambda m: m.assign(1, 1),
    lambda m: m.check_in(1, True),
    lambda m: m.check_out(1, 25),
    lambda m: m.confirm(1, "other"),
    lambda m: m.let_time_pass(4320, True),
    # Declined, sent to the other one, who does not come.
    lambda m: m.book(0, 60, 60, 0),
    lambda m: m.assign(1, 0),
    lambda m: m.decline(0, 0),
    lambda m: m.assign(1, 0),
    lambda m: m.jobs(),
    lambda m: m.let_time_pass(120, True),
    # The chosen one is sent, and finds nobody at home.
    lambda m: m.book(0, 60, 60, 0),
    lambda m: m.let_time_pass(15, True),
    lambda m: m.book(0, 60, 30, None),
    lambda m: m.not_home(1, True),
    # Disputed by a steward, whom another one has to follow; too late to cancel.
    lambda m: m.book(0, 60, 30, None),
    lambda m: m.assign(1, 0),
    lambda m: m.check_in(1, True),
    lambda m: m.dispute(1, True),
    lambda m: m.decide(1, 30, True),
    lambda m: m.decide(1, 30, False),
    lambda m: m.book(0, 5, 30, None),
    lambda m: m.assign(1, 0),
    lambda m: m.let_time_pass(10, False),
    lambda m: m.cancel(1, True),
    lambda m: m.let_time_pass(60, True),
    # The hold is over before anybody confirms.
    lambda m: m.book(0, 60, 30, None),
    lambda m: m.assign(1, 0),
    lambda m: m.check_in(1, True),
    lambda m: m.check_out(1, 0),
    lambda m: m.let_time_pass(91 * 1440, False),
    lambda m: m.confirm(1, "nothing"),
    lambda m: m.jobs(),
)


def walk(bank: Database, seen: Counter[str]) -> None:
    """The machine's own steps, one of each kind at least, compared after every one."""
    machine = CareMachine(bank, seen)
    for step in ONE_OF_EACH:
        step(machine)
        machine.the_bank_says_what_the_paper_says()
    machine.teardown()
