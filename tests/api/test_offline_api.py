"""Counters without a line over HTTP: what they download is what they can check, and losses are listed and paid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from clients.counter.bundle import Bundle, NotTrusted, download
from clients.counter.check import check
from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.api.walk_offline import work_without_a_line
from tests.doors import SignIn
from timebank.core import clock
from timebank.core.db import Database
from timebank.redemption.actions import number_endings


def fetch(clerk: Caller, limit: int = 10_000, known: Bundle | None = None) -> Bundle:
    """The real download by the real counter."""

    def page(since: int) -> Mapping[str, Any]:
        return dict(clerk.ok("offline.bundle", query={"since": str(since), "limit": str(limit)}))

    return download(page, clock.machine_now, known)


def number_all(bank: Database) -> None:
    with bank.unit_of_work() as session:
        number_endings(session, limit=1000)


def unused_text(volunteer: Caller) -> str:
    [text] = [one["qr_text"] for one in volunteer.ok("vouchers.list")["items"] if one["status"] == "issued"]
    return str(text)


def test_every_step_of_it_answers_as_the_document_says(scene: Scene, sign_in: SignIn) -> None:
    people = {who: sign_in(who) for who in ("clerk", "auditor")}
    work_without_a_line(scene, people, {"district": sign_in("district")})


def test_what_the_bank_signs_the_counter_can_check(scene: Scene, sign_in: SignIn, bank: Database) -> None:
    number_all(bank)
    clerk, volunteer = sign_in("clerk"), sign_in("volunteer")
    text = unused_text(volunteer)
    bundle = fetch(clerk)
    assert (bundle.canteen_name, len(bundle.ended)) == ("大堰镇老年食堂", 1)
    answer = check(text, bundle, bundle.bank_time(clock.machine_now()), ())
    assert (answer.good, answer.code) == (True, scene.voucher_codes["issued"])
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    number_all(bank)
    newer = fetch(clerk, limit=1, known=bundle)
    assert len(newer.ended) == 2
    assert check(text, newer, bundle.bank_time(clock.machine_now()), ()).reason == "voucher_ended"
    assert fetch(clerk, limit=1).ended == newer.ended


def test_after_a_revocation_the_counter_takes_nothing_that_an_unknown_key_signed(scene: Scene, sign_in: SignIn) -> None:
    clerk = sign_in("clerk")
    bundle, text = fetch(clerk), unused_text(sign_in("volunteer"))
    sign_in("district").ok("offline.revoke_key", {"reason": "泄露"}, key_id=1)
    with pytest.raises(NotTrusted):
        fetch(clerk, known=bundle)
    afresh = fetch(clerk)
    assert check(text, afresh, bundle.bank_time(clock.machine_now()), ()).reason == "qr_key_revoked"
    assert clerk.ok("vouchers.redeem", {"code": scene.voucher_codes["issued"], "nonce": "n"})["result"] == "accepted"


def test_a_signed_text_is_redeemed_and_a_forged_one_is_not(scene: Scene, sign_in: SignIn) -> None:
    clerk, text = sign_in("clerk"), unused_text(sign_in("volunteer"))
    forged = text[:30] + ("A" if text[30] != "A" else "B") + text[31:]
    scans = [
        {"code": forged, "nonce": "1"},
        {"code": text, "nonce": "2", "offline": True, "scanned_at": clock.now().isoformat()},
        {"code": text, "nonce": "3", "offline": 1},
        {"code": text, "nonce": "2"},
    ]
    results = clerk.ok("vouchers.redeem_batch", {"scans": scans})["results"]
    assert [one["reason"] for one in results] == ["qr_forged", "ok", "scan_unreadable", "ok"]
    assert results[1] == results[3]
    assert "签名不对" in results[0]["message"]


@pytest.mark.parametrize("query", [{"since": "-1"}, {"limit": "0"}, {"limit": "20001"}, {"since": "x"}, {"upto": "1"}])
def test_a_download_that_makes_no_sense_is_refused(scene: Scene, sign_in: SignIn, query: dict[str, str]) -> None:
    assert sign_in("clerk").refused("offline.bundle", query=query)["code"] == "invalid_input"


def test_a_loss_is_paid_once_and_what_is_not_there_is_not_found(scene: Scene, sign_in: SignIn) -> None:
    district = sign_in("district")
    paid = district.ok("offline.pay_loss", {"outside_reference": "保-1"}, loss_id=scene.loss_id)
    assert district.ok("offline.pay_loss", {"outside_reference": "保-1"}, loss_id=scene.loss_id) == paid
    again = district.refused("offline.pay_loss", {"outside_reference": "保-2"}, loss_id=scene.loss_id)
    assert (again["status"], again["code"], again["outside_reference"]) == (409, "loss_already_paid", "保-1")
    unknown = district.refused("offline.pay_loss", {"outside_reference": "保-2"}, loss_id=scene.transfer_id)
    assert (unknown["status"], unknown["code"]) == (404, "loss_unknown")
    assert district.refused("offline.revoke_key", {"reason": "x"}, key_id=7)["code"] == "signing_key_unknown"
    assert district.ok("offline.losses", query={"paid": "false"})["items"] == []
    assert district.ok("offline.losses", query={"township_code": "330213107"})["items"] == []
