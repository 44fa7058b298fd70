"""Every operation about figures, as the district, a township and the auditor read them."""

from __future__ import annotations

from io import BytesIO

import openpyxl

from tests.api.caller import Caller
from tests.factories.people import SHANGTIAN, XIWU
from timebank.core import clock

Callers = dict[str, Caller]


def read_the_figures(people: Callers, staff: Callers) -> None:
    """The dashboard, the map and the bulletin, each for all townships and for one."""
    district, xiwu, auditor = staff["district"], staff["steward_xiwu"], people["auditor"]
    month = f"{clock.today():%Y-%m}"
    whole = auditor.ok("figures.dashboard")
    assert (whole["township_code"], len(whole["months"]), len(whole["limits"])) == (None, 13, 12)
    assert (whole["months"][-1]["month"], whole["months"][-1]["is_running"]) == (month, True)
    own = xiwu.ok("figures.dashboard")
    assert (own["township_code"], own["township_name"], len(own["limits"])) == (XIWU, "西坞街道", 1)
    assert district.ok("figures.dashboard", query={"township_code": XIWU})["months"] == own["months"]
    for operation_id in ("figures.dashboard", "figures.reach"):
        assert xiwu.refused(operation_id, query={"township_code": SHANGTIAN})["code"] == "other_township"
        assert district.refused(operation_id, query={"township_code": "330213999"})["code"] == "township_unknown"
    reach = district.ok("figures.reach")
    assert (reach["map_minutes"], reach["walking_m_per_minute"]) == (15, 67)
    assert "西坞街道" in {area["area"] for area in reach["areas"]}
    assert {one["township_code"] for one in xiwu.ok("figures.reach")["canteens"]} == {XIWU}
    _read_bulletins(people, staff, month)


def _read_bulletins(people: Callers, staff: Callers, month: str) -> None:
    district, xiwu = staff["district"], staff["steward_xiwu"]
    assert people["auditor"].ok("bulletins.list")["items"][0] == {"month": month, "is_final": False}
    said = district.ok("bulletins.show", query={"month": month})
    assert (said["status"], said["closed_at"]) == ("running", None)
    lines = {line["key"]: line for line in said["lines"]}
    assert lines["earned_minutes"]["amount"] == sum(part["amount"] for part in lines["earned_minutes"]["parts"]) > 0
    own_lines = xiwu.ok("bulletins.show", query={"month": month})["lines"]
    assert {part["township_code"] for line in own_lines for part in line["parts"]} == {XIWU}
    for wrong, code in (("2099-01", "bulletin_not_yet"), ("2026-13", "month_invalid")):
        assert district.refused("bulletins.show", query={"month": wrong})["code"] == code
        assert district.refused("bulletins.workbook", query={"month": wrong})["code"] == code
    asked = {"month": month, "township_code": SHANGTIAN}
    assert xiwu.refused("bulletins.show", query=asked)["code"] == "other_township"
    assert xiwu.refused("bulletins.workbook", query=asked)["code"] == "other_township"
    book = openpyxl.load_workbook(BytesIO(district.ok("bulletins.workbook", query={"month": month})))
    assert book.sheetnames == ["月报", "各镇街", "怎样算的"]
    rows = {row[1]: row for row in book["月报"].iter_rows(min_row=4, values_only=True)}
    assert rows["志愿服务存入"][3] == round(lines["earned_minutes"]["amount"] / 60, 2)
    own = openpyxl.load_workbook(BytesIO(xiwu.ok("bulletins.workbook", query={"month": month})))
    assert own.sheetnames == ["月报", "怎样算的"]
