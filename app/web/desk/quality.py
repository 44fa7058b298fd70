"""How meals are had, at the desk: ratings and answers, follow-up calls, cash, punctuality, who bore the meals."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal, wrong
from app.web.counter.meals import fen_of
from app.web.desk.canteens import CANTEEN
from app.web.desk.tables import Column, Filter, Table, is_workbook, list_page, said, table_page
from app.web.doors import form_key, page
from app.web.lists import renamed
from app.web.screens import filled, moment_text, screen
from app.web.steps import after, ask_whether_sure, is_sure
from timebank.canteens.ratings.rules import not_rated
from timebank.core import clock
from timebank.core.amounts import yuan_text
from timebank.core.errors import NotFound

doors = Blueprint("desk_quality", __name__)

_SHARES = {
    "list_fen": "餐费",
    "elder_fen": "老人付",
    "government_fen": "政府补",
    "donation_fen": "企业捐",
    "garden_fen": "菜园供",
    "volunteers_fen": "志愿者助",
}
RATING = f"{CANTEEN}/ratings/<uuid:order_id>"
FOLLOW_UP = "/desk/follow-ups/<uuid:follow_up_id>"


@list_page(doors, f"{CANTEEN}/ratings")
def ratings(ask: Asker, canteen_id: UUID) -> Response:
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    of_it = {"canteen_id": canteen_id}
    table = Table(
        name="ratings",
        asks="ratings.list",
        query=of_it,
        columns=(
            Column("哪一餐", said("served_on"), "day", "served_on", link=_rating_of),
            Column("助餐点", lambda _: canteen["name"], on="sheet"),
            Column("星", said("stars"), "whole", "stars", shows=_stars),
            Column("老人", said("diner_name")),
            Column("评价", said("words"), note=lambda one: "、".join(one["tags"]), width=40),
            Column("标签", lambda one: "、".join(one["tags"]), on="sheet"),
            Column("隐藏", _hidden, note=said("hidden_reason")),
            Column("为什么隐藏", said("hidden_reason"), on="sheet"),
            Column("回复", lambda one: (one["reply"] or {}).get("words"), note=_replied, width=40),
            Column("评于", said("rated_at"), "moment", "rated_at"),
        ),
        empty=("还没有评价。老人吃完以后在手机上评。", f"/desk/canteens/{canteen_id}", f"回到{canteen['name']}"),
    )
    averages = {} if is_workbook() else ask.read("ratings.list", {**of_it, "limit": 1})
    return table_page(ask, table, "desk/ratings.html", canteen=canteen, averages=averages)


def _rating_of(rated: dict[str, Any]) -> str | None:
    return f"{_path(rated['canteen_id'])}/{rated['order_id']}" if rated["order_id"] else None


def _hidden(rated: dict[str, Any]) -> str:
    return "已隐藏" if rated["hidden"] else ""


def _replied(rated: dict[str, Any]) -> str:
    reply = rated["reply"]
    return f"{reply['replied_by_name']}，{moment_text(reply['replied_at'])}" if reply else ""


@page(doors, RATING, who="desk")
def rating(ask: Asker, canteen_id: UUID, order_id: UUID) -> Response:
    return _rating(ask, canteen_id, order_id)


@page(doors, f"{RATING}/reply", who="desk", method="POST")
def reply(ask: Asker, canteen_id: UUID, order_id: UUID) -> Response:
    answer = ask.write("ratings.reply", filled(), key=form_key(), order_id=order_id)
    return after(answer, "已回复，老人会看到", _path(canteen_id), lambda no: _rating(ask, canteen_id, order_id, no))


@page(doors, f"{RATING}/hide", who="desk", method="POST")
def hide(ask: Asker, canteen_id: UUID, order_id: UUID) -> Response:
    sent = {"reason": filled().get("reason")}
    unreadable = ask.unreadable("ratings.hide", sent)
    if unreadable is not None:
        return _rating(ask, canteen_id, order_id, unreadable)
    if not is_sure():
        facts = [("理由", str(sent["reason"])), ("以后", "别人看不到这段文字，星数照算；不能恢复")]
        back = f"{_path(canteen_id)}/{order_id}"
        return ask_whether_sure(ask, "隐藏这条评价的文字？", facts, doing="隐藏", back=back)
    answer = ask.write("ratings.hide", sent, key=form_key(), order_id=order_id)
    return after(answer, "文字已隐藏", _path(canteen_id), lambda no: _rating(ask, canteen_id, order_id, no))


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


@list_page(doors, "/desk/canteens/punctuality")
def punctuality(ask: Asker) -> Response:
    table = Table(
        name="punctuality",
        asks="rounds.punctuality",
        columns=(
            Column(
                "助餐点", said("canteen_name"), sort="canteen", link=lambda one: f"/desk/canteens/{one['canteen_id']}"
            ),
            Column("及时（%）", said("percent_in_time"), "whole", "percent", shows=_percent, note=_within),
            Column("几分钟内算及时", said("within_minutes"), "whole", on="sheet"),
            Column("及时份数", said("in_time"), "whole", on="sheet"),
            Column("送到", said("delivered"), "whole", "delivered"),
            Column("没有送到", said("undelivered"), "whole", "undelivered"),
            Column("登记了出餐时间的", said("timed"), "whole", "timed"),
        ),
        filters=(_month(),),
        whole=lambda asked: ask.everything("rounds.punctuality", asked),
        empty=("这个月没有送过餐。可以换一个月看。", "", ""),
    )
    return table_page(ask, table, ways=[("/desk/canteens", "回到助餐点")])


def _percent(figure: dict[str, Any]) -> str:
    return "算不出" if figure["percent_in_time"] is None else f"{figure['percent_in_time']}%"


def _within(figure: dict[str, Any]) -> str:
    if figure["percent_in_time"] is None:
        return "没有出餐时间"
    return f"出餐后 {figure['within_minutes']} 分钟内 {figure['in_time']} 份"


@list_page(doors, "/desk/canteens/shares")
def shares(ask: Asker) -> Response:
    table = Table(
        name="shares",
        asks="subsidies.shares",
        columns=(
            Column("镇街", said("township_name"), sort="township"),
            Column("餐数", said("meals"), "whole", "meals"),
            Column("多少人", said("diners"), "whole", "diners"),
            *(Column(name, said(field), "yuan", field) for field, name in _SHARES.items()),
        ),
        filters=(_month(),),
        whole=lambda asked: ask.everything("subsidies.shares", asked),
        empty=("这个月还没有用餐。可以换一个月看。", "", ""),
    )
    return table_page(ask, table, ways=[("/desk/claims", "回到补贴结算")])


def _month() -> Filter:
    return Filter("month", "月份", kind="month", usual=f"{clock.today():%Y-%m}")


def _path(canteen_id: UUID) -> str:
    return f"/desk/canteens/{canteen_id}/ratings"


def _rating(ask: Asker, canteen_id: UUID, order_id: UUID, refusal: Refusal | None = None) -> Response:
    rated = ask.read("ratings.show", order_id=order_id)
    if rated["canteen_id"] != str(canteen_id):
        raise not_rated(order_id)
    canteen = ask.read("canteens.show", canteen_id=canteen_id)
    return screen("desk/rating.html", ask.actor, refusal=refusal, one=rated, order_id=order_id, canteen=canteen)


def _till(ask: Asker, canteen_id: UUID, refusal: Refusal | None = None) -> Response:
    drawer = ask.read("tills.show", {"canteen_id": canteen_id})
    return screen("desk/till.html", ask.actor, refusal=refusal, till=drawer)


def _follow_up(ask: Asker, follow_up_id: UUID, refusal: Refusal | None = None) -> Response:
    calls = ask.everything("follow_ups.list", {"only_open": "false"})
    found: dict[str, Any] | None = next((one for one in calls if one["follow_up_id"] == str(follow_up_id)), None)
    if found is None:
        raise NotFound("follow_up_unknown", "没有这项回访", follow_up_id=follow_up_id)
    return screen("desk/follow_up.html", ask.actor, refusal=refusal, one=found)
