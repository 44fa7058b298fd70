"""A canteen's day on its tablet: an order, the queue, scans, a sale, cash, the line lost and found, totals that tie.

The scanner gun is a keyboard: what it reads is typed into the field that has the focus, and Enter after it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from uuid import UUID

from playwright.sync_api import Browser, expect

from scripts.screens.walking import COUNTER, Look
from tests.api.scene import Scene
from tests.api.scene_menus import next_monday
from tests.browser.somebody import Somebody, people_at, phone_of
from tests.conftest import books_must_balance
from timebank.canteens.purses.queries import drawer_fen
from timebank.core import clock
from timebank.core.amounts import yuan_text
from timebank.core.db import Database
from timebank.people.models import Person

RED, GREEN = "rgb(156, 20, 32)", "rgb(8, 97, 42)"


def test_a_day_at_the_counter_ties_to_the_fen(chromium: Browser, own_site: str, bank: Database, scene: Scene) -> None:
    # The first day for which nobody has ordered yet.
    day = next_monday() + timedelta(days=1)
    _at(day, 8)
    looks = {"elder": phone_of("elder", elder=True), "clerk": Look("clerk", COUNTER, 1024)}
    with people_at(chromium, own_site, **looks) as (elder, clerk):
        number, left = _order_lunch(elder)
        _at(day, 11, 30)
        _hand_over(clerk, number)
        before = _drawer(bank, scene.canteens["clerks"])
        sold = _sell_two(clerk)
        topped_up = _top_up(clerk, bank, scene)
        _lose_the_line(clerk, scene, day)
        assert _fen(elder.go("/m/").fact("餐费余额")) == left + topped_up
        assert "账目相符，一分不差" in clerk.press("日结").text
        assert "合计 2 36.00元" in clerk.text
        assert (_fen(clerk.fact("现卖")), _fen(clerk.fact("充值"))) == (sold, topped_up)
        drawer = _drawer(bank, scene.canteens["clerks"])
        assert drawer - before == sold + topped_up
        assert yuan_text(drawer) in clerk.page.inner_text("section[aria-label='钱箱']")
    books_must_balance(bank)


def _at(day: date, hour: int, minute: int = 0) -> None:
    """Hold the bank's clock."""
    clock.freeze(datetime.combine(day, time(hour, minute), clock.LOCAL))


def _fen(said: str) -> int:
    """``1,234.50元`` at the front of what is said, in fen."""
    found = re.match(r"([\d,]+)\.(\d\d)元", said)
    assert found is not None, said
    return int(found[1].replace(",", "")) * 100 + int(found[2])


def _drawer(bank: Database, canteen_id: UUID) -> int:
    with bank.session() as session:
        return drawer_fen(session, canteen_id)


def _order_lunch(elder: Somebody) -> tuple[str, int]:
    """The number to be called out, and what is left to the elder afterwards, in fen."""
    elder.press("订餐").press("订午餐")
    elder.page.get_by_label("红烧肉要几份").select_option("1")
    elder.press("看看多少钱")
    assert "饮食要求" in elder.text
    elder.fill(accept_unsuitable="我知道有的菜不合").press("看看多少钱")
    pays = _fen(elder.page.inner_text(".balance .amount"))
    left = _fen(elder.fact("订了以后还剩"))
    assert left == _fen(elder.fact("餐费余额（可用）")) - pays < 10_000
    elder.press("确认订餐")
    found = re.search(r"订好了：午餐，取餐号 (\d+)", elder.text)
    assert found is not None
    return found[1], left


def scan(clerk: Somebody, code: str, said: str) -> str:
    """The gun reads ``code``; the colour of the answer, once it says ``said``."""
    clerk.page.keyboard.type(code)
    clerk.page.keyboard.press("Enter")
    answer = clerk.page.locator("#answer")
    expect(answer).to_contain_text(said)
    return str(answer.evaluate("one => getComputedStyle(one).backgroundColor"))


def _hand_over(clerk: Somebody, number: str) -> None:
    clerk.press("今天")
    assert f"{number} 号 周**" in clerk.text
    clerk.press("扫码")
    assert scan(clerk, f"{number}号", "可以给餐") == GREEN
    assert scan(clerk, f"午{number}", "在大堰镇老年食堂取走") == RED
    assert scan(clerk, "TB-NO-SUCH", "没有这张券") == RED
    assert "没有人等着取餐" in clerk.press("今天").text


def _sell_two(clerk: Somebody) -> int:
    """Two portions to somebody who walked in; what was taken, in fen."""
    clerk.press("现卖")
    clerk.page.get_by_label("红烧肉").fill("2")
    clerk.press("下一步").press("收现金 24.00元，卖出")
    assert "收现金 24.00元" in clerk.text
    return 2400


def _top_up(clerk: Somebody, bank: Database, scene: Scene) -> int:
    with bank.session() as session:
        elder = session.get_one(Person, scene.person_id("elder"))
        name, last_four = elder.name, elder.id_number[-4:]
    clerk.press("充值退款").fill(name=name, id_last_four=last_four).press("找这个人")
    clerk.fill(yuan="50").press("充值：收现金")
    assert _fen(clerk.fact("办好以后余额")) - _fen(clerk.fact("现在余额")) == 5000
    clerk.press("现金已收到，充值 50.00元")
    assert f"{name}充值 50.00元，收现金 50.00元" in clerk.text
    return 5000


def _lose_the_line(clerk: Somebody, scene: Scene, day: date) -> None:
    """Two scans are kept while there is no line, and each gets its answer when there is one again."""
    good, used = scene.voucher_codes["issued"], scene.voucher_codes["redeemed"]
    line, page = clerk.page.context, clerk.press("扫码").page
    line.set_offline(True)
    scan(clerk, good, "先记下")
    expect(page.locator("#waiting")).to_contain_text("还有 1 张没有补传")
    scan(clerk, good, "已经在这台机器上扫过")
    scan(clerk, used, "先记下")
    expect(page.locator("#waiting")).to_contain_text("还有 2 张没有补传")
    _at(day, 11, 40)
    line.set_offline(False)
    expect(page.locator("#waiting")).to_be_hidden()
    expect(page.locator("#kept-no")).to_contain_text("补传后没有通过：1 张")
    expect(page.locator("#kept-no")).to_contain_text("在大堰镇老年食堂用过")
    assert scan(clerk, good, "在大堰镇老年食堂用过") == RED
