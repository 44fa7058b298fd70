"""Requests and answers about ratings."""

from marshmallow import fields

from app.api.fields import Answer, Body, Id, Moment, Several, Text, Whole
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.canteens.ratings.rules import HIGHEST, LONGEST_WORDS, LOWEST, MOST_TAGS
from timebank.canteens.ratings.views import RATING_ORDERS


class RateBody(Body):
    """Stars, tags of the policy ``rating_tags``, words."""

    stars = Whole(LOWEST, HIGHEST, required=True)
    tags = Several(Text(longest=20), lowest=0, highest=MOST_TAGS, load_default=list)
    words = Text(longest=LONGEST_WORDS, shortest=0, load_default="")


class RatingReplyBody(Body):
    """What the canteen answers."""

    words = Text(longest=LONGEST_WORDS, required=True)


class HideRatingBody(Body):
    """Why the words are not shown to others."""

    reason = Text(longest=200, required=True)


class RatingsQuery(SortedQuery):
    """Of which canteen."""

    sort = Sort(RATING_ORDERS)
    canteen_id = Id(required=True)


class ReplyAnswer(Answer):
    """What the canteen answered last."""

    words = fields.String(required=True)
    replied_at = Moment(required=True)
    replied_by_name = fields.String(required=True)
    revision = fields.Integer(required=True)


class RatingAnswer(Answer):
    """One rating; the words of a hidden one are shown to the diner, stewards and auditors alone."""

    order_id = Id(required=True, allow_none=True, metadata={"description": "与己无关的评价不给出订单"})
    canteen_id = Id(required=True)
    served_on = fields.Date(required=True)
    diner_name = fields.String(required=True, metadata={"description": "管理员、审计和本人看全名，其他人看姓"})
    stars = fields.Integer(required=True)
    tags = fields.List(fields.String(), required=True)
    words = fields.String(required=True)
    rated_at = Moment(required=True)
    revision = fields.Integer(required=True)
    hidden = fields.Boolean(required=True)
    hidden_reason = fields.String(required=True, allow_none=True)
    reply = fields.Nested(ReplyAnswer, required=True, allow_none=True)


class OrderRatingAnswer(RatingAnswer):
    """The rating of a meal that concerns the asker."""

    changeable_until = Moment(required=True, metadata={"description": "在此之前本人和代办人可以修改"})


class AverageAnswer(Answer):
    """How many ratings, and their average in hundredths of a star."""

    ratings = fields.Integer(required=True)
    average_hundredths = fields.Integer(required=True, allow_none=True, metadata={"description": "435 即 4.35 星"})


class MonthAverageAnswer(AverageAnswer):
    """The average of the meals of one month, as 2026-03."""

    month = fields.String(required=True)


class RatingPage(SortedPage):
    """Ratings of one canteen, newest order first where no other order is asked for.

    With them its averages: of all, and of each of its last twelve months.
    """

    items = fields.List(fields.Nested(RatingAnswer), required=True)
    average = fields.Nested(AverageAnswer, required=True)
    months = fields.List(fields.Nested(MonthAverageAnswer), required=True)
