"""Requests and answers about loans of aids."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, QueryFlag, Text, Whole
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.redemption.aids.rules import USABLE, Condition, LoanStatus
from timebank.redemption.aids.views import AID_LOAN_ORDERS


class ReserveAidBody(Body):
    """One aid, or any of a kind; a steward says on what evidence, for an elder without a phone."""

    item_id = Id(load_default=None, allow_none=True)
    kind = Text(longest=40, load_default=None, allow_none=True)
    township_code = Text(longest=12, load_default=None, allow_none=True)
    days = Whole(1, 3660, required=True)
    for_person_id = Id(load_default=None, allow_none=True)
    evidence = Text(longest=200, load_default=None, allow_none=True)


class LendAidBody(Body):
    """How the aid is when it is handed over, and what shows who takes it: the code, or evidence."""

    condition = Choice([str(condition) for condition in USABLE], required=True)
    code = Text(longest=20, load_default=None, allow_none=True, metadata={"description": "老人出示的六位取用码"})
    evidence = Text(longest=200, load_default=None, allow_none=True)


class ExtendAidBody(Body):
    """How many days more."""

    days = Whole(1, 3660, required=True)
    evidence = Text(longest=200, load_default=None, allow_none=True)


class CancelAidBody(Body):
    """Why; a steward has to say."""

    reason = Text(longest=200, shortest=0, load_default="")


class ReturnAidBody(Body):
    """How the aid came back, and where, if not in the steward's own township."""

    condition = Choice([str(c) for c in (*USABLE, Condition.IN_REPAIR)], required=True)
    township_code = Text(longest=12, load_default=None, allow_none=True)
    damage = Text(longest=500, shortest=0, load_default="")


class LostAidBody(Body):
    """What happened."""

    reason = Text(longest=500, required=True)


class AidLoansQuery(SortedQuery):
    """Which loans; ``serial`` finds who has the aid that somebody brings."""

    sort = Sort(AID_LOAN_ORDERS)
    for_person_id = Id()
    status = Choice([str(status) for status in LoanStatus])
    township_code = Text(longest=12)
    serial = Text(longest=60)
    overdue = QueryFlag(load_default=False)


class AgreedDays(Answer):
    """Days promised together, on reserving or extending; ``evidence`` is what a steward wrote down."""

    days = fields.Integer(required=True)
    added_at = Moment(required=True)
    added_by_name = fields.String(required=True)
    evidence = fields.String(required=True, allow_none=True)


class AidLoanAnswer(Answer):
    """One loan, with what its days came to, in minutes."""

    loan_id = Id(required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    item_id = Id(required=True)
    serial = fields.String(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    item_name = fields.String(required=True)
    home_township_code = fields.String(required=True)
    at_township_code = fields.String(required=True)
    holder_id = Id(required=True)
    holder_name = fields.String(required=True)
    holder_township_code = fields.String(required=True)
    days = fields.Integer(required=True)
    price_minutes = fields.Integer(required=True)
    code = fields.String(required=True, allow_none=True, metadata={"description": "取用码，只给本人和代办人看"})
    reserved_at = Moment(required=True)
    reserved_by_name = fields.String(required=True)
    reserved_until = Moment(required=True)
    lent_at = Moment(required=True, allow_none=True)
    lent_by_name = fields.String(required=True, allow_none=True)
    lent_condition = fields.String(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    overdue_days = fields.Integer(required=True)
    used_days = fields.Integer(required=True)
    charged_minutes = fields.Integer(required=True, metadata={"description": "已扣分钟，不含已冲正的"})
    reversed_minutes = fields.Integer(required=True, metadata={"description": "已冲正退回的分钟"})
    held_minutes = fields.Integer(required=True)
    owed_days = fields.Integer(required=True)
    owed_minutes = fields.Integer(required=True)
    agreed = fields.List(fields.Nested(AgreedDays), required=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_by_name = fields.String(required=True, allow_none=True)
    ended_reason = fields.String(required=True, allow_none=True)
    returned_condition = fields.String(required=True, allow_none=True)
    returned_township_code = fields.String(required=True, allow_none=True)


class AidLoanPage(SortedPage):
    """Loans, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(AidLoanAnswer), required=True)
