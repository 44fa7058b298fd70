"""Giving a voucher back, and letting it expire."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.clearing import position_minutes, transfer_of
from tests.factories.minutes import balance_at, fill_pool, grant_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, district, steward
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotFound
from timebank.core.ids import new_id
from timebank.ledger.actions import reverse, sweep_lot
from timebank.ledger.queries import balance_of, statement
from timebank.notifications.actions import notices_for
from timebank.people.actions import register_proxy
from timebank.redemption.actions import buy_vouchers, expire_voucher, expired_vouchers, refund_voucher
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def refund(bank: Database, actor: Actor, voucher: Voucher) -> Voucher:
    with bank.unit_of_work() as session:
        return refund_voucher(session, actor=actor, voucher_id=voucher.id)


def available(bank: Database, holder: Actor) -> int:
    with bank.session() as session:
        return balance_of(session, holder.person()).available_minutes


def test_holder_proxy_and_stewards_give_back_an_unused_voucher(bank: Database) -> None:
    holder, vouchers = bought(bank, 4)
    with bank.unit_of_work() as session:
        daughter = add_person(session, XIWU, age=50)
        register_proxy(
            session,
            actor=district(),
            elder_id=holder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书第1号",
        )
    for number, actor in enumerate((holder, daughter, steward(SHANGTIAN), district())):
        done = refund(bank, actor, vouchers[number])
        assert (done.status, done.ended_at) == ("refunded", NINE)
        assert available(bank, holder) == 60 * (number + 1)


def test_a_voucher_is_given_back_once(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    refund(bank, holder, voucher)
    with pytest.raises(Conflict, match="voucher_not_refundable:") as refusal:
        refund(bank, holder, voucher)
    assert refusal.value.facts == {"status": "refunded"}
    assert available(bank, holder) == 60


def test_to_others_a_voucher_does_not_exist(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        stranger, canteen = add_elder(session, SHANGTIAN), add_canteen(session, SHANGTIAN)
    for actor in (stranger, steward(DAYAN), clerk(canteen)):
        with pytest.raises(NotFound, match="voucher_unknown:"):
            refund(bank, actor, voucher)
    with pytest.raises(NotFound, match="voucher_unknown:"), bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=new_id())
    assert available(bank, holder) == 0


def test_an_eaten_voucher_is_not_given_back(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        canteen = add_canteen(session, DAYAN)
    scan(bank, clerk(canteen), voucher.code)
    with pytest.raises(Conflict, match="voucher_not_refundable:"):
        refund(bank, holder, voucher)


def test_what_expires_goes_back_by_itself_and_the_holder_is_told(bank: Database) -> None:
    holder, vouchers = bought(bank, 2)
    last_day = vouchers[0].expires_at
    clock.freeze(last_day - timedelta(microseconds=1))
    with bank.unit_of_work() as session:
        assert expired_vouchers(session, limit=9) == []
        assert not expire_voucher(session, voucher_id=vouchers[0].id)
    clock.freeze(last_day)
    with bank.session() as session:
        assert set(expired_vouchers(session, limit=9)) == {v.id for v in vouchers}
    for voucher in vouchers:
        for first_time in (True, False):
            with bank.unit_of_work() as session:
                assert expire_voucher(session, voucher_id=voucher.id) == first_time
    with bank.session() as session:
        assert expired_vouchers(session, limit=9) == []
        assert [line.minutes for line in statement(session, holder.person(), limit=9)] == [60, 60, -60, -60, 120]
        titles = [notice.title for notice in notices_for(session, person_id=holder.person_id, limit=9)]
        assert titles == ["用餐券已过期"] * 2


def test_minutes_of_a_lot_that_expired_meanwhile_go_to_the_pool(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = add_elder(session, XIWU)
        lot = grant_minutes(session, holder, 60, expires_on=NINE.date())
        pool = fill_pool(session, XIWU, 1)
        [voucher] = buy_vouchers(session, actor=holder, quantity=1)
    clock.freeze(NINE + timedelta(days=1))
    refund(bank, holder, voucher)
    assert available(bank, holder) == 0
    with bank.unit_of_work() as session:
        assert sweep_lot(session, account_id=lot) == 60
        assert (balance_at(session, lot), balance_at(session, pool)) == (0, 61)


def test_a_meal_scanned_by_mistake_is_reversed_by_two_stewards_and_paid_back(bank: Database) -> None:
    clock.freeze(NINE)
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
    assert scan(bank, counter, voucher.code).verdict.accepted
    transfer_id = transfer_of(bank, voucher.id)
    with bank.unit_of_work() as session:
        reverse(session, actor=steward(DAYAN), transfer_id=transfer_id, reason="扫错了券")
        assert reverse(session, actor=steward(SHANGTIAN), transfer_id=transfer_id, reason="同意")[0] == "reversed"
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 60
    assert position_minutes(bank, None) == {}
    # The voucher stays used: it is not good for another meal.
    assert scan(bank, counter, voucher.code).verdict.reason == "already_redeemed"


def test_a_reversed_meal_is_paid_back_where_the_holder_lives_now(bank: Database) -> None:
    clock.freeze(NINE)
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
    assert scan(bank, counter, voucher.code).verdict.accepted
    transfer_id = transfer_of(bank, voucher.id)
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=holder.person(), township_code=XIWU, evidence="迁移证")
        reverse(session, actor=steward(DAYAN), transfer_id=transfer_id, reason="扫错了券")
        reverse(session, actor=district(), transfer_id=transfer_id, reason="同意")
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 60
    # 尚田 keeps neither the minutes nor the debt for the meal: it owes what went along with the holder.
    assert position_minutes(bank, None) == {SHANGTIAN: -60, XIWU: 60}
