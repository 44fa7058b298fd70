"""The kitchen's day at the counter and at the desk: what to cook, what goes where, cooked, and rounds planned."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.api.scene_menus import next_monday
from tests.web.browser import Browser
from timebank.canteens.delivery.models import DeliveryRound, KitchenBatch
from timebank.canteens.network.models import Canteen
from timebank.core import clock
from timebank.core.db import Database

KITCHEN = "/counter/kitchen"


@pytest.fixture
def clerk(browser: Browser, scene: Scene) -> Browser:
    assert scene.people
    return browser.sign_in_staff("clerk", PASSWORD)


@pytest.fixture
def lunch_time() -> Iterator[None]:
    """On the day for which the elder has ordered lunch, after the cut-off."""
    clock.freeze(datetime.combine(next_monday(), time(11, 30), clock.LOCAL))
    yield
    clock.freeze(None)


def counted(bank: Database, model: type[KitchenBatch] | type[DeliveryRound]) -> int:
    with bank.session() as session:
        return int(session.scalar(select(func.count()).select_from(model)) or 0)


@pytest.mark.usefixtures("lunch_time")
def test_the_kitchen_reads_what_to_cook_and_what_goes_where(clerk: Browser) -> None:
    clerk.get(f"{KITCHEN}?meal=lunch")
    assert (clerk.status, "大堰镇老年食堂" in clerk.text) == (200, True)
    assert ("1 盒，1 份菜" in clerk.text, "订餐已截止，数字不再变" in clerk.text) == (True, True)
    assert ("红烧肉 软食 1" in clerk.text, "分送清单" in clerk.text) == (True, True)
    link = next(one for one in clerk.links() if ".xlsx" in one)
    assert load_workbook(BytesIO(clerk.download(link).data)).sheetnames


def test_tomorrows_numbers_still_change_and_cannot_be_cooked_today(clerk: Browser) -> None:
    clerk.get(f"{KITCHEN}?on={next_monday()}&meal=lunch")
    assert ("数字还会变" in clerk.text, "登记出餐</button>" in clerk.html) == (True, False)
    clerk.post(f"{KITCHEN}/cooked", on=str(next_monday() + timedelta(days=1)), meal="lunch")
    assert (clerk.status, 'role="alert"' in clerk.html) == (422, True)


@pytest.mark.usefixtures("lunch_time")
def test_a_meal_is_cooked_once_however_often_the_form_is_sent(clerk: Browser, bank: Database) -> None:
    clerk.get(f"{KITCHEN}?meal=lunch")
    before, form = counted(bank, KitchenBatch), {"on": str(clock.today()), "meal": "lunch"}
    for _ in range(2):
        clerk.post(f"{KITCHEN}/cooked", form_key="one form", **form)
        assert (clerk.path, "午餐 11:30 出餐，已登记" in clerk.text) == (KITCHEN, True)
    assert "登记出餐</button>" not in clerk.html
    clerk.post(f"{KITCHEN}/cooked", form_key="another form", **form)
    assert (clerk.status, "已经登记出餐" in clerk.text) == (422, True)
    assert counted(bank, KitchenBatch) == before + 1


def test_a_meal_nobody_ordered_says_so_and_a_day_that_is_none_is_refused(clerk: Browser) -> None:
    clerk.get(f"{KITCHEN}?on=2026-01-05&meal=supper")
    assert (clerk.status, "这一餐没有人订" in clerk.text, ".xlsx" in clerk.html) == (200, True, False)
    assert clerk.get(f"{KITCHEN}?on=someday").status == 422


def test_a_point_that_does_not_cook_says_who_cooks_for_it(clerk: Browser, scene: Scene, bank: Database) -> None:
    with bank.unit_of_work() as session:
        session.get_one(Canteen, scene.canteens["clerks"]).kitchen_id = scene.canteens["open"]
    clerk.get(KITCHEN)
    assert (clerk.status, "这里不自己做饭" in clerk.text) == (200, True)


@pytest.mark.usefixtures("lunch_time")
def test_rounds_are_planned_at_the_counter_but_not_before_the_cut_off(clerk: Browser, bank: Database) -> None:
    clerk.get("/counter/rounds?meal=lunch").post("/counter/rounds/plan", meal="lunch")
    assert (clerk.path, "午餐没有要排的送餐" in clerk.text) == ("/counter/rounds", True)
    before = counted(bank, DeliveryRound)
    clock.freeze(datetime.combine(next_monday(), time(0, 30), clock.LOCAL))
    clerk.post("/counter/rounds/plan", meal="supper", form_key="another form")
    assert (clerk.status, "订餐还没有截止" in clerk.text) == (422, True)
    assert counted(bank, DeliveryRound) == before


def test_rounds_that_nobody_took_are_planned_anew_once(clerk: Browser, bank: Database) -> None:
    before = counted(bank, DeliveryRound)
    clerk.get("/counter/rounds?meal=breakfast")
    for _ in range(2):
        clerk.post("/counter/rounds/plan", meal="breakfast", form_key="one form")
        assert (clerk.path, "早餐排好了 2 趟" in clerk.text) == ("/counter/rounds", True)
    assert counted(bank, DeliveryRound) == before + 2


@pytest.mark.usefixtures("lunch_time")
def test_the_district_marks_a_meal_cooked_and_plans_rounds_and_the_auditor_only_reads(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = f"/desk/canteens/{scene.canteens['clerks']}/kitchen"
    form = {"on": str(clock.today()), "meal": "lunch"}
    browser.sign_in_staff("auditor", PASSWORD).get(page.removesuffix("/kitchen"))
    assert page in browser.links()
    browser.get(f"{page}?meal=lunch")
    assert (browser.status, "红烧肉 软食 1" in browser.text, f"{page}/cooked" in browser.html) == (200, True, False)
    before = counted(bank, KitchenBatch)
    browser.post(f"{page}/cooked", **form)
    assert (browser.status, counted(bank, KitchenBatch)) == (422, before)
    browser.sign_in_staff("district", PASSWORD).get(f"{page}?meal=lunch").post(f"{page}/cooked", **form)
    assert (browser.path, "已登记出餐" in browser.text) == (page, True)
    browser.post(f"{page}/rounds", form_key="rounds", **form)
    assert (browser.path, "排好了 0 趟" in browser.text) == (page, True)
    assert browser.download(f"{page}/workbook.xlsx?meal=lunch").status_code == 200


def test_stewards_elsewhere_and_people_do_not_look_into_a_kitchen(browser: Browser, scene: Scene) -> None:
    page = f"/desk/canteens/{scene.canteens['clerks']}/kitchen"
    assert browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).status == 403
    assert browser.sign_in("elder").get(KITCHEN).path == "/staff/sign-in"
    assert browser.get(page).path == "/staff/sign-in"
