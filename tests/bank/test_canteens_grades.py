"""Yearly grades: proposed by one, approved by another, credited once, and found by ``verify`` where they do not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories.canteens import apply_for_canteen, canteen_clerk, open_canteen
from tests.factories.people import XIWU, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.canteens.network.actions import approve_grade, propose_grade
from timebank.canteens.network.models import Canteen, CanteenGrade
from timebank.canteens.network.views import grades_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Account, Transfer
from timebank.supervision.verify import verify

ONE, OTHER = district(), district()


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def here(bank: Database) -> Canteen:
    with bank.unit_of_work() as session:
        return open_canteen(session)


def propose(bank: Database, here: Canteen, grade: str = "AA", actor: Actor = ONE, year: int = 2026) -> CanteenGrade:
    with bank.unit_of_work() as session:
        return propose_grade(session, actor=actor, canteen_id=here.id, year=year, grade=grade, remarks=" 评审会 ")


def approve(bank: Database, here: Canteen, actor: Actor = OTHER, year: int = 2026) -> CanteenGrade:
    with bank.unit_of_work() as session:
        return approve_grade(session, actor=actor, canteen_id=here.id, year=year)


def refused(act: Callable[[], Any]) -> str:
    with pytest.raises(BankError) as raised:
        act()
    return raised.value.code


def credited(session: Session) -> list[tuple[str, str, Any, int]]:
    """Operating subsidies: from which kind of account, to which, of whom, how much."""
    rows = session.scalars(select(Transfer).where(Transfer.kind == "operating_subsidy").order_by(Transfer.seq))
    ends = [(session.get_one(Account, t.from_account_id), session.get_one(Account, t.to_account_id), t) for t in rows]
    return [(paid.kind, got.kind, got.organisation_id, t.amount) for paid, got, t in ends]


@pytest.mark.parametrize(("grade", "fen"), [("A", 3_000_000), ("AA", 6_000_000), ("AAA", 9_000_000)])
def test_an_approved_grade_is_credited_to_the_canteen_once(bank: Database, here: Canteen, grade: str, fen: int) -> None:
    proposed = propose(bank, here, grade)
    assert (proposed.subsidy_fen, proposed.remarks, proposed.transfer_id) == (fen, "评审会", None)
    approved = approve(bank, here)
    assert (approved.approved_by, approved.approved_at) == (OTHER.login_id, NINE)
    assert refused(lambda: approve(bank, here, district())) == "grade_approved"
    assert refused(lambda: propose(bank, here, "A")) == "grade_approved"
    with bank.session() as session:
        assert credited(session) == [("subsidy", "canteen", here.id, fen)]
        transfer = session.get_one(Transfer, approved.transfer_id)
        assert (transfer.cause_id, transfer.policy_version, transfer.note) == (
            here.id,
            proposed.policy_version,
            f"2026年{grade}级运营补贴",
        )


def test_whoever_proposed_does_not_approve(bank: Database, here: Canteen) -> None:
    propose(bank, here)
    assert refused(lambda: approve(bank, here, ONE)) == "second_person_needed"
    # A new proposal has a new proposer, and the first may approve that one.
    assert propose(bank, here, "AAA", OTHER).grade == "AAA"
    assert refused(lambda: approve(bank, here, OTHER)) == "second_person_needed"
    assert approve(bank, here, ONE).subsidy_fen == 9_000_000


def test_of_two_approvals_at_once_one_is_credited(bank: Database, here: Canteen) -> None:
    propose(bank, here)
    calls = [lambda s: approve_grade(s, actor=district(), canteen_id=here.id, year=2026)] * 4
    assert codes_of(at_once(bank, calls)) == ["grade_approved"] * 3 + ["ok"]
    with bank.session() as session:
        assert len(credited(session)) == 1


def test_what_was_proposed_is_paid_though_the_policy_changes_before_the_approval(bank: Database, here: Canteen) -> None:
    propose(bank, here)
    with bank.unit_of_work() as session:
        change_policy(session, "operating_subsidy_fen_by_grade", {"A": 0, "AA": 100, "AAA": 200})
    assert approve(bank, here).subsidy_fen == 6_000_000
    with bank.unit_of_work() as session:
        other = open_canteen(session)
    propose(bank, other, "A")
    nothing = approve(bank, other)
    assert (nothing.subsidy_fen, nothing.transfer_id) == (0, None)
    with bank.session() as session:
        assert [fen for *_, fen in credited(session)] == [6_000_000]


def test_grades_that_cannot_be_are_refused(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        waiting = apply_for_canteen(session)
    assert refused(lambda: propose(bank, waiting)) == "canteen_not_accepted"
    assert [refused(lambda y=y: propose(bank, here, year=y)) for y in (2025, 2027)] == ["grade_year_invalid"] * 2
    assert refused(lambda: approve(bank, here)) == "grade_unknown"
    nowhere = Canteen(id=new_id())
    assert [refused(lambda act=act: act(bank, nowhere)) for act in (propose, approve)] == ["canteen_unknown"] * 2
    with bank.session() as session:
        assert session.scalars(select(CanteenGrade)).all() == []


def test_only_the_district_grades(bank: Database, here: Canteen) -> None:
    propose(bank, here)
    for actor in (steward(XIWU), canteen_clerk(here), staff(StaffRole.AUDITOR)):
        assert refused(lambda actor=actor: propose(bank, here, "A", actor)) == "district_only"
        assert refused(lambda actor=actor: approve(bank, here, actor)) == "district_only"


def test_a_grade_only_proposed_is_for_those_who_oversee(bank: Database, here: Canteen) -> None:
    propose(bank, here)
    with bank.session() as session:
        seen = {
            who.name: [g.grade for g in grades_of(session, canteen_id=here.id, actor=who, limit=9)]
            for who in (steward(XIWU), canteen_clerk(here), staff(StaffRole.AUDITOR))
        }
        assert list(seen.values()) == [["AA"], [], ["AA"]]
    approve(bank, here)
    with bank.session() as session:
        assert [g.grade for g in grades_of(session, canteen_id=here.id, actor=canteen_clerk(here), limit=9)] == ["AA"]
        assert grades_of(session, canteen_id=here.id, actor=ONE, limit=9, before_year=2026) == []


@pytest.mark.parametrize(
    ("tampering", "seen"),
    [
        ("UPDATE canteen_grade SET subsidy_fen = 1", "grades_credited"),
        ("UPDATE canteen_grade SET transfer_id = gen_random_uuid()", "grades_credited"),
        ("DELETE FROM canteen_grade", "operating_subsidies_graded"),
        ("UPDATE organisation SET not_serving_since = now()", "canteens_serve_while_open"),
        ("DELETE FROM canteen_acceptance", "canteen_numbers_accepted"),
    ],
)
def test_what_was_altered_by_hand_is_named(unverified_bank: Database, tampering: str, seen: str) -> None:
    with unverified_bank.unit_of_work() as session:
        here = open_canteen(session)
    propose(unverified_bank, here)
    approve(unverified_bank, here)
    assert misfits(unverified_bank) == set()
    with unverified_bank.unit_of_work() as session:
        for table in ("canteen_grade", "canteen_acceptance"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(tampering))
    assert seen in misfits(unverified_bank)


def misfits(bank: Database) -> set[str]:
    with bank.session() as session:
        return {found.check.name for found in verify(session) if found.misfit is not None}
