"""Aids handed over and brought back, visits sent to providers and ruled upon, assessments, at the desk."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from openpyxl import load_workbook

from tests.api.scene import PASSWORD, Scene
from tests.doors import SignIn
from tests.factories.people import XIWU
from tests.web.browser import Browser
from timebank.core import clock
from timebank.core.chinese_order import pinyin_key
from timebank.core.db import Database
from timebank.people.models import ElderFile
from timebank.redemption.aids.models import AidItem
from timebank.redemption.aids.rules import Condition, LoanStatus
from timebank.redemption.care.models import CareBooking
from timebank.redemption.care.rules import CareStatus

ROOMS = ("/desk/aids", "/desk/aids/loans", "/desk/care", "/desk/care/bills")


def by_name(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda item: pinyin_key(item[name]) if item[name] is not None else None


def plain(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda item: item[name]


SORTS: list[tuple[str, str, Callable[[dict[str, Any]], Any]]] = [
    ("aid_items.list", "entered", plain("item_id")),
    ("aid_items.list", "serial", by_name("serial")),
    ("aid_items.list", "kind", by_name("kind_name")),
    ("aid_items.list", "township", plain("at_township_code")),
    ("aid_items.list", "condition", lambda one: list(Condition).index(one["condition"])),
    ("aid_items.list", "available", lambda one: not one["available"]),
    ("aid_items.list", "due_back_on", plain("due_back_on")),
    ("aid_loans.list", "reserved_at", plain("loan_id")),
    ("aid_loans.list", "name", by_name("holder_name")),
    ("aid_loans.list", "kind", by_name("kind_name")),
    ("aid_loans.list", "serial", by_name("serial")),
    ("aid_loans.list", "status", lambda one: list(LoanStatus).index(one["status"])),
    ("aid_loans.list", "due_on", plain("due_on")),
    ("care_bookings.list", "booked_at", plain("booking_id")),
    ("care_bookings.list", "starts_at", plain("starts_at")),
    ("care_bookings.list", "name", by_name("elder_name")),
    ("care_bookings.list", "township", plain("township_code")),
    ("care_bookings.list", "service", by_name("service_name")),
    ("care_bookings.list", "minutes", plain("minutes")),
    ("care_bookings.list", "provider", by_name("provider_name")),
    ("care_bookings.list", "status", lambda one: list(CareStatus).index(one["status"])),
]
USUAL = {"aid_items.list": "entered", "aid_loans.list": "-reserved_at", "care_bookings.list": "-booked_at"}


@pytest.mark.parametrize("who", ["district", "steward_xiwu", "auditor"])
def test_the_rooms_open_for_all_who_work_at_the_desk(browser: Browser, scene: Scene, who: str) -> None:
    assert scene.people
    browser.sign_in_staff(who, PASSWORD)
    for path in ROOMS:
        assert (browser.get(path).status, browser.path) == (200, path)
    assert "没有这样的辅具" in browser.get("/desk/aids?serial=nowhere").text
    assert "没有这样的预约" in browser.get("/desk/care?status=lapsed").text
    assert browser.sign_in("elder").get("/desk/aids").path == "/staff/sign-in"


def test_an_aid_is_entered_once_sent_to_repair_mended_and_retired_after_a_question(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    assert scene.aid_items
    page = "/desk/aids/enter"
    form = {"kind": "wheelchair", "name": "折叠轮椅", "home_township_code": XIWU, "condition": "good"}
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(page, serial="", acquired_on="2026-01-05", **form)
    assert (browser.status, 'id="serial-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(page, form_key="one form", serial="XW-77", acquired_on="2026-01-05", **form)
        assert browser.path.startswith("/desk/aids/")
    with bank.unit_of_work() as session:
        assert session.query(AidItem).filter_by(serial="XW-77").count() == 1
    item = browser.path
    browser.post(f"{item}/to_repair", reason="轮子松了")
    assert (browser.path, "轮子松了" in browser.text, "维修中" in browser.text) == (item, True, True)
    browser.post(f"{item}/repaired", condition="worn", note="换了轮子")
    assert "磨损" in browser.text
    browser.get(item).post(f"{item}/retire", reason="太旧")
    assert "报废这件辅具？" in browser.text
    browser.post(f"{item}/retire", reason="太旧", sure="yes")
    assert (browser.path, f"{item}/retire" in browser.html) == (item, False)


def test_an_aid_is_handed_over_and_brought_back(browser: Browser, scene: Scene) -> None:
    loan = f"/desk/aids/loans/{scene.aid_loans['reserved']}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/aids/loans?status=reserved")
    assert loan in browser.links()
    browser.get(loan).post(f"{loan}/lend", condition="good", code="000000")
    assert (browser.status, 'role="alert"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(f"{loan}/lend", form_key="one form", condition="good", evidence="借用单3号")
        assert (browser.path, "借用中" in browser.text) == (loan, True)
    browser.get(loan).post(f"{loan}/return", condition="good")
    assert (browser.path, "已归还" in browser.text) == (loan, True)


def test_an_aid_that_is_lost_is_asked_about_once_more(browser: Browser, scene: Scene) -> None:
    loan = f"/desk/aids/loans/{scene.aid_loans['lent']}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(loan).post(f"{loan}/lost", reason="")
    assert browser.status == 422
    browser.post(f"{loan}/lost", reason="搬家时不见了")
    assert "登记遗失？" in browser.text
    browser.post(f"{loan}/lost", reason="搬家时不见了", sure="yes")
    assert (browser.path, "已遗失" in browser.text) == (loan, True)
    browser.sign_in_staff("auditor", PASSWORD).get(loan)
    assert (browser.status, f"{loan}/lost" in browser.html) == (200, False)


def test_a_visit_is_sent_to_a_provider_and_one_in_dispute_is_ruled_upon(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    booked = f"/desk/care/{scene.care_bookings['booked']}"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get("/desk/care?status=booked")
    assert booked in browser.links()
    browser.get(booked).post(f"{booked}/assign", provider_id=str(scene.care_provider_id))
    assert (browser.path, "已派给" in browser.text) == (booked, True)
    disputed = f"/desk/care/{scene.care_bookings['disputed']}"
    browser.get(disputed).post(f"{disputed}/decide", minutes="60", reason="")
    assert (browser.status, 'id="reason-wrong"' in browser.html) == (422, True)
    for _ in range(2):
        browser.post(f"{disputed}/decide", form_key="one form", minutes="60", reason="双方同意")
        assert (browser.path, "双方同意" in browser.text) == (disputed, True)
    with bank.unit_of_work() as session:
        ruled = session.get_one(CareBooking, scene.care_bookings["disputed"])
        assert (ruled.status, ruled.decided_minutes) == ("confirmed", 60)
    assert f"/desk/ledger/of/{scene.care_bookings['disputed']}" in browser.links()
    browser.sign_in_staff("steward_shangtian", PASSWORD).get(disputed)
    assert browser.status == 404


def test_a_provider_has_a_bill_to_read_and_to_take_along(browser: Browser, scene: Scene) -> None:
    month = f"{clock.today():%Y-%m}"
    asked = f"provider_id={scene.care_provider_id}&month={month}"
    browser.sign_in_staff("auditor", PASSWORD).get(f"/desk/care/bills?{asked}")
    assert (browser.status, f"{clock.today():%Y年%-m月}" in browser.text) == (200, True)
    assert load_workbook(BytesIO(browser._client.get(f"/desk/care/bills/workbook.xlsx?{asked}").data)).sheetnames


def test_what_an_assessment_found_is_entered(browser: Browser, scene: Scene, bank: Database) -> None:
    page = f"/desk/people/{scene.person_id('elder')}/assess"
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(page, level="3", evidence="")
    assert (browser.status, 'id="evidence-wrong"' in browser.html) == (422, True)
    browser.post(page, level="3", circumstances="独居，低保", evidence="评估表31号")
    assert (browser.path, "能力评估已登记" in browser.text) == (page.removesuffix("/assess"), True)
    with bank.unit_of_work() as session:
        file = session.get_one(ElderFile, scene.person_id("elder"))
        assert (file.assessment_level, file.circumstances) == (3, ["独居", "低保"])


def test_a_purse_is_not_paid_out_while_nobody_has_died(browser: Browser, scene: Scene) -> None:
    page = f"/desk/people/{scene.person_id('elder')}/estate"
    form = {"receiver_name": "周小敏", "evidence": "公证书8号"}
    browser.sign_in_staff("steward_xiwu", PASSWORD).get(page).post(page, receiver_name="", evidence="公证书8号")
    assert (browser.status, 'id="receiver_name-wrong"' in browser.html) == (422, True)
    browser.post(page, **form)
    assert "退给这位继承人？" in browser.text
    browser.post(page, sure="yes", **form)
    assert (browser.status, "没有已办结的身故上报" in browser.text) == (422, True)


def test_each_list_stands_by_what_its_rows_show_over_the_borders_of_pages(scene: Scene, sign_in: SignIn) -> None:
    assert scene.people
    asking = sign_in("district")

    def walked(operation_id: str, **query: Any) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            # All but one on the first page.
            page = asking.ok(operation_id, query={**query, "limit": len(usual[operation_id]) - 1, "count": "true"})
            items += page["items"]
            assert page["total"] == len(usual[operation_id])
            if page["next_cursor"] is None:
                return items
            query["cursor"] = page["next_cursor"]

    usual = {operation_id: asking.ok(operation_id)["items"] for operation_id in USUAL}
    for operation_id, sort in USUAL.items():
        assert len(usual[operation_id]) > 1, operation_id
        assert usual[operation_id] == walked(operation_id, sort=sort)
    for operation_id, sort, key in SORTS:
        there = usual[operation_id]
        # What is empty stands last either way.
        filled = sorted(value for one in there if (value := key(one)) is not None)
        empty = [None] * (len(there) - len(filled))
        assert [key(one) for one in walked(operation_id, sort=sort)] == [*filled, *empty], (operation_id, sort)
        turned = [key(one) for one in walked(operation_id, sort=f"-{sort}")]
        assert turned == [*filled[::-1], *empty], (operation_id, sort)


def test_a_borrower_and_an_elder_have_their_lists_newest_first_as_before(scene: Scene, sign_in: SignIn) -> None:
    assert scene.people
    elder = sign_in("elder")
    for operation_id, name in (("aid_loans.list", "loan_id"), ("care_bookings.list", "booking_id")):
        ids = [one[name] for one in elder.ok(operation_id)["items"]]
        assert ids == sorted(ids, reverse=True)
        assert elder.ok(operation_id)["total"] is None
