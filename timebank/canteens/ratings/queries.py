"""Finding ratings, replies and follow-ups, and locking what one works on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import order_unknown
from timebank.canteens.ratings.models import FollowUp, FollowUpCall, MealRating, RatingHiding, RatingReply
from timebank.canteens.ratings.rules import follow_up_unknown, not_rated


def lock_order(session: Session, order_id: UUID) -> MealOrder:
    """One order, nobody else rating or answering it until the unit of work ends. Raises NotFound ``order_unknown``."""
    found = session.get(MealOrder, order_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise order_unknown(order_id)
    return found


def rating_history(session: Session, order_id: UUID) -> list[MealRating]:
    """All revisions of a rating, oldest first; none where nobody has rated."""
    query = select(MealRating).where(MealRating.order_id == order_id).order_by(MealRating.revision)
    return list(session.scalars(query))


def newest_rating(session: Session, order_id: UUID) -> MealRating:
    """The rating as it stands. Raises NotFound ``rating_unknown``."""
    history = rating_history(session, order_id)
    if not history:
        raise not_rated(order_id)
    return history[-1]


def reply_history(session: Session, order_id: UUID) -> list[RatingReply]:
    """All revisions of the reply about an order, oldest first."""
    query = select(RatingReply).where(RatingReply.order_id == order_id).order_by(RatingReply.revision)
    return list(session.scalars(query))


def hiding_of(session: Session, order_id: UUID) -> RatingHiding | None:
    """By whom and why the words about an order were hidden; None where they are not."""
    return session.get(RatingHiding, order_id)


def lock_follow_up(session: Session, follow_up_id: UUID) -> FollowUp:
    """One follow-up, locked. Raises NotFound ``follow_up_unknown``."""
    found = session.get(FollowUp, follow_up_id, with_for_update={"key_share": True}, populate_existing=True)
    if found is None:
        raise follow_up_unknown(follow_up_id)
    return found


def calls_of(session: Session, follow_up_id: UUID) -> list[FollowUpCall]:
    """The calls of a follow-up, in order."""
    query = select(FollowUpCall).where(FollowUpCall.follow_up_id == follow_up_id).order_by(FollowUpCall.number)
    return list(session.scalars(query))
