"""What is in the way of leaving, and who must agree to a death."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.leaving.rules import (
    LeavingReason,
    OpenThing,
    check_died_on,
    evidence_given,
    must_be_another,
    must_be_settled,
    must_name_one,
)

ME, RELATIVE = new_id(), new_id()


def test_what_is_open_is_listed_with_when_it_ends() -> None:
    until = datetime(2026, 3, 12, tzinfo=UTC)
    task, loan = OpenThing("task", new_id(), until), OpenThing("aid_loan", new_id(), None)
    with pytest.raises(Conflict) as refused:
        must_be_settled([task, loan], LeavingReason.LEFT)
    assert refused.value.code == "not_settled_yet"
    assert refused.value.facts["items"] == [
        {"kind": "task", "kind_name": "服务任务", "id": str(task.id), "until": "2026-03-12T00:00:00+00:00"},
        {"kind": "aid_loan", "kind_name": "康复辅具借用", "id": str(loan.id), "until": None},
    ]
    assert "还有2项没有办结（康复辅具借用、服务任务）" in refused.value.title
    must_be_settled([], LeavingReason.DIED)


@pytest.mark.parametrize(
    ("reason", "wanted"), [(LeavingReason.LEFT, "再办理退出"), (LeavingReason.DIED, "再办理身故办结")]
)
def test_what_has_to_wait_is_named(reason: LeavingReason, wanted: str) -> None:
    with pytest.raises(Conflict) as refused:
        must_be_settled([OpenThing("task", new_id(), None)], reason)
    assert refused.value.title.endswith(wanted)


def test_what_has_no_name_of_its_own_is_called_minutes_set_aside() -> None:
    assert OpenThing("something_new", new_id(), None).kind_name == "冻结的时长"


@pytest.mark.parametrize(("to", "whom"), [("relative", None), ("pool", RELATIVE), ("relative", ME)])
def test_a_relative_is_named_when_the_savings_go_to_one_and_only_then(to: str, whom: object) -> None:
    with pytest.raises(Refused, match="relative_needed"):
        must_name_one(to, whom, ME)  # type: ignore[arg-type]
    must_name_one("relative", RELATIVE, ME)
    must_name_one("pool", None, ME)


@pytest.mark.parametrize("said", [None, "", " \n "])
def test_a_paper_is_named(said: str | None) -> None:
    with pytest.raises(Refused, match="evidence_missing"):
        evidence_given(said)
    assert evidence_given(" 申请书1号 ") == "申请书1号"


@pytest.mark.parametrize("day", [date(1949, 12, 31), date(2026, 3, 11)])
def test_nobody_dies_before_birth_or_tomorrow(day: date) -> None:
    with pytest.raises(Refused, match="died_on_invalid"):
        check_died_on(day, date(1950, 1, 1), date(2026, 3, 10))
    check_died_on(date(2026, 3, 10), date(1950, 1, 1), date(2026, 3, 10))


def test_the_reporter_and_the_two_who_approve_are_three_people() -> None:
    one, two, three = new_id(), new_id(), new_id()
    must_be_another(two, [one, None])
    must_be_another(three, [one, two])
    for again in (one, two, None):
        with pytest.raises(NotAllowed, match="second_person_needed"):
            must_be_another(again, [one, two])
