"""Where pages of menus lie, and one canteen's menus as whoever asks may see and write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError

from app.api.dishes.schemas import MOST_PRICE_FEN
from app.web.asking import Asker, Refusal, wrong
from app.web.counter.meals import MEALS, fen_of
from app.web.doors import Guest
from app.web.phone.acting import policies_for
from app.web.screens import screen
from timebank.canteens.menus.rules import may_run_menus

PRICE = "price_yuan"
"""The field of a price as it is typed; operations take fen."""

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Where:
    """Where the pages lie, who comes in, and in which frame they are drawn."""

    name: str
    root: str
    who: Guest
    around: str


AT_THE_COUNTER = Where("counter_weeks", "/counter/canteens", "clerk", "counter/base.html")
AT_THE_DESK = Where("desk_weeks", "/desk/canteens", "desk", "desk/base.html")


class Book:
    """One canteen's menus and dishes, for one who asks."""

    def __init__(self, ask: Asker, where: Where, canteen_id: UUID) -> None:
        self.ask, self.where, self.canteen_id = ask, where, canteen_id

    @property
    def at(self) -> str:
        """The address of the canteen's weeks; whatever else there is lies below it."""
        return f"{self.where.root}/{self.canteen_id}/menus"

    @cached_property
    def canteen(self) -> dict[str, Any]:
        """The canteen itself. Raises NotFound."""
        found: dict[str, Any] = self.ask.read("canteens.show", canteen_id=self.canteen_id)
        return found

    @cached_property
    def policies(self) -> dict[str, Any]:
        """The rules in force where the canteen is."""
        return policies_for(self.ask, self.canteen["township_code"])

    @property
    def may_write(self) -> bool:
        """Whether forms are drawn; the operations behind them ask again."""
        kitchen = self.canteen["kitchen_id"]
        return may_run_menus(
            self.ask.actor,
            canteen_id=self.canteen_id,
            kitchen_id=None if kitchen is None else UUID(str(kitchen)),
            township_code=self.canteen["township_code"],
        )

    def items(self, menu: Mapping[str, Any]) -> list[Item]:
        """What is on a week's menu, in the order of days and meals."""
        first = date.fromisoformat(menu["week_starts_on"])
        asked = {"canteen_id": menu["canteen_id"], "from": first, "to": first + timedelta(days=6)}
        return self.ask.everything("menus.show", asked, most=5000)

    def drawn(self, template: str, *, refusal: Refusal | None = None, **what: Any) -> Response:
        """A page of this canteen's."""
        return screen(
            template,
            self.ask.actor,
            refusal=refusal,
            around=self.where.around,
            at=self.at,
            at_desk=self.where is AT_THE_DESK,
            canteen=self.canteen,
            may_write=self.may_write,
            meals=MEALS,
            **what,
        )

    def sure(self, title: str, facts: list[tuple[str, str]], *, doing: str, warning: str, back: str) -> Response:
        """What is about to be done, once more in words, and one button."""
        return self.drawn("menus/sure.html", title=title, facts=facts, doing=doing, warning=warning, back=back)


def price_in(sent: Mapping[str, str]) -> int | Refusal | None:
    """The price that a form says, in fen; None where it says none."""
    typed = sent.get(PRICE, "")
    if not typed:
        return None
    fen = fen_of(typed)
    if fen is None or not 1 <= fen <= MOST_PRICE_FEN:
        return wrong(PRICE, f"请写 0.01 到 {MOST_PRICE_FEN // 100} 元，如 12 或 12.50")
    return fen


def day_said(said: str) -> date:
    """The day that an address names. Raises ValidationError."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise ValidationError({"served_on": ["须为日期，如2026-11-21"]}) from None


def days_of(menu: Mapping[str, Any]) -> list[date]:
    """The seven days of a week's menu."""
    first = date.fromisoformat(menu["week_starts_on"])
    return [first + timedelta(days=n) for n in range(7)]


def served(canteen: Mapping[str, Any], day: date) -> list[str]:
    """The meals that a canteen serves on a day, in the order of the day."""
    hours = {one["meal"] for one in canteen["hours"] if one["weekday"] == day.isoweekday()}
    closed = {one["meal"] for one in canteen["closed_days"] if one["closed_on"] == str(day)}
    return [] if None in closed else [meal for meal in MEALS if meal in hours - closed]
