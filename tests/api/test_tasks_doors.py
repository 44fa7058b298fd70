"""Tasks at the door: where a visit goes and to whom it is said, reasons of cancelling, and what is near."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.people import SHANGTIAN, XIWU
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.models import ElderFile, Person
from timebank.tasks.models import Task

ADDRESS = "白杜村 13 号，红铁门"


def _asked_for(elder: Caller, *, days: int = 6, **more: Any) -> Any:
    start = clock.now() + timedelta(days=days)
    wanted = {"service_type": "companionship", "starts_at": start.isoformat(), "minutes": 60, **more}
    return elder.ok("tasks.request", wanted)["task_id"]


def _looks(bank: Database, task_id: str) -> list[str]:
    """Who has looked at where this visit goes."""
    query = select(AuditEntry.actor_name).where(
        AuditEntry.action == "visit_address_looked_at", AuditEntry.subject_id == task_id
    )
    with bank.session() as session:
        return list(session.scalars(query.order_by(AuditEntry.at)))


def _has_phone(bank: Database, scene: Scene, who: str, phone: str | None) -> None:
    with bank.unit_of_work() as session:
        session.get_one(Person, scene.person_id(who)).phone = phone


def _serve(volunteer: Caller, elder: Caller, task_id: str) -> None:
    """From signing in to signing out."""
    task = elder.ok("tasks.show", task_id=task_id)
    volunteer.ok("dev.set_clock", {"now": task["starts_at"]})
    volunteer.ok("tasks.check_in", {"service_code": task["service_code"]}, task_id=task_id)
    volunteer.ok("dev.set_clock", {"now": (clock.now() + timedelta(minutes=60)).isoformat()})


def test_whoever_has_accepted_sees_where_to_go_until_the_visit_is_over(
    bank: Database, scene: Scene, sign_in: SignIn
) -> None:
    elder, volunteer = sign_in("elder"), sign_in("volunteer")
    _has_phone(bank, scene, "elder", "13812345678")
    task_id = _asked_for(elder, address=ADDRESS)
    before = volunteer.refused("tasks.where", task_id=task_id)
    assert (before["status"], before["code"], _looks(bank, task_id)) == (403, "visit_not_underway", [])
    volunteer.ok("tasks.accept", task_id=task_id)
    where = volunteer.ok("tasks.where", task_id=task_id)
    assert (where["address"], where["contact_name"], where["phone"]) == (ADDRESS, "周桂芬", "13812345678")
    assert _looks(bank, task_id) == ["林志远"]
    _serve(volunteer, elder, task_id)
    assert volunteer.ok("tasks.where", task_id=task_id)["phone"] == "13812345678"
    volunteer.ok("tasks.check_out", task_id=task_id)
    assert volunteer.refused("tasks.where", task_id=task_id)["code"] == "visit_not_underway"
    assert _looks(bank, task_id) == ["林志远"] * 2


def test_nobody_else_is_told_the_whole_number_and_the_list_holds_no_address(
    bank: Database, scene: Scene, sign_in: SignIn
) -> None:
    elder, volunteer = sign_in("elder"), sign_in("volunteer")
    _has_phone(bank, scene, "elder", "13812345678")
    task_id = _asked_for(elder, address=ADDRESS)
    volunteer.ok("tasks.accept", task_id=task_id)
    for who in ("elder", "proxy", "steward_xiwu", "auditor"):
        assert sign_in(who).ok("tasks.where", task_id=task_id)["phone"] == "138****5678", who
    for who in ("stranger", "steward_shangtian"):
        assert sign_in(who).refused("tasks.where", task_id=task_id)["code"] == "task_unknown"
    # The helped side looks at its own; what staff look at is written down.
    assert len(_looks(bank, task_id)) == 2
    assert "白杜" not in volunteer.raw("tasks.list", query={"mine": "true"}).text
    with bank.session() as session:
        sealed = session.scalars(text("SELECT address FROM task WHERE address IS NOT NULL")).all()
    assert [ADDRESS[:2].encode() in bytes(one) for one in sealed] == [False]


def test_after_withdrawing_one_is_told_nothing_any_more(scene: Scene, sign_in: SignIn) -> None:
    volunteer = sign_in("volunteer")
    task_id = _asked_for(sign_in("elder"), address=ADDRESS)
    volunteer.ok("tasks.accept", task_id=task_id)
    volunteer.ok("tasks.cancel", task_id=task_id)
    assert volunteer.refused("tasks.where", task_id=task_id)["code"] == "visit_not_underway"


def test_an_elder_without_a_telephone_is_reached_by_the_proxy(bank: Database, scene: Scene, sign_in: SignIn) -> None:
    volunteer, task_id = sign_in("volunteer"), scene.tasks["accepted"]
    _has_phone(bank, scene, "elder", None)
    _has_phone(bank, scene, "proxy", "13911112222")
    with bank.unit_of_work() as session:
        session.merge(ElderFile(person_id=scene.person_id("elder"), circumstances=[], village="白杜村"))
    where = volunteer.ok("tasks.where", task_id=task_id)
    assert (where["contact_is_proxy"], where["phone"]) == (True, "13911112222")
    assert (where["address"], where["village"]) == (None, "白杜村")
    _has_phone(bank, scene, "proxy", None)
    assert volunteer.ok("tasks.where", task_id=task_id)["phone"] is None


def test_a_shift_goes_to_nobodys_door(scene: Scene, sign_in: SignIn) -> None:
    steward = sign_in("steward_xiwu")
    start = (clock.now() + timedelta(days=2)).isoformat()
    shift = {"service_type": "companionship", "starts_at": start, "minutes": 60, "places": 2}
    task_id = steward.ok("tasks.request", {**shift, "township_code": XIWU})["task_id"]
    assert steward.refused("tasks.where", task_id=task_id)["code"] == "no_visit"


def test_why_a_volunteer_does_not_come_is_told_to_the_elder(scene: Scene, sign_in: SignIn) -> None:
    elder, volunteer, task_id = sign_in("elder"), sign_in("volunteer"), scene.tasks["accepted"]
    volunteer.ok("tasks.cancel", {"reason": "ill", "words": "发烧了"}, task_id=task_id)
    notice = elder.ok("notices.list")["items"][0]
    assert "林志远不能前来（身体不舒服：发烧了）" in notice["body"]
    [part] = [one for one in elder.ok("tasks.show", task_id=task_id)["assignments"] if one["status"] == "withdrawn"]
    assert part["ended_reason"] == "身体不舒服：发烧了"


def test_why_help_is_not_wanted_any_more_is_told_to_the_volunteer_who_may_still_read_it(
    scene: Scene, sign_in: SignIn
) -> None:
    volunteer, task_id = sign_in("volunteer"), scene.tasks["accepted"]
    sign_in("elder").ok("tasks.cancel", {"reason": "helped"}, task_id=task_id)
    assert "已经有人帮忙了" in volunteer.ok("notices.list")["items"][0]["body"]
    shown = volunteer.ok("tasks.show", task_id=task_id)
    assert (shown["status"], shown["ended_reason"], shown["beneficiary_name"]) == (
        "cancelled",
        "已经有人帮忙了",
        "周**",
    )


def test_another_reason_needs_words_and_without_them_nothing_is_cancelled(scene: Scene, sign_in: SignIn) -> None:
    volunteer, task_id = sign_in("volunteer"), scene.tasks["accepted"]
    refused = volunteer.refused("tasks.cancel", {"reason": "other", "words": " "}, task_id=task_id)
    assert (refused["status"], refused["code"], refused["field"]) == (422, "cancel_words_needed", "words")
    assert volunteer.ok("tasks.show", task_id=task_id)["status"] == "accepted"


@pytest.mark.parametrize("key", [None, "one"])
def test_a_phone_that_knows_of_no_reasons_cancels_without_a_body(
    key: str | None, scene: Scene, sign_in: SignIn
) -> None:
    volunteer, path = sign_in("volunteer"), {"task_id": scene.tasks["accepted"]}
    first = volunteer.raw("tasks.cancel", key=key, **path)
    assert (first.status_code, first.get_json()["status"]) == (200, "open")
    if key is not None:
        assert volunteer.raw("tasks.cancel", key=key, **path).headers["Idempotency-Replayed"] == "true"


def _open(caller: Caller, **query: Any) -> list[str]:
    """Ids of what is open, over all pages."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = caller.ok("tasks.list", query={"status": "open", "limit": 2, **query, **cursor})
        found += [one["task_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_the_soonest_come_first_and_one_kind_can_be_asked_for(scene: Scene, sign_in: SignIn) -> None:
    elder, volunteer = sign_in("elder"), sign_in("volunteer")
    late, early = _asked_for(elder, days=9), _asked_for(elder, days=1)
    middle = _asked_for(elder, days=5, service_type="errands") if _kind(volunteer, "errands") else None
    found = _open(volunteer, sort="starts_at")
    assert found.index(early) < found.index(late)
    only = _open(volunteer, service_type="companionship")
    assert ({late, early} <= set(only), middle in only) == (True, False)


def _kind(caller: Caller, code: str) -> bool:
    return code in {one["code"] for one in caller.ok("service_types.list")["items"]}


def test_what_is_near_comes_first_then_ones_own_township_and_then_the_rest(
    bank: Database, scene: Scene, sign_in: SignIn
) -> None:
    elder, volunteer = sign_in("elder"), sign_in("volunteer")
    far = _asked_for(elder, days=1, latitude=29.70, longitude=121.40)
    near = _asked_for(elder, days=9, latitude=29.6552, longitude=121.4083)
    own, elsewhere = _asked_for(elder, days=8), _asked_for(elder, days=2)
    with bank.unit_of_work() as session:
        session.get_one(Task, UUID(own)).township_code = SHANGTIAN
    mine = (near, far, own, elsewhere)
    here = {"sort": "near", "latitude": "29.6555", "longitude": "121.4080"}
    assert [one for one in _open(volunteer, **here) if one in mine] == [near, far, own, elsewhere]
    # Without a place of one's own: the own township, then the others, soonest first.
    assert [one for one in _open(volunteer, sort="near") if one in mine] == [own, far, elsewhere, near]


def test_half_a_place_is_refused(scene: Scene, sign_in: SignIn) -> None:
    problem = sign_in("volunteer").refused("tasks.list", query={"sort": "near", "latitude": "29.6"})
    assert (problem["code"], list(problem["errors"])) == ("invalid_input", ["longitude"])
