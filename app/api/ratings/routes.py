"""Ratings: rate, reply, hide, list."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.operation import operation
from app.api.parser import Doors
from app.api.ratings.schemas import (
    HideRatingBody,
    OrderRatingAnswer,
    RateBody,
    RatingAnswer,
    RatingPage,
    RatingReplyBody,
    RatingsQuery,
)
from app.api.sorting import listed, part_of
from timebank.canteens.ratings import actions, views
from timebank.canteens.ratings.actions import Rating
from timebank.canteens.ratings.views import RATING_ORDERS, Average, RatingView
from timebank.core.actors import Actor

doors = Doors("ratings", __name__, url_prefix="/api/v1/ratings", description="用餐评价")

MONTHS = 12
"""How many months have an average of their own on the first page and every other."""


@operation(
    doors, "/<uuid:order_id>", "ratings.rate", "评价一餐",
    method="POST", body=RateBody, answers=RatingAnswer, key="optional",
)  # fmt: skip
def rate(session: Session, actor: Actor, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    actions.rate(session, actor=actor, order_id=order_id, said=Rating(**body))
    return _rating(views.rating_seen(session, actor=actor, order_id=order_id))


@operation(doors, "/<uuid:order_id>", "ratings.show", "一餐的评价", answers=OrderRatingAnswer)
def show(session: Session, actor: Actor, order_id: UUID) -> dict[str, Any]:
    found = views.rating_of_order(session, actor=actor, order_id=order_id)
    return {**_rating(found.view), "changeable_until": found.changeable_until}


@operation(
    doors, "/<uuid:order_id>/reply", "ratings.reply", "回复评价",
    method="POST", body=RatingReplyBody, answers=RatingAnswer, key="optional",
)  # fmt: skip
def reply(session: Session, actor: Actor, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    actions.reply(session, actor=actor, order_id=order_id, words=body["words"])
    return _rating(views.rating_seen(session, actor=actor, order_id=order_id))


@operation(
    doors, "/<uuid:order_id>/hide", "ratings.hide", "隐藏评价文字",
    method="POST", body=HideRatingBody, answers=RatingAnswer, key="optional",
)  # fmt: skip
def hide(session: Session, actor: Actor, body: dict[str, Any], order_id: UUID) -> dict[str, Any]:
    actions.hide_words(session, actor=actor, order_id=order_id, reason=body["reason"])
    return _rating(views.rating_seen(session, actor=actor, order_id=order_id))


@operation(doors, "", "ratings.list", "助餐点的评价", query=RatingsQuery, answers=RatingPage, one_moment=True)
def list_ratings(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    canteen_id = query["canteen_id"]
    found = views.ratings_of(session, actor=actor, canteen_id=canteen_id, part=part_of(query, RATING_ORDERS))
    average, *months = views.averages(session, canteen_id=canteen_id, months=MONTHS)
    shown = {"average": average, "months": [_month(one) for one in months]}
    return {**listed(found.holding([_rating(view) for view in found.items]), RATING_ORDERS), **shown}


def _rating(view: RatingView) -> dict[str, Any]:
    of_the_rating = ("canteen_id", "served_on", "stars", "rated_at", "revision")
    of_the_view = ("order_id", "diner_name", "tags", "words", "hidden", "hidden_reason", "reply")
    return {
        **{name: getattr(view.rating, name) for name in of_the_rating},
        **{name: getattr(view, name) for name in of_the_view},
    }


def _month(one: Average) -> dict[str, Any]:
    assert one.month is not None
    return {
        "month": f"{one.month:%Y-%m}",
        "ratings": one.ratings,
        "average_hundredths": one.average_hundredths,
    }
