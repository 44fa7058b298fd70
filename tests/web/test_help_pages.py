"""Services on the phone: finding one, serving it, confirming, objecting, cancelling, and asking for help."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.people import XIWU
from tests.web.browser import Browser
from timebank.core import clock


def _of(scene: Scene, status: str, step: str = "") -> str:
    return f"/m/tasks/{scene.tasks[status]}" + (f"/{step}" if step else "")


def _move_to(sign_in: SignIn, moment: str, minutes: int) -> None:
    """The bank's clock, some minutes after a moment."""
    then = clock.datetime.fromisoformat(moment) + timedelta(minutes=minutes)
    sign_in("volunteer").ok("dev.set_clock", {"now": then.isoformat()})


def _shown(sign_in: SignIn, who: str, task_id: UUID) -> Any:
    return sign_in(who).ok("tasks.show", task_id=task_id)


def test_a_service_from_accepting_to_the_stars(app: Flask, scene: Scene, sign_in: SignIn) -> None:
    task_id = scene.tasks["open"]
    volunteer, elder = Browser(app).sign_in("volunteer"), Browser(app).sign_in("elder")
    volunteer.get(f"/m/tasks?township={XIWU}")
    assert _of(scene, "open") in volunteer.links()
    volunteer.get(_of(scene, "open"))
    assert "周**" in volunteer.text
    assert "周桂芬" not in volunteer.text
    assert scene.codes["open"] not in volunteer.html
    volunteer.post(_of(scene, "open", "accept"))
    assert (volunteer.path, "接单成功" in volunteer.text) == (_of(scene, "open"), True)
    elder.get(_of(scene, "open"))
    code = scene.codes["open"]
    assert f"{code[:3]} {code[3:]}" in elder.text
    assert "林志远会来" in elder.text
    _move_to(sign_in, _shown(sign_in, "elder", task_id)["starts_at"], 0)
    volunteer.get(_of(scene, "open", "check-in")).post(_of(scene, "open", "check-in"), service_code=code)
    assert "签到成功" in volunteer.text
    _move_to(sign_in, _shown(sign_in, "elder", task_id)["starts_at"], 118)
    volunteer.get(_of(scene, "open", "check-out")).post(_of(scene, "open", "check-out"))
    assert "您服务了1小时58分钟" in volunteer.text
    elder.get(_of(scene, "open", "confirm"))
    assert "林志远服务了1小时58分钟" in elder.text
    elder.post(_of(scene, "open", "confirm"), rating=5, comment="读报读得好")
    assert (elder.path, "谢谢您" in elder.text) == (_of(scene, "open"), True)
    volunteer.get(_of(scene, "open"))
    assert "已确认，记入1小时58分钟" in volunteer.text
    why = next(link for link in volunteer.links() if link.startswith("/m/why"))
    assert volunteer.get(why).status == 200


def test_a_wrong_service_code_says_so_beside_the_field_and_nothing_has_begun(
    browser: Browser, scene: Scene, sign_in: SignIn
) -> None:
    before = _shown(sign_in, "volunteer", scene.tasks["accepted"])
    _move_to(sign_in, before["starts_at"], 0)
    wrong = f"{(int(scene.codes['accepted']) + 1) % 1_000_000:06}"
    browser.sign_in("volunteer").get(_of(scene, "accepted", "check-in"))
    browser.post(_of(scene, "accepted", "check-in"), service_code=wrong)
    assert browser.status == 422
    assert 'id="service_code-wrong"' in browser.html
    assert "请老人再念一遍" in browser.text
    assert "还可以试" in browser.text
    assert _shown(sign_in, "volunteer", scene.tasks["accepted"]) == before


