"""Charging days of use 按天扣时长: each day that has begun, once, in order, none left out.

A day is charged under the lock of its loan, and its row is unique by loan and day; a job that was down for a week
finds seven days and charges each in a unit of work of its own. What was promised is captured from the day's own hold
(see ``reserve.py``). A day after the promised ones is charged from what the borrower has available, for as many days
as policy says; where that does not suffice, and after those days, the day is written down as owed: nobody's minutes
fall below zero, and nothing is lost silently.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.errors import BankError, Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.actions.holds import end_hold
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import AccountKind
from timebank.people.models import Person
from timebank.people.queries import nobody_moves, person
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.aids.actions.reserve import CAUSE
from timebank.redemption.aids.actions.telling import loan_words, tell_borrower
from timebank.redemption.aids.models import AidCharge, AidItem, AidLoan, AidLoanDay
from timebank.redemption.aids.queries import lock_loan
from timebank.redemption.aids.rules import LoanStatus, PaidFrom, day_number, day_of, price_per_day, uncharged_days
from timebank.redemption.paying import capture_minutes, charge_minutes, release_minutes

KIND = "aid_use"
"""The kind of transfer by which a day of use is paid to the item's home township."""


def charges_due(session: Session, *, limit: int) -> list[tuple[UUID, date]]:
    """Days of use that have begun and are not charged: ``(loan, day)``, each loan's in order."""
    last = select(func.coalesce(func.max(AidCharge.number), 0)).where(AidCharge.loan_id == AidLoan.id).scalar_subquery()
    today = clock.today()
    query = select(AidLoan.id, AidLoan.lent_on, last).where(
        AidLoan.status == LoanStatus.LENT, today - AidLoan.lent_on >= last
    )
    due = [
        (loan_id, day)
        for loan_id, lent_on, number in session.execute(query.order_by(AidLoan.id).limit(limit))
        if lent_on is not None
        for day in uncharged_days(lent_on, number, today)
    ]
    return due[:limit]


def charge_day(session: Session, *, loan_id: UUID, day: date) -> bool:
    """Charge a loan's next day of use, if that is not after ``day``; answers whether there was one to charge."""
    nobody_moves(session)
    loan = lock_loan(session, loan_id)
    if loan.status != LoanStatus.LENT or loan.lent_on is None:
        return False
    number = _last_number(session, loan) + 1
    if day_of(loan.lent_on, number) > min(day, clock.today()):
        return False
    item = session.get_one(AidItem, loan.item_id)
    lock_minutes(session, loan)
    _charge(session, loan, item, person(session, loan.holder_id), number)
    return True


def charge_begun_days(session: Session, *, loan: AidLoan, item: AidItem, holder: Person) -> None:
    """Charge whatever days have begun, today's included; for a loan, locked, that is about to end."""
    assert loan.lent_on is not None
    for number in range(_last_number(session, loan) + 1, day_number(loan.lent_on, clock.today()) + 1):
        _charge(session, loan, item, holder, number)


def release_days(session: Session, *, loan: AidLoan) -> int:
    """Give back what is still held for days of this loan; answers the minutes."""
    query = select(Hold.id, Hold.amount).join(AidLoanDay, AidLoanDay.id == Hold.cause_id)
    held = session.execute(query.where(AidLoanDay.loan_id == loan.id, Hold.state == "placed").order_by(Hold.id)).all()
    for hold_id, _ in held:
        end_hold(session, hold_id=hold_id)
    return sum(amount for _, amount in held)


def lock_minutes(session: Session, loan: AidLoan) -> None:
    """Lock everything that days of this loan may be paid from, in one call: several days may lie in several lots."""
    query = select(Account.id).where(
        Account.person_id == loan.holder_id,
        Account.unit == "minute",
        Account.kind.in_([AccountKind.GRANTED, AccountKind.SAVINGS]),
        Account.closed_at.is_(None),
    )
    lock_accounts(session, session.scalars(query))


