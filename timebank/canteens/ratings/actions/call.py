"""Calling a diner back 回访通话: what came of a call, until somebody was reached or was called often enough."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.canteens.ratings.models import FollowUp, FollowUpCall
from timebank.canteens.ratings.queries import calls_of, lock_follow_up
from timebank.canteens.ratings.rules import check_outcome, check_words, follow_up_closed, is_closed_by
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.policies.queries import in_force


def record_call(
    session: Session, *, actor: Actor, follow_up_id: UUID, reached: bool, satisfied: int | None = None, words: str = ""
) -> FollowUp:
    """Write down a call; whoever was reached says how satisfied (1 to 5). For stewards of the calling township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``follow_up_unknown``; Conflict
    ``follow_up_closed``; Refused ``outcome_incomplete``, ``stars_invalid``, ``words_too_long``.
    """
    actor.must_be_steward()
    followed = lock_follow_up(session, follow_up_id)
    actor.must_steward(followed.township_code)
    if followed.closed_at is not None:
        raise follow_up_closed()
    check_outcome(reached, satisfied)
    check_words(words)
    now = clock.now()
    number = len(calls_of(session, follow_up_id)) + 1
    assert actor.login_id is not None
    session.add(
        FollowUpCall(
            follow_up_id=follow_up_id,
            number=number,
            reached=reached,
            satisfied=satisfied,
            words=words.strip(),
            called_at=now,
            called_by=actor.login_id,
            called_by_name=actor.name,
        )
    )
    session.flush()
    most = in_force(session, at=now).whole("follow_up_most_calls", followed.township_code)
    if is_closed_by(reached, number, most):
        followed.closed_at = now
        session.flush()
    return followed