def test_too_early_is_said_in_words(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer").get(_of(scene, "accepted", "check-in"))
    browser.post(_of(scene, "accepted", "check-in"), service_code=scene.codes["accepted"])
    assert (browser.status, "最早可在开始前" in browser.text) == (422, True)


def test_a_confirmation_sent_twice_pays_once(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    had = sign_in("volunteer").ok("me.balance")["savings_minutes"]
    browser.sign_in("elder").get(_of(scene, "checked_out", "confirm"))
    form = browser.html
    for _ in range(2):
        browser.html = form
        browser.post(_of(scene, "checked_out", "confirm"), rating=4)
        assert (browser.status, browser.path) == (200, _of(scene, "checked_out"))
    assert sign_in("volunteer").ok("me.balance")["savings_minutes"] == had + 120


def test_stars_are_asked_for_and_without_them_nothing_is_confirmed(
    browser: Browser, scene: Scene, sign_in: SignIn
) -> None:
    browser.sign_in("elder").get(_of(scene, "checked_out", "confirm"))
    browser.post(_of(scene, "checked_out", "confirm"), comment="好")
    assert (browser.status, 'id="rating-wrong"' in browser.html) == (422, True)
    assert ">好</textarea>" in browser.html
    assert _shown(sign_in, "elder", scene.tasks["checked_out"])["status"] == "checked_out"


def test_a_daughter_confirms_for_her_mother_and_reads_so(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    browser.sign_in("proxy").get(_of(scene, "checked_out", "confirm"))
    assert "替周桂芬办" in browser.text
    browser.post(_of(scene, "checked_out", "confirm"), rating=5)
    [part] = _shown(sign_in, "elder", scene.tasks["checked_out"])["assignments"]
    assert part["confirmed_by_name"] == "周小敏（代周桂芬）"


def test_an_objection_needs_a_reason_and_goes_to_the_steward(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    browser.sign_in("volunteer").get(_of(scene, "checked_out", "dispute"))
    browser.post(_of(scene, "checked_out", "dispute"), reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(_of(scene, "checked_out", "dispute"), reason="多做了半小时")
    assert (browser.path, "等镇街管理员裁定" in browser.text) == (_of(scene, "checked_out"), True)
    assert _shown(sign_in, "volunteer", scene.tasks["checked_out"])["status"] == "disputed"


@pytest.mark.parametrize(("who", "then"), [("volunteer", "open"), ("elder", "cancelled")])
def test_cancelling_asks_once_more(browser: Browser, scene: Scene, sign_in: SignIn, who: str, then: str) -> None:
    browser.sign_in(who).get(_of(scene, "accepted"))
    assert _of(scene, "accepted", "cancel") in browser.links()
    browser.get(_of(scene, "accepted", "cancel"))
    assert "确定取消" in browser.text
    assert _shown(sign_in, who, scene.tasks["accepted"])["status"] == "accepted"
    browser.post(_of(scene, "accepted", "cancel"))
    assert (browser.path, "已取消" in browser.text) == ("/m/tasks", True)
    assert _shown(sign_in, "elder", scene.tasks["accepted"])["status"] == then


def test_a_step_that_does_not_follow_leads_back_to_the_task(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer")
    for step in ("check-in", "check-out", "confirm", "dispute", "accept"):
        assert browser.get(_of(scene, "confirmed", step)).path == _of(scene, "confirmed")
    browser.post(_of(scene, "confirmed", "check-out"))
    assert (browser.status, "不能这样办理" in browser.text) == (422, True)


def test_whose_task_it_is_not_sees_nothing_of_it(browser: Browser, scene: Scene) -> None:
    browser.sign_in("stranger")
    for status in ("accepted", "confirmed"):
        assert browser.get(_of(scene, status)).status == 404
        assert browser.get(_of(scene, status, "cancel")).status == 404
    browser.get("/m/tasks")
    assert browser.post(_of(scene, "checked_out", "confirm"), rating=1).status == 404


def test_what_another_was_quicker_to_take_is_refused_in_words(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    browser.sign_in("stranger").get(_of(scene, "open"))
    sign_in("volunteer").ok("tasks.accept", task_id=scene.tasks["open"])
    browser.post(_of(scene, "open", "accept"))
    assert (browser.status, "已被接走" in browser.text) == (422, True)


def test_nobody_serves_the_elder_whom_they_act_for(browser: Browser, scene: Scene) -> None:
    browser.sign_in("proxy").get(_of(scene, "open"))
    assert "接单" not in browser.text.replace("志愿者接单", "")
    browser.post(_of(scene, "open", "accept"))
    assert (browser.status, "自己代办的老人" in browser.text) == (422, True)


def test_ones_own_services_come_first_and_all_of_them_lie_on_a_page(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer").get("/m/tasks")
    own = browser.html[browser.html.index("我的服务") : browser.html.index("谁要帮忙")]
    assert _of(scene, "accepted") in own
    assert _of(scene, "confirmed") not in own
    browser.get("/m/tasks/mine")
    assert {_of(scene, "accepted"), _of(scene, "confirmed")} <= set(browser.links())


def test_where_nobody_wants_help_the_page_says_what_to_do(browser: Browser, scene: Scene) -> None:
    assert scene.tasks
    browser.sign_in("volunteer").get("/m/tasks")
    assert "这个镇街现在没有人要帮忙" in browser.text
    assert "/m/tasks?township=all" in browser.links()
    browser.get("/m/tasks?township=all")
    assert _of(scene, "open") in browser.links()


def test_a_long_list_goes_on_in_the_township_that_was_chosen(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    elder = sign_in("elder")
    start = (clock.now() + timedelta(days=4)).isoformat()
    for _ in range(21):
        elder.ok("tasks.request", {"service_type": "cleaning", "starts_at": start, "minutes": 60})
    browser.sign_in("volunteer").get(f"/m/tasks?township={XIWU}")
    first = {link for link in browser.links() if link.startswith("/m/tasks/")}
    assert _of(scene, "open") in first
    onward = browser.html.split('href="?township=')[1].split('"')[0].replace("&amp;", "&")
    browser.get(f"/m/tasks?township={onward}")
    rest = {link for link in browser.links() if re.fullmatch("/m/tasks/[0-9a-f-]{36}", link)}
    assert (len(rest), rest & first) == (2, set())
    assert len(browser.html) < 60_000


def test_one_kind_is_looked_for_and_the_nearest_can_come_first(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer").get(f"/m/tasks?township={XIWU}&kind=companionship&order=near")
    assert (_of(scene, "open") in browser.links(), 'value="near" selected' in browser.html) == (True, True)
    browser.get(f"/m/tasks?township={XIWU}&kind=cleaning")
    assert (_of(scene, "open") in browser.links(), "现在没有这种服务要帮忙" in browser.text) == (False, True)
    assert browser.get(f"/m/tasks?township={XIWU}&order=nonsense").status == 200


def test_where_to_go_is_shown_from_accepting_until_the_end_and_to_nobody_before(
    app: Flask, scene: Scene, sign_in: SignIn
) -> None:
    start = (clock.now() + timedelta(days=6)).isoformat()
    asked = {"service_type": "companionship", "starts_at": start, "minutes": 60, "address": "白杜村 13 号"}
    task = f"/m/tasks/{sign_in('elder').ok('tasks.request', asked)['task_id']}"
    volunteer, elder = Browser(app).sign_in("volunteer"), Browser(app).sign_in("elder")
    assert "白杜村" not in volunteer.get(task).text
    assert "要来的志愿者才看得到" in elder.get(task).text
    volunteer.get(task).post(f"{task}/accept")
    assert ("到哪里去" in volunteer.text, "白杜村 13 号" in volunteer.text) == (True, True)
    assert re.search(r'href="tel:\+?\d{11,}"', volunteer.html) is not None
    assert not re.search(r'href="tel:', elder.get(task).html)
    volunteer.get(f"{task}/cancel").post(f"{task}/cancel", reason="other", words="")
    assert (volunteer.status, "选了其他原因，请写一句" in volunteer.text) == (422, True)
    volunteer.post(f"{task}/cancel", reason="busy", words="孙子住院")
    assert "已取消" in volunteer.text
    assert "林志远来不了：临时有事：孙子住院" in elder.get(task).text
    assert "白杜村" not in volunteer.get(task).text


def test_the_address_of_a_visit_is_that_of_the_file_unless_the_form_says_another(
    browser: Browser, scene: Scene, sign_in: SignIn
) -> None:
    elder = sign_in("elder")
    elder.ok("diners.change", {"delivery_address": "西坞村 7 号"}, person_id=scene.person_id("elder"))
    for sent, expected in (("", "西坞村 7 号"), ("女儿家，镇前路 2 号", "女儿家，镇前路 2 号")):
        browser.sign_in("elder").get("/m/ask").post("/m/ask", **_wish(address=sent))
        assert expected in browser.text


def _wish(**other: Any) -> dict[str, Any]:
    day = (clock.today() + timedelta(days=1)).isoformat()
    return {"service_type": "companionship", "day": day, "at": "14:30", "minutes": "90", **other}


def test_an_elder_asks_for_help_once_however_often_the_form_is_sent(browser: Browser, sign_in: SignIn) -> None:
    before = len(sign_in("elder").ok("tasks.list", query={"mine": "true"})["items"])
    browser.sign_in("elder").get("/m/ask")
    assert "现在不扣时长" in browser.text
    assert "替谁办" not in browser.text
    form, wish = browser.html, _wish(note="陪去医院")
    browser.post("/m/ask", **wish)
    assert (browser.status, "正在等志愿者接单" in browser.text) == (200, True)
    where = browser.path
    browser.html = form
    assert browser.post("/m/ask", **wish).path == where
    [made, *rest] = sign_in("elder").ok("tasks.list", query={"mine": "true"})["items"]
    assert len(rest) == before
    assert (made["minutes"], made["note"], made["starts_at"][11:16]) == (90, "陪去医院", "14:30")


def test_a_daughter_asks_for_her_mother(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    browser.sign_in("proxy").get("/m/ask")
    assert "替周桂芬办" in browser.text
    browser.post("/m/ask", **_wish(elder_id=scene.person_id("elder"), minutes="other", other_minutes="45"))
    assert "替周桂芬办" in browser.text
    newest = sign_in("elder").ok("tasks.list", query={"mine": "true"})["items"][0]
    assert (newest["minutes"], newest["requested_by_name"]) == (45, "周小敏（代周桂芬）")


@pytest.mark.parametrize(
    ("wrong", "beside"),
    [
        ({"service_type": ""}, "service_type"),
        ({"day": ""}, "day"),
        ({"at": ""}, "at"),
        ({"day": "2020-01-01"}, "day"),
        ({"minutes": "other", "other_minutes": "5000"}, "other_minutes"),
        ({"minutes": "other", "other_minutes": "一"}, "other_minutes"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_beside_it(
    browser: Browser, sign_in: SignIn, wrong: dict[str, str], beside: str
) -> None:
    before = sign_in("elder").ok("tasks.list", query={"mine": "true"})
    browser.sign_in("elder").get("/m/ask")
    browser.post("/m/ask", **_wish(note="写过的话", **wrong))
    assert (browser.status, f'id="{beside}-wrong"' in browser.html) == (422, True)
    assert "写过的话" in browser.html
    assert sign_in("elder").ok("tasks.list", query={"mine": "true"}) == before


@pytest.mark.parametrize("path", ["/m/tasks", "/m/ask"])
def test_whoever_has_not_registered_does_so_first(browser: Browser, path: str) -> None:
    assert browser.sign_in("fresh").get(path).path == "/m/register"
