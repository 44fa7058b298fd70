"""Ratings and follow-up calls 评价与回访: when one may rate, what may be said, whom a month's draw takes. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from timebank.canteens.orders.rules import STATE_NAMES, OrderState
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused

LOWEST, HIGHEST = 1, 5
LONGEST_WORDS, MOST_TAGS = 200, 10


class Reason(StrEnum):
    """Why somebody is called 回访原因: drawn by lot, or dissatisfied."""

    SAMPLE = "sample"
    LOW_RATING = "low_rating"


REASON_NAMES = {Reason.SAMPLE: "随机抽取", Reason.LOW_RATING: "评分较低"}


def must_be_served(order_id: UUID, state: str) -> None:
    """Raises Conflict ``order_not_served``."""
    if state != OrderState.SERVED:
        name = STATE_NAMES[OrderState(state)]
        raise Conflict("order_not_served", f"这份订餐{name}，取餐后才能评价", order_id=order_id, state=str(state))


def must_be_in_time(
    served_at: datetime, first_rated_at: datetime | None, now: datetime, *, rating_days: int, change_hours: int
) -> None:
    """A meal is rated within some days, and the rating changed within some hours of the first one.

    Raises Refused ``rating_too_late``, ``rating_final``, with until when it could be done.
    """
    if first_rated_at is None:
        until = served_at + timedelta(days=rating_days)
        if now > until:
            raise Refused("rating_too_late", f"取餐后{rating_days}天内可以评价，现在已经过了", until=until)
        return
    until = first_rated_at + timedelta(hours=change_hours)
    if now > until:
        raise Refused("rating_final", f"评价后{change_hours}小时内可以修改，现在已经过了", until=until)


def check_said(stars: int, tags: Collection[str], words: str, *, known_tags: Collection[str]) -> None:
    """What a rating says. Raises Refused ``stars_invalid``, ``rating_tag_unknown``, ``words_too_long``."""
    check_stars(stars, field="stars")
    unknown = sorted(set(tags) - set(known_tags))
    if unknown or len(set(tags)) != len(tags) or len(tags) > MOST_TAGS:
        raise Refused("rating_tag_unknown", "没有这样的评价标签，或重复", field="tags", tags=unknown)
    check_words(words)


def check_stars(stars: int, *, field: str) -> None:
    """Raises Refused ``stars_invalid``."""
    if not LOWEST <= stars <= HIGHEST:
        raise Refused("stars_invalid", f"评分须为{LOWEST}至{HIGHEST}", field=field)


def check_words(words: str) -> None:
    """Raises Refused ``words_too_long``."""
    if len(words) > LONGEST_WORDS:
        raise Refused("words_too_long", f"最多{LONGEST_WORDS}个字", field="words", max_length=LONGEST_WORDS)


def hundredths(stars: int, ratings: int) -> int | None:
    """The average in hundredths of a star, rounded half up; None where nobody has rated."""
    return (200 * stars + ratings) // (2 * ratings) if ratings else None


def lots(month: date, people: Iterable[UUID], percent: int) -> list[UUID]:
    """Whom a month's draw takes: ``percent`` of the people, rounded up, the same ones however often it is drawn.

    The month is the seed: who comes first follows from a hash of month and person, so nobody can steer the draw.
    """
    ranked = sorted(set(people), key=lambda one: hashlib.sha256(f"{month:%Y-%m}|{one}".encode()).digest())
    return ranked[: -(-len(ranked) * percent // 100)]


def check_outcome(reached: bool, satisfied: int | None) -> None:
    """Who was reached says how satisfied, who was not says nothing. Raises Refused ``outcome_incomplete``."""
    if reached != (satisfied is not None):
        raise Refused("outcome_incomplete", "接通了请填满意程度，没接通不填", field="satisfied")
    if satisfied is not None:
        check_stars(satisfied, field="satisfied")


def is_closed_by(reached: bool, number: int, most_calls: int) -> bool:
    """Whether a follow-up ends with its ``number``-th call."""
    return reached or number >= most_calls


def not_rated(order_id: UUID) -> NotFound:
    """The refusal for a meal that nobody has rated."""
    return NotFound("rating_unknown", "这份订餐还没有评价", order_id=order_id)


def not_the_diner() -> BankError:
    """The refusal of a rating by anybody but the diner and the diner's proxy."""
    return NotAllowed("not_your_meal", "只有用餐人本人和登记的代办人可以评价")


def not_the_canteen() -> BankError:
    """The refusal of a reply by anybody but the canteen's clerk and its stewards."""
    return NotAllowed("ratings_not_yours", "只有本助餐点的工作人员和所在镇街的管理员可以回复")


def already_hidden() -> BankError:
    """The refusal to hide what is hidden."""
    return Conflict("rating_already_hidden", "这条评价的文字已经隐藏")


def follow_up_unknown(follow_up_id: UUID) -> NotFound:
    """The refusal for a follow-up that is not there."""
    return NotFound("follow_up_unknown", "没有这次回访", follow_up_id=follow_up_id)


def follow_up_closed() -> BankError:
    """The refusal of another call after a follow-up has ended."""
    return Conflict("follow_up_closed", "这次回访已经办结")
