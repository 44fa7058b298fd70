"""A person's own pages: signing in and out, the balance at one glance, the statement, and why."""

from __future__ import annotations

from uuid import uuid4

import pytest
from flask import Flask

from tests.api.scene import PASSWORD, Scene
from tests.web.browser import Browser


def test_somebody_signs_in_sees_the_balance_and_asks_why(browser: Browser) -> None:
    browser.sign_in("volunteer")
    assert (browser.status, browser.path) == (200, "/m/")
    assert "林志远，您好" in browser.text
    assert "可以用的时长" in browser.text
    browser.get("/m/statement")
    assert "服务所得" in browser.text
    why = next(link for link in browser.links() if link.startswith("/m/why"))
    assert browser.get(why).status == 200
    assert "依据的办法" in browser.text


@pytest.mark.parametrize("path", ["/m/", "/m/statement", "/m/notices", "/m/more"])
def test_whoever_is_not_signed_in_comes_to_the_sign_in_and_from_there_to_the_page(browser: Browser, path: str) -> None:
    browser.get(path)
    assert browser.path == "/m/sign-in"
    assert f'name="next" value="{path}"' in browser.html
    browser.post("/m/sign-in", name="volunteer", next=path)
    assert browser.path == path


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(browser: Browser, elsewhere: str) -> None:
    browser.get("/m/sign-in")
    browser.post("/m/sign-in", name="volunteer", next=elsewhere)
    assert browser.path == "/m/"


def test_signing_out_ends_the_session_wherever_the_cookie_was_copied(app: Flask) -> None:
    here, copied, another = Browser(app), Browser(app), Browser(app)
    here.sign_in("volunteer")
    another.sign_in("volunteer")
    cookie = here._client.get_cookie("timebank")
    assert cookie is not None
    copied._client.set_cookie("timebank", cookie.value)
    assert copied.get("/m/").path == "/m/"
    here.get("/m/more").post("/sign-out")
    assert here.get("/m/").path == "/m/sign-in"
    assert copied.get("/m/").path == "/m/sign-in"
    assert another.get("/m/").path == "/m/"
    third = Browser(app).sign_in("volunteer")
    third.get("/m/more").post("/sign-out", everywhere="1")
    assert another.get("/m/").path == "/m/sign-in"


def test_a_form_without_its_browsers_token_does_nothing(app: Flask) -> None:
    browser = Browser(app).sign_in("volunteer")
    browser.get("/m/more").post("/sign-out", form_token="somebody else's")
    assert (browser.status, "请再办一次" in browser.text) == (400, True)
    assert browser.get("/m/").path == "/m/"


def test_a_changed_cookie_is_nobodys(app: Flask) -> None:
    browser = Browser(app).sign_in("volunteer")
    cookie = browser._client.get_cookie("timebank")
    assert cookie is not None
    browser._client.set_cookie("timebank", cookie.value[:-2] + "xx")
    assert browser.get("/m/").path == "/m/sign-in"


def test_staff_and_people_have_different_houses(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in("volunteer")
    assert browser.get("/staff/sign-in").status == 200
    wrong = browser.sign_in_staff("district", "not the password")
    assert (wrong.status, "用户名或密码不对" in wrong.text) == (401, True)
    assert "not the password" not in wrong.html
    browser.sign_in_staff("district", PASSWORD)
    assert browser.get("/m/").path == "/m/sign-in"


def test_a_stranger_registers_and_every_wrong_field_says_so_itself(browser: Browser) -> None:
    browser.sign_in("fresh")
    assert browser.path == "/m/register"
    browser.post("/m/register", name="", id_number="1", phone="1", township_code="330213004")
    assert browser.status == 422
    assert 'id="name-wrong"' in browser.html
    assert 'aria-describedby="name-wrong"' in browser.html


def test_the_elder_version_is_one_tap_away_and_remembered(browser: Browser) -> None:
    browser.sign_in("elder")
    assert 'class="elder"' not in browser.html
    browser.post("/version", version="elder", next="/m/statement")
    assert (browser.path, 'class="elder"' in browser.html) == ("/m/statement", True)
    assert 'class="elder"' in browser.get("/m/").html
    browser.post("/version", version="standard", next="/m/")
    assert 'class="elder"' not in browser.html


def test_what_was_done_is_told_once(browser: Browser) -> None:
    browser.sign_in("volunteer").get("/m/more").post("/sign-out")
    assert "已退出" in browser.text
    assert "已退出" not in browser.get("/m/sign-in").text


def test_an_address_that_makes_no_sense_is_refused_in_words(browser: Browser) -> None:
    browser.sign_in("volunteer")
    assert browser.get("/m/why").status == 422
    missing = browser.get(f"/m/why?transfer_id={uuid4()}")
    assert (missing.status, "没有这笔划转" in missing.text or "没有" in missing.text) == (404, True)


def test_what_was_refused_is_listed_with_why(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer").get("/m/refusals")
    assert "您要办的事都办成了" in browser.text
    for _ in range(21):
        browser.get("/m/vouchers/buy/sure?quantity=10").post("/m/vouchers/buy", quantity="10")
        assert browser.status == 422
    browser.get("/m/more")
    assert "/m/refusals" in browser.links()
    browser.get("/m/refusals")
    reasons = [link for link in browser.links() if link.startswith("/m/why?key=")]
    assert (len(reasons), "购买用餐券" in browser.text) == (20, True)
    assert browser.get(reasons[0]).status == 200
    older = browser.get("/m/refusals").html.split('href="?cursor=')[1].split('"')[0]
    browser.get(f"/m/refusals?cursor={older}")
    rest = [link for link in browser.links() if link.startswith("/m/why?key=")]
    assert (len(rest), set(rest) & set(reasons)) == (1, set())
