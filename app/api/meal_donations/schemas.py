"""Requests and answers about money given to meals, in fen."""

from marshmallow import fields

from app.api.fields import Answer, Body, Day, Id, Moment, Text, Whole
from app.api.sorting import DatedQuery, Sort, SortedPage
from timebank.canteens.subsidies.queries.gifts import DONATION_ORDERS


class ReceiveMealDonationBody(Body):
    """Money as it came in; without ``donor_name`` the donor stays unnamed, without canteen it goes into the pot."""

    donor_name = Text(longest=100, load_default=None, allow_none=True)
    amount_fen = Whole(required=True)
    canteen_id = Id(load_default=None, allow_none=True)
    received_on = Day(required=True)
    reference = Text(longest=200, required=True)
    note = Text(longest=500, shortest=0, load_default="")


class AllotMealDonationsBody(Body):
    """To which canteen how much of the pot."""

    canteen_id = Id(required=True)
    amount_fen = Whole(required=True)
    note = Text(longest=500, shortest=0, load_default="")


class MealDonationsQuery(DatedQuery):
    """Which donations; days are those on which the money came in."""

    sort = Sort(DONATION_ORDERS)
    canteen_id = Id()


class MealDonationItem(Answer):
    """One donation; ``canteen_id`` null is the district's pot, ``donor_name`` null an unnamed donor."""

    donation_id = Id(required=True)
    donor_name = fields.String(required=True, allow_none=True)
    amount_fen = fields.Integer(required=True)
    canteen_id = Id(required=True, allow_none=True)
    canteen_name = fields.String(required=True, allow_none=True)
    received_on = fields.Date(required=True)
    reference = fields.String(required=True)
    note = fields.String(required=True)
    received_at = Moment(required=True)
    received_by_name = fields.String(required=True)
    transfer_id = Id(required=True, metadata={"description": "记错时按此划转冲正"})
    reversed = fields.Boolean(required=True)


class DonatedMealItem(Answer):
    """A meal that the donation went into, without a name."""

    served_on = fields.Date(required=True)
    meal = fields.String(required=True)
    meal_name = fields.String(required=True)
    canteen_name = fields.String(required=True)
    fen = fields.Integer(required=True)


class MealDonationAnswer(MealDonationItem):
    """What became of it: first in, first out."""

    meals = fields.Integer(required=True)
    used_fen = fields.Integer(required=True)
    allotted_fen = fields.Integer(required=True, metadata={"description": "已从区级捐款分配到助餐点"})
    left_fen = fields.Integer(required=True)
    last_meals = fields.List(fields.Nested(DonatedMealItem), required=True)


class MealDonationPage(SortedPage):
    """Donations, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(MealDonationItem), required=True)


class AllotmentOfDonationsAnswer(Answer):
    """What was passed on."""

    allotment_id = Id(required=True)
    canteen_id = Id(required=True)
    amount_fen = fields.Integer(required=True)
    note = fields.String(required=True)
    allotted_at = Moment(required=True)
    allotted_by_name = fields.String(required=True)
    transfer_id = Id(required=True)
