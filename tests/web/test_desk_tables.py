"""The desk's tables: sorted by their headings, filtered in the address, page by page, and the same as a workbook."""

from __future__ import annotations

import base64
import re
from datetime import datetime
from html import unescape
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from sqlalchemy import select, update

from app.web import asking
from app.web.desk import tables
from tests.api.caller import Caller
from tests.api.scene import PASSWORD, Scene
from tests.doors import SignIn
from tests.factories.people import XIWU
from tests.web.browser import Browser
from timebank.audit import actions
from timebank.audit.models import AuditEntry
from timebank.canteens.ratings.models import MealRating
from timebank.core import clock
from timebank.core.chinese_order import pinyin_key
from timebank.core.db import Database
from timebank.people.models import Person

LISTS = {
    "/desk/services": "tasks.list",
    "/desk/canteens": "canteens.list",
    "/desk/diners": "diners.list",
    "/desk/claims": "subsidy_claims.list",
    "/desk/hardship": "hardship.list",
    "/desk/deaths": "deaths.list",
    "/desk/clearing": "clearing.windows",
    "/desk/clearing/disputes": "clearing.disputes",
    "/desk/clearing/payments": "clearing.payments",
    "/desk/policies/changes": "policies.changes",
    "/desk/gifts": "meal_donations.list",
    "/desk/aids": "aid_items.list",
    "/desk/aids/loans": "aid_loans.list",
    "/desk/care": "care_bookings.list",
    "/desk/losses": "offline.losses",
    "/desk/follow-ups": "follow_ups.list",
    "/desk/imports": "imports.list",
    "/desk/gifts/produce": "produce.list",
    "/desk/clearing/lists": "clearing.reconciliations",
    "/desk/clearing/breaks": "clearing.breaks",
    "/desk/clearing/limits": "clearing.overrides",
    "/desk/clearing/limits/guarantee": "clearing.guarantee_calls",
}
WHOLE = (
    *("/desk/clearing/positions", "/desk/clearing/matrix", "/desk/ledger"),
    *("/desk/canteens/punctuality", "/desk/canteens/shares"),
)


def exported(browser: Browser, address: str) -> Any:
    answer = browser._client.get(address)
    assert (answer.status_code, answer.mimetype) == (200, tables.XLSX), answer.text[:300]
    return load_workbook(BytesIO(answer.data))


def rows_of(sheet: Worksheet) -> list[dict[str, Any]]:
    headings, *rows = sheet.iter_rows(values_only=True)
    return [dict(zip(map(str, headings), row, strict=True)) for row in rows]


def first_column(browser: Browser) -> list[str]:
    _, _, table = browser.html.partition('<table class="table sorted">')
    return [re.sub(r"<[^>]*>", "", cell).strip() for cell in re.findall(r'<th scope="row">(.*?)</th>', table)]


def noted(bank: Database) -> list[AuditEntry]:
    with bank.unit_of_work() as session:
        query = select(AuditEntry).where(AuditEntry.action == "list_exported").order_by(AuditEntry.id)
        return list(session.scalars(query))


def sorts(browser: Browser) -> list[str]:
    return [unescape(one) for one in re.findall(r'<th scope="col"[^>]*><a href="([^"]*)"', browser.html)]


