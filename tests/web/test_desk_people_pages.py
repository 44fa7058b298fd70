"""People at the desk: found by name, their relatives and heirs from paper, their coupons on paper and void."""

from __future__ import annotations

from tests.api.scene import PASSWORD, Scene
from tests.factories.people import XIWU, born_for_age, valid_id_number
from tests.web.browser import Browser
from tests.web.test_desk_pages import number_of
from timebank.core.db import Database


def test_somebody_is_found_by_name_which_stands_in_no_address(browser: Browser, scene: Scene) -> None:
    page = f"/desk/people/{scene.person_id('elder')}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/people")
    browser.post("/desk/people/search", name="周桂")
    assert (browser.status, page in browser.links(), "周桂芬" in browser.text) == (200, True, True)
    assert "没有叫这个名字的人" in browser.post("/desk/people/search", name="林志远").text
    browser.post("/desk/people/search", name="周")
    assert (browser.status, 'id="name-wrong"' in browser.html) == (422, True)
    assert browser.get("/desk/people/search").path == "/desk/people"
    browser.get(page)
    assert {"亲属", "最近的用餐券", "最近的服务", "最近的订餐"} <= set(browser.text.split())


def test_relatives_and_heirs_are_entered_from_paper(browser: Browser, scene: Scene, bank: Database) -> None:
    browser.sign_in_staff("district", PASSWORD).get("/desk/people/enrol")
    numbers = [valid_id_number(born_for_age(age)) for age in (81, 79)]
    for name, number in zip(("沈月琴", "沈月娥"), numbers, strict=True):
        form = {"name": name, "id_number": number, "township_code": XIWU, "roles": ["elder"]}
        browser.post("/desk/people/enrol", **form)
    page = browser.path
    browser.get(f"{page}/heir")
    assert "要先登记亲属" in browser.text
    browser.get(f"{page}/relatives/new")
    browser.post(f"{page}/relatives/new", relative_id_number="1", relation="child", consent_evidence="同意书5号")
    assert (browser.status, 'id="relative_id_number-wrong"' in browser.html) == (422, True)
    sibling = {"relation": "sibling", "consent_evidence": "同意书5号"}
    browser.post(f"{page}/relatives/new", relative_id_number=number_of(bank, scene, "stranger"), **sibling)
    assert (browser.path, "等本人在手机上确认" in browser.text) == (page, True)
    browser.get(f"{page}/relatives/new")
    browser.post(f"{page}/relatives/new", relative_id_number=numbers[0], **sibling)
    assert (browser.path, "沈月琴" in browser.text) == (page, True)
    heir = browser.get(f"{page}/heir").html.split('<option value="')[2].split('"')[0]
    browser.post(f"{page}/heir", heir_id=heir, evidence="字据3号")
    assert (browser.path, "指定的继承人" in browser.text) == (page, True)
    ends = [link for link in browser.links() if "/relatives/" in link and link.endswith("/end")]
    browser.get(ends[0])
    assert "将马上解除" in browser.text
    browser.post(ends[0])
    assert (browser.path, "亲属登记已解除" in browser.text) == (page, True)


def test_a_coupon_is_made_void_for_a_reason_and_its_minutes_return(browser: Browser, scene: Scene) -> None:
    volunteer = f"/desk/people/{scene.person_id('volunteer')}"
    void = f"{volunteer}/coupons/{scene.vouchers['issued']}/void"
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(volunteer)
    token = browser.html.split('name="form_token" value="')[1].split('"')[0]
    form = {"form_token": token, "form_key": "a key", "format": "receipt"}
    printed = browser._client.post(f"{volunteer}/coupons/print", data=form)
    assert (printed.status_code, "林志远" in printed.text) == (200, True)
    assert void in browser.links()
    browser.get(void).post(void, reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(void, form_key="one form", reason="发错了人")
        assert (browser.path, "时长已退回" in browser.text) == (volunteer, True)
    assert void not in browser.links()
    assert "已经用掉、退掉或作废" in browser.get(void).text
