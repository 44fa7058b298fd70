"""One meal at the desk: who bears how much of it, and undoing a meal that was none, by two."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.doors import form_key, page
from app.web.screens import filled, screen
from app.web.steps import after

doors = Blueprint("desk_orders", __name__)

ORDER = "/desk/orders/<uuid:order_id>"


@page(doors, ORDER, who="desk")
def order(ask: Asker, order_id: UUID) -> Response:
    found = ask.read("orders.show", order_id=order_id)
    moved = ask.everything("transfers.list", {"cause_id": str(order_id)}, most=50)
    return screen("desk/order.html", ask.actor, order=found, moved=moved)


@page(doors, f"{ORDER}/correct", who="desk")
def correct_form(ask: Asker, order_id: UUID) -> Response:
    return _correct_form(ask, order_id)


@page(doors, f"{ORDER}/correct", who="desk", method="POST")
def correct(ask: Asker, order_id: UUID) -> Response:
    answer = ask.write("meal_counter.correct", {**filled(), "order_id": str(order_id)}, key=form_key())
    waits = isinstance(answer, dict) and answer["state"] == "awaiting_second_person"
    words = "已申请冲正这一餐，等另一位管理员也来办；账还没有动" if waits else "这一餐已冲正，各方的钱和时长都退回了"
    return after(answer, words, f"/desk/orders/{order_id}", lambda no: _correct_form(ask, order_id, no))


def _correct_form(ask: Asker, order_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("orders.show", order_id=order_id)
    moved = ask.everything("transfers.list", {"cause_id": str(order_id)}, most=50)
    standing = [one for one in moved if not one["reversed"] and one["reverses_id"] is None]
    return screen("desk/order_correct.html", ask.actor, refusal=refusal, order=found, moved=standing)
