"""Leaving at the door: the token is dead at once, WeChat opens nothing, a steward lets one in again."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.people import DAYAN
from timebank.core.db import Database
from timebank.people.models import Person


def test_whoever_leaves_is_signed_out_at_once_and_comes_back_before_a_steward(
    bank: Database, scene: Scene, nobody: Caller, sign_in: SignIn
) -> None:
    # The stranger awaits the approval of an hour that was recorded; it is turned down first.
    sign_in("district").ok("tasks.reject_record", {"reason": "没有签名"}, task_id=scene.tasks["recorded"])
    stranger = sign_in("stranger")
    assert stranger.ok("leaving.preview")["may_leave"]
    left = stranger.ok("leaving.leave", {"to": "pool"}, key="one")
    assert left["person_id"] == str(scene.person_id("stranger"))
    for operation_id in ("me.show", "me.balance", "leaving.preview"):
        assert stranger.refused(operation_id)["code"] == "not_signed_in"
    # Also for whoever lost the answer and asks again: there is nobody to answer to.
    assert stranger.refused("leaving.leave", {"to": "pool"}, key="one")["code"] == "not_signed_in"
    closed = nobody.refused("auth.wechat_login", {"code": "demo:stranger"})
    assert (closed["status"], closed["code"]) == (403, "login_closed")
    with bank.session() as session:
        number = session.get_one(Person, scene.person_id("stranger")).id_number
    form = {"name": "陈建国", "id_number": number, "township_code": DAYAN, "roles": ["volunteer"]}
    assert sign_in("district").ok("people.enrol", form)["person_id"] == str(scene.person_id("stranger"))
    assert sign_in("stranger").ok("me.balance")["savings_minutes"] == 0


def test_what_is_in_the_way_is_listed_with_what_it_is_called(scene: Scene, sign_in: SignIn) -> None:
    refused = sign_in("elder").refused("leaving.leave", {"to": "pool"})
    assert (refused["status"], refused["code"]) == (409, "not_settled_yet")
    assert {"task", "aid_loan"} <= {item["kind"] for item in refused["items"]}
    assert all(item["kind_name"] for item in refused["items"])


def test_nobody_else_is_let_out_by_a_person(scene: Scene, sign_in: SignIn) -> None:
    body = {"to": "pool", "person_id": str(scene.person_id("stranger")), "evidence": "口头"}
    assert sign_in("volunteer").refused("leaving.leave", body)["code"] == "steward_only"
    assert sign_in("steward_xiwu").refused("leaving.leave", body)["code"] == "other_township"
