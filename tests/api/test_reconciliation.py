"""Handing a list in over HTTP: what is taken, what is answered, and who sees what of it."""

from __future__ import annotations

from typing import Any

import pytest

from app.api.clearing.reconciliation_routes import WORKBOOK
from tests.api.caller import Caller
from tests.api.description import describe
from tests.api.scene import Scene
from tests.api.whole_database import fingerprint
from tests.doors import SignIn
from tests.factories.lists import workbook
from tests.factories.people import DAYAN, SHANGTIAN
from timebank.core import clock
from timebank.core.db import Database
from timebank.importing.package import MAX_FILE_BYTES
from timebank.people.models import Person

HEADING = ["日期", "姓名", "身份证号", "对方镇街", "分钟"]


def hand_in(caller: Caller, scene: Scene, content: bytes, **query: str) -> Any:
    how = {"data": content, "content_type": WORKBOOK.media_type, "query": query}
    return caller.ok("clearing.reconcile", window=scene.reviewed_window, **how)


def test_the_document_says_that_the_body_is_a_workbook() -> None:
    said = describe().operations["clearing.reconcile"]
    assert said.file == (WORKBOOK.media_type, MAX_FILE_BYTES)
    assert said.spec["requestBody"]["required"] is True
    assert said.body is None


def test_a_list_is_matched_and_its_breaks_are_counted_and_shown(scene: Scene, sign_in: SignIn) -> None:
    steward, today = sign_in("steward_shangtian"), f"{clock.today():%Y-%m-%d}"
    rows = [[today, "林志远", None, "大堰镇", -60], [today, "陈建国", None, "大堰镇", 45], ["不详", "x", None, "", 5]]
    file = workbook(rows, HEADING)
    made = hand_in(steward, scene, file, file_name="往来 3月.xlsx")
    assert (made["window"], made["township_code"], made["preliminary"]) == (scene.reviewed_window, SHANGTIAN, False)
    assert (made["rows"], made["matched"], made["file_name"]) == (3, 1, "往来 3月.xlsx")
    assert made["found"] == {"missing_here": 1, "missing_there": 0, "amount": 0, "duplicate": 0, "window": 0}
    assert made["unreadable"] == [{"row": 4, "reason": "day_unreadable", "reason_name": "日期无法识别"}]
    assert made["breaks"]["next_cursor"] is None
    (found,) = made["breaks"]["items"]
    assert (found["row"], found["person_name"], found["minutes_there"], found["owner_township_code"]) == (
        3,
        "陈**",
        45,
        DAYAN,
    )
    assert (found["type_name"], found["age_days"], found["minutes_here"]) == ("清单有，账上无", 0, None)
    # The same file again, under another name and from the district, is no other list.
    assert hand_in(sign_in("district"), scene, file, township_code=SHANGTIAN, file_name="另存.xlsx") == made


def test_the_banks_own_statement_can_be_handed_in_as_a_list(scene: Scene, sign_in: SignIn) -> None:
    for who, window in (
        ("steward_shangtian", scene.reviewed_window),
        ("steward_shangtian", scene.settled_window),
        ("steward_xiwu", scene.settled_window),
    ):
        steward = sign_in(who)
        lines = steward.ok("clearing.lines", query={"window": window})["items"]
        statement = steward.ok("clearing.statement_workbook", window=window)
        how = {"data": statement, "content_type": WORKBOOK.media_type}
        made = steward.ok("clearing.reconcile", window=window, **how)
        assert (made["rows"], made["matched"], made["unreadable"]) == (len(lines), len(lines), [])
        assert sum(made["found"].values()) == 0
        assert made["breaks"]["items"] == []


def test_breaks_are_paged_in_the_order_of_the_list(scene: Scene, sign_in: SignIn) -> None:
    steward, today = sign_in("steward_xiwu"), f"{clock.today():%Y-%m-%d}"
    made = hand_in(steward, scene, workbook([[today, None, None, "大堰", 10 + n] for n in range(60)], HEADING))
    assert [one["row"] for one in made["breaks"]["items"]] == list(range(2, 52))
    query = {"window": scene.reviewed_window, "type": "missing_here", "limit": 7}
    seen: list[int] = []
    cursor = made["breaks"]["next_cursor"]
    while cursor:
        found = steward.ok("clearing.breaks", query={**query, "cursor": cursor})
        seen += [one["row"] for one in found["items"]]
        cursor = found["next_cursor"]
    assert seen == list(range(52, 62))
    assert steward.ok("clearing.breaks", query={**query, "township_code": DAYAN})["items"][0]["row"] == 2
    assert steward.ok("clearing.breaks", query={**query, "township_code": SHANGTIAN})["items"] == []


