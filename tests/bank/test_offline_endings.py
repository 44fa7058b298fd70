"""The list of vouchers that ended early: complete, in order, and signed for by the bank."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from tests.factories.offline import add_key, offline_scan, send, texts_of
from tests.factories.people import DAYAN, XIWU, add_canteen, add_elder, clerk, district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from tests.factories.vouchers import bought, scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.redemption.actions import endings_waiting, expire_voucher, number_endings, refund_voucher
from timebank.redemption.offline_models import VoucherEnding
from timebank.redemption.offline_queries import Bundle, bundle, code_hash
from timebank.supervision.verify import verify


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def counter(bank: Database) -> Actor:
    add_key(bank)
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, DAYAN))


def number_all(bank: Database, limit: int = 1000) -> int:
    with bank.unit_of_work() as session:
        return number_endings(session, limit=limit)


def downloaded(bank: Database, counter: Actor, since: int = 0, limit: int = 1000) -> Bundle:
    with bank.session() as session:
        return bundle(session, actor=counter, since=since, limit=limit)


def test_whatever_ends_a_voucher_early_puts_it_on_the_list_and_its_last_day_does_not(
    bank: Database, counter: Actor
) -> None:
    holder, [eaten, given_back, expired, unused] = bought(bank, 4)
    scan(bank, counter, eaten.code)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=given_back.id)
    assert number_all(bank) == 2
    found = downloaded(bank, counter)
    assert found.ended == [code_hash(eaten.code), code_hash(given_back.code)]
    assert found.ended[0] == hashlib.sha256(eaten.code.encode()).hexdigest()[:16]
    assert (found.upto, found.more) == (2, False)
    clock.freeze(expired.expires_at)
    add_key(bank)
    with bank.unit_of_work() as session:
        expire_voucher(session, voucher_id=expired.id)
        expire_voucher(session, voucher_id=unused.id)
    assert number_all(bank) == 0
    assert downloaded(bank, counter).ended == []


def test_the_list_goes_on_where_the_last_download_ended(bank: Database, counter: Actor) -> None:
    _, vouchers = bought(bank, 7)
    for voucher in vouchers[:5]:
        scan(bank, counter, voucher.code)
    assert [number_all(bank, 3), number_all(bank, 3), number_all(bank, 3)] == [3, 2, 0]
    pages = [downloaded(bank, counter, limit=2)]
    while pages[-1].more:
        pages.append(downloaded(bank, counter, since=pages[-1].upto, limit=2))
    assert [(len(page.ended), page.upto) for page in pages] == [(2, 2), (2, 4), (1, 5)]
    assert [one for page in pages for one in page.ended] == [code_hash(v.code) for v in vouchers[:5]]
    assert downloaded(bank, counter, since=5).ended == []
    scan(bank, counter, vouchers[5].code)
    number_all(bank)
    assert downloaded(bank, counter, since=5).ended == [code_hash(vouchers[5].code)]


def test_an_ending_that_commits_late_is_never_skipped(bank: Database, counter: Actor) -> None:
    """A slow refund has the lower id and commits after a quick one was numbered and downloaded."""
    (patient, [slow]), (hasty, [quick]) = bought(bank), bought(bank)
    with bank.session() as behind:
        refund_voucher(behind, actor=patient, voucher_id=slow.id)
        with bank.unit_of_work() as session:
            refund_voucher(session, actor=hasty, voucher_id=quick.id)
        assert number_all(bank) == 1
        first = downloaded(bank, counter)
        assert first.ended == [code_hash(quick.code)]
        behind.commit()
    assert number_all(bank) == 1
    assert downloaded(bank, counter, since=first.upto).ended == [code_hash(slow.code)]
    with bank.session() as session:
        ids = {row.voucher_id: row.id for row in session.scalars(select(VoucherEnding))}
    assert ids[slow.id] < ids[quick.id]


def test_many_numberers_at_once_give_each_ending_one_number_without_a_gap(bank: Database, counter: Actor) -> None:
    _, vouchers = bought(bank, 12)
    for voucher in vouchers:
        scan(bank, counter, voucher.code)
    counts = at_once(bank, [lambda s: (number_endings(s, limit=5),)] * 6)
    assert sorted(counts, key=str) == [(0,), (0,), (0,), (2,), (5,), (5,)]
    with bank.session() as session:
        assert sorted(session.scalars(select(VoucherEnding.number))) == list(range(1, 13))
        assert endings_waiting(session) == []


def test_a_counter_gets_the_rules_and_meal_times_of_its_township(bank: Database, counter: Actor) -> None:
    periods = {"breakfast": ["05:00", "08:00"], "lunch": ["10:00", "13:00"], "supper": ["16:00", "18:00"]}
    with bank.unit_of_work() as session:
        change_policy(session, "meal_periods", periods, township_code=DAYAN)
        change_policy(session, "offline_scan_max_hours", 48)
    found = downloaded(bank, counter)
    assert (found.scan_max_hours, found.clock_skew_minutes) == (48, 10)
    assert found.meal_periods == periods
    assert (found.at, found.signed_with.id, [key.id for key in found.keys]) == (NINE, 1, [1])


def test_only_a_canteens_clerk_downloads_and_only_once_a_key_signs(bank: Database) -> None:
    with bank.unit_of_work() as session:
        here, elder = clerk(add_canteen(session, XIWU)), add_elder(session, XIWU)
    for actor, code in ((elder, "clerk_only"), (district(), "clerk_only"), (here, "signing_key_missing")):
        with pytest.raises(BankError, match=f"{code}:"):
            downloaded(bank, actor)
    add_key(bank)
    assert downloaded(bank, here).here.id == here.organisation_id
    clock.freeze(NINE + timedelta(days=91))
    with pytest.raises(BankError, match="signing_key_missing:"):
        downloaded(bank, here)


@pytest.mark.parametrize(
    ("deed", "check"),
    [
        ("DELETE FROM voucher_ending", "early_endings_listed"),
        ("UPDATE voucher_ending SET code_hash = substring(sha256(code_hash) FOR 8)", "early_endings_listed"),
        ("DELETE FROM guarantee_loss", "loss_movements_caused"),
        ("UPDATE guarantee_loss SET minutes = 61", "losses_moved"),
        ("UPDATE voucher_scan SET offline = false", "losses_moved"),
    ],
)
def test_verify_finds_what_was_tampered_with(unverified_bank: Database, deed: str, check: str) -> None:
    add_key(unverified_bank)
    with unverified_bank.unit_of_work() as session:
        counters = [clerk(add_canteen(session, code)) for code in (XIWU, DAYAN)]
    _, [voucher] = bought(unverified_bank)
    [signed] = texts_of(unverified_bank, [voucher])
    for one in counters:
        send(unverified_bank, one, offline_scan(signed, NINE))
    with unverified_bank.unit_of_work() as session:
        for table in ("voucher_ending", "guarantee_loss", "voucher_scan"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(deed))
    with unverified_bank.session() as session:
        assert [found.check.name for found in verify(session) if found.misfit is not None] == [check]
