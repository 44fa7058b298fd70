"""What a canteen and its stewards do about a rating: reply 回复, hide its words 隐藏."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.ratings.models import RatingHiding, RatingReply
from timebank.canteens.ratings.queries import hiding_of, lock_order, newest_rating, reply_history
from timebank.canteens.ratings.rules import already_hidden, check_words, not_the_canteen
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.notifications.actions import notify_person


def reply(session: Session, *, actor: Actor, order_id: UUID, words: str) -> RatingReply:
    """Answer a rating, or change the answer; for the canteen's clerk and the stewards of its township.

    The diner is told of the first answer. Raises NotFound ``order_unknown``, ``rating_unknown``; NotAllowed
    ``ratings_not_yours``; Refused ``reason_needed``, ``words_too_long``.
    """
    order = lock_order(session, order_id)
    canteen = organisation_of(session, order.canteen_id)
    at_the_counter = actor.staff_role is StaffRole.CANTEEN_CLERK and actor.organisation_id == canteen.id
    if not (at_the_counter or actor.stewards(canteen.township_code)):
        raise not_the_canteen()
    rated, earlier = newest_rating(session, order_id), reply_history(session, order_id)
    said = reason_given(words, field="words")
    check_words(said)
    assert actor.login_id is not None
    answer = RatingReply(
        order_id=order_id,
        revision=len(earlier) + 1,
        rating_revision=rated.revision,
        words=said,
        replied_at=clock.now(),
        replied_by=actor.login_id,
        replied_by_name=actor.name,
    )
    session.add(answer)
    session.flush()
    if not earlier:
        body = f"{canteen.name}回复了您{rated.served_on.month}月{rated.served_on.day}日的评价：{said}"
        notify_person(session, person_id=rated.diner_id, title="您的评价有了回复", body=body)
    return answer


def hide_words(session: Session, *, actor: Actor, order_id: UUID, reason: str) -> RatingHiding:
    """Show the words about a meal to others no more, whatever revision; its stars still count.

    For the stewards of the canteen's township; the diner is told why. Raises NotFound ``order_unknown``,
    ``rating_unknown``; NotAllowed ``steward_only``, ``other_township``; Refused ``reason_needed``; Conflict
    ``rating_already_hidden``.
    """
    actor.must_be_steward()
    order = lock_order(session, order_id)
    actor.must_steward(organisation_of(session, order.canteen_id).township_code)
    rated, why = newest_rating(session, order_id), reason_given(reason)
    if hiding_of(session, order_id) is not None:
        raise already_hidden()
    assert actor.login_id is not None
    hidden = RatingHiding(
        order_id=order_id,
        rating_revision=rated.revision,
        reason=why,
        hidden_at=clock.now(),
        hidden_by=actor.login_id,
        hidden_by_name=actor.name,
    )
    session.add(hidden)
    session.flush()
    day = f"{rated.served_on.month}月{rated.served_on.day}日"
    body = f"您{day}评价里的文字不再给别人看，评分照样计入。原因：{why}"
    notify_person(session, person_id=rated.diner_id, title="您的评价文字已隐藏", body=body)
    note_down(session, actor=actor, action="rating_hidden", subject=("meal_order", order_id), reason=why)
    return hidden
