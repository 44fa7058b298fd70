"""Requests and answers about orders."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Flag, Id, Moment, PageQuery, Part, Several, Text, Whole
from app.api.operation import Page
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import Meal, Way

MEALS = [str(meal) for meal in Meal]
WAYS = [str(way) for way in Way]
_MOST_DISHES = 50


class OrderedDish(Body):
    """A dish on the menu, and how often."""

    menu_item_id = Id(required=True)
    quantity = Whole(1, 1000, required=True)


class ChangeOrderBody(Body):
    """How the meal is wanted: dishes, and how it is had. ``accept_unsuitable``: also where a dish does not fit."""

    way = Choice(WAYS, required=True)
    items = Several(Part(OrderedDish), lowest=1, highest=_MOST_DISHES, required=True)
    use_voucher = Flag(load_default=False)
    note = Text(longest=200, shortest=0, load_default="")
    delivery_address = Text(longest=200, load_default=None, allow_none=True)
    accept_unsuitable = Flag(load_default=False, metadata={"description": "知道菜品与饮食要求不符，仍然要订"})


class PlaceOrderBody(ChangeOrderBody):
    """Where, when and for whom; without ``for_person_id`` for oneself."""

    canteen_id = Id(required=True)
    served_on = Day(required=True)
    meal = Choice(MEALS, required=True)
    for_person_id = Id(load_default=None, allow_none=True)


class CancelOrderBody(Body):
    """Why; a clerk and a steward have to say."""

    reason = Text(longest=200, shortest=0, load_default="")


class OrdersQuery(PageQuery):
    """Which orders, from a day to a day, both included."""

    for_person_id = Id()
    canteen_id = Id()
    from_day = Day(data_key="from")
    to_day = Day(data_key="to")
    meal = Choice(MEALS)
    state = Choice([str(state) for state in OrderState])


class OrderedDishAnswer(Answer):
    """A dish at the price of the moment at which it was ordered."""

    menu_item_id = Id(required=True)
    name = fields.String(required=True)
    quantity = fields.Integer(required=True)
    price_fen = fields.Integer(required=True)
    is_love_meal = fields.Boolean(required=True)


class ReceiptLine(Answer):
    """One line: what is listed (no share), or who bears how much by which rule."""

    share = fields.String(required=True, allow_none=True)
    share_name = fields.String(required=True, allow_none=True)
    rule_key = fields.String(required=True)
    label = fields.String(required=True)
    fen = fields.Integer(required=True)
    policy_version = fields.Integer(required=True)


class SharesAnswer(Answer):
    """What is listed, and what each of the five bears, in fen."""

    list_fen = fields.Integer(required=True)
    elder_fen = fields.Integer(required=True)
    government_fen = fields.Integer(required=True)
    donation_fen = fields.Integer(required=True)
    garden_fen = fields.Integer(required=True)
    volunteers_fen = fields.Integer(required=True)


class OrderPriceAnswer(SharesAnswer):
    """What a meal would cost now, what the purse has, and what it lacks, in fen."""

    lines = fields.List(fields.Nested(ReceiptLine), required=True)
    voucher_id = Id(
        required=True, allow_none=True, metadata={"description": "会用到的用餐券；null 为不用券或没有可用的券"}
    )
    purse_fen = fields.Integer(required=True)
    lacking_fen = fields.Integer(required=True)
    cut_off_at = Moment(required=True)


class MealOrderAnswer(SharesAnswer):
    """One order."""

    order_id = Id(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    diner_id = Id(required=True, allow_none=True)
    diner_name = fields.String(required=True, allow_none=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    served_on = fields.Date(required=True)
    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    way = fields.String(required=True)
    way_name = fields.String(required=True)
    diet_form = fields.String(required=True)
    diet_form_name = fields.String(required=True)
    pickup_number = fields.Integer(required=True, metadata={"description": "取餐号"})
    revision = fields.Integer(required=True)
    portions = fields.Integer(required=True)
    cash_fen = fields.Integer(required=True)
    voucher_id = Id(required=True, allow_none=True)
    delivery_address = fields.String(required=True, allow_none=True)
    handover_code = fields.String(
        allow_none=True, metadata={"description": "送餐交接码，只在订餐详情里给本人和代办人看"}
    )
    delivery_note = fields.String(required=True)
    note = fields.String(required=True)
    unsuitable_accepted = fields.Boolean(required=True)
    cut_off_at = Moment(required=True, metadata={"description": "在此之前可以改、可以退"})
    source = fields.String(required=True)
    source_name = fields.String(required=True)
    standing_order_id = Id(required=True, allow_none=True)
    placed_at = Moment(required=True)
    placed_by_name = fields.String(required=True)
    revised_at = Moment(required=True, allow_none=True, metadata={"description": "最近一次改餐的时间"})
    revised_by_name = fields.String(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_by_name = fields.String(required=True, allow_none=True)
    end_reason = fields.String(required=True)
    charged_fen = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "没有取、没有送到的餐收了老人多少；null 为其他情形，取了的餐见 elder_fen"},
    )
    items = fields.List(fields.Nested(OrderedDishAnswer), required=True)
    lines = fields.List(fields.Nested(ReceiptLine), required=True)


class MealOrderPage(Page):
    """Orders, newest first."""

    items = fields.List(fields.Nested(MealOrderAnswer), required=True)
