"""Answers about oneself."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from app.api.fields import Answer, Body, Choice, Id, Moment, PageQuery, Text
from app.api.operation import Page


class MeAnswer(Answer):
    """Who I am."""

    person_id = Id(required=True)
    name = fields.String(required=True)
    township_code = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class BalanceAnswer(Answer):
    """My minutes, and my money for meals where there is a purse."""

    savings_minutes = fields.Integer(required=True)
    granted_minutes = fields.Integer(required=True)
    held_minutes = fields.Integer(required=True)
    available_minutes = fields.Integer(required=True)
    voucher_minutes = fields.Integer(required=True, metadata={"description": "未用餐券中的分钟数"})
    purse_fen = fields.Integer(metadata={"description": "餐费余额（分）；没有开过的不出现，下同"})
    purse_held_fen = fields.Integer(metadata={"description": "其中为已订的餐冻结"})
    purse_available_fen = fields.Integer(metadata={"description": "其中可用"})
    as_of = Moment(required=True)


class HonoursAnswer(Answer):
    """My honour: all that was confirmed, whatever became of it."""

    honour_minutes = fields.Integer(required=True)
    stars = fields.Integer(required=True)
    next_star_minutes = fields.Integer(required=True, allow_none=True, metadata={"description": "null 为已是最高星级"})
    surplus_minutes = fields.Integer(required=True, metadata={"description": "超出上限、转入公益时间池的"})
    donated_minutes = fields.Integer(required=True)


_WHOSE = "本人以外：代办的老人；管理员查本镇街、审计查全区的人（留痕）"


class WhoseQuery(Body):
    """Of whom; oneself where nobody is named."""

    for_person_id = Id(metadata={"description": _WHOSE})


class StatementQuery(PageQuery):
    """Of whom, and of which minutes."""

    for_person_id = Id(metadata={"description": _WHOSE})
    account = Choice(
        ["savings", "granted"], load_default="savings", metadata={"description": "储蓄时长，或政府给的时长"}
    )


class StatementItem(Answer):
    """One line; ``minutes`` is signed."""

    transfer_id = Id(required=True)
    posted_at = Moment(required=True)
    effective_at = Moment(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    minutes = fields.Integer(required=True)
    balance_minutes = fields.Integer(required=True)
    counterpart_township_code = fields.String(required=True, allow_none=True)
    note = fields.String(required=True)
    expires_on = fields.Date(required=True, allow_none=True, metadata={"description": "政府给的时长有效到哪天"})


class StatementPage(Page):
    """Lines, newest first."""

    items = fields.List(fields.Nested(StatementItem), required=True)


_ASKED_ABOUT = ("transfer_id", "task_id", "voucher_id", "booking_id", "order_id", "key")


class ExplainQuery(Body):
    """What to explain: a transfer, a service, a voucher, a care booking, a meal, or a refusal by its request's key."""

    transfer_id = Id(metadata={"description": "明细中的一笔划转"})
    task_id = Id(metadata={"description": "接过的一项任务：为什么有、或没有时长"})
    voucher_id = Id(metadata={"description": "一张用餐券：为什么能用或不能用"})
    booking_id = Id(metadata={"description": "一项居家养老预约：冻结、扣除了多少"})
    order_id = Id(metadata={"description": "一份订餐：谁付了多少、为什么，或为什么收费、没有收费"})
    key = Text(longest=200, metadata={"description": "被拒绝的请求的 Idempotency-Key，见 me.refusals"})
    for_person_id = Id(metadata={"description": _WHOSE})

    @validates_schema
    def one_thing(self, data: dict[str, Any], **_: Any) -> None:
        """Exactly one thing is asked about."""
        if sum(name in data for name in _ASKED_ABOUT) != 1:
            raise ValidationError("请只写一项：" + "、".join(_ASKED_ABOUT), "transfer_id")


class FactItem(Answer):
    """One thing that a reason rests on; ``text`` is for people, ``value`` for programs."""

    name = fields.String(required=True)
    label = fields.String(required=True)
    value: fields.Field[Any] = fields.Raw(required=True, allow_none=True)
    text = fields.String(required=True)


class RuleItem(Answer):
    """One policy behind a reason, as it was in force then."""

    key = fields.String(required=True)
    label = fields.String(required=True)
    value: fields.Field[Any] = fields.Raw(required=True, allow_none=True)
    text = fields.String(required=True)
    policy_version = fields.Integer(required=True)
    in_force_since = Moment(required=True)
    source = fields.String(required=True)


class ExplanationAnswer(Answer):
    """为什么: the reason in plain words, with its rules and facts."""

    title = fields.String(required=True)
    reason = fields.String(required=True)
    advice = fields.String(required=True, allow_none=True)
    happened_at = Moment(required=True)
    policy_version = fields.Integer(required=True, allow_none=True)
    rules = fields.List(fields.Nested(RuleItem), required=True)
    facts = fields.List(fields.Nested(FactItem), required=True)


class RefusalItem(Answer):
    """One request that was refused; ``key`` asks ``me.explain`` why."""

    key = fields.String(required=True)
    operation = fields.String(required=True)
    operation_name = fields.String(required=True)
    refused_at = Moment(required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)


class RefusalPage(Page):
    """Refusals, newest first, as long as they are kept (30 days)."""

    items = fields.List(fields.Nested(RefusalItem), required=True)
