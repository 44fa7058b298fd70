"""Clearing at the desk: windows, what townships owe one another, statements, and objections to their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.tables import Column, Filter, Table, is_workbook, list_page, said, table_page, township_filter
from app.web.desk.today import limit_names
from app.web.doors import form_key, go, page
from app.web.lists import asked, township_names
from app.web.screens import filled, screen
from timebank.clearing.queries.statements import RULING_NAMES
from timebank.clearing.rules import WINDOW_STATUS_NAMES
from timebank.clearing.statement_words import LINE_DISPUTE_NAMES
from timebank.core.amounts import hours_text, yuan_text

doors = Blueprint("desk_clearing", __name__)

WINDOW = "/desk/clearing/windows/<window:window>"
DISPUTE = "/desk/clearing/disputes/<uuid:dispute_id>"


@list_page(doors, "/desk/clearing")
def windows(ask: Asker) -> Response:
    table = Table(
        name="windows",
        asks="clearing.windows",
        columns=(
            Column("周期", said("window"), sort="number", link=lambda one: f"/desk/clearing/windows/{one['window']}"),
            Column("状态", said("status_name"), sort="status"),
            Column("开始", said("opened_at"), "moment"),
            Column("到期", said("due_at"), "moment"),
            Column("关账", said("closed_at"), "moment", on="sheet"),
            Column("结算", said("settled_at"), "moment", "settled_at"),
            Column(
                "对账单",
                lambda one: f"看{one['window']}",
                link=lambda one: f"/desk/clearing/windows/{one['window']}/statement",
                on="screen",
            ),
        ),
        filters=(Filter("status", "状态", [(str(status), name) for status, name in WINDOW_STATUS_NAMES.items()]),),
        empty=("没有这样的清算周期。", "/desk/clearing", "看全部"),
    )
    positions = {} if is_workbook() else ask.read("clearing.positions")
    return table_page(ask, table, "desk/windows.html", positions=positions, limit_names=limit_names())


@list_page(doors, "/desk/clearing/positions")
def positions(ask: Asker) -> Response:
    table = Table(
        name="positions",
        asks="clearing.positions",
        columns=(
            Column("镇街", said("township_name"), sort="township"),
            Column("本周期净应收", said("position_minutes"), "hours", "position", shows=_owed),
            Column("折合净应收", said("position_fen"), "yuan", "fen", shows=_owed_fen),
            Column("全部未结算净应收", lambda one: -one["owed_minutes"], "hours", "owed", shows=_owed_in_all),
            Column("软限额", said("soft_limit_minutes"), "hours", "soft"),
            Column("硬限额", said("hard_limit_minutes"), "hours", "hard"),
            Column("已放行", said("override_minutes"), "hours", "override"),
            Column("限额", lambda one: limit_names()[one["limit_state"]], sort="state"),
        ),
        filters=(window_filter(ask, "进行中的周期", more=[("all", "全部周期")]),),
        whole=lambda asked: ask.read("clearing.positions", asked)["items"],
        empty=("还没有往来。", "/desk/clearing", "回清算"),
    )
    return table_page(ask, table, ways=[("/desk/clearing", "回清算")])


@list_page(doors, "/desk/clearing/matrix")
def matrix(ask: Asker) -> Response:
    table = Table(
        name="matrix",
        asks="clearing.matrix",
        columns=(
            Column("应付镇街", said("debtor_name"), sort="debtor"),
            Column("应收镇街", said("creditor_name"), sort="creditor"),
            Column("时长", said("minutes"), "hours", "minutes"),
            Column("笔数", said("transfers"), "whole", "transfers"),
            Column("折合", said("fen"), "yuan", "fen", shows=lambda one: _priced(one["fen"])),
            Column("其中", _parts, width=40),
        ),
        filters=(window_filter(ask),),
        whole=lambda asked: ask.everything("clearing.matrix", {"window": "all", **asked}),
        empty=("还没有跨镇街的往来。", "/desk/clearing", "回清算"),
    )
    return table_page(ask, table)


def window_filter(ask: Asker, unset: str = "全部周期", *, more: Sequence[tuple[str, str]] = ()) -> Filter:
    """The choice of a window; ``unset`` says what is meant where none is chosen."""
    names = [one["window"] for one in ask.read("clearing.windows", {"limit": 24})["items"]]
    return Filter("window", "周期", [*more, *((name, name) for name in names)], unset=unset)


def _owed(position: dict[str, Any]) -> str:
    return owed_words(position["position_minutes"])


def _owed_in_all(position: dict[str, Any]) -> str:
    return owed_words(-position["owed_minutes"])


def owed_words(minutes: int) -> str:
    """Positive is owed to the township, negative by it; said in words, not by the sign."""
    return "两清" if not minutes else f"{'应收' if minutes > 0 else '应付'} {hours_text(abs(minutes))}"


def _owed_fen(position: dict[str, Any]) -> str:
    fen = position["position_fen"]
    if not fen:
        return "缺参考价" if fen is None else "—"
    return f"{'应收' if fen > 0 else '应付'} {yuan_text(abs(fen))}"


def _priced(fen: int | None) -> str:
    return "缺参考价" if fen is None else yuan_text(fen)


def _parts(line: dict[str, Any]) -> str:
    return "，".join(f"{part['price_kind_name']} {hours_text(part['minutes'])}" for part in line["parts"])


@page(doors, f"{WINDOW}/statement", who="desk")
def statement(ask: Asker, window: str) -> Response:
    return _statement(ask, window)


@page(doors, f"{WINDOW}/statement.xlsx", who="desk")
def statement_workbook(ask: Asker, window: str) -> Response:
    sent = ask.read("clearing.statement_workbook", asked("township_code"), window=window)
    return sent_response(200, sent, XLSX)


@page(doors, f"{WINDOW}/statement.html", who="desk")
def statement_to_print(ask: Asker, window: str) -> Response:
    sent = ask.read("clearing.statement_page", asked("township_code"), window=window)
    return sent_response(200, sent, "text/html")


@page(doors, f"{WINDOW}/confirm", who="desk", method="POST")
def confirm(ask: Asker, window: str) -> Response:
    answer = ask.write("clearing.confirm", filled(), key=form_key(), window=window)
    if isinstance(answer, Refusal):
        return _statement(ask, window, answer)
    tell("对账单已确认")
    return go(f"/desk/clearing/windows/{window}/statement?township_code={answer['township_code']}")


@page(doors, f"{WINDOW}/lines/<uuid:transfer_id>/dispute", who="desk")
def dispute_form(ask: Asker, window: str, transfer_id: UUID) -> Response:
    return _dispute_form(ask, window, transfer_id)


@page(doors, f"{WINDOW}/lines/<uuid:transfer_id>/dispute", who="desk", method="POST")
def dispute_line(ask: Asker, window: str, transfer_id: UUID) -> Response:
    form = {**filled(), "transfer_id": str(transfer_id)}
    answer = ask.write("clearing.dispute_line", form, key=form_key(), window=window)
    if isinstance(answer, Refusal):
        return _dispute_form(ask, window, transfer_id, answer)
    tell("异议已提出，由区级裁定")
    return go(f"/desk/clearing/windows/{window}/statement?township_code={answer['township_code']}")


@list_page(doors, "/desk/clearing/disputes")
def disputes(ask: Asker) -> Response:
    return table_page(ask, _disputes(ask), ways=[("/desk/clearing", "回清算")])


def _disputes(ask: Asker) -> Table:
    townships = township_names(ask)

    def name(code: str) -> str:
        return townships.get(code, "区清算户")

    def to_rule(dispute: dict[str, Any]) -> str | None:
        may = ask.actor.is_district and not dispute["ruling"]
        return f"/desk/clearing/disputes/{dispute['dispute_id']}/rule" if may else None

    return Table(
        name="disputes",
        asks="clearing.disputes",
        columns=(
            Column("周期", said("window"), sort="window", link=lambda one: f"/desk/clearing/windows/{one['window']}"),
            Column("谁提出", lambda one: name(one["township_code"]), sort="township", note=said("raised_by_name")),
            Column("提出人", said("raised_by_name"), on="sheet"),
            Column("提出时间", said("raised_at"), "moment", "raised_at"),
            Column("应付", lambda one: name(one["debtor_township_code"])),
            Column("应收", lambda one: name(one["creditor_township_code"])),
            Column("时长", said("minutes"), "hours", "minutes"),
            Column("理由", said("reason"), width=36),
            Column("裁定", _ruling, sort="ruled_at", link=to_rule, note=lambda one: one["ruling_reason"] or ""),
            Column("裁定理由", said("ruling_reason"), on="sheet", width=36),
            Column("裁定人", said("ruled_by_name"), on="sheet"),
            Column("裁定时间", said("ruled_at"), "moment", on="sheet"),
        ),
        filters=(Filter("unruled", "要办的", [("true", "待裁定")]), window_filter(ask), *township_filter(ask)),
        empty=("没有异议。", "/desk/clearing", "回清算"),
    )


def _ruling(dispute: dict[str, Any]) -> str:
    return RULING_NAMES[dispute["ruling"]] if dispute["ruling"] else "待裁定"


@page(doors, f"{DISPUTE}/rule", who="desk")
def rule_form(ask: Asker, dispute_id: UUID) -> Response:
    return _rule_form(ask, dispute_id)


@page(doors, f"{DISPUTE}/rule", who="desk", method="POST")
def rule_dispute(ask: Asker, dispute_id: UUID) -> Response:
    answer = ask.write("clearing.rule_dispute", filled(), key=form_key(), dispute_id=dispute_id)
    if isinstance(answer, Refusal):
        return _rule_form(ask, dispute_id, answer)
    tell(f"已裁定：{RULING_NAMES[answer['ruling']]}")
    return go("/desk/clearing/disputes")


def _statement(ask: Asker, window: str, refusal: Refusal | None = None) -> Response:
    chosen = request.form if refusal else request.args
    code = chosen.get("township_code") or ask.actor.township_code
    townships = township_names(ask)
    if code is None:
        return screen("desk/statement_choice.html", ask.actor, window=window, townships=townships)
    of_whom = {"township_code": code}
    lines = ask.read("clearing.lines", {"window": window, **of_whom, "limit": 50, "cursor": request.args.get("cursor")})
    return screen(
        "desk/statement.html",
        ask.actor,
        refusal=refusal,
        window=window,
        said=ask.read("clearing.statement", of_whom, window=window),
        lines=lines["items"],
        next_cursor=lines["next_cursor"],
        asked=of_whom,
        townships=townships,
        line_disputes=LINE_DISPUTE_NAMES,
    )


def _dispute_form(ask: Asker, window: str, transfer_id: UUID, refusal: Refusal | None = None) -> Response:
    lines = ask.everything("clearing.lines", {"window": window, **asked("township_code")})
    line = next((one for one in lines if one["transfer_id"] == str(transfer_id)), None)
    shown: dict[str, Any] = {"window": window, "line": line, "townships": township_names(ask)}
    return screen("desk/dispute_line.html", ask.actor, refusal=refusal, **shown)


def _rule_form(ask: Asker, dispute_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.everything("clearing.disputes", {"unruled": "true"})
    dispute = next((one for one in found if one["dispute_id"] == str(dispute_id)), None)
    return screen(
        "desk/rule_dispute.html",
        ask.actor,
        refusal=refusal,
        dispute=dispute,
        townships=township_names(ask),
        rulings=list(RULING_NAMES.items()),
    )
