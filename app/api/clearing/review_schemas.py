"""Requests and answers about the review, settlement and limits of clearing windows."""

from marshmallow import fields

from app.api.clearing.schemas import WINDOW_NAMES, WindowItem
from app.api.fields import Answer, Body, Choice, Id, Moment, QueryFlag, Text, Whole
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.clearing.queries import DISPUTE_ORDERS, GUARANTEE_CALL_ORDERS, OVERRIDE_ORDERS, PAYMENT_ORDERS

REASON = 500


class ConfirmStatementBody(Body):
    """Whose statement; a township steward's own by default. The district says why it confirms for a township."""

    township_code = Text(longest=20, load_default=None, allow_none=True)
    note = Text(longest=REASON, load_default=None, allow_none=True)


class DisputeLineBody(Body):
    """Which line, by either leg of its movement, and what is wrong with it."""

    transfer_id = Id(required=True)
    reason = Text(longest=REASON, required=True)
    township_code = Text(longest=20, load_default=None, allow_none=True)


class RuleDisputeBody(Body):
    """``stays`` in its window, or is ``moved`` into the open one."""

    ruling = Choice(["moved", "stays"], required=True)
    reason = Text(longest=REASON, required=True)


class AbortBody(Body):
    """Why."""

    reason = Text(longest=REASON, required=True)


class PaidBody(Body):
    """The reference of the bank or the treasury."""

    outside_reference = Text(longest=100, required=True)


class FailedBody(Body):
    """What was wrong."""

    problem = Text(longest=REASON, required=True)


class OverrideBody(Body):
    """How much beyond the hard limit, until when, and why."""

    township_code = Text(longest=20, required=True)
    extra_minutes = Whole(required=True)
    valid_until = Moment(required=True)
    reason = Text(longest=REASON, required=True)


class DisputesQuery(SortedQuery):
    """Of one window or of all; those not ruled upon only, if asked."""

    sort = Sort(DISPUTE_ORDERS)
    township_code = Text(longest=20, metadata={"description": "由哪个镇街提出"})
    window = Text(longest=20, metadata=WINDOW_NAMES)
    unruled = QueryFlag(load_default=False)


class PaymentsQuery(SortedQuery):
    """Of one window or of all; in one state only, if asked."""

    sort = Sort(PAYMENT_ORDERS)
    township_code = Text(longest=20)
    window = Text(longest=20, metadata=WINDOW_NAMES)
    state = Choice(["instructed", "paid", "failed", "withdrawn"])


class OverridesQuery(SortedQuery):
    """Of one township or of all; a township's steward sees its own."""

    sort = Sort(OVERRIDE_ORDERS)
    township_code = Text(longest=20)


class GuaranteeCallsQuery(SortedQuery):
    """Of one township or of all; a township's steward sees its own."""

    sort = Sort(GUARANTEE_CALL_ORDERS)
    township_code = Text(longest=20)


class TownshipPosition(Answer):
    """One township's position in a closed window, and who confirmed it."""

    township_code = fields.String(required=True)
    position_minutes = fields.Integer(required=True)
    position_fen = fields.Integer(required=True)
    confirmed_at = Moment(required=True, allow_none=True)
    confirmed_by_name = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)


class ConfirmAnswer(TownshipPosition):
    """The statement just confirmed."""

    window = fields.String(required=True)
    status = fields.String(required=True)


class SettlementItem(Answer):
    """One attempt to settle a window."""

    settlement_id = Id(required=True, attribute="id")
    attempt = fields.Integer(required=True)
    method = fields.String(required=True)
    carried_into_window = fields.Integer(
        required=True, allow_none=True, attribute="carried_into", metadata={"description": "结转到第几个周期"}
    )
    settlement_status = fields.String(required=True, attribute="status")
    settled_at = Moment(required=True)
    settled_by_name = fields.String(required=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_by_name = fields.String(required=True, allow_none=True)
    abort_reason = fields.String(required=True, allow_none=True)


class PaymentItem(Answer):
    """One payment to the house (``pay``) or receipt from it (``receive``)."""

    payment_id = Id(required=True)
    window = fields.String(required=True)
    settlement_id = Id(required=True)
    township_code = fields.String(required=True)
    attempt = fields.Integer(required=True)
    direction = fields.String(required=True)
    amount_fen = fields.Integer(required=True)
    state = fields.String(required=True)
    outside_reference = fields.String(required=True, allow_none=True)
    problem = fields.String(required=True, allow_none=True)
    instructed_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)


class PaymentPage(SortedPage):
    """Payments, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(PaymentItem), required=True)


class WindowAnswer(WindowItem):
    """One window with every township's statement and every attempt to settle it."""

    statements = fields.List(fields.Nested(TownshipPosition), required=True)
    settlements = fields.List(fields.Nested(SettlementItem), required=True)


class SettledAnswer(WindowAnswer):
    """A window just settled, with its payment list."""

    payments = fields.List(fields.Nested(PaymentItem), required=True)


class DisputeItem(Answer):
    """A disputed line, and the ruling once there is one."""

    dispute_id = Id(required=True)
    window = fields.String(required=True)
    transfer_id = Id(required=True)
    township_code = fields.String(required=True)
    debtor_township_code = fields.String(required=True)
    creditor_township_code = fields.String(required=True)
    minutes = fields.Integer(required=True)
    reason = fields.String(required=True)
    raised_at = Moment(required=True)
    raised_by_name = fields.String(required=True)
    ruling = fields.String(required=True, allow_none=True)
    ruling_reason = fields.String(required=True, allow_none=True)
    ruled_at = Moment(required=True, allow_none=True)
    ruled_by_name = fields.String(required=True, allow_none=True)


class DisputePage(SortedPage):
    """Disputes, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(DisputeItem), required=True)


class OverrideItem(Answer):
    """What was granted to a township beyond its hard limit."""

    override_id = Id(required=True, attribute="id")
    township_code = fields.String(required=True)
    extra_minutes = fields.Integer(required=True)
    valid_until = Moment(required=True)
    reason = fields.String(required=True)
    granted_at = Moment(required=True)
    granted_by_name = fields.String(required=True)


class OverridePage(SortedPage):
    """Overrides, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(OverrideItem), required=True)


class GuaranteeCallItem(Answer):
    """What was honoured beyond a township's hard limit, the guarantee fund standing in."""

    transfer_id = Id(required=True)
    window = fields.String(required=True)
    township_code = fields.String(required=True)
    creditor_township_code = fields.String(required=True)
    minutes = fields.Integer(required=True)
    owed_minutes = fields.Integer(required=True)
    hard_limit_minutes = fields.Integer(required=True)
    noted_at = Moment(required=True)


class GuaranteeCallPage(SortedPage):
    """Calls on the guarantee fund, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(GuaranteeCallItem), required=True)
