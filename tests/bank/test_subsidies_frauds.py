"""Seeded frauds: each one is caught by the check that is for it, and by no other; an honest month is not accused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.factories.diners import approved_diner
from tests.factories.people import SHANGTIAN, XIWU, clerk, district, steward
from tests.factories.subsidies import (
    CARRIED,
    DONATED,
    GARDEN,
    GOVERNMENT_80,
    Place,
    a_place,
    account_of,
    computed,
    findings,
    served,
)
from tests.factories.vouchers import bought, scan
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal, Share
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.rules import FindingKind
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_organisation_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.policies.actions import NewValue, approve_change, propose_change
from timebank.townships.models import Organisation

Fraud = Callable[[Database, Place], UUID | None]
NOON = datetime(2026, 3, 10, 11, 30, tzinfo=clock.LOCAL)


@pytest.fixture(autouse=True)
def _in_march() -> Iterator[None]:
    clock.freeze(datetime(2026, 3, 3, 9, tzinfo=clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def place(unverified_bank: Database) -> Place:
    return a_place(unverified_bank)


def eat(bank: Database, place: Place, *borne: tuple[str, str, int], **how: object) -> UUID:
    with bank.unit_of_work() as session:
        diner = how.pop("diner", place.diner)
        return served(session, place, diner, *borne, **how)  # type: ignore[arg-type]


def raw(bank: Database, table: str, statement: str, **values: object) -> None:
    """What somebody with the keys of the database might do."""
    with bank.unit_of_work() as session:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(statement), values)
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))


def more_posted_than_ordered(bank: Database, place: Place) -> UUID:
    order_id = eat(bank, place, GOVERNMENT_80)
    with bank.unit_of_work() as session:
        more = Movement(
            id=new_id(),
            from_account_id=account_of(session, place, Share.GOVERNMENT),
            to_account_id=ensure_organisation_accounts(session, [place.id], AccountKind.CANTEEN)[place.id],
            amount=500,
            kind="meal_government",
            effective_at=NOON,
            cause_kind="meal_order",
            cause_id=order_id,
        )
        post_one(session, (more,))
    return order_id


def posted_for_no_order(bank: Database, place: Place) -> None:
    with bank.unit_of_work() as session:
        more = Movement(
            id=new_id(),
            from_account_id=account_of(session, place, Share.GOVERNMENT),
            to_account_id=ensure_organisation_accounts(session, [place.id], AccountKind.CANTEEN)[place.id],
            amount=500,
            kind="meal_government",
            effective_at=NOON,
            cause_kind="meal_order",
            cause_id=new_id(),
        )
        post_one(session, (more,))


def lines_rewritten(bank: Database, place: Place) -> UUID:
    order_id = eat(bank, place, GOVERNMENT_80)
    raw(
        bank,
        "meal_order_line",
        "UPDATE meal_order_line SET fen = 300 WHERE order_id = :id AND share = 'government'",
        id=order_id,
    )
    return order_id


def twice_the_days_subsidy(bank: Database, place: Place) -> UUID:
    eat(bank, place, GOVERNMENT_80)
    return eat(bank, place, GOVERNMENT_80, meal=Meal.SUPPER)


def more_than_the_rule_gives(bank: Database, place: Place) -> UUID:
    return eat(bank, place, ("government", "government_80", 700))


def a_rule_that_there_is_not(bank: Database, place: Place) -> UUID:
    return eat(bank, place, ("government", "for_friends", 400))


def twice_a_households_delivery(bank: Database, place: Place) -> UUID:
    with bank.unit_of_work() as session:
        other = approved_diner(session, categories=["disabled"], household_of=place.diner)
        third = approved_diner(session, categories=["disabled"], household_of=place.diner)
    eat(bank, place, ("government", "government_delivery", 300), diner=other, delivery_fen=300)
    return eat(
        bank,
        place,
        ("government", "government_delivery", 300),
        diner=third,
        delivery_fen=300,
        at=NOON + timedelta(minutes=5),
    )


def never_in_hardship(bank: Database, place: Place) -> UUID:
    return eat(bank, place, ("government", "government_hardship", 600))


def in_hardship_until_february(bank: Database, place: Place) -> UUID:
    with bank.unit_of_work() as session:
        diner = approved_diner(session, categories=["low_income"])
    raw(
        bank,
        "diner_category",
        "UPDATE diner_category SET valid_during = daterange('2020-01-01', '2026-03-01') WHERE person_id = :id",
        id=diner.person(),
    )
    return eat(bank, place, ("government", "government_hardship", 600), diner=diner)


def eighty_next_year(bank: Database, place: Place) -> UUID:
    with bank.unit_of_work() as session:
        diner = approved_diner(session, born_on=date(1947, 1, 1))
    return eat(bank, place, GOVERNMENT_80, diner=diner)


def at_two_canteens_at_once(bank: Database, place: Place) -> UUID:
    elsewhere = a_place(bank)
    raw(bank, "meal_order", "DROP INDEX uq_meal_order_one_a_meal")
    eat(bank, elsewhere, diner=place.diner)
    return eat(bank, place, GOVERNMENT_80, at=NOON + timedelta(minutes=5))


def with_a_voucher_elsewhere(bank: Database, place: Place) -> UUID:
    holder, vouchers = bought(bank, 1)
    raw(bank, "voucher", "UPDATE voucher SET holder_id = :id", id=place.diner.person())
    elsewhere = a_place(bank)
    clock.freeze(NOON)
    with bank.unit_of_work() as session:
        counter = clerk(session.get_one(Organisation, elsewhere.id))
    assert holder.person_id is not None
    assert scan(bank, counter, vouchers[0].code).verdict.accepted
    return eat(bank, place, GOVERNMENT_80)


def dead_for_a_week(bank: Database, place: Place) -> UUID:
    order_id = eat(bank, place, GOVERNMENT_80)
    raw(
        bank,
        "person",
        "UPDATE person SET died_on = '2026-03-03', death_reported_at = '2026-03-20 00:00:00+00' WHERE id = :id",
        id=place.diner.person(),
    )
    return order_id


def gone_for_a_week(bank: Database, place: Place) -> UUID:
    order_id = eat(bank, place, GOVERNMENT_80)
    raw(bank, "person", "UPDATE person SET left_at = '2026-03-03 00:00:00+00' WHERE id = :id", id=place.diner.person())
    return order_id


def moved_away_where_that_matters(bank: Database, place: Place) -> UUID:
    with bank.unit_of_work() as session:
        change = propose_change(
            session,
            actor=district(),
            values=[NewValue("claim_moved_diners_allowed", False)],
            effective_at=clock.now() + timedelta(minutes=1),
            reason="试点",
            source="会议纪要",
        )
        approve_change(session, actor=district(), change_id=change.id)
    clock.freeze(clock.now() + timedelta(days=1))
    with bank.unit_of_work() as session:
        who = place.diner.person()
        move_home(session, actor=district(), person_id=who, township_code=SHANGTIAN, evidence="户口簿")
    return eat(bank, place, GOVERNMENT_80)


def one_more_than_seats(bank: Database, place: Place) -> UUID:
    with bank.unit_of_work() as session:
        other = approved_diner(session)
    eat(bank, place, diner=other)
    order_id = eat(bank, place, GOVERNMENT_80)
    raw(bank, "meal_service", "UPDATE meal_service SET capacity_meals = 1, ordered_meals = 1")
    return order_id


def handed_over_at_three(bank: Database, place: Place) -> UUID:
    return eat(bank, place, GOVERNMENT_80, at=NOON.replace(hour=15))


def handed_over_on_a_closed_day(bank: Database, place: Place) -> UUID:
    order_id = eat(bank, place, GOVERNMENT_80)
    raw(
        bank,
        "canteen_closed_day",
        "INSERT INTO canteen_closed_day (canteen_id, closed_on, meal, reason, entered_at, entered_by)"
        " VALUES (:id, '2026-03-10', '', '清明', now(), :id)",
        id=place.id,
    )
    return order_id


def nine_by_one_proxy(bank: Database, place: Place) -> UUID:
    with bank.unit_of_work() as session:
        for _ in range(9):
            diner = approved_diner(session)
            order_id = served(session, place, diner, GOVERNMENT_80, by=place.diner, source="proxy")
    return order_id


@dataclass(frozen=True, slots=True)
class Seeded:
    """A fraud, the check that is for it, and what of the government's is at stake in the order that it names last."""

    commit: Fraud
    kind: str
    fen: int
    how_many: int = 1


