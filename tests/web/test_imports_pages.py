"""Workbooks at the desk's pages: handed in, looked at row by row, booked as they were shown by a second person."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from sqlalchemy import func, select

from app.web.desk import imports
from tests.api.scene import PASSWORD, Scene
from tests.api.scene_imports import HEADING, OF_XIWU, RECORD, workbook_bytes
from tests.factories.diners import list_of_diners, listed
from tests.factories.menus import a_row, menu_workbook, monday_of
from tests.factories.people import XIWU, born_for_age, district, valid_id_number
from tests.web.browser import Browser
from timebank.canteens.diners.models import Diner
from timebank.canteens.menus.models import MenuItem
from timebank.core import clock
from timebank.core.db import Database
from timebank.importing.actions import import_workbook
from timebank.importing.models import OfficeImport
from timebank.importing.package import MAX_FILE_BYTES
from timebank.importing.workbook import read_workbook
from timebank.people.models import Person
from timebank.tasks.models import Task

NEW = "/desk/imports/new"


def count(bank: Database, model: Any) -> int:
    with bank.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def handed_in(browser: Browser, who: str, content: bytes, name: str = "10月.xlsx", **form: str) -> str:
    """Upload a workbook; the address of its page."""
    browser.sign_in_staff(who, PASSWORD).get(f"{NEW}?kind={form.get('kind', 'people')}")
    browser.upload(NEW, "workbook", name, content, **{"kind": "people", **form})
    return browser.path


def shown_on(browser: Browser) -> str:
    return browser.html.partition('name="shown" value="')[2].partition('"')[0]


def test_what_waits_is_looked_at_row_by_row_and_booked_once_by_a_second_person(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = f"/desk/imports/{scene.import_id}"
    people, tasks = count(bank, Person), count(bank, Task)
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/imports?state=waiting")
    assert page in browser.links()
    browser.get(page)
    for said in ("服务时长", "1小时30分钟", "身份证号有误", "无*", "外*", "服务对象未登记", "退回的行（3）"):
        assert said in browser.text, said
    assert "330224196509023578" not in browser.html
    shown = shown_on(browser)
    for _ in range(2):
        browser.post(f"{page}/book", form_key="one form, sent twice", shown=shown)
        assert (browser.status, browser.path, "已导入" in browser.text) == (200, page, True)
    assert (count(bank, Person), count(bank, Task)) == (people + 2, tasks + 1)
    assert f"{page}/book" not in browser.html
    browser.post(f"{page}/book", shown=shown)
    assert (browser.status, "这份工作簿已经导入" in browser.text) == (422, True)
    assert count(bank, Task) == tasks + 1
    browser.get("/desk/imports?state=booked")
    assert page in browser.links()


def test_an_upload_shows_its_table_and_books_nothing_before_somebody_else_says_so(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    tasks = count(bank, Task)
    page = handed_in(browser, "steward_xiwu", workbook_bytes(), "C:\\桌面\\10月.xlsx")
    assert page.startswith("/desk/imports/")
    assert ("须由另一位管理员" in browser.text, f"{page}/book" in browser.html) == (True, False)
    assert "10月.xlsx：已核对，待导入" in browser.text
    assert handed_in(browser, "steward_xiwu", workbook_bytes()) == page  # sent twice, kept once
    browser.post(f"{page}/book", shown="x")
    assert (browser.status, "上传人以外的管理员" in browser.text, count(bank, Task)) == (422, True, tasks)
    browser.sign_in_staff("district", PASSWORD).get(page)
    browser.post(f"{page}/book", shown=shown_on(browser))
    assert (browser.status, "已导入" in browser.text, count(bank, Task)) == (200, True, tasks + 1)
    assert scene.import_id is not None


def test_what_changed_since_is_said_and_shown_and_not_booked(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/imports/{scene.import_id}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page)
    with bank.unit_of_work() as session:
        workbook = read_workbook(workbook_bytes({"服务记录": [HEADING, RECORD]}), name="别处.xlsx")
        import_workbook(session, workbook=workbook, approved_by=district())
    tasks = count(bank, Task)
    browser.post(f"{page}/book", shown=shown_on(browser))
    assert (browser.status, "核对之后数据有变化，没有导入" in browser.text) == (422, True)
    assert count(bank, Task) == tasks
    assert "没有新的内容" in browser.text
    browser.post(f"{page}/book", shown=shown_on(browser))
    assert (browser.status, count(bank, Task)) == (200, tasks)
    assert "已导入" in browser.text


def test_rows_are_filtered_by_reason_paged_and_taken_as_a_workbook(
    browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = f"/desk/imports/{scene.import_id}"
    browser.sign_in_staff("auditor", PASSWORD).get(f"{page}?reason=other_township")
    assert ("外*" in browser.text, "无*" in browser.text) == (True, False)
    assert f"{page}/discard" not in browser.html
    monkeypatch.setattr(imports, "ROWS_A_PAGE", 1)
    browser.get(page)
    assert ("无*" in browser.text, "外*" in browser.text, "cursor=" in browser.html) == (True, False, True)
    assert browser.get(f"{page}?notes=true").text.count("没有须留意的行") == 1
    answer = browser.sign_in_staff("steward_xiwu", PASSWORD).download(f"{page}/rejects.xlsx")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    found = openpyxl.load_workbook(BytesIO(answer.data))
    assert [sheet.max_row for sheet in found.worksheets] == [3, 1, 2]


@pytest.mark.parametrize("kind", ["people", "diners", "menu"])
def test_an_empty_form_is_taken_from_the_page_and_can_be_read_as_it_is(
    browser: Browser, scene: Scene, kind: str
) -> None:
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(f"{NEW}?kind={kind}")
    form = browser.download(next(link for link in browser.links() if "form.xlsx" in link)).data
    where = {} if kind != "menu" else {"canteen_id": str(scene.canteens["open"]), "week_starts_on": "2099-01-05"}
    page = handed_in(browser, "district", form, kind=kind, **where)
    assert (browser.status, page.startswith("/desk/imports/"), "没有退回的行" in browser.text) == (200, True, True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("", b"", "请选要上传的 Excel 文件"),
        ("a.xlsx", b"no workbook", "不是 Excel 工作簿"),
        ("a.xlsx", b"PK\x03\x04 broken", "工作簿已损坏"),
        ("a.xlsx", workbook_bytes({"服务记录": [["日期", "说明"]]}), "缺少“志愿者身份证号”列"),
    ],
)
def test_what_is_no_workbook_says_so_beside_the_field(
    browser: Browser, scene: Scene, bank: Database, name: str, content: bytes, said: str
) -> None:
    assert scene.import_id is not None
    before = count(bank, OfficeImport)
    handed_in(browser, "steward_xiwu", content, name)
    assert (browser.status, 'id="workbook-wrong"' in browser.html) == (422, True)
    assert said in browser.text
    assert count(bank, OfficeImport) == before


def test_a_file_that_is_far_too_large_is_refused_on_a_page(browser: Browser, scene: Scene, bank: Database) -> None:
    assert scene.import_id is not None
    handed_in(browser, "steward_xiwu", bytes(MAX_FILE_BYTES + 100_000))
    assert (browser.status, count(bank, OfficeImport)) == (413, 1)
    handed_in(browser, "steward_xiwu", bytes(MAX_FILE_BYTES + 1))
    assert (browser.status, "文件超过 20 MB" in browser.text, count(bank, OfficeImport)) == (422, True, 1)


def test_a_list_of_diners_goes_the_same_way(browser: Browser, scene: Scene, bank: Database, tmp_path: Any) -> None:
    assert scene.diners
    path = list_of_diners(tmp_path / "a.xlsx", listed(valid_id_number(born_for_age(71))), listed("1"))
    before = count(bank, Diner)
    page = handed_in(browser, "steward_xiwu", path.read_bytes(), kind="diners")
    assert ("新登记的人：1" in browser.text, count(bank, Diner)) == (True, before)
    browser.post(f"{page}/book", shown=shown_on(browser))
    assert (browser.status, "已导入" in browser.text, count(bank, Diner)) == (200, True, before + 1)


def test_a_weeks_menu_goes_the_same_way_for_one_canteen(browser: Browser, scene: Scene, bank: Database) -> None:
    week = monday_of(clock.today()) + timedelta(weeks=3)
    content = menu_workbook([a_row(week)])
    before = count(bank, MenuItem)
    browser.sign_in_staff("district", PASSWORD).get(f"{NEW}?kind=menu")
    assert str(scene.canteens["clerks"]) in browser.html
    browser.upload(NEW, "workbook", "菜单.xlsx", content, kind="menu", week_starts_on=str(week))
    assert (browser.status, 'id="canteen_id-wrong"' in browser.html) == (422, True)
    where = {"kind": "menu", "canteen_id": str(scene.canteens["clerks"]), "week_starts_on": str(week)}
    page = handed_in(browser, "district", content, **where)
    assert (count(bank, MenuItem), "菜单" in browser.text) == (before, True)
    browser.post(f"{page}/book", shown=shown_on(browser))
    assert (browser.status, count(bank, MenuItem)) == (200, before + 1)


def test_a_canteens_clerk_brings_in_its_own_menu(browser: Browser, scene: Scene, bank: Database) -> None:
    week = monday_of(clock.today()) + timedelta(weeks=3)
    browser.sign_in_staff("clerk", PASSWORD).get("/counter/dishes")
    assert "/counter/menus" in browser.links()
    browser.get("/counter/menus")
    browser.upload("/counter/menus", "workbook", "", b"", week_starts_on=str(week))
    assert (browser.status, 'id="workbook-wrong"' in browser.html) == (422, True)
    content = menu_workbook([a_row(week), a_row(week, name="清炒时蔬", price="面议")])
    before = count(bank, MenuItem)
    browser.upload("/counter/menus", "workbook", "菜单.xlsx", content, week_starts_on=str(week))
    page = browser.path
    assert (page.startswith("/counter/menus/"), "单价无法识别" in browser.text) == (True, True)
    assert browser.download(f"{page}/rejects.xlsx").status_code == 200
    browser.post(f"{page}/book", shown=shown_on(browser))
    assert (browser.status, browser.path, count(bank, MenuItem)) == (200, page, before + 1)
    assert page in browser.get("/counter/menus").links()
    browser.upload("/counter/menus", "workbook", "菜单.xlsx", menu_workbook([]), week_starts_on=str(week))
    browser.post(f"{browser.path}/discard")
    assert (browser.path, "上传的文件已删除" in browser.text) == ("/counter/menus", True)
    waiting = scene.import_id
    assert browser.get(f"/counter/menus/{waiting}").status == 404  # people and hours are no business of a canteen


def test_an_upload_is_taken_back(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/imports/{scene.import_id}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(f"{page}/discard")
    assert (browser.path, "上传的文件已删除" in browser.text) == ("/desk/imports", True)
    assert count(bank, OfficeImport) == 0
    assert browser.get(page).status == 404
    assert "没有这样的工作簿" in browser.get("/desk/imports").text
    assert NEW in browser.links()


def test_whose_page_it_is_not(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/imports/{scene.import_id}"
    browser.sign_in_staff("auditor", PASSWORD).get(page)
    assert (browser.status, f"{page}/book" in browser.html) == (200, False)
    browser.post(f"{page}/book", shown="x")
    assert (browser.status, "只有镇街或区级管理员可以办理" in browser.text) == (422, True)
    browser.upload(NEW, "workbook", "a.xlsx", workbook_bytes(OF_XIWU), kind="people")
    assert (browser.status, count(bank, OfficeImport)) == (422, 1)
    browser.sign_in_staff("steward_shangtian", PASSWORD)
    assert browser.get(page).status == 404
    assert page not in browser.get("/desk/imports").links()
    browser.sign_in("elder")
    assert browser.get("/desk/imports").path == "/staff/sign-in"


def test_the_list_is_filtered_and_paged(browser: Browser, scene: Scene) -> None:
    first = f"/desk/imports/{scene.import_id}"
    second = handed_in(browser, "district", workbook_bytes(), township_code=XIWU)
    both = [link for link in browser.get("/desk/imports").links() if link in (first, second)]
    assert both == [second, first]
    assert second not in browser.get("/desk/imports?kind=menu").links()
    assert browser.get("/desk/imports?kind=nonsense").status == 422
