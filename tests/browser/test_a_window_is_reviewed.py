"""The end of a period at two desks: closed, objected to, ruled upon, confirmed, settled and paid."""

from __future__ import annotations

from playwright.sync_api import Browser

from scripts.screens.walking import DESK, Look
from tests.api.scene import Scene
from tests.browser.somebody import Somebody, people_at
from tests.conftest import books_must_balance
from tests.factories.people import DAYAN, XIWU
from timebank.clearing.models import ClearingWindow, Payment
from timebank.clearing.queries import open_window, positions
from timebank.core.db import Database

HOURS, YUAN = "2小时", "60.00元"


def test_a_window_is_closed_reviewed_settled_and_paid(
    chromium: Browser, own_site: str, bank: Database, scene: Scene
) -> None:
    with bank.session() as session:
        name = open_window(session).name
    looks = {who: Look(who, DESK, 1280) for who in ("district", "steward_xiwu")}
    with people_at(chromium, own_site, **looks) as (district, xiwu):
        _credit_two_hours(district, scene)
        _close(district, name)
        _object(xiwu, name)
        _refuse_to_settle(district, name)
        _rule(district)
        _confirm(xiwu, district, name)
        _settle_and_pay(district, name)
        assert "已结算" in xiwu.go(f"/desk/clearing/windows/{name}").text
        _compare(bank, name)
    books_must_balance(bank)


def _credit_two_hours(district: Somebody, scene: Scene) -> None:
    """Hours given in 西坞 by somebody of 大堰, written down by a steward, approved by the second person."""
    district.press("1 补录待第二人审批").press("", within=district.page.locator("main tbody"))
    assert district.path == f"/desk/services/{scene.tasks['recorded']}"
    district.press("批准，时长入账").press("账目")
    said = district.row("西坞街道").locator("td[data-label='本周期']").inner_text()
    assert said == f"应付 {HOURS}"


def _close(district: Somebody, name: str) -> None:
    district.press(name).press("关账")
    assert "已关账，请各镇街核对" in district.text
    for township, owed in (("西坞街道", "应付"), ("大堰镇", "应收")):
        row = district.row(township).inner_text()
        assert (f"{owed} {HOURS}" in row, f"{owed} {YUAN}" in row, "还没有确认" in row) == (True, True, True)


def _object(xiwu: Somebody, name: str) -> None:
    xiwu.press("账目").press(name).press("看")
    assert f"应付 {HOURS}" in xiwu.fact("本周期")
    xiwu.press("提出异议").fill(reason="请核对签到表").press("提出异议，请区级裁定")
    assert "异议已提出，由区级裁定" in xiwu.text
    xiwu.press("确认对账单")
    assert xiwu.page.get_by_role("alert").is_visible()
    assert "还没有确认" in xiwu.fact("确认")


def _refuse_to_settle(district: Somebody, name: str) -> None:
    district.go(f"/desk/clearing/windows/{name}").press("结算这个周期")
    assert district.page.get_by_role("alert").is_visible()
    assert "还没有确认的镇街：2 个" in district.text


def _rule(district: Somebody) -> None:
    district.go("/desk/")
    district.press("账目").press("异议").fill(unruled="待裁定").press("筛选")
    district.press("待裁定", within=district.row("请核对签到表"))
    assert f"西坞街道 应付 大堰镇 {HOURS}" in district.fact("往来")
    district.fill(ruling="维持", reason="签到签退齐全").press("裁定")
    assert "已裁定" in district.text


def _confirm(xiwu: Somebody, district: Somebody, name: str) -> None:
    xiwu.go(f"/desk/clearing/windows/{name}/statement").press("确认对账单")
    assert "对账单已确认" in xiwu.text
    district.go(f"/desk/clearing/windows/{name}/statement?township_code={DAYAN}")
    district.fill(note="已电话核对").press("确认对账单")
    assert "对账单已确认" in district.text


def _settle_and_pay(district: Somebody, name: str) -> None:
    district.go(f"/desk/clearing/windows/{name}").press("结算这个周期")
    assert "已结算，付款清单已生成" in district.text
    for number, township in enumerate(("西坞街道", "大堰镇"), start=7):
        district.go(f"/desk/clearing/windows/{name}")
        payments = district.page.locator("table").filter(has_text="凭证或原因")
        assert YUAN in payments.locator("tr").filter(has_text=township).inner_text()
        district.press(township, within=payments)
        assert district.fact("金额") == YUAN
        district.fill(outside_reference=f"国库-{number}").press("登记付款完成")
        assert district.fact("凭证号") == f"国库-{number}"


def _compare(bank: Database, name: str) -> None:
    with bank.session() as session:
        window = session.query(ClearingWindow).filter_by(name=name).one()
        assert window.status == "settled"
        paid = session.query(Payment).filter(Payment.outside_reference.like("国库-%")).all()
        assert {(one.township_code, one.direction, one.amount_fen, one.state) for one in paid} == {
            (XIWU, "pay", 6000, "paid"),
            (DAYAN, "receive", 6000, "paid"),
        }
        _, found = positions(session, window_name=name)
        assert {one.township_code: one.position_minutes for one in found if one.position_minutes} == {
            XIWU: -120,
            DAYAN: 120,
        }
