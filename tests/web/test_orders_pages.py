"""Ordering a meal on the phone: choosing, the price, ordering once, changing, cancelling, rating, every week."""

from __future__ import annotations

import re
from datetime import date, timedelta

from flask import Flask

from tests.api.scene import Scene
from tests.api.scene_menus import next_monday
from tests.doors import SignIn
from tests.web.browser import Browser
from timebank.core import clock

TUESDAY = 1


def _day() -> date:
    return next_monday() + timedelta(days=TUESDAY)


def _menu(browser: Browser, scene: Scene, *, day: date | None = None, more: str = "") -> str:
    """The address of the lunch of a day, opened; the elder's own, or as ``more`` says."""
    address = f"/m/meals/order?canteen={scene.canteens['clerks']}&day={day or _day()}&meal=lunch{more}"
    browser.get(address)
    assert browser.status == 200
    return address


def _dish(browser: Browser, name: str) -> str:
    """The field that counts a dish."""
    return re.search(rf'name="(dish-[^"]+)" aria-label="{name}要几份"', browser.html)[1]  # type: ignore[index]


def _keys(browser: Browser) -> dict[str, str]:
    return dict(re.findall(r'name="(form_token|form_key)" value="([^"]*)"', browser.html))


def _wish(browser: Browser, **other: str) -> dict[str, str]:
    return {_dish(browser, "红烧肉"): "1", "way": "eat_in", "accept_unsuitable": "1", **other}


def _ordered(browser: Browser, scene: Scene, **other: str) -> str:
    """A lunch is ordered by the elder; the address of its page."""
    address = _menu(browser, scene)
    wish = _wish(browser, **other)
    browser.post(address, step="price", **wish)
    browser.post(address, step="order", **wish)
    assert browser.path.startswith("/m/orders/"), browser.text
    return browser.path


def _placed(browser: Browser) -> int:
    return browser.get("/m/orders").text.count("已订")


def test_a_count_that_cannot_be_read_is_told_at_the_top_in_words(browser: Browser, scene: Scene) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    browser.post(address, step="price", **{_dish(browser, "红烧肉"): "1.5", "way": "eat_in"})
    assert browser.status == 422
    alert = re.search(r'role="alert">.*?</div>', browser.html, re.DOTALL)[0]  # type: ignore[index]
    assert "整数" in alert


def test_a_meal_is_priced_before_it_is_ordered_and_ordered_once_however_often_it_is_sent(
    browser: Browser, scene: Scene
) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    before = _placed(browser)
    _menu(browser, scene)
    wish = _wish(browser, note="少油")
    browser.post(address, step="price", **wish)
    assert browser.status == 200
    for said in ("您要付", "餐费余额", "订了以后还剩", "政府补一点", "以前可以改、可以退", "少油"):
        assert said in browser.text
    assert browser.text.count("确认订餐") == 1
    keys = _keys(browser)
    browser.post(address, step="order", **wish, **keys)
    order = browser.path
    assert "取餐号" in browser.text
    assert "少油" in browser.text
    browser.post(address, step="order", **wish, **keys)
    assert browser.path == order
    assert _placed(browser) == before + 1


def test_looking_at_the_price_and_going_back_orders_nothing_and_forgets_nothing(browser: Browser, scene: Scene) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    wish = _wish(browser, note="少油")
    browser.post(address, step="price", **wish)
    browser.post(address, step="again", **wish)
    assert browser.status == 200
    assert 'value="1" selected' in browser.html
    assert "少油" in browser.text
    browser.get("/m/orders")
    assert "少油" not in browser.text


def test_dishes_that_do_not_suit_are_refused_with_why_until_it_is_said_that_one_knows(
    browser: Browser, scene: Scene
) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    browser.post(address, step="price", **_wish(browser, accept_unsuitable="0"))
    assert (browser.status, "“红烧肉”不能做成软食" in browser.text) == (422, True)
    assert 'name="accept_unsuitable"' in browser.html


def test_a_form_without_a_dish_says_so_beside_the_dishes(browser: Browser, scene: Scene) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    browser.post(address, step="price", way="eat_in")
    assert browser.status == 422
    assert 'id="items-wrong">请至少选一样菜' in browser.html


def test_too_many_of_a_dish_and_a_number_that_is_none_are_refused_in_words(browser: Browser, scene: Scene) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    pork = _dish(browser, "红烧肉")
    for count in ("6", "x", "-1"):
        browser.post(address, step="order", **{pork: count, "way": "eat_in", "accept_unsuitable": "1"})
        assert browser.status == 422
        assert 'role="alert"' in browser.html


