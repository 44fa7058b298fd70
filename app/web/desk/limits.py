"""Limits at the desk: positions against them, what was granted beyond them, and when the guarantee fund stood in."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal, wrong
from app.web.desk.tables import Column, Table, is_workbook, list_page, said, table_page, township_filter
from app.web.desk.today import limit_names, own_first
from app.web.doors import form_key, page
from app.web.lists import moment_of, renamed, township_names
from app.web.screens import filled, moment_text, screen
from app.web.steps import after, ask_whether_sure, is_sure
from timebank.core.amounts import hours_text

doors = Blueprint("desk_limits", __name__)

LIMITS = "/desk/clearing/limits"


@list_page(doors, LIMITS)
def limits(ask: Asker) -> Response:
    townships = township_names(ask)
    table = Table(
        name="limit_overrides",
        asks="clearing.overrides",
        columns=(
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("另外放行", said("extra_minutes"), "hours", "minutes"),
            Column("到", said("valid_until"), "moment", "valid_until"),
            Column("理由", said("reason"), width=36),
            Column("放行", said("granted_at"), "moment", "granted_at", note=said("granted_by_name")),
            Column("谁放行", said("granted_by_name"), on="sheet"),
        ),
        filters=township_filter(ask),
        empty=("没有放行过。", "/desk/clearing", "回清算"),
    )
    positions: dict[str, Any] = {} if is_workbook() else own_first(ask, ask.read("clearing.positions"))
    return table_page(ask, table, "desk/limits.html", positions=positions, limit_names=limit_names())


@list_page(doors, f"{LIMITS}/guarantee")
def guarantee_calls(ask: Asker) -> Response:
    townships = township_names(ask)
    table = Table(
        name="guarantee_calls",
        asks="clearing.guarantee_calls",
        columns=(
            Column(
                "时间",
                said("noted_at"),
                "moment",
                "noted_at",
                link=lambda one: f"/desk/ledger/transfers/{one['transfer_id']}",
            ),
            Column("周期", said("window"), sort="window"),
            Column("欠的镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("给哪个镇街", lambda one: townships.get(one["creditor_township_code"]), sort="creditor"),
            Column("垫付", said("minutes"), "hours", "minutes"),
            Column("当时应付", said("owed_minutes"), "hours", "owed"),
            Column("硬限额", said("hard_limit_minutes"), "hours", "hard_limit"),
        ),
        filters=township_filter(ask),
        empty=("没有动用过保障金。", LIMITS, "看头寸限额"),
    )
    return table_page(ask, table, "desk/guarantee_calls.html")


@page(doors, f"{LIMITS}/grant", who="desk")
def grant_form(ask: Asker) -> Response:
    return _grant_form(ask)


@page(doors, f"{LIMITS}/grant", who="desk", method="POST")
def grant(ask: Asker) -> Response:
    sent = filled()
    hours = sent.get("hours", "")
    if not (hours.isascii() and hours.isdigit() and int(hours[:9]) > 0):
        return _grant_form(ask, wrong("hours", "须为整数小时，如 200"))
    minutes = int(hours[:9]) * 60
    form = {
        "township_code": sent.get("township_code"),
        "extra_minutes": minutes,
        "valid_until": moment_of(sent.get("valid_until")),
        "reason": sent.get("reason"),
    }
    unreadable = ask.unreadable("clearing.grant_override", form)
    if unreadable is not None:
        return _grant_form(ask, unreadable)
    if not is_sure():
        name = township_names(ask).get(str(form["township_code"]), "")
        facts = [
            ("镇街", name),
            ("在硬限额之外再放行", hours_text(minutes)),
            ("到什么时候", moment_text(str(form["valid_until"]))),
            ("理由", str(form["reason"])),
        ]
        return ask_whether_sure(ask, f"放行{name}？", facts, doing="放行", back=LIMITS)
    answer = ask.write("clearing.grant_override", form, key=form_key())
    return after(answer, "已放行，到期自动失效", LIMITS, lambda no: _grant_form(ask, no))


def _grant_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    shown = renamed(refusal, {"extra_minutes": "hours"}) if refusal is not None else None
    townships = list(township_names(ask).items())
    return screen("desk/limit_grant.html", ask.actor, refusal=shown, townships=townships)
