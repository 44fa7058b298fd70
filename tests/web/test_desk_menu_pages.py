"""A canteen's menus at the desk: stewards of its township write them, others read what they may; what today offers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.api.scene_menus import next_monday
from tests.factories.people import DAYAN, XIWU
from tests.web.browser import Browser
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.core.db import Database


@pytest.fixture
def canteen(scene: Scene) -> str:
    return f"/desk/canteens/{scene.canteens['clerks']}"


def state_of(bank: Database, scene: Scene) -> tuple[str, int]:
    """The draft's state, and how much is on all menus."""
    with bank.session() as session:
        items = session.scalar(select(func.count()).select_from(MenuItem))
        return session.get_one(Menu, scene.menus["draft"]).state, int(items or 0)


def test_the_district_writes_and_releases_a_canteens_week_from_its_page(
    browser: Browser, canteen: str, scene: Scene, bank: Database
) -> None:
    browser.sign_in_staff("district", PASSWORD).get(canteen)
    menus = f"{canteen}/menus"
    assert menus in browser.links()
    browser.get(menus)
    assert {f"{menus}/dishes", "/desk/imports/new?kind=menu", canteen} <= set(browser.links())
    week = next_monday() + timedelta(days=14)
    browser.post(menus, week=str(week), source=f"{scene.canteens['clerks']} {next_monday()}")
    copied = browser.path
    assert (copied.startswith(menus + "/"), "已复制 70 道菜" in browser.text) == (True, True)
    browser.get(f"{copied}/release").post(f"{copied}/release")
    assert (browser.path, "老人现在可以订餐" in browser.text) == (copied, True)
    add = f"{copied}/days/{week}/supper/add"
    browser.get(add)
    assert "老人马上就能订" in browser.text
    browser.post(add, dish_id=str(scene.menus["dish"]), is_love_meal="1")
    assert (browser.path, "已加上：豆腐汤" in browser.text) == (add, True)
    browser.post(add, dish_id=str(scene.menus["dish"]), form_key="again")
    assert (browser.status, "在同一餐里重复" in browser.text) == (422, True)


def test_an_auditor_reads_drafts_and_dishes_and_writes_nothing(
    browser: Browser, canteen: str, scene: Scene, bank: Database
) -> None:
    draft = f"{canteen}/menus/{scene.menus['draft']}"
    before = state_of(bank, scene)
    browser.sign_in_staff("auditor", PASSWORD).get(f"{canteen}/menus")
    assert ("编一周新菜单" in browser.text, "草稿：1 道菜" in browser.text) == (False, True)
    browser.get(draft)
    assert ("没价的鱼" in browser.text, f"{draft}/release" in browser.links()) == (True, False)
    browser.get(f"{draft}/items/{scene.menus['draft_item']}")
    assert ("没有价格" in browser.text, "更改这道菜" in browser.text) == (True, False)
    browser.get(f"{canteen}/menus/dishes")
    assert ("豆腐汤" in browser.text, "登记菜品" in browser.text) == (True, False)
    for path in (f"{draft}/release", f"{draft}/empty", f"{draft}/items/{scene.menus['draft_item']}/remove"):
        browser.post(path, form_key=path)
        assert (path, browser.status, "只有本助餐点" in browser.text) == (path, 422, True)
    assert state_of(bank, scene) == before


def test_another_townships_steward_sees_what_is_released_and_no_draft(
    browser: Browser, canteen: str, scene: Scene, bank: Database
) -> None:
    before = state_of(bank, scene)
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(f"{canteen}/menus")
    assert ("已发布：70 道菜" in browser.text, "草稿" in browser.text, "菜品本" in browser.text) == (True, False, False)
    assert browser.get(f"{canteen}/menus/{scene.menus['draft']}").status == 404
    assert browser.get(f"{canteen}/menus/dishes").status == 403
    released = f"{canteen}/menus/{scene.menus['released']}/items/{scene.menus['released_item']}"
    browser.get(released)
    assert ("12.00元" in browser.text, "按这个限量" in browser.text) == (True, False)
    browser.post(f"{released}/price", price_yuan="1", reason="试试")
    assert (browser.status, "只有本助餐点" in browser.text, state_of(bank, scene)) == (422, True, before)


def test_what_today_offers_is_told_by_canteen_and_narrowed_by_meal_and_township(browser: Browser, canteen: str) -> None:
    today = "/desk/canteens/today"
    browser.sign_in_staff("district", PASSWORD).get("/desk/canteens")
    assert today in browser.links()
    browser.get(today)
    assert ("大堰镇老年食堂" in browser.text, f"{canteen}/menus" in browser.links()) == (True, True)
    assert ("午餐 " in browser.text.partition("大堰镇老年食堂")[2], "红烧肉 12.00元" in browser.text) == (True, True)
    browser.get(f"{today}?meal=supper&township_code={DAYAN}")
    assert "午餐" not in browser.text.partition("大堰镇老年食堂")[2]
    browser.get(f"{today}?township_code={XIWU}")
    assert "今天没有助餐点发布了菜单" in browser.text
    assert browser.get(f"{today}?meal=midnight").status == 422
    # A township's own first.
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(today)
    assert "今天没有助餐点发布了菜单" in browser.text


@pytest.mark.parametrize("path", ["menus", "menus/dishes", "menus/dishes/new"])
def test_the_desks_menus_are_no_business_of_the_counters_people(browser: Browser, canteen: str, path: str) -> None:
    browser.sign_in_staff("clerk", PASSWORD).get(f"{canteen}/{path}")
    assert browser.path == "/staff/sign-in"
