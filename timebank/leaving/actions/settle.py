"""Settling 清户: everything of a person comes to its end, minutes go on, accounts close, logins die; or nothing does.

Order of locks: the lock of moving, the people, the leaver's relations, the heirs that the leaver named or is (in this
order, as where a relation is ended), the diner's file with the meals ordered and what these have taken, the bookings
with the providers' days, the loans, the vouchers, and then all accounts at once; what is cancelled and refunded
afterwards finds every row locked already.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import Unit
from timebank.core.ids import new_id
from timebank.leaving.actions.meals import end_meals, lock_meals_of, pass_purse_on
from timebank.leaving.models import Leaving
from timebank.leaving.queries import cancellable_bookings, cancellable_loans, open_things
from timebank.leaving.rules import REASON_NAMES, Destination, LeavingReason, must_be_settled
from timebank.ledger.actions import ensure_accounts, post_one, township_accounts
from timebank.ledger.actions.post import lock_accounts
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, AccountState, Movement
from timebank.people.actions.consent import lock_people
from timebank.people.family_models import FamilyRelation, Heir
from timebank.people.login_models import Login
from timebank.people.models import Person, Proxy
from timebank.policies.queries import in_force
from timebank.redemption.actions import expire_voucher, refund_voucher
from timebank.redemption.aids.actions import cancel as cancel_loan
from timebank.redemption.aids.models import AidLoan
from timebank.redemption.aids.rules import ACTIVE
from timebank.redemption.care.actions.cancel import cancel_for_leaver
from timebank.redemption.care.models import CareBooking, CareCapacity
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus

TO_RELATIVE, TO_POOL = "inheritance", "left_to_pool"
"""Kinds of transfer: savings to a relative; whatever else to the pool."""


@dataclass(frozen=True, slots=True)
class Farewell:
    """Who leaves and why, who gets the savings (None: the pool), and what shows it."""

    leaver: Person
    receiver: Person | None
    reason: LeavingReason
    evidence: str | None = None


def lock_for_leaving(session: Session, leaver_id: UUID, receiver_id: UUID | None) -> dict[UUID, Person]:
    """Both people, locked, and with them the leaver's relations and heirs: nobody ends or names one meanwhile.

    Raises NotFound ``person_unknown``.
    """
    people = lock_people(session, {one for one in (leaver_id, receiver_id) if one is not None})
    either = or_(FamilyRelation.person_id == leaver_id, FamilyRelation.relative_id == leaver_id)
    standing = select(FamilyRelation.id).where(either, FamilyRelation.ended_at.is_(None))
    session.execute(standing.order_by(FamilyRelation.id).with_for_update()).all()
    named = select(Heir.id).where(or_(Heir.person_id == leaver_id, Heir.heir_id == leaver_id), Heir.ended_at.is_(None))
    session.execute(named.order_by(Heir.id).with_for_update()).all()
    return people


def settle(session: Session, *, actor: Actor, farewell: Farewell) -> Leaving:
    """Settle and close everything of whoever leaves, after ``lock_for_leaving``; nobody moves.

    Raises Conflict ``not_settled_yet``, ``purse_not_empty``.
    """
    leaver, reason = farewell.leaver, farewell.reason
    meals = lock_meals_of(session, leaver=leaver, receiver=farewell.receiver, reason=reason)
    bookings, vouchers = _lock_what_ends(session, leaver.id)
    must_be_settled(open_things(session, leaver.id), reason)
    savings, pools = _lock_accounts(session, farewell, meals.accounts)
    # First of all, since a meal ordered may have a voucher, which is then refunded as any other.
    end_meals(session, actor=actor, leaver=leaver, meals=meals, reason=reason)
    for booking_id in bookings:
        cancel_for_leaver(session, actor=actor, booking_id=booking_id, reason=f"本人{REASON_NAMES[reason]}")
    for loan_id in cancellable_loans(session, leaver.id):
        cancel_loan(session, actor=actor, loan_id=loan_id, reason=f"本人{REASON_NAMES[reason]}")
    for voucher_id in vouchers:
        if not expire_voucher(session, voucher_id=voucher_id):
            refund_voucher(session, actor=actor, voucher_id=voucher_id)
    leaving_id = new_id()
    states = _open_states(session, leaver.id)
    post_what_is_left(session, actor, leaving_id, states, savings, pools)
    receiver = farewell.receiver
    pass_purse_on(session, actor=actor, leaver=leaver, receiver=receiver, meals=meals, leaving_id=leaving_id)
    now = clock.now()
    # The purse stays: what comes back late, as for a meal that was none, is paid back over a counter or to the heirs.
    open_time = (Account.person_id == leaver.id, Account.unit == Unit.MINUTE, Account.closed_at.is_(None))
    session.execute(update(Account).where(*open_time).values(closed_at=now))
    _end_ties(session, actor, leaver.id)
    leaver.left_at = now
    leaving = _written(actor, farewell, leaving_id, states, len(vouchers))
    session.add(leaving)
    session.flush()
    note_down(
        session,
        actor=actor,
        action="person_left",
        subject=("person", leaver.id),
        reason=str(farewell.reason),
        savings_to=leaving.savings_to,
        savings_minutes=leaving.savings_minutes,
        granted_minutes=leaving.granted_minutes,
    )
    return leaving


def post_what_is_left(
    session: Session,
    actor: Actor | None,
    cause_id: UUID,
    states: Mapping[int, AccountState],
    savings: int | None,
    pools: Mapping[str, int],
    cause_kind: str = "leaving",
) -> int:
    """Send what is available on: savings to the relative's ``savings`` or the pool, grants to the pool of their book.

    Answers the minutes.
    """
    movements = []
    for state in states.values():
        if state.available == 0:
            continue
        goes_on = state.kind == AccountKind.SAVINGS and savings is not None
        movements.append(
            Movement(
                id=new_id(),
                from_account_id=state.id,
                to_account_id=savings if goes_on and savings is not None else pools[state.book_code],
                amount=state.available,
                kind=TO_RELATIVE if goes_on else TO_POOL,
                effective_at=clock.now(),
                cause_kind=cause_kind,
                cause_id=cause_id,
                note="办理退出",
                policy_version=in_force(session, at=clock.now()).version,
                recorded_by=actor.login_id if actor else None,
            )
        )
    if movements:
        post_one(session, tuple(movements))
    return sum(movement.amount for movement in movements)


def open_accounts(session: Session, person_id: UUID) -> dict[int, str]:
    """The books of a person's open time accounts, by account."""
    query = select(Account.id, Account.book_code).where(
        Account.person_id == person_id, Account.unit == "minute", Account.closed_at.is_(None)
    )
    return {row.id: row.book_code for row in session.execute(query)}


