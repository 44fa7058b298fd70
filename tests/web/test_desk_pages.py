"""The desk: who may come in, what waits today, people and what is entered for them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import select

from app.web import lists
from app.web.desk import tables, today
from tests.api.scene import PASSWORD, Scene
from tests.factories.people import DAYAN, XIWU, born_for_age, valid_id_number
from tests.web.browser import Browser
from timebank.core import clock, sorting
from timebank.core.db import Database
from timebank.people.models import Person, Proxy
from timebank.tasks.models import Task

ROOMS = (
    *("/desk/", "/desk/people", "/desk/people/enrol", "/desk/services", "/desk/clearing", "/desk/clearing/matrix"),
    *("/desk/clearing/disputes", "/desk/clearing/payments", "/desk/claims", "/desk/canteens", "/desk/diners"),
    *("/desk/hardship", "/desk/deaths", "/desk/policies", "/desk/policies/changes", "/desk/ledger"),
    *("/desk/imports", "/desk/imports/new", "/desk/clearing/lists", "/desk/clearing/breaks"),
)


def number_of(bank: Database, scene: Scene, who: str) -> str:
    with bank.unit_of_work() as session:
        return session.get_one(Person, scene.person_id(who)).id_number


def how_many(bank: Database, model: type) -> int:
    with bank.unit_of_work() as session:
        return len(session.scalars(select(model.id)).all())  # type: ignore[attr-defined]


def local(moment: object) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize("who", ["district", "steward_xiwu", "auditor"])
def test_every_room_opens_for_all_who_work_at_the_desk_and_stays_small(
    browser: Browser, scene: Scene, who: str
) -> None:
    assert scene.people
    browser.sign_in_staff(who, PASSWORD)
    assert browser.path == "/desk/"
    for path in ROOMS:
        opened = browser.get(path)
        assert (opened.status, opened.path) == (200, path)
        assert len(opened.html.encode()) < 60_000, path


def test_nobody_else_comes_in(browser: Browser, scene: Scene) -> None:
    assert scene.people
    assert browser.get("/desk/services?status=recorded").path == "/staff/sign-in"
    assert browser.sign_in("volunteer").get("/desk/").path == "/staff/sign-in"
    assert browser.sign_in_staff("clerk", PASSWORD).get("/desk/people").path == "/staff/sign-in"


def test_the_first_page_counts_what_waits_and_leads_there(browser: Browser, scene: Scene) -> None:
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    assert "1补录待第二人审批" in browser.text
    assert "1身故上报待处理" in browser.text
    assert scene.reviewed_window in browser.text
    assert "/desk/services?status=recorded" in browser.links()


def test_what_waits_is_counted_however_much_it_is(
    browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.people
    monkeypatch.setattr(today, "_WAITING", (("服务在册", "tasks.list", {}, "/desk/services"),))
    browser.sign_in_staff("district", PASSWORD).get("/desk/services")
    in_all = int(browser.text.partition("共 ")[2].partition(" 条")[0])
    assert in_all > 3
    assert f"{in_all}服务在册" in browser.get("/desk/").text
    for module in (sorting, lists):
        monkeypatch.setattr(module, "MOST_COUNTED", 3)
    assert "3＋服务在册" in browser.get("/desk/").text


def test_somebody_is_found_by_number_which_never_stands_in_an_address(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    number = number_of(bank, scene, "elder")
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/people")
    browser.post("/desk/people/find", id_number=number)
    assert "周桂芬" in browser.text
    assert number not in browser.html
    page = f"/desk/people/{scene.person_id('elder')}"
    assert page in browser.links()
    browser.get(page)
    assert "时间账户" in browser.text
    assert "周小敏" in browser.text
    for wrong in ("", "123", valid_id_number(born_for_age(50))):
        browser.get("/desk/people").post("/desk/people/find", id_number=wrong)
        assert (browser.status, 'id="id_number-wrong"' in browser.html) == (422, True)
    assert browser.get("/desk/people/find").path == "/desk/people"


def test_a_statement_says_of_every_line_why_and_pages_backwards(browser: Browser, scene: Scene) -> None:
    page = f"/desk/people/{scene.person_id('volunteer')}"
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(page)
    why = next(link for link in browser.links() if "/why?" in link)
    assert "依据的办法" in browser.get(why).text
    assert "明细：政府给的时长" in browser.get(f"{page}?account=granted").text
    browser.sign_in_staff("auditor", PASSWORD).get(page)
    assert (browser.status, "林志远" in browser.text) == (200, False)
    assert browser.get(why).status == 200


def test_a_person_of_another_township_is_refused_in_words(browser: Browser, scene: Scene) -> None:
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    browser.get(f"/desk/people/{scene.person_id('volunteer')}")
    assert (browser.status, "只能办理本镇街的事项" in browser.text) == (403, True)


def test_somebody_is_entered_once_and_wrong_fields_say_so_themselves(browser: Browser, bank: Database) -> None:
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/people/enrol")
    before = how_many(bank, Person)
    browser.post("/desk/people/enrol", name="沈月琴", id_number="1", township_code=XIWU)
    assert (browser.status, 'id="roles-wrong"' in browser.html, 'value="沈月琴"' in browser.html) == (422, True, True)
    assert how_many(bank, Person) == before
    form = {"name": "沈月琴", "id_number": valid_id_number(born_for_age(61)), "township_code": XIWU, "roles": ["elder"]}
    key = "one form, sent twice"
    for _ in range(2):
        browser.post("/desk/people/enrol", form_key=key, **form)
        assert browser.path.startswith("/desk/people/")
    assert how_many(bank, Person) == before + 1
    assert "沈月琴" in browser.text


def test_a_proxy_is_registered_by_number_and_ended_after_a_question(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = f"/desk/people/{scene.person_id('elder')}"
    browser.sign_in_staff("district", PASSWORD).get(f"{page}/proxies/new")
    before = how_many(bank, Proxy)
    browser.post(
        f"{page}/proxies/new", proxy_id_number="", relation="邻居", consent_evidence="委托书2号", scopes=["meals"]
    )
    assert (browser.status, 'id="proxy_id_number-wrong"' in browser.html) == (422, True)
    stranger = number_of(bank, scene, "stranger")
    form = {"proxy_id_number": stranger, "relation": "邻居", "consent_evidence": "委托书2号", "scopes": ["meals"]}
    browser.post(f"{page}/proxies/new", **form)
    assert (browser.path, "陈建国" in browser.text, how_many(bank, Proxy)) == (page, True, before + 1)
    ends = [link for link in browser.links() if "/proxies/" in link and link.endswith("/end")]
    browser.get(ends[-1])
    assert "将马上终止" in browser.text
    browser.post(ends[-1])
    assert (browser.path, "代办已终止" in browser.text) == (page, True)


def test_somebody_moves_and_the_form_says_what_goes_along(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/people/{scene.person_id('elder')}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(f"{page}/move")
    assert "随人一起转出" in browser.text
    browser.post(f"{page}/move", township_code=DAYAN, evidence="")
    assert (browser.status, 'id="evidence-wrong"' in browser.html) == (422, True)
    browser.post(f"{page}/move", township_code=DAYAN, evidence="户口迁移证2026-120号")
    with bank.unit_of_work() as session:
        moved = session.get_one(Person, scene.person_id("elder")).township_code == DAYAN
    # Whoever has something open may not move yet; then the page says so.
    assert moved == (browser.path == "/desk/people")
    assert browser.status == (200 if moved else 422)


def test_leaving_is_looked_at_before_it_is_done(browser: Browser, scene: Scene) -> None:
    page = f"/desk/people/{scene.person_id('elder')}/leave"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page)
    assert "退出会怎样" in browser.text
    browser.post(page, to="pool")
    assert browser.status == 422


def test_a_death_is_approved_by_two_and_a_report_can_be_declined(browser: Browser, scene: Scene) -> None:
    page = f"/desk/deaths/{scene.death_report_id}"
    browser.sign_in_staff("district", PASSWORD).get("/desk/deaths?open=true")
    assert page in browser.links()
    browser.get(page).post(f"{page}/approve")
    assert "还要另一位管理员批准" in browser.text
    browser.post(f"{page}/approve")
    assert browser.status == 422
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(f"{page}/approve")
    assert "已办结" in browser.text
    elder = f"/desk/people/{scene.person_id('elder')}/death"
    browser.get(elder).post(elder, died_on=f"{clock.today()}", evidence="死亡证明9号")
    assert browser.path.startswith("/desk/deaths/")
    wrong = browser.path
    browser.post(f"{wrong}/decline", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{wrong}/decline", reason="同名之误")
    assert browser.path == "/desk/deaths"


def test_back_filled_hours_need_another_person_and_are_credited_once(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    form_page = f"/desk/people/{scene.person_id('elder')}/record"
    ended = clock.now().astimezone(clock.LOCAL) - timedelta(days=20)
    form = {
        "volunteer_id_number": number_of(bank, scene, "proxy"),
        "service_type": "companionship",
        "started_at": local(ended - timedelta(hours=1)),
        "ended_at": local(ended),
        "evidence": "签到表第4页",
    }
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(form_page)
    before = how_many(bank, Task)
    browser.post(form_page, **{**form, "started_at": "", "volunteer_id_number": "1"})
    assert (browser.status, 'id="volunteer_id_number-wrong"' in browser.html) == (422, True)
    browser.post(form_page, **{**form, "started_at": ""})
    assert (browser.status, 'id="started_at-wrong"' in browser.html, how_many(bank, Task)) == (422, True, before)
    for _ in range(2):
        browser.post(form_page, form_key="one form, sent twice", **form)
    assert how_many(bank, Task) == before + 1
    service = browser.path
    assert "补录待审" in browser.text
    browser.post(f"{service}/approve")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    browser.sign_in_staff("district", PASSWORD).get(service).post(f"{service}/approve")
    assert (browser.status, "已确认" in browser.text) == (200, True)


def test_a_record_is_turned_down_with_a_reason(browser: Browser, scene: Scene) -> None:
    service = f"/desk/services/{scene.tasks['recorded']}"
    browser.sign_in_staff("district", PASSWORD).get(service)
    browser.post(f"{service}/reject", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{service}/reject", reason="没有签名")
    assert "补录未通过" in browser.text


def test_a_dispute_is_ruled_upon_in_minutes_and_for_a_reason(browser: Browser, scene: Scene) -> None:
    service = f"/desk/services/{scene.tasks['disputed']}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(service)
    assert "只来了一小时" in browser.text
    volunteer = str(scene.person_id("volunteer"))
    browser.post(f"{service}/rule", volunteer_id=volunteer, minutes="many", reason="双方同意")
    assert (browser.status, 'id="minutes-wrong"' in browser.html) == (422, True)
    browser.post(f"{service}/rule", volunteer_id=volunteer, minutes=60, reason="双方同意")
    assert (browser.path, "双方同意" in browser.text) == (service, True)


def test_help_is_asked_for_an_elder_without_a_phone(browser: Browser, scene: Scene) -> None:
    form = f"/desk/people/{scene.person_id('elder')}/request"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(form)
    tomorrow = clock.now().astimezone(clock.LOCAL) + timedelta(days=1)
    browser.post(form, service_type="companionship", starts_at=local(tomorrow), minutes=60)
    service = browser.path
    assert (service.startswith("/desk/services/"), "待接单" in browser.text) == (True, True)
    browser.post(f"{service}/cancel")
    assert "已取消" in browser.text


def test_services_are_filtered_and_an_empty_list_says_what_to_do(browser: Browser, scene: Scene) -> None:
    assert scene.tasks
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    assert f"/desk/services/{scene.tasks['recorded']}" in browser.get("/desk/services?status=recorded").links()
    assert f"/desk/services/{scene.tasks['open']}" not in browser.links()
    assert "没有这样的服务" in browser.get("/desk/services?status=reversed").text
    assert browser.get("/desk/services?status=nonsense").status == 422


def test_a_long_list_goes_on_under_the_same_filter(
    browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.tasks
    monkeypatch.setattr(tables, "PAGE_ROWS", 1)
    browser.sign_in_staff("district", PASSWORD)
    seen, where = set(), f"/desk/services?township_code={XIWU}"
    while where:
        browser.get(where)
        seen |= {link for link in browser.links() if link.startswith("/desk/services/")}
        further = [link for link in _further(browser) if "cursor=" in link]
        where = f"/desk/services{further[0]}" if further else ""
        assert all(f"township_code={XIWU}" in link for link in further)
    assert len(seen) == len(scene.tasks)
    assert browser.get("/desk/services?cursor=nonsense").status == 422


def _further(browser: Browser) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="(\?[^"]*)"', browser.html)]


def test_an_auditor_is_shown_no_button_and_may_press_none(browser: Browser, scene: Scene) -> None:
    service = f"/desk/services/{scene.tasks['recorded']}"
    browser.sign_in_staff("auditor", PASSWORD).get(service)
    assert (browser.status, f"{service}/approve" in browser.html) == (200, False)
    browser.post(f"{service}/approve")
    assert (browser.status, "补录待审" in browser.text) == (422, True)
