"""The pages of meal vouchers: buying, showing, giving back, giving away, making anew what was lost; and aids."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.minutes import save_minutes
from tests.factories.people import XIWU
from tests.factories.policies import change_policy
from tests.factories.vouchers import make_relatives
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.db import Database


@pytest.fixture
def rich(bank: Database, scene: Scene) -> Scene:
    """The volunteer and the elder have hours to spend, and are relatives."""
    with bank.unit_of_work() as session:
        for who in ("volunteer", "elder"):
            save_minutes(session, scene.people[who], 600)
        make_relatives(session, scene.people["volunteer"], scene.people["elder"])
    return scene


def _count(browser: Browser) -> int:
    """How many usable vouchers the list shows."""
    return browser.get("/m/vouchers").html.count("出示这张")


def test_what_it_costs_and_what_is_left_is_read_before_vouchers_are_bought(browser: Browser, rich: Scene) -> None:
    browser.sign_in("volunteer")
    had = _count(browser)
    browser.get("/m/vouchers/buy")
    assert ("一张用餐券" in browser.text, "2 张（2小时）" in browser.text) == (True, True)
    browser.get("/m/vouchers/buy/sure?quantity=2&home_only=0")
    assert all(words in browser.text for words in ("一共要用 2小时", "现在可以用", "办完还剩")), browser.text
    browser.post("/m/vouchers/buy", quantity=2, home_only=0)
    assert (browser.path, "换好了 2 张用餐券，用了 2小时" in browser.text) == ("/m/vouchers", True)
    assert _count(browser) == had + 2


def test_the_same_form_sent_twice_buys_once(browser: Browser, rich: Scene) -> None:
    browser.sign_in("volunteer")
    had = _count(browser)
    form = browser.get("/m/vouchers/buy/sure?quantity=1&home_only=0").html
    browser.post("/m/vouchers/buy", quantity=1, home_only=0)
    browser.html = form
    browser.post("/m/vouchers/buy", quantity=1, home_only=0)
    assert _count(browser) == had + 1


@pytest.mark.parametrize("quantity", ["", "0", "1.5", "many"])
def test_a_number_that_is_none_is_said_beside_the_field(browser: Browser, rich: Scene, quantity: str) -> None:
    browser.sign_in("volunteer")
    browser.get(f"/m/vouchers/buy/sure?quantity={quantity}")
    assert (browser.status, 'id="quantity-wrong"' in browser.html) == (422, True)


def test_whoever_has_too_little_reads_what_is_missing_and_is_refused(browser: Browser, scene: Scene) -> None:
    browser.sign_in("stranger")
    browser.get("/m/vouchers/buy/sure?quantity=10&home_only=0")
    assert "还差" in browser.text
    browser.post("/m/vouchers/buy", quantity=10, home_only=0)
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    assert "没有可以用的用餐券" in browser.get("/m/vouchers").text


def test_a_voucher_is_shown_with_its_code_in_groups_and_refunded_after_a_question(
    browser: Browser, rich: Scene
) -> None:
    browser.sign_in("volunteer")
    shown = f"/m/vouchers/{rich.vouchers['issued']}"
    browser.get("/m/vouchers")
    assert shown in browser.links()
    browser.get(shown)
    code = rich.voucher_codes["issued"]
    assert ('class="qr"' in browser.html, "awake" in browser.html) == (True, True)
    assert f"<span>{code[:4]}</span>" in browser.html
    browser.get(f"{shown}/refund")
    assert "退回您的账户" in browser.text
    browser.post(f"{shown}/refund")
    assert ("用餐券退了" in browser.text, "没有可以用的用餐券" in browser.text) == (True, True)
    assert "不能再用了" in browser.get(shown).text
    assert "二维码" not in browser.html
    assert browser.get(f"/m/why?voucher_id={rich.vouchers['issued']}").status == 200


def test_a_used_voucher_is_not_refunded(browser: Browser, rich: Scene) -> None:
    browser.sign_in("volunteer")
    used = f"/m/vouchers/{rich.vouchers['redeemed']}"
    browser.get(f"{used}/refund").post(f"{used}/refund")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)


def test_a_voucher_goes_to_a_relative_and_to_nobody_else(browser: Browser, rich: Scene) -> None:
    browser.sign_in("volunteer")
    path = f"/m/vouchers/{rich.vouchers['issued']}"
    browser.get(f"{path}/give").post(f"{path}/give", to_person_id=str(rich.person_id("stranger")))
    assert browser.status == 422
    browser.get(f"{path}/give").post(f"{path}/give")
    assert (browser.status, 'id="to_person_id-wrong"' in browser.html) == (422, True)
    browser.get(f"{path}/give").post(f"{path}/give", to_person_id=str(rich.person_id("elder")))
    assert (browser.path, "送出去了" in browser.text) == ("/m/vouchers", True)
    assert "送给了亲属" in browser.get(path).text


def test_what_was_lost_is_made_anew_one_by_one_or_all(browser: Browser, rich: Scene) -> None:
    browser.sign_in("volunteer")
    path = f"/m/vouchers/{rich.vouchers['issued']}"
    browser.get(f"{path}/lost").post(f"{path}/lost")
    assert "补办好了" in browser.text
    assert browser.path != path
    assert "已补办新券" in browser.get(path).text
    assert browser.path.rpartition("/")[0] == "/m/vouchers"
    browser.get("/m/vouchers/lost")
    assert "没用过的券 1 张" in browser.text
    browser.post("/m/vouchers/lost", for_person_id=str(rich.person_id("volunteer")))
    assert "补办了 1 张" in browser.text


def test_a_proxy_sees_the_price_of_the_elders_township(
    browser: Browser, rich: Scene, bank: Database, sign_in: SignIn
) -> None:
    mother = str(rich.person_id("elder"))
    consent = {"relation": "邻居", "scopes": ["meals"], "consent_evidence": "同意书第 7 号"}
    pair = {"elder_id": mother, "proxy_id": str(rich.person_id("volunteer"))}
    sign_in("steward_xiwu").ok("people.register_proxy", {**pair, **consent})
    soon = clock.now() + timedelta(minutes=1)
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_price_minutes", 90, township_code=XIWU, at=soon)
    clock.freeze(soon + timedelta(minutes=1))
    browser.sign_in("volunteer").get("/m/vouchers/buy")
    assert "一张用餐券（您用） 1小时 " in browser.text
    assert "一张用餐券（周桂芬用） 1小时30分钟" in browser.text
    browser.get(f"/m/vouchers/buy/sure?quantity=1&for_person_id={mother}")
    assert "每张 1小时30分钟" in browser.text
    assert "每张 1小时 " in browser.get("/m/vouchers/buy/sure?quantity=1").text


def test_a_daughter_buys_for_her_mother_and_the_page_says_so(browser: Browser, rich: Scene) -> None:
    mother = str(rich.person_id("elder"))
    browser.sign_in("proxy")
    assert "替周桂芬办" in browser.get("/m/vouchers/buy").text
    browser.get(f"/m/vouchers/buy/sure?quantity=1&for_person_id={mother}")
    assert "替周桂芬办，用的是周桂芬的时长" in browser.text
    browser.post("/m/vouchers/buy", quantity=1, for_person_id=mother)
    assert ("周桂芬的用餐券" in browser.text, "替周桂芬办" in browser.text) == (True, True)
    shown = next(link for link in browser.links() if re.fullmatch(r"/m/vouchers/[0-9a-f-]{36}", link))
    assert "周桂芬的用餐券" in browser.get(shown).text
    assert browser.get(next(link for link in browser.links() if "/m/why" in link)).status == 200


def test_nobody_sees_or_refunds_the_voucher_of_somebody_else(browser: Browser, rich: Scene) -> None:
    browser.sign_in("stranger")
    path = f"/m/vouchers/{rich.vouchers['issued']}"
    for act in ("", "/refund", "/lost", "/give"):
        assert browser.get(path + act).status == 404
    browser.get("/m/more").post(f"{path}/refund")
    assert browser.status in (403, 404)
    elder = str(rich.person_id("elder"))
    assert browser.get(f"/m/vouchers?for_person_id={elder}").status == 403


def test_lists_are_paged_and_lead_to_the_older_ones(browser: Browser, rich: Scene, bank: Database) -> None:
    with bank.unit_of_work() as session:
        save_minutes(session, rich.people["volunteer"], 25 * 60)
    browser.sign_in("volunteer").get("/m/vouchers/buy").post("/m/vouchers/buy", quantity=22)
    assert _count(browser) == 20
    older = next(link for link in browser.links() if "cursor=" in link) if "cursor=" in str(browser.links()) else None
    found = older or re.findall(r'href="(\?[^"]*cursor=[^"]*)"', browser.html)[0].replace("&amp;", "&")
    browser.get(f"/m/vouchers{found}")
    assert browser.html.count("出示这张") == 3


def test_every_page_of_this_house_is_for_people_who_are_signed_in(app: Flask) -> None:
    for path in ("/m/vouchers", "/m/vouchers/buy", "/m/care", "/m/aids", "/m/family", "/m/gifts", "/m/honours"):
        assert Browser(app).get(path).path == "/m/sign-in"


def _loan(browser: Browser) -> dict[str, Any]:
    loan = re.search(r"/m/aids/([0-9a-f-]{36})", browser.path)
    assert loan is not None, browser.text
    return {"path": loan.group(0)}


def test_an_aid_is_reserved_fetched_with_its_code_and_given_up(browser: Browser, rich: Scene) -> None:
    browser.sign_in("elder").get("/m/aids/shelf")
    assert "您的镇街" in browser.text
    borrow = next(link for link in browser.links() if link.startswith("/m/aids/borrow?kind=walker"))
    browser.get(borrow)
    browser.get(f"{borrow.replace('/borrow?', '/borrow/sure?')}&days=2")
    assert all(words in browser.text for words in ("一共要用 1小时", "办完还剩", "大堰镇")), browser.text
    form = browser.html
    browser.post("/m/aids/borrow", kind="walker", township_code="330213107", days=2)
    path = _loan(browser)["path"]
    assert ("约好了助行器" in browser.text, "取用码" in browser.text) == (True, True)
    browser.html = form
    browser.post("/m/aids/borrow", kind="walker", township_code="330213107", days=2)
    assert browser.path == path
    browser.get(f"{path}/cancel").post(f"{path}/cancel")
    assert (browser.path, "冻结的时长全部退回" in browser.text) == ("/m/aids", True)
    browser.get(f"{path}/cancel").post(f"{path}/cancel")
    assert browser.status == 422


def test_days_that_are_none_are_said_beside_the_field_and_too_many_are_refused(browser: Browser, rich: Scene) -> None:
    browser.sign_in("elder").get("/m/aids/borrow/sure?kind=walker&township_code=330213107&days=none")
    assert (browser.status, 'id="days-wrong"' in browser.html) == (422, True)
    browser.post("/m/aids/borrow", kind="walker", township_code="330213107", days=3000)
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)


def test_a_lent_aid_is_kept_longer_by_the_daughter(browser: Browser, rich: Scene) -> None:
    path = f"/m/aids/{rich.aid_loans['lent']}"
    browser.sign_in("proxy").get("/m/aids")
    assert path in browser.links()
    browser.get(path)
    assert ("替周桂芬办" in browser.text, "借到" in browser.text) == (True, True)
    browser.get(f"{path}/extend/sure?days=1")
    assert "一共要用 30分钟" in browser.text
    browser.post(f"{path}/extend", days=1)
    assert "续借好了，一共借 4 天" in browser.text
    browser.get(f"{path}/extend/sure?days=x")
    assert (browser.status, 'id="days-wrong"' in browser.html) == (422, True)


def test_the_loan_of_somebody_else_is_not_there(browser: Browser, rich: Scene) -> None:
    browser.sign_in("volunteer")
    assert browser.get(f"/m/aids/{rich.aid_loans['lent']}").status == 404
    assert "还没有借过" in browser.get("/m/aids").text
