"""Seeing leaving: what is open, what would happen, and reports of deaths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.orm import Session

from timebank.canteens.orders.actions import waiting_orders_of
from timebank.canteens.orders.models import StandingOrder
from timebank.canteens.orders.rules import CAUSE as MEAL
from timebank.canteens.purses.queries import purses_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotAllowed
from timebank.core.sorting import Orders, Part, Slice, slice_of
from timebank.leaving.models import DeathReport
from timebank.leaving.rules import OpenThing
from timebank.ledger.models import Account, Hold
from timebank.ledger.rules import AccountKind
from timebank.people.family_queries import heir_of, relatives_of
from timebank.people.models import Person, Proxy
from timebank.people.queries import oneself_or_stewarded, person
from timebank.redemption.aids.actions.reserve import CAUSE as LOAN_DAY
from timebank.redemption.aids.models import AidLoan
from timebank.redemption.aids.rules import LoanStatus
from timebank.redemption.care import rules as care
from timebank.redemption.care.models import CareBooking
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus
from timebank.tasks.models import Assignment, Task
from timebank.tasks.rules import FINISHED, AssignmentStatus

_UNSETTLED_PARTS = (
    *(AssignmentStatus.ACCEPTED, AssignmentStatus.CHECKED_IN, AssignmentStatus.CHECKED_OUT),
    *(AssignmentStatus.DISPUTED, AssignmentStatus.RECORDED),
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What leaving would do: minutes that would go on, what would be refunded and cancelled, and what is in the way.

    ``savings_minutes`` and ``granted_minutes`` count with what is held for visits; ``voucher_minutes``, what the
    vouchers would give back, come on top. All of it as things stand: a late cancellation may still cost something.
    What is in the purse (fen, also what is held for meals) is paid back at a counter before.
    """

    person_id: UUID
    name: str
    savings_minutes: int
    granted_minutes: int
    vouchers: int
    voucher_minutes: int
    care_bookings: int
    aid_reservations: int
    meal_orders: int
    standing_orders: int
    purse_fen: int
    proxies: int
    relatives: int
    heir_id: UUID | None
    open_things: Sequence[OpenThing]

    @property
    def may_leave(self) -> bool:
        """Whether nothing is in the way."""
        return not self.open_things


def cancellable_bookings(session: Session, person_id: UUID) -> list[UUID]:
    """Visits that nobody has set out for: they are cancelled, by their own rules, when the elder leaves."""
    query = select(CareBooking.id).where(
        CareBooking.elder_id == person_id,
        CareBooking.status.in_([care.CareStatus.BOOKED, care.CareStatus.ASSIGNED]),
        CareBooking.starts_at > clock.now(),
    )
    return list(session.scalars(query.order_by(CareBooking.id)))


def cancellable_loans(session: Session, person_id: UUID) -> list[UUID]:
    """Aids that are only reserved: given up, by their own rules, when the borrower leaves."""
    query = select(AidLoan.id).where(AidLoan.holder_id == person_id, AidLoan.status == LoanStatus.RESERVED)
    return list(session.scalars(query.order_by(AidLoan.id)))


def open_things(session: Session, person_id: UUID) -> list[OpenThing]:
    """Everything of a person that has to come to its end before the accounts can be closed, but for the purse.

    Meals ordered are none of it: they are cancelled.
    """
    found = [*_tasks(session, person_id), *_bookings(session, person_id), *_loans(session, person_id)]
    known = {thing.id for thing in found} | set(cancellable_bookings(session, person_id))
    return [*found, *_other_holds(session, person_id, known)]


def preview(session: Session, *, actor: Actor, person_id: UUID | None) -> Preview:
    """What would happen if somebody left now. Raises as ``oneself_or_stewarded``."""
    leaver = person(session, oneself_or_stewarded(session, actor, person_id))
    accounts = session.execute(
        select(Account.kind, Account.posted).where(
            Account.person_id == leaver.id, Account.unit == "minute", Account.closed_at.is_(None)
        )
    ).all()
    posted = {kind: sum(row.posted for row in accounts if row.kind == kind) for kind in AccountKind}
    vouchers = session.scalars(
        select(Voucher.price_minutes).where(Voucher.holder_id == leaver.id, Voucher.status == VoucherStatus.ISSUED)
    ).all()
    proxies = session.scalars(
        select(Proxy.id).where(or_(Proxy.elder_id == leaver.id, Proxy.proxy_id == leaver.id), Proxy.ended_at.is_(None))
    ).all()
    return Preview(
        person_id=leaver.id,
        name=leaver.name,
        savings_minutes=posted[AccountKind.SAVINGS],
        granted_minutes=posted[AccountKind.GRANTED],
        vouchers=len(vouchers),
        voucher_minutes=sum(vouchers),
        care_bookings=len(cancellable_bookings(session, leaver.id)),
        aid_reservations=len(cancellable_loans(session, leaver.id)),
        meal_orders=len(waiting_orders_of(session, leaver.id)),
        standing_orders=_standing_orders(session, leaver.id),
        purse_fen=purses_of(session, [leaver.id])[leaver.id].balance_fen,
        proxies=len(proxies),
        relatives=len(relatives_of(session, leaver.id)),
        heir_id=heir_of(session, leaver.id),
        open_things=[*open_things(session, leaver.id), *_meal_money(session, leaver.id)],
    )


