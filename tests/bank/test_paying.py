"""Paying with minutes: grants before savings, set aside and captured in that order, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.factories.minutes import balance_at, grant_minutes, save_minutes
from tests.factories.people import DAYAN, XIWU, add_elder, add_person
from tests.factories.policies import change_policy
from tests.factories.tasks import ask, confirm, serve
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import AccountKind
from timebank.people.models import ElderFile
from timebank.people.queries import person
from timebank.policies.queries import in_force
from timebank.redemption import paying

START = datetime(2026, 3, 10, 9, tzinfo=clock.LOCAL)


@pytest.fixture(autouse=True)
def _morning() -> Iterator[None]:
    clock.freeze(START)
    yield
    clock.freeze(None)


class Elder:
    """An elder of 西坞 with a lot that ends in March, one that ends in April, and savings."""

    def __init__(self, bank: Database, march: int, april: int, savings: int) -> None:
        self.bank = bank
        with bank.unit_of_work() as session:
            self.actor = add_elder(session, XIWU)
            self.april = grant_minutes(session, self.actor, april, expires_on=date(2026, 4, 30))
            self.march = grant_minutes(session, self.actor, march, expires_on=date(2026, 3, 31))
            self.savings = save_minutes(session, self.actor, savings)

    def left(self) -> tuple[int, int, int]:
        with self.bank.session() as session:
            return (
                balance_at(session, self.march),
                balance_at(session, self.april),
                balance_at(session, self.savings),
            )


@pytest.fixture
def elder(bank: Database) -> Elder:
    return Elder(bank, 30, 45, 60)


def hold(bank: Database, actor: Actor, minutes: int) -> UUID:
    cause = new_id()
    with bank.unit_of_work() as session:
        paying.hold_minutes(
            session,
            holder=person(session, actor.person()),
            minutes=minutes,
            cause_kind="care_booking",
            cause_id=cause,
            expires_at=clock.now() + timedelta(days=1),
            policies=in_force(session, at=clock.now()),
        )
    return cause


def captured(session: Session, cause: UUID, minutes: int) -> list[UUID]:
    return paying.capture_minutes(
        session,
        cause_id=cause,
        cause_kind="care_booking",
        minutes=minutes,
        to_account_id=township_accounts(session, [DAYAN], AccountKind.REDEEMED)[DAYAN],
        kind="care_use",
        note="助洁",
        policy_version=1,
        recorded_by=None,
        effective_at=clock.now(),
    )


def capture(bank: Database, cause: UUID, minutes: int) -> list[UUID]:
    with bank.unit_of_work() as session:
        return captured(session, cause, minutes)


def change(bank: Database, **values: int) -> None:
    with bank.unit_of_work() as session:
        for key, value in values.items():
            change_policy(session, key, value)


def test_what_expires_first_is_spent_first_and_savings_last(bank: Database, elder: Elder) -> None:
    cause = hold(bank, elder.actor, 100)
    assert len(capture(bank, cause, 80)) == 3
    assert elder.left() == (0, 0, 55)
    assert hold(bank, elder.actor, 55)


def test_what_is_not_captured_is_released(bank: Database, elder: Elder) -> None:
    cause = hold(bank, elder.actor, 135)
    assert len(capture(bank, cause, 10)) == 1
    assert elder.left() == (20, 45, 60)
    hold(bank, elder.actor, 125)


def test_nothing_captured_releases_everything(bank: Database, elder: Elder) -> None:
    cause = hold(bank, elder.actor, 135)
    assert capture(bank, cause, 0) == []
    with bank.unit_of_work() as session:
        assert paying.release_minutes(session, cause_id=cause) == 0
    hold(bank, elder.actor, 135)


def test_a_lot_of_last_month_pays_nothing(bank: Database, elder: Elder) -> None:
    clock.freeze(datetime(2026, 4, 1, tzinfo=clock.LOCAL))
    with pytest.raises(BankError) as refusal:
        hold(bank, elder.actor, 106)
    assert refusal.value.facts == {"available_minutes": 105, "needed_minutes": 106}
    hold(bank, elder.actor, 105)


def test_a_hold_is_captured_or_released_but_not_both(bank: Database, elder: Elder) -> None:
    cause = hold(bank, elder.actor, 100)

    def take(session: Session) -> int:
        return 100 * (len(captured(session, cause, 100)) > 0)

    def release(session: Session) -> int:
        return -paying.release_minutes(session, cause_id=cause)

    answers = at_once(bank, [take, release] * 4)
    won = [answer for answer in answers if isinstance(answer, int) and answer]
    assert won in ([100], [-100])
    assert {answer.code for answer in answers if isinstance(answer, BankError)} <= {"hold_ended"}
    assert elder.left() == ((0, 0, 35) if won == [100] else (30, 45, 60))


def test_minutes_that_were_captured_cannot_be_captured_again(bank: Database, elder: Elder) -> None:
    cause = hold(bank, elder.actor, 100)
    capture(bank, cause, 100)
    with pytest.raises(BankError) as refusal:
        capture(bank, cause, 1)
    assert refusal.value.code == "hold_ended"
    assert elder.left() == (0, 0, 35)


def test_savings_wait_until_they_are_vested_but_grants_do_not(bank: Database) -> None:
    change(bank, vesting_min_days=365)
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        volunteer = add_person(session, XIWU)
        grant_minutes(session, volunteer, 30, expires_on=date(2027, 3, 31))
        task = ask(session, elder)
    serve(bank, volunteer, task)
    confirm(bank, elder, task)
    with pytest.raises(BankError) as refusal:
        hold(bank, volunteer, 31)
    assert refusal.value.code == "not_vested_yet"
    assert (refusal.value.facts["available_minutes"], refusal.value.facts["served_minutes"]) == (30, 60)
    hold(bank, volunteer, 30)
    clock.freeze(START + timedelta(days=365))
    hold(bank, volunteer, 60)


def test_whoever_has_left_pays_nothing(bank: Database, elder: Elder) -> None:
    with bank.unit_of_work() as session:
        person(session, elder.actor.person()).left_at = clock.now()
    with pytest.raises(BankError) as refusal:
        hold(bank, elder.actor, 1)
    assert refusal.value.code == "person_left"


def test_the_age_for_oneself_is_lower_in_hardship(bank: Database) -> None:
    change(bank, redeem_min_age=65, redeem_min_age_hardship=60)
    with bank.unit_of_work() as session:
        younger = add_elder(session, XIWU, age=62)
        policies = in_force(session, at=clock.now())
        holder = person(session, younger.person())
        with pytest.raises(BankError) as refusal:
            paying.must_be_of_redeeming_age(session, holder, policies)
        assert (refusal.value.code, refusal.value.facts["min_age"]) == ("too_young_to_redeem", 65)
        session.add(ElderFile(person_id=holder.id, circumstances=["低保"]))
        session.flush()
        paying.must_be_of_redeeming_age(session, holder, policies)
