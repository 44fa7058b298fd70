"""Requests and answers about a canteen's book of dishes."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, PageQuery, QueryFlag, Several, Text, Whole
from app.api.operation import Page
from timebank.canteens.pricing.rules import DietForm

FORMS = [str(form) for form in DietForm]
MOST_PRICE_FEN = 1_000_000
"""10,000 CNY; a price beyond it is a slip of the hand."""


class DishBody(Body):
    """A dish; ``diet_tags`` and ``allergens`` are words of the policies of that name."""

    name = Text(longest=60, required=True)
    price_fen = Whole(1, MOST_PRICE_FEN, required=True)
    portion = Text(longest=60, shortest=0, load_default="")
    diet_forms = Several(Choice(FORMS), lowest=1, highest=len(FORMS), load_default=lambda: [str(DietForm.NORMAL)])
    diet_tags = Several(Text(longest=20), lowest=0, highest=30, load_default=list)
    allergens = Several(Text(longest=20), lowest=0, highest=30, load_default=list)
    sources = Text(longest=200, shortest=0, load_default="", metadata={"description": "食材来源"})


class EnterDishBody(DishBody):
    """A new dish of a canteen."""

    canteen_id = Id(required=True)


class DishesQuery(PageQuery):
    """Whose book; ``archived`` shows also what is out of use."""

    canteen_id = Id(required=True)
    archived = QueryFlag(load_default=False)


class DishAnswer(Answer):
    """One dish, at its usual price in fen."""

    dish_id = Id(required=True, attribute="id")
    canteen_id = Id(required=True)
    name = fields.String(required=True)
    portion = fields.String(required=True)
    price_fen = fields.Integer(required=True)
    diet_forms = fields.List(fields.String(), required=True)
    diet_tags = fields.List(fields.String(), required=True)
    allergens = fields.List(fields.String(), required=True)
    sources = fields.String(required=True)
    entered_at = Moment(required=True)
    entered_by_name = fields.String(required=True)
    archived_at = Moment(required=True, allow_none=True)


class DishPage(Page):
    """Dishes in the order of entry."""

    items = fields.List(fields.Nested(DishAnswer), required=True)
