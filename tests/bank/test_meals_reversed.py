"""A meal that was none goes back to the accounts that had paid for it: what was granted stays granted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.family import make_relatives
from tests.factories.minutes import balance_at, grant_minutes, posted_in, save_minutes
from tests.factories.people import XIWU, add_canteen, add_elder, clerk
from tests.factories.reversals import reversed_by_two
from tests.factories.tasks import NINE
from tests.factories.vouchers import scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.ledger.actions import expired_lots, sweep_lot, township_accounts
from timebank.ledger.rules import AccountKind
from timebank.redemption.actions import buy_vouchers, give_voucher, reissue_vouchers
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def bought(bank: Database, *, granted: int, saved: int) -> tuple[Actor, Voucher]:
    """An elder's voucher, paid from an allotment that ends today and from savings."""
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        if granted:
            grant_minutes(session, elder, granted, expires_on=clock.today())
        if saved:
            save_minutes(session, elder, saved)
        [voucher] = buy_vouchers(session, actor=elder, quantity=1)
        return elder, voucher


def eaten(bank: Database, voucher: Voucher) -> None:
    with bank.unit_of_work() as session:
        canteen = add_canteen(session, XIWU)
    assert scan(bank, clerk(canteen), voucher.code).verdict.accepted


def granted_and_saved(bank: Database, elder: Actor) -> tuple[int, int]:
    with bank.session() as session:
        return posted_in(session, AccountKind.GRANTED, elder), posted_in(session, AccountKind.SAVINGS, elder)


def test_each_minute_of_a_reversed_meal_returns_to_the_account_that_paid(bank: Database) -> None:
    elder, voucher = bought(bank, granted=40, saved=50)
    eaten(bank, voucher)
    assert granted_and_saved(bank, elder) == (0, 30)
    reversed_by_two(bank, "voucher_redemption")
    assert granted_and_saved(bank, elder) == (40, 50)


def test_a_reversed_meal_of_granted_minutes_that_have_expired_ends_in_the_pool(bank: Database) -> None:
    elder, voucher = bought(bank, granted=60, saved=0)
    eaten(bank, voucher)
    clock.freeze(clock.now() + timedelta(days=2))
    reversed_by_two(bank, "voucher_redemption")
    assert granted_and_saved(bank, elder) == (60, 0)
    with bank.unit_of_work() as session:
        [lot] = expired_lots(session, limit=9)
        assert sweep_lot(session, account_id=lot) == 60
        assert balance_at(session, township_accounts(session, [XIWU], AccountKind.POOL)[XIWU]) == 60
    assert granted_and_saved(bank, elder) == (0, 0)


def test_a_meal_eaten_on_a_reissued_voucher_returns_to_what_paid_for_the_lost_one(bank: Database) -> None:
    elder, voucher = bought(bank, granted=40, saved=50)
    with bank.unit_of_work() as session:
        [found] = reissue_vouchers(session, actor=elder, voucher_ids=[voucher.id])
    eaten(bank, found)
    reversed_by_two(bank, "voucher_redemption")
    assert granted_and_saved(bank, elder) == (40, 50)


def test_a_reversed_meal_on_a_given_voucher_stays_with_whom_it_was_given_to(bank: Database) -> None:
    elder, voucher = bought(bank, granted=0, saved=60)
    with bank.unit_of_work() as session:
        sister = add_elder(session, XIWU)
        make_relatives(session, elder, sister)
    with bank.unit_of_work() as session:
        given = give_voucher(session, actor=elder, voucher_id=voucher.id, to_person_id=sister.person())
    eaten(bank, given)
    reversed_by_two(bank, "voucher_redemption")
    assert granted_and_saved(bank, sister) == (0, 60)
    assert granted_and_saved(bank, elder) == (0, 0)
