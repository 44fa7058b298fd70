"""Limits of what a township may owe: told once, blocking at the hard one, never at the counter."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.factories.clearing import closed_and_confirmed, eat, settle
from tests.factories.minutes import grant_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, holder_with, scan
from timebank.clearing import actions as clearing
from timebank.clearing.actions import move_home
from timebank.clearing.models import GuaranteeCall
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.notifications.models import Notice
from timebank.redemption.actions import buy_vouchers


@pytest.fixture(autouse=True)
def _limits(bank: Database) -> None:
    """尚田's soft limit is one meal, the hard one two."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 60, township_code=SHANGTIAN)
        change_policy(session, "position_hard_limit_minutes", 120, township_code=SHANGTIAN)


def tally(bank: Database) -> None:
    with bank.unit_of_work() as session:
        clearing.tally_new_movements(session)


def told(bank: Database, words: str) -> list[str | None]:
    with bank.session() as session:
        found = session.scalars(select(Notice.township_code).where(Notice.title.contains(words)))
        return sorted(found, key=str)


def state_of(bank: Database, code: str = SHANGTIAN) -> tuple[str, int, int]:
    with bank.session() as session:
        _, found = positions(session, window_name=None)
    return next((p.limit_state, p.owed_minutes, p.beyond_limit_minutes) for p in found if p.township_code == code)


def calls(bank: Database) -> list[tuple[str, int, int]]:
    with bank.session() as session:
        query = select(GuaranteeCall).order_by(GuaranteeCall.seq)
        return [(call.creditor, call.minutes, call.owed_minutes) for call in session.scalars(query)]


def test_both_stewards_hear_once_when_a_limit_is_reached(bank: Database) -> None:
    assert state_of(bank) == ("within", 0, 0)
    eat(bank, DAYAN)
    assert state_of(bank) == ("soft", 60, 0)
    tally(bank)
    tally(bank)
    assert told(bank, "软限额") == [SHANGTIAN, None]
    assert told(bank, "硬限额") == []
    eat(bank, DAYAN)
    tally(bank)
    assert state_of(bank) == ("hard", 120, 0)
    assert told(bank, "硬限额") == [SHANGTIAN, None]
    assert told(bank, "软限额") == [SHANGTIAN, None]


def test_after_settlement_a_limit_can_be_reached_anew(bank: Database) -> None:
    eat(bank, DAYAN)
    settle(bank, closed_and_confirmed(bank))
    tally(bank)
    assert state_of(bank) == ("within", 0, 0)
    eat(bank, DAYAN)
    tally(bank)
    assert told(bank, "软限额") == [SHANGTIAN, SHANGTIAN, None, None]


def test_at_the_hard_limit_new_vouchers_need_an_override(bank: Database) -> None:
    eat(bank, DAYAN, meals=2)
    with pytest.raises(BankError) as refused:
        bought(bank)
    assert refused.value.code == "position_limit_reached"
    assert refused.value.facts == {"township_code": SHANGTIAN, "owed_minutes": 120, "limit_minutes": 120}
    # Other townships' people go on.
    bought(bank, township_code=XIWU)
    with bank.unit_of_work() as session:
        clearing.grant_override(
            session,
            actor=district(),
            township_code=SHANGTIAN,
            extra_minutes=60,
            valid_until=NINE + timedelta(days=3),
            reason="下周结算，先行放行",
        )
    eat(bank, DAYAN)
    with pytest.raises(BankError, match="position_limit_reached"):
        bought(bank)
    assert told(bank, "放行") == [SHANGTIAN]


def test_an_override_ends_when_its_time_is_over(bank: Database) -> None:
    eat(bank, DAYAN, meals=2)
    with bank.unit_of_work() as session:
        clearing.grant_override(
            session,
            actor=district(),
            township_code=SHANGTIAN,
            extra_minutes=600,
            valid_until=NINE + timedelta(days=1),
            reason="周末",
        )
    bought(bank)
    clock.freeze(NINE + timedelta(days=1))
    with pytest.raises(BankError, match="position_limit_reached"):
        bought(bank)


