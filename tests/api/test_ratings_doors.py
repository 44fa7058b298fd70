"""Ratings and follow-ups through HTTP, by themselves: the walk, keys that are repeated, and values that are none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.scene import Scene
from tests.api.walk_ratings import say_what_one_thinks
from tests.doors import SignIn


def test_a_meal_is_rated_answered_hidden_and_called_about(scene: Scene, sign_in: SignIn) -> None:
    people = {who: sign_in(who) for who in ("elder", "proxy", "stranger", "clerk", "auditor")}
    staff = {who: sign_in(who) for who in ("district", "steward_xiwu")}
    say_what_one_thinks(scene, people, staff)


def test_a_rating_sent_again_with_its_key_is_one_revision(scene: Scene, sign_in: SignIn) -> None:
    elder, path = sign_in("elder"), {"order_id": str(scene.rated_order_id)}
    first = elder.raw("ratings.rate", {"stars": 4}, key="one", **path)
    again = elder.raw("ratings.rate", {"stars": 4}, key="one", **path)
    assert (first.get_json(), again.headers["Idempotency-Replayed"]) == (again.get_json(), "true")
    assert elder.ok("ratings.rate", {"stars": 3}, **path)["revision"] == first.get_json()["revision"] + 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"stars": 0}, "stars"),
        ({"stars": 6}, "stars"),
        ({"stars": 4.5}, "stars"),
        ({"stars": 5, "words": "好" * 201}, "words"),
        ({"stars": 5, "tags": ["味道好"] * 11}, "tags"),
        ({}, "stars"),
    ],
)
def test_what_is_no_rating_is_refused_by_field(scene: Scene, sign_in: SignIn, body: dict[str, Any], field: str) -> None:
    problem = sign_in("elder").refused("ratings.rate", body, order_id=str(scene.rated_order_id))
    assert (problem["status"], list(problem["errors"])) == (422, [field])


def test_an_unknown_canteen_has_no_ratings(scene: Scene, sign_in: SignIn) -> None:
    problem = sign_in("elder").refused("ratings.list", query={"canteen_id": str(scene.rated_order_id)})
    assert (problem["status"], problem["code"]) == (404, "canteen_unknown")
