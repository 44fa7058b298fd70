"""Orders 订单: states, where they come from, until when they can be changed, and what is refused. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from timebank.canteens.pricing.rules import DIET_FORM_NAMES, MEAL_NAMES, DietForm, Meal
from timebank.core.clock import LOCAL
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused


class OrderState(StrEnum):
    """Where an order is in its life; only a placed one can still change."""

    PLACED = "placed"
    SERVED = "served"
    CANCELLED = "cancelled"
    MISSED = "missed"
    UNDELIVERED = "undelivered"
    CORRECTED = "corrected"


STATE_NAMES = {
    OrderState.PLACED: "已订",
    OrderState.SERVED: "已取餐",
    OrderState.CANCELLED: "已取消",
    OrderState.MISSED: "未取餐",
    OrderState.UNDELIVERED: "未送达",
    OrderState.CORRECTED: "已冲正",
}


class OrderSource(StrEnum):
    """Who made an order, and how."""

    PHONE = "phone"
    PROXY = "proxy"
    COUNTER = "counter"
    STEWARD = "steward"
    STANDING = "standing"


SOURCE_NAMES = {
    OrderSource.PHONE: "本人手机",
    OrderSource.PROXY: "代办人",
    OrderSource.COUNTER: "柜台",
    OrderSource.STEWARD: "镇街代订",
    OrderSource.STANDING: "长期订餐",
}


class StandingChoice(StrEnum):
    """What a standing order takes from a menu."""

    LOVE_MEAL = "love_meal"
    CHEAPEST = "cheapest"


CHOICE_NAMES = {StandingChoice.LOVE_MEAL: "爱心餐", StandingChoice.CHEAPEST: "最便宜的一份"}

ALIVE = (OrderState.PLACED, OrderState.SERVED)
"""States in which an order is its diner's meal."""

COUNTED = (OrderState.PLACED, OrderState.SERVED, OrderState.MISSED, OrderState.UNDELIVERED)
"""States in which an order's portions count: they were cooked, or will be."""

NOT_HAD = (OrderState.MISSED, OrderState.UNDELIVERED)
"""States of a meal that was cooked and did not reach its diner; policy says what of the own share is charged."""

CAUSE = "meal_order"
"""What holds and transfers of a meal name as their cause."""

Slot = tuple[UUID, date, str]
"""Which canteen, on which day, which meal."""


@dataclass(frozen=True, slots=True)
class OrderWanted:
    """One meal as it is wanted; without a diner it is a guest's at the counter, who pays ``cash``.

    ``walk_in`` is sold at the counter after the cut-off and served at once. ``source`` None: as the actor is.
    ``accept_unsuitable`` says that the diner wants dishes that do not fit what is known of the diet.
    """

    diner_id: UUID | None
    canteen_id: UUID
    served_on: date
    meal: str
    way: str
    items: tuple[tuple[UUID, int], ...]
    use_voucher: bool = False
    note: str = ""
    delivery_address: str | None = None
    source: str | None = None
    standing_order_id: UUID | None = None
    walk_in: bool = False
    cash: bool = False
    accept_unsuitable: bool = False

    @property
    def slot(self) -> Slot:
        """The meal of a day at a canteen."""
        return self.canteen_id, self.served_on, self.meal

    @property
    def portions(self) -> int:
        """All dishes together."""
        return sum(quantity for _, quantity in self.items)


def cut_off_at(served_on: date, meal: str, cut_offs: Mapping[str, Sequence[Any]]) -> datetime:
    """Until when a meal is ordered, changed and cancelled: so many days before, at a time of Fenghua."""
    days, at = cut_offs[meal]
    return datetime.combine(served_on + timedelta(days=days), time.fromisoformat(at), LOCAL)


def must_be_before(cut_off: datetime, now: datetime) -> None:
    """Raises Refused ``cut_off_passed``."""
    if now >= cut_off:
        title = f"已过截止时间{cut_off.astimezone(LOCAL):%m月%d日%H:%M}，不能再订餐、改餐或退餐"
        raise Refused("cut_off_passed", title, cut_off_at=cut_off)


def must_be_near(served_on: date, today: date, ahead_days: int) -> None:
    """Raises Refused ``too_far_ahead``."""
    latest = today + timedelta(days=ahead_days)
    if served_on > latest:
        raise Refused("too_far_ahead", f"最多提前{ahead_days}天订餐", latest_on=latest, ahead_days=ahead_days)


def must_be_here_and_now(served_on: date, closes_at: datetime, now: datetime) -> None:
    """What is sold at the counter is eaten at this meal. Raises Refused ``walk_in_only_now``."""
    if served_on != now.astimezone(LOCAL).date() or now >= closes_at:
        raise Refused("walk_in_only_now", "柜台现卖只限当天、供餐结束之前", served_on=served_on, closes_at=closes_at)


def must_be_moderate(items: Sequence[tuple[UUID, int]], *, most_of_a_dish: int, most_portions: int) -> None:
    """Whether quantities are positive and not too many. Raises Refused ``item_unknown``, ``quantity_too_many``."""
    if not items or any(quantity < 1 for _, quantity in items) or len({i for i, _ in items}) != len(items):
        raise Refused("items_unclear", "请选好菜品，每样一行，数量为正整数", field="items")
    if max(quantity for _, quantity in items) > most_of_a_dish:
        raise Refused("quantity_too_many", f"每样菜最多订{most_of_a_dish}份", max_quantity=most_of_a_dish)
    if sum(quantity for _, quantity in items) > most_portions:
        raise Refused("quantity_too_many", f"一餐最多订{most_portions}份", max_portions=most_portions)


