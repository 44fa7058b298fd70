"""Any transfer to its cause and back, and undoing one by two after a second look."""

from __future__ import annotations

from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.web.browser import Browser
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.models import ReversalRequest, Transfer


def _given(browser: Browser, scene: Scene) -> str:
    """Money given to a canteen of 西坞 by a form that is sent twice; the page of its transfer."""
    form = {
        "yuan": "500",
        "canteen_id": str(scene.canteens["open"]),
        "received_on": f"{clock.today()}",
        "reference": "回单8",
    }
    browser.sign_in_staff("district", PASSWORD).get("/desk/gifts/money/receive")
    browser.post("/desk/gifts/money/receive", **form)
    assert ("登记这笔捐款？" in browser.text, "500.00元" in browser.text) == (True, True)
    for _ in range(2):
        browser.post("/desk/gifts/money/receive", form_key="one form, sent twice", sure="yes", **form)
    return next(link for link in browser.links() if link.startswith("/desk/ledger/transfers/"))


def test_a_transfer_leads_to_its_cause_and_the_cause_back_to_it(browser: Browser, scene: Scene) -> None:
    page = f"/desk/ledger/transfers/{scene.transfer_id}"
    task = f"/desk/services/{scene.tasks['confirmed']}"
    browser.sign_in_staff("auditor", PASSWORD).get(page)
    assert task in browser.links()
    assert "西坞街道" in browser.text
    assert "尚田街道" in browser.text
    assert ("林志远" in browser.text, "林**" in browser.text) == (False, True)
    assert f"{page}/reverse" not in browser.links()
    all_of_it = f"/desk/ledger/of/{scene.tasks['confirmed']}"
    assert all_of_it in browser.get(task).links()
    assert page in browser.get(all_of_it).links()
    volunteer = f"/desk/people/{scene.person_id('volunteer')}"
    assert volunteer in browser.get(page).links()
    assert page in browser.get(volunteer).links()


def test_whoever_looks_at_a_transfer_is_written_down(browser: Browser, scene: Scene, bank: Database) -> None:
    browser.sign_in_staff("auditor", PASSWORD).get(f"/desk/ledger/transfers/{scene.transfer_id}")
    looked = select(func.count()).where(
        AuditEntry.action == "transfer_looked_at", AuditEntry.subject_id == str(scene.transfer_id)
    )
    with bank.unit_of_work() as session:
        assert session.scalar(looked) == 1


def test_a_township_is_shown_no_transfer_in_which_it_has_no_part(browser: Browser, scene: Scene) -> None:
    page = _given(browser, scene)
    assert browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).status == 200
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(page)
    assert (browser.status, "与本镇街有关" in browser.text) == (403, True)
    assert browser.get("/desk/ledger/transfers/00000000-0000-7000-8000-000000000000").status == 404


def test_money_goes_back_once_two_have_looked_at_what_would_be_written(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = _given(browser, scene)
    with bank.unit_of_work() as session:
        before = session.scalar(select(func.count()).select_from(Transfer))
    browser.get(f"{page}/reverse")
    assert "冲正会记这些账" in browser.text
    browser.post(f"{page}/reverse", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(f"{page}/reverse", form_key="another form, sent twice", reason="记重了")
        assert (browser.path, "申请冲正：记重了" in browser.text) == (page, True)
    assert "等另一位管理员批准" in browser.text
    browser.get(f"{page}/reverse")
    assert "须由另一位管理员批准" in browser.text
    browser.post(f"{page}/reverse", reason="记重了")
    assert (browser.status, "须由另一位管理员批准" in browser.text) == (422, True)
    browser.sign_in_staff("district_2", PASSWORD).get(page)
    assert f"{page}/reverse" in browser.links()
    browser.get(f"{page}/reverse").post(f"{page}/reverse", reason="记重了")
    assert (browser.path, "已冲正" in browser.text) == (page, True)
    undone = [link for link in browser.links() if link.startswith("/desk/ledger/transfers/") and link != page]
    assert page in browser.get(undone[0]).links()
    assert "这一笔冲正了" in browser.text
    with bank.unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Transfer)) == (before or 0) + 1


def test_what_cannot_be_undone_by_hand_says_why_and_offers_no_form(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    with bank.unit_of_work() as session:
        bought = session.scalars(select(Transfer.id).where(Transfer.kind == "voucher_purchase")).first()
    page = f"/desk/ledger/transfers/{bought}"
    browser.sign_in_staff("district", PASSWORD).get(page)
    assert ("请用退券等办法" in browser.text, f"{page}/reverse" in browser.links()) == (True, False)
    browser.get(f"{page}/reverse").post(f"{page}/reverse", reason="试试")
    assert (browser.status, "不能这样冲正" in browser.text) == (422, True)
    with bank.unit_of_work() as session:
        assert session.scalars(select(ReversalRequest)).all() == []


def test_a_meal_is_undone_whole_by_two(browser: Browser, scene: Scene, bank: Database) -> None:
    assert scene.orders
    eaten = select(Transfer.cause_id).where(Transfer.kind == "meal_government")
    with bank.unit_of_work() as session:
        page = f"/desk/orders/{session.scalars(eaten).one()}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page)
    assert any(link.startswith("/desk/ledger/transfers/") for link in browser.links())
    browser.get(f"{page}/correct").post(f"{page}/correct", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{page}/correct", reason="扫错了人")
    assert (browser.path, "等另一位管理员" in browser.text) == (page, True)
    browser.get(f"{page}/correct").post(f"{page}/correct", reason="扫错了人")
    assert browser.status == 422
    browser.sign_in_staff("district", PASSWORD).get(f"{page}/correct").post(f"{page}/correct", reason="扫错了人")
    assert (browser.path, "这一餐已冲正" in browser.text, "已冲正）" in browser.text) == (page, True, True)


def test_an_order_without_any_movement_says_so(browser: Browser, scene: Scene) -> None:
    page = f"/desk/orders/{scene.orders['placed']}"
    browser.sign_in_staff("district", PASSWORD).get(page)
    assert ("还没有动过账" in browser.text, f"{page}/correct" in browser.links()) == (True, False)
    assert "没有可冲正的" in browser.get(f"{page}/correct").text
