"""What was said about a meal, and the last meal that nobody has said anything about yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from app.web.asking import Asker
from app.web.phone.acting import policies_for
from app.web.phone.eaters import Eater
from timebank.core import clock
from timebank.core.errors import NotFound


def rating_of(ask: Asker, order: Mapping[str, Any]) -> dict[str, Any] | None:
    """The rating of an order with the canteen's answer; None where nobody has rated it."""
    if order["state"] != "served":
        return None
    try:
        found: dict[str, Any] = ask.read("ratings.show", order_id=order["order_id"])
    except NotFound:
        return None
    return found


def may_be_rated(ask: Asker, order: Mapping[str, Any], rating: Mapping[str, Any] | None) -> bool:
    """Whether something may be said about a meal now, or said anew; the bank itself decides once it is asked."""
    if order["state"] != "served":
        return False
    if rating is not None:
        return clock.now() <= datetime.fromisoformat(rating["changeable_until"])
    township = ask.read("canteens.show", canteen_id=order["canteen_id"])["township_code"]
    days = timedelta(days=policies_for(ask, township)["rating_days"])
    return clock.now() <= datetime.fromisoformat(order["ended_at"]) + days


def last_unrated(ask: Asker, whose: Eater) -> dict[str, Any] | None:
    """The newest meal that was eaten, if it still waits for a word; None where there is none or it was rated."""
    served = ask.read("orders.list", {"for_person_id": whose.person_id, "state": "served", "limit": 1})["items"]
    if not served or rating_of(ask, served[0]) is not None or not may_be_rated(ask, served[0], None):
        return None
    newest: dict[str, Any] = served[0]
    return newest
