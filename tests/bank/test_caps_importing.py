"""An office's workbook goes by the same caps, and its counts say what was handed in."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from tests.factories.imports import NOON, bring_in
from tests.factories.policies import change_policy
from tests.factories.workbooks import write_plain_workbook
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.models import Transfer
from timebank.notifications.models import Notice


@pytest.fixture(autouse=True)
def _noon() -> None:
    clock.freeze(NOON)


def test_what_a_workbook_brings_beyond_the_cap_goes_to_the_pool_and_the_counts_stay(
    bank: Database, tmp_path: Path
) -> None:
    path = tmp_path / "登记表.xlsx"
    write_plain_workbook(path)
    with bank.unit_of_work() as session:
        change_policy(session, "lifetime_cap_minutes", 30)
    report = bring_in(bank, path)
    with bank.session() as session:
        by_kind = dict(
            session.execute(
                select(Transfer.kind, func.sum(Transfer.amount))
                .where(Transfer.link_id.is_(None) | (Transfer.link_id == Transfer.id))
                .group_by(Transfer.kind)
            ).all()
        )
        most = session.scalar(text("SELECT max(posted) FROM ledger_account WHERE kind = 'savings'"))
        surplus = session.scalar(text("SELECT sum(surplus_minutes) FROM task_assignment"))
        told = session.scalars(select(Notice.body).where(Notice.title == "补录时长已到账")).all()
    assert by_kind["back_fill_credit"] + by_kind["surplus"] == report.minutes
    assert (most, surplus) == (30, by_kind["surplus"])
    assert any("超出上限的" in body and "转入公益时间池" in body for body in told)
    assert bring_in(bank, path).minutes == 0
