"""Claims: a month from the ledger, checked, approved by two, paid to the fen; what comes later comes next time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.factories.people import XIWU, district, steward
from tests.factories.subsidies import (
    APRIL,
    CARRIED,
    DONATED,
    GARDEN,
    GOVERNMENT_80,
    MARCH,
    PRICE_FEN,
    VOUCHER,
    Place,
    a_place,
    approved,
    balance_fen,
    computed,
    findings,
    granted,
    paid,
    served,
    undone,
)
from timebank.canteens.pricing.rules import Meal
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.checks import subsidy_checks
from timebank.canteens.subsidies.models import SubsidyClaim, SubsidyClaimLine, SubsidyClaimMeal
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, Refused
from timebank.ledger.rules import AccountKind

CANTEEN, TILL = AccountKind.CANTEEN, AccountKind.TILL


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


def lines_of(session: Session, claim: SubsidyClaim) -> list[tuple[str, str, int, int, bool]]:
    query = select(SubsidyClaimLine).where(SubsidyClaimLine.claim_id == claim.id).order_by(SubsidyClaimLine.line)
    return [(line.share, line.rule_key, line.meals, line.fen, line.in_kind) for line in session.scalars(query)]


def test_an_honest_month_is_claimed_rule_by_rule_and_nothing_is_found(unverified_bank: Database) -> None:
    # Its meal to the door was carried on no round, which another check would name.
    bank, place = unverified_bank, a_place(unverified_bank)
    eat(bank, place, GOVERNMENT_80, DONATED, GARDEN)
    eat(bank, place, VOUCHER, meal=Meal.SUPPER)
    eat(bank, place, CARRIED, on=date(2026, 3, 11), delivery_fen=300)
    claim = computed(bank, place)
    assert findings(bank, claim) == []
    assert (claim.state, claim.meals, claim.list_fen, claim.ledger_fen) == ("checked", 3, 3900, 3900)
    assert (claim.elder_fen, claim.government_fen, claim.donation_fen) == (650 + 700 + 1200, 400, 100)
    assert (claim.garden_fen, claim.volunteers_fen, claim.volunteers_in_kind_fen) == (50, 800, 300)
    with bank.session() as session:
        assert lines_of(session, claim) == [
            ("elder", "elder_pays", 3, 2550, False),
            ("government", "government_80", 1, 400, False),
            ("donation", "company_donation", 1, 100, False),
            ("garden", "garden_produce", 1, 50, True),
            ("volunteers", "voucher", 1, 500, False),
            ("volunteers", "volunteer_delivery", 1, 300, True),
        ]


def test_the_month_begins_and_ends_at_midnight_in_fenghua(bank: Database, place: Place) -> None:
    before, last = datetime(2026, 3, 31, 23, 59, 59, tzinfo=clock.LOCAL), datetime(2026, 4, 1, tzinfo=clock.LOCAL)
    late = eat(bank, place, on=date(2026, 3, 31), at=before)
    early = eat(bank, place, on=date(2026, 4, 1), at=last)
    march = computed(bank, place)
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    april = computed(bank, place, APRIL)
    with bank.session() as session:
        found = session.execute(select(SubsidyClaimMeal.claim_id, SubsidyClaimMeal.order_id)).all()
    assert {tuple(row) for row in found} == {(march.id, late), (april.id, early)}


def test_a_month_that_is_not_over_is_not_claimed_and_an_empty_one_neither(bank: Database, place: Place) -> None:
    eat(bank, place, on=date(2026, 4, 2))
    for month, code in ((APRIL, "month_not_finished"), (MARCH, "nothing_to_claim")):
        with pytest.raises(Conflict) as refused:
            computed(bank, place, month)
        assert refused.value.code == code
    with pytest.raises(Refused, match="month_invalid"):
        computed(bank, place, "2026-3")


def test_computing_twice_answers_the_claim_that_stands(bank: Database, place: Place) -> None:
    eat(bank, place)
    first = computed(bank, place)
    assert computed(bank, place).id == first.id
    both = Barrier(2, timeout=30)

    def compute(_: int) -> bool:
        with bank.unit_of_work() as session:
            both.wait()
            return actions.compute_due_claim(session, canteen_id=place.id, month=MARCH)

    with bank.unit_of_work() as session:
        actions.return_claim(session, actor=steward(XIWU), claim_id=first.id, reason="重算")
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(compute, range(2))) == [False, False]


def test_two_who_compute_at_once_write_one_claim(bank: Database, place: Place) -> None:
    eat(bank, place)
    both = Barrier(2, timeout=30)

    def compute(_: int) -> object:
        with bank.unit_of_work() as session:
            both.wait()
            actor = steward(XIWU)
            return actions.compute_claim(session, actor=actor, canteen_id=place.id, month=MARCH).id

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(compute, range(2)))) == 1


def test_payment_settles_the_month_to_the_fen(unverified_bank: Database) -> None:
    # Its meal to the door was carried on no round, which another check would name.
    bank, place = unverified_bank, a_place(unverified_bank)
    eat(bank, place, GOVERNMENT_80, DONATED, GARDEN)
    eat(bank, place, CARRIED, on=date(2026, 3, 11), delivery_fen=300)
    eat(bank, place, on=date(2026, 4, 2))
    claim = paid(bank, computed(bank, place))
    # The elder's cash of both months lies in the drawer; there is more of it than is owed.
    assert (claim.list_fen, claim.disallowed_fen, claim.netted_fen, claim.paid_fen) == (2700, 0, 2350, 0)
    with bank.session() as session:
        assert balance_fen(session, place, CANTEEN) == PRICE_FEN
        assert balance_fen(session, place, TILL) == -(650 + 1200 + 1200 - 2350)
        assert [check.name for check in subsidy_checks() if check.first_misfit(session) is not None] == []


def test_what_is_owed_beyond_the_cash_is_paid_by_the_government(bank: Database, place: Place) -> None:
    eat(bank, place, GOVERNMENT_80, VOUCHER)
    claim = paid(bank, computed(bank, place))
    assert (claim.netted_fen, claim.paid_fen) == (300, 900)
    with bank.session() as session:
        assert balance_fen(session, place, CANTEEN) == balance_fen(session, place, TILL) == 0
        kinds = session.execute(
            text("SELECT kind, amount FROM ledger_transfer WHERE cause_id = :id ORDER BY seq"), {"id": claim.id}
        )
        assert [tuple(row) for row in kinds] == [("till_netted", 300), ("canteen_paid", 900)]


def test_a_meal_undone_after_payment_comes_off_the_next_claim(bank: Database, place: Place) -> None:
    wrong = eat(bank, place, GOVERNMENT_80, VOUCHER)
    paid(bank, computed(bank, place))
    clock.freeze(datetime(2026, 4, 5, 9, tzinfo=clock.LOCAL))
    undone(bank, wrong)  # type: ignore[arg-type]
    eat(bank, place, on=date(2026, 4, 5))
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    april = computed(bank, place, APRIL)
    assert (april.meals, april.list_fen, april.government_fen, april.volunteers_fen) == (0, 0, -400, -500)
    april = paid(bank, april)
    # 300 in cash were given back, 1,200 taken in: the canteen owes the 900 that it was paid for the meal undone.
    assert (april.netted_fen, april.paid_fen) == (0, 0)
    with bank.session() as session:
        assert balance_fen(session, place, CANTEEN) == 0
        assert balance_fen(session, place, TILL) == -900


def test_a_meal_undone_before_the_month_is_claimed_is_not_claimed_at_all(bank: Database, place: Place) -> None:
    wrong = eat(bank, place, GOVERNMENT_80)
    eat(bank, place, meal=Meal.SUPPER)
    undone(bank, wrong)  # type: ignore[arg-type]
    claim = computed(bank, place)
    assert (claim.meals, claim.list_fen, claim.government_fen) == (1, PRICE_FEN, 0)


def test_what_came_late_is_claimed_with_the_month_after(bank: Database, place: Place) -> None:
    eat(bank, place)
    paid(bank, computed(bank, place))
    late = eat(bank, place, on=date(2026, 3, 20))
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    april = computed(bank, place, APRIL)
    with bank.session() as session:
        assert session.scalars(
            select(SubsidyClaimMeal.order_id).where(SubsidyClaimMeal.claim_id == april.id)
        ).all() == [late]


def test_two_who_pay_at_once_pay_once(bank: Database, place: Place) -> None:
    eat(bank, place, GOVERNMENT_80)
    claim = computed(bank, place)
    approved(bank, claim)
    both = Barrier(2, timeout=30)

    def pay(_: int) -> str:
        with bank.unit_of_work() as session:
            both.wait()
            try:
                return actions.pay_claim(session, actor=district(), claim_id=claim.id, reference="拨款单").state
            except BankError as refusal:
                return refusal.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(pay, range(2))) == ["paid", "wrong_state"]
    with bank.session() as session:
        paid_out = text("SELECT count(*) FROM ledger_transfer WHERE kind = 'canteen_paid'")
        assert session.execute(paid_out).scalar_one() == 1


def test_an_operating_subsidy_is_paid_out_with_the_claim(bank: Database, place: Place) -> None:
    fen = granted(bank, place)
    clock.freeze(datetime(2026, 5, 3, 9, tzinfo=clock.LOCAL))
    claim = paid(bank, computed(bank, place, APRIL))
    assert (claim.meals, claim.operating_fen, claim.paid_fen) == (0, fen, fen)
    with bank.session() as session:
        assert balance_fen(session, place, CANTEEN) == 0


def test_the_job_finds_every_finished_month_once_its_day_has_come(bank: Database, place: Place) -> None:
    eat(bank, place)
    eat(bank, place, on=date(2026, 4, 2))

    def due(at: datetime) -> list[tuple[object, str]]:
        clock.freeze(at)
        with bank.session() as session:
            return list(actions.claims_due(session, limit=10))

    midnight = datetime(2026, 4, 2, tzinfo=clock.LOCAL)
    assert due(midnight - timedelta(seconds=1)) == []
    assert due(midnight) == [(place.id, MARCH)]
    assert due(datetime(2026, 5, 2, tzinfo=clock.LOCAL)) == [(place.id, MARCH), (place.id, APRIL)]
    computed(bank, place)
    assert due(datetime(2026, 5, 2, tzinfo=clock.LOCAL)) == [(place.id, APRIL)]
