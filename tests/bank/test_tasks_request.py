"""Asking for help: who may, for whom, when and how much."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.factories.people import DAYAN, XIWU, add_elder, add_person, district, staff, steward
from tests.factories.tasks import NINE, ask, ask_for_shift
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.core.sorting import Part
from timebank.people.actions import end_proxy, register_proxy
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Request
from timebank.tasks.queries import TaskFilter, find_tasks

WANTED = Request("companionship", NINE + timedelta(hours=1), 60)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def request(bank: Database, actor: Actor, wanted: Request) -> object:
    with bank.unit_of_work() as session:
        return tasks.request(session, actor=actor, wanted=wanted)


def test_an_elder_asks_for_the_own_township_with_a_code_of_six_digits(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        task = ask(session, elder)
        assert (task.status, task.township_code, task.elder_id) == ("open", XIWU, elder.person_id)
        assert task.ends_at - task.starts_at == timedelta(minutes=60)
        assert task.service_code is not None
        assert len(task.service_code) == 6
        assert task.service_code.isdigit()


def test_service_codes_differ_from_task_to_task(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        assert len({ask(session, elder).service_code for _ in range(12)}) > 8


def test_a_proxy_asks_for_the_elder_until_the_consent_ends(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, daughter = add_elder(session, XIWU), add_person(session, DAYAN, age=50)
        wanted = replace(WANTED, elder_id=elder.person())
        with pytest.raises(NotAllowed, match="not_your_elder:"):
            tasks.request(session, actor=daughter, wanted=wanted)
        proxy = register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书第1号",
        )
        assert tasks.request(session, actor=daughter, wanted=wanted).elder_id == elder.person_id
        end_proxy(session, actor=steward(XIWU), registration_id=proxy.id)
        with pytest.raises(NotAllowed, match="not_your_elder:"):
            tasks.request(session, actor=daughter, wanted=wanted)


def test_a_steward_asks_for_elders_of_the_own_township_only(bank: Database) -> None:
    with bank.unit_of_work() as session:
        wanted = replace(WANTED, elder_id=add_elder(session, XIWU).person())
        assert tasks.request(session, actor=steward(XIWU), wanted=wanted).township_code == XIWU
        assert tasks.request(session, actor=district(), wanted=wanted).township_code == XIWU
        with pytest.raises(NotAllowed, match="other_township:"):
            tasks.request(session, actor=steward(DAYAN), wanted=wanted)


def test_a_shift_is_a_stewards_to_ask_for_and_has_no_elder(bank: Database) -> None:
    with bank.unit_of_work() as session:
        task = ask_for_shift(session, places=10, starts_at=NINE + timedelta(days=1))
        assert (task.elder_id, task.places, task.township_code) == (None, 10, XIWU)
        with pytest.raises(NotAllowed, match="other_township:"):
            tasks.request(session, actor=steward(DAYAN), wanted=replace(WANTED, township_code=XIWU))
        with pytest.raises(Refused, match="township_needed:"):
            tasks.request(session, actor=district(), wanted=WANTED)


def test_staff_who_steward_nothing_ask_for_nothing(bank: Database) -> None:
    for role in (StaffRole.AUDITOR, StaffRole.CANTEEN_CLERK):
        with pytest.raises(NotAllowed, match="registration_needed:"):
            request(bank, staff(role, XIWU), WANTED)


def test_help_is_for_the_old_and_for_whom_a_steward_enrolled_as_an_elder(bank: Database) -> None:
    with bank.unit_of_work() as session:
        with pytest.raises(Refused, match="too_young_for_help:") as refusal:
            ask(session, add_person(session, XIWU, age=59))
        assert refusal.value.facts == {"min_age": 60}
        assert ask(session, add_person(session, XIWU, age=60)).status == "open"
        assert ask(session, add_elder(session, XIWU, age=45)).status == "open"


def test_what_policy_does_not_allow_is_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    refused: list[tuple[dict[str, Any], str]] = [
        ({"service_type": "dancing"}, "service_type_unknown"),
        ({"township_code": "330213999"}, "township_unknown"),
        ({"township_code": DAYAN}, "township_mismatch"),
        ({"starts_at": NINE - timedelta(minutes=60, microseconds=1)}, "starts_in_the_past"),
        ({"starts_at": NINE + timedelta(days=90, microseconds=1)}, "starts_too_far_ahead"),
        ({"minutes": 721}, "minutes_too_many"),
        ({"minutes": 0}, "amount_invalid"),
        ({"minutes": -60}, "amount_invalid"),
        ({"places": 101}, "places_too_many"),
        ({"places": 0}, "amount_invalid"),
    ]
    for changed, code in refused:
        with pytest.raises(Refused, match=f"{code}:"):
            request(bank, elder, replace(WANTED, **changed))
    with bank.session() as session:
        assert find_tasks(session, actor=elder, wanted=TaskFilter(mine=True), part=Part(99)).items == []


def test_the_limits_themselves_are_allowed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    allowed: list[dict[str, Any]] = [
        {"starts_at": NINE - timedelta(minutes=60)},
        {"starts_at": NINE + timedelta(days=90)},
        {"minutes": 720},
        {"minutes": 1},
        {"places": 100},
    ]
    for changed in allowed:
        request(bank, elder, replace(WANTED, **changed))
    with bank.session() as session:
        assert len(find_tasks(session, actor=elder, wanted=TaskFilter(mine=True), part=Part(99)).items) == len(allowed)


def test_nobody_asks_for_whom_nobody_knows(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    for actor, kind in ((elder, NotAllowed), (steward(XIWU), NotFound)):
        with pytest.raises(BankError) as refusal:
            request(bank, actor, replace(WANTED, elder_id=new_id()))
        assert type(refusal.value) is kind
