"""Requests and answers about standing orders."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Flag, Id, Moment, PageQuery, QueryFlag, Several, Whole
from app.api.operation import Page
from app.api.orders.schemas import MEALS, WAYS
from timebank.canteens.orders.rules import StandingChoice


class SetStandingOrderBody(Body):
    """The same meal on these weekdays; what was standing for this meal before ends with it."""

    canteen_id = Id(required=True)
    meal = Choice(MEALS, required=True)
    weekdays = Several(Whole(1, 7), lowest=1, highest=7, required=True, metadata={"description": "1 为周一"})
    way = Choice(WAYS, required=True)
    choice = Choice([str(choice) for choice in StandingChoice], required=True)
    use_vouchers = Flag(load_default=False)
    starts_on = Day(required=True)
    ends_on = Day(load_default=None, allow_none=True)
    for_person_id = Id(load_default=None, allow_none=True)


class PauseStandingOrderBody(Body):
    """From which day until which, both included."""

    paused_from = Day(required=True, data_key="from")
    paused_until = Day(required=True, data_key="until")


class StandingOrdersQuery(PageQuery):
    """Whose, and whether those that have ended."""

    for_person_id = Id()
    ended = QueryFlag(load_default=False)


class StandingOrderAnswer(Answer):
    """One standing order, with what came of its newest day."""

    standing_order_id = Id(required=True)
    diner_id = Id(required=True)
    diner_name = fields.String(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    way = fields.String(required=True)
    way_name = fields.String(required=True)
    weekdays = fields.List(fields.Integer(), required=True)
    weekdays_text = fields.String(required=True)
    choice = fields.String(required=True)
    choice_name = fields.String(required=True)
    use_vouchers = fields.Boolean(required=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True)
    paused_from = fields.Date(required=True, allow_none=True)
    paused_until = fields.Date(required=True, allow_none=True)
    made_at = Moment(required=True)
    made_by_name = fields.String(required=True)
    ended_at = Moment(required=True, allow_none=True)
    last_day = fields.Date(required=True, allow_none=True)
    last_order_id = Id(required=True, allow_none=True)
    last_refusal_code = fields.String(required=True, allow_none=True)
    last_refusal_title = fields.String(required=True, allow_none=True)


class StandingOrderPage(Page):
    """Standing orders, newest first."""

    items = fields.List(fields.Nested(StandingOrderAnswer), required=True)
