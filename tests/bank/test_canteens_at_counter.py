"""Vouchers at the counter of a canteen that is not open: refused now, but what was eaten before still counts."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.offline import add_key, losses_of, offline_scan, send, texts_of
from tests.factories.people import XIWU, district
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.canteens.network import actions
from timebank.canteens.network.models import Canteen
from timebank.core import clock
from timebank.core.db import Database
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def here(bank: Database) -> Canteen:
    add_key(bank)
    with bank.unit_of_work() as session:
        return open_canteen(session)


def suspend(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        actions.suspend(session, actor=district(), canteen_id=here.id, reason="停水")


def reopen(bank: Database, here: Canteen) -> None:
    with bank.unit_of_work() as session:
        actions.open_canteen(session, actor=district(), canteen_id=here.id)


def status_of(bank: Database, voucher: Voucher) -> str:
    with bank.session() as session:
        return session.get_one(Voucher, voucher.id).status


def test_a_canteen_that_pauses_redeems_nothing_until_it_opens_again(bank: Database, here: Canteen) -> None:
    _, [voucher] = bought(bank, township_code=XIWU)
    suspend(bank, here)
    told = scan(bank, canteen_clerk(here), voucher.code, "first")
    assert (told.verdict.accepted, told.verdict.reason) == (False, "canteen_not_open")
    assert told.sentence == "这个助餐点没有营业，不能核销"
    assert status_of(bank, voucher) == "issued"
    reopen(bank, here)
    # The same nonce hears what it heard; a new scan is a new question.
    assert scan(bank, canteen_clerk(here), voucher.code, "first").verdict.reason == "canteen_not_open"
    assert scan(bank, canteen_clerk(here), voucher.code).verdict.accepted


def test_a_used_voucher_says_where_it_was_used_also_while_the_canteen_pauses(bank: Database, here: Canteen) -> None:
    _, [voucher] = bought(bank, township_code=XIWU)
    assert scan(bank, canteen_clerk(here), voucher.code).verdict.accepted
    suspend(bank, here)
    assert scan(bank, canteen_clerk(here), voucher.code).verdict.reason == "already_redeemed"


def test_what_was_scanned_without_a_line_before_it_paused_still_counts(bank: Database, here: Canteen) -> None:
    _, vouchers = bought(bank, 3, township_code=XIWU)
    before, since, typed = texts_of(bank, vouchers)
    clock.freeze(NINE + timedelta(hours=3))
    suspend(bank, here)
    clock.freeze(NINE + timedelta(hours=9))
    scans = (
        offline_scan(before, NINE + timedelta(hours=2)),
        offline_scan(since, NINE + timedelta(hours=4)),
        offline_scan(vouchers[2].code, NINE + timedelta(hours=2)),
    )
    told = send(bank, canteen_clerk(here), *scans)
    # A code typed in cannot be checked without a line, so it is judged when it arrives.
    assert [one.verdict.reason for one in told] == ["ok", "canteen_not_open", "canteen_not_open"]
    assert losses_of(bank) == []
    reopen(bank, here)
    assert scan(bank, canteen_clerk(here), typed).verdict.accepted


def test_no_fund_pays_for_a_meal_at_a_canteen_that_was_not_open(bank: Database, here: Canteen) -> None:
    _, [voucher] = bought(bank, township_code=XIWU)
    [text] = texts_of(bank, [voucher])
    with bank.unit_of_work() as session:
        other = open_canteen(session)
    suspend(bank, here)
    assert scan(bank, canteen_clerk(other), voucher.code).verdict.accepted
    clock.freeze(NINE + timedelta(hours=5))
    told = send(bank, canteen_clerk(here), offline_scan(text, NINE + timedelta(hours=1)))
    assert [(one.verdict.reason, one.verdict.loss_id) for one in told] == [("already_redeemed", None)]
    assert losses_of(bank) == []
