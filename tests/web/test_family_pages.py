"""The pages of the family: relatives, who acts for whom, the heir; and hours given away."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from tests.api.scene import Scene
from tests.factories.minutes import save_minutes
from tests.factories.people import born_for_age, valid_id_number
from tests.web.browser import Browser
from timebank.core.db import Database
from timebank.giving.models import Gift
from timebank.people.models import Person


def _number(bank: Database, scene: Scene, who: str) -> str:
    with bank.session() as session:
        return session.get_one(Person, scene.person_id(who)).id_number


def test_who_asks_to_be_a_relative_is_answered_and_may_become_the_heir(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get("/m/family")
    assert ("等您答复" in browser.text, "陈建国请您确认亲属关系" in browser.text) == (True, True)
    browser.post(f"/m/family/asked/relative/{scene.proposals['relation']}/accept")
    assert (browser.path, "同意了" in browser.text, "等您答复" in browser.text) == ("/m/family", True, False)
    browser.get("/m/family/heir").post("/m/family/heir", person_id=str(scene.person_id("proxy")))
    assert "子女，继承人" in browser.text
    browser.get("/m/family/heir").post("/m/family/heir")
    assert (browser.status, 'id="person_id-wrong"' in browser.html) == (422, True)
    browser.post("/m/family/heir", person_id="nobody")
    assert ("记好了" in browser.text, "继承人" in browser.text.replace("指定继承人", "")) == (True, False)


def test_a_no_is_told_to_nobody(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get("/m/family")
    browser.post(f"/m/family/asked/relative/{scene.proposals['relation']}/decline")
    assert "也不会告诉对方" in browser.text
    browser.sign_in("stranger").get("/m/family")
    assert "等对方答复" in browser.text
    browser.post(f"/m/family/asked/relative/{scene.proposals['relation']}/withdraw")
    assert "等对方答复" not in browser.get("/m/family").text


def test_somebody_else_answers_nothing(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer").get("/m/family")
    browser.post(f"/m/family/asked/relative/{scene.proposals['relation']}/accept")
    assert "同意了" not in browser.text
    browser.post(f"/m/family/asked/relative/{scene.proposals['relation']}/burn")
    assert browser.status == 404


def test_a_relative_is_asked_once_and_wrong_fields_say_so_themselves(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    browser.sign_in("volunteer").get("/m/family/relative")
    browser.post("/m/family/relative", name="周小敏", id_number="1", relation="")
    assert (browser.status, 'id="relation-wrong"' in browser.html) == (422, True)
    assert 'value="周小敏"' in browser.html
    form = browser.html
    asked = {"name": "周小敏", "id_number": _number(bank, scene, "proxy"), "relation": "sibling"}
    browser.post("/m/family/relative", **asked)
    assert ("已请周小敏确认" in browser.text, "周小敏（兄弟姐妹）" in browser.text) == (True, True)
    browser.html = form
    browser.post("/m/family/relative", **asked)
    assert browser.get("/m/family").text.count("周小敏（兄弟姐妹）") == 1
    assert asked["id_number"] not in browser.html


def test_an_elder_lets_her_relative_act_and_ends_it(browser: Browser, scene: Scene) -> None:
    volunteer = browser.sign_in("volunteer").get("/m/family")
    assert ("周桂芬请您代办" in volunteer.text, "居家养老预约" in volunteer.text) == (True, True)
    browser.post(f"/m/family/asked/proxy/{scene.proposals['proxy']}/accept")
    assert "我替谁办" in browser.text
    browser.sign_in("elder").get("/m/family")
    assert browser.text.count("取消代办") == 2
    path = next(link for link in browser.links() if re.fullmatch(r"/m/family/proxy/[0-9a-f-]+/end", link))
    browser.get(path).post(path)
    assert "从现在起不能再代办" in browser.text
    assert browser.get("/m/family").text.count("取消代办") == 1
    assert browser.get(path).status == 404


def test_somebody_is_asked_to_act_for_what_is_ticked_and_for_nothing_else(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    browser.sign_in("elder").get(f"/m/family/proxy?person_id={scene.person_id('proxy')}")
    assert ("请周小敏代办" in browser.text, 'name="id_number"' in browser.html) == (True, False)
    asked = {"name": "陈建国", "id_number": _number(bank, scene, "stranger"), "relation": "邻居"}
    browser.get("/m/family/proxy").post("/m/family/proxy", **asked)
    assert (browser.status, 'id="scopes-wrong"' in browser.html) == (422, True)
    browser.post("/m/family/proxy", **asked, scopes=["meals", "aids"])
    assert ("已请陈建国代办" in browser.text, "康复辅具、用餐" in browser.text) == (True, True)


def test_a_relation_is_ended_after_a_question(browser: Browser, scene: Scene) -> None:
    path = f"/m/family/relative/{scene.relation_id}/end"
    browser.sign_in("elder").get(path)
    assert "取消与周小敏的亲属登记" in browser.text
    browser.post(path)
    assert ("亲属登记取消了" in browser.text, "还没有登记亲属" in browser.text) == (True, True)
    assert browser.sign_in("volunteer").get(path).status == 404


@pytest.fixture
def rich(bank: Database, scene: Scene) -> Scene:
    """The daughter has hours to give."""
    with bank.unit_of_work() as session:
        save_minutes(session, scene.people["proxy"], 300)
    return scene


def test_hours_go_to_a_relative_after_a_look_at_what_is_left(browser: Browser, rich: Scene, bank: Database) -> None:
    mother = str(rich.person_id("elder"))
    gift = {"to_person_id": mother, "minutes": 60, "note": "保重身体"}
    browser.sign_in("proxy").get("/m/gifts/give").post("/m/gifts/give/sure", **gift)
    assert all(words in browser.text for words in ("一共要用 1小时", "办完还剩 4小时", "周桂芬（父母）")), browser.text
    form = browser.html
    browser.post("/m/gifts/give", **gift)
    assert ("送给周桂芬 1小时了" in browser.text, "－1小时" in browser.text) == (True, True)
    browser.html = form
    browser.post("/m/gifts/give", **gift)
    with bank.session() as session:
        assert len(session.scalars(select(Gift)).all()) == 1
    assert "＋1小时" in browser.sign_in("elder").get("/m/gifts").text


def test_more_than_one_has_is_refused_in_words_and_an_amount_that_is_none_beside_its_field(
    browser: Browser, rich: Scene
) -> None:
    mother = str(rich.person_id("elder"))
    browser.sign_in("proxy").get("/m/gifts/give").post("/m/gifts/give/sure", to_person_id=mother, minutes="much")
    assert (browser.status, 'id="minutes-wrong"' in browser.html) == (422, True)
    browser.post("/m/gifts/give/sure", to_person_id=mother, minutes=900)
    assert "还差 10小时" in browser.text
    browser.post("/m/gifts/give", to_person_id=mother, minutes=900)
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    assert "还没有送过" in browser.get("/m/gifts").text


def test_whoever_has_no_relatives_is_led_to_registering_one(browser: Browser, scene: Scene) -> None:
    browser.sign_in("stranger").get("/m/gifts/give")
    assert "/m/family/relative" in browser.links()
    assert "/m/family/relative" in browser.get("/m/family/heir").links()


def test_hours_are_donated_once_and_honour_stays(browser: Browser, rich: Scene) -> None:
    browser.sign_in("proxy").get("/m/gifts/donate").post("/m/gifts/donate/sure", minutes=30)
    assert ("西坞街道公益时间池" in browser.text, "办完还剩 4小时30分钟" in browser.text) == (True, True)
    form = browser.html
    browser.post("/m/gifts/donate", minutes=30)
    assert browser.path == "/m/gifts/donations"
    browser.html = form
    browser.post("/m/gifts/donate", minutes=30)
    assert "一共捐了 30分钟" in browser.get("/m/gifts/donations").text
    assert "捐出的 30分钟" in browser.get("/m/honours").text
    browser.get("/m/gifts/donate").post("/m/gifts/donate/sure", minutes="")
    assert (browser.status, 'id="minutes-wrong"' in browser.html) == (422, True)


def test_an_identity_number_that_fits_nobody_is_answered_as_any_other(browser: Browser, scene: Scene) -> None:
    browser.sign_in("volunteer").get("/m/family/relative")
    unknown = valid_id_number(born_for_age(70))
    browser.post("/m/family/relative", name="查无此人", id_number=unknown, relation="other")
    assert browser.status in (200, 422)
    assert unknown not in browser.get("/m/family").html
