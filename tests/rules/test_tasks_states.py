"""Every step of a volunteer's part from every status, and what the task as a whole then is."""

from __future__ import annotations

import pytest

from timebank.core.errors import Conflict
from timebank.tasks.rules import AssignmentStatus, after, may, places_left, task_status, wrong_state

ALLOWED = {
    ("check_in", "accepted"): "checked_in",
    ("check_out", "checked_in"): "checked_out",
    ("confirm", "checked_out"): "confirmed",
    ("dispute", "checked_in"): "disputed",
    ("dispute", "checked_out"): "disputed",
    ("rule", "disputed"): "confirmed",
    ("withdraw", "accepted"): "withdrawn",
    ("cancel", "accepted"): "cancelled",
    ("miss", "accepted"): "no_show",
    ("approve_record", "recorded"): "confirmed",
    ("reject_record", "recorded"): "rejected",
    ("reverse", "confirmed"): "reversed",
}
STEPS = sorted({step for step, _ in ALLOWED})
STATUSES = (
    *("accepted", "checked_in", "checked_out", "confirmed", "disputed"),
    *("withdrawn", "cancelled", "no_show", "recorded", "rejected", "reversed"),
)


def test_the_table_names_every_status_there_is() -> None:
    assert set(STATUSES) == {status.value for status in AssignmentStatus}


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_follows_only_from_where_the_table_says(step: str, status: str) -> None:
    then = ALLOWED.get((step, status))
    assert may(step, status) == (then is not None)
    if then is not None:
        assert after(step, status) == then
        return
    with pytest.raises(Conflict, match="wrong_state:") as refusal:
        after(step, status)
    assert refusal.value.facts == {"status": status}


@pytest.mark.parametrize("status", ["reversed", "withdrawn", "cancelled", "no_show", "rejected"])
def test_nothing_follows_from_an_end(status: str) -> None:
    assert [step for step in STEPS if may(step, status)] == []


@pytest.mark.parametrize(
    ("places", "parts", "over", "then"),
    [
        (1, [], False, "open"),
        (1, ["withdrawn", "no_show", "cancelled"], False, "open"),
        (1, ["withdrawn"], True, "open"),
        (1, ["accepted"], False, "accepted"),
        (1, ["withdrawn", "accepted"], False, "accepted"),
        (1, ["checked_in"], False, "checked_in"),
        (1, ["checked_out"], False, "checked_out"),
        (1, ["confirmed"], False, "confirmed"),
        (1, ["disputed"], False, "disputed"),
        (1, ["recorded"], True, "recorded"),
        (1, ["rejected"], True, "rejected"),
        (2, ["accepted", "accepted"], False, "accepted"),
        (2, ["accepted", "checked_in"], False, "checked_in"),
        (2, ["accepted", "checked_out"], False, "checked_in"),
        (2, ["checked_out", "confirmed"], False, "checked_out"),
        (2, ["confirmed", "confirmed"], False, "confirmed"),
        (2, ["confirmed", "disputed"], False, "disputed"),
        (1, ["reversed"], True, "reversed"),
        (2, ["reversed", "confirmed"], True, "confirmed"),
        (2, ["reversed", "checked_out"], True, "checked_out"),
    ],
)
def test_a_task_stands_where_its_parts_stand(places: int, parts: list[str], over: bool, then: str) -> None:
    assert task_status(places, parts, over=over) == then


@pytest.mark.parametrize("part", ["accepted", "checked_in", "checked_out", "confirmed"])
def test_a_shift_with_free_places_stays_open_until_it_is_over(part: str) -> None:
    assert task_status(10, [part, "withdrawn"], over=False) == "open"
    assert task_status(10, [part, "withdrawn"], over=True) == part


def test_a_dispute_goes_before_free_places() -> None:
    assert task_status(10, ["disputed", "accepted"], over=False) == "disputed"


def test_whoever_is_gone_leaves_a_place() -> None:
    assert places_left(10, ["accepted", "confirmed", "withdrawn", "no_show", "cancelled"]) == 8
    assert places_left(1, ["accepted"]) == 0


def test_a_wrong_state_is_said_in_chinese_with_its_code_as_a_fact() -> None:
    refusal = wrong_state("confirmed")
    assert refusal.code == "wrong_state"
    assert "已确认" in refusal.title
    assert refusal.facts == {"status": "confirmed"}
