"""Jobs of the meal programme that die at any point: each meal, round, charge and claim is made once.

A day of ten canteens: standing orders become orders, rounds are planned, meals are eaten or missed, the month is
claimed; a real ``timebank run-job`` is killed with SIGKILL again and again on the way.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from tests.factories.delivery import CANTEEN, METRE
from tests.factories.orders import Kitchen, a_diner, a_kitchen
from tests.story.killing import Start, Work, jobs_of, kill_in_mid_work
from tests.story.running_bank import PATIENCE_S
from tests.thorough import length
from timebank.canteens.counter.actions import serve_orders
from timebank.canteens.orders.actions import StandingWanted, set_standing_order
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError

CANTEENS, DINERS_EACH = 10, 3
KILLS = length(1, 4)
SEED = 20261122
ORDERS = CANTEENS * DINERS_EACH * 2
SUPPERS_MISSED = CANTEENS * (DINERS_EACH - 1)

WORK = {
    "make_standing_orders": Work(
        "SELECT (SELECT count(*) FROM standing_order) - (SELECT count(*) FROM standing_order_day)",
        "SELECT count(*), count(DISTINCT order_id) FROM standing_order_day WHERE order_id IS NOT NULL",
        (ORDERS, ORDERS),
    ),
    "plan_rounds": Work(
        """SELECT count(*) FROM meal_order o WHERE o.way = 'deliver'
        AND NOT EXISTS (SELECT FROM delivery_stop s WHERE s.order_id = o.id)""",
        """SELECT count(*), count(DISTINCT s.order_id) FROM delivery_stop s JOIN delivery_round r ON r.id = s.round_id
        JOIN task t ON t.id = r.task_id WHERE r.state = 'planned' AND t.status = 'open'""",
        (CANTEENS * DINERS_EACH, CANTEENS * DINERS_EACH),
    ),
    "mark_missed_orders": Work(
        "SELECT count(*) FROM meal_order WHERE state = 'placed' AND way = 'eat_in'",
        "SELECT count(*), count(DISTINCT cause_id) FROM ledger_transfer WHERE kind = 'meal_missed'",
        (SUPPERS_MISSED, SUPPERS_MISSED),
    ),
    "compute_claims": Work(
        "SELECT (SELECT count(*) FROM canteen) - (SELECT count(*) FROM subsidy_claim)",
        "SELECT count(*), count(DISTINCT (canteen_id, month)) FROM subsidy_claim WHERE list_fen > 0",
        (CANTEENS, CANTEENS),
    ),
}


@dataclass(frozen=True, slots=True)
class Day:
    """Tomorrow, on which everybody eats."""

    kitchens: list[Kitchen]
    on: date

    def at(self, hour: int, minute: int = 0) -> datetime:
        """A moment of this day."""
        return clock.day_start(self.on).replace(hour=hour, minute=minute)

    @property
    def claimed_at(self) -> datetime:
        """The third of the next month, when its claims are computed."""
        next_month = (self.on.replace(day=28) + timedelta(days=4)).replace(day=3)
        return clock.day_start(next_month).replace(hour=9)


@pytest.fixture
def start(bank: Database, tmp_path: Path) -> Iterator[Start]:
    """Starts jobs of the test's bank."""
    with jobs_of(bank, tmp_path) as run:
        yield run


def fill(bank: Database) -> Day:
    """Canteens with diners whose standing orders want tomorrow's lunch at the door and supper at the table."""
    kitchens = []
    for _ in range(CANTEENS):
        with bank.unit_of_work() as session:
            kitchens.append(a_kitchen(session, days=2, place=CANTEEN))
    tomorrow = kitchens[0].day + timedelta(days=1)
    for kitchen in kitchens:
        with bank.unit_of_work() as session:
            for number in range(DINERS_EACH):
                door = {"latitude": CANTEEN[0] + 300 * (number + 1) * METRE, "longitude": CANTEEN[1]}
                diner = a_diner(session, delivery_address=f"老街{number + 1}号", **door)
                for meal, way in ((Meal.LUNCH, Way.DELIVER), (Meal.SUPPER, Way.EAT_IN)):
                    once = {"weekdays": [tomorrow.isoweekday()], "starts_on": tomorrow, "ends_on": tomorrow}
                    wanted = StandingWanted(
                        kitchen.canteen.id, meal, way=way, choice="love_meal", use_vouchers=False, **once
                    )
                    set_standing_order(session, actor=diner, wanted=wanted)
    return Day(kitchens, tomorrow)


def one_comes_to_supper(bank: Database, day: Day) -> None:
    """At every canteen the first of its diners."""
    clock.freeze(day.at(17))
    for kitchen in day.kitchens:
        with bank.unit_of_work() as session:
            here = select(MealOrder.id).where(MealOrder.canteen_id == kitchen.canteen.id, MealOrder.meal == Meal.SUPPER)
            order_id = session.scalars(here.order_by(MealOrder.pickup_number)).first()
            assert order_id is not None
            [answer] = serve_orders(session, actor=kitchen.clerk, order_ids=[order_id])
            assert not isinstance(answer, BankError), answer
    clock.freeze(None)


def killed_and_run_to_the_end(bank: Database, start: Start, job: str, moment: datetime, chance: random.Random) -> int:
    """Kill a job some times and let it run to its end; answers how often it was killed in mid-work."""
    work = WORK[job]
    killed = sum(kill_in_mid_work(bank, work, start(job, moment), chance.uniform(0, 0.05)) for _ in range(KILLS))
    assert start(job, moment).wait(PATIENCE_S) == 0
    assert work.left(bank) == 0
    assert work.was_done(bank) == work.expected
    return killed


def test_meal_jobs_killed_in_mid_work_do_each_item_once(bank: Database, start: Start) -> None:
    day, chance = fill(bank), random.Random(SEED)
    killed = killed_and_run_to_the_end(bank, start, "make_standing_orders", day.at(7), chance)
    killed += killed_and_run_to_the_end(bank, start, "plan_rounds", day.at(9, 5), chance)
    one_comes_to_supper(bank, day)
    killed += killed_and_run_to_the_end(bank, start, "mark_missed_orders", day.at(21), chance)
    killed += killed_and_run_to_the_end(bank, start, "compute_claims", day.claimed_at, chance)
    assert killed >= KILLS * len(WORK) // 2, "hardly any job was killed before its work was done"
    _books_of_the_day(bank)


def _books_of_the_day(bank: Database) -> None:
    """No meal is made beside a standing order's, no help asked for beside a round, nothing held beside what waits."""
    orders = "(SELECT count(*) FROM meal_order)", "(SELECT count(order_id) FROM standing_order_day)"
    rounds = "(SELECT count(*) FROM task)", "(SELECT count(*) FROM delivery_round)"
    held = (
        "(SELECT sum(held) FROM ledger_account WHERE kind = 'purse')",
        "(SELECT sum(elder_fen) FROM meal_order WHERE state = 'placed')",
    )
    earned = (
        "(SELECT sum(t.amount) FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_account_id"
        " WHERE a.kind = 'canteen')",
        "(SELECT sum(ledger_fen) FROM subsidy_claim)",
    )
    with bank.session() as session:
        for one, other in (orders, rounds, held, earned):
            found, expected = session.execute(text(f"SELECT {one}, {other}")).one()
            assert found == expected > 0, one
