"""Figures at the desk: the dashboard, its charts, the map and the bulletin."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from io import BytesIO
from re import findall

import pytest
from openpyxl import load_workbook
from werkzeug.test import TestResponse

from tests.api.scene import PASSWORD, Scene
from tests.factories.diners import approved_diner
from tests.factories.people import SHANGTIAN, XIWU
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.db import Database
from timebank.supervision.figures.actions import close_month, months_to_close

PICTURES = ("minutes", "redemptions", "limits", "shares", "townships", "map")
PAGES = ("/desk/dashboard", "/desk/map", "/desk/bulletins")


def this_month() -> str:
    return f"{clock.today():%Y-%m}"


def picture(browser: Browser, name: str, more: str = "") -> TestResponse:
    return browser.download(f"/desk/charts/{name}.svg?month={this_month()}{more}")


def pictures_of(html: str) -> list[str]:
    return [unescape(one) for one in findall(r'(?:src|srcset)="(/desk/charts/[^"]+)"', html)]


@pytest.mark.parametrize("who", ["district", "steward_xiwu", "auditor"])
def test_every_page_opens_and_all_its_pictures_are_there(browser: Browser, scene: Scene, who: str) -> None:
    assert scene.people
    browser.sign_in_staff(who, PASSWORD)
    for path in (*PAGES, f"/desk/bulletins/month?month={this_month()}"):
        page = browser.get(path)
        assert (page.status, page.path) == (200, path.partition("?")[0])
        assert len(page.html.encode()) < 60_000
        assert path == "/desk/bulletins" or pictures_of(page.html)
        for address in pictures_of(page.html):
            assert browser.download(address).status_code == 200, address
        assert all(alt.strip() for alt in findall(r'<img [^>]*alt="([^"]*)"', page.html))
    assert {f"{path}" for path in PAGES} <= set(browser.get("/desk/").links())


def test_nobody_else_sees_figures(browser: Browser, scene: Scene) -> None:
    assert scene.people
    assert browser.get("/desk/dashboard").path == "/staff/sign-in"
    assert browser.download("/desk/charts/minutes.svg").status_code == 303
    assert browser.sign_in("volunteer").get("/desk/map").path == "/staff/sign-in"
    assert browser.sign_in_staff("clerk", PASSWORD).get("/desk/bulletins").path == "/staff/sign-in"


def test_the_dashboard_says_what_was_earned_and_what_waits(browser: Browser, scene: Scene) -> None:
    assert scene.people
    page = browser.sign_in_staff("district", PASSWORD).get("/desk/dashboard")
    assert "全区数据看板" in page.text
    assert "1补录待第二人审批" in page.text
    assert "/desk/services?status=recorded" in page.links()
    assert "在限额内" in page.text
    assert scene.reviewed_window in page.text


def test_a_township_sees_its_own_whatever_the_address_says(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    for path in ("/desk/dashboard", "/desk/map"):
        page = browser.get(f"{path}?township_code={SHANGTIAN}")
        assert (page.status, "西坞街道" in page.text, "尚田街道" in page.text) == (200, True, False)
    page = browser.get(f"/desk/bulletins/month?month={this_month()}&township_code={SHANGTIAN}")
    assert ("西坞街道" in page.text, "尚田街道" in page.text) == (True, False)
    assert picture(browser, "limits", f"&township_code={SHANGTIAN}").data == picture(browser, "limits").data


def test_the_district_chooses_a_township(browser: Browser, scene: Scene) -> None:
    assert scene.people
    page = browser.sign_in_staff("district", PASSWORD).get(f"/desk/dashboard?township_code={XIWU}")
    assert "西坞街道数据看板" in page.text
    assert f"/desk/charts/minutes.svg?township_code={XIWU}" in pictures_of(page.html)
    assert browser.get("/desk/dashboard?township_code=330213999").status == 422


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_lets_nothing_in_and_is_sent_again_only_once_it_changed(
    browser: Browser, scene: Scene, name: str
) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD)
    first = picture(browser, name)
    assert (first.status_code, first.mimetype) == (200, "image/svg+xml")
    assert first.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "style" not in first.text
    assert "<script" not in first.text
    again = browser._client.get(
        f"/desk/charts/{name}.svg?month={this_month()}", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")
    assert picture(browser, name, "&narrow=1").headers["ETag"] != first.headers["ETag"]


def test_the_map_counts_people_and_shows_no_home(browser: Browser, scene: Scene, bank: Database) -> None:
    assert scene.people
    with bank.unit_of_work() as session:
        approved_diner(session, XIWU, name="童水娣", latitude=29.901234, longitude=121.345678)
    page = browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/map")
    assert "范围外 1 人" in page.text
    assert "没有登记村社" in page.text
    for told in (page.html, picture(browser, "map").text):
        assert "童水娣" not in told
        assert "29.9012" not in told
        assert "121.3456" not in told


def test_a_township_without_canteens_is_told_what_to_do(browser: Browser, scene: Scene) -> None:
    assert scene.people
    page = browser.sign_in_staff("district", PASSWORD).get("/desk/map?township_code=330213001")
    assert "没有填写了经纬度的助餐点" in page.text
    assert "/desk/canteens" in page.links()
    assert "还没有登记的老人" in page.text


def test_a_bulletin_is_final_once_its_month_has_ended(browser: Browser, scene: Scene, bank: Database) -> None:
    assert scene.people
    month = this_month()
    browser.sign_in_staff("auditor", PASSWORD).get(f"/desk/bulletins/month?month={month}")
    assert "本月还没有结束" in browser.text
    clock.freeze(clock.now() + timedelta(days=32))
    with bank.unit_of_work() as session:
        for ended in months_to_close(session, limit=10):
            close_month(session, month=ended)
    assert "定稿。" in browser.get(f"/desk/bulletins/month?month={month}").text
    assert f"{month} 月报 已定稿" in browser.get("/desk/bulletins").text
    assert "怎样算的" in browser.get(f"/desk/bulletins/month?month={month}").text


def test_a_bulletin_is_taken_along_as_a_workbook(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD).get(f"/desk/bulletins/month?month={this_month()}")
    address = next(unescape(one) for one in browser.links() if ".xlsx" in one)
    answer = browser.download(address)
    assert "attachment" in answer.headers["Content-Disposition"]
    assert load_workbook(BytesIO(answer.data)).sheetnames == ["月报", "各镇街", "怎样算的"]


@pytest.mark.parametrize(("month", "status"), [("2099-01", 404), ("2026-13", 422), ("", 422)])
def test_a_month_that_there_is_not_is_said_in_words(browser: Browser, scene: Scene, month: str, status: int) -> None:
    assert scene.people
    page = browser.sign_in_staff("district", PASSWORD).get(f"/desk/bulletins/month?month={month}")
    assert page.status == status
