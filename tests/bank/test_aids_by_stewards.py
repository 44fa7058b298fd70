"""What stewards do about loans for a borrower without a phone: the evidence is kept and shown, each deed is audited."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from tests.factories.aids import add_aid, borrower_with, reserved
from tests.factories.people import XIWU, steward
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.redemption.aids.actions import Wish, cancel, extend, lend, reserve, return_aid
from timebank.redemption.aids.models import AidLoan
from timebank.redemption.aids.views import loan_for

EMPTY = """INSERT INTO aid_loan_day
    (id, loan_id, number, minutes, policy_version, added_at, added_by_name, evidence)
VALUES (gen_random_uuid(), :id, 4, 30, 1, now(), '某人', '')"""


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def reserved_for(bank: Database, clerk: Actor, *, evidence: str = " 电话录音 ") -> tuple[Actor, AidLoan]:
    with bank.unit_of_work() as session:
        borrower, item = borrower_with(session, 300), add_aid(session)
        wish = Wish(2, item_id=item.id, for_person_id=borrower.person(), evidence=evidence)
        return borrower, reserve(session, actor=clerk, wish=wish)


def deeds(bank: Database, loan: AidLoan) -> list[tuple[str, str, dict[str, Any]]]:
    with bank.session() as session:
        about = (AuditEntry.subject_kind == "aid_loan", AuditEntry.subject_id == str(loan.id))
        rows = session.scalars(select(AuditEntry).where(*about).order_by(AuditEntry.id))
        return [(row.action, row.actor_name, row.facts) for row in rows]


def test_the_evidence_of_each_promise_of_days_is_kept_and_shown(bank: Database) -> None:
    clerk = steward(XIWU)
    borrower, loan = reserved_for(bank, clerk)
    with bank.unit_of_work() as session:
        lend(session, actor=clerk, loan_id=loan.id, condition="good", evidence="身份证")
    for hour, who, evidence in ((1, clerk, " 老人到窗口口头同意 "), (2, borrower, None)):
        clock.freeze(NINE.replace(hour=9 + hour))
        with bank.unit_of_work() as session:
            extend(session, actor=who, loan_id=loan.id, days=hour, evidence=evidence)
    for viewer in (borrower, clerk):
        with bank.session() as session:
            agreed = loan_for(session, actor=viewer, loan_id=loan.id).agreed
        assert [(one.days, one.added_at.astimezone(clock.LOCAL).hour, one.evidence) for one in agreed] == [
            (2, 9, "电话录音"),
            (1, 10, "老人到窗口口头同意"),
            (2, 11, None),
        ]
        assert [one.added_by_name for one in agreed][2] == borrower.name
        assert clerk.name in agreed[1].added_by_name


def test_the_evidence_of_a_promised_day_is_never_empty_and_never_changed(bank: Database) -> None:
    _, loan = reserved(bank)
    with bank.session() as session, pytest.raises(DBAPIError) as changed:
        session.execute(text("UPDATE aid_loan_day SET evidence = '另有说明' WHERE loan_id = :id"), {"id": loan.id})
    assert changed.value.orig.diag.sqlstate == "TB001"  # type: ignore[union-attr]
    with bank.session() as session:
        session.execute(text("UPDATE aid_loan SET days = 4 WHERE id = :id"), {"id": loan.id})
        with pytest.raises(DBAPIError) as empty:
            session.execute(text(EMPTY), {"id": loan.id})
    assert empty.value.orig.diag.constraint_name == "ck_aid_loan_day_evidence_said"  # type: ignore[union-attr]


def test_a_stewards_deeds_about_a_loan_are_written_down(bank: Database) -> None:
    clerk = steward(XIWU)
    _, loan = reserved_for(bank, clerk)
    with bank.unit_of_work() as session:
        lend(session, actor=clerk, loan_id=loan.id, condition="good", code=loan.code)
    with bank.unit_of_work() as session:
        extend(session, actor=clerk, loan_id=loan.id, days=3, evidence="电话录音")
    with bank.unit_of_work() as session:
        return_aid(session, actor=clerk, loan_id=loan.id, condition="worn")
    assert deeds(bank, loan) == [
        ("aid_reserved", clerk.name, {"days": 2}),
        ("aid_lent", clerk.name, {"condition": "good", "by_code": True}),
        ("aid_extended", clerk.name, {"days": 3}),
        ("aid_returned", clerk.name, {"condition": "worn", "township_code": XIWU}),
    ]
    _, other = reserved_for(bank, clerk)
    with bank.unit_of_work() as session:
        cancel(session, actor=clerk, loan_id=other.id, reason="老人住院")
    assert deeds(bank, other)[1:] == [("aid_cancelled", clerk.name, {"reason": "老人住院"})]


def test_what_the_borrower_does_alone_is_no_deed_of_a_steward(bank: Database) -> None:
    borrower, loan = reserved(bank)
    with bank.unit_of_work() as session:
        cancel(session, actor=borrower, loan_id=loan.id)
    assert deeds(bank, loan) == []