def _lock_what_ends(session: Session, person_id: UUID) -> tuple[list[UUID], list[UUID]]:
    """The bookings to cancel and the vouchers to refund, nobody else changing them, nor what is borrowed."""
    rows = session.execute(
        select(CareBooking.id, CareBooking.provider_id, CareBooking.day)
        .where(CareBooking.elder_id == person_id, CareBooking.ended_at.is_(None))
        .order_by(CareBooking.id)
        .with_for_update(key_share=True)
    ).all()
    days = [(row.provider_id, row.day) for row in rows if row.provider_id is not None]
    session.execute(
        select(CareCapacity.day)
        .where(tuple_(CareCapacity.provider_id, CareCapacity.day).in_(days))
        .order_by(CareCapacity.provider_id, CareCapacity.day)
        .with_for_update(key_share=True)
    )
    loans = select(AidLoan.id).where(AidLoan.holder_id == person_id, AidLoan.status.in_(ACTIVE)).order_by(AidLoan.id)
    session.execute(loans.with_for_update(key_share=True))
    vouchers = session.scalars(
        select(Voucher.id)
        .where(Voucher.holder_id == person_id, Voucher.status == VoucherStatus.ISSUED)
        .order_by(Voucher.id)
        .with_for_update(key_share=True)
    )
    return cancellable_bookings(session, person_id), list(vouchers)


def _lock_accounts(
    session: Session, farewell: Farewell, of_meals: Collection[int]
) -> tuple[int | None, dict[str, int]]:
    """All accounts that take part, locked at once; answers the relative's savings account and the pools by book."""
    leaver, receiver = farewell.leaver, farewell.receiver
    holders = [(one.id, one.township_code) for one in (leaver, receiver) if one is not None]
    savings = ensure_accounts(session, holders, AccountKind.SAVINGS)
    own = open_accounts(session, leaver.id)
    pools = township_accounts(session, set(own.values()), AccountKind.POOL)
    lock_accounts(session, {*own, *pools.values(), *savings.values(), *of_meals})
    return (savings[receiver.id] if receiver is not None else None), pools


def _open_states(session: Session, person_id: UUID) -> dict[int, AccountState]:
    own = open_accounts(session, person_id)
    states = lock_accounts(session, own)
    return {account_id: states[account_id] for account_id in own}


def _end_ties(session: Session, actor: Actor, person_id: UUID) -> None:
    """Proxies and relations of both directions, named heirs and logins; a token of one of these stands for nobody."""
    now, ended = clock.now(), {"ended_at": clock.now(), "ended_by": actor.login_id}
    mine = or_(Proxy.elder_id == person_id, Proxy.proxy_id == person_id)
    session.execute(update(Proxy).where(mine, Proxy.ended_at.is_(None)).values(**ended))
    named = {**ended, "ended_by_name": actor.name}
    theirs = or_(Heir.person_id == person_id, Heir.heir_id == person_id)
    session.execute(update(Heir).where(theirs, Heir.ended_at.is_(None)).values(**named))
    either = or_(FamilyRelation.person_id == person_id, FamilyRelation.relative_id == person_id)
    session.execute(update(FamilyRelation).where(either, FamilyRelation.ended_at.is_(None)).values(**named))
    session.execute(
        update(Login).where(Login.person_id == person_id, Login.disabled_at.is_(None)).values(disabled_at=now)
    )


def _written(
    actor: Actor, farewell: Farewell, leaving_id: UUID, states: Mapping[int, AccountState], vouchers: int
) -> Leaving:
    def sum_of(kind: AccountKind) -> int:
        return sum(state.available for state in states.values() if state.kind == kind)

    assert actor.login_id is not None
    receiver = farewell.receiver
    return Leaving(
        id=leaving_id,
        person_id=farewell.leaver.id,
        reason=farewell.reason,
        savings_to=Destination.POOL if receiver is None else Destination.RELATIVE,
        to_person_id=None if receiver is None else receiver.id,
        savings_minutes=sum_of(AccountKind.SAVINGS),
        granted_minutes=sum_of(AccountKind.GRANTED),
        vouchers_refunded=vouchers,
        township_code=farewell.leaver.township_code,
        evidence=farewell.evidence,
        left_at=farewell.leaver.left_at,
        left_by=actor.login_id,
        left_by_name=actor.name,
    )
