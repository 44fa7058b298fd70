"""What a menu must satisfy, who may write it, and whom a dish suits. Pure.

A love meal 爱心餐 is a dish at or under a price that policy sets; a day needs a number of them, over all its meals.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol
from uuid import UUID

from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, DietForm, Meal
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import Conflict, NotAllowed, Refused

STATE_NAMES = {"draft": "草稿", "released": "已发布"}

MEAL_ORDER = tuple(Meal)
"""Meals in the order of the day."""

FAULTS = {
    "price_missing": "没有价格",
    "love_meal_too_dear": "爱心餐超过限价",
    "day_not_served": "当天不供餐",
    "meal_not_served": "这一餐不供应",
    "dish_twice": "同一餐重复",
    "love_meals_too_few": "爱心餐不足",
}
"""What may be wrong with a menu, by code."""


class Food(Protocol):
    """What is asked about a dish or an item: how it is prepared and what is in it."""

    diet_forms: list[str]
    diet_tags: list[str]
    allergens: list[str]


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a menu as it is judged; ``price_fen`` None where it is missing."""

    served_on: date
    meal: str
    name: str
    price_fen: int | None
    is_love_meal: bool
    dish_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class LoveMealRules:
    """How many love meals a day needs, and what one may cost at most, in fen."""

    least_per_day: int
    most_fen: int


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a menu; a fault of a whole day has neither meal nor name."""

    served_on: date
    meal: str
    name: str
    fault: str

    def fact(self) -> dict[str, str]:
        """As it is told, with a sentence for people."""
        day = f"{self.served_on.month}月{self.served_on.day}日"
        where = MEAL_NAMES[Meal(self.meal)] if self.meal else ""
        said = f"{day}{where}{f'“{self.name}”' if self.name else ''}{FAULTS[self.fault]}"
        place = {"served_on": self.served_on.isoformat(), "meal": self.meal, "name": self.name}
        return {**place, "fault": self.fault, "said": said}


def must_start_on_monday(day: date) -> None:
    """Raises Refused ``week_not_monday``."""
    if day.isoweekday() != 1:
        raise Refused("week_not_monday", "一周菜单须从星期一开始", week_starts_on=day)


def must_not_be_over(week_starts_on: date, today: date) -> None:
    """Raises Refused ``menu_week_over`` where the last day of the week has passed."""
    if week_starts_on + timedelta(days=6) < today:
        raise Refused("menu_week_over", "这一周已经过去，不能再安排菜单", week_starts_on=week_starts_on)


def must_be_to_come(served_on: date, today: date) -> None:
    """Raises Refused ``menu_day_over``."""
    if served_on < today:
        raise Refused("menu_day_over", "这一天已经过去，不能再更改", served_on=served_on)


def must_be_draft(state: str) -> None:
    """Raises Conflict ``menu_released``."""
    if state != "draft":
        raise Conflict("menu_released", "这一周的菜单已经发布，请逐条更改")


def must_be_released(state: str) -> None:
    """Raises Conflict ``menu_not_released``."""
    if state != "released":
        raise Conflict("menu_not_released", "这一周的菜单还没有发布，请直接更改草稿")


def must_not_be_withdrawn(name: str, *, withdrawn: bool) -> None:
    """Raises Conflict ``item_withdrawn``."""
    if withdrawn:
        raise Conflict("item_withdrawn", f"“{name}”已经撤下", name=name)


def must_lie_in_week(served_on: date, week_starts_on: date) -> None:
    """Raises Refused ``day_outside_week``."""
    if not week_starts_on <= served_on <= week_starts_on + timedelta(days=6):
        raise Refused("day_outside_week", "这一天不在这一周内", served_on=served_on, week_starts_on=week_starts_on)


def must_be_known(words: Iterable[str], known: Collection[str], *, field: str) -> None:
    """Every word is one of those that policy knows. Raises Refused ``diet_word_unknown``, which names the others."""
    unknown = sorted(set(words) - set(known))
    if unknown:
        said = "、".join(unknown)
        raise Refused("diet_word_unknown", f"没有这种标签或过敏原：{said}", field=field, words=unknown)


def may_run_menus(actor: Actor, *, canteen_id: UUID, kitchen_id: UUID | None, township_code: str) -> bool:
    """Whether somebody writes this canteen's menus: its clerks, those of the kitchen that serves it, stewards."""
    if actor.staff_role is StaffRole.CANTEEN_CLERK:
        return actor.organisation_id is not None and actor.organisation_id in (canteen_id, kitchen_id)
    return actor.stewards(township_code)


def must_run_menus(actor: Actor, *, canteen_id: UUID, kitchen_id: UUID | None, township_code: str) -> None:
    """Raises NotAllowed ``menus_not_yours``."""
    if not may_run_menus(actor, canteen_id=canteen_id, kitchen_id=kitchen_id, township_code=township_code):
        raise NotAllowed("menus_not_yours", "只有本助餐点、供餐食堂的工作人员和管理员可以办理", canteen_id=canteen_id)


def same_name(name: str) -> str:
    """What two spellings of one dish have in common: width, case and blanks do not tell dishes apart."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def places_of(entry: Entry) -> list[tuple[date, str, object]]:
    """What an entry takes at its meal: its name, and its dish where it is one of the book's."""
    place = (entry.served_on, entry.meal)
    return [(*place, same_name(entry.name)), *([(*place, entry.dish_id)] if entry.dish_id is not None else [])]


