"""Every operation about diners, as the scene's people, clerks and stewards use them."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from app.api.diners.import_routes import WORKBOOK
from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.factories.diners import list_of_diners, listed
from tests.factories.people import XIWU, born_for_age, valid_id_number

Callers = dict[str, Caller]


def become_diners(scene: Scene, people: Callers, staff: Callers) -> None:
    """From an application to a file with categories and a household, and an office's whole list."""
    _apply_and_be_reviewed(scene, people, staff)
    _change_what_is_said(scene, people, staff)
    _live_together(scene, staff)
    _hand_a_list_in(staff)


def _apply_and_be_reviewed(scene: Scene, people: Callers, staff: Callers) -> None:
    path = {"person_id": str(scene.person_id("volunteer"))}
    asked = {"diet_form": "minced", "allergies": ["花生"], "categories": ["soldier_retired"], "evidence": "退役证"}
    waiting = people["volunteer"].ok("diners.apply", asked)
    assert (waiting["state"], waiting["state_name"], waiting["proposed_categories"]) == (
        *("applied", "待审核"),
        ["soldier_retired"],
    )
    queue = staff["steward_shangtian"].ok("diners.list", query={"state": "applied"})["items"]
    assert [one["person_id"] for one in queue] == [path["person_id"]]
    shown = {"category": "soldier_retired", "valid_from": "2020-01-01", "evidence": "退役证12"}
    approved = staff["steward_shangtian"].ok("diners.review", {"approve": True, "grants": [shown]}, **path)
    assert (approved["state"], approved["categories"][0]["valid_today"]) == ("approved", True)
    again = staff["district"].refused("diners.review", {"approve": False, "reason": "再看"}, **path)
    assert (again["status"], again["code"]) == (409, "wrong_state")
    twice = people["volunteer"].refused("diners.apply", asked)
    assert (twice["status"], twice["code"]) == (409, "wrong_state")
    young = people["stranger"].refused("diners.apply", {"person_id": str(scene.person_id("proxy"))})
    assert young["code"] == "not_your_elder"


def _change_what_is_said(scene: Scene, people: Callers, staff: Callers) -> None:
    path = {"person_id": str(scene.diners["approved"])}
    wishes = {"diet_form": "liquid", "delivery_note": "放门口", "latitude": 29.69, "longitude": 121.47}
    assert people["proxy"].ok("diners.change", wishes, **path)["diet_form_name"] == "流食"
    whole = people["elder"].ok("diners.show", **path)
    assert (whole["latitude"], whole["delivery_note"], whole["age"]) == (29.69, "放门口", 82)
    seen = people["clerk"].ok("diners.show", **path)
    assert (seen["name"], seen["diet_form"], seen["delivery_address"], seen["categories"]) == (
        *("周桂芬", "liquid"),
        *(None, None),
    )
    assert [one["person_id"] for one in people["clerk"].ok("diners.list")["items"]] == [path["person_id"]]
    own = [one["person_id"] for one in people["proxy"].ok("diners.list")["items"]]
    assert own == [path["person_id"]]
    steward = staff["steward_xiwu"]
    form = {"category": "living_alone", "valid_from": "2026-01-01", "valid_until": "2099-12-31", "evidence": "走访记录"}
    added = steward.ok("diners.add_category", form, **path)["categories"]
    taken = steward.refused("diners.add_category", form, **path)
    assert (taken["status"], taken["code"], taken["valid_until"]) == (409, "category_overlaps", "2099-12-31")
    ended = {"last_day": "2026-02-28", "reason": "与子女同住"}
    living = {**path, "category_id": added[-1]["category_id"]}
    last = steward.ok("diners.end_category", ended, **living)["categories"][-1]
    assert (last["valid_until"], last["ended_reason"], last["valid_today"]) == ("2026-02-28", "与子女同住", False)
    gone = steward.ok("diners.withdraw_category", {"reason": "登记有误"}, **living)["categories"][-1]
    assert (gone["withdrawn_reason"], gone["withdrawn_at"] is None) == ("登记有误", False)


def _live_together(scene: Scene, staff: Callers) -> None:
    steward, waiting = staff["steward_xiwu"], {"person_id": str(scene.diners["waiting"])}
    body = {"with_person_id": str(scene.diners["approved"]), "evidence": "户口簿第3页"}
    joined = steward.ok("diners.join_household", body, **waiting)
    assert [one["name"] for one in joined["household"]] == ["周桂芬"]
    assert steward.refused("diners.join_household", body, **waiting)["code"] == "already_same_household"
    assert steward.ok("diners.leave_household", {"evidence": "分户"}, **waiting)["household"] == []


def _hand_a_list_in(staff: Callers) -> None:
    number = valid_id_number(born_for_age(71))
    held = {"特殊类别": "低保", "类别起": "2026-01-01", "证明": "低保证7"}
    with TemporaryDirectory() as folder:
        path = list_of_diners(Path(folder) / "a.xlsx", listed(number, **held), listed(number, 餐食形态="生食"))
        content = path.read_bytes()
    sent = {"data": content, "content_type": WORKBOOK.media_type}
    trial = staff["steward_xiwu"].ok("diners.import", query={"dry_run": "true"}, **sent)
    done = staff["steward_xiwu"].ok("diners.import", query={"file_name": "3月.xlsx"}, **sent)
    assert (trial["diners"], trial["dry_run"], done["diners"], done["people"]) == (1, True, 1, 1)
    [back] = done["rejected"]
    assert (back["row"], back["reason"], "生食" in str(done)) == (3, "diet_form_unknown", False)
    again = staff["steward_xiwu"].ok("diners.import", **sent)
    assert (again["diners"], again["categories"], again["already_present"]) == (0, 0, 1)
    shown = staff["steward_xiwu"].ok("diners.list", query={"category": "low_income", "township_code": XIWU, "limit": 1})
    assert shown["next_cursor"] is not None
