"""Canteens over HTTP: pages of the map, forged cursors, queries by distance, grades under a key."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from tests.api.scene import Scene
from tests.doors import SignIn
from timebank.core import clock

NEAR = {"latitude": "29.69", "longitude": "121.47", "within_m": "100000"}


@pytest.mark.parametrize("query", [{}, NEAR], ids=["by id", "by distance"])
def test_pages_go_on_where_the_last_one_ended(scene: Scene, sign_in: SignIn, query: dict[str, str]) -> None:
    steward = sign_in("steward_xiwu")
    whole = [one["canteen_id"] for one in steward.ok("canteens.list", query=query)["items"]]
    found: list[str] = []
    cursor: str | None = None
    while not found or cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        page = steward.ok("canteens.list", query={**query, "limit": 1, **more})
        found += [one["canteen_id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert found == whole
    assert len(set(whole)) == len(whole) >= 3


@pytest.mark.parametrize(
    "place", [[], [1], "x", {"a": 1}, [None, "x"], [-1, "0" * 32], [True, "0" * 32], [2**40, "0" * 32], [1.5, "0" * 32]]
)
def test_a_forged_cursor_is_refused(scene: Scene, sign_in: SignIn, place: Any) -> None:
    cursor = urlsafe_b64encode(json.dumps(place).encode()).decode()
    for query in ({}, NEAR):
        problem = sign_in("elder").refused("canteens.list", query={**query, "cursor": cursor})
        assert (problem["code"], list(problem["errors"])) == ("invalid_input", ["cursor"])


def test_a_cursor_of_the_list_is_none_of_the_map(scene: Scene, sign_in: SignIn) -> None:
    steward = sign_in("steward_xiwu")
    for query, other in (({}, NEAR), (NEAR, {})):
        cursor = steward.ok("canteens.list", query={**query, "limit": 1})["next_cursor"]
        assert steward.refused("canteens.list", query={**other, "cursor": cursor})["code"] == "invalid_input"


@pytest.mark.parametrize("value", ["north", "nan", "1e1", "91", "29,6", "", "1_0", "２９"])
def test_a_place_that_is_no_number_is_refused(scene: Scene, sign_in: SignIn, value: str) -> None:
    problem = sign_in("elder").refused("canteens.list", query={"latitude": value, "longitude": "121"})
    assert list(problem["errors"]) == ["latitude"]


def test_half_a_place_is_refused(scene: Scene, sign_in: SignIn) -> None:
    assert sign_in("elder").refused("canteens.list", query={"latitude": "29"})["code"] == "place_incomplete"


@pytest.mark.parametrize("said", ["9:00", "24:00", "10:60", "10:30:00", "早上", "", 1030, None, "１０:30"])
def test_hours_that_are_no_time_of_day_are_refused(scene: Scene, sign_in: SignIn, said: Any) -> None:
    one = {"weekday": 1, "meal": "lunch", "opens_at": said, "closes_at": "13:00", "capacity_meals": 5}
    path = {"canteen_id": scene.canteens["open"]}
    problem = sign_in("steward_xiwu").refused("canteens.set_hours", {"hours": [one]}, **path)
    assert list(problem["errors"]) == ["hours.0.opens_at"]


def test_an_approval_asked_for_twice_under_one_key_is_credited_once(scene: Scene, sign_in: SignIn) -> None:
    approver, path = sign_in("district"), {"canteen_id": scene.canteens["open"]}
    body = {"year": clock.today().year}
    first, again = (approver.raw("canteens.approve_grade", body, key="one", **path) for _ in range(2))
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert first.get_json() == again.get_json()
    assert approver.refused("canteens.approve_grade", body, **path)["code"] == "grade_approved"


def test_grades_are_listed_newest_first_page_by_page(scene: Scene, sign_in: SignIn) -> None:
    auditor, path = sign_in("auditor"), {"canteen_id": scene.canteens["open"]}
    page = auditor.ok("canteens.grades", query={"limit": 1}, **path)
    assert ([one["grade"] for one in page["items"]], page["next_cursor"]) == (["AA"], None)
    beyond = urlsafe_b64encode(json.dumps([2**61]).encode()).decode()
    assert auditor.ok("canteens.grades", query={"cursor": beyond}, **path)["items"] == page["items"]


def test_a_steward_of_another_township_may_look_and_not_touch(scene: Scene, sign_in: SignIn) -> None:
    shangtian, path = sign_in("steward_shangtian"), {"canteen_id": scene.canteens["applied"]}
    assert shangtian.ok("canteens.show", **path)["state"] == "applied"
    assert shangtian.refused("canteens.close", {"reason": "搬迁"}, **path)["code"] == "other_township"
    assert sign_in("elder").refused("canteens.show", **path)["code"] == "canteen_unknown"
