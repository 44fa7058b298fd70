"""Clearing at the desk: a line disputed and ruled upon, statements confirmed, a window settled, its payments noted."""

from __future__ import annotations

from io import BytesIO

from openpyxl import load_workbook

from tests.api.scene import PASSWORD, Scene
from tests.factories.people import DAYAN, SHANGTIAN, XIWU
from tests.web.browser import Browser
from timebank.clearing.models import ClearingWindow, Payment
from timebank.core.db import Database


def _window(scene: Scene) -> str:
    return f"/desk/clearing/windows/{scene.reviewed_window}"


def test_a_window_goes_from_objection_to_settlement(browser: Browser, scene: Scene) -> None:
    window = _window(scene)
    ruling = f"/desk/clearing/disputes/{scene.dispute_id}/rule"
    browser.sign_in_staff("district", PASSWORD).get("/desk/clearing/disputes?unruled=true")
    assert ruling in browser.links()
    browser.get(ruling).post(ruling, ruling="moved", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(ruling, ruling="moved", reason="待查")
    assert (browser.path, "已裁定：移入下一周期" in browser.text) == ("/desk/clearing/disputes", True)
    browser.get(f"{window}/statement?township_code={SHANGTIAN}")
    browser.post(f"{window}/confirm", township_code=SHANGTIAN, note="")
    assert (browser.status, "尚田街道" in browser.text) == (422, True)
    browser.get(f"{window}/statement?township_code={DAYAN}")
    browser.post(f"{window}/confirm", township_code=DAYAN, note="已电话核对")
    assert "对账单已确认" in browser.text
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(f"{window}/statement")
    browser.post(f"{window}/confirm", township_code=SHANGTIAN)
    assert "对账单已确认" in browser.text
    browser.sign_in_staff("district", PASSWORD).get(window).post(f"{window}/settle")
    assert (browser.status, "已结算" in browser.text) == (200, True)
    browser.post(f"{window}/abort", reason="重新核对")
    assert "重新核对" in browser.text


def test_a_window_is_not_settled_while_an_objection_waits_and_nothing_changes(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    window = _window(scene)
    browser.sign_in_staff("district", PASSWORD).get(window).post(f"{window}/settle")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    with bank.unit_of_work() as session:
        named = session.query(ClearingWindow).filter_by(name=scene.reviewed_window).one()
        assert named.status == "under_review"


def test_a_township_disputes_a_line_of_a_closed_window_once(browser: Browser, scene: Scene) -> None:
    browser.sign_in_staff("district", PASSWORD)
    ruling = f"/desk/clearing/disputes/{scene.dispute_id}/rule"
    browser.get(ruling).post(ruling, ruling="moved", reason="待查")
    browser.get("/desk/clearing")
    newest = next(link for link in browser.links() if link.startswith("/desk/clearing/windows/"))
    browser.get(newest).post(f"{newest}/close")
    assert "已关账" in browser.text
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(f"{newest}/statement")
    dispute = next(link for link in browser.links() if link.endswith("/dispute"))
    browser.get(dispute).post(dispute, reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(dispute, form_key="one form, sent twice", reason="不是本人")
        assert browser.status == 200
        browser.get(dispute)
    assert browser.get("/desk/clearing/disputes?unruled=true").text.count("不是本人") == 1


def test_a_statement_is_printed_and_handed_out_as_a_workbook(browser: Browser, scene: Scene) -> None:
    window = _window(scene)
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(f"{window}/statement")
    assert "逐笔" in browser.text
    client = browser._client
    book = load_workbook(BytesIO(client.get(f"{window}/statement.xlsx").data))
    assert book.sheetnames
    printed = client.get(f"{window}/statement.html")
    assert (printed.status_code, "default-src 'none'" in printed.headers["Content-Security-Policy"]) == (200, True)
    other = browser.get(f"{window}/statement?township_code={DAYAN}")
    assert (other.status, 'role="alert"' in other.html) == (403, False)
    assert "看哪个镇街" in browser.sign_in_staff("auditor", PASSWORD).get(f"{window}/statement").text
    assert f"{window}/settle" not in browser.get(window).html


def test_a_payment_fails_is_instructed_again_and_is_paid(browser: Browser, scene: Scene, bank: Database) -> None:
    first = f"/desk/clearing/payments/{scene.payment_id}"
    browser.sign_in_staff("district", PASSWORD).get("/desk/clearing/payments?state=instructed")
    assert first in browser.links()
    browser.get(first).post(f"{first}/failed", problem="")
    assert (browser.status, 'id="problem-wrong"' in browser.html) == (422, True)
    browser.post(f"{first}/failed", problem="户名不符")
    assert "户名不符" in browser.text
    browser.post(f"{first}/again")
    again = browser.path
    assert (again != first, "第 2 次" in browser.text) == (True, True)
    browser.post(f"{again}/paid", outside_reference="国库-7")
    assert "国库-7" in browser.text
    with bank.unit_of_work() as session:
        states = {payment.state for payment in session.query(Payment).filter_by(township_code=XIWU)}
    assert "paid" in states
    assert "没有这样的付款" in browser.get("/desk/clearing/payments?state=withdrawn").text


def test_what_townships_owe_one_another_is_a_table(browser: Browser, scene: Scene) -> None:
    browser.sign_in_staff("auditor", PASSWORD).get("/desk/clearing/matrix")
    assert "西坞街道 尚田街道" in browser.text
    assert "西坞街道 尚田街道" in browser.get(f"/desk/clearing/matrix?window={scene.settled_window}").text
