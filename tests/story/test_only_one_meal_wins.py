"""Eighty at once over real HTTP for the last portions, the last places, one order, one purse: nothing is given twice.

Four processes with twenty threads each, against a bank with two workers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import books_must_balance
from tests.factories.orders import (
    LOVE,
    PORK,
    Kitchen,
    a_diner,
    a_kitchen,
    fill_purse,
    ordered_at,
    portions_of,
    purse_of,
)
from tests.factories.people import XIWU, add_staff_login
from tests.factories.policies import change_policy
from tests.factories.purses import moved_for
from tests.postgres import ThrowawayPostgres
from tests.story.at_once import Call, bank_with_two_workers, called_at_once, post
from tests.story.running_bank import RunningBank
from timebank.canteens.orders.actions import place_order
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.ids import new_id

MANY = 80
PURSE_FEN = 5000
DAYS = 6


@pytest.fixture(scope="module")
def served(
    postgres: ThrowawayPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningBank]:
    """A bank with two workers on a database of the module's own."""
    with bank_with_two_workers(postgres, migrated_template, tmp_path_factory.mktemp("served"), "only_one_meal") as it:
        yield it


@pytest.fixture
def bank(served: RunningBank) -> Iterator[Database]:
    """The database behind it, by the same clock; it balances when the test is over."""
    clock.movable_by(served.home / "clock-offset")
    database = Database(served.settings["TIMEBANK_DATABASE_URL"])
    yield database
    books_must_balance(database)
    database.close()


def diners(bank: Database, count: int) -> list[Actor]:
    """So many people who may eat, each with money in the purse."""
    with bank.unit_of_work() as session:
        return [a_diner(session, PURSE_FEN) for _ in range(count)]


def kitchen(bank: Database, **how: Any) -> Kitchen:
    """A canteen with a menu from today on, whose next lunch is tomorrow's."""
    with bank.unit_of_work() as session:
        made = a_kitchen(session, days=DAYS, **how)
    made.day += timedelta(days=1)
    return made


def lunch(of: Kitchen, name: str, day: date | None = None) -> Call:
    """One dish as a phone orders it."""
    return {
        "canteen_id": str(of.canteen.id),
        "served_on": str(day or of.day),
        "meal": "lunch",
        "way": "eat_in",
        "items": [{"menu_item_id": str(of.dish(name, day)), "quantity": 1}],
    }


def refusals(answers: Sequence[Call]) -> Counter[tuple[int, str]]:
    """What was refused, by status and code."""
    return Counter((one["status"], one["body"]["code"]) for one in answers if one["status"] >= 400)


def all_pay_for_what_they_got(bank: Database, crowd: Sequence[Actor], answers: Sequence[Call]) -> None:
    """Whoever has an order has its price held, and nobody else anything."""
    with bank.session() as session:
        for diner, answer in zip(crowd, answers, strict=True):
            held = answer["body"]["elder_fen"] if answer["status"] == 201 else 0
            assert purse_of(session, diner) == (PURSE_FEN, held)


def test_the_last_three_portions_go_to_three(bank: Database, served: RunningBank) -> None:
    crowd, place = diners(bank, MANY), kitchen(bank, limits={PORK: 3})
    answers = called_at_once([post(served, "/orders", one.login_id, lunch(place, PORK)) for one in crowd])
    assert Counter(answer["status"] for answer in answers)[201] == 3
    assert refusals(answers) == {(409, "sold_out"): MANY - 3}
    with bank.session() as session:
        assert (portions_of(session, place.dish(PORK)), ordered_at(session, place)) == (3, 3)
    all_pay_for_what_they_got(bank, crowd, answers)


def test_the_last_two_places_go_to_two(bank: Database, served: RunningBank) -> None:
    crowd, place = diners(bank, MANY), kitchen(bank, capacity=2)
    answers = called_at_once([post(served, "/orders", one.login_id, lunch(place, LOVE)) for one in crowd])
    assert Counter(answer["status"] for answer in answers)[201] == 2
    assert refusals(answers) == {(409, "capacity_reached"): MANY - 2}
    numbers = {answer["body"]["pickup_number"] for answer in answers if answer["status"] == 201}
    assert len(numbers) == 2
    with bank.session() as session:
        assert (portions_of(session, place.dish(LOVE)), ordered_at(session, place)) == (2, 2)
    all_pay_for_what_they_got(bank, crowd, answers)


