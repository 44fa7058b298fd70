"""Vouchers on paper, given and looked up, through the doors: what is answered, and what nobody hears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.people import DAYAN
from tests.factories.policies import change_policy
from tests.factories.vouchers import make_relatives
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.models import Person


@pytest.mark.parametrize("paper", ["a4", "receipt"])
def test_a_sheet_is_a_page_that_may_run_and_load_nothing(scene: Scene, sign_in: SignIn, paper: str) -> None:
    body = {"for_person_id": str(scene.person_id("volunteer")), "format": paper}
    answer = sign_in("steward_shangtian").raw("vouchers.sheet", body)
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<script" not in answer.text


@pytest.mark.parametrize("body", [{}, {"voucher_ids": None}, {"for_person_id": None, "voucher_ids": None}])
def test_which_vouchers_are_meant_has_to_be_said(sign_in: SignIn, body: dict[str, Any]) -> None:
    volunteer = sign_in("volunteer")
    for operation_id in ("vouchers.sheet", "vouchers.reissue"):
        problem = volunteer.refused(operation_id, body)
        assert (problem["status"], problem["code"]) == (422, "choice_unclear")


def test_making_a_card_anew_again_with_the_key_makes_one(scene: Scene, sign_in: SignIn) -> None:
    volunteer, body = sign_in("volunteer"), {"for_person_id": str(scene.person_id("volunteer"))}
    first = volunteer.raw("vouchers.reissue", body, key="one").get_json()
    again = volunteer.raw("vouchers.reissue", body, key="one")
    assert again.get_json() == first
    assert again.headers["Idempotency-Replayed"] == "true"
    unused = volunteer.ok("vouchers.list", query={"status": "issued"})["items"]
    assert [v["voucher_id"] for v in unused] == [v["voucher_id"] for v in first["items"]]


def test_the_code_of_a_given_voucher_is_known_to_the_relative_alone(
    scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    with bank.unit_of_work() as session:
        make_relatives(session, scene.people["volunteer"], scene.people["elder"])
    volunteer, elder = sign_in("volunteer"), sign_in("elder")
    gift = {"to_person_id": str(scene.person_id("elder"))}
    answer = volunteer.raw("vouchers.give", gift, voucher_id=scene.vouchers["issued"])
    [mine] = elder.ok("vouchers.list", query={"status": "issued"})["items"]
    assert mine["issued_by_name"] == "林志远"
    said = answer.text + volunteer.raw("vouchers.list").text + volunteer.raw("notices.list").text
    assert mine["code"] not in said
    assert mine["code_grouped"] not in said


def test_who_looks_up_too_often_is_told_when_to_come_back(
    scene: Scene, sign_in: SignIn, bank: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    clock.freeze(clock.now())
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_find_max_per_hour", 1, township_code=DAYAN)
        someone = session.get_one(Person, scene.person_id("elder"))
        number, phone = someone.id_number, someone.phone
    clerk, wanted = sign_in("clerk"), {"name": someone.name, "id_last_four": number[-4:]}
    answer = clerk.raw("vouchers.find", wanted)
    assert answer.status_code == 200
    refused = clerk.raw("vouchers.find", wanted)
    assert (refused.status_code, refused.get_json()["code"]) == (429, "too_many_lookups")
    assert 0 < int(refused.headers["Retry-After"]) <= 3601
    assert phone is not None
    for secret in (number, number[-4:], phone, f"{someone.born_on:%Y%m%d}", str(someone.born_on)):
        assert secret not in answer.get_json(force=True)["items"][0].values()
        assert f'"{secret}"' not in answer.text
    assert number not in capfd.readouterr().err


def test_a_limit_of_day_or_meal_is_told_to_the_clerk(scene: Scene, sign_in: SignIn, bank: Database) -> None:
    periods = {meal: ["00:00", "00:01"] for meal in ("breakfast", "lunch", "supper")}
    clock.freeze(clock.now())
    with bank.unit_of_work() as session:
        change_policy(session, "meal_periods", periods)
        change_policy(session, "voucher_meals", ["lunch"])
    volunteer = sign_in("volunteer")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    [voucher] = volunteer.ok("vouchers.buy", {"quantity": 1})["items"]
    assert voucher["good_times"] == "午餐（00:00～00:01）"
    clock.freeze((clock.now().astimezone(clock.LOCAL) + timedelta(days=1)).replace(hour=12))
    told = sign_in("clerk").ok("vouchers.redeem", {"code": voucher["code"], "nonce": "noon"})
    assert (told["result"], told["reason"]) == ("refused", "voucher_not_this_meal")
    assert told["message"] == "这张券现在不能用，午餐（00:00～00:01）可用"
