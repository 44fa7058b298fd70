"""What people see of ratings and follow-up calls.

Whoever is signed in may read what others say about a canteen: stars, tags and words, under masked names. Stewards of
the canteen's township and auditors see names and what was hidden; the canteen's clerk sees which order it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import TIMESTAMP, Select, cast, func, select
from sqlalchemy.orm import Session, aliased

from timebank.canteens.network.queries import organisation_of
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.views import order_for
from timebank.canteens.ratings.models import FollowUp, FollowUpCall, MealRating, RatingHiding, RatingReply
from timebank.canteens.ratings.queries import rating_history
from timebank.canteens.ratings.rules import Reason, hundredths, not_rated
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.people.models import Person
from timebank.people.queries import people_by_ids
from timebank.people.rules import masked_name
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class RatingView:
    """One rating as this reader may see it; ``order_id`` None where the order is none of the reader's business."""

    order_id: UUID | None
    rating: MealRating
    diner_name: str
    tags: Sequence[str]
    words: str
    hidden: bool
    hidden_reason: str | None
    reply: RatingReply | None


@dataclass(frozen=True, slots=True)
class OrderRating:
    """The rating of one meal, and until when whoever gave it may change it."""

    view: RatingView
    changeable_until: datetime


@dataclass(frozen=True, slots=True)
class Average:
    """How many ratings there are and their average in hundredths of a star; of one month, or of all (None)."""

    month: date | None
    ratings: int
    average_hundredths: int | None


@dataclass(frozen=True, slots=True)
class FollowUpView:
    """One follow-up with whom to call, about which meal, and what came of it so far."""

    follow_up: FollowUp
    person: Person
    phone: str | None
    order: MealOrder
    canteen: Organisation
    rating: MealRating | None
    calls: Sequence[FollowUpCall]


_STARS = (
    select(MealRating.stars)
    .where(MealRating.order_id == FollowUp.order_id)
    .order_by(MealRating.revision.desc())
    .limit(1)
    .correlate(FollowUp)
    .scalar_subquery()
)

FOLLOW_UP_ORDERS = Orders(
    of="follow_ups",
    by={
        "opened_at": FollowUp.id,
        "name": by_pinyin(Person.name),
        "reason": by_course(FollowUp.reason, list(Reason)),
        "served_on": MealOrder.served_on,
        "canteen": by_pinyin(Organisation.name),
        "stars": _STARS,
        "closed_at": FollowUp.closed_at,
    },
    tie=FollowUp.id,
    usual="opened_at",
)


RATING_ORDERS = Orders(
    of="ratings",
    by={
        "ordered": MealRating.order_id,
        "served_on": MealRating.served_on,
        "stars": MealRating.stars,
        "rated_at": MealRating.rated_at,
    },
    tie=MealRating.order_id,
    usual="-ordered",
)


def ratings_of(session: Session, *, actor: Actor, canteen_id: UUID, part: Part) -> Slice[RatingView]:
    """Ratings of one canteen, newest order first where ``part`` asks for no other order.

    Raises NotFound ``canteen_unknown``.
    """
    canteen = organisation_of(session, canteen_id)
    query = _newest().where(MealRating.canteen_id == canteen_id)
    found = slice_of(session, query, RATING_ORDERS, part)
    return found.holding(_seen(session, actor, canteen, found.items))


def rating_seen(session: Session, *, actor: Actor, order_id: UUID) -> RatingView:
    """One rating, as whoever has just rated, answered or hidden it sees it."""
    rated = session.scalars(_newest().where(MealRating.order_id == order_id)).one()
    return _seen(session, actor, organisation_of(session, rated.canteen_id), [rated])[0]


def rating_of_order(session: Session, *, actor: Actor, order_id: UUID) -> OrderRating:
    """What was said about a meal that concerns the actor, whole for the diner and whoever may act for the diner.

    Raises NotFound ``order_unknown``, ``rating_unknown``; NotAllowed ``proxy_scope_missing``.
    """
    order = order_for(session, actor=actor, order_id=order_id).order
    history = rating_history(session, order_id)
    if not history:
        raise not_rated(order_id)
    canteen = organisation_of(session, order.canteen_id)
    own = actor.staff_role is None
    hours = in_force(session, at=clock.now()).whole("rating_change_hours", canteen.township_code)
    [seen] = _seen(session, actor, canteen, history[-1:], own=own)
    return OrderRating(seen, history[0].rated_at + timedelta(hours=hours))


