"""Counters without a line, at the desk: meals that the guarantee fund pays, and the keys that sign coupons."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, page
from app.web.lists import listed, township_names
from app.web.screens import filled, screen
from app.web.steps import after, ask_whether_sure, is_sure
from timebank.core.amounts import yuan_text
from timebank.core.errors import NotFound

doors = Blueprint("desk_offline", __name__)

LOSS = "/desk/losses/<uuid:loss_id>"
KEYS = "/desk/losses/keys"


@list_page(doors, "/desk/losses")
def losses(ask: Asker) -> Response:
    townships = township_names(ask)
    table = Table(
        name="losses",
        asks="offline.losses",
        columns=(
            Column("用餐", said("eaten_at"), "moment", "eaten_at", link=lambda one: f"/desk/losses/{one['loss_id']}"),
            Column("助餐点", said("canteen_name"), sort="canteen"),
            Column("镇街", lambda one: townships.get(one["township_code"]), on="sheet"),
            Column("为什么", said("reason_name"), sort="reason", width=28),
            Column("时长", said("minutes"), "hours", "minutes"),
            Column("损失", said("loss_fen"), "yuan", "loss_fen", shows=_worth),
            Column("登记", said("noted_at"), "moment", "noted_at", on="sheet"),
            Column("支付", lambda one: one["outside_reference"] or "还没有", sort="paid_at"),
            Column("支付时间", said("paid_at"), "moment", on="sheet"),
            Column("登记支付的人", said("paid_by_name"), on="sheet"),
        ),
        filters=(Filter("paid", "支付", [("false", "还没有支付"), ("true", "已支付")]), *township_filter(ask)),
        empty=("没有这样的损失。", "/desk/losses", "看全部"),
    )
    return table_page(ask, table, ways=[(KEYS, "用餐券的签名密钥")], heading="断网用餐，由保障金支付的")


def _worth(loss: dict[str, Any]) -> str:
    return "缺参考价" if loss["loss_fen"] is None else yuan_text(loss["loss_fen"])


@page(doors, LOSS, who="desk")
def loss(ask: Asker, loss_id: UUID) -> Response:
    return _loss_page(ask, loss_id)


@page(doors, f"{LOSS}/pay", who="desk", method="POST")
def pay_loss(ask: Asker, loss_id: UUID) -> Response:
    answer = ask.write("offline.pay_loss", filled(), key=form_key(), loss_id=loss_id)
    return after(answer, "已登记保障金支付", f"/desk/losses/{loss_id}", lambda no: _loss_page(ask, loss_id, no))


@page(doors, KEYS, who="desk")
def keys(ask: Asker) -> Response:
    return screen("desk/keys.html", ask.actor, **listed(ask, "offline.keys", {}))


@page(doors, f"{KEYS}/<int:key_id>/revoke", who="desk")
def revoke_form(ask: Asker, key_id: int) -> Response:
    return _revoke_form(ask, key_id)


@page(doors, f"{KEYS}/<int:key_id>/revoke", who="desk", method="POST")
def revoke(ask: Asker, key_id: int) -> Response:
    sent = {"reason": filled().get("reason")}
    unreadable = ask.unreadable("offline.revoke_key", sent)
    if unreadable is not None:
        return _revoke_form(ask, key_id, unreadable)
    if not is_sure():
        facts = [("密钥", f"第 {key_id} 号"), ("原因", str(sent["reason"])), ("以后", "用它签的纸券，断网时不再认")]
        return ask_whether_sure(ask, "停用这个密钥？", facts, doing="停用，不能恢复", back=KEYS)
    answer = ask.write("offline.revoke_key", sent, key=form_key(), key_id=key_id)
    return after(answer, "密钥已停用", KEYS, lambda no: _revoke_form(ask, key_id, no))


def _loss_page(ask: Asker, loss_id: UUID, refusal: Refusal | None = None) -> Response:
    found = next((one for one in ask.everything("offline.losses") if one["loss_id"] == str(loss_id)), None)
    if found is None:
        raise NotFound("loss_unknown", "没有这项保障金损失", loss_id=loss_id)
    return screen("desk/loss.html", ask.actor, refusal=refusal, loss=found, townships=township_names(ask))


def _revoke_form(ask: Asker, key_id: int, refusal: Refusal | None = None) -> Response:
    return screen("desk/key_revoke.html", ask.actor, refusal=refusal, key_id=key_id)
