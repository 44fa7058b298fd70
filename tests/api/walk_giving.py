"""Family, proxies on the phone, gifts, donations and help out of the pool, once through HTTP."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.people import XIWU, born_for_age, valid_id_number


def give_within_the_family(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    """Everything of family and giving; the stranger's hours are given, donated and granted in turn."""
    _become_relatives(scene, people)
    _register_on_paper(staff["steward_xiwu"])
    _let_others_act(scene, people)
    _give_and_donate(scene, people)
    _help(scene, people, staff)


def _become_relatives(scene: Scene, people: dict[str, Caller]) -> None:
    elder, volunteer = people["elder"], people["volunteer"]
    [waiting] = [p for p in elder.ok("family.proposals")["items"] if p["received"]]
    assert (waiting["name"], waiting["received"], waiting["relation_name"]) == ("陈建国", True, "其他亲属")
    made = elder.ok("family.accept", proposal_id=scene.proposals["relation"])
    assert (made["name"], made["relation"], made["is_heir"]) == ("陈建国", "other", False)
    child = {"person_id": str(scene.person_id("proxy"))}
    assert elder.ok("family.name_heir", child) == child
    assert [(r["name"], r["relation_name"], r["is_heir"]) for r in elder.ok("family.list")["items"]] == [
        ("周小敏", "子女", True),
        ("陈建国", "其他亲属", False),
    ]
    assert elder.ok("family.name_heir", {"person_id": None}) == {"person_id": None}
    sibling = {"name": "周小敏", "relation": "sibling", **child}
    for act, by in (("decline", people["proxy"]), ("withdraw", volunteer)):
        sent = volunteer.ok("family.propose", sibling)
        assert (sent["status"], sent["received"], sent["relation_name"]) == ("waiting", False, "兄弟姐妹")
        by.ok(f"family.{act}", proposal_id=sent["proposal_id"])
    # The first was declined, which nobody who asked is told.
    assert [p["status"] for p in volunteer.ok("family.proposals")["items"]] == ["withdrawn", "waiting"]


def _register_on_paper(steward: Caller) -> None:
    couple = []
    for name in ("吴大海", "沈月琴"):
        number = valid_id_number(born_for_age(80))
        form = {"name": name, "id_number": number, "township_code": XIWU, "roles": ["elder"]}
        couple.append(steward.ok("people.enrol", form)["person_id"])
    wanted = {"person_id": couple[0], "relative_id": couple[1], "relation": "spouse", "consent_evidence": "同意书3号"}
    made = steward.ok("family.register", wanted)
    assert (made["status"], made["proposal_id"]) == ("registered", None)
    [wife] = steward.ok("family.list", query={"person_id": couple[0]})["items"]
    assert (wife["name"], wife["relation"]) == ("沈月琴", "spouse")
    heir = {"person_id": couple[1], "of_person_id": couple[0], "evidence": "遗嘱公证书"}
    assert steward.ok("family.name_heir", heir) == {"person_id": couple[1]}
    assert steward.ok("family.end", relation_id=made["relation_id"])["ended_at"]


def _let_others_act(scene: Scene, people: dict[str, Caller]) -> None:
    elder, volunteer = people["elder"], people["volunteer"]
    [waiting] = volunteer.ok("proxies.proposals")["items"]
    assert (waiting["name"], waiting["relation_name"], waiting["scope_names"]) == ("周桂芬", "邻居", ["居家养老预约"])
    accepted = volunteer.ok("proxies.accept", proposal_id=scene.proposals["proxy"])
    assert accepted["scopes"] == ["care"]
    [mine] = [p for p in volunteer.ok("proxies.list")["items"] if not p["acts_for_me"]]
    assert (mine["name"], mine["scope_names"]) == ("周桂芬", ["居家养老预约"])
    wanted = {"name": "林志远", "person_id": str(scene.person_id("volunteer")), "relation": "邻居", "scopes": ["gifts"]}
    for act, by in (("decline", volunteer), ("withdraw", elder)):
        by.ok(f"proxies.{act}", proposal_id=elder.ok("proxies.propose", wanted)["proposal_id"])
    assert elder.ok("people.end_proxy", registration_id=accepted["registration_id"])["ended_at"]


def _give_and_donate(scene: Scene, people: dict[str, Caller]) -> None:
    elder, stranger = people["elder"], people["stranger"]
    had = elder.ok("me.balance")["savings_minutes"]
    gift = {"to_person_id": str(scene.person_id("elder")), "minutes": 60, "note": "保重身体"}
    given = stranger.ok("gifts.give", gift)
    assert (given["direction"], given["name"], given["minutes"]) == ("given", "周桂芬", 60)
    [received] = elder.ok("gifts.list", query={"direction": "received"})["items"]
    assert (received["gift_id"], received["name"], received["note"]) == (given["gift_id"], "陈建国", "保重身体")
    line = elder.ok("me.statement", query={"limit": 1})["items"][0]
    assert (line["kind_name"], line["minutes"], line["balance_minutes"]) == ("收到赠与", 60, had + 60)
    donated = elder.ok("donations.give", {"minutes": 50, "from_group": "西坞志愿队"})
    assert (donated["township_code"], donated["donated_by_name"]) == (XIWU, "周桂芬")
    listed = elder.ok("donations.list")
    assert (listed["items"], listed["total_minutes"]) == ([donated], 50)


def _help(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    [before] = people["elder"].ok("pool.show")["items"]
    had = people["elder"].ok("me.balance")["granted_minutes"]
    granted = staff["district"].ok("hardship.approve", hardship_id=scene.hardship_id)
    assert (granted["status"], granted["person_name"], granted["circumstances"]) == ("approved", "周桂芬", ["低保"])
    assert people["elder"].ok("me.balance")["granted_minutes"] == had + 30
    [after] = people["elder"].ok("pool.show")["items"]
    assert (before["balance_minutes"] - after["balance_minutes"], after["given_minutes"]) == (30, 30)
    wanted = {"person_id": str(scene.person_id("elder")), "minutes": 20, "reason": "住院", "evidence": "出院小结"}
    asked = staff["steward_xiwu"].ok("hardship.request", wanted)
    declined = staff["district"].ok("hardship.decline", {"reason": "材料不全"}, hardship_id=asked["hardship_id"])
    assert (declined["status_name"], declined["decline_reason"]) == ("未批准", "材料不全")
    waiting = people["auditor"].ok("hardship.list", query={"status": "approved", "township_code": XIWU})["items"]
    assert waiting == [granted]
    lines = staff["steward_xiwu"].ok("pool.statement", query={"limit": 2})
    assert [(x["minutes"], x["person_name"]) for x in lines["items"]] == [(-30, "周桂芬"), (50, "周桂芬")]
    masked = people["auditor"].ok("pool.statement", query={"township_code": XIWU, "limit": 1})["items"]
    assert [(x["kind_name"], x["person_name"], x["note"]) for x in masked] == [("困难帮扶", "周**", "")]
