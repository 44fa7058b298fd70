"""The statement of one township in one window, as programs read it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from marshmallow import fields, pre_dump

from app.api.clearing.schemas import LineItem
from app.api.fields import Answer, Body, Id, Moment, Text

_MISSING_PRICE = {"description": "null 表示缺参考价"}


class StatementQuery(Body):
    """Whose statement; a township steward's own by default."""

    township_code = Text(longest=20)


class GrossItem(Answer):
    """What was done one way."""

    transfers = fields.Integer(required=True)
    minutes = fields.Integer(required=True)
    fen = fields.Integer(required=True, allow_none=True, metadata=_MISSING_PRICE)


class BothWaysItem(Answer):
    """Given is owed to the township 应收, received is owed by it 应付; net is positive where owed to it."""

    given = fields.Nested(GrossItem, required=True)
    received = fields.Nested(GrossItem, required=True)
    net_minutes = fields.Integer(required=True)
    net_fen = fields.Integer(required=True, allow_none=True, metadata=_MISSING_PRICE)


class KindTotalItem(BothWaysItem):
    """The same at one reference price."""

    price_kind = fields.String(required=True)
    price_kind_name = fields.String(required=True)


class CounterpartItem(BothWaysItem):
    """The same with one other township; ``house`` stands for minutes carried over."""

    counterpart_township_code = fields.String(required=True)
    counterpart_name = fields.String(required=True)
    parts = fields.List(fields.Nested(KindTotalItem), required=True)


class MovedItem(Answer):
    """A line that moved between windows."""

    transfer_id = Id(required=True)
    from_window = fields.String(required=True)
    to_window = fields.String(required=True)
    counterpart_township_code = fields.String(required=True)
    counterpart_name = fields.String(required=True)
    kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    moved_at = Moment(required=True)


class StatementDisputeItem(Answer):
    """An objection to a line of the statement, by the township or by its counterpart."""

    dispute_id = Id(required=True)
    transfer_id = Id(required=True)
    recorded_at = Moment(required=True)
    counterpart_township_code = fields.String(required=True)
    counterpart_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    raised_by_township_code = fields.String(required=True)
    raised_by_township_name = fields.String(required=True)
    reason = fields.String(required=True)
    raised_at = Moment(required=True)
    raised_by_name = fields.String(required=True)
    ruling = fields.String(required=True, allow_none=True)
    ruling_name = fields.String(required=True, allow_none=True)
    ruling_reason = fields.String(required=True, allow_none=True)
    ruled_at = Moment(required=True, allow_none=True)
    ruled_by_name = fields.String(required=True, allow_none=True)


class ConfirmationItem(Answer):
    """Who confirmed the statement for the township."""

    confirmed_at = Moment(required=True)
    confirmed_by_name = fields.String(required=True)
    note = fields.String(required=True, allow_none=True)


class StatementPaymentItem(Answer):
    """One try at the township's payment or receipt."""

    payment_id = Id(required=True)
    attempt = fields.Integer(required=True)
    direction = fields.String(required=True)
    direction_name = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    outside_reference = fields.String(required=True, allow_none=True)
    problem = fields.String(required=True, allow_none=True)
    instructed_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)


class StatementSettlementItem(Answer):
    """How the window was settled, with this township's payments."""

    settlement_id = Id(required=True)
    method = fields.String(required=True)
    method_name = fields.String(required=True)
    status = fields.String(required=True)
    status_name = fields.String(required=True)
    settled_at = Moment(required=True)
    settled_by_name = fields.String(required=True)
    carried_into = fields.String(required=True, allow_none=True)
    payments = fields.List(fields.Nested(StatementPaymentItem), required=True)


class StandingItem(Answer):
    """What the township owes now in all windows not settled, against its limits, in minutes."""

    owed_minutes = fields.Integer(required=True)
    soft_limit_minutes = fields.Integer(required=True)
    hard_limit_minutes = fields.Integer(required=True)
    override_minutes = fields.Integer(required=True)
    limit_state = fields.String(required=True)
    limit_state_name = fields.String(required=True)


class StatementAnswer(Answer):
    """One township in one window; its lines come page by page from ``clearing.lines``."""

    window = fields.String(required=True, attribute="window.window")
    status = fields.String(required=True, attribute="window.status")
    status_name = fields.String(required=True, attribute="window.status_name")
    opened_at = Moment(required=True, attribute="window.opened_at")
    closed_at = Moment(required=True, allow_none=True, attribute="window.closed_at")
    closed_by_name = fields.String(required=True, allow_none=True, attribute="window.closed_by_name")
    settled_at = Moment(required=True, allow_none=True, attribute="window.settled_at")
    prices_fen_per_hour: fields.Field[Any] = fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": "分/小时"}
    )
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    position_minutes = fields.Integer(required=True)
    position_fen = fields.Integer(required=True, allow_none=True, metadata=_MISSING_PRICE)
    total = fields.Nested(BothWaysItem, required=True)
    kinds = fields.List(fields.Nested(KindTotalItem), required=True)
    counterparts = fields.List(fields.Nested(CounterpartItem), required=True)
    moved_in = fields.List(fields.Nested(MovedItem), required=True)
    moved_out = fields.List(fields.Nested(MovedItem), required=True)
    disputes = fields.List(fields.Nested(StatementDisputeItem), required=True)
    confirmation = fields.Nested(ConfirmationItem, required=True, allow_none=True)
    settlement = fields.Nested(StatementSettlementItem, required=True, allow_none=True)
    seal = fields.String(required=True, allow_none=True, metadata={"description": "十六进制；进行中的周期为 null"})
    seal_is_final = fields.Boolean(required=True, metadata={"description": "false 表示核对中，可能变动"})
    standing = fields.Nested(
        StandingItem, required=True, allow_none=True, metadata={"description": "当前限额状态；已结算的周期为 null"}
    )


class StatementWithLines(StatementAnswer):
    """The statement with the first of its lines; the others come from ``clearing.lines``, from the cursor on."""

    lines = fields.List(fields.Nested(LineItem), required=True)
    lines_next_cursor = fields.String(required=True, allow_none=True)

    @pre_dump
    def side_by_side(self, found: dict[str, Any], **_rest: Any) -> SimpleNamespace:
        """What the statement says, and the lines beside it."""
        said = found.pop("statement")
        names = [field.attribute.partition(".")[0] if field.attribute else name for name, field in self.fields.items()]
        return SimpleNamespace(**{name: getattr(said, name) for name in names if name not in found}, **found)
