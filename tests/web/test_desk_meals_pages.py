"""The meal programme at the desk: applications, canteens, claims; help out of the pool; policies by two."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

from openpyxl import load_workbook

from tests.api.scene import PASSWORD, Scene
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.db import Database
from timebank.policies.models import PolicyChange


def test_an_application_to_eat_is_read_and_refused_with_a_reason(browser: Browser, scene: Scene) -> None:
    assert scene.diners
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/diners?state=applied")
    file = next(link for link in browser.links() if link.startswith("/desk/diners/"))
    browser.get(file).post(f"{file}/refuse", reason="")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    browser.post(f"{file}/refuse", reason="不住本镇街")
    assert "理由已记下" in browser.text
    assert "不住本镇街" in browser.get(file).text
    assert f"{file}/approve" not in browser.html
    assert "没有这样的用餐对象" in browser.get("/desk/diners?state=applied").text


def test_an_application_to_eat_is_approved(browser: Browser, scene: Scene) -> None:
    assert scene.diners
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/diners?state=applied")
    file = next(link for link in browser.links() if link.startswith("/desk/diners/"))
    browser.get(file).post(f"{file}/approve")
    assert "已通过" in browser.text
    assert "已通过" in browser.get(file).text


def test_a_claim_has_its_findings_answered_and_is_approved_by_two_and_paid(browser: Browser, scene: Scene) -> None:
    assert scene.claims is not None
    claim = f"/desk/claims/{scene.claims.claim_id}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/claims?state=computed")
    assert claim in browser.links()
    browser.get(claim)
    for finding in [link for link in browser.links() if link.startswith(f"{claim}/findings/")]:
        browser.get(finding).post(finding, decision="upheld", reason="")
        assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
        browser.post(finding, decision="upheld", reason="多补一元")
    assert "已核查" in browser.text
    browser.post(f"{claim}/approve")
    assert "镇街已审批" in browser.text
    browser.sign_in_staff("district", PASSWORD).get(claim).post(f"{claim}/approve")
    assert "区级已审批" in browser.text
    browser.post(f"{claim}/pay", reference="")
    assert (browser.status, 'id="reference-wrong"' in browser.html) == (422, True)
    browser.post(f"{claim}/pay", reference="拨款单7号")
    assert "拨款单7号" in browser.text
    book = load_workbook(BytesIO(browser._client.get(f"{claim}/workbook.xlsx").data))
    assert "疑点" in book.sheetnames


def test_a_claim_is_sent_back(browser: Browser, scene: Scene) -> None:
    assert scene.claims is not None
    claim = f"/desk/claims/{scene.claims.claim_id}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(claim).post(f"{claim}/return", reason="重新核对")
    assert "已退回" in browser.text


def test_a_canteen_is_suspended_opened_again_and_graded_by_two(browser: Browser, scene: Scene) -> None:
    canteen = f"/desk/canteens/{scene.canteens['open']}"
    browser.sign_in_staff("district", PASSWORD).get("/desk/canteens?state=open")
    assert canteen in browser.links()
    browser.get(canteen).post(f"{canteen}/suspend", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{canteen}/suspend", reason="检修")
    assert "检修" in browser.text
    browser.post(f"{canteen}/open")
    assert "已开业" in browser.text
    browser.post(f"{canteen}/grade", year=clock.today().year, grade="AA")
    assert (browser.status, "district提出，等第二人批准" in browser.text) == (200, True)
    browser.post(f"{canteen}/grade/approve", year=clock.today().year)
    assert browser.status == 422
    browser.sign_in_staff("district_2", PASSWORD).get(canteen)
    browser.post(f"{canteen}/grade/approve", year=clock.today().year)
    assert "运营补贴已记入" in browser.text


def test_a_canteen_is_inspected_point_by_point(browser: Browser, scene: Scene) -> None:
    assert scene.canteens
    browser.sign_in_staff("district", PASSWORD).get("/desk/canteens?state=applied")
    canteen = f"/desk/canteens/{scene.canteens['applied']}"
    assert canteen in browser.links()
    browser.get(canteen)
    found = {"inspected_on": f"{clock.today()}", "inspector_name": "应国强"}
    browser.post(f"{canteen}/accept", **found, remarks="")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    browser.post(f"{canteen}/accept", **found, remarks="灭火器过期")
    assert "验收未通过" in browser.text


def test_help_out_of_the_pool_needs_another_person(browser: Browser, scene: Scene) -> None:
    request = f"/desk/hardship/{scene.hardship_id}"
    browser.sign_in_staff("district", PASSWORD).get("/desk/hardship?status=waiting")
    assert request in browser.links()
    browser.get(request).post(f"{request}/decline", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{request}/decline", reason="已另有帮扶")
    assert "没有这样的申请" in browser.text
    form = f"/desk/people/{scene.person_id('elder')}/hardship"
    browser.get(form).post(form, minutes="", reason="独居", evidence="低保证3号")
    assert (browser.status, 'id="minutes-wrong"' in browser.html) == (422, True)


def test_a_policy_is_proposed_by_one_and_approved_by_another(browser: Browser, scene: Scene, bank: Database) -> None:
    assert scene.change_id
    form = "/desk/policies/voucher_valid_days/propose"
    browser.sign_in_staff("district", PASSWORD).get("/desk/policies")
    assert form in browser.links()
    soon = clock.now().astimezone(clock.LOCAL) + timedelta(days=30)
    wanted = {"effective_at": f"{soon:%Y-%m-%dT%H:%M}", "reason": "试点评估", "source": "会议纪要"}
    browser.get(form).post(form, value="many", **wanted)
    assert (browser.status, 'id="value-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(form, form_key="one form, sent twice", value=200, **wanted)
    change = browser.path
    assert ("180天" in browser.text, "200天" in browser.text) == (True, True)
    with bank.unit_of_work() as session:
        assert session.query(PolicyChange).filter_by(source="会议纪要").count() == 1
    browser.post(f"{change}/approve")
    assert browser.status == 422
    browser.sign_in_staff("district_2", PASSWORD).get(change).post(f"{change}/approve")
    assert "到生效时间自动执行" in browser.text
    assert browser.get("/desk/policies/nothing/propose").status == 422


def test_both_sides_of_the_books_are_equal(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("auditor", PASSWORD).get("/desk/ledger")
    assert "账是平的" in browser.text
    assert "账是平的" in browser.get("/desk/ledger?unit=fen").text
