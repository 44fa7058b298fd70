"""Rating a served meal 评价: once an order, changed for some hours, by the diner or a proxy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.canteens.network.queries import organisation_of
from timebank.canteens.ratings.models import FollowUp, MealRating
from timebank.canteens.ratings.queries import lock_order, rating_history
from timebank.canteens.ratings.rules import Reason, check_said, must_be_in_time, must_be_served, not_the_diner
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.people.queries import acts_for, person, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force


@dataclass(frozen=True, slots=True)
class Rating:
    """What is said about a meal: stars from 1 to 5, tags of the policy, up to 200 characters."""

    stars: int
    tags: Sequence[str] = ()
    words: str = ""


def rate(session: Session, *, actor: Actor, order_id: UUID, said: Rating) -> MealRating:
    """Rate a served meal, or change what one said about it; few stars open a follow-up call.

    A guest's meal is rated by nobody. Raises NotFound ``order_unknown``; NotAllowed ``not_your_meal``,
    ``proxy_scope_missing``; Conflict ``order_not_served``; Refused ``rating_too_late``, ``rating_final``,
    ``stars_invalid``, ``rating_tag_unknown``, ``words_too_long``.
    """
    order = lock_order(session, order_id)
    if order.diner_id is None or not acts_for(session, actor, order.diner_id, ProxyScope.MEALS):
        raise not_the_diner()
    must_be_served(order_id, order.state)
    diner, now = person(session, order.diner_id), clock.now()
    policies = in_force(session, at=now)
    township = organisation_of(session, order.canteen_id).township_code
    earlier = rating_history(session, order_id)
    assert order.ended_at is not None
    must_be_in_time(
        order.ended_at,
        earlier[0].rated_at if earlier else None,
        now,
        rating_days=policies.whole("rating_days", township),
        change_hours=policies.whole("rating_change_hours", township),
    )
    check_said(said.stars, said.tags, said.words, known_tags=policies.value("rating_tags", township))
    assert actor.login_id is not None
    rated = MealRating(
        order_id=order_id,
        revision=len(earlier) + 1,
        canteen_id=order.canteen_id,
        diner_id=order.diner_id,
        served_on=order.served_on,
        stars=said.stars,
        tags=list(said.tags),
        words=said.words.strip(),
        rated_at=now,
        rated_by=actor.login_id,
        rated_by_name=spoken_name(actor, diner),
    )
    session.add(rated)
    session.flush()
    if said.stars <= policies.whole("follow_up_stars", diner.township_code):
        _ask_why(session, rated, diner)
    return rated


def _ask_why(session: Session, rated: MealRating, diner: Person) -> None:
    """Put the diner on the list of calls of the township; once a meal, whatever is said about it afterwards."""
    row = {
        "id": new_id(),
        "month": rated.served_on.replace(day=1),
        "township_code": diner.township_code,
        "person_id": rated.diner_id,
        "order_id": rated.order_id,
        "reason": Reason.LOW_RATING,
        "opened_at": rated.rated_at,
    }
    session.execute(insert(FollowUp).values(row).on_conflict_do_nothing(index_elements=["order_id", "reason"]))
