"""Reminding borrowers 归还提醒: before the last day, on it, and after it, on the days that policy names, each once."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.aids.actions.telling import loan_words, tell_borrower
from timebank.redemption.aids.models import AidItem, AidLoan, AidReminder
from timebank.redemption.aids.queries import lock_loan
from timebank.redemption.aids.rules import LoanStatus, reminder_text, reminders_due

_POLICY = "aid_reminder_days"


def reminders_to_send(session: Session, *, limit: int) -> list[UUID]:
    """Loans of which somebody should be reminded today and has not been."""
    policies = in_force(session, at=clock.now())
    offsets = [*policies.value(_POLICY), *(o for own in policies.township_values(_POLICY).values() for o in own)]
    if not offsets:
        return []
    query = select(AidLoan, AidItem.home_township_code).join(AidItem, AidItem.id == AidLoan.item_id)
    soon = AidLoan.due_on <= clock.today() - timedelta(days=min(offsets))
    rows = session.execute(query.where(AidLoan.status == LoanStatus.LENT, soon).order_by(AidLoan.due_on)).all()
    sent = _sent(session, [loan.id for loan, _ in rows])
    return [loan.id for loan, home in rows if _due(policies, loan, home, sent)][:limit]


def remind(session: Session, *, loan_id: UUID) -> bool:
    """Send one loan's reminder, if one is due; where several days have gone by unsaid, one notice says it for all."""
    loan = lock_loan(session, loan_id)
    item = session.get_one(AidItem, loan.item_id)
    due = _due(in_force(session, at=clock.now()), loan, item.home_township_code, _sent(session, [loan.id]))
    if loan.status != LoanStatus.LENT or loan.due_on is None or not due:
        return False
    session.add_all(
        AidReminder(loan_id=loan.id, due_on=loan.due_on, offset_days=offset, told_at=clock.now()) for offset in due
    )
    text = reminder_text(loan_words(item), loan.due_on, clock.today())
    tell_borrower(session, loan, title="请归还辅具", body=text)
    if clock.today() > loan.due_on:
        body = f"{loan_words(item)}应在{loan.due_on.month}月{loan.due_on.day}日归还，至今未还。"
        notify_stewards(session, township_code=item.at_township_code, title="辅具逾期未还", body=body)
    session.flush()
    return True


def _sent(session: Session, loan_ids: list[UUID]) -> set[tuple[UUID, date, int]]:
    query = select(AidReminder.loan_id, AidReminder.due_on, AidReminder.offset_days)
    return set(session.execute(query.where(AidReminder.loan_id.in_(loan_ids))))


def _due(policies: PolicyBook, loan: AidLoan, home: str, sent: set[tuple[UUID, date, int]]) -> list[int]:
    if loan.due_on is None or loan.lent_on is None:
        return []
    told = [offset for loan_id, due_on, offset in sent if (loan_id, due_on) == (loan.id, loan.due_on)]
    offsets = policies.value(_POLICY, home)
    return reminders_due(offsets, lent_on=loan.lent_on, due_on=loan.due_on, today=clock.today(), sent=told)
