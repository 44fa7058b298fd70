"""Ratings of the scene: a breakfast of the elder at the clerk's canteen, two stars, and so to be called about."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.subsidies import Place, served
from timebank.canteens.network.models import Canteen
from timebank.canteens.ratings.actions import Rating, rate
from timebank.canteens.ratings.models import FollowUp
from timebank.core import clock
from timebank.core.actors import Actor


def add_ratings(session: Session, elder: Actor, canteen_id: UUID) -> tuple[UUID, UUID]:
    """The order that is rated, and the follow-up about it; the elder is a diner already."""
    place = Place(session.get_one(Canteen, canteen_id), elder)
    at = clock.now() - timedelta(days=3)
    order_id = served(session, place, elder, on=clock.local_date(at), meal="breakfast", at=at)
    rate(session, actor=elder, order_id=order_id, said=Rating(2, ["菜凉了"], "粥是凉的"))
    return order_id, session.scalars(select(FollowUp.id).where(FollowUp.order_id == order_id)).one()
