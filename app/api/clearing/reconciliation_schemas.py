"""Requests and answers about townships' own lists and the breaks between them and the books."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, QueryFlag, Text
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.clearing.queries import BREAK_ORDERS, RECONCILIATION_ORDERS
from timebank.clearing.township_lists import BreakType

WINDOW_OR_ALL = {"example": "2026-11", "description": "清算周期名称；不填为全部"}
TYPES = [str(kind) for kind in BreakType]
SIGNED = {"description": "正数为应收，负数为应付，从提交清单的镇街看"}


class ReconcileQuery(Body):
    """Whose list (a township steward's own by default), and the name of its file."""

    township_code = Text(longest=20)
    file_name = Text(longest=200, load_default="往来清单.xlsx")


class ReconciliationsQuery(SortedQuery):
    """Of one window or of all, of one township or of all."""

    sort = Sort(RECONCILIATION_ORDERS)
    window = Text(longest=20, metadata=WINDOW_OR_ALL)
    township_code = Text(longest=20)


class BreaksQuery(SortedQuery):
    """Those still open by default; ``township_code`` has handed in the list or is to look into it."""

    sort = Sort(BREAK_ORDERS)
    window = Text(longest=20, metadata=WINDOW_OR_ALL)
    township_code = Text(longest=20)
    type = Choice(TYPES)
    open = QueryFlag(load_default=True)


class CureBody(Body):
    """The movement that puts it right, by either leg."""

    transfer_id = Id(required=True)


class FoundCounts(Answer):
    """Breaks by type."""

    missing_here = fields.Integer(required=True)
    missing_there = fields.Integer(required=True)
    amount = fields.Integer(required=True)
    duplicate = fields.Integer(required=True)
    window = fields.Integer(required=True)


class UnreadableRow(Answer):
    """A row that could not be read; it was matched with nothing and makes no break."""

    row = fields.Integer(required=True)
    reason = fields.String(required=True)
    reason_name = fields.String(required=True)


class ReconciliationItem(Answer):
    """One list that was handed in, and what came of it."""

    reconciliation_id = Id(required=True)
    window = fields.String(required=True)
    township_code = fields.String(required=True)
    preliminary = fields.Boolean(required=True, metadata={"description": "提交时该周期尚未关账"})
    file_name = fields.String(required=True)
    file_sha256 = fields.String(required=True)
    rows = fields.Integer(required=True)
    matched = fields.Integer(required=True)
    found = fields.Nested(FoundCounts, required=True)
    cured_earlier = fields.Integer(required=True, metadata={"description": "其中此前已以划转更正的项数"})
    unreadable_rows = fields.Integer(required=True)
    uploaded_at = Moment(required=True)
    uploaded_by_name = fields.String(required=True)


class ReconciliationPage(SortedPage):
    """Lists, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(ReconciliationItem), required=True)


class BreakItem(Answer):
    """One break; minutes are signed as the township sees them that handed in the list."""

    break_id = Id(required=True)
    window = fields.String(required=True)
    township_code = fields.String(required=True)
    type = fields.String(required=True)
    type_name = fields.String(required=True)
    owner_township_code = fields.String(required=True, allow_none=True, metadata={"description": "null 为区级"})
    age_days = fields.Integer(required=True)
    opened_at = Moment(required=True)
    day = fields.Date(required=True)
    minutes_here = fields.Integer(required=True, allow_none=True, metadata=SIGNED)
    minutes_there = fields.Integer(required=True, allow_none=True, metadata=SIGNED)
    counterpart_township_code = fields.String(required=True, allow_none=True)
    row = fields.Integer(required=True, allow_none=True)
    transfer_id = Id(required=True, allow_none=True)
    other_window = fields.String(required=True, allow_none=True)
    person_name = fields.String(required=True, allow_none=True)
    cured_at = Moment(required=True, allow_none=True)
    cured_by_transfer_id = Id(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_reason = fields.String(required=True, allow_none=True)
    ended_reason_name = fields.String(required=True, allow_none=True)


class BreakPage(SortedPage):
    """Breaks, those found first first where no other order is asked for."""

    items = fields.List(fields.Nested(BreakItem), required=True)


class PossibleCure(Answer):
    """A movement that would put the break right; ``undoes`` says that it reverses another."""

    transfer_id = Id(required=True)
    recorded_at = Moment(required=True)
    effective_at = Moment(required=True)
    kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True, metadata=SIGNED)
    counterpart_township_code = fields.String(required=True)
    undoes = fields.Boolean(required=True)
    note = fields.String(required=True)


class CuresAnswer(Answer):
    """One break, and up to 50 movements that would put it right, the oldest first; none for one that is over."""

    found = fields.Nested(BreakItem, required=True)
    cures = fields.List(fields.Nested(PossibleCure), required=True)


class ReconciliationAnswer(ReconciliationItem):
    """What came of a list, with the first page of the breaks that are open after it."""

    unreadable = fields.List(fields.Nested(UnreadableRow), required=True)
    breaks = fields.Nested(BreakPage, required=True)
