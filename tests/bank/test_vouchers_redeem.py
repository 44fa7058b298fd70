"""Redeeming: every scan gets its final answer, once and for all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, clerk, district, steward
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import NotAllowed, NotFound
from timebank.redemption.actions import expire_voucher, redeem_vouchers, refund_voucher
from timebank.redemption.codes import grouped, new_code
from timebank.redemption.models import VoucherScan
from timebank.redemption.queries import vouchers_of
from timebank.redemption.rules import Scan
from timebank.townships.models import Organisation


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def canteen(bank: Database) -> Organisation:
    with bank.unit_of_work() as session:
        return add_canteen(session, DAYAN, "大堰中心食堂")


@pytest.fixture
def counter(canteen: Organisation) -> Actor:
    return clerk(canteen)


def owed(bank: Database) -> dict[str, int]:
    with bank.session() as session:
        _, found = positions(session, window_name=None)
    assert sum(p.position_minutes for p in found) == 0
    return {p.township_code: p.position_minutes for p in found if p.position_minutes}


def test_a_voucher_of_one_township_feeds_in_another_and_is_cleared_only_then(bank: Database, counter: Actor) -> None:
    holder, [voucher] = bought(bank)
    assert owed(bank) == {}
    answer = scan(bank, counter, voucher.code)
    assert (answer.verdict.accepted, answer.verdict.reason, answer.verdict.redeemed_at) == (True, "ok", NINE)
    assert (answer.holder_name, answer.canteen_name) == (holder.name, "大堰中心食堂")
    assert owed(bank) == {SHANGTIAN: -60, DAYAN: 60}
    with bank.session() as session:
        [(found, where)] = vouchers_of(session, actor=holder, limit=9)
        assert (found.status, found.ended_at, where) == ("redeemed", NINE, "大堰中心食堂")


def test_within_one_township_nothing_is_owed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        here = add_canteen(session, SHANGTIAN)
    _, [voucher] = bought(bank)
    assert scan(bank, clerk(here), voucher.code).verdict.accepted
    assert owed(bank) == {}


def test_a_used_voucher_is_refused_everywhere_with_where_and_when(
    bank: Database, canteen: Organisation, counter: Actor
) -> None:
    _, [voucher] = bought(bank)
    scan(bank, counter, voucher.code)
    with bank.unit_of_work() as session:
        elsewhere = clerk(add_canteen(session, XIWU))
    clock.freeze(NINE + timedelta(hours=3))
    for actor in (counter, elsewhere):
        verdict = scan(bank, actor, voucher.code).verdict
        assert (verdict.accepted, verdict.reason) == (False, "already_redeemed")
        assert (verdict.redeemed_at, verdict.canteen_id) == (NINE, canteen.id)
    assert owed(bank) == {SHANGTIAN: -60, DAYAN: 60}


def test_a_code_is_read_as_it_is_typed(bank: Database, counter: Actor) -> None:
    _, [voucher] = bought(bank)
    assert scan(bank, counter, f" {grouped(voucher.code).lower()} ").verdict.accepted


def test_an_expired_voucher_is_refused_before_and_after_its_minutes_went_back(bank: Database, counter: Actor) -> None:
    _, [voucher] = bought(bank)
    clock.freeze(voucher.expires_at)
    assert scan(bank, counter, voucher.code).verdict.reason == "voucher_expired"
    with bank.unit_of_work() as session:
        assert expire_voucher(session, voucher_id=voucher.id)
    verdict = scan(bank, counter, voucher.code).verdict
    assert (verdict.reason, verdict.redeemed_at, verdict.canteen_id) == ("voucher_expired", None, None)


def test_a_voucher_is_good_to_its_last_moment(bank: Database, counter: Actor) -> None:
    _, [voucher] = bought(bank)
    clock.freeze(voucher.expires_at - timedelta(microseconds=1))
    assert scan(bank, counter, voucher.code).verdict.accepted


def test_a_refunded_voucher_is_void(bank: Database, counter: Actor) -> None:
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=voucher.id)
    verdict = scan(bank, counter, voucher.code).verdict
    assert (verdict.accepted, verdict.reason, verdict.redeemed_at) == (False, "voucher_void", None)


def test_unknown_codes_are_refused_and_kept(bank: Database, counter: Actor) -> None:
    for number, code in enumerate((new_code(), "你好", "", "0" * 200)):
        answer = scan(bank, counter, code, f"unknown-{number}")
        assert (answer.verdict.reason, answer.verdict.voucher_id, answer.holder_name) == ("voucher_unknown", None, None)
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(VoucherScan)) == 4


def test_the_same_nonce_gets_the_same_answer_for_ever(bank: Database, counter: Actor) -> None:
    _, [voucher] = bought(bank)
    first = scan(bank, counter, voucher.code, "n-1")
    clock.freeze(NINE + timedelta(days=365))
    again = scan(bank, counter, grouped(voucher.code), "n-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert again.verdict == first.verdict
    assert (again.holder_name, again.canteen_name) == (first.holder_name, first.canteen_name)
    refused = scan(bank, counter, "2" * 11, "n-2")
    assert scan(bank, counter, "2" * 11, "n-2").verdict == refused.verdict
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(VoucherScan)) == 2


def test_a_nonce_with_another_code_is_refused_and_uses_nothing(bank: Database, counter: Actor) -> None:
    _, [one, other] = bought(bank, 2)
    assert scan(bank, counter, one.code, "n-1").verdict.accepted
    answer = scan(bank, counter, other.code, "n-1")
    assert (answer.verdict.reason, answer.replayed) == ("nonce_reused", False)
    assert scan(bank, counter, other.code, "n-2").verdict.accepted


def test_a_nonce_is_the_canteens_own(bank: Database, counter: Actor) -> None:
    _, [one, other] = bought(bank, 2)
    with bank.unit_of_work() as session:
        elsewhere = clerk(add_canteen(session, XIWU))
    assert scan(bank, counter, one.code, "n-1").verdict.accepted
    assert scan(bank, elsewhere, other.code, "n-1").verdict.accepted


def test_only_a_clerk_redeems_and_only_at_a_canteen_there_is(bank: Database, counter: Actor) -> None:
    holder, [voucher] = bought(bank)
    for actor in (holder, steward(DAYAN), district()):
        with pytest.raises(NotAllowed, match="clerk_only:"):
            scan(bank, actor, voucher.code)
    nowhere = clerk(Organisation(id=voucher.id, kind="canteen", name="没有", township_code=DAYAN))
    with pytest.raises(NotFound, match="canteen_unknown:"):
        scan(bank, nowhere, voucher.code)


def test_one_bad_scan_spoils_no_other(bank: Database, counter: Actor) -> None:
    _, [one, other] = bought(bank, 2)
    codes = [one.code, "？", one.code, other.code, new_code()]
    with bank.unit_of_work() as session:
        answers = redeem_vouchers(session, actor=counter, scans=[Scan(c, f"n{i}") for i, c in enumerate(codes)])
    assert [answer.verdict.reason for answer in answers] == [
        *("ok", "voucher_unknown", "already_redeemed", "ok", "voucher_unknown")
    ]
    assert [answer.code for answer in answers] == codes


def test_the_database_itself_accepts_no_voucher_twice(bank: Database, counter: Actor) -> None:
    _, [voucher] = bought(bank)
    scan(bank, counter, voucher.code)
    with pytest.raises(IntegrityError, match="uq_voucher_scan_accepted"), bank.unit_of_work() as session:
        session.execute(
            text("""INSERT INTO voucher_scan (id, canteen_id, nonce, code, scanned_at, received_at, clerk_login_id,
                                              accepted, reason, voucher_id, redeemed_at, redeemed_canteen_id)
                    SELECT gen_random_uuid(), canteen_id, 'forged', code, scanned_at, received_at, clerk_login_id,
                           accepted, reason, voucher_id, redeemed_at, redeemed_canteen_id FROM voucher_scan""")
        )
