"""Every operation about workbooks at the desk, as stewards and an auditor use them."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import openpyxl

from app.api.imports.routes import WORKBOOK
from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.api.scene_imports import OF_XIWU, workbook_bytes
from tests.factories.people import SHANGTIAN, XIWU

Callers = dict[str, Caller]


def import_workbooks(scene: Scene, staff: Callers, auditor: Caller) -> None:
    """One that waits is looked at and booked by a second person; another is taken back."""
    steward, waiting = staff["steward_xiwu"], {"import_id": str(scene.import_id)}
    shown = steward.ok("imports.show", **waiting)
    assert (shown["minutes"], shown["needs_second_person"], shown["may_book"]) == (90, True, True)
    assert [one["new"] for one in shown["sheets"]] == [1, 1, 1]
    assert [one["reason"] for one in shown["reasons"]] == ["id_number_invalid", "other_township", "elder_unknown"]
    one = auditor.ok("imports.rows", query={"limit": 1}, **waiting)
    rest = auditor.ok("imports.rows", query={"cursor": one["next_cursor"]}, **waiting)["items"]
    assert [row["name"] for row in [*one["items"], *rest]] == ["无*", "外*", ""]
    only = auditor.ok("imports.rows", query={"reason": "other_township"}, **waiting)["items"]
    assert [(row["sheet"], row["row"]) for row in only] == [("志愿者名册", 4)]
    assert steward.ok("imports.rows", query={"notes": "true"}, **waiting)["items"] == []
    sheets = openpyxl.load_workbook(BytesIO(auditor.ok("imports.rejects", **waiting))).sheetnames
    assert sheets == ["志愿者名册", "老人名册", "服务记录"]
    other = steward.refused("imports.book", {"shown": "another table"}, **waiting)
    assert (other["status"], other["code"]) == (409, "import_changed")
    booked = steward.ok("imports.book", {"shown": shown["shown"]}, **waiting)
    assert (booked["state"], booked["booked_by_name"], booked["may_book"]) == ("booked", "steward_xiwu", False)
    twice = staff["district"].refused("imports.book", {"shown": shown["shown"]}, **waiting)
    assert (twice["code"], twice["booked_by_name"]) == ("import_booked", "steward_xiwu")
    _hand_in(staff)
    assert [one["state"] for one in auditor.ok("imports.list")["items"]] == ["waiting", "booked"]
    assert steward.ok("imports.list", query={"state": "booked", "kind": "people"})["items"][0] == booked


def _hand_in(staff: Callers) -> None:
    for kind, sheet in (("people", "志愿者名册"), ("diners", "用餐对象"), ("menu", "菜单")):
        form = staff["steward_xiwu"].ok("imports.form", query={"kind": kind})
        assert openpyxl.load_workbook(BytesIO(form)).sheetnames[0] == sheet
    sent: dict[str, Any] = {"data": workbook_bytes(), "content_type": WORKBOOK.media_type}
    about = {"kind": "people", "file_name": "10月.xlsx"}
    again = staff["steward_xiwu"].ok("imports.prepare", query=about, **sent)
    assert (again["township_code"], again["minutes"], again["earlier"]["booked_by_name"]) == (XIWU, 0, "steward_xiwu")
    rows: dict[str, list[list[object]]] = {
        **OF_XIWU,
        "老人名册": [*OF_XIWU["志愿者名册"][:1], ["叶家惠", "330224195207032431", "尚田"]],
    }
    sent["data"] = workbook_bytes(rows)
    own = staff["district"].ok("imports.prepare", query={**about, "township_code": SHANGTIAN}, **sent)
    assert (own["township_code"], own["minutes"]) == (SHANGTIAN, 0)
    path = {"import_id": own["import_id"]}
    assert staff["district"].ok("imports.discard", **path) == path
    assert staff["district"].refused("imports.show", **path)["code"] == "import_unknown"
    wrong = staff["district"].refused("imports.prepare", query={**about, "kind": "menu"}, **sent)
    assert (wrong["code"], wrong["field"]) == ("import_place_missing", "canteen_id")
