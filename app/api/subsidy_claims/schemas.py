"""Requests and answers about monthly claims of subsidies; all money in fen."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, PageQuery, QueryFlag, Text
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.canteens.subsidies.queries.views import CLAIM_ORDERS, FINDING_ORDERS
from timebank.canteens.subsidies.rules import ClaimState, Decision

_MONTH = {"description": "如 2026-11"}


class ComputeClaimBody(Body):
    """Of which canteen which finished month."""

    canteen_id = Id(required=True)
    month = Text(longest=7, required=True, metadata=_MONTH)


class DecideFindingBody(Body):
    """``upheld``: the government's share is not given; ``dismissed``: it is; and why."""

    decision = Choice([str(decision) for decision in Decision], required=True)
    reason = Text(longest=500, required=True)


class ReturnClaimBody(Body):
    """Why the claim is to be computed anew."""

    reason = Text(longest=500, required=True)


class PayClaimBody(Body):
    """The reference of the payment, as on the bank's slip."""

    reference = Text(longest=200, required=True)


class ClaimsQuery(SortedQuery):
    """Which claims."""

    sort = Sort(CLAIM_ORDERS)
    month = Text(longest=7, metadata=_MONTH)
    township_code = Text(longest=12)
    canteen_id = Id()
    state = Choice([str(state) for state in ClaimState])


class FindingsQuery(SortedQuery):
    """Which findings; with ``open`` those that nobody has answered."""

    sort = Sort(FINDING_ORDERS)
    open = QueryFlag(load_default=False)


class SharesQuery(PageQuery):
    """Which month, the running one by default, and which township, all that may be seen by default."""

    month = Text(longest=7, metadata=_MONTH)
    township_code = Text(longest=12)


class ClaimLineItem(Answer):
    """What one rule makes; ``in_kind`` was had without money and is not paid for."""

    share = fields.String(required=True)
    share_name = fields.String(required=True)
    rule_key = fields.String(required=True)
    label = fields.String(required=True)
    meals = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    in_kind = fields.Boolean(required=True)


class ClaimFindingItem(Answer):
    """One finding; the diner's name is masked. ``fen`` of the government's share are at stake."""

    number = fields.Integer(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    order_id = Id(required=True, allow_none=True)
    diner_name = fields.String(required=True, allow_none=True)
    served_on = fields.Date(required=True, allow_none=True)
    meal = fields.String(required=True, allow_none=True)
    fen = fields.Integer(required=True)
    reason = fields.String(required=True)
    decision = fields.String(required=True, allow_none=True)
    decision_reason = fields.String(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)
    decided_by_name = fields.String(required=True, allow_none=True)


class ClaimItem(Answer):
    """One claim: the month's meals by share, what is disallowed, netted and paid."""

    claim_id = Id(required=True)
    canteen_id = Id(required=True)
    canteen_name = fields.String(required=True)
    township_code = fields.String(required=True)
    month = fields.String(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    meals = fields.Integer(required=True)
    list_fen = fields.Integer(required=True)
    elder_fen = fields.Integer(required=True)
    government_fen = fields.Integer(required=True)
    donation_fen = fields.Integer(required=True)
    garden_fen = fields.Integer(required=True)
    volunteers_fen = fields.Integer(required=True)
    volunteers_in_kind_fen = fields.Integer(required=True)
    operating_fen = fields.Integer(required=True)
    ledger_fen = fields.Integer(required=True)
    disallowed_fen = fields.Integer(required=True, allow_none=True)
    netted_fen = fields.Integer(required=True, allow_none=True)
    paid_fen = fields.Integer(required=True, allow_none=True)
    findings = fields.Integer(required=True)
    open_findings = fields.Integer(required=True)
    computed_at = Moment(required=True)
    computed_by_name = fields.String(required=True)
    township_approved_at = Moment(required=True, allow_none=True)
    township_approved_by_name = fields.String(required=True, allow_none=True)
    approved_at = Moment(required=True, allow_none=True)
    approved_by_name = fields.String(required=True, allow_none=True)
    paid_at = Moment(required=True, allow_none=True)
    paid_by_name = fields.String(required=True, allow_none=True)
    paid_reference = fields.String(required=True, allow_none=True)
    returned_at = Moment(required=True, allow_none=True)
    returned_by_name = fields.String(required=True, allow_none=True)
    return_reason = fields.String(required=True, allow_none=True)


class ClaimAnswer(ClaimItem):
    """One claim with what each rule makes in it."""

    lines = fields.List(fields.Nested(ClaimLineItem), required=True)


class ClaimPage(SortedPage):
    """Claims, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(ClaimItem), required=True)


class ClaimFindingPage(SortedPage):
    """Findings of a claim, by number where no other order is asked for."""

    items = fields.List(fields.Nested(ClaimFindingItem), required=True)


class FiveSharesItem(Answer):
    """Who bore a township's meals of one month; ``list_fen`` is the sum of the five."""

    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    month = fields.String(required=True)
    meals = fields.Integer(required=True)
    diners = fields.Integer(required=True)
    list_fen = fields.Integer(required=True)
    elder_fen = fields.Integer(required=True)
    government_fen = fields.Integer(required=True)
    donation_fen = fields.Integer(required=True)
    garden_fen = fields.Integer(required=True)
    volunteers_fen = fields.Integer(required=True)


class FiveSharesPage(Page):
    """Townships by code."""

    items = fields.List(fields.Nested(FiveSharesItem), required=True)
