"""The desk's one-thing pages: canteens from application to closing, gifts, limits, keys, calls, policy sets."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.factories.people import XIWU
from tests.web.browser import Browser
from tests.web.test_desk_pages import local
from timebank.canteens.network.models import Canteen, CanteenHours
from timebank.canteens.purses.models import TillHandIn
from timebank.canteens.subsidies.models import MealDonation, ProduceGift
from timebank.clearing.models import LimitOverride
from timebank.core import clock
from timebank.core.db import Database
from timebank.policies.models import PolicyChange
from timebank.townships.models import Organisation

ROOMS = (
    *("/desk/clearing/limits", "/desk/clearing/limits/guarantee", "/desk/losses", "/desk/losses/keys", "/desk/gifts"),
    *("/desk/gifts/produce", "/desk/gifts/pool", "/desk/follow-ups", "/desk/canteens/punctuality"),
    *("/desk/canteens/shares", "/desk/policies/volunteer_min_age/history"),
)


def _count(bank: Database, model: type) -> int:
    with bank.unit_of_work() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("who", ["district", "steward_xiwu", "auditor"])
def test_every_room_opens_for_all_who_work_at_the_desk(browser: Browser, scene: Scene, who: str) -> None:
    assert scene.people
    browser.sign_in_staff(who, PASSWORD)
    for path in ROOMS:
        opened = browser.get(path)
        assert (opened.status, opened.path, len(opened.html.encode()) < 60_000) == (200, path, True)


def test_these_rooms_are_nobody_elses(browser: Browser, scene: Scene) -> None:
    assert scene.people
    assert browser.get("/desk/gifts").path == "/staff/sign-in"
    assert browser.sign_in("volunteer").get("/desk/gifts").path == "/staff/sign-in"
    assert browser.sign_in_staff("clerk", PASSWORD).get("/desk/clearing/limits").path == "/staff/sign-in"


def test_empty_rooms_say_so(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD)
    assert "没有放行过" in browser.get("/desk/clearing/limits").text
    assert "没有动用过保障金" in browser.get("/desk/clearing/limits/guarantee").text
    assert "没有这样的损失" in browser.get("/desk/losses?paid=true").text
    assert "这个月没有送过餐" in browser.get("/desk/canteens/punctuality?month=2026-01").text


def test_a_canteen_goes_from_application_to_closing(browser: Browser, scene: Scene, bank: Database) -> None:
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/canteens/apply")
    form = {"name": "山下地村老年食堂", "canteen_type": "village", "address": "山下地村8号", "carrier": "nobody"}
    before = _count(bank, Canteen)
    browser.post("/desk/canteens/apply", township_code=XIWU, phone="", **form)
    assert (browser.status, 'id="phone-wrong"' in browser.html, _count(bank, Canteen)) == (422, True, before)
    for _ in range(2):
        browser.post(
            "/desk/canteens/apply", form_key="one form", township_code=XIWU, phone="0574-88559120", latitude="29.7",
            longitude="121.5", **form,
        )  # fmt: skip
        assert browser.path.startswith("/desk/canteens/")
    assert _count(bank, Canteen) == before + 1
    canteen = browser.path
    browser.get(f"{canteen}/change").post(f"{canteen}/change", latitude="北纬", **{**form, "phone": "0574-88559121"})
    assert (browser.status, 'id="latitude-wrong"' in browser.html) == (422, True)
    place = {"latitude": "29.71", "longitude": "121.5"}
    browser.post(f"{canteen}/change", address="山下地村9号", phone="0574-88559121", carrier="volunteers", **place)
    assert (browser.path, "山下地村9号" in browser.text, "志愿者送餐" in browser.text) == (canteen, True, True)
    _accepted(browser, canteen)
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(canteen).post(f"{canteen}/open")
    assert (browser.status, "请先填写供餐时间" in browser.text) == (422, True)
    lunch = {"lunch-0-days": ["1"], "lunch-0-opens": "10:30", "lunch-0-closes": "12:30", "lunch-0-capacity": "9"}
    browser.post(f"{canteen}/hours", **{"lunch-lines": 1, **lunch})
    browser.post(f"{canteen}/open")
    assert "营业" in browser.text
    browser.get(f"{canteen}/close").post(f"{canteen}/close", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{canteen}/close", reason="村民并入中心食堂")
    assert ("真的永久关闭" in browser.text, "村民并入中心食堂" in browser.text) == (True, True)
    assert "营业" in browser.get(canteen).text
    browser.post(f"{canteen}/close", reason="村民并入中心食堂", sure="yes")
    assert (browser.path, "已关闭" in browser.text, f"{canteen}/hours" in browser.links()) == (canteen, True, False)


def _accepted(browser: Browser, canteen: str) -> None:
    browser.sign_in_staff("district", PASSWORD).get(canteen)
    points = browser.html.split('name="found" value="')[1:]
    found = [one.split('"')[0] for one in points]
    browser.post(f"{canteen}/accept", found=found, inspected_on=f"{clock.today()}", inspector_name="应国强")
    assert "已赋码" in browser.text


def test_a_week_is_set_in_lines_of_days_that_are_alike(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/canteens/{scene.canteens['open']}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(f"{page}/hours")
    line = {"lunch-lines": 2, "breakfast-lines": 0, "supper-lines": 0, "lunch-0-days": ["1", "2", "3", "4", "5"]}
    browser.post(f"{page}/hours", **line, **{"lunch-0-opens": "10:30", "lunch-0-closes": ""})
    assert (browser.status, 'id="lunch-0-closes-wrong"' in browser.html, 'value="10:30"' in browser.html) == (
        422,
        True,
        True,
    )
    times = {"lunch-0-opens": "10:30", "lunch-0-closes": "12:30", "lunch-0-capacity": "60"}
    weekend = {"lunch-1-days": ["6"], "lunch-1-opens": "11:00", "lunch-1-closes": "12:00", "lunch-1-capacity": "30"}
    browser.post(f"{page}/hours", **line, **times, **weekend)
    assert (browser.path, "供餐时间已更新" in browser.text) == (page, True)
    hours = select(CanteenHours.weekday, CanteenHours.capacity_meals).where(
        CanteenHours.canteen_id == scene.canteens["open"], CanteenHours.meal == "lunch"
    )
    with bank.unit_of_work() as session:
        assert dict(session.execute(hours).all()) == {**dict.fromkeys(range(1, 6), 60), 6: 30}
    browser.get(f"{page}/hours")
    assert browser.html.count('value="60"') == 1


def test_closed_days_are_entered_and_taken_back(browser: Browser, scene: Scene) -> None:
    page = f"/desk/canteens/{scene.canteens['open']}/closed-days"
    day = f"{clock.today() + timedelta(days=20)}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(page, first_on=day, last_on=day, reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(page, first_on=day, last_on=day, meal="lunch", reason="修灶台")
    assert (browser.path, "午餐：修灶台" in browser.text) == (page, True)
    browser.post(f"{page}/remove", closed_on=day, meal="lunch")
    assert ("修灶台" in browser.text, "停餐日已撤销" in browser.text) == (False, True)
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(page)
    assert "登记停餐" not in browser.text
    browser.post(page, first_on=day, last_on=day, reason="试试")
    assert (browser.status, "只能办理本镇街" in browser.text) == (422, True)


def test_gifts_are_asked_about_once_more_and_entered_once(browser: Browser, scene: Scene, bank: Database) -> None:
    receive, allot = "/desk/gifts/money/receive", "/desk/gifts/money/allot"
    before = _count(bank, MealDonation)
    form = {"donor_name": "宁波一机厂", "received_on": f"{clock.today()}", "reference": "回单12"}
    browser.sign_in_staff("district", PASSWORD).get(receive).post(receive, yuan="很多", **form)
    assert (browser.status, 'id="yuan-wrong"' in browser.html, 'value="宁波一机厂"' in browser.html) == (
        422,
        True,
        True,
    )
    browser.post(receive, yuan="2000", **form)
    assert ("2,000.00元" in browser.text, _count(bank, MealDonation)) == (True, before)
    for _ in range(2):
        browser.post(receive, form_key="one form", yuan="2000", sure="yes", **form)
        assert (browser.status, "宁波一机厂捐 2,000.00元" in browser.text) == (200, True)
    assert _count(bank, MealDonation) == before + 1
    assert "宁波一机厂" in browser.get("/desk/gifts").text
    canteen = str(scene.canteens["open"])
    browser.get(allot).post(allot, yuan="999999", canteen_id=canteen, sure="yes")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    browser.post(allot, yuan="300", canteen_id=canteen, sure="yes")
    assert (browser.path.startswith("/desk/ledger/transfers/"), "300.00元" in browser.text) == (True, True)
    assert f"/desk/canteens/{canteen}" in browser.links()
    browser.sign_in_staff("auditor", PASSWORD).get("/desk/gifts")
    assert receive not in browser.links()
    browser.post(receive, yuan="10", sure="yes", **form)
    assert (browser.status, _count(bank, MealDonation)) == (422, before + 1)


def test_produce_is_weighed_in_kilograms_and_valued_by_policy(browser: Browser, scene: Scene, bank: Database) -> None:
    page = "/desk/gifts/produce/receive"
    form = {"canteen_id": str(scene.canteens["open"]), "item": "青菜", "received_on": f"{clock.today()}"}
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(page, kilograms="两斤", **form)
    assert (browser.status, 'id="kilograms-wrong"' in browser.html) == (422, True)
    before = _count(bank, ProduceGift)
    for _ in range(2):
        browser.post(page, form_key="one form", kilograms="2.5", **form)
        assert (browser.path, "青菜" in browser.text, "2.5 公斤" in browser.text) == ("/desk/gifts/produce", True, True)
    assert _count(bank, ProduceGift) == before + 1


def test_a_limit_is_lifted_by_the_district_until_a_day_and_for_a_reason(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = "/desk/clearing/limits/grant"
    until = clock.now().astimezone(clock.LOCAL) + timedelta(days=30)
    form = {"township_code": XIWU, "hours": "200", "valid_until": local(until), "reason": "春节前集中兑换"}
    browser.sign_in_staff("district", PASSWORD).get(page).post(page, **{**form, "hours": "0"})
    assert (browser.status, 'id="hours-wrong"' in browser.html) == (422, True)
    browser.post(page, **{**form, "reason": ""})
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(page, **form)
    assert ("200小时" in browser.text, _count(bank, LimitOverride)) == (True, 0)
    for _ in range(2):
        browser.post(page, form_key="one form", sure="yes", **form)
        assert (browser.path, "春节前集中兑换" in browser.text) == ("/desk/clearing/limits", True)
    assert _count(bank, LimitOverride) == 1
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/clearing/limits")
    assert ("春节前集中兑换" in browser.text, page in browser.links()) == (True, False)
    browser.post(page, sure="yes", **form)
    assert (browser.status, _count(bank, LimitOverride)) == (422, 1)


def test_what_the_fund_paid_is_noted_and_a_key_is_revoked_after_a_question(browser: Browser, scene: Scene) -> None:
    loss = f"/desk/losses/{scene.loss_id}"
    browser.sign_in_staff("district", PASSWORD).get("/desk/losses?paid=false")
    assert loss in browser.links()
    browser.get(loss).post(f"{loss}/pay", outside_reference="")
    assert (browser.status, 'id="outside_reference-wrong"' in browser.html) == (422, True)
    browser.post(f"{loss}/pay", outside_reference="国库-9")
    assert (browser.path, "国库-9" in browser.text) == (loss, True)
    browser.post(f"{loss}/pay", outside_reference="国库-10")
    assert browser.status == 422
    revoke = "/desk/losses/keys/1/revoke"
    browser.get(revoke).post(revoke, reason="私钥外泄")
    assert "停用这个密钥？" in browser.text
    browser.post(revoke, reason="私钥外泄", sure="yes")
    assert (browser.path, "私钥外泄" in browser.text) == ("/desk/losses/keys", True)
    browser.sign_in_staff("auditor", PASSWORD).get("/desk/losses/keys")
    assert revoke not in browser.links()


def test_a_diner_is_called_and_the_call_is_written_down(browser: Browser, scene: Scene) -> None:
    page = f"/desk/follow-ups/{scene.follow_up_id}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/follow-ups")
    assert page in browser.links()
    browser.get(page).post(page, words="没写打没打通")
    assert (browser.status, 'id="reached-wrong"' in browser.html) == (422, True)
    browser.post(page, reached="1", satisfied="2", words="菜凉了")
    assert browser.path == "/desk/follow-ups"
    assert "菜凉了" in browser.get(page).text
    browser.sign_in_staff("auditor", PASSWORD).get(page)
    assert ("登记这次电话" in browser.text, "<dt>电话</dt>" in browser.html) == (False, False)


def test_a_rating_is_answered_and_its_words_hidden_by_the_district(browser: Browser, scene: Scene) -> None:
    with_ratings = f"/desk/canteens/{_rated_canteen(browser, scene)}/ratings"
    rating = f"{with_ratings}/{scene.rated_order_id}"
    browser.sign_in_staff("district", PASSWORD).get(with_ratings)
    assert rating in browser.links()
    browser.get(rating).post(f"{rating}/reply", words="")
    assert (browser.status, 'id="words-wrong"' in browser.html) == (422, True)
    browser.post(f"{rating}/reply", words="谢谢，明天改")
    assert (browser.path, "谢谢，明天改" in browser.text) == (with_ratings, True)
    browser.get(rating).post(f"{rating}/hide", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    browser.post(f"{rating}/hide", reason="骂人")
    assert ("隐藏这条评价的文字？" in browser.text, rating in browser.links()) == (True, True)
    browser.post(f"{rating}/hide", reason="骂人", sure="yes")
    assert (browser.path, "已隐藏骂人" in browser.text) == (with_ratings, True)
    # What was hidden once is not hidden again; the auditor reads it all and writes nothing.
    assert f"{rating}/hide" not in browser.get(rating).html
    browser.sign_in_staff("auditor", PASSWORD).get(rating)
    assert all(said in browser.text for said in ("粥是凉的", "谢谢，明天改", "骂人"))
    assert f"{rating}/" not in browser.html
    assert browser.get(f"/desk/canteens/{scene.canteens['open']}/ratings/{scene.rated_order_id}").status == 404
    # The diner's township reads what may be read by all, and comes to the meal; a third comes to neither.
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(with_ratings)
    assert (rating in browser.links(), browser.get(rating).status) == (False, 200)
    assert ("粥是凉的" in browser.text, f"/desk/orders/{scene.rated_order_id}" in browser.links()) == (False, True)
    assert f"{rating}/" not in browser.html
    assert browser.sign_in_staff("steward_shangtian", PASSWORD).get(rating).status == 404


def _rated_canteen(browser: Browser, scene: Scene) -> str:
    browser.sign_in_staff("district", PASSWORD).get(f"/desk/orders/{scene.rated_order_id}")
    canteen = next(link for link in browser.links() if link.startswith("/desk/canteens/"))
    return canteen.rpartition("/")[2]


def test_cash_is_handed_in_after_a_look_at_what_stays(browser: Browser, scene: Scene, bank: Database) -> None:
    till = f"/desk/canteens/{scene.canteens['clerks']}/till"
    browser.sign_in_staff("district", PASSWORD).get(till).post(till, yuan="十块", reference="收据1")
    assert (browser.status, 'id="yuan-wrong"' in browser.html) == (422, True)
    browser.post(till, yuan="99999", reference="收据1", sure="yes")
    assert (browser.status, _count(bank, TillHandIn)) == (422, 0)
    browser.post(till, yuan="1", reference="收据1")
    assert ("收下这笔缴款？" in browser.text, "钱箱里还应有" in browser.text) == (True, True)


def test_how_a_set_differs_is_seen_and_what_is_ticked_is_proposed(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    page = "/desk/policies/sets/beijing"
    browser.sign_in_staff("district", PASSWORD).get(page)
    key = browser.html.split('name="keys" value="')[1].split('"')[0]
    at = clock.now().astimezone(clock.LOCAL) + timedelta(days=40)
    form = {"effective_at": local(at), "reason": "学北京", "source": "会议纪要3号"}
    before = _count(bank, PolicyChange)
    browser.post(page, **form)
    assert (browser.status, 'id="keys-wrong"' in browser.html, _count(bank, PolicyChange)) == (422, True, before)
    for _ in range(2):
        browser.post(page, form_key="one form", keys=[key], **form)
        assert browser.path.startswith("/desk/policies/changes/")
    assert _count(bank, PolicyChange) == before + 1
    change = browser.path
    assert ("这是您提出的" in browser.text, f"{change}/approve" in browser.html) == (True, False)
    assert change in browser.get(f"/desk/policies/{key}/history").links()
    browser.sign_in_staff("district_2", PASSWORD).get(change)
    assert f"{change}/approve" in browser.html
    browser.sign_in_staff("auditor", PASSWORD).get(page)
    assert 'name="keys"' not in browser.html
    assert browser.get(f"{page}/trial?months=3").status == 200
    assert "只有区级管理员和审计" in browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).text
    assert scene.change_id


def test_a_month_is_settled_by_hand_where_the_system_has_not(browser: Browser, scene: Scene) -> None:
    page = "/desk/claims/compute"
    clerks = str(scene.canteens["clerks"])
    browser.sign_in_staff("district", PASSWORD).get(page).post(page, canteen_id=clerks, month="2999-01")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    assert scene.claims is not None
    before = f"/desk/claims/{scene.claims.claim_id}"
    form = {"canteen_id": str(scene.claims.canteen_id), "month": scene.claims.month}
    browser.get(before).post(f"{before}/return", reason="漏了一天")
    for _ in range(2):
        browser.post(page, form_key="one form", **form)
        assert (browser.path.startswith("/desk/claims/"), browser.path != before) == (True, True)
    assert "已结算，请先答复疑点" in browser.text


def test_no_canteen_of_another_township_is_changed(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/canteens/{scene.canteens['open']}"
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(page)
    assert f"{page}/change" not in browser.links()
    with bank.unit_of_work() as session:
        name = session.get_one(Organisation, scene.canteens["open"]).name
    browser.post(f"{page}/close", reason="试试", sure="yes")
    assert (browser.status, "只能办理本镇街" in browser.text, name in browser.get(page).text) == (422, True, True)
