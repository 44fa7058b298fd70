"""The statement over HTTP: the same figures as JSON, as a workbook and as a page, for whom they are meant."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import unquote

import openpyxl
import pytest
from flask import Flask

from app.api import workbooks
from tests.api.caller import Caller, Json
from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.clearing import eat
from tests.factories.lists import credit
from tests.factories.people import DAYAN, SHANGTIAN, XIWU
from timebank.clearing import queries
from timebank.core.db import Database

FORMS = ("clearing.statement", "clearing.statement_workbook", "clearing.statement_page")
Doors = tuple[Flask, Scene]


def statement_of(caller: Caller, window: str, township_code: str | None = None) -> Json:
    found: Json = caller.ok("clearing.statement", window=window, query=_of(township_code))
    return found


def _of(township_code: str | None) -> dict[str, str]:
    return {} if township_code is None else {"township_code": township_code}


def test_the_statement_says_what_positions_and_lines_say(still_callers: dict[str, Caller], still_doors: Doors) -> None:
    auditor, scene = still_callers["auditor"], still_doors[1]
    for window in (scene.settled_window, scene.reviewed_window):
        for position in auditor.ok("clearing.positions", query={"window": window})["items"]:
            code = position["township_code"]
            said = statement_of(auditor, window, code)
            assert (said["position_minutes"], said["position_fen"]) == (
                position["position_minutes"],
                position["position_fen"],
            )
            lines = auditor.ok("clearing.lines", query={"window": window, "township_code": code})["items"]
            assert sum(line["minutes"] for line in lines) == said["position_minutes"] == said["total"]["net_minutes"]
            assert len(lines) == said["total"]["given"]["transfers"] + said["total"]["received"]["transfers"]
            assert (said["lines"], said["lines_next_cursor"]) == (lines, None)


def test_the_statement_has_its_first_lines_and_says_where_the_others_begin(
    scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    for _ in range(101):
        credit(bank, DAYAN, scene.people["volunteer"], 1)
    steward = sign_in("steward_shangtian")
    window = steward.ok("clearing.windows")["items"][0]["window"]
    said = statement_of(steward, window)
    assert (len(said["lines"]), said["total"]["given"]["transfers"]) == (100, 101)
    rest = steward.ok("clearing.lines", query={"window": window, "cursor": said["lines_next_cursor"]})
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    ids = {line["transfer_id"] for line in [*said["lines"], *rest["items"]]}
    assert len(ids) == 101


def test_the_other_side_of_a_disputed_line_is_not_confirmed_either(scene: Scene, sign_in: SignIn) -> None:
    # 尚田 objected to what it owes 大堰.
    body = {"township_code": DAYAN, "note": "已电话核对"}
    refused = sign_in("district").refused("clearing.confirm", body, window=scene.reviewed_window)
    assert (refused["status"], refused["code"]) == (409, "disputes_unruled")
    assert refused["transfer_ids"] == [str(scene.disputed_line)]


def test_a_settled_statement_is_sealed_and_one_under_review_provisionally(
    still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    auditor, scene = still_callers["auditor"], still_doors[1]
    window = auditor.ok("clearing.window", window=scene.settled_window)
    settled = statement_of(auditor, scene.settled_window, XIWU)
    assert (settled["seal"], settled["seal_is_final"], settled["status"]) == (window["seal"], True, "settled")
    assert settled["settlement"]["payments"][0]["direction"] == "pay"
    reviewed = statement_of(auditor, scene.reviewed_window, SHANGTIAN)
    assert (len(reviewed["seal"]), reviewed["seal_is_final"], reviewed["settlement"]) == (64, False, None)
    assert reviewed["disputes"][0]["dispute_id"] == str(scene.dispute_id)
    newest = auditor.ok("clearing.windows")["items"][0]["window"]
    assert (statement_of(auditor, newest, XIWU)["seal"], newest) != (None, scene.settled_window)
    assert statement_of(auditor, newest, XIWU)["seal"] is None


def test_the_workbook_holds_the_figures_of_the_json(still_callers: dict[str, Caller], still_doors: Doors) -> None:
    auditor, window = still_callers["auditor"], still_doors[1].settled_window
    said = statement_of(auditor, window, XIWU)
    lines = auditor.ok("clearing.lines", query={"window": window, "township_code": XIWU})["items"]
    sent = auditor.ok("clearing.statement_workbook", window=window, query=_of(XIWU))
    book = openpyxl.load_workbook(BytesIO(sent))
    rows = {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in book}
    top = next(place for place, row in enumerate(rows["合计"]) if row[0] == "类别")
    kinds = [[total["price_kind_name"], *_figures(total)] for total in said["kinds"]]
    assert [[row[i] for i in (0, 1, 2, 4, 5, 6, 8, 9, 11)] for row in rows["合计"][top + 1 : top + 5]] == [
        *kinds,
        ["合计", *_figures(said["total"])],
    ]
    per_pair = [
        [one["counterpart_name"], part["price_kind_name"], *_figures(part)]
        for one in said["counterparts"]
        for part in one["parts"]
    ]
    matrix = [[row[i] for i in (0, 1, 2, 3, 5, 6, 7, 9, 10, 12)] for row in rows["双边往来"][1:]]
    assert [row for row in matrix if row[1] not in ("小计", None)] == per_pair
    titles, *found = rows["明细"]
    assert [_line(dict(zip(titles, row, strict=True))) for row in found] == [
        (
            line["transfer_id"],
            datetime.fromisoformat(line["recorded_at"]).replace(tzinfo=None, microsecond=0),
            line["minutes"],
            line["kind_name"],
            line["person_name"],
            line["note"],
        )
        for line in lines
    ]
    assert lines


def _figures(both: Json) -> list[Any]:
    gross = [both[way][what] for way in ("given", "received") for what in ("transfers", "minutes", "fen")]
    found = [*gross, both["net_minutes"], both["net_fen"]]
    return [figure / 100 if place in (2, 5, 7) else figure for place, figure in enumerate(found)]


def _line(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["划转编号"], row["记账时间"], row["分钟"], row["业务"], row["姓名"], row["备注"])


def test_the_workbook_is_saved_under_its_chinese_name(still_callers: dict[str, Caller], still_doors: Doors) -> None:
    window = still_doors[1].settled_window
    answer = still_callers["steward_xiwu"].raw("clearing.statement_workbook", window=window)
    assert answer.mimetype == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    how, plain, named = answer.headers["Content-Disposition"].split("; ")
    assert (how, plain) == ("attachment", f'filename="statement-{XIWU}-{window}.xlsx"')
    encoding, _, name = named.removeprefix("filename*=").partition("''")
    assert (encoding, unquote(name)) == ("UTF-8", f"对账单-西坞街道-{window}.xlsx")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_workbooks_file_is_closed_once_the_answer_is_sent(
    method: str, still_callers: dict[str, Caller], still_doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def remembered() -> Any:
        opened.append(TemporaryFile())  # noqa: SIM115 - closed by the answer, which is what is tested
        return opened[-1]

    monkeypatch.setattr(workbooks, "TemporaryFile", remembered)
    caller, window = still_callers["steward_xiwu"], still_doors[1].settled_window
    url = caller.description.operations["clearing.statement_workbook"].url({"window": window})
    with caller.app.test_client().open(
        url, method=method, headers={"Authorization": f"Bearer {caller.token}"}
    ) as answer:
        assert answer.status_code == 200
        assert int(answer.headers["Content-Length"]) > 1000
        assert len(answer.data) == (0 if method == "HEAD" else answer.content_length)
    assert [file.closed for file in opened] == [True]


def test_the_page_may_be_shown_with_its_own_style_and_nothing_else(
    still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    caller, window = still_callers["steward_xiwu"], still_doors[1].settled_window
    answer = caller.raw("clearing.statement_page", window=window)
    assert answer.content_type == "text/html; charset=utf-8"
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "西坞街道" in answer.text
    # What is not a page keeps the policy of the API.
    plain = caller.raw("clearing.statement", window=window).headers["Content-Security-Policy"]
    assert plain == "default-src 'none'; frame-ancestors 'none'"


@pytest.mark.parametrize("operation_id", FORMS)
def test_a_steward_sees_the_own_township_and_the_district_any(
    operation_id: str, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    window = still_doors[1].settled_window
    for who in ("district", "auditor"):
        assert still_callers[who].ok(operation_id, window=window, query=_of(DAYAN))
        needed = still_callers[who].refused(operation_id, window=window)
        assert (needed["code"], needed["field"]) == ("township_needed", "township_code")
    steward = still_callers["steward_xiwu"]
    assert steward.ok(operation_id, window=window) is not None
    assert steward.ok(operation_id, window=window, query=_of(XIWU))
    assert steward.refused(operation_id, window=window, query=_of(DAYAN))["code"] == "other_township"
    for who in ("clerk", "volunteer", "elder"):
        assert still_callers[who].refused(operation_id, window=window, query=_of(XIWU))["code"] == "books_not_yours"


@pytest.mark.parametrize("operation_id", FORMS)
def test_an_unknown_window_or_township_is_refused(
    operation_id: str, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    auditor = still_callers["auditor"]
    for window in ("2019-05", "2026-03-2"):
        refused = auditor.refused(operation_id, window=window, query=_of(XIWU))
        assert (refused["status"], refused["code"], refused["window"]) == (404, "window_unknown", window)
    window = still_doors[1].settled_window
    assert auditor.refused(operation_id, window=window, query=_of("999"))["code"] == "township_unknown"
    assert auditor.refused(operation_id, window=window, query={"x": "1"})["code"] == "invalid_input"


def test_a_workbook_of_the_open_window_adds_up_while_others_post(
    bank: Database, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = sign_in("auditor")
    drawn_up = queries.statement

    def and_then_somebody_eats(*asked: Any) -> queries.StatementView:
        said = drawn_up(*asked)
        eat(bank, DAYAN)
        return said

    window = auditor.ok("clearing.windows")["items"][0]["window"]
    before = statement_of(auditor, window, DAYAN)["total"]["given"]["transfers"]
    monkeypatch.setattr(queries, "statement", and_then_somebody_eats)
    sent = auditor.ok("clearing.statement_workbook", window=window, query=_of(DAYAN))
    assert openpyxl.load_workbook(BytesIO(sent))["明细"].max_row == 1 + before
    monkeypatch.undo()
    assert statement_of(auditor, window, DAYAN)["total"]["given"]["transfers"] == before + 1