FRAUDS = [
    Seeded(more_posted_than_ordered, "ledger_mismatch", 500),
    Seeded(posted_for_no_order, "ledger_mismatch", 500),
    Seeded(lines_rewritten, "ledger_mismatch", 0),
    Seeded(twice_the_days_subsidy, "over_daily_limit", 400),
    Seeded(more_than_the_rule_gives, "over_daily_limit", 300),
    Seeded(a_rule_that_there_is_not, "over_daily_limit", 400),
    Seeded(twice_a_households_delivery, "over_daily_limit", 300),
    Seeded(never_in_hardship, "category_not_valid", 600),
    Seeded(in_hardship_until_february, "category_not_valid", 600),
    Seeded(eighty_next_year, "category_not_valid", 400),
    Seeded(at_two_canteens_at_once, "duplicate_elsewhere", 400),
    Seeded(with_a_voucher_elsewhere, "duplicate_elsewhere", 400),
    Seeded(dead_for_a_week, "diner_gone", 400),
    Seeded(gone_for_a_week, "diner_gone", 400),
    Seeded(moved_away_where_that_matters, "diner_gone", 400),
    Seeded(one_more_than_seats, "beyond_capacity", 400),
    Seeded(handed_over_at_three, "served_outside_hours", 400),
    Seeded(handed_over_on_a_closed_day, "served_outside_hours", 400),
    Seeded(nine_by_one_proxy, "many_by_one", 400, how_many=9),
]


