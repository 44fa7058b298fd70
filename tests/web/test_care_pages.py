"""The pages of care at home: booking, who comes, cancelling, and what one says afterwards."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.scene import Scene
from tests.factories.minutes import save_minutes
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.db import Database


@pytest.fixture
def rich(bank: Database, scene: Scene) -> Scene:
    """The elder has hours to spend beyond what is held."""
    with bank.unit_of_work() as session:
        save_minutes(session, scene.people["elder"], 600)
    return scene


def _wanted(**more: Any) -> dict[str, Any]:
    day = clock.today() + timedelta(days=6)  # the scene has visits of its own in the days before
    return {"service": "bathing", "day": f"{day:%Y-%m-%d}", "time": "09:30", "minutes": 60, **more}


def _path(scene: Scene, status: str) -> str:
    return f"/m/care/{scene.care_bookings[status]}"


def test_a_visit_is_booked_after_its_price_was_shown(browser: Browser, rich: Scene) -> None:
    browser.sign_in("elder").get("/m/care/book")
    browser.post("/m/care/book/sure", **_wanted(note="请大声敲门"))
    assert all(words in browser.text for words in ("一共要用 1小时", "办完还剩", "由镇街派", "请大声敲门")), (
        browser.text
    )
    form = browser.html
    browser.post("/m/care/book", **_wanted(note="请大声敲门"))
    booked = browser.path
    assert ("约好了" in browser.text, "等镇街派人" in browser.text, "09:30" in browser.text) == (True, True, True)
    assert "请大声敲门" in browser.text
    browser.html = form
    browser.post("/m/care/book", **_wanted(note="请大声敲门"))
    assert browser.path == booked
    assert browser.get("/m/care").text.count("请大声敲门") == 0
    assert booked in browser.links()


@pytest.mark.parametrize(("field", "value"), [("minutes", "long"), ("day", ""), ("time", "soon")])
def test_what_cannot_be_read_is_said_beside_the_field_before_anything_is_asked(
    browser: Browser, rich: Scene, field: str, value: str
) -> None:
    browser.sign_in("elder").get("/m/care/book").post("/m/care/book/sure", **_wanted(**{field: value}))
    wrong = "minutes-wrong" if field == "minutes" else "starts_at-wrong"
    assert (browser.status, f'id="{wrong}"' in browser.html) == (422, True)
    assert 'value="bathing" selected' in browser.html


def test_a_day_that_is_over_is_refused_and_nothing_is_booked(browser: Browser, rich: Scene) -> None:
    browser.sign_in("elder").get("/m/care")
    before = browser.html.count("看这次")
    past = f"{clock.today() - timedelta(days=1):%Y-%m-%d}"
    browser.get("/m/care/book").post("/m/care/book", **_wanted(day=past))
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    assert browser.get("/m/care").html.count("看这次") == before


def test_a_daughter_books_for_her_mother_in_words(browser: Browser, rich: Scene) -> None:
    mother = str(rich.person_id("elder"))
    browser.sign_in("proxy").get("/m/care/book")
    assert "替周桂芬办" in browser.text
    browser.post("/m/care/book/sure", **_wanted(for_person_id=mother))
    assert "替周桂芬办，用的是周桂芬的时长" in browser.text
    browser.post("/m/care/book", **_wanted(for_person_id=mother))
    assert ("替周桂芬办" in browser.text, "周小敏（代周桂芬）" in browser.text) == (True, True)
    assert browser.get(next(link for link in browser.links() if "/m/why" in link)).status == 200


def test_cancelling_says_first_what_it_costs(browser: Browser, rich: Scene) -> None:
    browser.sign_in("elder").get(_path(rich, "assigned") + "/cancel")
    assert ("以前取消，不扣时长" in browser.text, "要扣" in browser.text) == (True, True)
    browser.get(_path(rich, "booked") + "/cancel")
    assert "冻结的全部退回" in browser.text
    browser.post(_path(rich, "booked") + "/cancel")
    assert (browser.path, "没有扣时长" in browser.text) == (_path(rich, "booked"), True)
    browser.get(_path(rich, "booked") + "/cancel").post(_path(rich, "booked") + "/cancel")
    assert (browser.status, "已取消" in browser.text) == (422, True)


def test_a_visit_that_was_made_is_confirmed_with_a_rating(browser: Browser, rich: Scene) -> None:
    path = _path(rich, "checked_out")
    browser.sign_in("elder").get("/m/care")
    assert "看看，确认" in browser.text
    browser.get(f"{path}/confirm").post(f"{path}/confirm", rating=9)
    assert (browser.status, 'id="rating-wrong"' in browser.html) == (422, True)
    browser.get(f"{path}/confirm").post(f"{path}/confirm", rating=5, comment="很细心")
    assert (browser.path, "谢谢您" in browser.text, "服务完成了" in browser.text) == (path, True, True)


def test_what_was_not_right_is_objected_to_with_words(browser: Browser, rich: Scene) -> None:
    path = _path(rich, "checked_out")
    browser.sign_in("elder").get(f"{path}/object").post(f"{path}/object", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{path}/object", reason="只来了十分钟")
    assert (browser.path, "裁定以前不扣时长" in browser.text, "只来了十分钟" in browser.text) == (path, True, True)


def test_the_visit_of_somebody_else_is_not_there(browser: Browser, rich: Scene) -> None:
    browser.sign_in("stranger")
    for act in ("", "/cancel", "/confirm", "/object"):
        assert browser.get(_path(rich, "assigned") + act).status == 404
    assert "还没有约过" in browser.get("/m/care").text


def test_the_code_for_the_carer_is_shown_large_and_grants_are_listed(browser: Browser, rich: Scene) -> None:
    browser.sign_in("elder").get(_path(rich, "assigned"))
    assert ('class="code"' in browser.html, "把这个码念给他听" in browser.text) == (True, True)
    assert "还没有政府给的时长" in browser.get("/m/allotments").text
