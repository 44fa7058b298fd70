"""Townships' own lists against the books: handed in, what does not agree, and the movement that puts it right."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.desk.clearing import WINDOW, owed_words, window_filter
from app.web.desk.imports import at_the_file, file_sent, no_file
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, go, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from timebank.clearing.queries import HOUSE_NAME
from timebank.clearing.township_lists import BREAK_TYPE_NAMES
from timebank.importing.package import MAX_FILE_BYTES
from timebank.ledger.rules import HOUSE

doors = Blueprint("desk_reconciling", __name__)

LISTS = "/desk/clearing/lists"
BREAK = "/desk/clearing/breaks/<uuid:break_id>"


@list_page(doors, LISTS)
def lists(ask: Asker) -> Response:
    townships, windows = township_names(ask), window_filter(ask)
    table = Table(
        name="reconciliations",
        asks="clearing.reconciliations",
        columns=(
            Column("清单", said("file_name"), sort="file_name", link=lambda one: f"{LISTS}/{one['reconciliation_id']}"),
            Column("镇街", lambda one: townships.get(one["township_code"]), sort="township"),
            Column("周期", said("window"), sort="window", note=_preliminary),
            Column("备注", _preliminary, on="sheet"),
            Column("提交", said("uploaded_at"), "moment", "uploaded_at", note=said("uploaded_by_name")),
            Column("提交人", said("uploaded_by_name"), on="sheet"),
            Column("行", said("rows"), "whole", "rows"),
            Column("相符", said("matched"), "whole", "matched"),
            Column("不符", lambda one: sum(one["found"].values()), "whole", "found"),
            Column("读不出", said("unreadable_rows"), "whole", "unreadable"),
        ),
        filters=(windows, *township_filter(ask)),
        empty=("还没有提交过清单。把自己记的往来做成 Excel 提交，与账上逐行核对。", "/desk/clearing", "选一个周期"),
    )
    return table_page(ask, table, "desk/lists.html", newest=next((name for name, _ in windows.options), ""))


def _preliminary(one: dict[str, Any]) -> str:
    return "关账前" if one["preliminary"] else ""


@page(doors, f"{LISTS}/<uuid:reconciliation_id>", who="desk")
def one(ask: Asker, reconciliation_id: UUID) -> Response:
    told = ask.read("clearing.reconciliation", reconciliation_id=reconciliation_id)
    return screen("desk/list.html", ask.actor, said=told, **_names(ask))


@page(doors, f"{WINDOW}/reconcile", who="desk")
def reconcile_form(ask: Asker, window: str) -> Response:
    return _form(ask, window)


@page(doors, f"{WINDOW}/reconcile", who="desk", method="POST", most_bytes=MAX_FILE_BYTES)
def reconcile(ask: Asker, window: str) -> Response:
    name, content = file_sent("workbook")
    if not name:
        return _form(ask, window, no_file("workbook"))
    answer = ask.hand_in("clearing.reconcile", {**filled(), "file_name": name}, content, window=window)
    if isinstance(answer, Refusal):
        return _form(ask, window, at_the_file(answer, "workbook"))
    tell("清单已收到，核对结果在下面")
    return go(f"{LISTS}/{answer['reconciliation_id']}")


@list_page(doors, "/desk/clearing/breaks")
def breaks(ask: Asker) -> Response:
    parties = {**township_names(ask), HOUSE: HOUSE_NAME}
    types = [(str(kind), name) for kind, name in BREAK_TYPE_NAMES.items()]
    table = Table(
        name="breaks",
        asks="clearing.breaks",
        columns=(
            Column(
                "差异",
                said("type_name"),
                sort="type",
                link=lambda one: f"/desk/clearing/breaks/{one['break_id']}",
                note=lambda one: f"第 {one['row']} 行" if one["row"] else "",
            ),
            Column("清单第几行", said("row"), "whole", on="sheet"),
            Column("周期", said("window"), sort="window"),
            Column("日期", said("day"), "day", "day"),
            Column("清单提交", lambda one: parties.get(one["township_code"]), sort="township"),
            Column("对方", lambda one: parties.get(one["counterpart_township_code"], "没有写"), sort="counterpart"),
            Column("清单", said("minutes_there"), "hours", "there", shows=lambda one: _said(one["minutes_there"])),
            Column("账上", said("minutes_here"), "hours", "here", shows=lambda one: _said(one["minutes_here"])),
            Column("由谁查", lambda one: parties.get(one["owner_township_code"], "区级"), sort="owner"),
            Column("发现", said("opened_at"), "moment", "opened_at", on="sheet"),
            Column("已有", _since, sort="opened_at", on="screen"),
            Column("天数", said("age_days"), "whole", on="sheet"),
            Column("结果", _outcome, on="sheet"),
        ),
        filters=(
            window_filter(ask),
            *township_filter(ask),
            Filter("type", "差异", types),
            Filter("open", "状态", [("false", "连解决了的一起看")], unset="还没有解决的"),
        ),
        empty=("没有这样的差异。提交本镇街的往来清单后，与账上不符的会列在这里。", LISTS, "看提交的清单"),
    )
    return table_page(ask, table, ways=[(LISTS, "看提交的清单"), ("/desk/clearing", "回清算")])


def _said(minutes: int | None) -> str:
    return "没有" if minutes is None else owed_words(minutes)


def _outcome(found: dict[str, Any]) -> str:
    return "已更正" if found["cured_at"] else found["ended_reason_name"] or "还没有解决"


def _since(found: dict[str, Any]) -> str:
    return _outcome(found) if found["cured_at"] or found["ended_at"] else f"{found['age_days']} 天"


@page(doors, BREAK, who="desk")
def break_(ask: Asker, break_id: UUID) -> Response:
    return _break_page(ask, break_id)


@page(doors, f"{BREAK}/cure", who="desk", method="POST")
def cure(ask: Asker, break_id: UUID) -> Response:
    answer = ask.write("clearing.cure_break", filled(), key=form_key(), break_id=break_id)
    if isinstance(answer, Refusal):
        return _break_page(ask, break_id, answer)
    tell("已记下用这笔划转更正")
    return go(f"/desk/clearing/breaks/{break_id}")


def _form(ask: Asker, window: str, refusal: Refusal | None = None) -> Response:
    ask.read("clearing.window", window=window)
    return screen("desk/reconcile.html", ask.actor, refusal=refusal, window=window, **_names(ask))


def _break_page(ask: Asker, break_id: UUID, refusal: Refusal | None = None) -> Response:
    said = ask.read("clearing.cures", break_id=break_id)
    shown: dict[str, Any] = {"one": said["found"], "cures": said["cures"], **_names(ask)}
    return screen("desk/break.html", ask.actor, refusal=refusal, **shown)


def _names(ask: Asker) -> dict[str, Any]:
    townships = township_names(ask)
    windows = [(one["window"], one["window"]) for one in ask.read("clearing.windows", {"limit": 24})["items"]]
    return {"townships": townships, "parties": {**townships, HOUSE: HOUSE_NAME}, "windows": windows}
