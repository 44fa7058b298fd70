"""Requests and answers of the counter."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Flag, Id, Moment, PageQuery, Part, Several, Text, Whole
from app.api.operation import Page
from app.api.orders.schemas import MEALS, MealOrderAnswer, OrderedDish, OrderedDishAnswer, SharesAnswer
from timebank.canteens.pricing.rules import Way

_MOST_AT_ONCE = 500


class CounterQuery(Body):
    """Which counter (a clerk's own), which day (today), which meal (all)."""

    canteen_id = Id()
    on_day = Day()
    meal = Choice(MEALS)


class QueueQuery(PageQuery):
    """Which counter, which meal of today."""

    canteen_id = Id()
    meal = Choice(MEALS, required=True)


class DayTotalsQuery(Body):
    """Which counter, which day."""

    canteen_id = Id()
    on_day = Day()


class ServeBody(Body):
    """What is shown: one of the four; with a pickup number, its meal."""

    order_id = Id(load_default=None, allow_none=True)
    pickup_number = Whole(1, 1_000_000, load_default=None, allow_none=True)
    voucher_code = Text(longest=40, load_default=None, allow_none=True)
    person_id = Id(load_default=None, allow_none=True)
    meal = Choice(MEALS, load_default=None, allow_none=True)


class ServeManyBody(Body):
    """Orders to be handed over together."""

    order_ids = Several(Id(), lowest=1, highest=_MOST_AT_ONCE, required=True)


class SellBody(Body):
    """A meal sold now: to a diner, or without ``person_id`` to a guest, who pays cash."""

    meal = Choice(MEALS, required=True)
    items = Several(Part(OrderedDish), lowest=1, highest=50, required=True)
    person_id = Id(load_default=None, allow_none=True)
    cash = Flag(load_default=False)
    use_voucher = Flag(load_default=False)
    way = Choice([str(Way.EAT_IN), str(Way.TAKE_AWAY)], load_default=str(Way.EAT_IN))
    note = Text(longest=200, shortest=0, load_default="")
    accept_unsuitable = Flag(load_default=False)


class CorrectBody(Body):
    """Which meal was none, and why."""

    order_id = Id(required=True)
    reason = Text(longest=200, required=True)


class CounterCount(Answer):
    """So many orders that are had, prepared and stand alike."""

    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    way = fields.String(required=True)
    way_name = fields.String(required=True)
    diet_form = fields.String(required=True)
    diet_form_name = fields.String(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    orders = fields.Integer(required=True)
    portions = fields.Integer(required=True)


class CounterToday(Answer):
    """A counter's day in counts; ``meal_now`` is served now, or else the nearest meal of today."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    on_day = fields.Date(required=True)
    meal_now = fields.String(required=True)
    counts = fields.List(fields.Nested(CounterCount), required=True)


class WaitingAnswer(Answer):
    """Somebody who has not collected the meal yet; ``paid_how`` in plain words."""

    order_id = Id(required=True)
    pickup_number = fields.Integer(required=True)
    masked_name = fields.String(required=True, allow_none=True)
    way = fields.String(required=True)
    way_name = fields.String(required=True)
    diet_form = fields.String(required=True)
    diet_form_name = fields.String(required=True)
    items = fields.List(fields.Nested(OrderedDishAnswer), required=True)
    allergies = fields.List(fields.String(), required=True)
    religious_diet = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    to_collect_fen = fields.Integer(required=True, metadata={"description": "取餐时还要收的现金"})
    paid_how = fields.String(required=True)


class WaitingPage(Page):
    """Who is waiting, by pickup number."""

    items = fields.List(fields.Nested(WaitingAnswer), required=True)


class ServedOne(Answer):
    """What became of one order of several: handed over, or why not."""

    order_id = Id(required=True)
    served = fields.Boolean(required=True)
    code = fields.String(required=True, allow_none=True)
    title = fields.String(required=True)


class ServedMany(Answer):
    """One answer each, in order."""

    results = fields.List(fields.Nested(ServedOne), required=True)


class CorrectionAnswer(Answer):
    """Where a correction stands."""

    state = fields.String(required=True, metadata={"enum": ["awaiting_second_person", "corrected"]})
    reason = fields.String(required=True)
    requested_by_name = fields.String(required=True)
    requested_at = Moment(required=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    approved_at = Moment(required=True, allow_none=True)
    order = fields.Nested(MealOrderAnswer, required=True)


class DayMeals(Answer):
    """Meals handed over of one kind."""

    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    way = fields.String(required=True)
    way_name = fields.String(required=True)
    meals = fields.Integer(required=True)
    list_fen = fields.Integer(required=True)


class DayMisfit(Answer):
    """What the orders and slips, and the ledger, do not agree about."""

    what = fields.String(required=True)
    by_orders = fields.Integer(required=True)
    by_ledger = fields.Integer(required=True)


class DayTotalsAnswer(SharesAnswer):
    """日结: a counter's day; ``ties`` where orders, slips and ledger agree to the fen."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    on_day = fields.Date(required=True)
    meals = fields.List(fields.Nested(DayMeals), required=True)
    meals_served = fields.Integer(required=True)
    missed_fen = fields.Integer(required=True)
    cash_sales_fen = fields.Integer(required=True)
    topped_up_fen = fields.Integer(required=True)
    paid_back_fen = fields.Integer(required=True)
    handed_in_fen = fields.Integer(required=True)
    corrected_fen = fields.Integer(required=True)
    drawer_fen = fields.Integer(required=True)
    ties = fields.Boolean(required=True)
    misfits = fields.List(fields.Nested(DayMisfit), required=True)
