"""A voucher outlives the allotment that paid for it: everybody is told the truth of where those minutes go."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.minutes import balance_at, fill_pool, grant_minutes, posted_in, save_minutes
from tests.factories.people import SHANGTIAN, add_elder
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.explaining.ordered import explain_voucher
from timebank.explaining.rules import Explanation
from timebank.ledger.actions.sweep import expired_lots, sweep_lot
from timebank.ledger.rules import AccountKind
from timebank.notifications.actions import notices_for
from timebank.redemption.actions import buy_vouchers, expire_voucher, refund_voucher, remind_holder
from timebank.redemption.models import Voucher

LOT_ENDS = (NINE + timedelta(days=30)).date()


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def pair(bank: Database) -> tuple[Actor, list[Voucher]]:
    """Two vouchers of an hour: the first out of the allotment, the second half out of it and half out of savings."""
    with bank.unit_of_work() as session:
        elder = add_elder(session, SHANGTIAN)
        grant_minutes(session, elder, 90, expires_on=LOT_ENDS)
        save_minutes(session, elder, 30)
    with bank.unit_of_work() as session:
        return elder, buy_vouchers(session, actor=elder, quantity=2)


def told(bank: Database, elder: Actor) -> str:
    with bank.session() as session:
        return notices_for(session, person_id=elder.person(), limit=1)[0].body


def why(bank: Database, elder: Actor, voucher: Voucher) -> Explanation:
    with bank.session() as session:
        return explain_voucher(session, person_id=elder.person(), voucher_id=voucher.id)


def expire(bank: Database, voucher: Voucher) -> None:
    clock.freeze(voucher.expires_at)
    with bank.unit_of_work() as session:
        assert expire_voucher(session, voucher_id=voucher.id)


def test_the_reminder_says_which_minutes_do_not_come_back(bank: Database, pair: tuple[Actor, list[Voucher]]) -> None:
    elder, [first, second] = pair
    clock.freeze(first.expires_at - timedelta(days=1))
    with bank.unit_of_work() as session:
        assert remind_holder(session, holder_id=elder.person()) == 2
    words = "其中1小时30分钟是政府购买服务时长，到期后转入公益时间池，30分钟到期后退回您的时间账户。"
    assert told(bank, elder).endswith(words)
    assert (
        why(bank, elder, second).advice == "其中30分钟是政府购买服务时长，券到期以后转入公益时间池，请在到期以前使用。"
    )


def test_what_is_told_of_an_expired_voucher_is_what_the_books_say(
    bank: Database, pair: tuple[Actor, list[Voucher]]
) -> None:
    elder, [first, second] = pair
    expire(bank, first)
    assert told(bank, elder) == "1小时是政府购买服务时长，已过有效期，转入公益时间池。"
    assert "1小时是政府购买服务时长，已过有效期，转入公益时间池。" in why(bank, elder, first).reason
    expire(bank, second)
    words = "30分钟是政府购买服务时长，已过有效期，转入公益时间池"
    assert told(bank, elder) == f"{words}。其余30分钟已退回您的时间账户。"
    assert f"{words}，其余30分钟自动退回您的账户。" in why(bank, elder, second).reason
    with bank.unit_of_work() as session:
        pool = fill_pool(session, SHANGTIAN, 1)
        for lot in expired_lots(session, limit=9):
            sweep_lot(session, account_id=lot)
    with bank.session() as session:
        assert (balance_at(session, pool), posted_in(session, AccountKind.SAVINGS, elder)) == (91, 30)


def test_a_voucher_refunded_in_time_says_that_everything_came_back(
    bank: Database, pair: tuple[Actor, list[Voucher]]
) -> None:
    elder, [first, second] = pair
    clock.freeze(clock.day_start(LOT_ENDS) + timedelta(hours=23))
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=elder, voucher_id=first.id)
    assert "1小时退回原来的账户" in why(bank, elder, first).reason
    clock.freeze(clock.day_start(LOT_ENDS) + timedelta(hours=24))
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=elder, voucher_id=second.id)
    assert "30分钟是政府购买服务时长，已过有效期，转入公益时间池，其余30分钟退回" in why(bank, elder, second).reason


def test_a_lot_that_lasts_longer_than_the_voucher_takes_its_minutes_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_valid_days", 5)
        elder = add_elder(session, SHANGTIAN)
        grant_minutes(session, elder, 60, expires_on=LOT_ENDS)
    with bank.unit_of_work() as session:
        [voucher] = buy_vouchers(session, actor=elder, quantity=1)
        assert remind_holder(session, holder_id=elder.person()) == 1
    assert told(bank, elder).endswith("请及时使用。1小时到期后退回您的时间账户。")
    assert why(bank, elder, voucher).advice is None
    expire(bank, voucher)
    assert told(bank, elder) == "1小时已退回您的时间账户。"
