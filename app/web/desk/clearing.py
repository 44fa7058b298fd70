"""Clearing at the desk: windows, what townships owe one another, statements, and objections to their lines."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.lists import asked, listed, township_names
from app.web.desk.today import limit_names
from app.web.doors import form_key, go, page
from app.web.screens import filled, screen
from timebank.clearing.queries.statements import RULING_NAMES
from timebank.clearing.statement_words import LINE_DISPUTE_NAMES

doors = Blueprint("desk_clearing", __name__)

WINDOW = "/desk/clearing/windows/<window:window>"
DISPUTE = "/desk/clearing/disputes/<uuid:dispute_id>"


@page(doors, "/desk/clearing", who="desk")
def windows(ask: Asker) -> Response:
    found = listed(ask, "clearing.windows", {}, limit=12)
    positions = ask.read("clearing.positions")
    return screen("desk/windows.html", ask.actor, positions=positions, limit_names=limit_names(), **found)


@page(doors, "/desk/clearing/matrix", who="desk")
def matrix(ask: Asker) -> Response:
    wanted = asked("window") or {"window": "all"}
    found = ask.read("clearing.matrix", {**wanted, "limit": 100, "cursor": request.args.get("cursor")})
    names = [one["window"] for one in ask.read("clearing.windows", {"limit": 24})["items"]]
    return screen(
        "desk/matrix.html",
        ask.actor,
        items=found["items"],
        next_cursor=found["next_cursor"],
        asked=wanted,
        windows=[("all", "全部周期"), *((name, name) for name in names)],
    )


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


@page(doors, "/desk/clearing/disputes", who="desk")
def disputes(ask: Asker) -> Response:
    found = listed(ask, "clearing.disputes", asked("window", "unruled"))
    shown: dict[str, Any] = {"townships": township_names(ask), "rulings": RULING_NAMES}
    return screen("desk/disputes.html", ask.actor, **shown, **found)


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
