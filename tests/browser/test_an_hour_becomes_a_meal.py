"""The first story, in the hands of those who live it: an hour given in 西坞 by a volunteer of 尚田 is eaten in 大堰.

Two phones and the counter's tablet; what their pages say is compared with the books at the end.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta

from playwright.sync_api import Browser

from scripts.screens.walking import COUNTER, DESK, Look
from tests.browser.somebody import Somebody, people_at, phone_of
from tests.conftest import books_must_balance
from tests.factories.people import DAYAN, XIWU, valid_id_number
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.db import Database

VOLUNTEER, ELDER = "王秀英", "钱奶奶"


def test_an_hour_given_is_eaten_in_another_township(chromium: Browser, own_site: str, bank: Database) -> None:
    everybody = {
        "volunteer": phone_of(VOLUNTEER),
        "elder": phone_of(ELDER, elder=True),
        "clerk": Look("clerk", COUNTER, 1024),
        "district": Look("district", DESK, 1280),
    }
    with people_at(chromium, own_site, **everybody) as (volunteer, elder, clerk, district):
        _register(volunteer, VOLUNTEER, date(1960, 5, 6), "13812345678", "尚田街道")
        _register(elder, ELDER, date(1941, 2, 3), "13912345678", "西坞街道")
        task = _ask_and_accept(elder, volunteer)
        _serve(elder, volunteer, task)
        _see_why(volunteer)
        code = _buy(volunteer)
        _eat(clerk, code)
        _see_it_spent(volunteer)
        _look_at_the_books(district, bank)


def _register(one: Somebody, name: str, born_on: date, phone: str, township: str) -> None:
    assert one.path == "/m/register"
    one.fill(name=name, id_number="330224194102030000", phone=phone, township_code=township).press("登记")
    assert "身份证号" in one.page.inner_text("#id_number-wrong")
    assert one.page.input_value("#name") == name
    one.fill(id_number=valid_id_number(born_on)).press("登记")
    assert (one.path, "登记好了，欢迎您" in one.text) == ("/m/", True)


def _ask_and_accept(elder: Somebody, volunteer: Somebody) -> str:
    elder.press("请人帮忙")
    elder.fill(service_type="陪伴", at="09:00", minutes="1小时", note="读读报").press("发布，等志愿者接单")
    assert "正在等志愿者接单" in elder.text
    volunteer.press("看服务、接单")
    volunteer.fill(township="西坞街道").press("看这里的")
    offered = volunteer.row("钱**").inner_text()
    assert ("陪伴" in offered, "1小时" in offered, ELDER in volunteer.text) == (True, True, False)
    task = elder.path
    volunteer.go(task).press("接单")
    assert ("您已接单，请按时到" in volunteer.text, ELDER in volunteer.text, "服务码" in volunteer.text) == (
        True,
        True,
        False,
    )
    return task


def _serve(elder: Somebody, volunteer: Somebody, task: str) -> None:
    starts_at = datetime.combine(clock.today() + timedelta(days=1), time(9), clock.LOCAL)
    clock.freeze(starts_at)
    elder.go(task)
    found = re.search(r"服务码 (\d{3}) (\d{3})", elder.text)
    assert found is not None
    code = found[1] + found[2]
    volunteer.go(task).press("签到")
    volunteer.fill(service_code=f"{(int(code) + 1) % 1_000_000:06}").press("签到，开始计时")
    assert "还可以试 9 次" in volunteer.text
    volunteer.fill(service_code=code).press("签到，开始计时")
    assert "签到成功，开始计时" in volunteer.text
    clock.freeze(starts_at + timedelta(minutes=60))
    volunteer.press("签退").press("做完了，签退")
    assert "签退成功，等对方确认" in volunteer.text
    elder.go("/m/").press("看服务、接单").press("看一看").press("确认服务")
    assert f"{VOLUNTEER}服务了1小时" in elder.text
    elder.fill(rating="★★★★★ 很满意", comment="谢谢").press("确认")
    assert "已确认，谢谢您" in elder.text


def _see_why(volunteer: Somebody) -> None:
    volunteer.go("/m/")
    assert volunteer.page.inner_text(".balance .amount") == "1小时"
    volunteer.press("看明细")
    assert "服务所得 ＋1小时" in volunteer.text
    volunteer.press("为什么")
    for said in ("为什么", "依据的办法", ELDER):
        assert said in volunteer.text


def _buy(volunteer: Somebody) -> str:
    """The short code under the QR."""
    volunteer.go("/m/").press("用餐券").press("换用餐券").press("下一步")
    assert (volunteer.fact("每张"), volunteer.page.get_by_role("button", name="确定，换").count()) == ("1小时", 1)
    volunteer.press("确定，换")
    assert "换好了 1 张用餐券，用了 1小时" in volunteer.text
    volunteer.press("出示这张")
    qr = volunteer.page.get_by_role("img", name="用餐券二维码")
    box = qr.bounding_box()
    assert box is not None
    assert box["width"] >= 300
    groups = volunteer.page.locator(".shown .code span:not(.unseen)").all_inner_texts()
    assert len(groups) > 1
    return "-".join(groups)


def _eat(clerk: Somebody, code: str) -> None:
    keys, answer = clerk.page.keyboard, clerk.page.locator("#answer")
    for said in ("可以用餐", "在大堰镇老年食堂用过"):
        keys.type(code)
        keys.press("Enter")
        answer.get_by_text(said).wait_for()
        assert VOLUNTEER in answer.inner_text()
    assert clerk.page.locator("#recent li strong").all_inner_texts() == ["否", "是"]


def _see_it_spent(volunteer: Somebody) -> None:
    volunteer.page.reload()
    assert "这张券不能再用了：已使用" in volunteer.text
    assert "大堰镇老年食堂" in volunteer.fact("用在")
    volunteer.go("/m/")
    assert volunteer.page.inner_text(".balance .amount") == "0分钟"
    volunteer.press("看明细")
    sums = volunteer.page.locator("main .sum strong").all_inner_texts()
    assert sums == ["－1小时", "＋1小时"]


def _look_at_the_books(district: Somebody, bank: Database) -> None:
    """The window of the scene was new: what is in it came from this story."""
    district.press("账目")
    said = {
        name: district.row(name).locator("td[data-label='本周期']").inner_text()
        for name in ("西坞街道", "尚田街道", "大堰镇")
    }
    assert said == {"西坞街道": "应付 1小时", "尚田街道": "两清", "大堰镇": "应收 1小时"}
    with bank.session() as session:
        _, found = positions(session, window_name=None)
        assert {one.township_code: one.position_minutes for one in found if one.position_minutes} == {
            XIWU: -60,
            DAYAN: 60,
        }
    books_must_balance(bank)
