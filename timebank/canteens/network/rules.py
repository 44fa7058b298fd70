"""Canteens 助餐点: types, life, hours, closed days, grades, and what each refuses. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Any

from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core.errors import BankError, Conflict, NotFound, Refused
from timebank.policies.rules import PolicyBook


class CanteenType(StrEnum):
    """Which of the four types a canteen is."""

    CENTRAL = "central"
    HOME_CARE_CENTRE = "home_care_centre"
    VILLAGE = "village"
    NEIGHBOUR = "neighbour"


TYPE_NAMES = {
    CanteenType.CENTRAL: "中心食堂",
    CanteenType.HOME_CARE_CENTRE: "居家养老服务中心食堂",
    CanteenType.VILLAGE: "村社老年食堂",
    CanteenType.NEIGHBOUR: "邻里助餐点",
}


class CanteenState(StrEnum):
    """Where a canteen is in its life; its number is given on acceptance only (统一赋码)."""

    APPLIED = "applied"
    ACCEPTED = "accepted"
    OPEN = "open"
    SUSPENDED = "suspended"
    CLOSED = "closed"
    REFUSED = "refused"


STATE_NAMES = {
    CanteenState.APPLIED: "已申请",
    CanteenState.ACCEPTED: "已验收",
    CanteenState.OPEN: "营业",
    CanteenState.SUSPENDED: "暂停",
    CanteenState.CLOSED: "已关闭",
    CanteenState.REFUSED: "未通过验收",
}


class Carrier(StrEnum):
    """Who carries meals to the door."""

    NOBODY = "nobody"
    VOLUNTEERS = "volunteers"
    COURIER = "courier"


class Grade(StrEnum):
    """Yearly grade, which brings an operating subsidy."""

    A = "A"
    AA = "AA"
    AAA = "AAA"


CARRIER_NAMES = {Carrier.NOBODY: "不送餐", Carrier.VOLUNTEERS: "志愿者送餐", Carrier.COURIER: "配送员送餐"}

NUMBERED = (CanteenState.ACCEPTED, CanteenState.OPEN, CanteenState.SUSPENDED)
"""Where a canteen has its number and is not closed for good."""

_STEPS: Mapping[tuple[str, CanteenState], CanteenState] = {
    ("accept", CanteenState.APPLIED): CanteenState.ACCEPTED,
    ("accept", CanteenState.REFUSED): CanteenState.ACCEPTED,
    ("refuse", CanteenState.APPLIED): CanteenState.REFUSED,
    ("refuse", CanteenState.REFUSED): CanteenState.REFUSED,
    ("open", CanteenState.ACCEPTED): CanteenState.OPEN,
    ("open", CanteenState.SUSPENDED): CanteenState.OPEN,
    ("suspend", CanteenState.OPEN): CanteenState.SUSPENDED,
    ("close", CanteenState.APPLIED): CanteenState.CLOSED,
    ("close", CanteenState.REFUSED): CanteenState.CLOSED,
    ("close", CanteenState.ACCEPTED): CanteenState.CLOSED,
    ("close", CanteenState.OPEN): CanteenState.CLOSED,
    ("close", CanteenState.SUSPENDED): CanteenState.CLOSED,
}


def after(step: str, state: str) -> CanteenState:
    """The state after a step. Raises Conflict ``wrong_state``."""
    try:
        return _STEPS[step, CanteenState(state)]
    except KeyError:
        name = STATE_NAMES[CanteenState(state)]
        raise Conflict("wrong_state", f"这个助餐点{name}，不能这样办理", status=state) from None


def must_not_be_closed(state: str) -> None:
    """Raises Conflict ``canteen_closed``: a canteen closed for good stays as it was."""
    if state == CanteenState.CLOSED:
        raise Conflict("canteen_closed", "这个助餐点已关闭，不能再办理")


def must_be_ready(*, has_place: bool, has_hours: bool, kitchen_state: str | None) -> None:
    """What a canteen needs before it opens. Raises Refused ``place_needed``, ``hours_needed``, ``kitchen_unfit``."""
    if not has_place:
        raise Refused("place_needed", "请先填写助餐点的经度和纬度", field="latitude")
    if not has_hours:
        raise Refused("hours_needed", "请先填写供餐时间和份数", field="hours")
    if kitchen_state not in (None, CanteenState.OPEN):
        raise Refused("kitchen_unfit", "供餐厨房尚未营业", field="kitchen_id", state=kitchen_state)


def must_cook_itself(*, kitchen_has_kitchen: bool, cooks_for_others: bool) -> None:
    """Whoever cooks for others is served by nobody. Raises Refused ``kitchen_unfit``."""
    if kitchen_has_kitchen:
        raise Refused("kitchen_unfit", "这个助餐点自己也由别处供餐，不能作供餐厨房", field="kitchen_id")
    if cooks_for_others:
        raise Refused("kitchen_unfit", "这个助餐点正为别处供餐，不能改由别处供餐", field="kitchen_id")


def must_not_be_a_kitchen(served: Sequence[str]) -> None:
    """Nobody who cooks for others closes before they do. Raises Conflict ``kitchen_in_use`` with their names."""
    if served:
        title = f"这个助餐点还为{'、'.join(served[:3])}{'等' if len(served) > 3 else ''}供餐，请先为其另定厨房"
        raise Conflict("kitchen_in_use", title, canteens=list(served))


def next_number(township_code: str, highest: int) -> str:
    """统一赋码: the number after the ``highest`` that the township has given, which is never given again."""
    return f"{township_code}-{highest + 1:03}"


def must_answer_every_point(checked: Mapping[str, bool], points: Collection[str]) -> bool:
    """Whether an inspection on site is passed: every point was looked at, and every one was in order.

    Raises Refused ``acceptance_points_unfit`` with the points that are missing or unknown.
    """
    missing, unknown = sorted(set(points) - set(checked)), sorted(set(checked) - set(points))
    if missing or unknown:
        title = "验收须逐项填写现行的验收要点，不多不少"
        raise Refused("acceptance_points_unfit", title, field="checked", missing=missing, unknown=unknown)
    return all(checked.values())


SOUTH, NORTH, WEST, EAST = 27.0, 31.5, 118.0, 123.0
"""Degrees around Zhejiang: a place outside is a slip of the hand, such as latitude for longitude."""


def must_be_a_place(latitude: float | None, longitude: float | None) -> None:
    """Coordinates come together and lie in the province. Raises Refused ``place_incomplete``, ``place_far_away``."""
    if (latitude is None) != (longitude is None):
        raise Refused("place_incomplete", "经度和纬度须一起填写", field="longitude")
    if (
        latitude is not None
        and longitude is not None
        and not (SOUTH <= latitude <= NORTH and WEST <= longitude <= EAST)
    ):
        raise Refused("place_far_away", "这个位置不在本省，请核对经度和纬度", field="latitude")


_PHONE = re.compile(r"\+?[0-9]{3,4}(-?[0-9]{3,8}){1,3}")


def tidy_phone(said: str) -> str:
    """A telephone number, landline or mobile, without blanks. Raises Refused ``phone_invalid``."""
    phone = "".join(unicodedata.normalize("NFKC", said).split())
    if not _PHONE.fullmatch(phone) or not 7 <= sum(map(str.isdigit, phone)) <= 15:
        raise Refused("phone_invalid", "电话号码不对，请核对", field="phone")
    return phone


@dataclass(frozen=True, slots=True)
class MealHours:
    """One meal of one weekday (1 Monday): from when to when, local time, and for how many meals."""

    weekday: int
    meal: str
    opens_at: time
    closes_at: time
    capacity_meals: int


def must_be_a_week(week: Sequence[MealHours]) -> None:
    """Each weekday has each meal once, meals one after another, in their order.

    Raises Refused ``hours_twice``, ``hours_backwards``, ``hours_overlap``, ``amount_invalid``.
    """
    for one in week:
        if one.opens_at >= one.closes_at:
            raise Refused("hours_backwards", "供餐开始时间须早于结束时间", **_whose(one))
        if one.capacity_meals < 1:
            raise Refused("amount_invalid", "每餐份数须为正整数", **_whose(one))
    order = list(Meal)
    in_order = sorted(week, key=lambda h: (h.weekday, order.index(Meal(h.meal))))
    for one, following in pairwise(in_order):
        if one.weekday != following.weekday:
            continue
        if one.meal == following.meal:
            raise Refused("hours_twice", "同一天同一餐只能填写一次", **_whose(following))
        if following.opens_at < one.closes_at:
            raise Refused("hours_overlap", "同一天各餐时间不能重叠或颠倒", **_whose(following))


def _whose(hours: MealHours) -> dict[str, Any]:
    return {"weekday": hours.weekday, "meal": str(hours.meal)}


MOST_CLOSED_DAYS = 366
"""How many days can be entered at once: a year. Longer is no closed day but a suspension."""


def days_to_close(first: date, last: date, today: date) -> list[date]:
    """The days of a range on which a canteen is to serve nothing.

    Raises Refused ``days_backwards``, ``days_too_many``, ``day_begun`` where the first is not after ``today``.
    """
    if last < first:
        raise Refused("days_backwards", "停餐的最后一天不能早于第一天", field="last_on")
    if (last - first).days >= MOST_CLOSED_DAYS:
        raise Refused("days_too_many", f"一次最多停餐{MOST_CLOSED_DAYS}天，更久请办理暂停", max_days=MOST_CLOSED_DAYS)
    must_not_have_begun(first, today)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def must_not_have_begun(day: date, today: date) -> None:
    """What is served on a day is settled before it begins. Raises Refused ``day_begun``."""
    if day <= today:
        raise Refused("day_begun", "当天已经开始，不能再改；遇急可暂停营业", day=day.isoformat())


def must_be_a_year_to_grade(year: int, *, accepted_in: int, this_year: int) -> None:
    """Graded is a year of which the canteen has been there. Raises Refused ``grade_year_invalid``."""
    if not accepted_in <= year <= this_year:
        title = f"只能评定{accepted_in}年至{this_year}年的等级"
        raise Refused("grade_year_invalid", title, field="year", first_year=accepted_in, last_year=this_year)


def after_acceptance(accepted_at: datetime | None) -> datetime:
    """When a canteen was accepted. Raises Conflict ``canteen_not_accepted`` where it was not."""
    if accepted_at is None:
        raise Conflict("canteen_not_accepted", "这个助餐点还没有通过验收，不能评定等级")
    return accepted_at


def not_graded(year: int) -> NotFound:
    """The refusal for a year of which no grade was proposed."""
    return NotFound("grade_unknown", f"还没有提出{year}年的等级", year=year)


OPERATING_SUBSIDY = "operating_subsidy"
"""The kind of transfer by which a grade's subsidy is credited to a canteen."""


