"""Settling windows, following the payments, and granting what lies beyond a limit."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.clearing.review_routes import plain, whole_window
from app.api.clearing.review_schemas import (
    AbortBody,
    FailedBody,
    GuaranteeCallItem,
    GuaranteeCallPage,
    GuaranteeCallsQuery,
    OverrideBody,
    OverrideItem,
    OverridePage,
    OverridesQuery,
    PaidBody,
    PaymentItem,
    PaymentPage,
    PaymentsQuery,
    SettledAnswer,
    WindowAnswer,
)
from app.api.clearing.routes import WINDOW, doors
from app.api.operation import operation
from app.api.sorting import listed, part_of
from timebank.clearing import actions, queries
from timebank.clearing.models import LimitOverride
from timebank.clearing.queries import GUARANTEE_CALL_ORDERS, OVERRIDE_ORDERS
from timebank.core.actors import Actor
from timebank.core.sorting import Part

PAYMENT = "/payments/<uuid:payment_id>"
_MOST_PAYMENTS = 100


@operation(
    doors, f"/windows/{WINDOW}/settle", "clearing.settle", "结算清算周期",
    method="POST", answers=SettledAnswer, key="optional",
)  # fmt: skip
def settle(session: Session, actor: Actor, window: str) -> dict[str, Any]:
    actions.settle_window(session, actor=actor, window_name=window)
    found = queries.find_window(session, window)
    wanted = queries.ReviewFilter(window=found, state="instructed")
    paid = queries.payments(session, actor, wanted=wanted, part=Part(_MOST_PAYMENTS))
    return {**whole_window(session, found), "payments": paid.items}


@operation(
    doors, f"/windows/{WINDOW}/abort-settlement", "clearing.abort_settlement", "撤销结算",
    method="POST", body=AbortBody, answers=WindowAnswer, key="optional",
)  # fmt: skip
def abort_settlement(session: Session, actor: Actor, body: dict[str, Any], window: str) -> dict[str, Any]:
    actions.abort_settlement(session, actor=actor, window_name=window, **body)
    return whole_window(session, queries.find_window(session, window))


@operation(doors, "/payments", "clearing.payments", "付款清单", query=PaymentsQuery, answers=PaymentPage)
def payments(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = queries.ReviewFilter(
        window=queries.find_window(session, query["window"]) if "window" in query else None,
        township_code=query.get("township_code"),
        state=query.get("state"),
    )
    found = queries.payments(session, actor, wanted=wanted, part=part_of(query, queries.PAYMENT_ORDERS))
    return listed(found, queries.PAYMENT_ORDERS)


@operation(
    doors, f"{PAYMENT}/paid", "clearing.payment_paid", "登记付款完成",
    method="POST", body=PaidBody, answers=PaymentItem, key="optional",
)  # fmt: skip
def payment_paid(session: Session, actor: Actor, body: dict[str, Any], payment_id: UUID) -> queries.PaymentView:
    paid = actions.payment_paid(session, actor=actor, payment_id=payment_id, **body)
    return queries.payment_view(session, paid.id)


@operation(
    doors, f"{PAYMENT}/failed", "clearing.payment_failed", "登记付款未成功",
    method="POST", body=FailedBody, answers=PaymentItem, key="optional",
)  # fmt: skip
def payment_failed(session: Session, actor: Actor, body: dict[str, Any], payment_id: UUID) -> queries.PaymentView:
    failed = actions.payment_failed(session, actor=actor, payment_id=payment_id, **body)
    return queries.payment_view(session, failed.id)


@operation(
    doors, f"{PAYMENT}/again", "clearing.instruct_again", "重新指令付款",
    method="POST", answers=PaymentItem, status=201, key="optional",
)  # fmt: skip
def instruct_again(session: Session, actor: Actor, payment_id: UUID) -> queries.PaymentView:
    return queries.payment_view(session, actions.instruct_again(session, actor=actor, payment_id=payment_id).id)


@operation(
    doors, "/limit-overrides", "clearing.grant_override", "头寸限额放行",
    method="POST", body=OverrideBody, answers=OverrideItem, status=201, key="required",
)  # fmt: skip
def grant_override(session: Session, actor: Actor, body: dict[str, Any]) -> LimitOverride:
    return actions.grant_override(session, actor=actor, **body)


@operation(doors, "/limit-overrides", "clearing.overrides", "放行记录", query=OverridesQuery, answers=OverridePage)
def overrides(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    part = part_of(query, OVERRIDE_ORDERS)
    found = queries.overrides(session, actor, township_code=query.get("township_code"), part=part)
    return listed(found, OVERRIDE_ORDERS)


@operation(
    doors, "/guarantee-calls", "clearing.guarantee_calls", "保障金垫付记录",
    query=GuaranteeCallsQuery, answers=GuaranteeCallPage,
)  # fmt: skip
def guarantee_calls(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    part = part_of(query, GUARANTEE_CALL_ORDERS)
    found = queries.guarantee_calls(session, actor, township_code=query.get("township_code"), part=part)
    items = [
        {
            **plain(call, GuaranteeCallItem),
            "creditor_township_code": call.creditor,
            "window": window,
        }
        for call, window in found.items
    ]
    return listed(found.holding(items), GUARANTEE_CALL_ORDERS)
