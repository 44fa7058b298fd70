"""The days of the month: orders made and changed, meals handed over, brought to the door, missed; money brought."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from random import Random
from typing import Any

from scripts.month.bank import MonthBank
from scripts.month.district import PlannedDiner
from scripts.month.opening import OpenCanteen
from timebank.core.clock import LOCAL

TOP_UP_FEN = 20_000
MOST_IN_A_PURSE_FEN = 50_000
LOW_FEN = 12_000
EVERY_WEEKDAY = list(range(1, 8))
STANDING_PERCENT, COUNTER_PERCENT = 88, 85
CHANGED_PERCENT, CANCELLED_PERCENT, MISSED_PERMILLE, WALK_INS_A_CANTEEN = 5, 3, 8, 1
"""Assumptions: who orders by standing order; how many of the others order at all on a day; what becomes of orders."""

_MANY = 500

Call = tuple[str, str, Any, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class LivingDiner:
    """A diner at the bank."""

    planned: PlannedDiner
    person_id: str
    canteen: OpenCanteen
    standing: bool


@dataclass
class Month:
    """The bank, its people, and what has been done so far."""

    bank: MonthBank
    canteens: Sequence[OpenCanteen]
    diners: Sequence[LivingDiner]
    dice: Random
    volunteers: dict[str, str]
    """The login of the volunteer who carries for a canteen, by its id."""
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def all_at_once(self, what: str, calls: list[Call]) -> list[Any]:
        """Make calls, count what was done and what was refused and why; the answers of those done."""
        answers = []
        for status, answer in self.bank.many(calls):
            if status < 400:
                self.done[what] += 1
                answers.append(answer)
            else:
                self.refused[f"{what}: {answer.get('code', status)}"] += 1
        return answers


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment of a day, in Fenghua."""
    return datetime.combine(day, time(hour, minute), LOCAL)


