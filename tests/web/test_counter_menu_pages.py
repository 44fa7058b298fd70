"""A week's menu on pages: dishes, a draft by hand or copied, faults at their dishes, and what changes afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.api.scene_menus import next_monday
from tests.factories.menus import an_item, drafted_menu, item_named, monday_of
from tests.factories.people import district
from tests.web.browser import Browser
from timebank.canteens.menus.actions import DishForm, enter_dish
from timebank.canteens.menus.models import Menu, MenuDish, MenuItem, MenuPriceChange
from timebank.canteens.menus.queries import menu_of_week
from timebank.canteens.network.models import Canteen
from timebank.canteens.orders.models import MealOrderItem
from timebank.core import clock
from timebank.core.db import Base, Database


@pytest.fixture
def clerk(browser: Browser, scene: Scene) -> Browser:
    assert scene.people
    return browser.sign_in_staff("clerk", PASSWORD)


@pytest.fixture
def at(scene: Scene) -> str:
    """Where the menus of the clerk's canteen lie at the counter."""
    return f"/counter/canteens/{scene.canteens['clerks']}/menus"


@pytest.fixture
def draft(at: str, scene: Scene) -> str:
    """The draft of the scene, with one dish on it that has no price."""
    return f"{at}/{scene.menus['draft']}"


@pytest.fixture
def released(at: str, scene: Scene) -> str:
    """The week that comes, which is released."""
    return f"{at}/{scene.menus['released']}"


@pytest.fixture
def after_the_week() -> Iterator[None]:
    clock.freeze(clock.now() + timedelta(days=21))
    yield
    clock.freeze(None)


def count(bank: Database, table: type[Base]) -> int:
    with bank.session() as session:
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def item_of(bank: Database, item_id: object) -> MenuItem:
    with bank.session() as session:
        return session.get_one(MenuItem, item_id)


def key_of(browser: Browser) -> str:
    found = re.search(r'name="form_key" value="([^"]+)"', browser.html)
    assert found is not None
    return found.group(1)


def test_weeks_are_told_with_how_they_stand_and_the_bar_leads_there(clerk: Browser, at: str) -> None:
    assert at in clerk.get("/counter/").links()
    clerk.get(at)
    assert ("草稿：1 道菜" in clerk.text, "已发布：70 道菜，其中爱心餐 28 道" in clerk.text) == (True, True)
    assert ("这一周" in clerk.text, "老人还看不到" in clerk.text) == (True, True)


def test_a_week_is_begun_empty_once_and_never_over_what_somebody_wrote_meanwhile(
    clerk: Browser, at: str, bank: Database
) -> None:
    week = next_monday() + timedelta(days=14)
    before = count(bank, Menu)
    clerk.get(at)
    key = key_of(clerk)
    clerk.post(at, week=str(week), source="")
    begun = clerk.path
    assert (begun.startswith(at + "/"), "草稿已建好" in clerk.text, count(bank, Menu)) == (True, True, before + 1)
    clerk.post(at, week=str(week), source="", form_key=key)
    assert (clerk.path, count(bank, Menu)) == (begun, before + 1)
    with bank.unit_of_work() as session:
        an_item(session, session.get_one(Menu, begun.rpartition("/")[2]))
    clerk.get(at).post(at, week=str(week), source="")
    assert (clerk.status, "这一周的草稿已有内容" in clerk.text) == (422, True)
    assert "草稿：1 道菜" in clerk.get(at).text


def test_a_week_is_copied_from_another_one_and_refused_where_it_cannot_be(
    clerk: Browser, at: str, scene: Scene, bank: Database
) -> None:
    week, source = next_monday() + timedelta(days=14), f"{scene.canteens['clerks']} {next_monday()}"
    before = count(bank, MenuItem)
    clerk.get(at).post(at, week="", source=source)
    assert (clerk.status, 'id="week-wrong"' in clerk.html, count(bank, MenuItem)) == (422, True, before)
    clerk.post(at, week=str(week), source=source)
    assert ("已复制 70 道菜" in clerk.text, count(bank, MenuItem)) == (True, before + 70)
    assert f'<option value="{week}"' not in clerk.get(at).html


