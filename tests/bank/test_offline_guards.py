"""What the database itself refuses about keys, endings, scans and losses, whatever the code above it does."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError

from tests.factories.offline import add_key, offline_scan, send, texts_of
from tests.factories.people import DAYAN, XIWU, add_canteen, clerk, district
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought
from timebank.core import clock
from timebank.core.db import Database
from timebank.redemption.actions import number_endings, pay_loss, revoke_signing_key

COPY = """INSERT INTO guarantee_loss (id, reason, voucher_id, canteen_id, township_code, minutes, loss_fen,
                                      first_scan_id, second_scan_id, eaten_at, noted_at, policy_version)
SELECT gen_random_uuid(), 'eaten_twice', l.voucher_id, {canteen}, l.township_code, l.minutes, l.loss_fen, {first},
       {second}, l.eaten_at, l.noted_at, l.policy_version FROM guarantee_loss l"""
NAMES = {
    "anywhere": "(SELECT id FROM organisation o WHERE o.id NOT IN (SELECT canteen_id FROM voucher_scan))",
    "used": "(SELECT id FROM voucher_scan WHERE accepted)",
    "refused": "(SELECT id FROM voucher_scan WHERE NOT accepted AND id <> l.second_scan_id)",
}
TB001 = [
    "UPDATE redemption_signing_key SET signs_until = signs_until + interval '1 day'",
    "UPDATE redemption_signing_key SET public_key = sha256(public_key)",
    "UPDATE redemption_signing_key SET private_key = sha256(private_key)",
    "UPDATE redemption_signing_key SET revoke_reason = 'x' WHERE revoked_at IS NOT NULL",
    """UPDATE redemption_signing_key SET revoked_at = NULL, revoked_by_name = NULL, revoke_reason = NULL
       WHERE revoked_at IS NOT NULL""",
    """INSERT INTO redemption_signing_key (id, public_key, private_key, made_at, signs_from, signs_until, revoked_at,
                                           revoked_by_name, revoke_reason)
       SELECT 99, sha256('x'), 'x', now(), now() + interval '9 years', now() + interval '10 years', now(), 'x', 'x'""",
    "DELETE FROM redemption_signing_key",
    "TRUNCATE redemption_signing_key",
    "UPDATE voucher_ending SET number = number + 1",
    "UPDATE voucher_ending SET code_hash = substring(sha256(code_hash) FOR 8)",
    "UPDATE voucher_ending SET printed_until = printed_until - interval '1 day'",
    """INSERT INTO voucher_ending (voucher_id, code_hash, printed_until, ended_at, number)
       SELECT voucher_id, code_hash, printed_until, ended_at, 99 FROM voucher_ending LIMIT 1""",
    "DELETE FROM voucher_ending",
    "TRUNCATE voucher_ending",
    "UPDATE voucher_scan SET reason = 'voucher_void' WHERE NOT accepted",
    "UPDATE voucher_scan SET offline = NOT offline",
    "DELETE FROM voucher_scan",
    "TRUNCATE voucher_scan CASCADE",
    "UPDATE guarantee_loss SET minutes = minutes + 1",
    "UPDATE guarantee_loss SET loss_fen = loss_fen + 1, paid_at = now(), paid_by_name = 'x', outside_reference = 'x'",
    "UPDATE guarantee_loss SET first_scan_id = NULL, reason = 'ended_meanwhile'",
    "DELETE FROM guarantee_loss",
    "TRUNCATE guarantee_loss",
    # Of a scan that was accepted, of one on the line, of one elsewhere; with a first scan that used nothing.
    COPY.format(canteen="(SELECT canteen_id FROM voucher_scan WHERE accepted)", first=NAMES["refused"],
                second=NAMES["used"]),
    COPY.format(canteen="l.canteen_id", first=NAMES["used"], second=NAMES["refused"]),
    COPY.format(canteen=NAMES["anywhere"], first=NAMES["used"], second="l.second_scan_id"),
    COPY.format(canteen="l.canteen_id", first=NAMES["refused"], second="l.second_scan_id"),
]  # fmt: skip


@pytest.fixture
def played(bank: Database) -> Database:
    """A voucher eaten twice and a third try on the line, its loss unpaid; a revoked key and a fresh one."""
    clock.freeze(NINE)
    add_key(bank)
    with bank.unit_of_work() as session:
        counters = [clerk(add_canteen(session, code)) for code in (XIWU, DAYAN)]
        add_canteen(session, DAYAN)
    _, [voucher] = bought(bank)
    [signed] = texts_of(bank, [voucher])
    for counter in counters:
        send(bank, counter, offline_scan(signed, NINE))
    with bank.unit_of_work() as session:
        session.execute(
            text("""INSERT INTO voucher_scan (id, canteen_id, nonce, code, scanned_at, received_at, clerk_login_id,
                                              accepted, reason, voucher_id)
                    SELECT gen_random_uuid(), canteen_id, 'on the line', code, scanned_at, received_at, clerk_login_id,
                           false, 'already_redeemed', voucher_id FROM voucher_scan WHERE NOT accepted""")
        )
        number_endings(session, limit=9)
        revoke_signing_key(session, actor=district(), key_id=1, reason="泄露")
    return bank


@pytest.mark.parametrize("deed", TB001)
def test_history_is_not_rewritten(played: Database, deed: str) -> None:
    with pytest.raises(DatabaseError) as refused, played.unit_of_work() as session:
        session.execute(text(deed))
    assert refused.value.orig.sqlstate == "TB001", refused.value  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("deed", "constraint"),
    [
        (
            """INSERT INTO redemption_signing_key (id, public_key, private_key, made_at, signs_from, signs_until)
               SELECT 99, sha256('x'), 'x', made_at, signs_from, signs_until
               FROM redemption_signing_key WHERE id = 2""",
            "ex_redemption_signing_key_one_at_a_time",
        ),
        (
            """INSERT INTO redemption_signing_key (id, public_key, private_key, made_at, signs_from, signs_until)
               SELECT 65536, sha256('x'), 'x', made_at, signs_until, signs_until + interval '1 day'
               FROM redemption_signing_key WHERE id = 2""",
            "ck_redemption_signing_key_number_fits_the_qr",
        ),
        (
            COPY.format(canteen="l.canteen_id", first=NAMES["used"], second="l.second_scan_id"),
            "uq_guarantee_loss_",
        ),
        ("UPDATE guarantee_loss SET paid_at = now()", "ck_guarantee_loss_paid_whole"),
        (
            "UPDATE guarantee_loss SET paid_at = now(), paid_by_name = 'x', outside_reference = ''",
            "ck_guarantee_loss_reference_given",
        ),
    ],
)
def test_one_key_signs_at_a_time_and_a_loss_is_one(played: Database, deed: str, constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), played.unit_of_work() as session:
        session.execute(text(deed))


def test_a_loss_without_its_movement_does_not_last_to_the_end_of_the_unit_of_work(played: Database) -> None:
    with played.unit_of_work() as session:
        # Another scan without a line, at a third canteen.
        session.execute(
            text(f"""INSERT INTO voucher_scan (id, canteen_id, nonce, code, scanned_at, received_at, clerk_login_id,
                                               accepted, reason, voucher_id, offline, signed_text)
                     SELECT gen_random_uuid(), {NAMES["anywhere"]}, 'third', code, scanned_at, received_at,
                            clerk_login_id, false, 'already_redeemed', voucher_id, true, signed_text
                     FROM voucher_scan WHERE offline AND NOT accepted""")
        )
    third = "(SELECT id FROM voucher_scan WHERE nonce = 'third')"
    where = "(SELECT canteen_id FROM voucher_scan WHERE nonce = 'third')"
    with pytest.raises(DatabaseError) as refused, played.unit_of_work() as session:
        session.execute(text(COPY.format(canteen=where, first=NAMES["used"], second=third)))
    assert refused.value.orig.sqlstate == "TB001"  # type: ignore[union-attr]
    assert "no movement of its own" in str(refused.value)


def test_a_paid_loss_stays_paid(played: Database) -> None:
    with played.unit_of_work() as session:
        loss_id = session.execute(text("SELECT id FROM guarantee_loss")).scalar_one()
        pay_loss(session, actor=district(), loss_id=loss_id, outside_reference="保-1")
    for deed in (
        "UPDATE guarantee_loss SET outside_reference = '保-2'",
        "UPDATE guarantee_loss SET paid_at = NULL, paid_by = NULL, paid_by_name = NULL, outside_reference = NULL",
    ):
        with pytest.raises(DatabaseError) as refused, played.unit_of_work() as session:
            session.execute(text(deed))
        assert refused.value.orig.sqlstate == "TB001"  # type: ignore[union-attr]