def everything(caller: Caller, operation_id: str, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    while True:
        page = caller.ok(operation_id, query={**query, "limit": 100})
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        query["cursor"] = page["next_cursor"]


def test_every_heading_sorts_and_says_so(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD)
    found = [(address, sort) for address in (*LISTS, *WHOLE) for sort in sorts(browser.get(address))]
    assert len({address for address, _ in found}) > len(WHOLE)
    for address, sort in found:
        assert browser.get(f"{address}{sort}").status == 200
        [how] = re.findall(r'aria-sort="(\w+)"', browser.html)
        assert how == ("descending" if "sort=-" in sort else "ascending")
        # The other way at the second click.
        turned = sort.replace("sort=-", "sort=") if "sort=-" in sort else sort.replace("sort=", "sort=-")
        assert turned in sorts(browser)
    for address in (*LISTS, *WHOLE):
        assert browser.get(f"{address}?sort=nothing").status == 422, address


def test_a_list_sorted_over_many_pages_is_the_list_that_is_sorted_on_one(
    browser: Browser, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.people
    browser.sign_in_staff("auditor", PASSWORD)
    longer_than_a_page = set()
    headings = [(one, sort) for one in LISTS for sort in sorts(browser.get(one))]
    for address, sort in headings:
        monkeypatch.setattr(tables, "PAGE_ROWS", 100)
        whole = first_column(browser.get(f"{address}{sort}"))
        monkeypatch.setattr(tables, "PAGE_ROWS", 1)
        paged, where = [], f"{address}{sort}"
        while where:
            paged += first_column(browser.get(where))
            further = [unescape(one) for one in re.findall(r'href="(\?[^"]*cursor=[^"]*)"', browser.html)]
            assert all(sort.removeprefix("?") in link for link in further)
            where = f"{address}{further[0]}" if further else ""
        assert paged == whole, (address, sort)
        longer_than_a_page |= {address} if len(whole) > 1 else set()
    assert len(longer_than_a_page) > 4


def test_a_cursor_is_good_for_its_own_order_only_and_tells_nobody_anything(scene: Scene, sign_in: SignIn) -> None:
    auditor = sign_in("auditor")
    names = sorted((item["name"] for item in everything(auditor, "diners.list")), key=pinyin_key)
    assert [item["name"] for item in everything(auditor, "diners.list", sort="name", limit=1)] == names
    assert [item["name"] for item in everything(auditor, "diners.list", sort="-name")] == names[::-1]
    cursor = auditor.ok("diners.list", query={"sort": "name", "limit": 1})["next_cursor"]
    assert names[0].encode() not in base64.urlsafe_b64decode(cursor)
    assert names[0].encode("gb18030").hex().encode() not in base64.urlsafe_b64decode(cursor)
    for other in ({"sort": "-name"}, {"sort": "age"}, {}):
        refused = auditor.refused("diners.list", query={**other, "cursor": cursor})
        assert (refused["code"], list(refused["errors"])) == ("invalid_input", ["cursor"])
    # Neither is it one of another list, though both are sorted by a column of this name.
    refused = auditor.refused("canteens.list", query={"sort": "name", "cursor": cursor})
    assert (refused["code"], list(refused["errors"])) == ("invalid_input", ["cursor"])
    assert auditor.refused("diners.list", query={"sort": "phone"})["code"] == "invalid_input"


def test_a_workbook_is_the_whole_list_as_it_is_filtered_and_sorted(
    browser: Browser, scene: Scene, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.people
    monkeypatch.setattr(asking, "_BITE", 2)
    browser.sign_in_staff("auditor", PASSWORD)
    auditor = sign_in("auditor")
    for address, operation_id in LISTS.items():
        book = exported(browser, f"{address}.xlsx")
        found = everything(auditor, operation_id)
        assert book.sheetnames[1] == "说明"
        assert book.worksheets[0].freeze_panes == "B2"
        assert len(rows_of(book.worksheets[0])) == len(found), address
        about = dict(book["说明"].iter_rows(values_only=True, max_col=2))
        assert (about["行数"], about["导出人"]) == (str(len(found)), "auditor")


def test_amounts_are_numbers_and_times_are_dates(browser: Browser, scene: Scene, sign_in: SignIn) -> None:
    assert scene.people
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    filters = {"status": "confirmed", "sort": "-minutes"}
    rows = rows_of(exported(browser, "/desk/services.xlsx?status=confirmed&sort=-minutes").worksheets[0])
    tasks = everything(sign_in("steward_xiwu"), "tasks.list", **filters)
    assert [row["状态"].removesuffix("（补录）") for row in rows] == ["已确认"] * len(tasks)
    assert [row["时长（小时）"] * 60 for row in rows] == pytest.approx([task["minutes"] for task in tasks])
    assert sum(row["入账时长（小时）"] for row in rows) * 60 == pytest.approx(sum(t["payable_minutes"] for t in tasks))
    began = [datetime.fromisoformat(task["starts_at"]).replace(tzinfo=None, microsecond=0) for task in tasks]
    assert [row["开始"] for row in rows] == began
    claims = rows_of(exported(browser, "/desk/claims.xlsx").worksheets[0])
    fen = sum(claim["government_fen"] for claim in everything(sign_in("steward_xiwu"), "subsidy_claims.list"))
    assert round(sum(claim["政府补（元）"] for claim in claims) * 100) == fen


def test_a_name_that_looks_like_a_formula_stays_a_name(browser: Browser, scene: Scene, bank: Database) -> None:
    name = '=HYPERLINK("http://x","周")'
    with bank.unit_of_work() as session:
        session.execute(update(Person).where(Person.id == scene.person_id("elder")).values(name=name))
    browser.sign_in_staff("district", PASSWORD)
    sheet = exported(browser, "/desk/services.xlsx").worksheets[0]
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value == name]
    assert cells
    assert {cell.data_type for cell in cells} == {"s"}


def test_who_takes_a_list_out_is_written_down_and_nobody_s_name_with_it(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    assert scene.people
    browser.sign_in_staff("auditor", PASSWORD)
    assert noted(bank) == []
    browser.get("/desk/services?status=confirmed")
    assert noted(bank) == []
    rows = rows_of(exported(browser, f"/desk/services.xlsx?status=confirmed&township_code={XIWU}").worksheets[0])
    [entry] = noted(bank)
    assert (entry.actor_name, entry.subject_kind, entry.subject_id) == ("auditor", "list", "services")
    assert entry.facts == {"rows": len(rows), "filters": f"status=confirmed&township_code={XIWU}&sort=-made"}


def test_a_township_takes_out_its_own_rows_and_others_nothing(browser: Browser, scene: Scene, bank: Database) -> None:
    assert scene.people
    browser.sign_in_staff("steward_xiwu", PASSWORD)
    rows = rows_of(exported(browser, "/desk/services.xlsx").worksheets[0])
    assert {row["镇街"] for row in rows} == {"西坞街道"}
    assert "镇街" not in [label for label, _ in _filters(browser.get("/desk/services"))]
    assert browser.sign_in_staff("clerk", PASSWORD).get("/desk/services.xlsx").path == "/staff/sign-in"
    assert len(noted(bank)) == 1


def test_an_empty_list_is_an_empty_workbook(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD)
    book = exported(browser, "/desk/services.xlsx?since=2031-01-01")
    assert rows_of(book.worksheets[0]) == []
    assert browser.get("/desk/services?since=2031-01-01").text.count("没有这样的服务") == 1


def test_more_than_a_file_holds_is_refused_in_words(
    browser: Browser, scene: Scene, bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scene.people
    monkeypatch.setattr(actions, "MOST_EXPORTED", 1)
    browser.sign_in_staff("district", PASSWORD)
    answer = browser.get("/desk/services.xlsx")
    assert (answer.status, "导出的行数超过上限，请先筛选" in answer.text) == (422, True)
    assert noted(bank) == []


def test_filters_stay_while_one_sorts_and_the_file_says_them(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD).get(f"/desk/services?township_code={XIWU}&sort=-minutes")
    assert all(f"township_code={XIWU}" in link for link in sorts(browser))
    assert '<input type="hidden" name="sort" value="-minutes">' in browser.html
    [address] = [unescape(one) for one in re.findall(r'href="([^"]*\.xlsx[^"]*)"', browser.html)]
    answer = browser._client.get(address)
    assert "服务" in unquote(answer.headers["Content-Disposition"])
    about = dict(load_workbook(BytesIO(answer.data))["说明"].iter_rows(values_only=True, max_col=2))
    assert about["镇街"] == "西坞街道"
    assert about["排列"].startswith("时长，从后往前")


def test_lists_that_are_had_whole_are_sorted_and_taken_out_as_well(browser: Browser, scene: Scene) -> None:
    assert scene.people
    browser.sign_in_staff("district", PASSWORD)
    for address in WHOLE:
        shown = first_column(browser.get(address))
        rows = rows_of(exported(browser, f"{address}.xlsx").worksheets[0])
        assert [next(iter(row.values())) for row in rows] == shown
    by_debit = rows_of(exported(browser, "/desk/ledger.xlsx?sort=-debit").worksheets[0])
    debits = [row["借方（小时）"] for row in by_debit]
    assert debits == sorted(debits, reverse=True)
    in_yuan = rows_of(exported(browser, "/desk/ledger.xlsx?unit=fen").worksheets[0])
    assert sum(row["借方（元）"] for row in in_yuan) == pytest.approx(sum(row["贷方（元）"] for row in in_yuan))


def test_the_findings_of_a_claim_are_sorted_within_its_page(browser: Browser, scene: Scene) -> None:
    assert scene.claims is not None
    claim = f"/desk/claims/{scene.claims.claim_id}"
    browser.sign_in_staff("auditor", PASSWORD).get(claim)
    links = sorts(browser)
    assert links
    assert all(link.startswith(f"{claim}?") for link in links)
    for link in links:
        assert browser.get(link).status == 200
    assert exported(browser, f"{claim}.xlsx").sheetnames[0] == "补贴结算疑点"


def test_a_list_of_one_month_says_of_which_also_where_nobody_chose_one(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    assert scene.people
    month = f"{clock.today():%Y-%m}"
    for address in ("/desk/canteens/punctuality", "/desk/canteens/shares"):
        browser.sign_in_staff("auditor", PASSWORD).get(address)
        assert f'name="month" type="month" value="{month}"' in browser.html
        assert all(f"month={month}&" in link for link in sorts(browser))
        about = dict(exported(browser, f"{address}.xlsx")["说明"].iter_rows(values_only=True, max_col=2))
        assert about["月份"] == month
        assert noted(bank)[-1].facts["filters"].startswith(f"month={month}&")
        # A month without anything is no filter to be taken off.
        assert "看全部" not in browser.get(f"{address}?month=2020-01").text


def test_the_ratings_of_one_canteen_are_sorted_and_taken_out_by_its_page(
    browser: Browser, scene: Scene, bank: Database
) -> None:
    with bank.session() as session:
        canteen_id = session.scalars(
            select(MealRating.canteen_id).where(MealRating.order_id == scene.rated_order_id).distinct()
        ).one()
    address = f"/desk/canteens/{canteen_id}/ratings"
    links = sorts(browser.sign_in_staff("district", PASSWORD).get(address))
    assert [f"{address}/{scene.rated_order_id}"] == [link for link in browser.links() if link.startswith(f"{address}/")]
    assert len(links) == len(("served_on", "stars", "rated_at"))
    assert all(browser.get(f"{address}{link}").status == 200 for link in links)
    [row] = rows_of(exported(browser, f"{address}.xlsx?sort=-stars").worksheets[0])
    assert (row["星"], row["老人"], row["评价"], row["标签"]) == (2, "周桂芬", "粥是凉的", "菜凉了")
    assert noted(bank)[-1].facts == {"rows": 1, "filters": f"canteen_id={canteen_id}&sort=-stars"}


def _filters(browser: Browser) -> list[tuple[str, str]]:
    found = re.findall(r'<label for="filter-(\w+)">([^<]*)</label>', browser.html)
    return [(label, name) for name, label in found]
