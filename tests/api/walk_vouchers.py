"""The walk through what becomes of vouchers: on paper, lost, given, void, and looked up at the counter."""

from __future__ import annotations

from sqlalchemy.orm import Session

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.minutes import save_minutes
from tests.factories.vouchers import make_relatives
from timebank.core.db import Database
from timebank.people.models import Person


def live_with_vouchers(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    """Every operation on vouchers that a person, a steward and a clerk have."""
    bank: Database = people["clerk"].app.extensions["timebank_database"]
    with bank.unit_of_work() as session:
        make_relatives(session, scene.people["volunteer"], scene.people["elder"])
        save_minutes(session, scene.people["volunteer"], 60)
    _buy_for_somebody_without_a_phone(scene, people, staff)
    bought = people["volunteer"].ok("vouchers.buy", {"quantity": 1})["items"]
    lost = {"voucher_ids": [bought[0]["voucher_id"]]}
    (anew,) = staff["steward_shangtian"].ok("vouchers.reissue", lost)["items"]
    assert (anew["replaces_voucher_id"], anew["expires_at"]) == (bought[0]["voucher_id"], bought[0]["expires_at"])
    page = people["volunteer"].ok("vouchers.sheet", {"voucher_ids": [anew["voucher_id"]], "format": "receipt"})
    assert anew["code_grouped"] in page.decode()
    elder_id = str(scene.person_id("elder"))
    given = people["volunteer"].ok("vouchers.give", {"to_person_id": elder_id}, voucher_id=anew["voucher_id"])
    assert (given["to_person_id"], "code" in given) == (elder_id, False)
    (seen,) = [v for v in people["volunteer"].ok("vouchers.list")["items"] if v["voucher_id"] == anew["voucher_id"]]
    assert (seen["void_reason"], seen["replaced_by_voucher_id"]) == ("given", given["voucher_id"])
    with bank.session() as session:
        four = _four(session, scene)
    (diner,) = people["clerk"].ok("vouchers.find", {"name": "周桂芬", "id_last_four": four})["items"]
    assert (diner["person_id"], diner["township_name"], diner["unused_vouchers"]) == (elder_id, "西坞街道", 1)
    used = people["clerk"].ok("vouchers.redeem_for", {"voucher_id": diner["next_voucher_id"], "nonce": "for-1"})
    assert (used["result"], used["voucher_id"], used["holder_name"]) == ("accepted", given["voucher_id"], "周桂芬")


def _buy_for_somebody_without_a_phone(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    """A steward with a consent on paper, who makes the voucher void again."""
    wanted = {"quantity": 1, "for_person_id": str(scene.person_id("volunteer"))}
    refused = staff["steward_shangtian"].refused("vouchers.buy", wanted)
    assert (refused["status"], refused["code"]) == (422, "evidence_missing")
    (bought,) = staff["steward_shangtian"].ok("vouchers.buy", {**wanted, "evidence": "同意书第7号"})["items"]
    assert bought["issued_by_name"].endswith("（代林志远）")
    void = staff["district"].ok("vouchers.void", {"reason": "重复购买"}, voucher_id=bought["voucher_id"])
    assert (void["status"], void["void_reason"], void["void_note"]) == ("void", "cancelled", "重复购买")


def _four(session: Session, scene: Scene) -> str:
    return session.get_one(Person, scene.person_id("elder")).id_number[-4:]