def test_a_dish_of_the_book_is_added_once_and_the_form_stays_open_for_the_next(
    clerk: Browser, draft: str, scene: Scene, bank: Database
) -> None:
    day = next_monday() + timedelta(days=7)
    add, before = f"{draft}/days/{day}/supper/add", count(bank, MenuItem)
    assert add in clerk.get(f"{draft}/days/{day}").links()
    clerk.get(add).post(add, dish_id="")
    assert (clerk.status, 'id="dish_id-wrong"' in clerk.html) == (422, True)
    dish = str(scene.menus["dish"])
    clerk.post(add, dish_id=dish, price_yuan="一大把")
    assert (clerk.status, 'id="price_yuan-wrong"' in clerk.html, count(bank, MenuItem)) == (422, True, before)
    key = key_of(clerk)
    clerk.post(add, dish_id=dish, price_yuan="4.5", limit="20", is_love_meal="1")
    assert (clerk.path, "已加上：豆腐汤" in clerk.text, "豆腐汤 4.50元" in clerk.text.replace("　", " ")) == (
        add,
        True,
        True,
    )
    clerk.post(add, dish_id=dish, price_yuan="4.5", limit="20", is_love_meal="1", form_key=key)
    assert count(bank, MenuItem) == before + 1
    clerk.get(add).post(add, dish_id=dish)
    assert (clerk.status, "在同一餐里重复" in clerk.text, count(bank, MenuItem)) == (422, True, before + 1)
    clerk.get(f"{draft}/days/{day}")
    assert ("限 20 份" in clerk.text, "至少要 2 道" in clerk.text) == (True, True)


def test_a_dish_of_a_draft_is_changed_and_taken_out(clerk: Browser, draft: str, scene: Scene, bank: Database) -> None:
    dish = f"{draft}/items/{scene.menus['draft_item']}"
    day = next_monday() + timedelta(days=8)
    form = {"name": "清蒸鱼", "served_on": str(day), "meal": "lunch", "diet_forms": ["normal", "soft"]}
    clerk.get(dish).post(dish, **{**form, "allergens": ["灰尘"]}, price_yuan="15")
    assert (clerk.status, 'id="allergens-wrong"' in clerk.html) == (422, True)
    clerk.post(dish, **form, allergens=["鱼类"], price_yuan="15", limit="12")
    assert (clerk.path, "已更改：清蒸鱼" in clerk.text) == (f"{draft}/days/{day}", True)
    kept = item_of(bank, scene.menus["draft_item"])
    assert (kept.price_fen, kept.diet_forms, kept.allergens) == (1500, ["normal", "soft"], ["鱼类"])
    assert (kept.served_on, kept.portions_limit) == (day, 12)
    clerk.post(f"{dish}/remove", served_on=str(day))
    assert (clerk.path, "已从草稿中删去" in clerk.text) == (f"{draft}/days/{day}", True)
    assert (clerk.get(dish).path, "已经不在菜单上" in clerk.text) == (draft, True)


def test_a_draft_is_emptied_after_it_was_asked_whether_one_is_sure(clerk: Browser, draft: str) -> None:
    assert f"{draft}/empty" in clerk.get(draft).links()
    clerk.get(f"{draft}/empty")
    assert ("不能找回" in clerk.text, "1 道" in clerk.text) == (True, True)
    clerk.post(f"{draft}/empty")
    assert (clerk.path, "草稿已清空" in clerk.text, "草稿里还没有菜" in clerk.text) == (draft, True, True)
    assert f"{draft}/release" not in clerk.links()


def test_what_keeps_a_week_from_being_released_stands_at_each_dish_and_day_and_nothing_is_out(
    clerk: Browser, draft: str, scene: Scene, bank: Database
) -> None:
    clerk.get(f"{draft}/release")
    assert ("不能退回草稿" in clerk.text, "1 道" in clerk.text) == (True, True)
    clerk.post(f"{draft}/release")
    day = next_monday() + timedelta(days=7)
    assert (clerk.status, "要改的有 8 处" in clerk.text) == (422, True)
    assert f"{draft}/days/{day}" in clerk.links()
    cell = clerk.html.partition("没价的鱼</li>")[0] or clerk.html
    assert re.search(r"<li>没价的鱼.*?<strong class=\"wrong\">没有价格</strong></li>", cell) is not None
    assert f"{day.month}月{day.day}日爱心餐不足" in clerk.text
    with bank.session() as session:
        assert session.get_one(Menu, scene.menus["draft"]).state == "draft"


def test_a_whole_week_is_released_once_after_a_last_look(clerk: Browser, at: str, scene: Scene, bank: Database) -> None:
    week, source = next_monday() + timedelta(days=14), f"{scene.canteens['clerks']} {next_monday()}"
    clerk.get(at).post(at, week=str(week), source=source)
    copied = clerk.path
    clerk.get(f"{copied}/release").post(f"{copied}/release")
    assert (clerk.path, "老人现在可以订餐" in clerk.text, "已发布" in clerk.text) == (copied, True, True)
    clerk.post(f"{copied}/release", form_key="another")
    assert (clerk.status, "已经发布" in clerk.text) == (422, True)
    with bank.session() as session:
        assert menu_of_week(session, scene.canteens["clerks"], week).released_by_name == "clerk"