def test_lists_and_breaks_are_had_in_the_order_that_is_asked_for(scene: Scene, sign_in: SignIn) -> None:
    steward, today = sign_in("steward_xiwu"), f"{clock.today():%Y-%m-%d}"
    rows = [[today, None, None, "大堰", 10 + 7 * n % 60] for n in range(60)]
    made = hand_in(steward, scene, workbook(rows, HEADING))
    assert made["breaks"]["total"] == 60
    query = {"window": scene.reviewed_window, "type": "missing_here", "sort": "-there", "limit": 25, "count": "true"}
    seen: list[int] = []
    while True:
        found = steward.ok("clearing.breaks", query=query)
        assert found["total"] == 60
        seen += [one["minutes_there"] for one in found["items"]]
        if found["next_cursor"] is None:
            break
        query["cursor"] = found["next_cursor"]
    assert seen == list(range(69, 9, -1))
    refused = steward.refused("clearing.breaks", query={**query, "sort": "there"})
    assert (refused["code"], list(refused["errors"])) == ("invalid_input", ["cursor"])
    district = sign_in("district")
    hand_in(district, scene, workbook(rows[:2], HEADING), township_code=DAYAN)
    for sort in ("found", "rows", "matched", "unreadable", "township", "window", "file_name", "uploaded_at"):
        there, back = (
            [one["reconciliation_id"] for one in district.ok("clearing.reconciliations", query={"sort": way})["items"]]
            for way in (sort, f"-{sort}")
        )
        assert (len(there) >= 3, there) == (True, back[::-1]), sort
    most = district.ok("clearing.reconciliations", query={"sort": "-found", "limit": 1})["items"]
    assert [one["reconciliation_id"] for one in most] == [made["reconciliation_id"]]


def test_what_others_wrote_down_is_not_told(scene: Scene, sign_in: SignIn, bank: Database) -> None:
    today = f"{clock.today():%Y-%m-%d}"
    with bank.session() as session:
        number = session.get_one(Person, scene.person_id("elder")).id_number
    rows = [[today, "", number, "大堰镇", 45], [today, "欧阳建国", number, "大堰镇", 50]]
    made = hand_in(sign_in("steward_shangtian"), scene, workbook(rows, HEADING))
    missing = [one for one in made["breaks"]["items"] if one["type"] == "missing_here"]
    # Who writes an identity number down does not learn whose it is.
    assert [one["person_name"] for one in missing] == [None, "欧***"]
    for who in ("steward_shangtian", "district", "auditor"):
        said = sign_in(who).raw("clearing.breaks").text
        assert number not in said
        assert "欧阳建国" not in said
        assert "周桂芬" not in said


@pytest.mark.parametrize("content_type", ["application/json", "text/csv", "application/octet-stream", "", "x"])
def test_another_kind_of_body_is_refused(content_type: str, scene: Scene, sign_in: SignIn, bank: Database) -> None:
    before = fingerprint(bank)
    problem = sign_in("steward_shangtian").refused(
        "clearing.reconcile", window=scene.reviewed_window, data=workbook([]), content_type=content_type
    )
    assert (problem["status"], problem["code"]) == (415, "file_type_not_taken")
    assert problem["media_type"] == WORKBOOK.media_type
    assert fingerprint(bank) == before


def test_a_file_that_is_no_workbook_is_refused_and_changes_nothing(
    scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    steward, before = sign_in("steward_shangtian"), fingerprint(bank)
    how = {"window": scene.reviewed_window, "content_type": WORKBOOK.media_type}
    for content, code in (
        (b"", "workbook_not_excel"),
        (b"a,b\n1,2", "workbook_not_excel"),
        (workbook([])[:900], "workbook_damaged"),
        (workbook([], ["姓名"]), "column_missing"),
        (b"PK\x03\x04" + b"\0" * (2 * 1024 * 1024), "workbook_damaged"),
    ):
        problem = steward.refused("clearing.reconcile", data=content, **how)
        assert (problem["status"], problem["code"]) == (422, code)
    assert fingerprint(bank) == before


def test_nobody_hands_in_anothers_list(scene: Scene, sign_in: SignIn) -> None:
    how = {"data": workbook([]), "content_type": WORKBOOK.media_type, "window": scene.reviewed_window}
    steward = sign_in("steward_xiwu")
    assert steward.refused("clearing.reconcile", query={"township_code": SHANGTIAN}, **how)["code"] == "other_township"
    assert sign_in("district").refused("clearing.reconcile", **how)["code"] == "township_needed"
    assert steward.refused("clearing.breaks", query={"window": "2019-01"})["code"] == "window_unknown"
