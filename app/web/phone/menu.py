"""What a canteen cooks on one day, as one diner may eat it: meals with their hours, dishes, and what speaks against."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from app.web.asking import Asker, Refusal
from app.web.phone.eaters import Eater
from timebank.canteens.orders.rules import Fit, unfitting

_UNLIMITED = 1_000_000


@dataclass(slots=True)
class MealOfDay:
    """One meal: its dishes, when it is served, and why it cannot be ordered, if so."""

    meal: str
    name: str
    dishes: list[dict[str, Any]] = field(default_factory=list)
    opens_at: str | None = None
    closes_at: str | None = None
    refusal: Refusal | None = None
    cut_off_at: str | None = None


def meals_of(ask: Asker, whose: Eater, canteen: dict[str, Any], day: date) -> list[MealOfDay]:
    """The meals of a day with their dishes, each dish with why it does not suit this diner."""
    asked = {"canteen_id": canteen["canteen_id"], "from": day.isoformat(), "to": day.isoformat()}
    hours = {one["meal"]: one for one in canteen["hours"] if one["weekday"] == day.isoweekday()}
    found: dict[str, MealOfDay] = {}
    for item in ask.everything("menus.show", asked):
        meal = found.setdefault(item["meal"], MealOfDay(item["meal"], item["meal_name"]))
        meal.dishes.append({**item, "unsuitable": _unsuitable(item, whose)})
        if item["meal"] in hours:
            meal.opens_at = hours[item["meal"]]["opens_at"][:5]
            meal.closes_at = hours[item["meal"]]["closes_at"][:5]
    return list(found.values())


def meal_of(ask: Asker, whose: Eater, canteen_id: UUID, day: date, meal: str) -> tuple[dict[str, Any], MealOfDay]:
    """The canteen, and one meal of a day there."""
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    of_day = meals_of(ask, whose, canteen, day)
    return canteen, next((one for one in of_day if one.meal == meal), MealOfDay(meal, ""))


def ask_whether_open(ask: Asker, whose: Eater, canteen: dict[str, Any], day: date, meal: MealOfDay) -> None:
    """Ask the bank for the price of a dish, to learn whether the meal can still be ordered, and until when."""
    dish = next((one for one in meal.dishes if one["on_offer"] and one["portions_left"] != 0), None)
    if dish is None:
        meal.refusal = Refusal("这一餐的菜都订完了", "sold_out")
        return
    asked = {
        "canteen_id": canteen["canteen_id"],
        "served_on": day.isoformat(),
        "meal": meal.meal,
        "way": "eat_in",
        "items": [{"menu_item_id": dish["menu_item_id"], "quantity": 1}],
        "accept_unsuitable": True,
        "for_person_id": whose.person_id,
    }
    answer = ask.write("orders.price", asked, key="")
    if isinstance(answer, Refusal):
        meal.refusal = answer
    else:
        meal.cut_off_at = answer["cut_off_at"]


def most_of(dish: dict[str, Any], most: int) -> int:
    """How often a dish can be chosen."""
    left = _UNLIMITED if dish["portions_left"] is None else int(dish["portions_left"])
    return min(most, left)


def _unsuitable(item: dict[str, Any], whose: Eater) -> list[str]:
    """The bank's own words about a dish that does not suit; the same with which it refuses an order."""
    if whose.file is None:
        return []
    fit = Fit(item["name"], item["diet_forms"], item["diet_tags"], item["allergens"])
    return unfitting(
        fit,
        diet_form=whose.file["diet_form"],
        allergies=whose.file["allergies"],
        religious_diet=whose.file["religious_diet"],
    )
