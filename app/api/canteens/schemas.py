"""Requests and answers about canteens."""

from marshmallow import fields

from app.api.canteens.fields import Checklist, ClockTime, QueryDegrees
from app.api.fields import (
    Answer,
    Body,
    Choice,
    Day,
    Degrees,
    Flag,
    Id,
    Moment,
    Part,
    QueryWhole,
    Several,
    Text,
    Whole,
)
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.canteens.network.rules import CanteenState, CanteenType, Carrier, Grade
from timebank.canteens.network.views import CANTEEN_ORDERS
from timebank.canteens.pricing.rules import Meal

_MEALS = [str(meal) for meal in Meal]


class CanteensQuery(SortedQuery):
    """Which canteens; with a place nearest first where nothing else is asked for, within the walk of the map."""

    sort = Sort(CANTEEN_ORDERS)
    township_code = Text(longest=12)
    canteen_type = Choice([str(one) for one in CanteenType])
    state = Choice([str(one) for one in CanteenState])
    meal = Choice(_MEALS, metadata={"description": "今天供应这一餐的"})
    latitude = QueryDegrees(90)
    longitude = QueryDegrees(180)
    within_m = QueryWhole(1, 1_000_000, metadata={"description": "直线距离，米；默认为地图的步行范围"})


class ChangeCanteenBody(Body):
    """All particulars as they are to be from now on."""

    address = Text(longest=200, required=True)
    phone = Text(longest=30, required=True)
    carrier = Choice([str(one) for one in Carrier], required=True)
    latitude = Degrees(90, load_default=None, allow_none=True)
    longitude = Degrees(180, load_default=None, allow_none=True)
    kitchen_id = Id(load_default=None, allow_none=True, metadata={"description": "供餐厨房；自己做饭为 null"})


class ApplyForCanteenBody(ChangeCanteenBody):
    """A canteen as it is applied for."""

    name = Text(longest=60, required=True)
    township_code = Text(longest=12, required=True)
    canteen_type = Choice([str(one) for one in CanteenType], required=True)


class AcceptCanteenBody(Body):
    """What was found on site, point by point; where one is not in order, the remarks say what."""

    checked = Checklist(keys=Text(longest=40), values=Flag(required=True), required=True)
    inspected_on = Day(required=True)
    inspector_name = Text(longest=60, required=True)
    remarks = Text(longest=500, shortest=0, load_default="")


class CanteenReasonBody(Body):
    """Why."""

    reason = Text(longest=200, required=True)


class MealHoursBody(Body):
    """One meal of one weekday."""

    weekday = Whole(1, 7, required=True, metadata={"description": "1为周一"})
    meal = Choice(_MEALS, required=True)
    opens_at = ClockTime(required=True)
    closes_at = ClockTime(required=True)
    capacity_meals = Whole(1, 100_000, required=True)


class CanteenHoursBody(Body):
    """The whole week; what is not in it is not served any more."""

    hours = Several(Part(MealHoursBody), lowest=0, highest=21, required=True)


class AddClosedDaysBody(Body):
    """A range of days, both ends included; one meal of each, or the whole days."""

    first_on = Day(required=True)
    last_on = Day(required=True)
    meal = Choice(_MEALS, load_default=None, allow_none=True)
    reason = Text(longest=200, required=True)


class RemoveClosedDayBody(Body):
    """The entry that is to go: of the whole day, or of one meal."""

    closed_on = Day(required=True)
    meal = Choice(_MEALS, load_default=None, allow_none=True)


class ApproveGradeBody(Body):
    """Of which year."""

    year = Whole(2000, 2100, required=True)


class ProposeGradeBody(ApproveGradeBody):
    """The grade of a year."""

    grade = Choice([str(one) for one in Grade], required=True)
    remarks = Text(longest=500, shortest=0, load_default="")


class CanteenMealToday(Answer):
    """A meal that is served today."""

    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    opens_at = Moment(required=True)
    closes_at = Moment(required=True)
    capacity_meals = fields.Integer(required=True)


class CanteenItem(Answer):
    """One canteen. Distances are as the crow flies."""

    canteen_id = Id(required=True)
    name = fields.String(required=True)
    number = fields.String(required=True, allow_none=True, metadata={"description": "验收后才有"})
    township_code = fields.String(required=True)
    canteen_type = fields.String(required=True)
    type_name = fields.String(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    address = fields.String(required=True)
    phone = fields.String(required=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    carrier = fields.String(required=True)
    carrier_name = fields.String(required=True)
    kitchen_id = Id(required=True, allow_none=True)
    kitchen_name = fields.String(required=True, allow_none=True)
    grade = fields.String(required=True, allow_none=True)
    grade_year = fields.Integer(required=True, allow_none=True)
    distance_m = fields.Integer(required=True, allow_none=True)
    walk_minutes = fields.Integer(required=True, allow_none=True)
    meals_today = fields.List(fields.Nested(CanteenMealToday), required=True)


class CanteenPage(SortedPage):
    """Canteens."""

    items = fields.List(fields.Nested(CanteenItem), required=True)


class CanteenHoursItem(Answer):
    """One meal of one weekday."""

    weekday = fields.Integer(required=True)
    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    opens_at = ClockTime(required=True)
    closes_at = ClockTime(required=True)
    capacity_meals = fields.Integer(required=True)


class CanteenClosedDayItem(Answer):
    """A closed day; ``meal`` null is the whole day."""

    closed_on = fields.Date(required=True)
    meal = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)


class CanteenInspectionItem(Answer):
    """One inspection before acceptance."""

    inspected_on = fields.Date(required=True)
    inspector_name = fields.String(required=True)
    passed = fields.Boolean(required=True)
    checked = fields.Dict(keys=fields.String(), values=fields.Boolean(), required=True)
    remarks = fields.String(required=True)


class WholeCanteenAnswer(CanteenItem):
    """One canteen with its week, its closed days ahead, and for stewards and auditors its inspections."""

    state_reason = fields.String(required=True)
    applied_at = Moment(required=True)
    applied_by_name = fields.String(required=True)
    accepted_at = Moment(required=True, allow_none=True)
    opened_at = Moment(required=True, allow_none=True)
    suspended_at = Moment(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    hours = fields.List(fields.Nested(CanteenHoursItem), required=True)
    closed_days = fields.List(fields.Nested(CanteenClosedDayItem), required=True)
    inspections = fields.List(fields.Nested(CanteenInspectionItem), required=True)


class CanteenGradeItem(Answer):
    """The grade of one year, with its subsidy in fen, credited once it is approved."""

    year = fields.Integer(required=True)
    grade = fields.String(required=True)
    subsidy_fen = fields.Integer(required=True)
    policy_version = fields.Integer(required=True)
    remarks = fields.String(required=True)
    proposed_at = Moment(required=True)
    proposed_by_name = fields.String(required=True)
    approved_at = Moment(required=True, allow_none=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    transfer_id = Id(required=True, allow_none=True)


class CanteenGradePage(Page):
    """Grades, newest year first."""

    items = fields.List(fields.Nested(CanteenGradeItem), required=True)
