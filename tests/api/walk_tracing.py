"""What the desk looks up, through HTTP: people by id and by name, transfers and causes, policies through time."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import SHANGTIAN, XIWU, born_for_age, valid_id_number

Callers = dict[str, Caller]


def look_things_up(scene: Scene, staff: Callers) -> None:
    """A steward finds somebody by name, an auditor follows a credit to its service, both read how a policy changed."""
    _people(scene, staff)
    _transfers(scene, staff)
    _policies(scene, staff)


def _people(scene: Scene, staff: Callers) -> None:
    shangtian, district, auditor = (staff[name] for name in ("steward_shangtian", "district", "auditor"))
    volunteer = str(scene.person_id("volunteer"))
    seen = shangtian.ok("people.show", person_id=volunteer)
    assert (seen["name"], seen["township_code"], seen["roles"]) == ("林志远", SHANGTIAN, ["volunteer"])
    assert auditor.ok("people.show", person_id=volunteer)["name"] == "林**"
    [found] = shangtian.ok("people.search", {"name": "林志"})["items"]
    assert (found["person_id"], found["age"], "*" in found["id_number_masked"]) == (volunteer, 66, True)
    assert shangtian.ok("people.search", {"name": "周桂芬"})["items"] == []
    assert shangtian.refused("people.search", {"name": "周桂芬", "township_code": XIWU})["code"] == "other_township"
    assert shangtian.refused("people.search", {"name": "林"})["code"] == "invalid_input"
    number = valid_id_number(born_for_age(67))
    form = {"name": "林志平", "id_number": number, "township_code": XIWU, "roles": ["volunteer"]}
    district.ok("people.enrol", form)
    first = district.ok("people.search", {"name": "林志", "limit": 1})
    rest = district.ok("people.search", {"name": "林志", "limit": 1, "cursor": first["next_cursor"]})
    assert [one["name"] for one in (*first["items"], *rest["items"])] == ["林志平", "林志远"]
    assert rest["next_cursor"] is None
    assert district.refused("people.search", {"name": "林志", "cursor": "bm8="})["code"] == "invalid_input"


def _transfers(scene: Scene, staff: Callers) -> None:
    auditor, xiwu = staff["auditor"], staff["steward_xiwu"]
    whole = auditor.ok("transfers.show", transfer_id=scene.transfer_id)
    assert (whole["movement"]["kind"], whole["cause"]["subject"]) == ("service_credit", "task")
    assert whole["cause"]["subject_id"] == str(scene.tasks["confirmed"])
    assert [line["book_code"] for line in whole["lines"]] == [XIWU, SHANGTIAN]
    target = whole["lines"][1]["target"]
    assert (target["account_name"], target["holder_name"]) == ("储蓄时长", "林**")
    assert whole["reversal"]["state"] == "reversible"
    assert [line["amount"] for line in whole["reversal"]["will"]] == [120, 120]
    second_leg = whole["lines"][1]["leg_id"]
    assert auditor.ok("transfers.show", transfer_id=second_leg)["movement"] == whole["movement"]
    query = {"cause_id": str(scene.tasks["confirmed"])}
    assert xiwu.ok("transfers.list", query=query)["items"] == [whole["movement"]]
    # The page of somebody who lives elsewhere is not opened from here.
    assert xiwu.ok("transfers.show", transfer_id=scene.transfer_id)["lines"][1]["target"]["person_id"] is None


def _policies(scene: Scene, staff: Callers) -> None:
    auditor = staff["auditor"]
    change = auditor.ok("policies.change", change_id=scene.change_id)
    key = change["values"][0]["key"]
    history = auditor.ok("policies.history", policy_key=key)
    assert (history["key"], scene.change_id in [one["change_id"] for one in history["items"]]) == (key, True)
    assert auditor.refused("policies.history", policy_key="no_such_policy")["code"] == "policy_key_unknown"
    beijing = auditor.ok("policies.set", name="beijing", query={"limit": 100})
    differing = [one for one in beijing["items"] if one["differs"]]
    assert all(one["now"] != one["then"]["value"] for one in differing)
    assert differing
    tried = auditor.ok("policies.trial", name="beijing", query={"months": 3})
    assert (tried["name"], len(tried["figures"]) > 5) == ("beijing", True)