def test_a_released_price_changes_with_a_reason_and_orders_keep_theirs(
    clerk: Browser, released: str, scene: Scene, bank: Database
) -> None:
    path = f"{released}/items/{scene.menus['released_item']}/price"
    with bank.session() as session:
        ordered = select(MealOrderItem.price_fen).where(MealOrderItem.menu_item_id == scene.menus["released_item"])
        before = session.scalars(ordered).all()
    clerk.get(path)
    assert ("仍按订的时候的价格" in clerk.text, "发布以后没有改过价" in clerk.text) == (True, True)
    key = key_of(clerk)
    clerk.post(path, price_yuan="", reason="肉价上涨")
    assert (clerk.status, 'id="price_yuan-wrong"' in clerk.html, count(bank, MenuPriceChange)) == (422, True, 0)
    clerk.post(path, price_yuan="13.5", reason="肉价上涨", form_key=key)
    assert ("12.00元 改成 13.50元：肉价上涨" in clerk.text, count(bank, MenuPriceChange)) == (True, 1)
    clerk.post(path, price_yuan="13.5", reason="肉价上涨", form_key=key)
    assert (clerk.status, count(bank, MenuPriceChange)) == (200, 1)
    with bank.session() as session:
        assert (len(before) > 0, session.scalars(ordered).all()) == (True, before)


def test_portions_are_limited_and_free_again_and_never_below_what_is_ordered(
    clerk: Browser, released: str, scene: Scene, bank: Database
) -> None:
    item_id = scene.menus["released_item"]
    path = f"{released}/items/{item_id}"
    clerk.get(path).post(f"{path}/limit", limit="0")
    assert (clerk.status, "限量不能更少" in clerk.text, item_of(bank, item_id).portions_limit) == (422, True, None)
    clerk.post(f"{path}/limit", limit="30", form_key="thirty")
    assert ("最多订 30 份" in clerk.text, item_of(bank, item_id).portions_limit) == (True, 30)
    clerk.post(f"{path}/limit", limit="", form_key="free")
    assert ("不再限量" in clerk.text, item_of(bank, item_id).portions_limit) == (True, None)
    clerk.post(f"{path}/sold-out", form_key="out")
    assert ("已标为卖完" in clerk.text, "又有了" in clerk.text) == (True, True)
    clerk.post(f"{path}/on-sale", form_key="in")
    assert ("恢复供应了" in clerk.text, item_of(bank, item_id).sold_out_at) == (True, None)


def test_a_dish_that_nobody_ordered_is_withdrawn_for_good_and_another_is_not(
    clerk: Browser, released: str, scene: Scene, bank: Database
) -> None:
    ordered = f"{released}/items/{scene.menus['released_item']}/withdraw"
    assert "已有人预订，不能撤下" in clerk.get(ordered).text
    clerk.post(ordered, reason="缺货")
    assert (clerk.status, item_of(bank, scene.menus["released_item"]).withdrawn_at) == (422, None)
    with bank.session() as session:
        fish = item_named(session, session.get_one(Menu, scene.menus["released"]), "清蒸鱼")
    path = f"{released}/items/{fish}"
    clerk.get(f"{path}/withdraw").post(f"{path}/withdraw", reason="")
    assert (clerk.status, 'id="reason-wrong"' in clerk.html, item_of(bank, fish).withdrawn_at) == (422, True, None)
    clerk.post(f"{path}/withdraw", reason="没进到鱼")
    assert (clerk.path, "已撤下" in clerk.text, f"{path}/withdraw" in clerk.links()) == (path, True, False)


@pytest.mark.usefixtures("after_the_week")
def test_a_day_that_is_over_can_be_looked_at_and_no_more(clerk: Browser, released: str, scene: Scene) -> None:
    path = f"{released}/items/{scene.menus['released_item']}"
    clerk.get(path)
    assert ("价格变动" in clerk.text, "按这个限量" in clerk.text, f"{path}/withdraw" in clerk.links()) == (
        True,
        False,
        False,
    )
    assert "午餐加菜" not in clerk.get(f"{released}/days/{monday_of(clock.today()) - timedelta(days=14)}").text


