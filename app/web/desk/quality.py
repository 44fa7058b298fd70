"""How meals are had, at the desk: ratings and answers, follow-up calls, cash, punctuality, who bore the meals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal, wrong
from app.web.counter.meals import fen_of
from app.web.desk.canteens import CANTEEN
from app.web.desk.steps import after, ask_whether_sure, is_sure
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page
from app.web.doors import form_key, page
from app.web.lists import asked, listed, renamed
from app.web.screens import filled, screen
from timebank.core import clock
from timebank.core.amounts import yuan_text
from timebank.core.errors import NotFound

doors = Blueprint("desk_quality", __name__)

RATING = f"{CANTEEN}/ratings/<uuid:order_id>"
FOLLOW_UP = "/desk/follow-ups/<uuid:follow_up_id>"


@page(doors, f"{CANTEEN}/ratings", who="desk")
def ratings(ask: Asker, canteen_id: UUID) -> Response:
    return _ratings(ask, canteen_id)


@page(doors, f"{RATING}/reply", who="desk", method="POST")
def reply(ask: Asker, canteen_id: UUID, order_id: UUID) -> Response:
    answer = ask.write("ratings.reply", filled(), key=form_key(), order_id=order_id)
    return after(answer, "已回复，老人会看到", _path(canteen_id), lambda no: _ratings(ask, canteen_id, no))


@page(doors, f"{RATING}/hide", who="desk", method="POST")
def hide(ask: Asker, canteen_id: UUID, order_id: UUID) -> Response:
    sent = {"reason": filled().get("reason")}
    unreadable = ask.unreadable("ratings.hide", sent)
    if unreadable is not None:
        return _ratings(ask, canteen_id, unreadable)
    if not is_sure():
        facts = [("理由", str(sent["reason"])), ("以后", "别人看不到这段文字，星数照算；不能恢复")]
        back = _path(canteen_id)
        return ask_whether_sure(ask, "隐藏这条评价的文字？", facts, doing="隐藏", back=back)
    answer = ask.write("ratings.hide", sent, key=form_key(), order_id=order_id)
    return after(answer, "文字已隐藏", _path(canteen_id), lambda no: _ratings(ask, canteen_id, no))


@page(doors, f"{CANTEEN}/till", who="desk")
def till(ask: Asker, canteen_id: UUID) -> Response:
    return _till(ask, canteen_id)


@page(doors, f"{CANTEEN}/till", who="desk", method="POST")
def hand_in(ask: Asker, canteen_id: UUID) -> Response:
    sent = filled()
    fen = fen_of(sent.get("yuan", ""))
    if not fen:
        return _till(ask, canteen_id, wrong("yuan", "没有看懂金额，请写多少元，如 500 或 12.50"))
    form = {"canteen_id": str(canteen_id), "amount_fen": fen, "reference": sent.get("reference")}
    unreadable = ask.unreadable("tills.hand_in", form)
    if unreadable is not None:
        return _till(ask, canteen_id, unreadable)
    if not is_sure():
        drawer = ask.read("tills.show", {"canteen_id": canteen_id})
        facts = [
            ("助餐点", drawer["canteen_name"]),
            ("收到现金", yuan_text(fen)),
            ("收据", str(form["reference"])),
            ("钱箱里还应有", yuan_text(drawer["drawer_fen"] - fen)),
        ]
        return ask_whether_sure(ask, "收下这笔缴款？", facts, doing=f"收下 {yuan_text(fen)}", back=request.path)
    answer = ask.write("tills.hand_in", form, key=form_key())

    def again(no: Refusal) -> Response:
        return _till(ask, canteen_id, renamed(no, {"amount_fen": "yuan"}))

    return after(answer, "缴款已收", request.path, again)


@list_page(doors, "/desk/follow-ups")
def follow_ups(ask: Asker) -> Response:
    table = Table(
        name="follow_ups",
        asks="follow_ups.list",
        columns=(
            Column("回访谁", said("name"), sort="name", link=lambda one: f"/desk/follow-ups/{one['follow_up_id']}"),
            Column("为什么", said("reason_name"), sort="reason"),
            Column("哪一餐", said("served_on"), "day", "served_on"),
            Column("助餐点", said("canteen_name"), sort="canteen"),
            Column("评了几星", said("stars"), "whole", "stars", shows=_stars),
            Column("列入", said("opened_at"), "moment", "opened_at"),
            Column("打过几次", lambda one: len(one["calls"]), "whole"),
            Column("完成", said("closed_at"), "moment", "closed_at"),
        ),
        filters=(Filter("only_open", "状态", [("false", "连打过的一起看")], unset="还没有打通的"),),
        empty=("没有要回访的。每月抽一批，评得低的也会列进来。", "/desk/canteens", "看助餐点"),
    )
    return table_page(ask, table)


def _stars(call: dict[str, Any]) -> str:
    return f"{call['stars']} 星" if call["stars"] else "没有评"


@page(doors, FOLLOW_UP, who="desk")
def follow_up(ask: Asker, follow_up_id: UUID) -> Response:
    return _follow_up(ask, follow_up_id)


@page(doors, FOLLOW_UP, who="desk", method="POST")
def record_call(ask: Asker, follow_up_id: UUID) -> Response:
    answer = ask.write("follow_ups.record", filled(), key=form_key(), follow_up_id=follow_up_id)
    return after(answer, "回访已登记", "/desk/follow-ups", lambda no: _follow_up(ask, follow_up_id, no))


@page(doors, "/desk/canteens/punctuality", who="desk")
def punctuality(ask: Asker) -> Response:
    month = asked("month") or {"month": f"{clock.today():%Y-%m}"}
    return screen("desk/punctuality.html", ask.actor, **listed(ask, "rounds.punctuality", month))


@page(doors, "/desk/canteens/shares", who="desk")
def shares(ask: Asker) -> Response:
    month = asked("month") or {"month": f"{clock.today():%Y-%m}"}
    return screen("desk/shares.html", ask.actor, **listed(ask, "subsidies.shares", month))


def _path(canteen_id: UUID) -> str:
    return f"/desk/canteens/{canteen_id}/ratings"


def _ratings(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    cursor = {"canteen_id": canteen_id, "limit": 20, "cursor": request.args.get("cursor")}
    found = ask.read("ratings.list", cursor)
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    return screen("desk/ratings.html", ask.actor, refusal=refusal, canteen=canteen, found=found)


def _till(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    drawer = ask.read("tills.show", {"canteen_id": canteen_id})
    return screen("desk/till.html", ask.actor, refusal=refusal, till=drawer)


def _follow_up(ask: Asker, follow_up_id: UUID, refusal: Refusal | None = None) -> Response:
    calls = ask.everything("follow_ups.list", {"only_open": "false"})
    found: dict[str, Any] | None = next((one for one in calls if one["follow_up_id"] == str(follow_up_id)), None)
    if found is None:
        raise NotFound("follow_up_unknown", "没有这项回访", follow_up_id=follow_up_id)
    return screen("desk/follow_up.html", ask.actor, refusal=refusal, one=found)
