"""Requests and answers about diners."""

from marshmallow import fields

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
    QueryFlag,
    Several,
    Text,
)
from app.api.menus.schemas import ReturnedRow
from app.api.sorting import DatedQuery, Sort, SortedPage
from timebank.canteens.diners.rules import DinerState
from timebank.canteens.diners.views import DINER_ORDERS
from timebank.canteens.pricing.rules import DietForm

FORMS = [str(form) for form in DietForm]
MOST_CATEGORIES = 20
CATEGORY_CODE = {"description": "特殊类别代码，见办法 diner_categories", "example": "low_income"}


class WishesBody(Body):
    """What a diner wants and needs; only what is given changes, null takes it back."""

    diet_form = Choice(FORMS)
    allergies = Several(Text(longest=20), lowest=0, highest=20, metadata={"description": "见办法 allergens"})
    religious_diet = Text(longest=20, allow_none=True, metadata={"description": "见办法 religious_diets"})
    usual_canteen_id = Id(allow_none=True)
    delivery_address = Text(longest=200, shortest=0)
    delivery_note = Text(longest=200, shortest=0)
    latitude = Degrees(90, allow_none=True)
    longitude = Degrees(180, allow_none=True)


class CategoryGrantBody(Body):
    """A special category as a steward grants it; both days count, no last day is no end."""

    category = Text(longest=40, required=True, metadata=CATEGORY_CODE)
    valid_from = Day(required=True)
    valid_until = Day(load_default=None, allow_none=True)
    evidence = Text(longest=200, required=True)


class ApplyToEatBody(WishesBody):
    """For oneself, or for ``person_id``; categories are claimed by applicants and granted by stewards."""

    person_id = Id(load_default=None, allow_none=True)
    categories = Several(Text(longest=40, metadata=CATEGORY_CODE), lowest=0, highest=MOST_CATEGORIES, load_default=list)
    evidence = Text(longest=200, shortest=0, load_default="")
    grants = Several(Part(CategoryGrantBody), lowest=0, highest=MOST_CATEGORIES, load_default=list)


class ReviewDinerBody(Body):
    """Approve, with the categories that were shown, or refuse with a reason."""

    approve = Flag(required=True)
    reason = Text(longest=200, shortest=0, load_default="")
    grants = Several(Part(CategoryGrantBody), lowest=0, highest=MOST_CATEGORIES, load_default=list)


class EndCategoryBody(Body):
    """The last day on which it is valid, and why."""

    last_day = Day(required=True)
    reason = Text(longest=200, required=True)


class WithdrawCategoryBody(Body):
    """What was wrong."""

    reason = Text(longest=200, required=True)


class JoinHouseholdBody(Body):
    """Into whose household, and what shows it."""

    with_person_id = Id(required=True)
    evidence = Text(longest=200, required=True)


class LeaveHouseholdBody(Body):
    """What shows it."""

    evidence = Text(longest=200, required=True)


class DinersQuery(DatedQuery):
    """Which files; ``category`` is one that is valid today, days are those of the applications."""

    sort = Sort(DINER_ORDERS)
    township_code = Text(longest=20)
    state = Choice([str(state) for state in DinerState])
    category = Text(longest=40, metadata=CATEGORY_CODE)
    canteen_id = Id()


class DinerCategoryAnswer(Answer):
    """A special category of a diner, also one that ended or was withdrawn."""

    category_id = Id(required=True)
    category = fields.String(required=True)
    category_name = fields.String(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    valid_today = fields.Boolean(required=True)
    evidence = fields.String(required=True)
    decided_at = Moment(required=True)
    decided_by_name = fields.String(required=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_by_name = fields.String(required=True, allow_none=True)
    ended_reason = fields.String(required=True, allow_none=True)
    withdrawn_at = Moment(required=True, allow_none=True)
    withdrawn_by_name = fields.String(required=True, allow_none=True)
    withdrawn_reason = fields.String(required=True, allow_none=True)


class HouseholdMember(Answer):
    """Somebody of the same household."""

    person_id = Id(required=True)
    name = fields.String(required=True)


class ImportDinersQuery(Body):
    """What the file is called; ``dry_run`` changes nothing."""

    file_name = Text(longest=200, load_default="用餐对象.xlsx")
    dry_run = QueryFlag(load_default=False)


class ImportNote(Answer):
    """Something to look at in a row that went in."""

    row = fields.Integer(required=True)
    text = fields.String(required=True)


class DinerImportAnswer(Answer):
    """People entered, files opened, categories granted, files that stood before; rows that come back."""

    people = fields.Integer(required=True)
    diners = fields.Integer(required=True)
    categories = fields.Integer(required=True)
    already_present = fields.Integer(required=True)
    rejected = fields.List(fields.Nested(ReturnedRow), required=True)
    notes = fields.List(fields.Nested(ImportNote), required=True)
    dry_run = fields.Boolean(required=True)


FOR_THE_KITCHEN = {"description": "助餐点只看姓名、餐食形态、过敏原和饮食习惯，其余为 null"}


class DinerAnswer(Answer):
    """One diner's file; a canteen is shown what its kitchen needs, the rest is null."""

    person_id = Id(required=True)
    name = fields.String(required=True, metadata=FOR_THE_KITCHEN)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    diet_form = fields.String(required=True)
    diet_form_name = fields.String(required=True)
    allergies = fields.List(fields.String(), required=True)
    religious_diet = fields.String(required=True, allow_none=True)
    usual_canteen_id = Id(required=True, allow_none=True)
    usual_canteen_name = fields.String(required=True, allow_none=True)
    township_code = fields.String(required=True, allow_none=True)
    age = fields.Integer(required=True, allow_none=True)
    assessment_level = fields.Integer(required=True, allow_none=True)
    delivery_address = fields.String(required=True, allow_none=True)
    delivery_note = fields.String(required=True, allow_none=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    household_id = Id(required=True, allow_none=True)
    household = fields.List(fields.Nested(HouseholdMember), required=True, allow_none=True)
    categories = fields.List(fields.Nested(DinerCategoryAnswer), required=True, allow_none=True)
    proposed_categories = fields.List(fields.String(), required=True, allow_none=True)
    proposal_evidence = fields.String(required=True, allow_none=True)
    applied_at = Moment(required=True, allow_none=True)
    applied_by_name = fields.String(required=True, allow_none=True)
    reviewed_at = Moment(required=True, allow_none=True)
    reviewed_by_name = fields.String(required=True, allow_none=True)
    review_reason = fields.String(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)


class DinerPage(SortedPage):
    """Files, in the order of their applications where no other is asked for."""

    items = fields.List(fields.Nested(DinerAnswer), required=True)
