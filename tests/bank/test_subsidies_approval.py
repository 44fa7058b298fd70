"""Who answers findings, approves and returns claims, in which order, and what their answers come to."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from threading import Barrier

import pytest
from sqlalchemy import func, select, text

from tests.factories.people import SHANGTIAN, XIWU, district, steward
from tests.factories.subsidies import (
    APRIL,
    MARCH,
    Place,
    a_place,
    answered,
    balance_fen,
    computed,
    paid,
    served,
    undone,
)
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.models import SubsidyClaim
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice

CANTEEN = AccountKind.CANTEEN


@pytest.fixture(autouse=True)
def _the_third_of_april() -> Iterator[None]:
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def place(bank: Database) -> Place:
    return a_place(bank)


def eat(bank: Database, place: Place, *borne: tuple[str, str, int], **how: object) -> object:
    with bank.unit_of_work() as session:
        return served(session, place, place.diner, *borne, **how)  # type: ignore[arg-type]


def test_an_earlier_month_is_paid_first_and_a_later_one_returned_first(bank: Database, place: Place) -> None:
    eat(bank, place)
    eat(bank, place, on=date(2026, 4, 2))
    march = computed(bank, place)
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    april = computed(bank, place, APRIL)
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="earlier_month_unpaid"):
        actions.approve_claim(session, actor=steward(XIWU), claim_id=april.id)
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="later_month_claimed"):
        actions.return_claim(session, actor=steward(XIWU), claim_id=march.id, reason="重算")
    for claim in (april, march):
        with bank.unit_of_work() as session:
            actions.return_claim(session, actor=steward(XIWU), claim_id=claim.id, reason="重算")
    # The month after takes along what the returned one had; then the earlier month cannot be claimed by itself.
    assert computed(bank, place, APRIL).meals == 2
    with pytest.raises(Conflict, match="later_month_claimed"):
        computed(bank, place, MARCH)


def test_a_month_waits_for_the_one_before_it_that_was_returned_and_the_stewards_are_told_once(
    bank: Database, place: Place
) -> None:
    eat(bank, place)
    eat(bank, place, on=date(2026, 4, 2))
    march = computed(bank, place)
    with bank.unit_of_work() as session:
        actions.return_claim(session, actor=steward(XIWU), claim_id=march.id, reason="重算")
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    assert job_run(bank) == [True]
    assert job_run(bank) == []
    with bank.unit_of_work() as session:
        assert actions.compute_due_claim(session, canteen_id=place.id, month=APRIL) is False
        told = session.scalars(select(Notice.body).where(Notice.title == "助餐补贴等待重算")).all()
        assert [f"请先重算{MARCH}" in body for body in told] == [True]
    assert computed(bank, place).meals == 1
    assert job_run(bank) == [True]
    with bank.session() as session:
        live = select(SubsidyClaim.month, SubsidyClaim.meals).where(SubsidyClaim.state != "returned")
        assert session.execute(live.order_by(SubsidyClaim.month)).all() == [(MARCH, 1), (APRIL, 1)]


def test_a_returned_month_that_a_later_one_took_along_holds_nothing_back(bank: Database, place: Place) -> None:
    for on in (date(2026, 3, 10), date(2026, 4, 2), date(2026, 5, 2)):
        eat(bank, place, on=on)
    march = computed(bank, place)
    with bank.unit_of_work() as session:
        actions.return_claim(session, actor=steward(XIWU), claim_id=march.id, reason="重算")
    clock.freeze(datetime(2026, 6, 3, 9, tzinfo=clock.LOCAL))
    assert computed(bank, place, APRIL).meals == 2
    assert job_run(bank) == [True]
    with bank.session() as session:
        assert session.scalars(select(SubsidyClaim.month).where(SubsidyClaim.computed_by_name == "系统")).all() == [
            "2026-05"
        ]


def job_run(bank: Database) -> list[bool]:
    """What the job does with each item that it finds."""
    with bank.session() as session:
        due = actions.claims_due(session, limit=10)
    done = []
    for canteen_id, month in due:
        with bank.unit_of_work() as session:
            done.append(actions.compute_due_claim(session, canteen_id=canteen_id, month=month))
    return done


def test_two_persons_approve_and_neither_had_it_computed(bank: Database, place: Place) -> None:
    eat(bank, place)
    one, two, region = steward(XIWU), steward(XIWU), district()
    claim = computed(bank, place, by=one)

    def approve(who: object) -> object:
        with bank.unit_of_work() as session:
            return actions.approve_claim(session, actor=who, claim_id=claim.id).state  # type: ignore[arg-type]

    with pytest.raises(NotAllowed, match="second_person_needed"):
        approve(one)
    with pytest.raises(NotAllowed, match="other_township"):
        approve(steward(SHANGTIAN))
    assert approve(two) == "township_approved"
    with pytest.raises(NotAllowed, match="district_only"):
        approve(one)
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="wrong_state"):
        actions.pay_claim(session, actor=region, claim_id=claim.id, reference="1")
    assert approve(region) == "approved"
    with pytest.raises(Conflict, match="wrong_state"):
        approve(district())
    with bank.unit_of_work() as session, pytest.raises(NotAllowed, match="district_only"):
        actions.pay_claim(session, actor=two, claim_id=claim.id, reference="1")


def test_the_district_does_not_approve_for_the_township(bank: Database, place: Place) -> None:
    eat(bank, place)
    claim = computed(bank, place)
    with bank.unit_of_work() as session, pytest.raises(NotAllowed, match="township_first"):
        actions.approve_claim(session, actor=district(), claim_id=claim.id)
    with bank.session() as session:
        left = session.get_one(SubsidyClaim, claim.id)
        assert (left.state, left.township_approved_at, left.disallowed_fen) == ("checked", None, None)


def test_two_approvals_at_once_count_once_each_step(bank: Database, place: Place) -> None:
    eat(bank, place)
    claim = computed(bank, place)
    both = Barrier(2, timeout=30)

    def approve(who: object) -> str:
        with bank.unit_of_work() as session:
            both.wait()
            try:
                return actions.approve_claim(session, actor=who, claim_id=claim.id).state  # type: ignore[arg-type]
            except BankError as refusal:
                return refusal.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(approve, [steward(XIWU), steward(XIWU)])) == ["district_only", "township_approved"]


def test_a_finding_is_answered_once_by_the_township_and_with_a_reason(bank: Database, place: Place) -> None:
    eat(bank, place, ("government", "government_80", 500))
    claim = computed(bank, place)
    how = {"claim_id": claim.id, "number": 1, "decision": "upheld"}

    def decide(who: object, reason: str = "已核实", **more: object) -> str:
        with bank.unit_of_work() as session:
            try:
                actions.decide_finding(session, actor=who, reason=reason, **{**how, **more})  # type: ignore[arg-type]
            except BankError as refusal:
                return refusal.code
        return "done"

    with bank.unit_of_work() as session, pytest.raises(Conflict, match="findings_open"):
        actions.approve_claim(session, actor=steward(XIWU), claim_id=claim.id)
    assert decide(steward(SHANGTIAN)) == "other_township"
    assert decide(steward(XIWU), "  ") == "reason_needed"
    assert decide(steward(XIWU), number=2) == "finding_unknown"
    assert decide(steward(XIWU)) == "done"
    assert decide(steward(XIWU)) == "finding_decided"
    claim = paid(bank, claim)
    assert (claim.disallowed_fen, claim.netted_fen, claim.paid_fen) == (100, 700, 400)


def test_what_was_disallowed_comes_back_when_its_meal_is_undone(bank: Database, place: Place) -> None:
    wrong = eat(bank, place, ("government", "government_80", 500))
    march = computed(bank, place)
    answered(bank, march)
    paid(bank, march)
    undone(bank, wrong)  # type: ignore[arg-type]
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    april = paid(bank, computed(bank, place, APRIL))
    assert april.disallowed_fen == -100
    with bank.session() as session:
        assert balance_fen(session, place, CANTEEN) == 0
        house = text("""SELECT sum(CASE WHEN t.to_account_id = a.id THEN t.amount ELSE -t.amount END)
        FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.to_account_id, t.from_account_id)
        WHERE a.kind = 'subsidy'""")
        assert session.execute(house).scalar_one() == 0


def test_a_dismissed_finding_takes_nothing(bank: Database, place: Place) -> None:
    eat(bank, place, ("government", "government_80", 500))
    claim = computed(bank, place)
    answered(bank, claim, "dismissed")
    assert paid(bank, claim).disallowed_fen == 0


def test_claims_are_for_stewards_of_the_canteens_township(bank: Database, place: Place) -> None:
    eat(bank, place)
    with pytest.raises(NotAllowed, match="other_township"):
        computed(bank, place, by=steward(SHANGTIAN))
    with pytest.raises(NotAllowed, match="steward_only"):
        computed(bank, place, by=place.diner)
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(SubsidyClaim)) == 0
