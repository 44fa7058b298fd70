"""Answers with figures by month, and with who is within reach of a canteen; amounts are whole."""

from typing import Any

from marshmallow import fields

from app.api.fields import Answer, Body, Id, Moment, Text


class FiguresQuery(Body):
    """Whose figures; a township steward's own by default, of all townships for the district."""

    township_code = Text(longest=12, metadata={"description": "镇街管理员只看本镇街；区级不填为全区"})


class FiguresMonth(Answer):
    """One month's figures by key; a figure that is 0 may be left out."""

    month = fields.String(required=True, metadata={"example": "2026-11"})
    is_running = fields.Boolean(required=True)
    is_kept = fields.Boolean(required=True, metadata={"description": "月末的在册人数等已定稿"})
    figures: fields.Field[Any] = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "单位见名称末尾"}
    )


class WaitingItem(Answer):
    """How many of one kind wait for a decision."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    number = fields.Integer(required=True)


class LimitItem(Answer):
    """How much of its hard limit a township has used."""

    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    owed_minutes = fields.Integer(required=True, metadata={"description": "全部未结算应付；负数为应收"})
    soft_limit_minutes = fields.Integer(required=True)
    hard_limit_minutes = fields.Integer(required=True)
    percent = fields.Integer(required=True, metadata={"description": "应付占硬限额的百分比"})
    is_near = fields.Boolean(required=True)
    limit_state = fields.String(required=True)
    limit_state_name = fields.String(required=True)


class DashboardAnswer(Answer):
    """What a duty officer asks on one page."""

    township_code = fields.String(required=True, allow_none=True)
    township_name = fields.String(required=True, allow_none=True)
    as_of = Moment(required=True)
    months = fields.List(fields.Nested(FiguresMonth), required=True)
    waiting = fields.List(fields.Nested(WaitingItem), required=True)
    limits = fields.List(fields.Nested(LimitItem), required=True)
    warning_percent = fields.Integer(required=True)


class CanteenReachItem(Answer):
    """A canteen on the map; its circle has no radius while it is not open."""

    canteen_id = Id(required=True)
    name = fields.String(required=True)
    township_code = fields.String(required=True)
    canteen_type_name = fields.String(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    radius_m = fields.Integer(required=True)
    people_within = fields.Integer(required=True)


class AreaReachItem(Answer):
    """People of a township, or of a village of it, by whether a canteen is within reach."""

    area = fields.String(required=True)
    township_code = fields.String(required=True)
    people = fields.Integer(required=True)
    within = fields.Integer(required=True)
    beyond = fields.Integer(required=True)
    without_place = fields.Integer(required=True, metadata={"description": "没有住处坐标，不知道远近"})


class ReachAnswer(Answer):
    """Canteens with their circles, and numbers of people; nobody's home."""

    township_code = fields.String(required=True, allow_none=True)
    township_name = fields.String(required=True, allow_none=True)
    map_minutes = fields.Integer(required=True)
    walking_m_per_minute = fields.Integer(required=True)
    canteens = fields.List(fields.Nested(CanteenReachItem), required=True)
    areas = fields.List(fields.Nested(AreaReachItem), required=True)