@dataclass(frozen=True, slots=True)
class Fit:
    """What is known of a dish that a diner must bear or may not."""

    name: str
    diet_forms: Collection[str]
    diet_tags: Collection[str]
    allergens: Collection[str]


def unfitting(dish: Fit, *, diet_form: str, allergies: Collection[str], religious_diet: str | None) -> list[str]:
    """Why a dish is nothing for a diner, in words; empty where it fits."""
    reasons = []
    if diet_form not in dish.diet_forms:
        reasons.append(f"“{dish.name}”不能做成{DIET_FORM_NAMES[DietForm(diet_form)]}")
    reasons += [f"“{dish.name}”含有{allergen}，您对它过敏" for allergen in sorted(set(allergies) & set(dish.allergens))]
    if religious_diet is not None and religious_diet not in dish.diet_tags:
        reasons.append(f"“{dish.name}”不是{religious_diet}餐")
    return reasons


def not_suitable(reasons: Sequence[str]) -> Refused:
    """The refusal of dishes that do not fit the diner, with why."""
    said = "；".join(reasons)
    return Refused("dish_not_suitable", "菜品不合用餐人的饮食要求", detail=said, reasons=list(reasons))


def order_unknown(order_id: UUID) -> NotFound:
    """The refusal for an order that does not exist, or is none of the actor's business."""
    return NotFound("order_unknown", "没有这份订餐", order_id=order_id)


def must_be_placed(order_id: UUID, state: str) -> None:
    """Raises Conflict ``order_ended`` for an order that was served, cancelled or missed."""
    if state != OrderState.PLACED:
        title = f"这份订餐{STATE_NAMES[OrderState(state)]}，不能再办理"
        raise Conflict("order_ended", title, order_id=order_id, state=str(state))


def already_ordered(slot: Slot, canteen_name: str, order_id: UUID) -> Conflict:
    """The refusal of a second order for one meal."""
    _, day, meal = slot
    title = f"{day:%m月%d日}{MEAL_NAMES[Meal(meal)]}已在{canteen_name}订过"
    return Conflict("already_ordered", title, order_id=order_id, canteen_name=canteen_name)


def capacity_reached(left: int, needed: int) -> Conflict:
    """The refusal of what a canteen cannot serve at one meal."""
    return Conflict("capacity_reached", f"这一餐只剩{left}份，订不下", left_portions=left, needed_portions=needed)


def sold_out(menu_item_id: UUID, name: str, left: int) -> Conflict:
    """The refusal of a dish that is no more to be had, or not so often."""
    if left == 0:
        return Conflict("sold_out", f"“{name}”已售完", menu_item_id=menu_item_id, left_portions=0)
    return Conflict("sold_out", f"“{name}”只剩{left}份", menu_item_id=menu_item_id, left_portions=left)


def item_unknown(menu_item_id: UUID) -> NotFound:
    """The refusal of a dish that is not on this meal's menu."""
    return NotFound("item_unknown", "这一餐的菜单上没有这道菜", menu_item_id=menu_item_id)


def not_your_elder() -> NotAllowed:
    """The refusal for a diner who is none of the actor's business."""
    return NotAllowed("not_your_elder", "只能为本人、登记代办的老人或本镇街、本助餐点的用餐对象办理")


def must_be_days(first: date, last: date | None, *, field: str) -> None:
    """A span of days, both included. Raises Refused ``days_unclear``."""
    if last is not None and last < first:
        raise Refused("days_unclear", "结束日期早于开始日期", field=field)


def standing_order_unknown(standing_order_id: UUID) -> NotFound:
    """The refusal for a standing order that does not exist, or is none of the actor's business."""
    return NotFound("standing_order_unknown", "没有这份长期订餐", standing_order_id=standing_order_id)


def standing_order_ended(standing_order_id: UUID) -> Conflict:
    """The refusal of anything more with a standing order that has ended."""
    return Conflict("standing_order_ended", "这份长期订餐已经结束", standing_order_id=standing_order_id)


@dataclass(frozen=True, slots=True)
class Offer:
    """A dish on a menu as a standing order looks at it; ``left`` None: as many as one likes."""

    menu_item_id: UUID
    price_fen: int
    is_love_meal: bool
    left: int | None
    suits: bool


def choose(offers: Sequence[Offer], choice: str) -> UUID | None:
    """What a standing order takes of a menu: the cheapest dish that suits the diner and is left; None where none is.

    ``love_meal`` takes love meals only.
    """
    fitting = [
        offer
        for offer in offers
        if offer.suits and offer.left != 0 and (offer.is_love_meal or choice != StandingChoice.LOVE_MEAL)
    ]
    return min(fitting, key=lambda offer: (offer.price_fen, offer.menu_item_id)).menu_item_id if fitting else None


def nothing_suitable(choice: StandingChoice) -> Refused:
    """The refusal of a day on which the menu has nothing for a standing order."""
    return Refused("nothing_suitable", f"菜单上没有适合您、还有剩余的{_OF_CHOICE[choice]}", choice=str(choice))


_OF_CHOICE = {StandingChoice.LOVE_MEAL: "爱心餐", StandingChoice.CHEAPEST: "菜"}
