"""What the database itself refuses to do with vouchers, tried by raw SQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.factories.people import DAYAN, add_canteen, clerk
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.redemption.actions import refund_voucher, reissue_vouchers
from timebank.redemption.codes import new_code
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def attempt(bank: Database, statement: str, **values: Any) -> None:
    with bank.unit_of_work() as session:
        session.execute(text(statement), values)


def copy_of(bank: Database, voucher: Voucher, **changed: Any) -> str:
    """Insert a row like ``voucher``'s under a new id and code, with some columns changed; answers the id."""
    number = new_id()
    columns = [column.name for column in Voucher.__table__.columns]
    values = {"id": number, "code": new_code(), **changed}
    picked = ", ".join(f":{name}" if name in values else name for name in columns)
    insert = f"INSERT INTO voucher ({', '.join(columns)}) SELECT {picked} FROM voucher WHERE id = :like"
    attempt(bank, insert, like=voucher.id, **values)
    return str(number)


@pytest.mark.parametrize(
    "change",
    [
        "code = 'ABC'",
        "holder_id = (SELECT id FROM person WHERE id <> holder_id LIMIT 1)",
        "price_minutes = 1",
        "policy_version = policy_version + 1",
        "issued_at = issued_at - interval '1 day'",
        "issued_by_name = '别人'",
        "issue_evidence = '没有'",
        "expires_at = expires_at + interval '1 day'",
        "only_township_code = '330213004'",
        "weekdays = '{1}'",
        "meals = '{}'",
        "on_expiry = 'pool'",
        "replaces_id = id",
    ],
)
def test_what_a_voucher_promises_never_changes(bank: Database, change: str) -> None:
    bought(bank)
    [_, [voucher]] = bought(bank)
    with pytest.raises(DBAPIError, match="what it promises never changes"):
        attempt(bank, f"UPDATE voucher SET {change} WHERE id = :id", id=voucher.id)


@pytest.mark.parametrize(
    "change",
    [
        "status = 'issued', ended_at = NULL, canteen_id = NULL",
        "status = 'refunded', canteen_id = NULL",
        "ended_at = ended_at - interval '1 day'",
        "reminded_at = now()",
    ],
)
def test_what_has_ended_stays_as_it_ended(bank: Database, change: str) -> None:
    _, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        here = clerk(add_canteen(session, DAYAN))
    scan(bank, here, voucher.code)
    with pytest.raises(DBAPIError, match="ends once"):
        attempt(bank, f"UPDATE voucher SET {change} WHERE id = :id", id=voucher.id)


def test_vouchers_are_never_removed(bank: Database) -> None:
    bought(bank)
    with pytest.raises(DBAPIError, match="ends once"):
        attempt(bank, "DELETE FROM voucher")
    with pytest.raises(DBAPIError, match="never removed"):
        attempt(bank, "TRUNCATE voucher CASCADE")


def test_a_reminder_is_given_once(bank: Database) -> None:
    _, [voucher] = bought(bank)
    attempt(bank, "UPDATE voucher SET reminded_at = :at", at=NINE)
    with pytest.raises(DBAPIError, match="never changes"):
        attempt(bank, "UPDATE voucher SET reminded_at = NULL WHERE id = :id", id=voucher.id)


def test_a_voucher_begins_unused_as_its_own_origin(unverified_bank: Database) -> None:
    holder, [voucher, other] = bought(unverified_bank, 2)
    with pytest.raises(DBAPIError, match="its own origin"):
        copy_of(unverified_bank, voucher)
    number = new_id()
    with pytest.raises(DBAPIError, match="begins unused"):
        copy_of(unverified_bank, voucher, id=number, origin_id=number, status="refunded", ended_at=NINE)
    number = new_id()
    with pytest.raises(DBAPIError, match="begins unused"):
        copy_of(unverified_bank, voucher, id=number, origin_id=number, reminded_at=NINE)
    with unverified_bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=other.id)
    with pytest.raises(DBAPIError, match="cannot replace"):
        copy_of(unverified_bank, voucher, replaces_id=other.id, origin_id=other.id)


@pytest.mark.parametrize(
    "changed",
    [
        {"price_minutes": 61},
        {"expires_at": NINE + timedelta(days=999)},
        {"on_expiry": "pool"},
        {"only_township_code": DAYAN},
        {"weekdays": [1]},
        {"account_id": 1},
    ],
)
def test_a_new_card_is_good_for_what_the_lost_one_was(bank: Database, changed: dict[str, Any]) -> None:
    _, [voucher] = bought(bank)
    with pytest.raises(DBAPIError, match="cannot replace"):
        copy_of(bank, voucher, replaces_id=voucher.id, **changed)


def test_nobody_gives_a_voucher_to_oneself(bank: Database) -> None:
    _, [voucher] = bought(bank)
    number = new_id()
    with pytest.raises(DBAPIError, match="cannot replace"):
        copy_of(bank, voucher, id=number, origin_id=number, replaces_id=voucher.id)


def test_two_cards_for_the_same_minutes_are_never_both_good(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    with pytest.raises(DBAPIError, match="is still good beside"):
        copy_of(bank, voucher, replaces_id=voucher.id)
    with bank.unit_of_work() as session:
        [anew] = reissue_vouchers(session, actor=holder, voucher_ids=[voucher.id])
    with pytest.raises(DBAPIError, match="cannot replace"):
        copy_of(bank, anew, replaces_id=voucher.id)
    with pytest.raises(DBAPIError, match="replaced by the one that replaces it"):
        attempt(
            bank,
            """UPDATE voucher SET status = 'void', ended_at = issued_at, void_reason = 'lost', replaced_by_id = id
               WHERE id = :id""",
            id=anew.id,
        )


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("status = 'void', ended_at = issued_at", "void_reasoned"),
        ("void_reason = 'cancelled', void_note = '重复'", "void_reasoned"),
        ("status = 'void', ended_at = issued_at, void_reason = 'lost'", "replaced_whole"),
        ("status = 'void', ended_at = issued_at, void_reason = 'cancelled'", "cancelled_for_a_reason"),
        ("status = 'void', ended_at = issued_at, void_reason = 'cancelled', void_note = ''", "cancelled_for_a_reason"),
        ("status = 'void', ended_at = issued_at, void_reason = 'eaten'", "void_reason_known"),
    ],
)
def test_a_void_voucher_says_why(bank: Database, change: str, check: str) -> None:
    _, [voucher] = bought(bank)
    with pytest.raises(IntegrityError, match=f"ck_voucher_{check}"):
        attempt(bank, f"UPDATE voucher SET {change} WHERE id = :id", id=voucher.id)


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"weekdays": []}, "weekdays_known"),
        ({"weekdays": [8]}, "weekdays_known"),
        ({"on_expiry": "keep"}, "on_expiry_known"),
        ({"issued_by_name": ""}, "issuer_named"),
    ],
)
def test_a_voucher_is_issued_with_terms_that_make_sense(bank: Database, changed: dict[str, Any], check: str) -> None:
    _, [voucher] = bought(bank)
    number = new_id()
    with pytest.raises(IntegrityError, match=f"ck_voucher_{check}"):
        copy_of(bank, voucher, id=number, origin_id=number, **changed)
