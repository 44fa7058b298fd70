"""A steward lets somebody go to another township: the answer, the statement that the person reads, and a second try."""

from __future__ import annotations

from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.people import DAYAN, SHANGTIAN, XIWU


def test_savings_are_on_the_phone_in_the_new_township_and_a_repeated_request_moves_nobody_twice(
    scene: Scene, sign_in: SignIn
) -> None:
    volunteer, steward = sign_in("volunteer"), sign_in("steward_shangtian")
    volunteer.ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    before = volunteer.ok("me.balance")
    assert before["savings_minutes"] > 0
    asked, path = (
        {"township_code": DAYAN, "evidence": "户口迁移证2026-118号"},
        {"person_id": scene.person_id("volunteer")},
    )
    moved = steward.ok("people.move", asked, key="move-1", **path)
    assert (moved["person_id"], moved["moved_minutes"]) == (str(path["person_id"]), before["savings_minutes"])
    assert (moved["from_township_code"], moved["to_township_code"]) == (SHANGTIAN, DAYAN)
    assert steward.ok("people.move", asked, key="move-1", **path) == moved
    assert volunteer.ok("me.show")["township_code"] == DAYAN
    assert volunteer.ok("me.balance")["available_minutes"] == before["available_minutes"]
    newest = volunteer.ok("me.statement", query={"limit": 2})["items"]
    assert [(line["transfer_id"], line["minutes"], line["kind"]) for line in newest] == [
        (moved["transfer_id"], moved["moved_minutes"], "savings_moved"),
        (moved["transfer_id"], -moved["moved_minutes"], "savings_moved"),
    ]
    # Let go is let go: from now on the new township answers for this person.
    back = {"township_code": XIWU, "evidence": "户口迁移证2026-119号"}
    assert steward.refused("people.move", back, **path)["code"] == "other_township"


def test_who_is_there_already_or_unknown_is_not_moved(scene: Scene, sign_in: SignIn) -> None:
    district, path = sign_in("district"), {"person_id": scene.person_id("volunteer")}
    there = district.refused("people.move", {"township_code": SHANGTIAN, "evidence": "户口迁移证"}, **path)
    assert (there["status"], there["code"], there["township_code"]) == (409, "already_there", SHANGTIAN)
    nowhere = district.refused("people.move", {"township_code": "330213999", "evidence": "户口迁移证"}, **path)
    assert (nowhere["status"], nowhere["code"]) == (422, "township_unknown")
