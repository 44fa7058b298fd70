"""What is found to be wrong after somebody has left is put right all the same, and the minutes follow the savings."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from tests.factories.care import add_provider, confirmed
from tests.factories.family import make_relatives
from tests.factories.leaving import accounts_of, leave, report
from tests.factories.minutes import balance_at, fill_pool, grant_minutes, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.reversals import reversed_by_two
from tests.factories.tasks import NINE, past_service
from tests.factories.vouchers import scan
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.leaving import actions as leaving
from timebank.ledger.actions import expired_lots, township_accounts
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.care.actions import charge_reversal, uncharged_reversals
from timebank.tasks.actions.back_fill import approve_record, record


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def elder_of(bank: Database, *, savings: int = 0, granted: int = 0) -> Actor:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        if savings:
            save_minutes(session, elder, savings)
        if granted:
            grant_minutes(session, elder, granted, expires_on=date(2026, 4, 30))
        return elder


def eaten(bank: Database, elder: Actor, at: str = XIWU) -> None:
    with bank.unit_of_work() as session:
        canteen = add_canteen(session, at)
        [voucher] = buy_vouchers(session, actor=elder, quantity=1)
    assert scan(bank, clerk(canteen), voucher.code).verdict.accepted


def helped(bank: Database, elder: Actor) -> Actor:
    """An hour that a volunteer of 尚田 has given, paid by the elder; answers the volunteer."""
    with bank.unit_of_work() as session:
        change_policy(session, "payment_order", ["savings", "issuance"])
        volunteer = add_person(session, SHANGTIAN, age=40)
        task = record(session, actor=district(), form=past_service(volunteer, elder, ended_at=clock.now()))
    with bank.unit_of_work() as session:
        approve_record(session, actor=district(), task_id=task.id)
    return volunteer


def follow_all(bank: Database) -> int:
    """What the job does in one turn."""
    with bank.session() as session:
        people = leaving.left_overs(session, limit=10)
    moved = 0
    for person_id in people:
        with bank.unit_of_work() as session:
            moved += leaving.follow(session, person_id=person_id)
    return moved


def pool(bank: Database) -> int:
    with bank.session() as session:
        return balance_at(session, township_accounts(session, [XIWU], AccountKind.POOL)[XIWU])


def nothing_is_left(bank: Database, person: Actor) -> bool:
    with bank.session() as session:
        return all(minutes == 0 and closed for _, minutes, closed in accounts_of(session, person))


def test_a_credit_is_taken_back_from_a_volunteer_whose_elder_has_left(bank: Database) -> None:
    elder = elder_of(bank, savings=300)
    volunteer = helped(bank, elder)
    leave(bank, elder)
    before = pool(bank)
    with bank.session() as session:
        earned = posted_in(session, AccountKind.SAVINGS, volunteer)
    assert earned > 0
    reversed_by_two(bank, "back_fill_credit")
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, volunteer) == 0
    assert follow_all(bank) == earned
    assert pool(bank) == before + earned
    assert nothing_is_left(bank, elder)


@pytest.mark.parametrize("home", [XIWU, DAYAN])
def test_a_meal_of_somebody_who_has_left_goes_to_the_relative_who_got_the_savings(bank: Database, home: str) -> None:
    elder = elder_of(bank, savings=60)
    with bank.unit_of_work() as session:
        sister = add_person(session, home, age=70)
        make_relatives(session, elder, sister)
    eaten(bank, elder, at=SHANGTIAN)
    leave(bank, elder, to="relative", to_person_id=sister.person())
    reversed_by_two(bank, "voucher_redemption")
    assert follow_all(bank) == 60
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, sister) == 60
    assert nothing_is_left(bank, elder)


def test_a_meal_paid_from_an_allotment_goes_to_the_pool_even_where_a_relative_got_the_savings(bank: Database) -> None:
    elder = elder_of(bank, granted=60)
    with bank.unit_of_work() as session:
        sister = add_person(session, XIWU, age=70)
        make_relatives(session, elder, sister)
    eaten(bank, elder)
    leave(bank, elder, to="relative", to_person_id=sister.person())
    before = pool(bank)
    reversed_by_two(bank, "voucher_redemption")
    assert follow_all(bank) == 60
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, sister) == 0
    assert pool(bank) == before + 60
    assert nothing_is_left(bank, elder)


@pytest.mark.parametrize("paid_from", ["savings", "granted"])
def test_a_visit_of_somebody_who_has_left_goes_to_the_pool(bank: Database, paid_from: str) -> None:
    elder = elder_of(bank, **{paid_from: 60})
    with bank.unit_of_work() as session:
        provider = add_provider(session)
    confirmed(bank, elder, provider)
    leave(bank, elder)
    before = pool(bank)
    reversed_by_two(bank, "care_use")
    with bank.session() as session:
        [reversal_id] = uncharged_reversals(session, limit=9)
    with bank.unit_of_work() as session:
        assert charge_reversal(session, transfer_id=reversal_id)
    assert follow_all(bank) == 60
    assert pool(bank) == before + 60
    assert nothing_is_left(bank, elder)
    clock.freeze(clock.now() + timedelta(days=90))
    with bank.session() as session:
        assert expired_lots(session, limit=9) == []


def test_what_a_leaver_had_got_is_not_taken_back_from_whom_it_went_to(bank: Database) -> None:
    volunteer = helped(bank, elder_of(bank, savings=300))
    leave(bank, volunteer)
    with bank.unit_of_work() as session:
        fill_pool(session, XIWU, 500)
    with pytest.raises(BankError) as gone:
        reversed_by_two(bank, "back_fill_credit")
    assert gone.value.code == "person_left"
    with bank.session() as session:
        assert session.scalars(select(Transfer.id).where(Transfer.reverses_id.is_not(None))).all() == []


def test_a_meal_of_somebody_who_moved_and_left_then_is_put_right(bank: Database) -> None:
    elder = elder_of(bank, savings=60)
    eaten(bank, elder)
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=elder.person(), township_code=DAYAN, evidence="户口本")
    leave(bank, elder)
    reversed_by_two(bank, "voucher_redemption")
    assert follow_all(bank) == 60
    assert nothing_is_left(bank, elder)


def test_why_and_of_whom_minutes_went_on_does_not_stand_in_the_ledger(bank: Database) -> None:
    elder = elder_of(bank, savings=60)
    eaten(bank, elder)
    with bank.unit_of_work() as session:
        save_minutes(session, elder, 10)
    leave(bank, elder)
    reversed_by_two(bank, "voucher_redemption")
    follow_all(bank)
    with bank.session() as session:
        notes = session.scalars(select(Transfer.note).where(Transfer.kind == "left_to_pool")).all()
    assert notes == ["办理退出", "办理退出"]


def test_a_visit_is_reversed_while_a_death_is_looked_into_and_after_a_move(bank: Database) -> None:
    elder = elder_of(bank, savings=60)
    with bank.unit_of_work() as session:
        provider = add_provider(session)
    confirmed(bank, elder, provider)
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=elder.person(), township_code=DAYAN, evidence="户口本")
    report(bank, elder, by=steward(DAYAN))
    reversed_by_two(bank, "care_use")
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, elder) == 60
        assert [closed for kind, _, closed in accounts_of(session, elder) if kind == "savings"] == [True, False]
