"""A diner's file at the desk: special categories registered, ended and withdrawn, and who is of one household."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.api.scene import PASSWORD, Scene
from tests.web.browser import Browser
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.models import Person


@pytest.fixture
def steward(browser: Browser, scene: Scene) -> Browser:
    assert scene.diners
    return browser.sign_in_staff("steward_xiwu", PASSWORD)


@pytest.fixture
def file(scene: Scene) -> str:
    return f"/desk/diners/{scene.diners['approved']}"


@pytest.fixture
def household_of(bank: Database, scene: Scene) -> dict[str, str]:
    """The waiting diner's number, by which one is named in a form."""
    with bank.session() as session:
        return {"with_id_number": session.get_one(Person, scene.diners["waiting"]).id_number}


def categories(bank: Database) -> int:
    with bank.session() as session:
        return int(session.scalar(select(func.count()).select_from(DinerCategory)) or 0)


def test_a_category_is_registered_once_and_shown_with_its_evidence(steward: Browser, file: str, bank: Database) -> None:
    page, before = f"{file}/categories/new", categories(bank)
    assert page in steward.get(file).links()
    form = {"category": "disabled", "valid_from": str(clock.today()), "valid_until": ""}
    steward.get(page).post(page, evidence="", **form)
    assert (steward.status, 'id="evidence-wrong"' in steward.html, categories(bank)) == (422, True, before)
    for _ in range(2):
        steward.post(page, form_key="one form", evidence="残疾证31号", **form)
        assert (steward.path, "特殊类别已登记" in steward.text) == (file, True)
    assert ("残疾证31号" in steward.text, categories(bank)) == (True, before + 1)
    steward.get(page).post(page, evidence="残疾证31号", **form)
    assert (steward.status, "这段时间已经登记过" in steward.text, categories(bank)) == (422, True, before + 1)


def test_a_category_is_ended_on_a_day_and_not_before_it_began(steward: Browser, file: str, scene: Scene) -> None:
    page = f"{file}/categories/{scene.diner_category_id}/end"
    assert page in steward.get(file).links()
    steward.get(page).post(page, last_day="2025-12-31", reason="不再是低保")
    assert (steward.status, 'id="last_day-wrong"' in steward.html) == (422, True)
    for _ in range(2):
        steward.post(page, form_key="one form", last_day=str(clock.today() - timedelta(days=1)), reason="不再是低保")
        assert (steward.path, "特殊类别已终止" in steward.text) == (file, True)
    assert ("今天不适用" in steward.text, "终止：不再是低保" in steward.text, page in steward.links()) == (
        True,
        True,
        False,
    )


def test_a_category_entered_in_error_is_withdrawn_for_good(steward: Browser, file: str, scene: Scene) -> None:
    page = f"{file}/categories/{scene.diner_category_id}/withdraw"
    steward.get(page).post(page, reason="")
    assert (steward.status, 'id="reason-wrong"' in steward.html) == (422, True)
    steward.post(page, reason="写错了人")
    assert (steward.path, "登记有误，已撤销" in steward.text, "写错了人" in steward.text) == (file, True, True)
    assert page not in steward.links()
    assert "已撤销" in steward.get(page).text
    steward.post(page, reason="再撤一次", form_key="another form")
    assert (steward.status, 'role="alert"' in steward.html) == (422, True)


def test_two_are_put_into_one_household_and_part_again(
    steward: Browser, file: str, scene: Scene, bank: Database, household_of: dict[str, str]
) -> None:
    assert "自己算一户" in steward.get(file).text
    page = f"{file}/household/join"
    steward.get(page).post(page, with_id_number="330224", evidence="户口簿")
    assert (steward.status, 'id="with_id_number-wrong"' in steward.html) == (422, True)
    steward.post(page, evidence="", **household_of)
    assert (steward.status, 'id="evidence-wrong"' in steward.html) == (422, True)
    for _ in range(2):
        steward.post(page, form_key="one form", evidence="户口簿", **household_of)
        assert (steward.path, "已与王阿宝登记为同一户" in steward.text) == (file, True)
    with bank.session() as session:
        both = [session.get_one(Diner, scene.diners[who]).household_id for who in ("approved", "waiting")]
    assert both[0] == both[1]
    assert f"/desk/diners/{scene.diners['waiting']}" in steward.links()
    steward.get(page).post(page, evidence="户口簿", **household_of)
    assert (steward.status, "已登记为同一户" in steward.text) == (422, True)
    leave = f"{file}/household/leave"
    steward.get(leave).post(leave, evidence="分户了")
    assert (steward.path, "没有登记同户的人" in steward.text) == (file, True)


def test_nobody_is_put_into_the_own_household(steward: Browser, scene: Scene, household_of: dict[str, str]) -> None:
    page = f"/desk/diners/{scene.diners['waiting']}/household/join"
    steward.get(page).post(page, evidence="户口簿", **household_of)
    assert (steward.status, "不能与本人并为一户" in steward.text) == (422, True)
    assert 'id="with_id_number-wrong"' in steward.html


def test_auditors_read_the_file_and_write_nothing_and_other_townships_see_none_of_it(
    browser: Browser, file: str, scene: Scene, bank: Database
) -> None:
    page, before = f"{file}/categories/new", categories(bank)
    browser.sign_in_staff("auditor", PASSWORD).get(file)
    assert ("特殊类别" in browser.text, any("/categories/" in link for link in browser.links())) == (True, False)
    browser.get(page).post(page, category="disabled", valid_from=str(clock.today()), evidence="残疾证")
    assert (browser.status, categories(bank)) == (422, before)
    browser.sign_in_staff("steward_shangtian", PASSWORD)
    assert browser.get(file).status == 404 or browser.status == 403
    assert browser.sign_in("elder").get(page).path == "/staff/sign-in"
    assert scene.diners
