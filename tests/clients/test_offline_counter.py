"""A canteen's counter without a line: its own yes or no, and which download it trusts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.counter.bundle import Bundle, NotTrusted, download
from clients.counter.check import check
from clients.counter.signed_text import short_hash
from tests.clients.counter_pages import GOOD, KEY, NEXT, NOON, STRANGER, key_entry, page
from timebank.redemption.codes import new_code
from timebank.redemption.offline_queries import code_hash
from timebank.redemption.signing import PrivateKey, SignedVoucher, signed_payload, text_of


def fetched(*pages: dict[str, Any], known: Bundle | None = None, now: datetime = NOON) -> Bundle:
    waiting = list(pages)
    return download(lambda _since: waiting.pop(0), lambda: now, known)


@pytest.fixture
def bundle() -> Bundle:
    return fetched(page())


def said_of(bundle: Bundle, voucher: SignedVoucher, *, key: PrivateKey = KEY, at: datetime = NOON) -> str:
    return check(signed_payload(voucher, key), bundle, at, ()).reason


def test_a_good_voucher_gets_its_yes_and_its_code(bundle: Bundle) -> None:
    answer = check(signed_payload(GOOD, KEY), bundle, NOON, ())
    assert (answer.good, answer.reason, answer.code) == (True, "ok", GOOD.code)
    assert said_of(bundle, GOOD, key=NEXT) == "ok"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"expires_at": NOON}, "voucher_expired"),
        ({"expires_at": NOON + timedelta(seconds=1)}, "ok"),
        ({"weekdays": (1, 3)}, "voucher_not_today"),
        ({"weekdays": (2,)}, "ok"),
        ({"meals": ("supper",)}, "voucher_not_this_meal"),
        ({"meals": ("lunch", "supper")}, "ok"),
        ({"only_township_code": "330213107"}, "voucher_other_township"),
        ({"only_township_code": "330213004"}, "ok"),
    ],
)
def test_what_is_printed_on_it_is_kept_to(bundle: Bundle, changes: dict[str, Any], reason: str) -> None:
    assert said_of(bundle, replace(GOOD, **changes)) == reason


def test_a_voucher_for_every_meal_is_good_between_meals_and_the_day_is_fenghuas(bundle: Bundle) -> None:
    assert said_of(bundle, GOOD, at=NOON + timedelta(hours=2)) == "ok"
    # 23:00 on Tuesday in London is Wednesday in Fenghua.
    assert (
        said_of(bundle, replace(GOOD, weekdays=(2,)), at=datetime(2026, 3, 10, 23, tzinfo=UTC)) == "voucher_not_today"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD.code, "not_signed"),
        ("付款码", "not_signed"),
        (signed_payload(GOOD, KEY)[:-1], "qr_unreadable"),
        (signed_payload(GOOD, KEY).replace("TB1.", "TB2."), "qr_unreadable"),
        ("TB1.\x00", "qr_unreadable"),
        (signed_payload(GOOD, STRANGER), "qr_forged"),
        (signed_payload(GOOD, PrivateKey(9, bytes(32))), "qr_key_unknown"),
    ],
)
def test_what_the_bank_did_not_sign_gets_no_yes(bundle: Bundle, text: str, reason: str) -> None:
    answer = check(text, bundle, NOON, ())
    assert (answer.good, answer.reason) == (False, reason)


def test_a_revoked_key_an_ended_voucher_and_one_scanned_here_get_a_no() -> None:
    assert short_hash(GOOD.code) == code_hash(GOOD.code)
    bundle = fetched(
        page(NEXT, keys=[key_entry(KEY, NOON.isoformat()), key_entry(NEXT)], ended=[short_hash(GOOD.code)])
    )
    assert said_of(bundle, GOOD) == "qr_key_revoked"
    assert said_of(bundle, GOOD, key=NEXT) == "voucher_ended"
    other = replace(GOOD, code=new_code())
    assert said_of(bundle, other, key=NEXT) == "ok"
    assert check(signed_payload(other, NEXT), bundle, NOON, {other.code}).reason == "already_scanned_here"


def test_a_download_of_many_pages_is_put_together_and_the_next_one_adds_to_it() -> None:
    first = fetched(page(upto=2, more=True, ended=["a", "b"]), page(since=2, upto=3, ended=["c"]))
    assert (first.ended, first.upto) == ({"a", "b", "c"}, 3)
    second = fetched(page(NEXT, since=3, upto=4, ended=["d"]), known=first)
    assert (second.ended, second.upto) == ({"a", "b", "c", "d"}, 4)
    assert Bundle.from_json(json.loads(json.dumps(second.as_json()))) == second


@pytest.mark.parametrize(
    "bad",
    [
        page(STRANGER),
        {**page(), "ended": ["a"]},
        {**page(), "signature": text_of(bytes(64))},
        {**page(), "key_id": 2},
        page(PrivateKey(3, bytes([3]) * 32), keys=[key_entry(PrivateKey(3, bytes([3]) * 32))]),
    ],
    ids=["stranger", "entry slipped in", "no signature", "other key", "key nobody knows"],
)
def test_what_no_known_key_signed_is_not_taken(bundle: Bundle, bad: dict[str, Any]) -> None:
    with pytest.raises(NotTrusted):
        fetched(bad, known=bundle)
    with pytest.raises(NotTrusted):
        fetched(page(more=True), {**page(), "ended": ["a"]}, known=bundle)


def test_a_machine_whose_clock_is_wrong_goes_by_the_banks() -> None:
    slow = fetched(page(), now=NOON - timedelta(hours=3))
    assert slow.bank_time(NOON - timedelta(hours=2)) == NOON + timedelta(hours=1)
