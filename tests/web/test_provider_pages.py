"""A home-care institution's pages: its visits, what is done at the door, its bill; and institutions at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.factories.people import DAYAN, XIWU
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.core.db import Database
from timebank.redemption.care.models import CareBooking, CareEvent, CareProvider

ROOMS = ("/care/", "/care/coming", "/care/past", "/care/bills")
PROVIDERS = "/desk/care/providers"


@pytest.fixture
def carer(browser: Browser, scene: Scene) -> Browser:
    assert scene.care_bookings
    return browser.sign_in_staff("provider", PASSWORD)


@pytest.fixture
def at_the_door(bank: Database, scene: Scene) -> Iterator[str]:
    """The code of the visit that is assigned, at the moment for which it was booked."""
    with bank.session() as session:
        visit = session.get_one(CareBooking, scene.care_bookings["assigned"])
        clock.freeze(visit.starts_at)
        yield visit.service_code
    clock.freeze(None)


def page_of(scene: Scene, status: str) -> str:
    return f"/care/visits/{scene.care_bookings[status]}"


def status_of(bank: Database, scene: Scene, was: str) -> str:
    with bank.session() as session:
        return session.get_one(CareBooking, scene.care_bookings[was]).status


def acts(bank: Database) -> int:
    with bank.session() as session:
        return int(session.scalar(select(func.count()).select_from(CareEvent)) or 0)


def test_a_providers_people_come_to_their_own_pages_and_to_no_others(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("provider", PASSWORD)
    assert (browser.status, browser.path) == (200, "/care/")
    for path in ROOMS:
        assert (browser.get(path).status, browser.path) == (200, path)
    for path in ("/desk/", "/counter/", "/m/"):
        assert browser.get(path).path.endswith("/sign-in")
    for who in ("clerk", "district", "auditor"):
        browser.sign_in_staff(who, PASSWORD).get("/care/")
        assert browser.path == "/staff/sign-in"
    assert browser.sign_in("elder").get("/care/").path == "/staff/sign-in"


def test_visits_stand_under_their_days_and_empty_days_say_where_to_look(carer: Browser, scene: Scene) -> None:
    coming = page_of(scene, "assigned")
    carer.get("/care/coming")
    assert (coming in carer.links(), "周桂芬" in carer.text, "金钟路8号" in carer.text) == (True, True, True)
    assert coming not in carer.get("/care/").links()
    assert "以前没有上门" in carer.get("/care/past").text
    clock.freeze(clock.now() + timedelta(days=9))
    carer.sign_in_staff("provider", PASSWORD)
    assert ("今天没有派给本机构的上门" in carer.text, "/care/coming" in carer.links()) == (True, True)
    assert coming in carer.get("/care/past").links()
    clock.freeze(None)


def test_one_checks_in_with_the_code_and_out_and_each_is_done_once(
    browser: Browser, scene: Scene, bank: Database, at_the_door: str
) -> None:
    page = page_of(scene, "assigned")
    browser.sign_in_staff("provider", PASSWORD)
    assert page in browser.links()
    wrong = f"{(int(at_the_door) + 1) % 1_000_000:06}"
    browser.get(page).post(f"{page}/check-in", service_code=wrong)
    assert (browser.status, "还可以再试" in browser.text, at_the_door in browser.html) == (422, True, False)
    assert status_of(bank, scene, "assigned") == "assigned"
    for _ in range(2):
        browser.post(f"{page}/check-in", form_key="in", service_code=at_the_door)
        assert (browser.path, "已签到" in browser.text) == (page, True)
    before = acts(bank)
    clock.freeze(clock.now() + timedelta(minutes=50))
    for _ in range(2):
        browser.post(f"{page}/check-out", form_key="out")
        assert (browser.path, "已签退，服务了 50分钟" in browser.text) == (page, True)
    assert (status_of(bank, scene, "assigned"), acts(bank)) == ("checked_out", before + 1)
    browser.post(f"{page}/check-out", form_key="again")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)


def test_nobody_at_home_is_entered_after_one_reads_what_it_costs(
    browser: Browser, scene: Scene, bank: Database, at_the_door: str
) -> None:
    assert at_the_door
    page = page_of(scene, "assigned")
    browser.sign_in_staff("provider", PASSWORD).get(f"{page}/not_home")
    said = browser.text
    browser.post(f"{page}/not_home", reason="没有人应", evidence="")
    assert (browser.status, 'id="evidence-wrong"' in browser.html) == (422, True)
    assert status_of(bank, scene, "assigned") == "assigned"
    for _ in range(2):
        browser.post(f"{page}/not_home", form_key="one form", reason="没有人应", evidence="打过两次电话")
        assert (browser.path, "上门无人" in browser.text) == (page, True)
    with bank.session() as session:
        ended = session.get_one(CareBooking, scene.care_bookings["assigned"])
        taken, held = ended.captured_minutes or 0, ended.held_minutes
    assert f"登记以后，扣老人 {hours_text(taken)}，退回 {hours_text(held - taken)}" in said


def test_before_the_time_nobody_can_be_entered_as_not_at_home(carer: Browser, scene: Scene, bank: Database) -> None:
    page = f"{page_of(scene, 'assigned')}/not_home"
    carer.get(page)
    assert ("还没有到约定的时间" in carer.text, "<textarea" in carer.html or 'name="evidence"' in carer.html) == (
        True,
        False,
    )
    carer.post(page, reason="没有人应", evidence="电话")
    assert (carer.status, status_of(bank, scene, "assigned")) == (422, "assigned")


def test_a_visit_is_declined_with_a_reason_and_is_no_longer_ones_own(
    carer: Browser, scene: Scene, bank: Database
) -> None:
    page = page_of(scene, "assigned")
    carer.get(f"{page}/decline").post(f"{page}/decline", reason="")
    assert (carer.status, 'id="reason-wrong"' in carer.html) == (422, True)
    before = acts(bank)
    for _ in range(2):
        carer.post(f"{page}/decline", form_key="one form", reason="人手不够")
        assert (carer.path, "已谢绝，镇街另派机构" in carer.text) == ("/care/", True)
    assert (status_of(bank, scene, "assigned"), acts(bank)) == ("booked", before + 1)
    assert carer.get(page).status == 404


def test_a_visit_is_cancelled_and_one_that_is_going_on_is_disputed(
    carer: Browser, scene: Scene, bank: Database
) -> None:
    page = page_of(scene, "assigned")
    carer.get(f"{page}/cancel").post(f"{page}/cancel", reason="老人住院了")
    assert (carer.path, "老人的时长全部退回" in carer.text) == (page, True)
    assert status_of(bank, scene, "assigned") == "cancelled"
    assert "不能这样办" in carer.get(f"{page}/decline").text
    page = page_of(scene, "checked_in")
    carer.get(f"{page}/dispute")
    assert "提交就是签退" in carer.text
    carer.post(f"{page}/dispute", reason="老人不让进门")
    assert (carer.path, "等镇街裁定" in carer.text) == (page, True)
    assert status_of(bank, scene, "checked_in") == "disputed"


def test_a_provider_reads_the_own_bill_and_takes_it_along(carer: Browser) -> None:
    month = f"{clock.today():%Y-%m}"
    carer.get("/care/bills")
    assert (f"{clock.today():%Y年%-m月}账单" in carer.text, "还没有出账" in carer.text) == (True, True)
    assert load_workbook(BytesIO(carer.download(f"/care/bills/workbook.xlsx?month={month}").data)).sheetnames
    assert "这个月还没有结算的上门" in carer.get("/care/bills?month=2026-01").text
    assert carer.get("/care/bills?month=January").status == 422


def test_an_institution_is_entered_once_and_changed_and_stops(browser: Browser, scene: Scene, bank: Database) -> None:
    page, form = f"{PROVIDERS}/enter", {"name": "大堰居家养老服务站", "daily_capacity_minutes": "480"}
    ticks = {"services": ["bathing", "cleaning"], "townships": [DAYAN]}
    browser.sign_in_staff("district", PASSWORD).get(PROVIDERS)
    assert (page in browser.links(), "西坞居家养老服务中心" in browser.text) == (True, True)
    browser.get(page).post(page, township_code=DAYAN, services=[], townships=[DAYAN], **form)
    assert (browser.status, 'id="services-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(page, form_key="one form", township_code=DAYAN, **form, **ticks)
        assert (browser.path, "登记好了：大堰居家养老服务站" in browser.text) == (PROVIDERS, True)
    with bank.session() as session:
        entered = session.scalars(select(CareProvider.organisation_id).where(CareProvider.townships == [DAYAN])).all()
    assert len(entered) == 1
    change = f"{PROVIDERS}/{entered[0]}"
    assert change in browser.links()
    browser.get(change).post(change, daily_capacity_minutes="0", active="1", **ticks)
    assert (browser.status, 'id="daily_capacity_minutes-wrong"' in browser.html) == (422, True)
    browser.post(change, daily_capacity_minutes="600", active="0", grade="4", **ticks)
    assert (browser.path, "停止服务" in browser.text, "4A" in browser.text) == (PROVIDERS, True, True)
    browser.get(change).post(change, daily_capacity_minutes="600", active="1", grade="4", **ticks)
    assert "停止服务" not in browser.text
    assert "没有这样的机构" in browser.get(f"{PROVIDERS}?township_code=330213001").text
    assert scene.care_provider_id


def test_a_steward_enters_for_the_own_township_and_an_auditor_writes_nothing(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page, ticks = f"{PROVIDERS}/enter", {"services": ["bathing"], "townships": [XIWU]}
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page)
    assert 'name="township_code"' not in browser.html
    browser.post(page, name="西坞照料站", daily_capacity_minutes="240", **ticks)
    assert (browser.path, "登记好了：西坞照料站" in browser.text) == (PROVIDERS, True)
    change = f"{PROVIDERS}/{scene.care_provider_id}"
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(PROVIDERS)
    assert change not in browser.links()
    browser.get(change).post(change, daily_capacity_minutes="1", active="1", **ticks)
    assert browser.status == 422
    browser.sign_in_staff("auditor", PASSWORD).get(PROVIDERS)
    assert (browser.status, page in browser.links(), change in browser.links()) == (200, False, False)
    browser.get(change).post(change, daily_capacity_minutes="1", active="1", **ticks)
    assert browser.status == 422
    with bank.session() as session:
        assert session.get_one(CareProvider, scene.care_provider_id).daily_capacity_minutes == 960


def test_bookings_are_listed_between_two_days(browser: Browser, scene: Scene, bank: Database) -> None:
    with bank.session() as session:
        day: date = clock.local_date(session.get_one(CareBooking, scene.care_bookings["booked"]).starts_at)
    browser.sign_in_staff("district", PASSWORD)
    booked, assigned = (f"/desk/care/{scene.care_bookings[status]}" for status in ("booked", "assigned"))
    browser.get(f"/desk/care?since={day}&until={day}")
    assert (booked in browser.links(), assigned in browser.links()) == (True, False)
    browser.get(f"/desk/care?since={day + timedelta(days=1)}")
    assert (booked in browser.links(), assigned in browser.links()) == (False, True)
