"""Requests and answers about kitchens: what is cooked, and what goes where."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Id, Moment
from timebank.canteens.pricing.rules import Meal

_MEALS = [str(meal) for meal in Meal]


class KitchenQuery(Body):
    """Which meal of which kitchen."""

    canteen_id = Id(required=True)
    on = Day(required=True)
    meal = Choice(_MEALS, required=True)


class CookedBody(Body):
    """Which meal is cooked, by which kitchen."""

    canteen_id = Id(required=True)
    on = Day(required=True)
    meal = Choice(_MEALS, required=True)


class CookedAnswer(Answer):
    """When a meal was cooked."""

    canteen_id = Id(required=True)
    on = fields.Date(required=True, attribute="served_on")
    meal = fields.String(required=True)
    cooked_at = Moment(required=True)
    cooked_by_name = fields.String(required=True)


class DishPortionsItem(Answer):
    """Portions of a dish in one form for one canteen."""

    dish = fields.String(required=True)
    diet_form = fields.String(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    portions = fields.Integer(required=True)


class DishTotalItem(Answer):
    """Portions of a dish in one form for all canteens."""

    dish = fields.String(required=True)
    diet_form = fields.String(required=True)
    portions = fields.Integer(required=True)


class AllergyItem(Answer):
    """A box for somebody with allergies; ``dishes`` are those that contain one of them."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    pickup_number = fields.Integer(required=True)
    diet_form = fields.String(required=True)
    allergies = fields.List(fields.String(), required=True)
    dishes = fields.List(fields.String(), required=True)


class BoxesItem(Answer):
    """Boxes for one canteen by form and way."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    diet_form = fields.String(required=True)
    way = fields.String(required=True)
    boxes = fields.Integer(required=True)
    portions = fields.Integer(required=True)


class _KitchenDay(Answer):
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    on = fields.Date(required=True, attribute="served_on")
    meal = fields.String(required=True)
    cut_off_at = Moment(required=True)
    provisional = fields.Boolean(required=True, metadata={"description": "订餐尚未截止，数字还会变"})
    cooked_at = Moment(required=True, allow_none=True)
    cooked_by_name = fields.String(required=True, allow_none=True)
    boxes = fields.Integer(required=True)
    portions = fields.Integer(required=True)


class KitchenPlanAnswer(_KitchenDay):
    """What a kitchen cooks for one meal."""

    dishes = fields.List(fields.Nested(DishPortionsItem), required=True)
    totals = fields.List(fields.Nested(DishTotalItem), required=True)
    allergies = fields.List(fields.Nested(AllergyItem), required=True)


class DistributionAnswer(_KitchenDay):
    """What goes to which canteen."""

    distribution = fields.List(fields.Nested(BoxesItem), required=True)
