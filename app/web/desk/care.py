"""Home care at the desk: visits sent to providers, ruled upon and cancelled; and what providers bill for a month."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker, Refusal
from app.web.desk.tables import DAYS, Column, Filter, Table, list_page, said, table_page, township_filter
from app.web.doors import form_key, page
from app.web.lists import asked, listed
from app.web.screens import filled, screen
from app.web.steps import after
from timebank.core import clock
from timebank.redemption.care.rules import STATUS_NAMES

doors = Blueprint("desk_care", __name__)

VISIT = "/desk/care/<uuid:booking_id>"


@list_page(doors, "/desk/care")
def visits(ask: Asker) -> Response:
    return table_page(ask, _visits(ask), ways=[("/desk/care/bills", "机构账单"), ("/desk/care/providers", "服务机构")])


def _visits(ask: Asker) -> Table:
    return Table(
        name="care_bookings",
        asks="care_bookings.list",
        columns=(
            Column("什么时候", said("starts_at"), "moment", "starts_at", link=lambda one: _path(one["booking_id"])),
            Column("老人", said("elder_name"), sort="name"),
            Column("镇街", said("township_name"), sort="township"),
            Column("服务", said("service_name"), sort="service"),
            Column("时长", said("minutes"), "hours", "minutes"),
            Column("机构", said("provider_name"), sort="provider", shows=_provider),
            Column("状态", said("status_name"), sort="status"),
            Column("预约", said("booked_at"), "moment", "booked_at"),
            Column("预约人", said("booked_by_name"), on="sheet"),
            Column("服务时长", _served, "hours", on="sheet"),
            Column("已扣时长", said("payable_minutes"), "hours", on="sheet"),
            Column("评价", said("rating"), "whole", on="sheet"),
        ),
        filters=(
            Filter("status", "状态", [(str(status), name) for status, name in STATUS_NAMES.items()]),
            *township_filter(ask),
            *DAYS,
        ),
        empty=("没有这样的预约。", "/desk/care", "看全部"),
    )


def _provider(visit: dict[str, Any]) -> str:
    return str(visit["provider_name"] or "还没有派")


def _served(visit: dict[str, Any]) -> int | None:
    decided, served = visit["decided_minutes"], visit["served_minutes"]
    return None if served is None and decided is None else int(served if decided is None else decided)


@page(doors, VISIT, who="desk")
def visit(ask: Asker, booking_id: UUID) -> Response:
    return _visit_page(ask, booking_id)


@page(doors, f"{VISIT}/assign", who="desk", method="POST")
def assign(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.assign", filled(), key=form_key(), booking_id=booking_id)
    words = f"已派给{answer['provider_name']}" if isinstance(answer, dict) else ""
    return after(answer, words, _path(booking_id), lambda no: _visit_page(ask, booking_id, no))


@page(doors, f"{VISIT}/decide", who="desk", method="POST")
def decide(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.decide", filled(), key=form_key(), booking_id=booking_id)
    return after(answer, "已裁定", _path(booking_id), lambda no: _visit_page(ask, booking_id, no))


@page(doors, f"{VISIT}/cancel", who="desk", method="POST")
def cancel(ask: Asker, booking_id: UUID) -> Response:
    answer = ask.write("care_bookings.cancel", filled(), key=form_key(), booking_id=booking_id)
    return after(answer, "已取消", _path(booking_id), lambda no: _visit_page(ask, booking_id, no))


@page(doors, "/desk/care/bills", who="desk")
def bill(ask: Asker) -> Response:
    wanted = {"month": f"{clock.today():%Y-%m}", **asked("provider_id", "month")}
    providers = [(one["provider_id"], one["name"]) for one in ask.everything("care_providers.list")]
    found: dict[str, Any] = {"items": [], "next_cursor": None, "asked": wanted}
    totals = None
    if "provider_id" in wanted:
        found = listed(ask, "care_bills.show", wanted)
        totals = ask.read("care_bills.show", {**wanted, "limit": 1})["bill"]
    return screen("desk/care_bill.html", ask.actor, providers=providers, bill=totals, **found)


@page(doors, "/desk/care/bills/workbook.xlsx", who="desk")
def bill_workbook(ask: Asker) -> Response:
    return sent_response(200, ask.read("care_bills.workbook", asked("provider_id", "month")), XLSX)


def _path(booking_id: UUID | str) -> str:
    return f"/desk/care/{booking_id}"


def _visit_page(ask: Asker, booking_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("care_bookings.show", booking_id=booking_id)
    providers = [
        (one["provider_id"], one["name"])
        for one in ask.everything("care_providers.list", {"township_code": found["township_code"]})
        if one["active"] and found["service"] in one["services"]
    ]
    return screen("desk/care_visit.html", ask.actor, refusal=refusal, visit=found, providers=providers)
