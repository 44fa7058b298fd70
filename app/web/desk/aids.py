"""Rehabilitation aids at the desk: what there is and how it is, handed over, brought back, lost, repaired, retired."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.desk.lists import asked, listed, township_names
from app.web.desk.steps import after, ask_whether_sure, is_sure
from app.web.doors import form_key, page
from app.web.screens import filled, screen
from timebank.redemption.aids.rules import CONDITION_NAMES, LOAN_STATUS_NAMES, USABLE, Condition

doors = Blueprint("desk_aids", __name__)

ITEM = "/desk/aids/<uuid:item_id>"
LOAN = "/desk/aids/loans/<uuid:loan_id>"

_USABLE = [(str(condition), CONDITION_NAMES[condition]) for condition in USABLE]
_BROUGHT_BACK = [*_USABLE, (str(Condition.IN_REPAIR), "坏了，要送修")]
_DONE = {"to_repair": "已送修", "repaired": "修好了，可以再借", "retire": "已报废"}


@page(doors, "/desk/aids", who="desk")
def aids(ask: Asker) -> Response:
    found = listed(ask, "aid_items.list", asked("kind", "township_code", "serial", "available"))
    return screen("desk/aids.html", ask.actor, **_words(ask), **found)


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


@page(doors, "/desk/aids/loans", who="desk")
def loans(ask: Asker) -> Response:
    found = listed(ask, "aid_loans.list", asked("status", "serial", "overdue"))
    statuses = [(str(status), name) for status, name in LOAN_STATUS_NAMES.items()]
    return screen("desk/aid_loans.html", ask.actor, statuses=statuses, **found)


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


def _loan(loan_id: UUID) -> str:
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
