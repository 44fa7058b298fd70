"""Special categories and households: what stewards decide, and that history stays."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.diners import approved_diner, enrolled
from tests.factories.people import SHANGTIAN, XIWU, add_person, district, steward
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.canteens.diners.actions import (
    Grant,
    add_category,
    end_category,
    end_diner,
    join_household,
    leave_household,
    withdraw_category,
)
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.canteens.diners.queries import facts_on
from timebank.canteens.diners.views import DinerFilter, diner_for, find_diners
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.sorting import Part

JANUARY, JUNE = date(2026, 1, 1), date(2026, 6, 30)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def low_income(valid_from: date, valid_until: date | None = None) -> Grant:
    return Grant("low_income", valid_from, "低保证2026-12", valid_until)


def granted(bank: Database, grant: Grant) -> tuple[Actor, UUID]:
    with bank.unit_of_work() as session:
        diner = approved_diner(session)
        return diner, add_category(session, actor=steward(XIWU), person_id=diner.person(), grant=grant).id


def holds(bank: Database, who: Actor, *days: date) -> list[bool]:
    """Whether 低保 holds on each of these days."""
    with bank.session() as session:
        found = [facts_on(session, [who.person()], day)[who.person()] for day in days]
    return ["low_income" in facts.categories for facts in found]


def refusal(bank: Database, deed: Any, **how: Any) -> str:
    with pytest.raises(BankError) as raised, bank.unit_of_work() as session:
        deed(session, **how)
    return raised.value.code


def test_a_category_holds_from_its_first_day_to_its_last(bank: Database) -> None:
    diner, _ = granted(bank, low_income(JANUARY, JUNE))
    days = (date(2025, 12, 31), JANUARY, JUNE, date(2026, 7, 1))
    assert holds(bank, diner, *days) == [False, True, True, False]


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        (low_income(JUNE, date(2026, 12, 31)), "category_overlaps"),
        (low_income(date(2025, 1, 1)), "category_overlaps"),
        (low_income(date(2026, 7, 1)), None),
        (low_income(date(2025, 1, 1), date(2025, 12, 31)), None),
        (Grant("disabled", JANUARY, "残疾证"), None),
        (Grant("king", JANUARY, "证"), "category_unknown"),
        (Grant("disabled", JANUARY, " "), "evidence_missing"),
        (Grant("disabled", JUNE, "残疾证", JANUARY), "category_ends_too_soon"),
    ],
)
def test_a_category_is_granted_on_evidence_and_once_for_a_day(bank: Database, grant: Grant, code: str | None) -> None:
    diner, _ = granted(bank, low_income(JANUARY, JUNE))
    granting = {"actor": steward(XIWU), "person_id": diner.person(), "grant": grant}
    if code is not None:
        assert refusal(bank, add_category, **granting) == code
    else:
        with bank.unit_of_work() as session:
            add_category(session, **granting)
    with bank.session() as session:
        count = len(session.scalars(select(DinerCategory)).all())
    assert count == (1 if code else 2)


def test_an_ended_category_held_until_its_last_day_and_ends_once(bank: Database) -> None:
    diner, category_id = granted(bank, low_income(JANUARY))
    ending = {"actor": steward(XIWU), "person_id": diner.person(), "category_id": category_id}
    early = date(2025, 12, 31)
    assert refusal(bank, end_category, **ending, last_day=early, reason="收入提高") == "category_ends_too_soon"
    assert refusal(bank, end_category, **ending, last_day=JUNE, reason=" ") == "reason_needed"
    with bank.unit_of_work() as session:
        ended = end_category(session, **ending, last_day=JUNE, reason="收入提高")
        assert (ended.ended_at, ended.ended_reason) == (NINE, "收入提高")
    assert holds(bank, diner, JUNE, date(2026, 7, 1)) == [True, False]
    assert refusal(bank, end_category, **ending, last_day=JANUARY, reason="再次") == "category_ended"
    with bank.unit_of_work() as session:
        add_category(session, actor=steward(XIWU), person_id=diner.person(), grant=low_income(date(2026, 7, 1)))
    assert holds(bank, diner, JUNE, date(2026, 7, 1)) == [True, True]


def test_ending_does_not_lengthen(bank: Database) -> None:
    diner, category_id = granted(bank, low_income(JANUARY, JUNE))
    ending = {"actor": steward(XIWU), "person_id": diner.person(), "category_id": category_id, "reason": "延长"}
    assert refusal(bank, end_category, **ending, last_day=date(2026, 7, 1)) == "category_ends_before"


def test_a_withdrawn_category_never_held_and_makes_room(bank: Database) -> None:
    diner, category_id = granted(bank, low_income(JANUARY))
    which = {"actor": steward(XIWU), "person_id": diner.person(), "category_id": category_id}
    assert refusal(bank, withdraw_category, **which, reason="") == "reason_needed"
    with bank.unit_of_work() as session:
        withdraw_category(session, **which, reason="登记在别人名下")
    assert holds(bank, diner, JANUARY, JUNE) == [False, False]
    assert refusal(bank, withdraw_category, **which, reason="再次") == "category_withdrawn"
    assert refusal(bank, end_category, **which, last_day=JUNE, reason="终止") == "category_withdrawn"
    with bank.unit_of_work() as session:
        add_category(session, actor=steward(XIWU), person_id=diner.person(), grant=low_income(JANUARY))
        views = diner_for(session, actor=district(), person_id=diner.person()).categories
        assert [(view.valid_today, view.row.withdrawn_reason) for view in views] == [
            (False, "登记在别人名下"),
            (True, None),
        ]
        actions = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        assert [a for a in actions if a.startswith("diner_category")] == [
            *("diner_category_added", "diner_category_withdrawn", "diner_category_added")
        ]


def test_categories_are_for_the_stewards_of_the_diners_township(bank: Database) -> None:
    diner, category_id = granted(bank, low_income(JANUARY))
    other, _ = granted(bank, low_income(JANUARY))
    grant = Grant("disabled", JANUARY, "残疾证")
    for who, code in ((diner, "steward_only"), (steward(SHANGTIAN), "other_township")):
        assert refusal(bank, add_category, actor=who, person_id=diner.person(), grant=grant) == code
        which = {"actor": who, "person_id": diner.person(), "category_id": category_id, "reason": "有误"}
        assert refusal(bank, withdraw_category, **which) == code
    elsewhere = {"actor": steward(XIWU), "person_id": other.person(), "category_id": category_id}
    assert refusal(bank, withdraw_category, **elsewhere, reason="有误") == "diner_category_unknown"
    with bank.unit_of_work() as session:
        nobody = add_person(session, XIWU)
        end_diner(session, person_id=diner.person())
    granting = {"actor": steward(XIWU), "grant": grant}
    assert refusal(bank, add_category, **granting, person_id=nobody.person()) == "diner_unknown"
    assert refusal(bank, add_category, **granting, person_id=diner.person()) == "wrong_state"


def household(session: Session, who: Actor) -> UUID:
    return session.get_one(Diner, who.person(), populate_existing=True).household_id


def test_diners_share_a_household_until_one_leaves_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        wife, husband, son = (approved_diner(session, name=name) for name in ("周桂芬", "林大海", "林小海"))
    joining = {"actor": steward(XIWU), "with_person_id": wife.person(), "evidence": "户口簿第3页"}
    with bank.unit_of_work() as session:
        join_household(session, **joining, person_id=husband.person())
        join_household(session, **joining, person_id=son.person())
        assert household(session, wife) == household(session, husband) == household(session, son)
    assert refusal(bank, join_household, **joining, person_id=son.person()) == "already_same_household"
    with bank.unit_of_work() as session:
        seen = diner_for(session, actor=wife, person_id=wife.person()).household
        assert [member.name for member in seen] == ["林**", "林**"]
        leave_household(session, actor=steward(XIWU), person_id=husband.person(), evidence="已分户")
        assert household(session, husband) not in {household(session, wife), household(session, son)}
        assert household(session, wife) == household(session, son)
        seen = diner_for(session, actor=steward(XIWU), person_id=wife.person()).household
        assert [member.name for member in seen] == ["林小海"]


def test_households_are_refused_to_strangers_oneself_and_without_evidence(bank: Database) -> None:
    with bank.unit_of_work() as session:
        wife, husband = (approved_diner(session) for _ in range(2))
        far, nobody = approved_diner(session, SHANGTIAN), enrolled(session)
    both = {"person_id": husband.person(), "with_person_id": wife.person()}
    joining = {**both, "actor": steward(XIWU), "evidence": "户口簿"}
    cases: list[tuple[dict[str, Any], str]] = [
        ({"evidence": " "}, "evidence_missing"),
        ({"with_person_id": husband.person()}, "household_with_oneself"),
        ({"with_person_id": far.person()}, "other_township"),
        ({"person_id": far.person()}, "other_township"),
        ({"with_person_id": nobody.person()}, "diner_unknown"),
        ({"actor": husband}, "steward_only"),
    ]
    for changed, code in cases:
        assert refusal(bank, join_household, **{**joining, **changed}) == code
    leaving = {"person_id": husband.person(), "evidence": "分户"}
    assert refusal(bank, leave_household, **leaving, actor=husband) == "steward_only"
    with bank.unit_of_work() as session:
        join_household(session, **{**joining, "actor": district(), "with_person_id": far.person()})


def test_lists_are_found_by_state_category_and_township_page_by_page(bank: Database) -> None:
    with bank.unit_of_work() as session:
        disabled = [approved_diner(session, categories=["disabled"]) for _ in range(3)]
        plain, far = approved_diner(session), approved_diner(session, SHANGTIAN, categories=["disabled"])
        past = Grant("disabled", JANUARY, "残疾证", date(2026, 2, 28))
        add_category(session, actor=district(), person_id=plain.person(), grant=past)
    with bank.session() as session:
        seen = find_diners(session, actor=steward(XIWU), wanted=DinerFilter(category="disabled"), part=Part(9)).items
        assert [view.diner.person_id for view in seen] == [who.person() for who in disabled]
        everybody = find_diners(session, actor=district(), wanted=DinerFilter(category="disabled"), part=Part(9)).items
        assert [view.diner.person_id for view in everybody][-1] == far.person()
        last = (seen[0].diner.applied_at, seen[0].diner.person_id)
        part = Part(9, after=last)
        rest = find_diners(session, actor=steward(XIWU), wanted=DinerFilter(state="approved"), part=part).items
        assert [view.diner.person_id for view in rest] == [*(w.person() for w in disabled[1:]), plain.person()]
        assert find_diners(session, actor=district(), wanted=DinerFilter(state="applied"), part=Part(9)).items == []