def averages(session: Session, *, canteen_id: UUID, months: int) -> list[Average]:
    """A canteen's average of all ratings first, then of its last months with ratings, newest first."""
    newest = _newest().where(MealRating.canteen_id == canteen_id).subquery()
    month = func.date_trunc("month", cast(newest.c.served_on, TIMESTAMP))
    query = select(month, func.count(), func.sum(newest.c.stars)).group_by(month).order_by(month.desc())
    found = [(begun.date(), count, int(stars)) for begun, count, stars in session.execute(query)]
    ratings, stars = sum(count for _, count, _ in found), sum(stars for _, _, stars in found)
    by_month = [Average(begun, count, hundredths(sum_, count)) for begun, count, sum_ in found[:months]]
    return [Average(None, ratings, hundredths(stars, ratings)), *by_month]


def follow_ups(
    session: Session,
    *,
    actor: Actor,
    township_code: str | None = None,
    only_open: bool = True,
    part: Part,
) -> Slice[FollowUpView]:
    """Follow-ups: a township steward's own, the others' for the district and auditors.

    Oldest first where ``part`` asks for no other order.

    Raises NotAllowed ``books_not_yours``, ``other_township``.
    """
    actor.must_see_books()
    if actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        township_code = township_code or actor.township_code
        actor.must_steward(township_code)
    query = (
        select(FollowUp)
        .join(Person, Person.id == FollowUp.person_id)
        .join(MealOrder, MealOrder.id == FollowUp.order_id)
        .join(Organisation, Organisation.id == MealOrder.canteen_id)
    )
    if township_code is not None:
        query = query.where(FollowUp.township_code == township_code)
    if only_open:
        query = query.where(FollowUp.closed_at.is_(None))
    found = slice_of(session, query, FOLLOW_UP_ORDERS, part)
    return found.holding(_followed(session, actor, found.items))


def follow_up_seen(session: Session, *, actor: Actor, follow_up: FollowUp) -> FollowUpView:
    """One follow-up, for whoever has just recorded a call."""
    return _followed(session, actor, [follow_up])[0]


def _newest() -> Select[MealRating]:
    """Ratings as they stand: of each meal the newest revision."""
    later = aliased(MealRating)
    exists = select(later.order_id).where(later.order_id == MealRating.order_id, later.revision > MealRating.revision)
    return select(MealRating).where(~exists.exists())


def _seen(
    session: Session, actor: Actor, canteen: Organisation, rows: Sequence[MealRating], *, own: bool = False
) -> list[RatingView]:
    """Ratings as the actor may see them; all of them are the actor's ``own`` where whoever calls knows it."""
    ids = [row.order_id for row in rows]
    people = people_by_ids(session, {row.diner_id for row in rows})
    hidden = {one.order_id: one for one in session.scalars(select(RatingHiding).where(RatingHiding.order_id.in_(ids)))}
    said = select(RatingReply).where(RatingReply.order_id.in_(ids)).order_by(RatingReply.revision)
    replies = {one.order_id: one for one in session.scalars(said)}
    overseer = actor.stewards(canteen.township_code) or actor.staff_role is StaffRole.AUDITOR
    clerk = actor.staff_role is StaffRole.CANTEEN_CLERK and actor.organisation_id == canteen.id
    views = []
    for row in rows:
        # Also a proxy's own words: whoever wrote them down may read them.
        mine = own or row.diner_id == actor.person_id or row.rated_by == actor.login_id
        hiding, name = hidden.get(row.order_id), people[row.diner_id].name
        readable = hiding is None or overseer or mine
        views.append(
            RatingView(
                order_id=row.order_id if overseer or clerk or mine else None,
                rating=row,
                diner_name=name if overseer or mine else masked_name(name),
                tags=row.tags,
                words=row.words if readable else "",
                hidden=hiding is not None,
                hidden_reason=hiding.reason if hiding is not None and readable else None,
                reply=replies.get(row.order_id),
            )
        )
    return views


def _followed(session: Session, actor: Actor, rows: Sequence[FollowUp]) -> list[FollowUpView]:
    people = people_by_ids(session, {row.person_id for row in rows})
    orders = select(MealOrder).where(MealOrder.id.in_([row.order_id for row in rows]))
    meals = {order.id: order for order in session.scalars(orders)}
    ids = {order.canteen_id for order in meals.values()}
    canteens = {one.id: one for one in session.scalars(select(Organisation).where(Organisation.id.in_(ids)))}
    ratings = {one.order_id: one for one in session.scalars(_newest().where(MealRating.order_id.in_(meals)))}
    calls: dict[UUID, list[FollowUpCall]] = {row.id: [] for row in rows}
    made = select(FollowUpCall).where(FollowUpCall.follow_up_id.in_(calls)).order_by(FollowUpCall.number)
    for call in session.scalars(made):
        calls[call.follow_up_id].append(call)
    return [
        FollowUpView(
            follow_up=row,
            person=people[row.person_id],
            phone=people[row.person_id].phone if actor.stewards(row.township_code) else None,
            order=meals[row.order_id],
            canteen=canteens[meals[row.order_id].canteen_id],
            rating=ratings.get(row.order_id),
            calls=calls[row.id],
        )
        for row in rows
    ]
