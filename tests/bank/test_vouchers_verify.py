"""``verify`` sees what was done to vouchers behind the bank's back."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from tests.factories.tasks import NINE
from tests.factories.vouchers import bought
from timebank.core import clock
from timebank.core.db import Database
from timebank.redemption.actions import reissue_vouchers
from timebank.supervision.verify import verify


def misfits(bank: Database) -> set[str]:
    with bank.session() as session:
        return {found.check.name for found in verify(session) if found.misfit is not None}


@pytest.mark.parametrize(
    ("tampering", "seen"),
    [
        ("UPDATE voucher SET price_minutes = 30 WHERE status = 'issued' AND replaces_id IS NULL", "vouchers_paid"),
        ("UPDATE voucher SET origin_id = id WHERE replaces_id IS NOT NULL", "vouchers_paid"),
        ("UPDATE voucher SET price_minutes = 90 WHERE status = 'void'", "vouchers_replaced_once"),
        (
            """UPDATE voucher SET status = 'issued', ended_at = NULL, void_reason = NULL, replaced_by_id = NULL
               WHERE status = 'void'""",
            "vouchers_replaced_once",
        ),
    ],
)
def test_vouchers_altered_by_hand_are_named(unverified_bank: Database, tampering: str, seen: str) -> None:
    clock.freeze(NINE)
    holder, [lost, _] = bought(unverified_bank, 2)
    with unverified_bank.unit_of_work() as session:
        reissue_vouchers(session, actor=holder, voucher_ids=[lost.id])
    assert misfits(unverified_bank) == set()
    with unverified_bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE voucher DISABLE TRIGGER USER"))
        session.execute(text(tampering))
        session.execute(text("ALTER TABLE voucher ENABLE TRIGGER USER"))
    assert seen in misfits(unverified_bank)
