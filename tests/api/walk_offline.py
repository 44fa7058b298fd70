"""The operations of counters without a line, once through HTTP."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import XIWU
from timebank.core import clock


def work_without_a_line(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    """Download, scan without a line, look at the loss, pay it, revoke the key."""
    bundle = people["clerk"].ok("offline.bundle", query={"limit": 1})
    assert (bundle["since"], bundle["key_id"], bundle["scan_max_hours"]) == (0, 1, 72)
    used = {"code": scene.voucher_codes["redeemed"], "nonce": "o-1"}
    scan = {**used, "scanned_at": clock.now().isoformat(), "offline": True}
    told = people["clerk"].ok("vouchers.redeem", scan)
    assert (told["reason"], told["honoured"], told["loss_id"]) == ("already_redeemed", False, None)
    [loss] = people["auditor"].ok("offline.losses", query={"township_code": XIWU, "paid": "false"})["items"]
    assert (loss["loss_id"], loss["reason"], loss["loss_fen"]) == (str(scene.loss_id), "eaten_twice", 3000)
    assert (loss["first_scan"]["offline"], loss["second_scan"]["offline"]) == (False, True)
    paid = staff["district"].ok("offline.pay_loss", {"outside_reference": "保-7"}, loss_id=scene.loss_id)
    assert paid["outside_reference"] == "保-7"
    assert people["auditor"].ok("offline.losses", query={"paid": "true"})["items"] == [paid]
    revoked = staff["district"].ok("offline.revoke_key", {"reason": "扫码机丢失"}, key_id=1)
    assert revoked["revoke_reason"] == "扫码机丢失"
    keys = people["auditor"].ok("offline.keys")["items"]
    assert [(key["key_id"], key["revoked_at"] is None) for key in keys] == [(1, False), (2, True)]
