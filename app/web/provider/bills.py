"""A provider's bill of a month: what it comes to by service, its lines, and the workbook to sign."""

from __future__ import annotations

from flask import Blueprint, Response

from app.api.operation import sent_response
from app.api.workbooks import XLSX
from app.web.asking import Asker
from app.web.doors import page
from app.web.lists import asked, listed
from app.web.screens import screen
from timebank.core import clock

doors = Blueprint("provider_bills", __name__)


@page(doors, "/care/bills", who="provider")
def bill(ask: Asker) -> Response:
    wanted = _month()
    totals = ask.read("care_bills.show", {**wanted, "limit": 1})["bill"]
    return screen("provider/bill.html", ask.actor, bill=totals, **listed(ask, "care_bills.show", wanted))


@page(doors, "/care/bills/workbook.xlsx", who="provider")
def bill_workbook(ask: Asker) -> Response:
    return sent_response(200, ask.read("care_bills.workbook", _month()), XLSX)


def _month() -> dict[str, str]:
    return {"month": f"{clock.today():%Y-%m}", **asked("month")}