def test_past_the_cut_off_nothing_is_ordered_and_the_next_day_is_offered(browser: Browser, scene: Scene) -> None:
    monday = next_monday() - timedelta(days=7)
    address = _menu(browser.sign_in("elder"), scene, day=monday)
    wish = _wish(browser)
    clock.freeze(clock.day_start(monday) + timedelta(days=1))
    browser.post(address, step="order", **wish)
    assert (browser.status, "已过截止时间" in browser.text) == (422, True)
    assert any(f"day={monday + timedelta(days=1)}" in link for link in browser.links())


def test_too_little_money_is_said_with_what_is_missing_and_no_button_to_order(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder")
    for day in range(4):
        address = _menu(browser, scene, day=next_monday() + timedelta(days=1 + day))
        wish = {**_wish(browser), _dish(browser, "红烧肉"): "5"}
        browser.post(address, step="price", **wish)
        if "还差" in browser.text:
            break
        browser.post(address, step="order", **wish)
    assert "余额不够" in browser.text
    assert "充值" in browser.text
    assert "确认订餐" not in browser.text
    count = _placed(browser)
    browser.get(address).post(address, step="order", **wish)
    assert (browser.status, "请带现金到助餐点柜台充值" in browser.text) == (422, True)
    assert _placed(browser) == count


def test_a_proxy_orders_for_the_elder_and_the_page_says_so(browser: Browser, scene: Scene) -> None:
    more = f"&for={scene.person_id('elder')}"
    address = _menu(browser.sign_in("proxy"), scene, more=more)
    wish = _wish(browser)
    browser.post(address, step="price", **wish)
    assert "替周桂芬订午餐" in browser.text
    browser.post(address, step="order", **wish)
    assert "这是周桂芬的餐" in browser.text
    why = next(link for link in browser.links() if link.startswith("/m/why"))
    assert browser.get(why).status == 200


def test_a_meal_is_brought_to_the_door_that_the_form_names(browser: Browser, scene: Scene) -> None:
    address = _menu(browser.sign_in("elder"), scene)
    wish = _wish(browser, way="deliver", delivery_address="白杜村13号")
    browser.post(address, step="price", **wish)
    assert "送到 白杜村13号" in browser.text
    browser.post(address, step="order", **wish)
    assert "送到 白杜村13号" in browser.text


def test_an_order_is_changed_and_what_is_wrong_leaves_it_as_it_was(browser: Browser, scene: Scene) -> None:
    order = _ordered(browser.sign_in("elder"), scene)
    browser.get(f"{order}/change")
    assert 'value="1" selected' in browser.html
    browser.post(f"{order}/change", way="take_away", accept_unsuitable="1")
    assert (browser.status, "请至少选一样菜" in browser.text) == (422, True)
    assert "堂食" in browser.get(order).text
    browser.get(f"{order}/change")
    wish = {_dish(browser, "炒青菜"): "2", "way": "take_away", "accept_unsuitable": "1", "note": "少盐"}
    browser.post(f"{order}/change", step="price", **wish)
    priced = re.search(r"改了以后您要付 (\S+)", browser.text)
    assert (browser.status, priced is not None, "就这样改" in browser.text) == (200, True, True)
    assert "堂食" in browser.get(order).text
    browser.post(f"{order}/change", step="again", **wish)
    assert "少盐" in browser.text
    browser.post(f"{order}/change", step="order", **wish)
    assert priced is not None
    assert (browser.path, f"改好了，现在付 {priced[1]}" in browser.text) == (order, True)
    assert "自取" in browser.text
    assert "少盐" in browser.text


def test_an_order_is_cancelled_after_one_more_question_and_not_twice(browser: Browser, scene: Scene) -> None:
    order = _ordered(browser.sign_in("elder"), scene)
    browser.get(f"{order}/cancel")
    assert "退掉这一餐吗" in browser.text
    browser.post(f"{order}/cancel")
    assert "已取消" in browser.text
    assert f"{order}/change" not in browser.links()
    browser.get(f"{order}/cancel").post(f"{order}/cancel")
    assert browser.status == 422


def test_the_orders_of_others_are_not_there(app: Flask, scene: Scene) -> None:
    stranger = Browser(app).sign_in("stranger")
    for rest in ("", "/change", "/cancel", "/rate"):
        assert stranger.get(f"/m/orders/{scene.orders['placed']}{rest}").status == 404
    assert "还没有订过餐" in stranger.get("/m/orders").text
    assert "/m/meals" in stranger.links()


def test_an_order_shows_who_bears_what_and_leads_to_why(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder").get(f"/m/orders/{scene.orders['placed']}")
    assert "老人付一点" in browser.text
    assert "办法第" in browser.text
    assert browser.get(f"/m/why?order_id={scene.orders['placed']}").status == 200


def test_a_meal_that_was_eaten_is_rated_with_stars_tags_and_words(browser: Browser, scene: Scene) -> None:
    order = f"/m/orders/{scene.rated_order_id}"
    browser.sign_in("elder").get(order)
    assert f"{order}/rate" in browser.links()
    browser.get(f"{order}/rate")
    assert 'value="2" checked' in browser.html
    browser.post(f"{order}/rate", stars="", words="好多了")
    assert browser.status == 422
    assert 'id="stars-wrong"' in browser.html
    assert "好多了" in browser.text
    browser.post(f"{order}/rate", stars="4", tags=["菜凉了", "太咸"], words="好多了")
    assert (browser.path, "谢谢您的评价" in browser.text) == (order, True)
    said = ("您的评价", "4 星，好", "菜凉了、太咸", "好多了", "改一改评价")
    assert [words for words in said if words not in browser.text] == []


def test_what_the_canteen_answers_is_read_with_the_meal_by_the_elder_and_the_proxy(
    app: Flask, scene: Scene, sign_in: SignIn
) -> None:
    sign_in("clerk").ok("ratings.reply", {"words": "已换保温桶"}, order_id=str(scene.rated_order_id))
    for who, whose in (("elder", "您的评价"), ("proxy", "周桂芬的评价")):
        page = Browser(app).sign_in(who).get(f"/m/orders/{scene.rated_order_id}")
        assert (whose in page.text, "食堂的回复 已换保温桶" in page.text) == (True, True)


def test_when_the_hours_for_changing_are_over_a_rating_is_read_and_changed_no_more(
    browser: Browser, scene: Scene
) -> None:
    clock.freeze(clock.now() + timedelta(days=30))
    browser.sign_in("elder").get(f"/m/orders/{scene.rated_order_id}")
    assert ("您的评价" in browser.text, "改一改评价" in browser.text) == (True, False)


def test_a_meal_that_was_not_eaten_yet_is_not_rated(browser: Browser, scene: Scene) -> None:
    order = f"/m/orders/{scene.orders['placed']}"
    browser.sign_in("elder").get(f"{order}/rate").post(f"{order}/rate", stars="5")
    assert (browser.status, "取餐后才能评价" in browser.text) == (422, True)


def test_the_list_of_orders_goes_on_where_it_ends(browser: Browser, scene: Scene) -> None:
    browser.sign_in("elder")
    for day in range(5):
        for _ in range(2):
            address = _menu(browser, scene, day=next_monday() + timedelta(days=1 + day))
            wish = {_dish(browser, "炒青菜"): "1", "way": "eat_in", "accept_unsuitable": "1"}
            browser.post(address, step="order", **wish)
            browser.get(f"{browser.path}/cancel").post(f"{browser.path.removesuffix('/cancel')}/cancel")
    first = _listed(browser.get("/m/orders"))
    older = re.search(r'href="(\?cursor=[^"]+)"', browser.html)
    assert older is not None
    rest = _listed(browser.get(f"/m/orders{older[1]}"))
    assert (len(first), len(rest) > 0, set(first) & set(rest)) == (10, True, set())


def _listed(browser: Browser) -> list[str]:
    return re.findall(r'href="/m/orders/([0-9a-f-]{36})"', browser.html)


def test_a_meal_is_set_for_every_week_paused_and_ended(browser: Browser, scene: Scene) -> None:
    here = "/m/orders/standing"
    browser.sign_in("elder").get(f"{here}/new")
    wanted = {"canteen_id": str(scene.canteens["clerks"]), "meal": "lunch", "choice": "cheapest", "way": "eat_in"}
    days = {"starts_on": f"{next_monday()}", "ends_on": "", "use_vouchers": "0"}
    browser.post(f"{here}/new", **wanted, **days)
    assert browser.status == 422
    assert 'id="weekdays-wrong"' in browser.html
    browser.post(f"{here}/new", **wanted, **days, weekdays=["1", "5"])
    assert browser.path == here
    assert "周一、周五午餐" in browser.text
    one = next(link for link in browser.links() if link.endswith("/pause"))
    browser.get(one).post(one, **{"from": f"{_day()}", "until": f"{next_monday()}"})
    assert browser.status == 422
    browser.post(one, **{"from": f"{next_monday()}", "until": f"{_day()}"})
    assert (browser.path, "停订" in browser.text) == (here, True)
    end = one.replace("/pause", "/end")
    assert "结束这份长期订餐吗" in browser.get(end).text
    browser.post(end)
    assert (browser.path, "周一、周五午餐" in browser.text) == (here, False)


def test_whoever_is_no_diner_sets_nothing_and_is_told_where_to_go(browser: Browser, scene: Scene) -> None:
    here = "/m/orders/standing"
    assert "还没有长期订餐" in browser.sign_in("volunteer").get(here).text
    browser.get(f"{here}/new")
    wanted = {"canteen_id": str(scene.canteens["clerks"]), "meal": "lunch", "choice": "cheapest", "way": "eat_in"}
    browser.post(f"{here}/new", **wanted, starts_on=f"{next_monday()}", weekdays=["1"])
    assert (browser.status, "用餐对象资格" in browser.text) == (422, True)
    assert "/m/meals" in browser.links()
