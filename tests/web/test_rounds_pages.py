"""Meals carried to the door on the phone: from the canteen, door by door, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask

from tests.api.caller import Caller
from tests.api.scene import PASSWORD, Scene
from tests.doors import SignIn
from tests.web.browser import Browser
from timebank.canteens.delivery.queries.rounds import code_of
from timebank.core import clock


@dataclass
class Carried:
    """A round that the stranger has taken: its page, its task, its one door, and the codes that are said."""

    path: str
    task_id: str
    service_code: str
    door: str
    handover_code: str
    caller: Caller


@pytest.fixture
def carried(scene: Scene, nobody: Caller, sign_in: SignIn) -> Carried:
    token = nobody.ok("auth.staff_login", {"username": "clerk", "password": PASSWORD})["access_token"]
    clerk = Caller(nobody.app, nobody.description, token)
    found = clerk.ok("rounds.show", round_id=scene.rounds["planned"])
    stranger = sign_in("stranger")
    stranger.ok("tasks.accept", task_id=found["task_id"])
    order_id = scene.rounds["order_waiting"]
    path = f"/m/rounds/{found['round_id']}"
    return Carried(path, found["task_id"], found["service_code"], f"{path}/{order_id}", code_of(order_id), stranger)


def _check_in(browser: Browser, carried: Carried) -> None:
    carried.caller.ok("dev.set_clock", {"now": (clock.now() + timedelta(minutes=1)).isoformat()})
    browser.sign_in("stranger").get(carried.path)
    way_in = next(link for link in browser.links() if "/check-in?next=" in link)
    browser.get(way_in).post(way_in, service_code=carried.service_code)
    assert (browser.status, browser.path) == (200, carried.path)


def _leave(browser: Browser, carried: Carried) -> None:
    _check_in(browser, carried)
    browser.post(f"{carried.path}/start")
    assert "出发了" in browser.text


def test_a_round_from_the_canteen_to_the_door_and_back(browser: Browser, carried: Carried) -> None:
    browser.sign_in("stranger").get("/m/rounds")
    assert carried.path in browser.links()
    browser.get(carried.path)
    assert "tel:" not in browser.html
    assert f"{carried.door}/deliver" not in browser.links()
    _leave(browser, carried)
    assert 'href="tel:' in browser.html
    assert "还有 1 家没有送" in browser.text
    browser.get(f"{carried.door}/deliver").post(f"{carried.door}/deliver", handover_code=carried.handover_code)
    assert (browser.path, "已送达" in browser.text) == (carried.path, True)
    assert "tel:" not in browser.html
    browser.post(f"{carried.path}/finish")
    assert "这一趟送完了" in browser.text
    way_out = next(link for link in browser.links() if "/check-out?next=" in link)
    browser.get(way_out).post(f"/m/tasks/{carried.task_id}/check-out")
    assert "签退成功" in browser.text
    assert carried.caller.ok("tasks.show", task_id=carried.task_id)["status"] == "checked_out"


def test_a_wrong_handover_code_says_so_and_how_many_tries_are_left(browser: Browser, carried: Carried) -> None:
    _leave(browser, carried)
    wrong = f"{(int(carried.handover_code) + 1) % 10_000:04}"
    browser.get(f"{carried.door}/deliver").post(f"{carried.door}/deliver", handover_code=wrong)
    assert (browser.status, 'id="handover_code-wrong"' in browser.html) == (422, True)
    assert "还可以试 4 次" in browser.text
    browser.post(f"{carried.door}/deliver", handover_code="")
    assert (browser.status, "请输入老人的交接码" in browser.text) == (422, True)
    assert "还有 1 家没有送" in browser.get(carried.path).text


def test_a_meal_handed_over_twice_is_handed_over_once(browser: Browser, carried: Carried) -> None:
    _leave(browser, carried)
    browser.get(f"{carried.door}/deliver")
    form = browser.html
    for _ in range(2):
        browser.html = form
        browser.post(f"{carried.door}/deliver", handover_code=carried.handover_code)
        assert (browser.status, browser.path) == (200, carried.path)
    assert browser.get(f"{carried.door}/deliver").path == carried.path


def test_a_meal_that_comes_back_needs_a_reason(browser: Browser, carried: Carried) -> None:
    _leave(browser, carried)
    browser.get(f"{carried.door}/undelivered").post(f"{carried.door}/undelivered", note="敲了三次门")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    assert "敲了三次门" in browser.html
    browser.post(f"{carried.door}/undelivered", reason="nobody_home", note="敲了三次门")
    assert (browser.path, "请把餐带回助餐点" in browser.text) == (carried.path, True)
    assert "未送达：家中无人" in browser.text


def test_nobody_leaves_before_checking_in_nor_comes_back_with_meals_left(browser: Browser, carried: Carried) -> None:
    browser.sign_in("stranger").get(carried.path)
    browser.post(f"{carried.path}/start")
    assert (browser.status, "先签到" in browser.text) == (422, True)
    _leave(browser, carried)
    browser.post(f"{carried.path}/finish")
    assert (browser.status, "还有1份没有送达或登记" in browser.text) == (422, True)


def test_a_round_is_the_page_of_whoever_carries_it_alone(app: Flask, carried: Carried) -> None:
    other = Browser(app).sign_in("volunteer")
    for path in (carried.path, f"{carried.door}/deliver", f"{carried.door}/undelivered"):
        assert other.get(path).status == 404
    assert Browser(app).get(carried.path).path == "/m/sign-in"


def test_whoever_carries_nothing_reads_how_to_begin(browser: Browser) -> None:
    browser.sign_in("volunteer").get("/m/rounds")
    assert "还没有接送餐的单" in browser.text
    assert "/m/tasks" in browser.links()
