"""Signing keys come ahead of time, one after another, and a revoked one is followed at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from tests.factories.offline import add_key, texts_of
from tests.factories.people import DAYAN, district, staff, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from tests.factories.vouchers import bought
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.notifications.models import Notice
from timebank.redemption.actions import make_signing_key, revoke_signing_key, signing_keys_due
from timebank.redemption.offline_models import SigningKey
from timebank.redemption.offline_queries import signing_key
from timebank.redemption.signing import key_number, looks_signed, read_payload

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def keys_of(bank: Database) -> list[SigningKey]:
    with bank.session() as session:
        return list(session.scalars(select(SigningKey).order_by(SigningKey.id)))


def is_due(bank: Database) -> bool:
    with bank.session() as session:
        return signing_keys_due(session) == [None]


def signs_now(bank: Database) -> int | None:
    with bank.session() as session:
        key = signing_key(session)
        return key.id if key is not None else None


def test_the_first_key_signs_at_once_and_the_next_is_known_two_weeks_before_it_does(bank: Database) -> None:
    assert is_due(bank)
    assert signs_now(bank) is None
    assert add_key(bank) == 1
    assert not is_due(bank)
    clock.freeze(NINE + 76 * DAY - timedelta(seconds=1))
    assert not is_due(bank)
    clock.freeze(NINE + 76 * DAY)
    assert add_key(bank) == 2
    assert not is_due(bank)
    assert [(k.signs_from, k.signs_until) for k in keys_of(bank)] == [
        (NINE, NINE + 90 * DAY),
        (NINE + 90 * DAY, NINE + 180 * DAY),
    ]
    clock.freeze(NINE + 90 * DAY - timedelta(seconds=1))
    assert signs_now(bank) == 1
    clock.freeze(NINE + 90 * DAY)
    assert signs_now(bank) == 2


def test_what_an_old_key_signed_can_still_be_read(bank: Database) -> None:
    add_key(bank)
    _, [voucher] = bought(bank)
    [old] = texts_of(bank, [voucher])
    clock.freeze(NINE + 100 * DAY)
    add_key(bank)
    [new] = texts_of(bank, [voucher])
    publics = {key.id: bytes(key.public_key) for key in keys_of(bank)}
    assert (key_number(old), key_number(new)) == (1, 2)
    assert read_payload(old, publics) == read_payload(new, publics)


def test_after_a_long_sleep_the_next_key_signs_from_now_on(bank: Database) -> None:
    add_key(bank)
    clock.freeze(NINE + 400 * DAY)
    assert signs_now(bank) is None
    add_key(bank)
    assert keys_of(bank)[1].signs_from == NINE + 400 * DAY
    assert signs_now(bank) == 2


def test_without_a_key_a_qr_says_the_plain_code(bank: Database) -> None:
    _, [voucher] = bought(bank)
    assert texts_of(bank, [voucher]) == [voucher.code]
    add_key(bank)
    assert looks_signed(texts_of(bank, [voucher])[0])


def test_many_processes_make_one_key(bank: Database) -> None:
    made = at_once(bank, [lambda s: (make_signing_key(s) is not None,)] * 6)
    assert sorted(made, key=str) == [(False,)] * 5 + [(True,)]
    assert len(keys_of(bank)) == 1


def test_a_revoked_key_is_followed_by_one_made_at_once(bank: Database) -> None:
    add_key(bank)
    with bank.unit_of_work() as session:
        revoke_signing_key(session, actor=district(), key_id=1, reason=" 密钥泄露 ")
    first, second = keys_of(bank)
    assert (first.revoked_at, first.revoke_reason) == (NINE, "密钥泄露")
    assert (second.signs_from, second.revoked_at) == (NINE, None)
    assert signs_now(bank) == 2
    with bank.session() as session:
        assert session.scalars(select(AuditEntry.action)).all() == ["signing_key_revoked"]
        [told] = session.scalars(select(Notice.body).where(Notice.title == "用餐券签名密钥停用"))
    assert "第1号签名密钥已停用：密钥泄露" in told


def test_a_key_that_counters_know_already_steps_in_early(bank: Database) -> None:
    add_key(bank)
    clock.freeze(NINE + 80 * DAY)
    add_key(bank)
    with bank.unit_of_work() as session:
        revoke_signing_key(session, actor=district(), key_id=1, reason="密钥泄露")
    assert signs_now(bank) == 2
    assert len(keys_of(bank)) == 2
    assert not is_due(bank)


def test_only_the_district_revokes_and_only_once_and_for_a_reason(bank: Database) -> None:
    add_key(bank)
    tries = [
        (steward(DAYAN), 1, "泄露", "district_only"),
        (staff(StaffRole.AUDITOR), 1, "泄露", "district_only"),
        (district(), 1, "  ", "reason_needed"),
        (district(), 7, "泄露", "signing_key_unknown"),
    ]
    for actor, key_id, reason, code in tries:
        with pytest.raises(BankError, match=f"{code}:"), bank.unit_of_work() as session:
            revoke_signing_key(session, actor=actor, key_id=key_id, reason=reason)
    assert len(keys_of(bank)) == 1
    with bank.unit_of_work() as session:
        revoke_signing_key(session, actor=district(), key_id=1, reason="泄露")
    with pytest.raises(BankError, match="signing_key_revoked:"), bank.unit_of_work() as session:
        revoke_signing_key(session, actor=district(), key_id=1, reason="泄露")


def test_the_secret_lies_sealed_in_the_database(bank: Database) -> None:
    add_key(bank)
    [key] = keys_of(bank)
    with bank.session() as session:
        raw = bytes(session.execute(text("SELECT private_key FROM redemption_signing_key")).scalar_one())
    assert key.private_key.encode() not in raw
    assert bytes.fromhex(key.private_key) not in raw
