"""Idempotency-Key: a phone that lost the answer asks again, and hears it, and nothing happens twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from tests.api.caller import Caller, proper_problem
from tests.api.description import describe
from tests.api.samples import sample
from tests.api.scene import Scene
from tests.api.whole_database import fingerprint
from tests.doors import SignIn
from tests.factories.people import XIWU, born_for_age, valid_id_number
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.replies import KeptReply
from timebank.redemption import actions as redemption

NEED_KEY = [o for o in describe().operations.values() if o.key == "required"]
MOVING = {
    *(f"aid_items.{name}" for name in ("enter", "to_repair", "repaired", "retire")),
    *(f"aid_loans.{name}" for name in ("reserve", "lend", "extend", "cancel", "return_", "lost")),
    "canteens.approve_grade",
    *("subsidy_claims.pay", "meal_donations.receive", "meal_donations.allot", "produce.receive"),
    *(f"orders.{name}" for name in ("place", "change", "cancel")),
    "imports.book",
    "standing_orders.set",
    "rounds.deliver",
    "rounds.undelivered",
    *(f"menus.{name}" for name in ("change_price", "limit_portions", "sold_out", "on_sale", "withdraw_item")),
    *("purses.top_up", "purses.pay_back", "purses.pay_out_estate", "tills.hand_in"),
    *(f"meal_counter.{name}" for name in ("serve", "serve_many", "sell", "correct")),
    "clearing.grant_override",
    "vouchers.buy",
    "gifts.give",
    "donations.give",
    "hardship.approve",
    "vouchers.refund",
    *(f"care_bookings.{name}" for name in ("book", "confirm", "cancel", "decide", "not_home")),
    "vouchers.reissue",
    "vouchers.give",
    "vouchers.void",
    "tasks.confirm",
    "tasks.rule",
    "tasks.approve_record",
    "ledger.reverse",
    "offline.pay_loss",
    "people.move",
    "leaving.leave",
    "deaths.approve",
}


def vouchers_of(caller: Caller) -> int:
    return len(caller.ok("vouchers.list")["items"])


def test_whatever_moves_minutes_needs_a_key_and_the_document_says_so() -> None:
    assert {o.operation_id for o in NEED_KEY} == MOVING


@pytest.mark.parametrize("operation", NEED_KEY, ids=[o.operation_id for o in NEED_KEY])
def test_without_its_key_nothing_is_begun(operation: Any, bank: Database, scene: Scene, sign_in: SignIn) -> None:
    caller, before = sign_in("district"), fingerprint(bank)
    body = sample(operation, operation.body) if operation.body is not None else None
    for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "   "}):
        problem = caller.refused(operation.operation_id, body, key=None, headers=headers)
        assert (problem["status"], problem["code"]) == (400, "idempotency_key_missing")
    assert fingerprint(bank) == before


@pytest.mark.parametrize("key", ["k" * 201, "k\x7f", "schlüssel", "k\tk"])
def test_a_key_that_is_too_long_or_not_printable_is_refused(key: str, scene: Scene, sign_in: SignIn) -> None:
    problem = sign_in("volunteer").refused("vouchers.buy", {"quantity": 1}, key=key)
    assert (problem["status"], problem["code"]) == (422, "idempotency_key_invalid")


def test_the_same_request_again_gets_the_same_answer_and_happens_once(scene: Scene, sign_in: SignIn) -> None:
    volunteer = sign_in("volunteer")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    had = vouchers_of(volunteer)
    first = volunteer.raw("vouchers.buy", {"quantity": 1}, key="k" * 200)
    again = volunteer.raw("vouchers.buy", {"quantity": 1}, key="k" * 200)
    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert vouchers_of(volunteer) == had + 1


def test_an_operation_that_may_take_a_key_keeps_to_it_as_well(scene: Scene, sign_in: SignIn) -> None:
    elder = sign_in("elder")
    wanted = {
        "service_type": "companionship",
        "starts_at": (clock.now() + timedelta(days=5)).isoformat(),
        "minutes": 30,
    }
    first = elder.raw("tasks.request", wanted, key="one")
    assert elder.raw("tasks.request", wanted, key="one").get_json() == first.get_json()
    without = [elder.ok("tasks.request", wanted, key=None)["task_id"] for _ in range(2)]
    assert len({first.get_json()["task_id"], *without}) == 3


def test_registering_again_with_the_key_gets_the_same_answer_but_no_token_is_kept(
    scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    fresh = sign_in("fresh")
    form = {"name": "沈月琴", "id_number": valid_id_number(born_for_age(61)), "phone": "13912345678"}
    first = fresh.raw("auth.register", {**form, "township_code": XIWU}, key="one")
    again = fresh.raw("auth.register", {**form, "township_code": XIWU}, key="one")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.get_json() == again.get_json()
    assert Caller(fresh.app, fresh.description, first.get_json()["access_token"]).ok("me.show")["name"] == "沈月琴"
    with bank.session() as session:
        kept = session.scalars(select(KeptReply.body).where(KeptReply.key == "one")).one()
    assert "person_id" in kept
    assert "access_token" not in kept


@pytest.mark.parametrize("other", [{"quantity": 2}, {"quantity": 1, "for_person_id": None}])
def test_the_same_key_for_another_body_is_refused(other: dict[str, Any], scene: Scene, sign_in: SignIn) -> None:
    volunteer = sign_in("volunteer")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    volunteer.ok("vouchers.buy", {"quantity": 1}, key="one")
    had = vouchers_of(volunteer)
    problem = volunteer.refused("vouchers.buy", other, key="one")
    assert (problem["status"], problem["code"]) == (422, "idempotency_key_reused")
    assert vouchers_of(volunteer) == had


def test_the_same_key_for_another_thing_or_another_operation_is_refused(scene: Scene, sign_in: SignIn) -> None:
    volunteer = sign_in("volunteer")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"], key="one")
    others: list[tuple[str, Any, dict[str, Any]]] = [
        ("vouchers.refund", None, {"voucher_id": scene.vouchers["redeemed"]}),
        ("vouchers.buy", {"quantity": 1}, {}),
        ("tasks.accept", None, {"task_id": scene.tasks["open"]}),
    ]
    for operation_id, body, path in others:
        assert volunteer.refused(operation_id, body, key="one", **path)["code"] == "idempotency_key_reused"


def test_keys_of_different_logins_do_not_meet(scene: Scene, sign_in: SignIn) -> None:
    start = (clock.now() + timedelta(days=5)).isoformat()
    wanted = {"service_type": "companionship", "starts_at": start, "minutes": 30}
    wanted["elder_id"] = str(scene.person_id("elder"))
    answers = [sign_in(who).raw("tasks.request", wanted, key="one") for who in ("elder", "proxy")]
    assert len({answer.get_json()["task_id"] for answer in answers}) == 2
    assert not any("Idempotency-Replayed" in answer.headers for answer in answers)


def test_a_refusal_is_replayed_though_it_would_now_succeed(scene: Scene, sign_in: SignIn) -> None:
    volunteer = sign_in("volunteer")
    first = volunteer.raw("vouchers.buy", {"quantity": 1}, key="one")
    assert (first.status_code, first.get_json()["code"]) == (422, "insufficient_minutes")
    assert {"available_minutes", "needed_minutes"} <= set(first.get_json())
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    again = volunteer.raw("vouchers.buy", {"quantity": 1}, key="one")
    assert (again.status_code, again.get_json()) == (first.status_code, first.get_json())
    assert again.mimetype == "application/problem+json"
    assert again.headers["Idempotency-Replayed"] == "true"
    volunteer.ok("vouchers.buy", {"quantity": 1}, key="two")


def test_the_order_of_keys_and_blanks_in_the_body_do_not_matter(scene: Scene, sign_in: SignIn) -> None:
    elder = sign_in("elder")
    start = (clock.now() + timedelta(days=5)).isoformat()
    wanted = {"service_type": "companionship", "starts_at": start, "minutes": 30, "note": "读报"}
    backwards = json.dumps(dict(reversed(wanted.items())), indent=3).encode()
    first = elder.raw("tasks.request", wanted, key="one")
    assert elder.raw("tasks.request", data=backwards, key="one").get_json() == first.get_json()


def test_two_at_once_with_one_key_happen_once_and_hear_the_same(scene: Scene, sign_in: SignIn) -> None:
    volunteer = sign_in("volunteer")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    had, together = vouchers_of(volunteer), Barrier(4)

    def buy(_: int) -> Any:
        together.wait()
        return volunteer.raw("vouchers.buy", {"quantity": 1}, key="one")

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(buy, range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum(answer.headers.get("Idempotency-Replayed") == "true" for answer in answers) == 3
    assert vouchers_of(volunteer) == had + 1


def test_a_fault_in_the_middle_keeps_nothing_and_the_key_can_be_used_again(
    scene: Scene, sign_in: SignIn, bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    volunteer = sign_in("volunteer")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    before = fingerprint(bank)
    buy: Callable[..., Any] = redemption.buy_vouchers

    def break_afterwards(*how: Any, **more: Any) -> Any:
        buy(*how, **more)
        raise RuntimeError("the power fails")

    with monkeypatch.context() as broken:
        broken.setattr(redemption, "buy_vouchers", break_afterwards)
        answer = volunteer.raw("vouchers.buy", {"quantity": 1}, key="one")
    assert answer.status_code == 500
    assert proper_problem(answer)["code"] == "internal_error"
    assert "power" not in answer.text
    assert fingerprint(bank) == before
    with bank.session() as session:
        assert session.scalars(select(KeptReply).where(KeptReply.key == "one")).all() == []
    again = volunteer.raw("vouchers.buy", {"quantity": 1}, key="one")
    assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (201, None)


def test_scans_need_no_key_their_nonce_is_one(scene: Scene, sign_in: SignIn) -> None:
    clerk = sign_in("clerk")
    scan = {"code": scene.voucher_codes["issued"], "nonce": "n-1"}
    first = clerk.ok("vouchers.redeem", scan)
    assert first["result"] == "accepted"
    assert clerk.ok("vouchers.redeem", scan) == first
    assert clerk.ok("vouchers.redeem_batch", {"scans": [scan]})["results"] == [first]
    other = clerk.ok("vouchers.redeem", {"code": scene.voucher_codes["redeemed"], "nonce": "n-1"})
    assert (other["result"], other["reason"]) == ("refused", "nonce_reused")
