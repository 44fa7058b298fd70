"""Whatever a scanner's queue holds, every item gets its own final answer and spoils none of the others."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.caller import Caller
from tests.doors import SignIn

LONG = "https://example.test/pay/" + "x" * 300


@pytest.mark.parametrize(
    "item",
    [
        {"nonce": "n"},
        {"code": "ABC"},
        {"code": None, "nonce": "n"},
        {"code": 5, "nonce": "n"},
        {"code": "ABC", "nonce": ""},
        {"code": "ABC", "nonce": "n" * 101},
        {"code": "ABC", "nonce": "n", "scanned_at": "yesterday"},
        {"code": "ABC", "nonce": "n", "scanned_at": "2026-11-21T09:00:00"},
        {"code": "ABC", "nonce": "n", "colour": "red"},
        "ABC",
        None,
    ],
    ids=str,
)
def test_an_item_that_cannot_be_read_is_refused_by_itself(sign_in: SignIn, item: Any) -> None:
    volunteer, clerk = sign_in("volunteer"), sign_in("clerk")
    good = next(v["code"] for v in volunteer.ok("vouchers.list")["items"] if v["status"] == "issued")
    scans = [item, {"code": good, "nonce": "good-1"}]
    results = clerk.ok("vouchers.redeem_batch", {"scans": scans})["results"]
    assert [(r["result"], r["reason"]) for r in results] == [("refused", "scan_unreadable"), ("accepted", "ok")]
    assert results[1]["nonce"] == "good-1"
    again = clerk.ok("vouchers.redeem_batch", {"scans": scans})["results"]
    assert [r["reason"] for r in again] == ["scan_unreadable", "ok"]


@pytest.mark.parametrize("code", [LONG, "", " ", "\x00\x1b[31m", "付款码", "ABCD-EFGH-JKM"])
def test_any_other_code_under_the_scanner_is_an_unknown_voucher(sign_in: SignIn, code: str) -> None:
    clerk = sign_in("clerk")
    first = clerk.ok("vouchers.redeem", {"code": code, "nonce": "foreign"})
    assert (first["result"], first["reason"]) == ("refused", "voucher_unknown")
    assert clerk.ok("vouchers.redeem", {"code": code, "nonce": "foreign"}) == first


def _pages(caller: Caller, operation_id: str, limit: str) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    while True:
        answer = caller.ok(operation_id, query={"limit": limit, **({"cursor": cursor} if cursor else {})})
        found += answer["items"]
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


def test_short_lists_are_paged_like_the_long_ones(sign_in: SignIn) -> None:
    steward = sign_in("district")
    for operation_id in ("townships.list", "service_types.list", "policies.list", "clearing.matrix"):
        assert _pages(steward, operation_id, "5") == _pages(steward, operation_id, "100")
        assert steward.refused(operation_id, query={"limit": "x"})["code"] == "invalid_input"