def give(month: Month, day: date, donation_fen: int, produce_fen: int) -> None:
    """A donation and produce for every canteen, before anybody eats."""
    gifts: list[Call] = []
    produce: list[Call] = []
    for canteen in month.canteens:
        where = {"canteen_id": canteen.canteen_id, "received_on": str(day)}
        money = {**where, "amount_fen": donation_fen, "donor_name": "奉化某企业", "reference": canteen.clerk}
        gifts.append(("meal_donations.receive", canteen.steward, money, {}))
        greens = {**where, "item": "青菜萝卜", "weight_g": produce_fen * 1000 // 600, "value_fen": produce_fen}
        produce.append(("produce.receive", canteen.steward, greens, {}))
    month.all_at_once("donations", gifts)
    month.all_at_once("produce", produce)


def settle_in(month: Month, first: date) -> None:
    """Purses are filled, and whoever eats every day says so once."""
    top_up(month, month.diners)
    calls: list[Call] = []
    for one in month.diners:
        if not one.standing:
            continue
        for meal in ("lunch", "supper"):
            wish = {
                "canteen_id": one.canteen.canteen_id,
                "meal": meal,
                "weekdays": EVERY_WEEKDAY,
                "way": "deliver" if meal == "lunch" and one.planned.delivered else "eat_in",
                "choice": "love_meal",
                "starts_on": str(first),
                "for_person_id": one.person_id,
            }
            calls.append(("standing_orders.set", one.canteen.clerk, wish, {}))
    month.all_at_once("standing orders", calls)


def top_up(month: Month, diners: Iterable[LivingDiner]) -> None:
    """Everybody of these brings 200 yuan to the counter."""
    note = {"amount_fen": TOP_UP_FEN}
    calls: list[Call] = [
        ("purses.top_up", one.canteen.clerk, {"person_id": one.person_id, **note}, {}) for one in diners
    ]
    month.all_at_once("top-ups", calls)


def make_tomorrows_orders(month: Month) -> None:
    """The job that turns standing orders into tomorrow's."""
    month.bank.job("make_standing_orders")


def order_by_hand(month: Month, day: date, menus: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    """Whoever has no standing order asks at the counter, a day ahead."""
    calls: list[Call] = []
    for one in month.diners:
        if one.standing or month.dice.randrange(100) >= COUNTER_PERCENT:
            continue
        for meal in ("lunch", "supper"):
            dish = month.dice.choice(_fitting(menus[one.canteen.canteen_id, meal], one))
            wish = {
                "canteen_id": one.canteen.canteen_id,
                "served_on": str(day),
                "meal": meal,
                "way": month.dice.choice(("eat_in", "take_away")),
                "items": [{"menu_item_id": dish["menu_item_id"], "quantity": 1}],
                "for_person_id": one.person_id,
            }
            calls.append(("orders.place", one.canteen.clerk, wish, {}))
    month.all_at_once("orders at the counter", calls)


def think_again(month: Month, day: date, menus: dict[tuple[str, str], list[dict[str, Any]]]) -> None:
    """Before the cut-off some take another dish, and some stay away after all."""
    by_person = {one.person_id: one for one in month.diners}
    changes: list[Call] = []
    cancels: list[Call] = []
    for canteen in month.canteens:
        for order in waiting(month, canteen, day, "lunch"):
            thought = month.dice.randrange(100)
            one = by_person.get(order["diner_id"])
            if one is None or order["way"] == "deliver":
                continue
            path = {"order_id": order["order_id"]}
            if thought < CANCELLED_PERCENT:
                cancels.append(("orders.cancel", canteen.clerk, {"reason": "家里来人，不来了"}, path))
            elif thought < CANCELLED_PERCENT + CHANGED_PERCENT:
                dish = month.dice.choice(_fitting(menus[canteen.canteen_id, "lunch"], one))
                wish = {"way": "take_away", "items": [{"menu_item_id": dish["menu_item_id"], "quantity": 1}]}
                changes.append(("orders.change", canteen.clerk, wish, path))
    month.all_at_once("changes", changes)
    month.all_at_once("cancellations", cancels)


def hand_over(month: Month, day: date, meal: str) -> None:
    """Meals go over the counter by the tray; a few people do not come."""
    calls: list[Call] = []
    for canteen in month.canteens:
        ids = [
            order["order_id"]
            for order in waiting(month, canteen, day, meal)
            if order["way"] != "deliver" and month.dice.randrange(1000) >= MISSED_PERMILLE
        ]
        for start in range(0, len(ids), _MANY):
            calls.append(("meal_counter.serve_many", canteen.clerk, {"order_ids": ids[start : start + _MANY]}, {}))
    for answer in month.all_at_once("trays", calls):
        for result in answer["results"]:
            if result["served"]:
                month.done["meals handed over"] += 1
            else:
                month.refused[f"handing over: {result['code']}"] += 1


def sell(month: Month, menus: dict[tuple[str, str], list[dict[str, Any]]], meal: str) -> None:
    """A guest or two at every counter, who pay cash."""
    calls: list[Call] = []
    for canteen in month.canteens:
        for _ in range(WALK_INS_A_CANTEEN):
            dish = month.dice.choice(menus[canteen.canteen_id, meal])
            items = [{"menu_item_id": dish["menu_item_id"], "quantity": 1}]
            calls.append(("meal_counter.sell", canteen.clerk, {"meal": meal, "items": items, "cash": True}, {}))
    month.all_at_once("guests", calls)


def bring_to_the_door(month: Month, day: date, meal: str) -> None:
    """Rounds by couriers, and at some canteens by volunteers; a meal or two finds nobody at home."""
    for canteen in month.canteens:
        where = {"canteen_id": canteen.canteen_id, "on": str(day), "meal": meal}
        month.bank.call("kitchen.cooked", canteen.clerk, where)
        for found in month.bank.all_of("rounds.list", canteen.clerk, **where):
            if found["state"] == "planned":
                _carry(month, canteen, found)


def _carry(month: Month, canteen: OpenCanteen, found: dict[str, Any]) -> None:
    path = {"round_id": found["round_id"]}
    volunteer = month.volunteers.get(canteen.canteen_id)
    if found["carrier"] == "volunteers" and volunteer is not None:
        task = {"task_id": found["task_id"]}
        month.bank.call("tasks.accept", volunteer, **task)
        shown = month.bank.call("rounds.show", canteen.clerk, **path)
        month.bank.call("tasks.check_in", volunteer, {"service_code": shown["service_code"]}, **task)
        whole = month.bank.call("rounds.start", volunteer, **path)
    else:
        courier = {"name": "张师傅", "phone": "13800000000"}
        month.bank.call("rounds.give_to_courier", canteen.clerk, courier, **path)
        whole = month.bank.call("rounds.start", canteen.clerk, **path)
    calls: list[Call] = []
    for stop in whole["stop_list"]:
        body: dict[str, Any] = {"order_id": stop["order_id"]}
        if month.dice.randrange(100) == 0:
            calls.append(("rounds.undelivered", canteen.clerk, {**body, "reason": "nobody_home"}, {}))
        else:
            calls.append(("rounds.deliver", canteen.clerk, {**body, "evidence": "电话核实已收到"}, {}))
    month.all_at_once("stops", calls)
    month.done["rounds"] += 1


def end_services(month: Month) -> None:
    """Volunteers who have carried meals sign out; their hours are confirmed by the job when the time has come."""
    for volunteer in month.volunteers.values():
        for task in month.bank.all_of("tasks.list", volunteer, status="checked_in", mine="true"):
            month.bank.call("tasks.check_out", volunteer, task_id=task["task_id"])
            month.done["volunteers' services"] += 1


def waiting(month: Month, canteen: OpenCanteen, day: date, meal: str) -> list[dict[str, Any]]:
    """The orders of one meal that still stand."""
    wanted = {"canteen_id": canteen.canteen_id, "from": str(day), "to": str(day), "meal": meal, "state": "placed"}
    return month.bank.all_of("orders.list", canteen.clerk, limit=100, **wanted)


def menus_of(month: Month, day: date) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """What every canteen offers that day, by meal."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for canteen in month.canteens:
        wanted = {"canteen_id": canteen.canteen_id, "from": str(day), "to": str(day)}
        for item in month.bank.all_of("menus.show", canteen.clerk, limit=100, **wanted):
            found[canteen.canteen_id, item["meal"]].append(item)
    return found


def refill(month: Month) -> None:
    """Whose purse runs low brings money again."""
    calls: list[Call] = [("purses.show", one.canteen.clerk, None, {"person_id": one.person_id}) for one in month.diners]
    low = {
        answer["person_id"]
        for answer in month.all_at_once("purses looked at", calls)
        if answer["available_fen"] < LOW_FEN
    }
    top_up(month, [one for one in month.diners if one.person_id in low])


def _fitting(items: Sequence[dict[str, Any]], one: LivingDiner) -> list[dict[str, Any]]:
    return [item for item in items if one.planned.diet_form in item["diet_forms"]]
