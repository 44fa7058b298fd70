"""Requests and answers about delivery rounds."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Id, Moment, PageQuery, Text
from app.api.operation import Page
from timebank.canteens.delivery.rules import REPORTED, RoundState
from timebank.canteens.pricing.rules import Meal

_MEALS = [str(meal) for meal in Meal]


class PlanRoundsBody(Body):
    """Rounds of which meal."""

    canteen_id = Id(required=True)
    on = Day(required=True)
    meal = Choice(_MEALS, required=True)


class RoundsQuery(PageQuery):
    """Which rounds; those planned anew only where their state is asked for."""

    canteen_id = Id()
    on = Day()
    meal = Choice(_MEALS)
    state = Choice([str(state) for state in RoundState])


class CourierBody(Body):
    """Who carries a round instead of a volunteer."""

    name = Text(longest=40, required=True)
    phone = Text(longest=30, required=True)


class DeliverBody(Body):
    """The code that the diner says; the canteen may say instead how it knows."""

    order_id = Id(required=True)
    handover_code = Text(longest=20, shortest=0, load_default="", metadata={"description": "老人的四位交接码"})
    evidence = Text(longest=200, shortest=0, load_default="", metadata={"description": "助餐点核实送达的依据"})


class UndeliveredBody(Body):
    """Why a meal comes back."""

    order_id = Id(required=True)
    reason = Choice([str(reason) for reason in REPORTED], required=True)
    note = Text(longest=200, shortest=0, load_default="")


class PunctualityQuery(PageQuery):
    """Which month."""

    month = Text(longest=7, required=True, metadata={"description": "如 2026-11"})


class StopItem(Answer):
    """One stop; name and phone are whole on the way only."""

    round_id = Id(required=True)
    position = fields.Integer(required=True)
    order_id = Id(required=True)
    pickup_number = fields.Integer(required=True)
    diet_form = fields.String(required=True)
    portions = fields.Integer(required=True)
    planned_minutes = fields.Integer(
        required=True, allow_none=True, metadata={"description": "出发后约几分钟到；null 表示地址不在地图上"}
    )
    address = fields.String(required=True, allow_none=True)
    delivery_note = fields.String(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    outcome_name = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    evidence = fields.String(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    closed_by_name = fields.String(required=True, allow_none=True)
    minutes_after_cooking = fields.Integer(required=True, allow_none=True)


class RoundItem(Answer):
    """One round without its stops."""

    round_id = Id(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    on = fields.Date(required=True)
    meal = fields.String(required=True)
    number = fields.Integer(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    carrier = fields.String(required=True)
    carrier_name = fields.String(required=True, allow_none=True)
    carrier_phone = fields.String(required=True, allow_none=True)
    taken = fields.Boolean(required=True)
    untaken_told_at = Moment(required=True, allow_none=True, metadata={"description": "无人接单、已提醒的时间"})
    task_id = Id(required=True, allow_none=True)
    task_status = fields.String(required=True, allow_none=True)
    service_code = fields.String(
        required=True, allow_none=True, metadata={"description": "志愿者取餐签到时由助餐点念出的服务码"}
    )
    departs_at = Moment(required=True)
    minutes = fields.Integer(required=True)
    late = fields.Boolean(required=True, metadata={"description": "路太远，不能按时送到"})
    unlocated = fields.Boolean(required=True, metadata={"description": "地址不在地图上，按地址排列"})
    stops = fields.Integer(required=True)
    open_stops = fields.Integer(required=True)
    departed_at = Moment(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


class RoundAnswer(RoundItem):
    """One round with its stops in their order."""

    stop_list = fields.List(fields.Nested(StopItem), required=True)


class RoundPage(Page):
    """Rounds, newest first."""

    items = fields.List(fields.Nested(RoundItem), required=True)


class PunctualityItem(Answer):
    """How soon one canteen's meals of a month came to the door."""

    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    within_minutes = fields.Integer(required=True)
    delivered = fields.Integer(required=True)
    undelivered = fields.Integer(required=True)
    timed = fields.Integer(required=True, metadata={"description": "登记过出餐时间的送达"})
    in_time = fields.Integer(required=True)
    percent_in_time = fields.Integer(required=True, allow_none=True)


class PunctualityPage(Page):
    """Canteens, by id."""

    items = fields.List(fields.Nested(PunctualityItem), required=True)