def _last_number(session: Session, loan: AidLoan) -> int:
    return int(session.scalar(select(func.max(AidCharge.number)).where(AidCharge.loan_id == loan.id)) or 0)


def _charge(session: Session, loan: AidLoan, item: AidItem, holder: Person, number: int) -> None:
    assert loan.lent_on is not None
    query = select(AidLoanDay).where(AidLoanDay.loan_id == loan.id, AidLoanDay.number == number)
    promised = session.scalar(query)
    policies = in_force(session, at=clock.day_start(day_of(loan.lent_on, number)))
    prices = policies.value("aid_price_minutes_per_day", item.home_township_code)
    charge = AidCharge(
        id=promised.id if promised else new_id(),
        loan_id=loan.id,
        number=number,
        day=day_of(loan.lent_on, number),
        minutes=promised.minutes if promised else price_per_day(prices, item.kind),
        paid_from=PaidFrom.HELD,
        policy_version=promised.policy_version if promised else policies.version,
        charged_at=clock.now(),
    )
    target = township_accounts(session, [item.home_township_code], AccountKind.REDEEMED)[item.home_township_code]
    if promised is None or not _capture(session, loan, item, charge, target):
        # Its hold may have run out, where nobody charged for very long: then the day is paid like one after the last.
        _take_or_owe(session, loan, item, holder, charge, target, policies)
    session.add(charge)
    session.flush()
    if charge.paid_from == PaidFrom.OWED:
        _tell_owed(session, loan, item, charge)


def _capture(session: Session, loan: AidLoan, item: AidItem, charge: AidCharge, target: int) -> bool:
    assert loan.lent_at is not None
    effective_at = max(clock.day_start(charge.day), loan.lent_at)
    try:
        capture_minutes(
            session,
            cause_id=charge.id,
            cause_kind=CAUSE,
            minutes=charge.minutes,
            to_account_id=target,
            kind=KIND,
            note=_note(item, charge),
            policy_version=charge.policy_version,
            recorded_by=None,
            effective_at=effective_at,
        )
    except Conflict:
        # Of two holds for one day one may have run out a moment before the other.
        release_minutes(session, cause_id=charge.id)
        return False
    return True


def _take_or_owe(
    session: Session,
    loan: AidLoan,
    item: AidItem,
    holder: Person,
    charge: AidCharge,
    target: int,
    policies: PolicyBook,
) -> None:
    """Charge a day from what is available, or write it down as owed, with the code of the refusal as its reason."""
    charge.policy_version = policies.version
    most = policies.whole("aid_overdue_max_days", item.home_township_code)
    if charge.number > loan.days + most:
        charge.paid_from, charge.owed_reason = PaidFrom.OWED, "aid_overdue_too_long"
        return
    try:
        charge_minutes(
            session,
            holder=holder,
            minutes=charge.minutes,
            to_account_id=target,
            kind=KIND,
            cause_kind=CAUSE,
            cause_id=charge.id,
            note=_note(item, charge),
            policies=policies,
            recorded_by=None,
        )
        charge.paid_from = PaidFrom.AVAILABLE
    except BankError as refusal:
        charge.paid_from, charge.owed_reason = PaidFrom.OWED, refusal.code


def _note(item: AidItem, charge: AidCharge) -> str:
    return f"借用{loan_words(item)}，{charge.day.month}月{charge.day.day}日"


def _tell_owed(session: Session, loan: AidLoan, item: AidItem, charge: AidCharge) -> None:
    """Once, for the first day owed: the reminders say the rest."""
    earlier = select(AidCharge.id).where(
        AidCharge.loan_id == loan.id, AidCharge.paid_from == PaidFrom.OWED, AidCharge.number < charge.number
    )
    if session.scalar(earlier.limit(1)) is None:
        since = f"{charge.day.month}月{charge.day.day}日起"
        body = f"您借用的{loan_words(item)}已过借期，{since}的时长未能扣付，先记为欠付。请尽快归还。"
        tell_borrower(session, loan, title="辅具借用有欠付", body=body)
