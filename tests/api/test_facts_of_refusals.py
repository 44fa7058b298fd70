"""What a refusal tells beside its code: times with offset, where a thing stands, which township is unknown."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask

from tests.api.caller import Caller
from tests.api.scene import Scene
from timebank.core import clock

Doors = tuple[Flask, Scene]


def test_a_time_among_the_facts_is_rfc_3339_in_beijing_time(
    still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    scene = still_doors[1]
    asked = {"service_code": scene.codes["accepted"]}
    problem = still_callers["volunteer"].refused("tasks.check_in", asked, task_id=scene.tasks["accepted"])
    assert problem["code"] == "too_early"
    assert problem["starts_at"].endswith("+08:00")
    assert datetime.fromisoformat(problem["starts_at"]) > clock.now()


def test_where_a_task_stands_is_told_beside_the_http_status(
    still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    problem = still_callers["elder"].refused("tasks.confirm", {"rating": 5}, task_id=still_doors[1].tasks["confirmed"])
    assert (problem["status"], problem["code"], problem["current_status"]) == (409, "wrong_state", "confirmed")


def test_a_policy_for_an_unknown_township_is_refused(still_callers: dict[str, Caller]) -> None:
    change = {
        "values": [{"key": "voucher_valid_days", "value": 90, "township_code": "330213999"}],
        "effective_at": (clock.now() + timedelta(days=40)).isoformat(),
        "reason": "试点",
        "source": "会议纪要",
    }
    problem = still_callers["district"].refused("policies.propose", change)
    assert (problem["status"], problem["code"]) == (422, "township_unknown")
