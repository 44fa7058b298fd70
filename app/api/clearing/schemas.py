"""Answers about what townships owe one another."""

from typing import Any

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Id, Moment, PageQuery, Text
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.clearing.queries import WINDOW_ORDERS
from timebank.clearing.rules import WindowStatus

WINDOW_NAMES = {"example": "2026-11", "description": "清算周期名称；不填为进行中的周期，all 为全部"}


class WindowQuery(Body):
    """Which window; the open one by default."""

    window = Text(longest=20, metadata=WINDOW_NAMES)


class MatrixQuery(PageQuery):
    """Which window, and how much of it."""

    window = Text(longest=20, metadata=WINDOW_NAMES)


class LinesQuery(PageQuery):
    """Whose lines of which window; a township steward's own by default."""

    window = Text(longest=20, metadata={"example": "2026-11", "description": "清算周期名称；不填为进行中的周期"})
    township_code = Text(longest=20)


class PositionItem(Answer):
    """One township's position; positive is owed to it."""

    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    position_minutes = fields.Integer(required=True)
    position_fen = fields.Integer(required=True, allow_none=True, metadata={"description": "null 表示缺参考价"})
    owed_minutes = fields.Integer(required=True, metadata={"description": "全部未结算周期合计应付；负数为应收"})
    soft_limit_minutes = fields.Integer(required=True)
    hard_limit_minutes = fields.Integer(required=True)
    limit_state = fields.String(required=True)
    override_minutes = fields.Integer(required=True, metadata={"description": "硬限额之外已放行、尚未到期的部分"})
    beyond_limit_minutes = fields.Integer(required=True, metadata={"description": "应付超出硬限额的部分"})


class PositionsAnswer(Answer):
    """All positions of one window; they sum to zero."""

    window = fields.String(required=True)
    status = fields.String(required=True)
    items = fields.List(fields.Nested(PositionItem), required=True)
    sum_minutes = fields.Integer(required=True)
    sum_fen = fields.Integer(required=True, allow_none=True)


class MatrixPart(Answer):
    """What is owed at one price."""

    price_kind = fields.String(required=True)
    price_kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    transfers = fields.Integer(required=True)
    fen = fields.Integer(required=True, allow_none=True)


class MatrixItem(Answer):
    """Who owes whom, gross."""

    debtor_township_code = fields.String(required=True)
    debtor_name = fields.String(required=True)
    creditor_township_code = fields.String(required=True)
    creditor_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    transfers = fields.Integer(required=True)
    fen = fields.Integer(required=True, allow_none=True)
    parts = fields.List(fields.Nested(MatrixPart), required=True)


class MatrixPage(Page):
    """At most twelve times eleven lines, and those of minutes carried over."""

    window = fields.String(required=True)
    status = fields.String(required=True)
    items = fields.List(fields.Nested(MatrixItem), required=True)


class LineItem(Answer):
    """One movement as a township sees it; positive minutes are owed to it."""

    transfer_id = Id(required=True)
    recorded_at = Moment(required=True)
    effective_at = Moment(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    price_kind = fields.String(required=True)
    minutes = fields.Integer(required=True)
    counterpart_township_code = fields.String(required=True)
    person_name = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    moved_in = fields.Boolean(required=True)
    dispute = fields.String(required=True, allow_none=True)


class LinePage(Page):
    """A township's lines in the order of posting."""

    window = fields.String(required=True)
    status = fields.String(required=True)
    township_code = fields.String(required=True)
    items = fields.List(fields.Nested(LineItem), required=True)


class WindowItem(Answer):
    """One clearing window."""

    window = fields.String(required=True)
    number = fields.Integer(required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    opened_at = Moment(required=True)
    due_at = Moment(required=True)
    ends_at = Moment(required=True, allow_none=True, metadata={"description": "周期截止：到期时，或提前关账时"})
    closed_at = Moment(required=True, allow_none=True)
    closed_by_name = fields.String(required=True, allow_none=True)
    settled_at = Moment(required=True, allow_none=True)
    prices_fen_per_hour: fields.Field[Any] = fields.Raw(required=True, allow_none=True)
    seal = fields.String(required=True, allow_none=True)


class WindowsQuery(SortedQuery):
    """Which windows."""

    sort = Sort(WINDOW_ORDERS)
    status = Choice([str(status) for status in WindowStatus])


class WindowPage(SortedPage):
    """Windows, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(WindowItem), required=True)