def test_at_the_hard_limit_one_may_still_eat_at_home(bank: Database) -> None:
    eat(bank, DAYAN, meals=2)
    with bank.unit_of_work() as session:
        holder = holder_with(session, 60)
        [voucher] = buy_vouchers(session, actor=holder, quantity=1, home_only=True)
        away, home = clerk(add_canteen(session, DAYAN)), clerk(add_canteen(session, SHANGTIAN))
    elsewhere = scan(bank, away, voucher.code).verdict
    assert (elsewhere.accepted, elsewhere.reason) == (False, "voucher_other_township")
    assert scan(bank, home, voucher.code).verdict.accepted
    assert state_of(bank) == ("hard", 120, 0)


def test_a_voucher_in_hand_is_honoured_and_the_guarantee_fund_stands_in(bank: Database) -> None:
    _, vouchers = bought(bank, 4)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
        change_policy(session, "position_hard_limit_minutes", 90, township_code=SHANGTIAN, at=NINE + timedelta(hours=1))
    clock.freeze(NINE + timedelta(hours=2))
    for voucher in vouchers[:3]:
        assert scan(bank, counter, voucher.code).verdict.accepted
    assert state_of(bank) == ("hard", 180, 90)
    tally(bank)
    tally(bank)
    assert calls(bank) == [(DAYAN, 30, 120), (DAYAN, 60, 180)]
    assert scan(bank, counter, vouchers[3].code).verdict.accepted
    tally(bank)
    assert calls(bank)[2:] == [(DAYAN, 60, 240)]


def test_the_same_calls_are_recorded_however_often_the_tally_runs(bank: Database) -> None:
    _, vouchers = bought(bank, 5)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
    for voucher in vouchers:
        assert scan(bank, counter, voucher.code).verdict.accepted
    tally(bank)
    assert calls(bank) == [(DAYAN, 60, 180), (DAYAN, 60, 240), (DAYAN, 60, 300)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"actor": steward(SHANGTIAN)}, "district_only"),
        ({"township_code": "330213999"}, "township_unknown"),
        ({"extra_minutes": 0}, "amount_invalid"),
        ({"valid_until": NINE}, "override_time_invalid"),
        ({"valid_until": NINE + timedelta(days=400)}, "override_time_invalid"),
        ({"reason": " "}, "reason_needed"),
    ],
)
def test_an_override_that_does_not_fit_is_refused(bank: Database, change: dict[str, object], code: str) -> None:
    said: dict[str, object] = {
        "actor": district(),
        "township_code": SHANGTIAN,
        "extra_minutes": 60,
        "valid_until": NINE + timedelta(days=1),
        "reason": "周末",
    }
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        clearing.grant_override(session, **{**said, **change})  # type: ignore[arg-type]
    assert refused.value.code == code
    with bank.session() as session:
        assert session.scalar(select(func.count()).where(Notice.title.contains("放行"))) == 0


def test_what_another_township_granted_is_stopped_at_that_townships_limit(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, SHANGTIAN)
        grant_minutes(session, elder, 600, expires_on=clock.today() + timedelta(days=30))
        move_home(session, actor=district(), person_id=elder.person(), township_code=DAYAN, evidence="迁移证")
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=elder, quantity=2, home_only=True)
    assert state_of(bank) == ("hard", 120, 0)
    for home_only in (True, False):
        with pytest.raises(BankError, match="position_limit_reached"), bank.unit_of_work() as session:
            buy_vouchers(session, actor=elder, quantity=1, home_only=home_only)


def test_a_soft_limit_above_the_hard_one_is_no_policy(bank: Database) -> None:
    for key, value in (("position_soft_limit_minutes", 121), ("position_hard_limit_minutes", 59)):
        with pytest.raises(BankError, match="policy_value_invalid"), bank.unit_of_work() as session:
            change_policy(session, key, value, township_code=SHANGTIAN)
