"""Rated meals for tests: a canteen, its clerk, a diner, a lunch that was eaten an hour ago."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk
from tests.factories.people import SHANGTIAN, district, steward
from tests.factories.subsidies import THE_TENTH, Place, a_place, served
from timebank.canteens.counter.actions import correct
from timebank.canteens.ratings.actions import Rating, rate
from timebank.canteens.ratings.models import MealRating
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database

AFTER_LUNCH = clock.day_start(THE_TENTH).replace(hour=12, minute=30)
"""An hour after the lunches of the tenth."""


@dataclass(frozen=True, slots=True)
class Eaten:
    """A lunch of the place's diner."""

    place: Place
    clerk: Actor
    order_id: UUID

    @property
    def diner(self) -> Actor:
        return self.place.diner


def eaten_lunch(bank: Database, *, township_code: str = SHANGTIAN) -> Eaten:
    """A lunch of the tenth at a canteen of 尚田, and the clock an hour later."""
    place = a_place(bank, township_code=township_code, gifts=False)
    with bank.unit_of_work() as session:
        order_id = served(session, place, place.diner)
    clock.freeze(AFTER_LUNCH)
    return Eaten(place, canteen_clerk(place.canteen), order_id)


def rated(
    bank: Database, eaten: Eaten, stars: int = 5, *, tags: Sequence[str] = (), words: str = "", by: Actor | None = None
) -> MealRating:
    """What the diner said about the lunch."""
    with bank.unit_of_work() as session:
        return rate(session, actor=by or eaten.diner, order_id=eaten.order_id, said=Rating(stars, tags, words))


def corrected(bank: Database, order_id: UUID) -> None:
    """A meal that two stewards have found to be none."""
    for actor in (steward(SHANGTIAN), district()):
        with bank.unit_of_work() as session:
            correct(session, actor=actor, order_id=order_id, reason="老人没有来")


def lunches(session: Session, place: Place, diners: Sequence[Actor], on: date = THE_TENTH) -> list[UUID]:
    """One lunch for each of these diners."""
    return [served(session, place, diner, on=on) for diner in diners]