@pytest.mark.parametrize("seeded", FRAUDS, ids=lambda seeded: seeded.commit.__name__)
def test_a_fraud_is_caught_by_its_own_check_and_no_other(
    unverified_bank: Database, place: Place, seeded: Seeded
) -> None:
    order_id = seeded.commit(unverified_bank, place)
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    claim = computed(unverified_bank, place)
    found = findings(unverified_bank, claim)
    assert [one.kind for one in found] == [seeded.kind] * seeded.how_many
    assert (found[-1].order_id, found[-1].fen) == (order_id, seeded.fen)
    with unverified_bank.session() as session:
        order = session.get(MealOrder, order_id) if order_id is not None else None
        name = session.get_one(Organisation, place.id).name
    numbered = "" if order is None else f"{name}2026-03-10{MEAL_NAMES[Meal(order.meal)]}{order.pickup_number}号："
    assert found[-1].reason.startswith(numbered)
    assert claim.state == "computed"


def test_every_kind_of_finding_has_a_fraud() -> None:
    assert {seeded.kind for seeded in FRAUDS} == set(FindingKind)


def test_an_honest_month_is_not_accused(unverified_bank: Database, place: Place) -> None:
    bank = unverified_bank
    with bank.unit_of_work() as session:
        poor = approved_diner(session, categories=["low_income", "disabled"], household_of=place.diner)
        moved = approved_diner(session)
        move_home(session, actor=district(), person_id=moved.person(), township_code=SHANGTIAN, evidence="户口簿")
    for day in range(10, 20):
        on = date(2026, 3, day)
        eat(bank, place, GOVERNMENT_80, DONATED, GARDEN, on=on)
        eat(bank, place, on=on, meal=Meal.SUPPER)
        eat(bank, place, ("government", "government_hardship", 400), on=on, diner=poor)
        carried = ("government", "government_hardship", 200), ("government", "government_delivery", 300)
        eat(bank, place, *carried, on=on, meal=Meal.SUPPER, diner=poor, delivery_fen=300)
        eat(bank, place, CARRIED, on=on, meal=Meal.LUNCH, diner=moved, delivery_fen=300)
        eat(bank, place, on=on, diner=None)
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    claim = computed(bank, place)
    assert findings(bank, claim) == []
    assert (claim.state, claim.meals) == ("checked", 60)


def test_a_mismatch_cannot_be_answered_or_approved_only_returned(unverified_bank: Database, place: Place) -> None:
    bank = unverified_bank
    more_posted_than_ordered(bank, place)
    clock.freeze(datetime(2026, 4, 3, 9, tzinfo=clock.LOCAL))
    claim = computed(bank, place)
    how = {"claim_id": claim.id, "number": 1, "decision": "dismissed", "reason": "无妨"}
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="ledger_mismatch"):
        actions.decide_finding(session, actor=steward(XIWU), **how)
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="ledger_mismatch"):
        actions.approve_claim(session, actor=steward(XIWU), claim_id=claim.id)
    with bank.unit_of_work() as session:
        returned = actions.return_claim(session, actor=steward(XIWU), claim_id=claim.id, reason="账目不符")
    assert returned.state == "returned"
