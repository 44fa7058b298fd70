"""A window as the district sees it: closed, confirmed by the townships, settled, and its payments."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.clearing import WINDOW, window_filter
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from timebank.clearing.queries.statements import DIRECTION_NAMES, PAYMENT_STATE_NAMES

doors = Blueprint("desk_settling", __name__)

PAYMENT = "/desk/clearing/payments/<uuid:payment_id>"


@page(doors, WINDOW, who="desk")
def window(ask: Asker, window: str) -> Response:
    return _window_page(ask, window)


@page(doors, f"{WINDOW}/close", who="desk", method="POST")
def close(ask: Asker, window: str) -> Response:
    return _after(
        ask, window, ask.write("clearing.close_window", key=form_key(), window=window), "已关账，请各镇街核对"
    )


@page(doors, f"{WINDOW}/settle", who="desk", method="POST")
def settle(ask: Asker, window: str) -> Response:
    answer = ask.write("clearing.settle", key=form_key(), window=window)
    return _after(ask, window, answer, "已结算，付款清单已生成")


@page(doors, f"{WINDOW}/abort", who="desk", method="POST")
def abort(ask: Asker, window: str) -> Response:
    answer = ask.write("clearing.abort_settlement", filled(), key=form_key(), window=window)
    return _after(ask, window, answer, "结算已撤销，回到核对中")


@list_page(doors, "/desk/clearing/payments")
def payments(ask: Asker) -> Response:
    return table_page(ask, _payments(ask), ways=[("/desk/clearing", "回清算")])


def _payments(ask: Asker) -> Table:
    townships = township_names(ask)
    return Table(
        name="payments",
        asks="clearing.payments",
        columns=(
            Column(
                "镇街",
                lambda one: townships.get(one["township_code"], one["township_code"]),
                sort="township",
                link=lambda one: f"/desk/clearing/payments/{one['payment_id']}",
            ),
            Column("方向", lambda one: DIRECTION_NAMES[one["direction"]], sort="direction"),
            Column("金额", said("amount_fen"), "yuan", "amount_fen"),
            Column("周期", said("window"), sort="window"),
            Column("状态", _state, sort="state"),
            Column("凭证或原因", lambda one: one["outside_reference"] or one["problem"], width=30),
            Column("指令付款", said("instructed_at"), "moment", "instructed_at"),
            Column("办结", said("ended_at"), "moment", "ended_at", on="sheet"),
        ),
        filters=(
            Filter("state", "状态", list(PAYMENT_STATE_NAMES.items())),
            window_filter(ask),
            *township_filter(ask),
        ),
        empty=("没有这样的付款。周期结算后才有付款清单。", "/desk/clearing", "回清算"),
    )


def _state(payment: dict[str, Any]) -> str:
    name = PAYMENT_STATE_NAMES[payment["state"]]
    return f"{name}（第 {payment['attempt']} 次）" if payment["attempt"] > 1 else name


@page(doors, PAYMENT, who="desk")
def payment(ask: Asker, payment_id: UUID) -> Response:
    return _payment_page(ask, payment_id)


@page(doors, f"{PAYMENT}/paid", who="desk", method="POST")
def paid(ask: Asker, payment_id: UUID) -> Response:
    answer = ask.write("clearing.payment_paid", filled(), key=form_key(), payment_id=payment_id)
    return _after_payment(ask, payment_id, answer, "已登记付款完成")


@page(doors, f"{PAYMENT}/failed", who="desk", method="POST")
def failed(ask: Asker, payment_id: UUID) -> Response:
    answer = ask.write("clearing.payment_failed", filled(), key=form_key(), payment_id=payment_id)
    return _after_payment(ask, payment_id, answer, "已登记付款未成功，可以重新指令付款")


@page(doors, f"{PAYMENT}/again", who="desk", method="POST")
def again(ask: Asker, payment_id: UUID) -> Response:
    answer = ask.write("clearing.instruct_again", key=form_key(), payment_id=payment_id)
    return _after_payment(ask, payment_id, answer, "已重新指令付款")


def _after(ask: Asker, window: str, answer: object, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _window_page(ask, window, answer)
    tell(words)
    return go(f"/desk/clearing/windows/{window}")


def _after_payment(ask: Asker, payment_id: UUID, answer: Any, words: str) -> Response:
    if isinstance(answer, Refusal):
        return _payment_page(ask, payment_id, answer)
    tell(words)
    return go(f"/desk/clearing/payments/{answer['payment_id']}")


def _window_page(ask: Asker, window: str, refusal: Refusal | None = None) -> Response:
    return screen(
        "desk/window.html",
        ask.actor,
        refusal=refusal,
        window=ask.read("clearing.window", window=window),
        payments=ask.everything("clearing.payments", {"window": window}),
        **_names(ask),
    )


def _payment_page(ask: Asker, payment_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.everything("clearing.payments")
    payment = next((one for one in found if one["payment_id"] == str(payment_id)), None)
    return screen(
        "desk/payment.html",
        ask.actor,
        refusal=refusal,
        payment=payment,
        **_names(ask),
    )


def _names(ask: Asker) -> dict[str, Any]:
    return {"townships": township_names(ask), "states": PAYMENT_STATE_NAMES, "directions": DIRECTION_NAMES}