DEATH_ORDERS = Orders(
    of="deaths",
    by={
        "reported_at": DeathReport.id,
        "name": by_pinyin(Person.name),
        "township": DeathReport.township_code,
        "died_on": DeathReport.died_on,
        "carried_out_at": DeathReport.second_approved_at,
    },
    tie=DeathReport.id,
    usual="-reported_at",
)


def death_reports(
    session: Session, *, actor: Actor, open_only: bool, part: Part, township_code: str | None = None
) -> Slice[Row[DeathReport, str]]:
    """Reports of deaths with the person's name, newest first where ``part`` asks for no other order.

    A township's steward sees those of the township, the district and the auditor all.

    Raises NotAllowed ``books_not_yours``.
    """
    actor.must_see_books()
    query = select(DeathReport, Person.name).join(Person, Person.id == DeathReport.person_id)
    if actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        query = query.where(DeathReport.township_code == actor.township_code)
    if open_only:
        query = query.where(DeathReport.declined_at.is_(None), DeathReport.second_approved_at.is_(None))
    if township_code is not None:
        query = query.where(DeathReport.township_code == township_code)
    return slice_of(session, query, DEATH_ORDERS, part)


def _tasks(session: Session, person_id: UUID) -> list[OpenThing]:
    serving = select(Assignment.task_id).where(
        Assignment.volunteer_id == person_id, Assignment.status.in_(_UNSETTLED_PARTS)
    )
    asked = and_(Task.elder_id == person_id, Task.status.not_in(FINISHED))
    rows = session.execute(select(Task.id, Task.ends_at).where(or_(asked, Task.id.in_(serving))).order_by(Task.id))
    return [OpenThing("task", row.id, row.ends_at) for row in rows]


def _bookings(session: Session, person_id: UUID) -> list[OpenThing]:
    cancellable = cancellable_bookings(session, person_id)
    query = select(CareBooking.id, CareBooking.ends_at).where(
        CareBooking.elder_id == person_id, CareBooking.status.in_(care.OPEN), CareBooking.id.not_in(cancellable)
    )
    return [OpenThing("care_booking", row.id, row.ends_at) for row in session.execute(query.order_by(CareBooking.id))]


def _loans(session: Session, person_id: UUID) -> list[OpenThing]:
    query = select(AidLoan).where(AidLoan.holder_id == person_id, AidLoan.status == LoanStatus.LENT)
    return [
        OpenThing("aid_loan", loan.id, clock.day_start(loan.due_on) if loan.due_on else None)
        for loan in session.scalars(query.order_by(AidLoan.id))
    ]


def _other_holds(session: Session, person_id: UUID, known: set[UUID | int]) -> list[OpenThing]:
    """What is set aside for anything else; a loan's days hold under ids of their own, and so do meals ordered."""
    rows = session.execute(
        select(Hold.cause_id, Hold.expires_at)
        .join(Account, Account.id == Hold.account_id)
        .where(Account.person_id == person_id, Hold.state == "placed", Hold.cause_kind.not_in((LOAN_DAY, MEAL)))
        .order_by(Hold.id)
    )
    return [OpenThing("hold", row.cause_id, row.expires_at) for row in rows if row.cause_id not in known]


def _standing_orders(session: Session, person_id: UUID) -> int:
    mine = (StandingOrder.diner_id == person_id, StandingOrder.ended_at.is_(None))
    return session.scalars(select(func.count()).select_from(StandingOrder).where(*mine)).one()


def _meal_money(session: Session, person_id: UUID) -> list[OpenThing]:
    query = select(Account.id).where(Account.person_id == person_id, Account.unit == "fen", Account.posted > 0)
    return [OpenThing("meal_money", account_id, None) for account_id in session.scalars(query)]


def must_be_seen(actor: Actor, report: DeathReport) -> None:
    """Raises NotAllowed ``other_township`` for a steward of another township."""
    if not actor.stewards(report.township_code):
        raise NotAllowed("other_township", "只能办理本镇街的事项", township_code=report.township_code)
