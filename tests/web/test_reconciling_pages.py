"""A township's own list against the books, at the desk: handed in, looked at, and put right by a movement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.factories.lists import workbook
from tests.factories.people import SHANGTIAN, XIWU
from tests.web.browser import Browser
from timebank.clearing.reconciliation_models import Break, Reconciliation
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.tasks import actions as tasks
from timebank.tasks.actions import BackFill

LISTS, BREAKS = "/desk/clearing/lists", "/desk/clearing/breaks"


def count(bank: Database, model: type[Break] | type[Reconciliation]) -> int:
    with bank.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def a_list() -> bytes:
    today = f"{clock.today():%Y-%m-%d}"
    return workbook([[today, "林志远", "尚田街道", -60], ["不知哪天", "林志远", "尚田街道", -60]])


def handed_in(browser: Browser, scene: Scene, who: str, name: str, content: bytes, **form: str) -> str:
    form_page = f"/desk/clearing/windows/{scene.reviewed_window}/reconcile"
    browser.sign_in_staff(who, PASSWORD).get(form_page)
    browser.upload(form_page, "workbook", name, content, **form)
    return browser.path


def credit_an_hour(bank: Database, scene: Scene) -> None:
    """What the list has and the books had not: an hour of 尚田's volunteer for 西坞's elder."""
    ended = clock.now() - timedelta(days=20)
    form = BackFill(
        service_type="companionship",
        volunteer_id=scene.person_id("volunteer"),
        elder_id=scene.person_id("elder"),
        started_at=ended - timedelta(hours=1),
        ended_at=ended,
        evidence="签到表第4页",
    )
    first, second = (Actor(new_id(), name, None, StaffRole.DISTRICT_STEWARD) for name in ("甲", "乙"))
    with bank.unit_of_work() as session:
        task = tasks.record(session, actor=first, form=form)
        tasks.approve_record(session, actor=second, task_id=task.id)


def test_a_list_is_handed_in_and_its_breaks_and_unreadable_rows_stay_to_be_seen(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = handed_in(browser, scene, "steward_xiwu", "五月往来.xlsx", a_list())
    assert page.startswith(f"{LISTS}/")
    for said in ("五月往来.xlsx：核对结果", "读不出的行（1）", "第 3 行", "清单有，账上无（第 2 行）"):
        assert said in browser.text, said
    assert page in browser.get(LISTS).links()
    before = count(bank, Break)
    assert browser.get(page).status == 200  # looked at again, and nothing is handed in again
    assert count(bank, Break) == before
    browser.get(f"{BREAKS}?type=missing_here&township_code={XIWU}")
    assert any(link.startswith(f"{BREAKS}/") for link in browser.links())
    assert "没有这样的差异" in browser.get(f"{BREAKS}?type=duplicate").text
    assert browser.get(f"{BREAKS}?type=nonsense").status == 422


def test_a_break_is_put_right_by_a_movement_that_is_offered(browser: Browser, scene: Scene, bank: Database) -> None:
    handed_in(browser, scene, "steward_xiwu", "五月往来.xlsx", a_list())
    page = next(link for link in browser.links() if link.startswith(f"{BREAKS}/"))
    browser.get(page)
    assert "清单上 应付 1小时 账上 没有" in browser.text
    assert ("的管理员更正" in browser.text, f"{page}/cure" in browser.html) == (True, False)
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(page)
    assert "还没有正好补上这项差额的划转" in browser.text
    credit_an_hour(bank, scene)
    browser.get(page)
    chosen = browser.html.partition('name="transfer_id" value="')[2].partition('"')[0]
    browser.post(f"{page}/cure", transfer_id=str(new_id()))
    assert (browser.status, "不能更正这项差异" in browser.text) == (422, True)
    for _ in range(2):
        browser.post(f"{page}/cure", form_key="one form, sent twice", transfer_id=chosen)
        assert (browser.status, browser.path) == (200, page)
    assert ("已更正" in browser.text, f"{page}/cure" in browser.html) == (True, False)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [("", b"", "请选要上传的 Excel 文件"), ("a.xlsx", b"no workbook", "不是 Excel 工作簿")],
)
def test_what_is_no_list_says_so_beside_the_field(
    browser: Browser, scene: Scene, bank: Database, name: str, content: bytes, said: str
) -> None:
    before = count(bank, Reconciliation)
    handed_in(browser, scene, "steward_xiwu", name, content)
    assert (browser.status, 'id="workbook-wrong"' in browser.html, said in browser.text) == (422, True, True)
    assert count(bank, Reconciliation) == before


def test_the_district_says_whose_list_it_is(browser: Browser, scene: Scene, bank: Database) -> None:
    before = count(bank, Reconciliation)
    handed_in(browser, scene, "district", "a.xlsx", a_list())
    assert (browser.status, count(bank, Reconciliation)) == (422, before)
    page = handed_in(browser, scene, "district", "a.xlsx", a_list(), township_code=XIWU)
    assert (browser.status, page.startswith(f"{LISTS}/")) == (200, True)
    assert "西坞街道" in browser.text


def test_whose_page_it_is_not(browser: Browser, scene: Scene, bank: Database) -> None:
    own, found = f"{LISTS}/{scene.reconciliation_id}", f"{BREAKS}/{scene.break_id}"
    browser.sign_in_staff("auditor", PASSWORD)
    for page in (own, found, LISTS, BREAKS):
        assert browser.get(page).status == 200
    assert "/cure" not in browser.get(found).html
    before = count(bank, Reconciliation)
    handed_in(browser, scene, "auditor", "a.xlsx", a_list(), township_code=SHANGTIAN)
    assert (browser.status, count(bank, Reconciliation)) == (422, before)
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    for page in (own, found):
        assert browser.get(page).status == 404
    assert own not in browser.get(LISTS).links()


def test_an_empty_list_says_what_to_do(browser: Browser, scene: Scene) -> None:
    assert scene.reconciliation_id is not None
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(LISTS)
    assert ("还没有提交过清单" in browser.text, "/desk/clearing" in browser.links()) == (True, True)