def faults_of(
    entries: Sequence[Entry],
    *,
    closed: Mapping[tuple[date, str], str],
    week_starts_on: date,
    today: date,
    love_meals: LoveMealRules,
) -> list[Fault]:
    """Everything that keeps a menu from being released, in the order of the week.

    ``closed`` says of each meal of the week that the canteen does not serve why not: ``day_not_served`` or
    ``meal_not_served``. Days that have passed need no love meals any more.
    """
    faults = [fault for entry in entries for fault in _faults_of_one(entry, closed, love_meals)]
    faults += _twice(entries)
    offered = Counter(entry.served_on for entry in entries if entry.is_love_meal)
    for day in (week_starts_on + timedelta(days=n) for n in range(7)):
        served = any((day, meal) not in closed for meal in Meal)
        if served and day >= today and offered[day] < love_meals.least_per_day:
            faults.append(Fault(day, "", "", "love_meals_too_few"))
    return sorted(faults, key=lambda f: (f.served_on, _place_in_day(f.meal), f.name, f.fault))


def must_come_once(entries: Sequence[Entry]) -> None:
    """No dish twice at one meal, however it is spelled. Raises Refused ``dish_twice``, naming the first."""
    again = _twice(entries)
    if again:
        fault = again[0]
        raise Refused(
            "dish_twice", f"“{fault.name}”在同一餐里重复", served_on=fault.served_on, meal=fault.meal, name=fault.name
        )


def must_have_items(count: int) -> None:
    """Raises Refused ``menu_empty``."""
    if not count:
        raise Refused("menu_empty", "菜单还是空的，不能发布")


def must_be_empty(count: int, week_starts_on: date) -> None:
    """What begins a week anew finds nothing that would be lost. Raises Conflict ``menu_has_items``."""
    if count:
        raise Conflict("menu_has_items", "这一周的草稿已有内容，请先清空", week_starts_on=week_starts_on)


def must_be_releasable(faults: Sequence[Fault]) -> None:
    """Raises Refused ``menu_not_releasable`` with every fault at once."""
    if faults:
        said = "；".join(fault.fact()["said"] for fault in faults[:3]) + ("等" if len(faults) > 3 else "")
        detail = f"共{len(faults)}处：{said}。"
        facts = [fault.fact() for fault in faults]
        raise Refused("menu_not_releasable", "菜单还不能发布，请先改正", detail=detail, faults=facts)


def must_not_be_too_dear(name: str, price_fen: int, *, is_love_meal: bool, love_meals: LoveMealRules) -> None:
    """Raises Refused ``love_meal_too_dear``."""
    if is_love_meal and price_fen > love_meals.most_fen:
        raise Refused(
            "love_meal_too_dear", f"爱心餐“{name}”超过限价", price_fen=price_fen, limit_fen=love_meals.most_fen
        )


def must_keep_enough_love_meals(left: int, served_on: date, love_meals: LoveMealRules) -> None:
    """Raises Refused ``love_meals_too_few``: ``left`` love meals would remain on a day."""
    if left < love_meals.least_per_day:
        least = love_meals.least_per_day
        title = f"每天至少要有{least}种爱心餐，请先添上另一种再撤下"
        raise Refused("love_meals_too_few", title, served_on=served_on, least=least)


def must_be_unordered(name: str, portions: int) -> None:
    """Raises Conflict ``item_ordered``."""
    if portions:
        raise Conflict("item_ordered", f"“{name}”已有人预订，不能撤下，可以标为售完", portions_ordered=portions)


def must_cover_orders(name: str, limit: int | None, portions: int) -> None:
    """Raises Refused ``limit_below_ordered``."""
    if limit is not None and limit < portions:
        raise Refused("limit_below_ordered", f"“{name}”已预订{portions}份，限量不能更少", portions_ordered=portions)


def left_portions(*, limit: int | None, ordered: int, on_offer: bool) -> int | None:
    """How many portions can still be ordered; None for without limit, 0 where it is sold out or withdrawn."""
    if not on_offer:
        return 0
    return None if limit is None else limit - ordered


def allergens_for(item: Food, allergies: Collection[str]) -> list[str]:
    """The allergens in a dish that somebody must not have."""
    return sorted(set(item.allergens) & set(allergies))


def suits(item: Food, diet_form: str, allergies: Collection[str], religious_diet: str | None) -> list[str]:
    """Why a dish does not suit a diner, each reason a sentence; nothing where it does.

    Normal food suits whoever eats normally; whoever needs soft, minced or liquid food needs a dish that comes so.
    """
    reasons = [f"含有{allergen}，会引起过敏" for allergen in allergens_for(item, allergies)]
    if diet_form not in item.diet_forms:
        reasons.append(f"不能做成{DIET_FORM_NAMES[DietForm(diet_form)]}")
    if religious_diet and religious_diet not in item.diet_tags:
        reasons.append(f"不是{religious_diet}餐食")
    return reasons


def _faults_of_one(entry: Entry, closed: Mapping[tuple[date, str], str], love_meals: LoveMealRules) -> list[Fault]:
    found = []
    if entry.price_fen is None:
        found.append("price_missing")
    elif entry.is_love_meal and entry.price_fen > love_meals.most_fen:
        found.append("love_meal_too_dear")
    if (entry.served_on, entry.meal) in closed:
        found.append(closed[entry.served_on, entry.meal])
    return [Fault(entry.served_on, entry.meal, entry.name, fault) for fault in found]


def _twice(entries: Sequence[Entry]) -> list[Fault]:
    taken: dict[object, list[Entry]] = defaultdict(list)
    for entry in entries:
        for place in places_of(entry):
            taken[place].append(entry)
    again = list(dict.fromkeys(entry for several in taken.values() for entry in several[1:]))
    return [Fault(entry.served_on, entry.meal, entry.name, "dish_twice") for entry in again]


def _place_in_day(meal: str) -> int:
    return MEAL_ORDER.index(Meal(meal)) if meal else len(MEAL_ORDER)
