"""Loans as people see them: with the item, the borrower, and what the days came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, false, func, or_, select, true
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotAllowed
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.ledger.models import Hold, Transfer
from timebank.people.models import Person
from timebank.people.queries import acts_for, elders_of
from timebank.people.rules import ProxyScope
from timebank.redemption.aids.models import AidCharge, AidItem, AidKind, AidLoan, AidLoanDay
from timebank.redemption.aids.queries import loan_unknown
from timebank.redemption.aids.rules import LoanStatus, PaidFrom, overdue_days

AID_LOAN_ORDERS = Orders(
    of="aid_loans",
    by={
        "reserved_at": AidLoan.id,
        "name": by_pinyin(Person.name),
        "kind": by_pinyin(AidKind.name),
        "serial": by_pinyin(AidItem.serial),
        "status": by_course(AidLoan.status, list(LoanStatus)),
        "due_on": AidLoan.due_on,
    },
    tie=AidLoan.id,
    usual="-reserved_at",
)


@dataclass(frozen=True, slots=True)
class LoanFilter:
    """Which loans are wanted; ``serial`` is what a steward reads off an aid that somebody brings."""

    for_person_id: UUID | None = None
    status: str | None = None
    township_code: str | None = None
    serial: str | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Agreed:
    """Days promised together, on reserving or extending: how many, when, by whom, on what evidence of a steward."""

    days: int
    added_at: datetime
    added_by_name: str
    evidence: str | None


@dataclass(frozen=True, slots=True)
class LoanView:
    """A loan for a screen. ``code`` is shown to the borrower and to proxies only.

    ``charged_minutes`` are without what was reversed, which is ``reversed_minutes``.
    """

    loan: AidLoan
    item: AidItem
    kind_name: str
    holder_name: str
    holder_township_code: str
    code: str | None
    overdue_days: int
    used_days: int
    charged_minutes: int
    reversed_minutes: int
    held_minutes: int
    owed_days: int
    owed_minutes: int
    agreed: Sequence[Agreed]


@dataclass(frozen=True, slots=True)
class _Sums:
    used_days: int = 0
    charged_minutes: int = 0
    owed_days: int = 0
    owed_minutes: int = 0


def find_loans(session: Session, *, actor: Actor, wanted: LoanFilter, part: Part) -> Slice[LoanView]:
    """Loans, newest first where ``part`` asks for no other order.

    A person sees the own ones and those of elders they act for; a township's stewards those of its aids, its people
    and what was brought back to it, and with a serial number also who has that aid now; the district and the auditor
    see all. Raises NotAllowed ``registration_needed``, ``not_your_elder``, ``proxy_scope_missing``,
    ``books_not_yours``.
    """
    query = _loans().where(_visible(session, actor, wanted))
    if wanted.for_person_id is not None:
        query = query.where(AidLoan.holder_id == wanted.for_person_id)
    if wanted.status is not None:
        query = query.where(AidLoan.status == wanted.status)
    if wanted.township_code is not None:
        query = query.where(AidItem.at_township_code == wanted.township_code)
    if wanted.serial is not None:
        query = query.where(AidItem.serial == wanted.serial)
    if wanted.overdue:
        query = query.where(AidLoan.status == LoanStatus.LENT, AidLoan.due_on < clock.today())
    found = slice_of(session, query, AID_LOAN_ORDERS, part)
    return found.holding(_seen(session, actor, found.items))


def loan_for(session: Session, *, actor: Actor, loan_id: UUID) -> LoanView:
    """One loan that the actor may see. Raises NotFound ``aid_loan_unknown``; NotAllowed as ``find_loans`` does."""
    query = _loans().where(AidLoan.id == loan_id, _visible(session, actor, LoanFilter()))
    rows = session.execute(query).all()
    if not rows:
        raise loan_unknown(loan_id)
    return _seen(session, actor, rows)[0]


def see_loan(session: Session, *, actor: Actor, loan: AidLoan) -> LoanView:
    """A loan that the actor has just done something about."""
    return _seen(session, actor, session.execute(_loans().where(AidLoan.id == loan.id)).all())[0]


def _loans() -> Select[AidLoan, AidItem, str, Person]:
    return (
        select(AidLoan, AidItem, AidKind.name, Person)
        .join(AidItem, AidItem.id == AidLoan.item_id)
        .join(AidKind, AidKind.code == AidItem.kind)
        .join(Person, Person.id == AidLoan.holder_id)
    )


def _visible(session: Session, actor: Actor, wanted: LoanFilter) -> ColumnElement[bool]:
    if actor.staff_role is None:
        elders = [actor.person(), *elders_of(session, actor.person(), ProxyScope.AIDS)]
        asked = wanted.for_person_id
        if asked is not None and not acts_for(session, actor, asked, ProxyScope.AIDS):
            raise NotAllowed("not_your_elder", "只能查看本人或登记代办的老人的借用")
        return AidLoan.holder_id.in_(elders)
    actor.must_see_books()
    if actor.is_district or actor.staff_role is StaffRole.AUDITOR:
        return true()
    code = actor.township_code
    in_hand = AidLoan.status == LoanStatus.LENT if wanted.serial is not None else false()
    places = (AidItem.home_township_code, AidItem.at_township_code, AidLoan.returned_township_code)
    return or_(in_hand, Person.township_code == code, *(place == code for place in places))


def _seen(session: Session, actor: Actor, rows: Sequence[tuple[AidLoan, AidItem, str, Person]]) -> list[LoanView]:
    ids = [loan.id for loan, _, _, _ in rows]
    sums, held, agreed = _sums(session, ids), _held(session, ids), _agreed(session, ids)
    undone = _reversed(session, ids)
    views = []
    for row in rows:
        of = row[0].id
        found = sums.get(of, _Sums()), held.get(of, 0), undone.get(of, 0), agreed.get(of, [])
        views.append(_view(actor, row, *found))
    return views


def _view(
    actor: Actor,
    row: tuple[AidLoan, AidItem, str, Person],
    sums: _Sums,
    held: int,
    undone: int,
    agreed: Sequence[Agreed],
) -> LoanView:
    loan, item, kind_name, holder = row
    return LoanView(
        loan=loan,
        item=item,
        kind_name=kind_name,
        holder_name=holder.name,
        holder_township_code=holder.township_code,
        code=loan.code if actor.staff_role is None and loan.status == LoanStatus.RESERVED else None,
        overdue_days=overdue_days(loan.status, loan.due_on, clock.today()),
        used_days=sums.used_days,
        charged_minutes=sums.charged_minutes - undone,
        reversed_minutes=undone,
        held_minutes=held,
        owed_days=sums.owed_days,
        owed_minutes=sums.owed_minutes,
        agreed=agreed,
    )


def _agreed(session: Session, loan_ids: Sequence[UUID]) -> dict[UUID, list[Agreed]]:
    """Each loan's days as they were promised, the reservation's first."""
    together = (AidLoanDay.added_at, AidLoanDay.added_by_name, AidLoanDay.evidence)
    query = (
        select(AidLoanDay.loan_id, func.count(), *together)
        .where(AidLoanDay.loan_id.in_(loan_ids))
        .group_by(AidLoanDay.loan_id, *together)
        .order_by(func.min(AidLoanDay.number))
    )
    found: dict[UUID, list[Agreed]] = {}
    for loan_id, days, added_at, by_name, evidence in session.execute(query):
        found.setdefault(loan_id, []).append(Agreed(days, added_at, by_name, evidence))
    return found


def _sums(session: Session, loan_ids: Sequence[UUID]) -> dict[UUID, _Sums]:
    owed = AidCharge.paid_from == PaidFrom.OWED
    query = select(
        AidCharge.loan_id,
        func.count(),
        func.coalesce(func.sum(AidCharge.minutes).filter(~owed), 0),
        func.count().filter(owed),
        func.coalesce(func.sum(AidCharge.minutes).filter(owed), 0),
    )
    rows = session.execute(query.where(AidCharge.loan_id.in_(loan_ids)).group_by(AidCharge.loan_id))
    return {loan_id: _Sums(*map(int, numbers)) for loan_id, *numbers in rows}


def _held(session: Session, loan_ids: Sequence[UUID]) -> dict[UUID, int]:
    query = (
        select(AidLoanDay.loan_id, func.sum(Hold.amount))
        .join(Hold, Hold.cause_id == AidLoanDay.id)
        .where(AidLoanDay.loan_id.in_(loan_ids), Hold.state == "placed")
    )
    return {loan_id: int(total) for loan_id, total in session.execute(query.group_by(AidLoanDay.loan_id))}


def _reversed(session: Session, loan_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was reversed of each loan's days, by the first leg of each reversal."""
    query = (
        select(AidCharge.loan_id, func.sum(Transfer.amount))
        .join(Transfer, Transfer.cause_id == AidCharge.id)
        .where(
            AidCharge.loan_id.in_(loan_ids),
            Transfer.reverses_id.is_not(None),
            or_(Transfer.link_id.is_(None), Transfer.link_id == Transfer.id),
        )
    )
    return {loan_id: int(total) for loan_id, total in session.execute(query.group_by(AidCharge.loan_id))}