def map_radius_m(policies: PolicyBook) -> int:
    """How far the fifteen-minute map reaches from its middle, in metres on foot."""
    return policies.whole("walking_m_per_minute") * policies.whole("map_minutes")


def walk_minutes(distance_m: int, m_per_minute: int) -> int:
    """Minutes on foot, begun ones counted, for metres as the crow flies."""
    return -(-distance_m // m_per_minute)


def must_be_near(latitude: float | None, longitude: float | None, within_m: int | None) -> None:
    """A search by distance has a middle. Raises Refused ``place_incomplete``."""
    if (latitude is None) != (longitude is None) or (within_m is not None and latitude is None):
        raise Refused("place_incomplete", "按距离查找须同时给出经度和纬度", field="latitude")


def not_open(state: str, **facts: Any) -> BankError:
    """The refusal of meals at a canteen that does not serve now."""
    name = STATE_NAMES[CanteenState(state)]
    return Refused("canteen_not_open", f"这个助餐点{name}，现在不供餐", state=str(state), **facts)


def kitchen_not_open(state: str, **facts: Any) -> BankError:
    """The refusal of meals at a canteen for which nobody cooks now."""
    name = STATE_NAMES[CanteenState(state)]
    title = f"为这个助餐点供餐的厨房{name}，现在不供餐"
    return Refused("canteen_not_open", title, kitchen_state=str(state), **facts)


def closed_that_day(day: date, reason: str, **facts: Any) -> BankError:
    """The refusal of meals on a closed day."""
    title = f"这个助餐点{day.month}月{day.day}日停餐：{reason}"
    return Refused("canteen_closed_that_day", title, reason=reason, served_on=day.isoformat(), **facts)


def meal_not_served(day: date, meal: str, **facts: Any) -> BankError:
    """The refusal of a meal that is not among the hours of that weekday."""
    title = f"这个助餐点{day.month}月{day.day}日不供应{MEAL_NAMES[Meal(meal)]}"
    return Refused("meal_not_served", title, served_on=day.isoformat(), meal=str(meal), **facts)