def test_one_purse_does_not_pay_beyond_what_is_in_it(bank: Database, served: RunningBank) -> None:
    """Lunches of five days at 2 yuan each, asked for sixteen times each, from a purse with 5 yuan."""
    place = kitchen(bank)
    with bank.unit_of_work() as session:
        diner = a_diner(session, 500)
    days = [place.day + timedelta(days=number % (DAYS - 1)) for number in range(MANY)]
    answers = called_at_once([post(served, "/orders", diner.login_id, lunch(place, LOVE, day)) for day in days])
    bought = [answer["body"] for answer in answers if answer["status"] == 201]
    assert [order["elder_fen"] for order in bought] == [200, 200]
    assert len({order["served_on"] for order in bought}) == 2
    refused = refusals(answers)
    assert set(refused) == {(422, "insufficient_fen"), (409, "already_ordered")}
    # Fifteen more for either day that was bought, sixteen for each of the others.
    assert (refused[409, "already_ordered"], refused[422, "insufficient_fen"]) == (30, 48)
    with bank.session() as session:
        assert purse_of(session, diner) == (500, 400)


def test_an_order_served_cancelled_and_changed_at_once_ends_one_way(bank: Database, served: RunningBank) -> None:
    place, crowd = kitchen(bank), diners(bank, MANY // 10)
    with bank.unit_of_work() as session:
        # So late that a meal can still be changed when the counter has opened; the clock stands, since a policy that is
        # proposed for a moment that has passed is refused.
        clock.freeze(clock.now())
        change_policy(session, "order_cut_offs", {**_CUT_OFFS, "lunch": [0, "13:00"]}, township_code=XIWU)
        clock.freeze(None)
        where = {"township_code": XIWU, "organisation_id": place.canteen.id}
        clerk = add_staff_login(session, f"c-{new_id()}", "some words", StaffRole.CANTEEN_CLERK, **where).id
    with bank.unit_of_work() as session:
        orders = [place_order(session, actor=one, wanted=place.lunch(one)) for one in crowd]
        for one in crowd:
            fill_purse(session, one, PURSE_FEN)
    served.set_clock(clock.day_start(place.day).replace(hour=11).isoformat())
    # Each order's ten calls are spread over all processes.
    calls = [_step(served, place, order.id, clerk, number) for number in range(10) for order in orders]
    answers = called_at_once(calls)
    for position, (order, diner) in enumerate(zip(orders, crowd, strict=True)):
        _ended_one_way(bank, order.id, diner, answers[position :: len(orders)])


_CUT_OFFS = {"breakfast": [-1, "20:00"], "supper": [0, "15:00"]}
_SERVE, _CANCEL = range(4), range(4, 7)


def _step(served: RunningBank, place: Kitchen, order_id: UUID, clerk: UUID, number: int) -> Call:
    """Four times served, three times cancelled, three times changed to the dearer dish."""
    if number in _SERVE:
        return post(served, "/meal-counter/serve", clerk, {"order_id": str(order_id)})
    if number in _CANCEL:
        return post(served, f"/orders/{order_id}/cancel", clerk, {"reason": "家里来电话，不来了"})
    dish = {"menu_item_id": str(place.dish(PORK)), "quantity": 1}
    return post(served, f"/orders/{order_id}/change", clerk, {"way": "take_away", "items": [dish]})


def _ended_one_way(bank: Database, order_id: UUID, diner: Actor, answers: Sequence[Call]) -> None:
    done = [number for number, answer in enumerate(answers) if answer["status"] == 200]
    ends = [answers[number]["body"] for number in done if number in _SERVE or number in _CANCEL]
    assert len(ends) == 1, ends
    changes = [answers[number]["body"]["revision"] for number in done if number >= _CANCEL.stop]
    assert sorted(changes) == list(range(2, len(changes) + 2))
    assert set(refusals(answers)) <= {(409, "order_ended"), (409, "order_already_served")}
    with bank.session() as session:
        order = session.get_one(MealOrder, order_id)
        moved, purse = moved_for(session, order), purse_of(session, diner)
    assert (order.state, order.revision) == (ends[0]["state"], 1 + len(changes))
    elder_fen = order.elder_fen if order.state == "served" else 0
    assert (moved.get("meal_elder", 0), purse) == (elder_fen, (2 * PURSE_FEN - elder_fen, 0))
    assert sum(moved.values()) == (order.list_fen if order.state == "served" else 0)
