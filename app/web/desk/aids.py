"""Rehabilitation aids at the desk: what there is and how it is, handed over, brought back, lost, repaired, retired."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page
from app.web.doors import form_key, page
from app.web.lists import township_names
from app.web.screens import filled, screen
from app.web.steps import after, ask_whether_sure, is_sure
from timebank.redemption.aids.rules import CONDITION_NAMES, LOAN_STATUS_NAMES, USABLE, Condition

doors = Blueprint("desk_aids", __name__)

ITEM = "/desk/aids/<uuid:item_id>"
LOAN = "/desk/aids/loans/<uuid:loan_id>"

_USABLE = [(str(condition), CONDITION_NAMES[condition]) for condition in USABLE]
_BROUGHT_BACK = [*_USABLE, (str(Condition.IN_REPAIR), "坏了，要送修")]
_DONE = {"to_repair": "已送修", "repaired": "修好了，可以再借", "retire": "已报废"}


@list_page(doors, "/desk/aids")
def aids(ask: Asker) -> Response:
    return table_page(ask, _aids(ask), "desk/aids.html")


def _aids(ask: Asker) -> Table:
    words = _words(ask)
    townships = words["townships"]
    return Table(
        name="aid_items",
        asks="aid_items.list",
        columns=(
            Column("编号", said("serial"), sort="serial", link=lambda one: f"/desk/aids/{one['item_id']}"),
            Column("种类", said("kind_name"), sort="kind", note=said("name")),
            Column("名称与型号", said("name"), on="sheet"),
            Column("在哪里", lambda one: townships.get(one["at_township_code"]), sort="township"),
            Column("属于", lambda one: townships.get(one["home_township_code"]), on="sheet"),
            Column("好坏", said("condition_name"), sort="condition"),
            Column("能借吗", lambda one: "能" if one["available"] else "不能", sort="available"),
            Column("预计归还", said("due_back_on"), "day", "due_back_on"),
            Column("购置", said("acquired_on"), "day", on="sheet"),
        ),
        filters=(
            Filter("kind", "种类", words["kinds"]),
            Filter("township_code", "现在在哪里", list(townships.items())),
            Filter("available", "能借吗", [("true", "现在能借的")]),
            Filter("serial", "编号", kind="text"),
        ),
        empty=("没有这样的辅具。", "/desk/aids", "看全部"),
    )


@page(doors, "/desk/aids/enter", who="desk")
def enter_form(ask: Asker) -> Response:
    return _enter_form(ask)


@page(doors, "/desk/aids/enter", who="desk", method="POST")
def enter(ask: Asker) -> Response:
    answer = ask.write("aid_items.enter", filled(), key=form_key())
    path = f"/desk/aids/{answer['item_id']}" if isinstance(answer, dict) else ""
    return after(answer, "已登记", path, lambda no: _enter_form(ask, no))


@page(doors, ITEM, who="desk")
def aid(ask: Asker, item_id: UUID) -> Response:
    return _aid_page(ask, item_id)


@page(doors, f"{ITEM}/<any(to_repair, repaired, retire):step>", who="desk", method="POST")
def aid_step(ask: Asker, item_id: UUID, step: str) -> Response:
    operation_id, path = f"aid_items.{step}", f"/desk/aids/{item_id}"
    sent = {name: value for name, value in filled().items() if name != "sure"}
    unreadable = ask.unreadable(operation_id, sent)
    if unreadable is not None:
        return _aid_page(ask, item_id, unreadable)
    if step == "retire" and not is_sure():
        facts = [("原因", sent["reason"]), ("以后", "不能再借出，不能恢复")]
        return ask_whether_sure(ask, "报废这件辅具？", facts, doing="报废", back=path)
    answer = ask.write(operation_id, sent, key=form_key(), item_id=item_id)
    return after(answer, _DONE[step], path, lambda no: _aid_page(ask, item_id, no))


@list_page(doors, "/desk/aids/loans")
def loans(ask: Asker) -> Response:
    return table_page(ask, _loans(ask), heading="辅具借用与预约", ways=[("/desk/aids", "看辅具")])


def _loans(ask: Asker) -> Table:
    townships = township_names(ask)
    return Table(
        name="aid_loans",
        asks="aid_loans.list",
        columns=(
            Column("谁借", said("holder_name"), sort="name", link=lambda one: _loan(one["loan_id"])),
            Column("借用人镇街", lambda one: townships.get(one["holder_township_code"]), on="sheet"),
            Column("辅具", said("kind_name"), sort="kind", note=said("item_name")),
            Column("编号", said("serial"), sort="serial"),
            Column("状态", said("status_name"), sort="status"),
            Column("预约", said("reserved_at"), "moment", "reserved_at"),
            Column("借出", said("lent_at"), "moment", on="sheet"),
            Column("天数", said("days"), "whole", on="sheet"),
            Column("到期", said("due_on"), "day", "due_on", note=_overdue),
            Column("过期天数", said("overdue_days"), "whole", on="sheet"),
            Column("已扣时长", said("charged_minutes"), "hours", on="sheet"),
            Column("结束", said("ended_at"), "moment", on="sheet"),
        ),
        filters=(
            Filter("status", "状态", [(str(status), name) for status, name in LOAN_STATUS_NAMES.items()]),
            Filter("overdue", "过期", [("true", "过了期没还的")]),
            Filter("serial", "辅具编号", kind="text"),
        ),
        empty=("没有这样的借用。", "/desk/aids", "看辅具"),
    )


def _overdue(loan: dict[str, Any]) -> str:
    return f"过了 {loan['overdue_days']} 天" if loan["overdue_days"] else ""


@page(doors, LOAN, who="desk")
def loan(ask: Asker, loan_id: UUID) -> Response:
    return _loan_page(ask, loan_id)


@page(doors, f"{LOAN}/lend", who="desk", method="POST")
def lend(ask: Asker, loan_id: UUID) -> Response:
    answer = ask.write("aid_loans.lend", filled(), key=form_key(), loan_id=loan_id)
    return after(answer, "已借出，从今天起按天扣时长", _loan(loan_id), lambda no: _loan_page(ask, loan_id, no))


@page(doors, f"{LOAN}/return", who="desk", method="POST")
def bring_back(ask: Asker, loan_id: UUID) -> Response:
    answer = ask.write("aid_loans.return_", filled(), key=form_key(), loan_id=loan_id)
    return after(answer, "已归还，没用的天数退回", _loan(loan_id), lambda no: _loan_page(ask, loan_id, no))


@page(doors, f"{LOAN}/lost", who="desk", method="POST")
def lost(ask: Asker, loan_id: UUID) -> Response:
    sent = {"reason": filled().get("reason")}
    unreadable = ask.unreadable("aid_loans.lost", sent)
    if unreadable is not None:
        return _loan_page(ask, loan_id, unreadable)
    if not is_sure():
        facts = [("经过", str(sent["reason"])), ("以后", "这次借用结束，这件辅具不能再借")]
        return ask_whether_sure(ask, "登记遗失？", facts, doing="登记遗失", back=_loan(loan_id))
    answer = ask.write("aid_loans.lost", sent, key=form_key(), loan_id=loan_id)
    return after(answer, "已登记遗失", _loan(loan_id), lambda no: _loan_page(ask, loan_id, no))


@page(doors, f"{LOAN}/cancel", who="desk", method="POST")
def cancel(ask: Asker, loan_id: UUID) -> Response:
    answer = ask.write("aid_loans.cancel", filled(), key=form_key(), loan_id=loan_id)
    return after(answer, "预约已取消，时长已解冻", _loan(loan_id), lambda no: _loan_page(ask, loan_id, no))


def _loan(loan_id: UUID | str) -> str:
    return f"/desk/aids/loans/{loan_id}"


def _words(ask: Asker) -> dict[str, Any]:
    return {
        "kinds": [(one["code"], one["name"]) for one in ask.everything("aid_items.kinds")],
        "townships": township_names(ask),
    }


def _enter_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    own, words = ask.actor.township_code, _words(ask)
    homes = [(code, name) for code, name in words["townships"].items() if own in (None, code)]
    return screen("desk/aid_enter.html", ask.actor, refusal=refusal, homes=homes, usable=_USABLE, **words)


def _aid_page(ask: Asker, item_id: UUID, refusal: Refusal | None = None) -> Response:
    item = ask.read("aid_items.show", item_id=item_id)
    return screen("desk/aid.html", ask.actor, refusal=refusal, item=item, usable=_USABLE, **_words(ask))


def _loan_page(ask: Asker, loan_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("aid_loans.show", loan_id=loan_id)
    shown: dict[str, Any] = {"usable": _USABLE, "brought_back": _BROUGHT_BACK}
    return screen("desk/aid_loan.html", ask.actor, refusal=refusal, loan=found, **shown, **_words(ask))
