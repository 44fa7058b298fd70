"""Gifts to meals at the desk: money received and passed on, followed into meals; produce; and the pools of minutes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal, wrong
from app.web.counter.meals import fen_of
from app.web.desk.tables import DAYS, Column, Filter, Table, list_page, said, table_page
from app.web.doors import form_key, page
from app.web.lists import asked, listed, renamed, township_names
from app.web.screens import day_text, filled, screen
from app.web.steps import after, ask_whether_sure, is_sure
from timebank.core.amounts import yuan_text

doors = Blueprint("desk_gifts", __name__)

_HOW_MUCH = "没有看懂金额，请写多少元，如 500 或 12.50"


@list_page(doors, "/desk/gifts")
def money(ask: Asker) -> Response:
    table = Table(
        name="meal_donations",
        asks="meal_donations.list",
        columns=(
            Column(
                "收到",
                said("received_on"),
                "day",
                "received_on",
                link=lambda one: f"/desk/gifts/money/{one['donation_id']}",
            ),
            Column("谁捐的", lambda one: one["donor_name"] or "不留名", sort="donor"),
            Column("给哪里", lambda one: one["canteen_name"] or "区级", sort="canteen"),
            Column("金额", said("amount_fen"), "yuan", "amount_fen", note=_undone),
            Column("备注", _undone, on="sheet", width=9),
            Column("凭证", said("reference")),
            Column("登记人", said("received_by_name"), on="sheet"),
        ),
        filters=(Filter("canteen_id", "助餐点", _canteens(ask)), *DAYS),
        empty=("没有这样的捐款。", "", ""),
    )
    return table_page(ask, table, "desk/gifts.html")


def _undone(donation: dict[str, Any]) -> str:
    return "已冲正" if donation["reversed"] else ""


@page(doors, "/desk/gifts/money/<uuid:donation_id>", who="desk")
def story(ask: Asker, donation_id: UUID) -> Response:
    return screen("desk/gift.html", ask.actor, gift=ask.read("meal_donations.show", donation_id=donation_id))


@page(doors, "/desk/gifts/money/receive", who="desk")
def receive_form(ask: Asker) -> Response:
    return _form(ask, "desk/gift_receive.html")


@page(doors, "/desk/gifts/money/receive", who="desk", method="POST")
def receive(ask: Asker) -> Response:
    sent = filled()
    fen = fen_of(sent.get("yuan", ""))
    if not fen:
        return _form(ask, "desk/gift_receive.html", wrong("yuan", _HOW_MUCH))
    names = ("donor_name", "canteen_id", "received_on", "reference", "note")
    form = {"amount_fen": fen, **{name: sent.get(name) for name in names}}
    unreadable = ask.unreadable("meal_donations.receive", form)
    if unreadable is not None:
        return _form(ask, "desk/gift_receive.html", unreadable)
    if not is_sure():
        facts = [
            ("捐款", yuan_text(fen)),
            ("谁捐的", sent.get("donor_name") or "不留名"),
            ("给哪里", dict(_canteens(ask)).get(sent.get("canteen_id", ""), "区级，以后再分配")),
            ("收到", day_text(sent["received_on"])),
            ("凭证", sent["reference"]),
        ]
        return ask_whether_sure(ask, "登记这笔捐款？", facts, doing=f"登记 {yuan_text(fen)}", back="/desk/gifts")
    answer = ask.write("meal_donations.receive", form, key=form_key())
    path = f"/desk/gifts/money/{answer['donation_id']}" if isinstance(answer, dict) else ""
    return after(answer, "捐款已登记", path, lambda no: _form(ask, "desk/gift_receive.html", no))


@page(doors, "/desk/gifts/money/allot", who="desk")
def allot_form(ask: Asker) -> Response:
    return _form(ask, "desk/gift_allot.html")


@page(doors, "/desk/gifts/money/allot", who="desk", method="POST")
def allot(ask: Asker) -> Response:
    sent = filled()
    fen = fen_of(sent.get("yuan", ""))
    if not fen:
        return _form(ask, "desk/gift_allot.html", wrong("yuan", _HOW_MUCH))
    form = {"amount_fen": fen, **{name: sent.get(name) for name in ("canteen_id", "note")}}
    unreadable = ask.unreadable("meal_donations.allot", form)
    if unreadable is not None:
        return _form(ask, "desk/gift_allot.html", unreadable)
    if not is_sure():
        name = dict(_canteens(ask)).get(sent["canteen_id"], "")
        facts = [("给哪个助餐点", name), ("分配", yuan_text(fen)), ("说明", sent.get("note") or "—")]
        return ask_whether_sure(ask, "从区级捐款里分配？", facts, doing=f"分配 {yuan_text(fen)}", back="/desk/gifts")
    answer = ask.write("meal_donations.allot", form, key=form_key())
    path = f"/desk/ledger/transfers/{answer['transfer_id']}" if isinstance(answer, dict) else ""
    return after(answer, "已分配，助餐点马上可用", path, lambda no: _form(ask, "desk/gift_allot.html", no))


@list_page(doors, "/desk/gifts/produce")
def produce(ask: Asker) -> Response:
    table = Table(
        name="produce",
        asks="produce.list",
        columns=(
            Column(
                "收到",
                said("received_on"),
                "day",
                "received_on",
                link=lambda one: f"/desk/ledger/transfers/{one['transfer_id']}",
            ),
            Column("食材", said("item"), sort="item", note=_undone),
            Column("备注", _undone, on="sheet", width=9),
            Column("重量（克）", said("weight_g"), "whole", "weight_g", on="sheet"),
            Column("重量", said("weight_g"), "whole", "weight_g", shows=_kilograms, on="screen"),
            Column("折价", said("value_fen"), "yuan", "value_fen", note=_proposed),
            Column("按办法折价", said("proposed_fen"), "yuan", on="sheet"),
            Column("谁给的", lambda one: one["from_name"] or "不留名", sort="from"),
            Column("助餐点", said("canteen_name"), sort="canteen"),
            Column("登记人", said("received_by_name"), on="sheet"),
        ),
        filters=(Filter("canteen_id", "助餐点", _canteens(ask)), *DAYS),
        empty=("没有登记过这样的食材。", "", ""),
    )
    return table_page(ask, table, "desk/produce.html")


def _kilograms(gift: dict[str, Any]) -> str:
    kilograms = f"{gift['weight_g'] / 1000:.3f}".rstrip("0").rstrip(".")
    return f"{kilograms} 公斤"


def _proposed(gift: dict[str, Any]) -> str:
    return "" if gift["value_fen"] == gift["proposed_fen"] else f"按办法是 {yuan_text(gift['proposed_fen'])}"


@page(doors, "/desk/gifts/produce/receive", who="desk")
def produce_form(ask: Asker) -> Response:
    return _form(ask, "desk/produce_receive.html")


@page(doors, "/desk/gifts/produce/receive", who="desk", method="POST")
def receive_produce(ask: Asker) -> Response:
    sent = filled()
    grams, fen = _grams(sent.get("kilograms", "")), fen_of(sent["yuan"]) if sent.get("yuan") else None
    if grams is None:
        return _form(ask, "desk/produce_receive.html", wrong("kilograms", "请写多少公斤，如 2.5"))
    if sent.get("yuan") and not fen:
        return _form(ask, "desk/produce_receive.html", wrong("yuan", _HOW_MUCH))
    names = ("canteen_id", "item", "received_on", "from_name")
    form = {"weight_g": grams, "value_fen": fen, **{name: sent.get(name) for name in names}}
    answer = ask.write("produce.receive", form, key=form_key())
    words = f"已登记，折价 {yuan_text(answer['value_fen'])}" if isinstance(answer, dict) else ""

    def again(no: Refusal) -> Response:
        shown = renamed(no, {"weight_g": "kilograms", "value_fen": "yuan"})
        return _form(ask, "desk/produce_receive.html", shown)

    return after(answer, words, "/desk/gifts/produce", again)


@page(doors, "/desk/gifts/pool", who="desk")
def pool(ask: Asker) -> Response:
    wanted = asked("township_code") or ({"township_code": ask.actor.township_code} if ask.actor.township_code else {})
    lines: dict[str, Any] = {"items": [], "next_cursor": None, "asked": wanted}
    if wanted:
        lines = listed(ask, "pool.statement", wanted)
    shown: dict[str, Any] = {"pools": ask.everything("pool.show"), "townships": township_names(ask)}
    return screen("desk/pool.html", ask.actor, **shown, **lines)


def _form(ask: Asker, template: str, refusal: Refusal | None = None) -> Response:
    shown = renamed(refusal, {"amount_fen": "yuan"}) if refusal is not None else None
    return screen(template, ask.actor, refusal=shown, canteens=_canteens(ask))


def _canteens(ask: Asker) -> list[tuple[str, str]]:
    """Canteens that the asker may give to: the own township's, or all."""
    own = {"township_code": ask.actor.township_code} if ask.actor.township_code else {}
    return [(one["canteen_id"], one["name"]) for one in ask.everything("canteens.list", own, most=200)]


def _grams(typed: str) -> int | None:
    """``2.5`` kilograms in grams; None where it is no weight."""
    whole, _, rest = typed.strip().partition(".")
    digits = whole + rest
    if not (whole and digits.isascii() and digits.isdigit() and len(whole) < 6):
        return None
    return int(whole) * 1000 + int(rest[:3].ljust(3, "0") if rest else 0) or None