def test_the_book_of_dishes_takes_a_new_one_once_changes_it_and_puts_it_out_of_use(
    clerk: Browser, at: str, bank: Database
) -> None:
    new, before = f"{at}/dishes/new", count(bank, MenuDish)
    clerk.get(new).post(new, name="豆腐汤", price_yuan="4", diet_forms=["normal"])
    assert (clerk.status, 'id="name-wrong"' in clerk.html, count(bank, MenuDish)) == (422, True, before)
    clerk.post(new, name="葱油面", price_yuan="", diet_forms=["normal"])
    assert (clerk.status, 'id="price_yuan-wrong"' in clerk.html, 'value="葱油面"' in clerk.html) == (422, True, True)
    key = key_of(clerk)
    clerk.post(new, name="葱油面", price_yuan="8", diet_forms=["normal"], form_key=key)
    clerk.post(new, name="葱油面", price_yuan="8", diet_forms=["normal"], form_key=key)
    assert (clerk.path, count(bank, MenuDish)) == (new, before + 1)
    clerk.get(f"{at}/dishes")
    path = next(link for link in reversed(clerk.links()) if link.startswith(f"{at}/dishes/0"))
    clerk.get(path).post(path, name="葱油拌面", price_yuan="9", diet_forms=["normal"], allergens=["麸质谷物"])
    assert ("已更改：葱油拌面" in clerk.text, "9.00元" in clerk.text, "含麸质谷物" in clerk.text) == (True, True, True)
    clerk.get(f"{path}/archive")
    assert "也不能恢复" in clerk.text
    clerk.post(f"{path}/archive")
    assert ("已停用" in clerk.text, "葱油拌面" in clerk.text) == (True, False)
    assert "葱油拌面" in clerk.get(f"{at}/dishes?archived=1").text
    assert (clerk.get(path).path, "已经停用" in clerk.text) == (f"{at}/dishes", True)


def test_a_long_book_and_many_weeks_go_on_on_a_next_page(clerk: Browser, at: str, scene: Scene, bank: Database) -> None:
    canteen_id = scene.canteens["clerks"]
    with bank.unit_of_work() as session:
        for n in range(30):
            enter_dish(session, actor=district(), canteen_id=canteen_id, form=DishForm(f"第{n}道", 500))
        for n in range(2, 14):
            drafted_menu(session, canteen_id, monday_of(clock.today()) - timedelta(weeks=n))
    clerk.get(f"{at}/dishes")
    assert ("下一页" in clerk.text, "第29道" in clerk.text) == (True, False)
    following = re.search(r'href="(\?cursor=[^"]+)"', clerk.html)
    assert following is not None
    assert "第29道" in clerk.get(f"{at}/dishes{following.group(1)}").text
    oldest = monday_of(clock.today()) - timedelta(weeks=13)
    assert f"{oldest.month}月{oldest.day}日（星期一）起的一周" not in clerk.get(at).text.partition("各周菜单")[2]
    further = re.search(r'href="(\?cursor=[^"]+)"', clerk.html)
    assert further is not None
    assert (
        f"{oldest.month}月{oldest.day}日（星期一）起的一周"
        in clerk.get(f"{at}{further.group(1)}").text.partition("各周菜单")[2]
    )


def test_menus_of_a_canteen_are_written_by_those_it_belongs_to(
    browser: Browser, at: str, scene: Scene, bank: Database
) -> None:
    assert browser.get(at).path == "/staff/sign-in"
    browser.sign_in("volunteer").get(at)
    assert browser.path == "/staff/sign-in"
    other = f"/counter/canteens/{scene.canteens['open']}/menus"
    browser.sign_in_staff("clerk", PASSWORD).get(other)
    assert (browser.status, "编一周新菜单" in browser.text) == (200, False)
    assert browser.get(f"{other}/dishes").status == 403
    before = count(bank, Menu)
    browser.get(at).post(other, week=str(next_monday()), source="")
    assert (browser.status, count(bank, Menu)) == (422, before)


def test_a_kitchens_clerk_finds_the_canteens_that_it_cooks_for(
    clerk: Browser, at: str, scene: Scene, bank: Database
) -> None:
    served = scene.canteens["open"]
    assert "还给这些助餐点排菜单" not in clerk.get(at).text
    with bank.unit_of_work() as session:
        session.get_one(Canteen, served).kitchen_id = scene.canteens["clerks"]
    path = f"/counter/canteens/{served}/menus"
    assert path in clerk.get(at).links()
    clerk.get(path).post(path, week=str(next_monday()), source=f"{scene.canteens['clerks']} {next_monday()}")
    assert ("已复制 70 道菜" in clerk.text, clerk.path.startswith(path + "/")) == (True, True)
