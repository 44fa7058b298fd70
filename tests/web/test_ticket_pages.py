"""Coming from the mini-program into the web view by a ticket: once, soon, as oneself, and without a trace in a log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.api.scene import PASSWORD, Scene
from tests.doors import SignIn
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.login_models import Login, WebSession, WebTicket


def _issued(sign_in: SignIn, who: str = "elder", **body: str) -> Any:
    return sign_in(who).ok("web_tickets.issue", body)


def _come(browser: Browser, ticket: str, **form: str) -> Browser:
    """Open the page and send what its script would send."""
    browser.get("/m/ticket")
    return browser.post("/m/ticket", ticket=ticket, **form)


def _sessions(bank: Database) -> int:
    with bank.session() as session:
        return len(session.scalars(select(WebSession)).all())


def test_a_phone_comes_in_and_goes_on_to_the_page_it_wanted(browser: Browser, sign_in: SignIn) -> None:
    issued = _issued(sign_in, next="/m/orders?for=x")
    assert issued["address"] == f"/m/ticket?next=/m/orders%3Ffor%3Dx#{issued['ticket']}"
    path, _, ticket = issued["address"].partition("#")
    browser.get(path)
    assert 'name="next" value="/m/orders?for=x"' in browser.html
    assert ticket not in browser.html
    browser.post("/m/ticket", ticket=ticket, next="/m/statement")
    assert (browser.status, browser.path) == (200, "/m/statement")


def test_a_ticket_is_good_once_and_a_second_browser_is_shown_the_way(app: Flask, sign_in: SignIn) -> None:
    ticket = _issued(sign_in)["ticket"]
    assert _come(Browser(app), ticket).path == "/m/"
    second = _come(Browser(app), ticket)
    assert (second.status, second.path) == (422, "/m/ticket")
    assert "这次打开已经用过，或者时间过了" in second.text
    assert "/m/sign-in" in second.links()
    assert second.get("/m/").path == "/m/sign-in"


def test_a_ticket_is_too_old_after_a_minute(app: Flask, bank: Database, sign_in: SignIn) -> None:
    ticket = _issued(sign_in)["ticket"]
    before = clock.machine_now() - timedelta(seconds=61)
    with bank.unit_of_work() as session:
        session.execute(update(WebTicket).values(issued_at=before, expires_at=before + timedelta(seconds=60)))
    late = _come(Browser(app), ticket)
    assert (late.status, late.get("/m/").path) == (422, "/m/sign-in")


def test_a_login_that_was_closed_meanwhile_stays_outside(app: Flask, bank: Database, sign_in: SignIn) -> None:
    ticket, before = _issued(sign_in, "stranger")["ticket"], _sessions(bank)
    with bank.unit_of_work() as session:
        session.execute(update(Login).where(Login.openid.is_not(None)).values(disabled_at=clock.now()))
    closed = _come(Browser(app), ticket)
    assert (closed.status, closed.get("/m/").path, _sessions(bank)) == (422, "/m/sign-in", before)


def test_a_browser_of_another_person_says_so_and_stays_theirs(browser: Browser, sign_in: SignIn) -> None:
    ticket = _issued(sign_in)["ticket"]
    browser.sign_in("volunteer")
    _come(browser, ticket)
    assert (browser.status, "登录着另一个人" in browser.text, "林志远" in browser.text) == (422, True, True)
    assert "林志远，您好" in browser.get("/m/").text
    _come(browser, ticket).post("/sign-out")
    assert _come(browser, ticket).path == "/m/"
    assert "周桂芬，您好" in browser.text


def test_whoever_is_in_already_goes_on_with_the_same_session(app: Flask, bank: Database, sign_in: SignIn) -> None:
    browser = _come(Browser(app), _issued(sign_in)["ticket"])
    before = _sessions(bank)
    assert _come(browser, _issued(sign_in)["ticket"]).path == "/m/"
    assert _sessions(bank) == before


def test_nobody_is_sent_to_another_site(browser: Browser, sign_in: SignIn) -> None:
    issued = _issued(sign_in, next="//evil.example/")
    browser.get(issued["address"].partition("#")[0])
    assert 'name="next" value="/m/"' in browser.html
    browser.post("/m/ticket", ticket=issued["ticket"], next="//evil.example/")
    assert browser.path == "/m/"


def test_who_is_not_registered_comes_to_the_registration(browser: Browser, sign_in: SignIn) -> None:
    assert _come(browser, _issued(sign_in, "fresh")["ticket"], next="/m/orders").path == "/m/register"


def test_staff_get_no_ticket(scene: Scene, sign_in: SignIn, browser: Browser) -> None:
    assert scene.people
    assert sign_in("district").refused("web_tickets.issue", {})["code"] == "web_ticket_for_phones"
    browser.sign_in_staff("district", PASSWORD)
    assert _come(browser, _issued(sign_in)["ticket"]).status == 422
    assert browser.get("/m/").path == "/m/sign-in"


def test_no_log_line_holds_a_ticket(browser: Browser, sign_in: SignIn, capsys: pytest.CaptureFixture[str]) -> None:
    issued = _issued(sign_in, next="/m/orders")
    browser.get(issued["address"].partition("#")[0])
    browser.post("/m/ticket", ticket=issued["ticket"])
    _come(browser, issued["ticket"])
    logged = "".join(capsys.readouterr())
    assert "web_tickets.issue" in logged
    assert "page.entrance.person_comes_by_ticket" in logged
    assert issued["ticket"] not in logged


def test_a_form_of_another_site_spends_no_ticket(app: Flask, sign_in: SignIn) -> None:
    ticket = _issued(sign_in)["ticket"]
    assert Browser(app).post("/m/ticket", ticket=ticket).status == 400
    assert _come(Browser(app), ticket).path == "/m/"
