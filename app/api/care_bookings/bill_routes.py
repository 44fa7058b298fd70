"""Providers' monthly bills: for programs and as a workbook to sign."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.care_bookings.bill_schemas import CareBillFileQuery, CareBillPage, CareBillQuery
from app.api.fields import id_in_cursor
from app.api.operation import Sent, operation, page
from app.api.parser import Doors
from app.api.workbooks import XLSX, workbook_sent
from timebank.core.actors import Actor
from timebank.importing.care_bill_workbook import write_care_bill
from timebank.redemption.care.queries import bills

doors = Doors("care_bills", __name__, url_prefix="/api/v1/care-bills", description="居家养老月度账单")


@operation(doors, "", "care_bills.show", "居家养老月度账单", query=CareBillQuery, answers=CareBillPage, one_moment=True)
def show(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    after = id_in_cursor(query.get("cursor"))
    provider_id, month = bills.must_see_bills(session, actor, query.get("provider_id")), query["month"]
    seen = bills.see_bill(session, provider_id=provider_id, month=month)
    lines = bills.bill_lines(session, provider_id=provider_id, month=month, limit=query["limit"] + 1, after=after)
    return {"bill": seen, **page(lines, query["limit"], lambda line: line.charge_id)}


@operation(
    doors, "/workbook.xlsx", "care_bills.workbook", "居家养老月度账单（Excel）",
    query=CareBillFileQuery, answers=None, media_type=XLSX, one_moment=True,
)  # fmt: skip
def workbook(session: Session, actor: Actor, query: dict[str, Any]) -> Sent:
    provider_id, month = bills.must_see_bills(session, actor, query.get("provider_id")), query["month"]
    seen = bills.see_bill(session, provider_id=provider_id, month=month)
    return workbook_sent(
        lambda file: write_care_bill(file, seen, bills.every_bill_line(session, provider_id=provider_id, month=month)),
        plain=f"care-bill-{month}",
        named=seen.file_stem,
    )
