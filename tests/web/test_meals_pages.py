"""What there is to eat and the diner's file, on the phone: menus, canteens, applying, changing, the purse."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from tests.api.scene import Scene
from tests.api.scene_menus import next_monday
from tests.web.browser import Browser


def _of_elder(scene: Scene) -> str:
    return f"for={scene.person_id('elder')}"


def _filled_in(**other: str | list[str]) -> dict[str, str | list[str]]:
    """An application as it is drawn, with what is changed in it."""
    return {"allergies-shown": "1", "categories-shown": "1", "diet_form": "soft", **other}


def test_a_diner_reads_the_menu_of_the_usual_canteen_with_prices_and_what_does_not_suit(
    browser: Browser, scene: Scene
) -> None:
    browser.sign_in("elder").get(f"/m/meals?day={next_monday() + timedelta(days=1)}")
    assert browser.status == 200
    assert "大堰镇老年食堂" in browser.text
    assert "爱心餐" in browser.text
    assert "12.00元" in browser.text
    assert "当心：“红烧肉”不能做成软食" in browser.text
    assert any("/m/meals/order?" in link and "meal=lunch" in link for link in browser.links())
    assert scene.canteens


def test_the_menu_says_where_the_meal_is_ordered_already_and_leads_there(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get(f"/m/meals?day={next_monday()}")
    assert "已在大堰镇老年食堂订过" in browser.text
    assert f"/m/orders/{scene.orders['placed']}" in browser.links()


def test_a_day_without_a_menu_says_what_to_do_next(browser: Browser) -> None:
    browser.sign_in("elder").get(f"/m/meals?day={next_monday() + timedelta(days=60)}")
    assert "这一天还没有菜单" in browser.text
    assert "/m/meals/canteens" in browser.links()


def test_a_proxy_sees_the_elders_menu_and_the_page_says_for_whom(browser: Browser, scene: Scene) -> None:
    browser.sign_in("proxy").get(f"/m/meals?{_of_elder(scene)}&day={next_monday() + timedelta(days=1)}")
    assert "替周桂芬订餐" in browser.text
    assert "您正在替周桂芬办" in browser.text
    assert all(_of_elder(scene) in link for link in browser.links() if "/m/meals/order" in link)


@pytest.mark.parametrize("path", ["/m/meals", "/m/orders", "/m/meals/file", "/m/purse", "/m/orders/standing"])
def test_nobody_elses_meals_are_shown_by_writing_their_id(browser: Browser, scene: Scene, path: str) -> None:
    browser.sign_in("stranger").get(f"{path}?{_of_elder(scene)}")
    assert browser.status == 422
    assert "周桂芬" not in browser.text


def test_staff_and_those_not_signed_in_come_to_the_sign_in(app: Flask) -> None:
    assert Browser(app).get("/m/meals").path == "/m/sign-in"


def test_whoever_has_no_file_is_told_to_apply_and_applies_once(browser: Browser) -> None:
    browser.sign_in("volunteer").get("/m/meals")
    assert "您还没有用餐档案" in browser.text
    assert "/m/meals/apply" in browser.links()
    page = browser.get("/m/meals/apply").html
    keys = dict(re.findall(r'name="(form_token|form_key)" value="([^"]*)"', page))
    asked = _filled_in(allergies=["花生"], categories=["soldier_retired"], evidence="退役证")
    browser.post("/m/meals/apply", **asked, **keys)
    assert (browser.path, "申请正在审核" in browser.text) == ("/m/meals", True)
    browser.post("/m/meals/apply", **asked, **keys)
    assert "申请正在审核" in browser.text
    browser.get("/m/meals/apply")
    assert browser.path == "/m/meals/file"
    assert "花生" in browser.text
    assert "退役军人" in browser.text


def test_an_application_that_is_wrong_says_so_beside_the_field_and_keeps_what_was_typed(browser: Browser) -> None:
    browser.sign_in("volunteer").get("/m/meals/apply")
    browser.post("/m/meals/apply", **_filled_in(diet_form="raw", delivery_address="白杜村12号"))
    assert browser.status == 422
    assert 'id="diet_form-wrong"' in browser.html
    assert "白杜村12号" in browser.html
    assert "您还没有用餐档案" in browser.get("/m/meals").text


def test_somebody_too_young_is_refused_in_words(browser: Browser, scene: Scene) -> None:
    browser.sign_in("proxy").get(f"/m/meals/apply?for={scene.person_id('proxy')}")
    browser.post(f"/m/meals/apply?for={scene.person_id('proxy')}", **_filled_in())
    assert (browser.status, "60" in browser.text) == (422, True)


def test_a_file_is_changed_and_what_was_there_can_be_emptied(browser: Browser) -> None:
    browser.sign_in("elder").get("/m/meals/file")
    assert "白杜村12号" in browser.text
    browser.get("/m/meals/file/change")
    wishes = {"religious_diet": "清真", "usual_canteen_id": "", "delivery_address": "", "delivery_note": ""}
    browser.post("/m/meals/file/change", **_filled_in(**wishes, allergies=["花生", "大豆"]))
    assert browser.path == "/m/meals/file"
    assert "大豆、花生" in browser.text
    assert "清真" in browser.text
    assert "白杜村12号" not in browser.text
    assert browser.get("/m/meals").path == "/m/meals/canteens"
    browser.get("/m/meals/file/change")
    browser.post("/m/meals/file/change", **_filled_in(religious_diet=""))
    assert "清真" not in browser.text
    assert "过敏 没有" in browser.text


def test_another_canteen_is_chosen_near_ones_first(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get("/m/meals/canteens")
    assert "西坞街道中心食堂" in browser.text
    assert "大堰镇老年食堂" not in browser.text
    browser.post("/m/meals/canteens", canteen_id=str(scene.canteens["open"]))
    assert "以后常在西坞街道中心食堂用餐" in browser.text
    assert "大堰镇老年食堂" in browser.get("/m/meals/canteens?all=1").text


def test_a_canteen_that_has_not_been_accepted_cannot_be_chosen(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get("/m/meals/canteens")
    browser.post("/m/meals/canteens", canteen_id=str(scene.canteens["applied"]))
    assert browser.status == 422
    assert "大堰镇老年食堂" in browser.get("/m/meals/file").text


def test_the_purse_shows_what_is_in_it_what_is_held_and_every_line(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get("/m/purse")
    assert "100.00元" in browser.text
    assert "冻结中" in browser.text
    assert "柜台" in browser.text
    browser.sign_in("proxy").get(f"/m/purse?{_of_elder(scene)}")
    assert "周桂芬的餐费" in browser.text


def test_an_empty_purse_says_where_it_is_filled(browser: Browser) -> None:
    browser.sign_in("stranger").get("/m/purse")
    assert "还没有收支" in browser.text
    assert "到助餐点柜台充值" in browser.text
