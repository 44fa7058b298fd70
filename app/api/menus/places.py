"""Where lists of menus go on, and which days are asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from marshmallow import ValidationError

from app.api.fields import Cursor, is_clean, numbers_in_cursor
from timebank.canteens.menus.views import ItemPlace
from timebank.core import clock

MOST_DAYS = 31


def days_asked(query: dict[str, Any]) -> tuple[date, date]:
    """From which day to which; today, and the first alone, where none is named. Raises ValidationError."""
    first = query.get("first") or clock.today()
    last = query.get("last") or first
    if not first <= last < first + timedelta(days=MOST_DAYS):
        raise ValidationError({"to": [f"须不早于开始日期，最多{MOST_DAYS}天"]})
    return first, last


def in_cursor(place: ItemPlace) -> list[Any]:
    """A place in a list of items, to be written as a cursor."""
    return [place.served_on.toordinal(), place.meal_number, place.name, str(place.item_id)]


def place_in_cursor(place: Any) -> ItemPlace | None:
    """The place that a cursor stands for. Raises ValidationError where it is none of ours."""
    if place is None:
        return None
    try:
        day, meal_number, name, item_id = place
        numbers = numbers_in_cursor([day, meal_number], 2) or (0, 0)
        if isinstance(name, str) and is_clean(name):
            return ItemPlace(date.fromordinal(numbers[0]), min(numbers[1], 9), name, UUID(item_id))
    except (ValueError, TypeError, AttributeError, OverflowError):
        pass
    raise _wrong()


def day_in_cursor(place: Any) -> date | None:
    """The day that a cursor stands for. Raises ValidationError where it is none of ours."""
    numbers = numbers_in_cursor(place, 1)
    try:
        return date.fromordinal(numbers[0]) if numbers else None
    except (ValueError, OverflowError):
        raise _wrong() from None


def _wrong() -> ValidationError:
    return ValidationError({"cursor": [Cursor.default_error_messages["invalid"]]})
