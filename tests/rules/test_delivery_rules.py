"""States of rounds, codes at the door, minutes from cooking, and who works where."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.factories.people import DAYAN, XIWU, district, staff, steward
from timebank.canteens.delivery.rules import (
    REASON_NAMES,
    REPORTED,
    RoundState,
    UndeliveredReason,
    after,
    code_fits,
    handover_code,
    minutes_between,
    must_look_into,
    works_at,
)
from timebank.core.actors import SYSTEM, StaffRole
from timebank.core.clock import LOCAL
from timebank.core.errors import BankError, NotAllowed
from timebank.core.ids import new_id
from timebank.policies.meal_definitions import UNDELIVERED_REASONS

COOKED = datetime(2026, 3, 10, 10, tzinfo=LOCAL)
ALLOWED = {
    ("start", "planned"): "departed",
    ("replace", "planned"): "replaced",
    ("lapse", "planned"): "lapsed",
    ("give", "planned"): "planned",
    ("hand_over", "departed"): "departed",
    ("finish", "departed"): "finished",
}


@pytest.mark.parametrize("state", RoundState)
@pytest.mark.parametrize("step", ["start", "replace", "lapse", "give", "hand_over", "finish"])
def test_a_round_goes_one_way(step: str, state: str) -> None:
    if (step, state) in ALLOWED:
        assert after(step, state) == ALLOWED[step, state]
        return
    with pytest.raises(BankError) as raised:
        after(step, state)
    assert (raised.value.code, raised.value.facts["status"]) == ("wrong_state", state)


def test_a_code_has_four_digits_and_differs_from_order_to_order() -> None:
    codes = {handover_code(n.to_bytes(8) + bytes(24)) for n in range(10_000)}
    assert len(codes) == 10_000
    assert all(len(code) == 4 and code.isdigit() for code in codes)
    assert handover_code(bytes(32)) == "0000"


@pytest.mark.parametrize(
    ("typed", "fits"),
    [("0427", True), ("０４２７", True), (" 04 27\t", True), ("427", False), ("04271", False), ("", False)],
)
def test_a_code_is_compared_as_people_type_it(typed: str, fits: bool) -> None:
    assert code_fits("0427", typed) is fits


@pytest.mark.parametrize(
    ("seconds", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (15 * 60, 15), (15 * 60 + 1, 16), (-1, None)]
)
def test_minutes_from_cooking_count_what_has_begun(seconds: int, minutes: int | None) -> None:
    assert minutes_between(COOKED, COOKED + timedelta(seconds=seconds)) == minutes
    assert minutes_between(None, COOKED) is None


def test_every_reason_has_a_name_and_a_price_in_the_policies() -> None:
    assert set(UNDELIVERED_REASONS) == set(map(str, REPORTED))
    assert set(map(str, REASON_NAMES)) == set(map(str, UndeliveredReason)) == {*map(str, REPORTED), "not_brought"}


def test_a_clerk_works_at_one_canteen_a_steward_at_those_of_the_township_the_district_everywhere() -> None:
    here, there = new_id(), new_id()
    clerk = staff(StaffRole.CANTEEN_CLERK, XIWU, here)
    assert works_at(clerk, here, XIWU)
    assert not works_at(clerk, there, XIWU)
    assert works_at(steward(XIWU), there, XIWU)
    assert not works_at(steward(XIWU), there, DAYAN)
    assert works_at(district(), there, DAYAN)
    for actor in (SYSTEM, staff(StaffRole.AUDITOR), staff(StaffRole.CARE_PROVIDER, XIWU, here)):
        assert not works_at(actor, here, XIWU)
    must_look_into(staff(StaffRole.AUDITOR), here, XIWU)
    with pytest.raises(NotAllowed):
        must_look_into(steward(DAYAN), here, XIWU)
