"""The counter's tablet: yes or no to a scan, the queue, deliveries, selling, cash, totals, scans without a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.api.scene import PASSWORD, Scene
from tests.api.scene_menus import next_monday
from tests.doors import SignIn
from tests.web.browser import Browser
from timebank.canteens.delivery.queries.rounds import code_of
from timebank.canteens.purses.models import PurseSlip
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.models import Person
from timebank.redemption.models import VoucherScan


@pytest.fixture
def clerk(browser: Browser, scene: Scene) -> Browser:
    assert scene.people
    return browser.sign_in_staff("clerk", PASSWORD)


@pytest.fixture
def lunch_time() -> Iterator[None]:
    clock.freeze(datetime.combine(next_monday(), time(11, 30), clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def lunch_of_another_day() -> Iterator[None]:
    """On which the elder has ordered nothing yet."""
    clock.freeze(datetime.combine(next_monday() + timedelta(days=1), time(11, 30), clock.LOCAL))
    yield
    clock.freeze(None)


def scans_kept(bank: Database) -> int:
    with bank.session() as session:
        return int(session.scalar(select(func.count()).select_from(VoucherScan)) or 0)


def sent(clerk: Browser, scans: list[dict[str, str]]) -> TestResponse:
    """What counter.js sends when the line is back."""
    found = re.search(r'name="form_token" value="([^"]+)"', clerk.get("/counter/").html)
    assert found is not None
    form = {"form_token": found.group(1), "scans": json.dumps(scans)}
    return clerk._client.post("/counter/send", data=form)


def elder_as_asked(bank: Database, scene: Scene) -> dict[str, str]:
    with bank.session() as session:
        elder = session.get_one(Person, scene.person_id("elder"))
        return {"name": elder.name, "id_last_four": elder.id_number[-4:]}


def value_of(clerk: Browser, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}"[^>]* value="([^"]*)"', clerk.html)
    assert found is not None, name
    return unescape(found.group(1))


def test_a_voucher_is_answered_yes_and_the_same_form_sent_twice_is_one_scan(
    clerk: Browser, scene: Scene, bank: Database
) -> None:
    assert clerk.path == "/counter/"
    before, key = scans_kept(bank), value_of(clerk, "form_key")
    clerk.post("/counter/", code=scene.voucher_codes["issued"])
    assert (clerk.status, "是：可以用餐" in clerk.text, "林志远" in clerk.text) == (200, True, True)
    clerk.post("/counter/", code=scene.voucher_codes["issued"], form_key=key)
    assert ("是：可以用餐" in clerk.text, scans_kept(bank)) == (True, before + 1)


def test_a_used_voucher_is_answered_no_with_when_and_where_and_listed_below(clerk: Browser, scene: Scene) -> None:
    clerk.post("/counter/", code="no such code")
    clerk.post("/counter/", code=scene.voucher_codes["redeemed"], recent=value_of(clerk, "recent"))
    assert "否：不能用这张券" in clerk.text
    assert "在大堰镇老年食堂用过" in clerk.text
    below = clerk.text.split("刚才扫的")[1]
    assert ("没有这张券" in below, "在大堰镇老年食堂用过" in below) == (True, True)


def test_nothing_read_is_said_and_is_no_scan(clerk: Browser, bank: Database) -> None:
    before = scans_kept(bank)
    clerk.post("/counter/", code="", recent="not JSON")
    assert (clerk.status, "没有读到" in clerk.text, scans_kept(bank)) == (422, True, before)


@pytest.mark.usefixtures("lunch_time")
def test_a_pickup_number_is_handed_over_once_and_the_second_time_says_when_and_where(clerk: Browser) -> None:
    clerk.get("/counter/today?meal=lunch")
    number = re.search(r"(\d+) 号", clerk.text)
    assert number is not None
    clerk.get("/counter/").post("/counter/", code=f"午{number.group(1)}")
    assert (clerk.status, "是：可以给餐" in clerk.text, "红烧肉" in clerk.text) == (200, True, True)
    clerk.get("/counter/").post("/counter/", code=f"{number.group(1)}号")
    assert (clerk.status, "否：不要给餐" in clerk.text, "在大堰镇老年食堂取走" in clerk.text) == (422, True, True)


@pytest.mark.usefixtures("lunch_time")
def test_the_queue_hands_over_and_is_empty_afterwards(clerk: Browser, scene: Scene) -> None:
    clerk.get("/counter/today?meal=lunch")
    assert ("周**" in clerk.text, "留意：软食" in clerk.text) == (True, True)
    order_id = str(scene.orders["placed"])
    clerk.post("/counter/today/serve", order_id=order_id, meal="lunch")
    assert (clerk.path, "已取餐：红烧肉" in clerk.text) == ("/counter/today", True)
    assert "没有人等着取餐" in clerk.text
    clerk.post("/counter/today/serve", order_id=order_id, meal="lunch", form_key="another")
    assert (clerk.status, "取走" in clerk.text) == (422, True)


def test_scans_kept_without_a_line_each_get_a_final_answer_and_the_no_says_who_pays(
    clerk: Browser, scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    texts = [one["qr_text"] for one in sign_in("volunteer").ok("vouchers.list")["items"] if one["status"] == "issued"]
    at = (clock.now() - timedelta(minutes=5)).isoformat()
    scans = [
        {"code": texts[0], "nonce": "first", "scanned_at": at},
        {"code": "午999", "nonce": "second", "scanned_at": at},
        {"code": scene.voucher_codes["redeemed"], "nonce": "third", "scanned_at": at},
    ]
    answer = sent(clerk, scans)
    results = answer.get_json()["results"]
    assert [(one["nonce"], one["tone"]) for one in results] == [("first", "yes"), ("second", "no"), ("third", "no")]
    assert results[2]["paid"] == "这一餐不支付，请联系镇街"
    kept = scans_kept(bank)
    assert [one["tone"] for one in sent(clerk, scans).get_json()["results"]] == ["yes", "no", "no"]
    assert scans_kept(bank) == kept
    assert sent(clerk, [{"code": "x"}]).status_code == 422


def test_the_page_kept_for_no_line_holds_nothing_of_anybodys(app: Flask) -> None:
    nobody = Browser(app).get("/counter/offline")
    assert (nobody.status, nobody.path, "form_token" in nobody.html) == (200, "/counter/offline", False)
    assert "查不了真假" in nobody.text
    answer = nobody._client.get("/counter/worker.js")
    assert (answer.status_code, answer.content_type) == (200, "text/javascript; charset=utf-8")


@pytest.mark.parametrize("path", ["/counter/", "/counter/today", "/counter/rounds", "/counter/sell", "/counter/dishes"])
def test_the_counter_is_the_clerks_alone(browser: Browser, path: str) -> None:
    assert browser.get(path).path == "/staff/sign-in"
    browser.sign_in("volunteer").get(path)
    assert browser.path == "/staff/sign-in"
    browser.sign_in_staff("district", PASSWORD).get(path)
    assert browser.path == "/staff/sign-in"
    browser.sign_in_staff("clerk", PASSWORD).get(path)
    assert (browser.status, browser.path) == (200, path)


def test_a_round_is_delivered_with_the_code_and_finished(clerk: Browser, scene: Scene) -> None:
    path = f"/counter/rounds/{scene.rounds['departed']}"
    clerk.get("/counter/rounds?meal=breakfast")
    assert ("第 1 趟" in clerk.text, path in clerk.links()) == (True, True)
    order_id, code = str(scene.rounds["order_away"]), code_of(scene.rounds["order_away"])
    wrong = f"{(int(code) + 1) % 10_000:04}"
    clerk.get(path).post(f"{path}/deliver", order_id=order_id, handover_code=wrong)
    assert (clerk.status, "还可以再试 4 次" in clerk.text) == (422, True)
    clerk.post(f"{path}/deliver", order_id=order_id, handover_code=code)
    assert (clerk.status, "号已送达" in clerk.text, "这一趟送完了" in clerk.text) == (200, True, True)
    clerk.post(f"{path}/finish")
    assert (clerk.status, "已完成" in clerk.text) == (200, True)


def test_a_round_that_nobody_took_goes_with_a_courier(clerk: Browser, scene: Scene) -> None:
    path = f"/counter/rounds/{scene.rounds['unmapped']}"
    clerk.get(path).post(f"{path}/courier", name="", phone="1")
    assert (clerk.status, 'id="name-wrong"' in clerk.html) == (422, True)
    clerk.post(f"{path}/courier", name="李师傅", phone="13811113333")
    assert (clerk.status, "李师傅" in clerk.text) == (200, True)
    clerk.post(f"{path}/start")
    assert (clerk.status, "出发了" in clerk.text) == (200, True)
    order_id = value_of(clerk, "order_id")
    clerk.post(f"{path}/undelivered", order_id=order_id, reason="nobody_home")
    assert (clerk.status, "已登记没送到" in clerk.text) == (200, True)


@pytest.mark.usefixtures("lunch_time")
def test_a_guest_pays_cash_and_an_empty_choice_is_refused(clerk: Browser) -> None:
    clerk.get("/counter/sell?meal=lunch").post("/counter/sell/check", meal="lunch", to="guest")
    assert (clerk.status, "还没有选菜" in clerk.text) == (422, True)
    dish = re.search(r'name="(q-[^"]+)"', clerk.html)
    assert dish is not None
    clerk.post("/counter/sell/check", meal="lunch", to="guest", **{dish.group(1): "2"})
    assert (clerk.status, "散客：收现金" in clerk.text) == (200, True)
    chosen = {dish.group(1): "2", "meal": "lunch", "way": "take_away", "diners": "[]"}
    key = value_of(clerk, "form_key")
    clerk.post("/counter/sell", **chosen)
    assert (clerk.path, "卖出：午餐" in clerk.text, "收现金" in clerk.text) == ("/counter/sell", True, True)
    clerk.post("/counter/sell", form_key=key, **chosen)
    clerk.get("/counter/totals")
    assert ("账目相符，一分不差" in clerk.text, "合计 1 " in clerk.text) == (True, True)
    clerk.get("/counter/served")
    assert ("散客" in clerk.text, "订餐编号" in clerk.text) == (True, True)


@pytest.mark.usefixtures("lunch_of_another_day")
def test_a_diner_is_found_and_pays_out_of_the_purse(clerk: Browser, scene: Scene, bank: Database) -> None:
    clerk.get("/counter/sell?meal=lunch")
    dish = re.search(r'name="(q-[^"]+)"', clerk.html)
    assert dish is not None
    chosen = {dish.group(1): "1", "meal": "lunch", "to": "diner"}
    clerk.post("/counter/sell/check", name="没有这人", id_last_four="0000", **chosen)
    assert (clerk.status, 'id="name-wrong"' in clerk.html, "没有找到" in clerk.text) == (422, True, True)
    clerk.post("/counter/sell/check", **elder_as_asked(bank, scene), **chosen)
    assert ("可用余额" in clerk.text, "周桂芬" in clerk.text) == (True, True)
    said = re.search(r"周桂芬要付 (\S+)（从余额扣、收现金一样）", clerk.text)
    assert (said is not None, "当心：" in clerk.text, "问过本人：知道，仍然要" in clerk.text) == (True, True, True)
    paying = {
        dish.group(1): "1",
        "meal": "lunch",
        "way": "eat_in",
        "pay": "purse",
        "person_id": str(scene.person_id("elder")),
    }
    paying["diners"] = value_of(clerk, "diners")
    clerk.post("/counter/sell", **paying)
    assert (clerk.status, "问过本人：知道，仍然要" in clerk.text) == (422, True)
    clerk.post("/counter/sell", accept_unsuitable="1", **paying)
    assert said is not None
    assert (clerk.status, f"从余额扣 {said[1]}，不收现金" in clerk.text) == (200, True)


@pytest.mark.usefixtures("lunch_time")
def test_who_has_ordered_this_meal_already_is_named_before_anything_is_sold(
    clerk: Browser, scene: Scene, bank: Database
) -> None:
    clerk.get("/counter/sell?meal=lunch")
    dish = re.search(r'name="(q-[^"]+)"', clerk.html)
    assert dish is not None
    chosen = {dish.group(1): "1", "meal": "lunch", "to": "diner"}
    clerk.post("/counter/sell/check", **elder_as_asked(bank, scene), **chosen)
    assert (clerk.status, "这一餐不能卖给周桂芬" in clerk.text) == (200, True)
    assert "<button>卖出</button>" not in clerk.html


@pytest.mark.usefixtures("lunch_time")
def test_a_dish_runs_out_and_comes_back(clerk: Browser) -> None:
    clerk.get("/counter/dishes?meal=lunch")
    path = re.search(r'action="(/counter/dishes/[^"]+/sold_out)"', clerk.html)
    assert path is not None
    clerk.post(path.group(1))
    assert ("卖完了，不再接订单" in clerk.text, "又有了" in clerk.text) == (True, True)
    clerk.post(path.group(1).replace("sold_out", "on_sale"))
    assert ("恢复供应了" in clerk.text, "又有了" in clerk.text) == (True, False)


@pytest.mark.usefixtures("lunch_time")
def test_cash_goes_in_once_is_shown_before_and_after_and_too_much_is_refused(
    clerk: Browser, scene: Scene, bank: Database
) -> None:
    def slips() -> int:
        with bank.session() as session:
            return int(session.scalar(select(func.count()).select_from(PurseSlip)) or 0)

    clerk.get("/counter/cash").post("/counter/cash", name="没有这人", id_last_four="0000")
    assert (clerk.status, 'id="name-wrong"' in clerk.html) == (422, True)
    clerk.post("/counter/cash", **elder_as_asked(bank, scene))
    names = ("person_id", "name", "where", "balance_fen", "available_fen")
    diner = {name: value_of(clerk, name) for name in names}
    clerk.post("/counter/cash/check", yuan="许多", step="top_up", **diner)
    assert (clerk.status, "没有看懂金额" in clerk.text) == (422, True)
    clerk.post("/counter/cash/check", yuan="20", step="top_up", **diner)
    assert ("办好以后余额" in clerk.text, "现金已收到，充值 20.00元" in clerk.text) == (True, True)
    before, key = slips(), value_of(clerk, "form_key")
    clerk.post("/counter/cash/top_up", yuan="20", **diner)
    assert (clerk.path, "收现金 20.00元" in clerk.text, "现在余额" in clerk.text) == ("/counter/cash", True, True)
    clerk.post("/counter/cash/top_up", yuan="20", form_key=key, **diner)
    assert slips() == before + 1
    clerk.post("/counter/cash/top_up", yuan="9999", form_key="another", **diner)
    assert (clerk.status, 'id="yuan-wrong"' in clerk.html, slips()) == (422, True, before + 1)
    clerk.post("/counter/cash/pay_back", yuan="5", form_key="a third", **diner)
    assert ("付现金 5.00元" in clerk.text, slips()) == (True, before + 2)


def test_a_day_without_meals_says_what_to_do_next(clerk: Browser) -> None:
    clerk.get("/counter/totals?on_day=2026-01-05")
    assert (clerk.status, "这一天还没有给过餐" in clerk.text, "钱箱里现在该有" in clerk.text) == (200, True, True)
    assert clerk.get("/counter/totals?on_day=yesterday").status == 422
    clerk.get("/counter/served?on_day=2026-01-05")
    assert (clerk.status, "这一天没有给过餐" in clerk.text) == (200, True)
