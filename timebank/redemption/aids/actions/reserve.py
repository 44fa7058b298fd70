"""Reserving an aid 预约: the item is set aside, and a day's price is held for every day asked for.

**Why one hold a day.** A hold of this ledger is captured once, and what it does not capture is released. Two ways lead
to a charge a day: release all and hold the rest again every night, or one hold for each day from the beginning. The
first would lose what the borrower counts on: minutes of a lot that has expired meanwhile cannot be held again, and
between release and hold somebody who pays from the same account could be faster. With one hold a day, what was
promised on the day of reserving stays promised: a lot that expires later is still captured out of its hold, a day is
charged by ending its own hold once, which a crash can only undo whole, and the job that runs again finds the day
charged or its hold standing. A lot's held minutes that are given back after its last day go where a lot's rest goes.

Order of locks: nobody moves; the borrower's row; the kind (an advisory lock, so that those who want any aid of a kind
do not wait for one another's items in a ring); the item; then the ledger's accounts, in one call.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions import place_hold
from timebank.people.models import Person
from timebank.people.queries import acts_for, nobody_moves, person, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.aids.actions.telling import loan_words, tell_borrower
from timebank.redemption.aids.models import AidItem, AidLoan, AidLoanDay
from timebank.redemption.aids.queries import active_loan_of, aid_kind, aid_unknown, due_back, lock_item
from timebank.redemption.aids.rules import (
    ACTIVE,
    USABLE,
    LoanStatus,
    must_be_usable,
    must_be_within_days,
    must_have_room,
    nearest_first,
    price_per_day,
    taken,
)
from timebank.redemption.paying import books_of, choose_sources, must_be_of_redeeming_age
from timebank.tasks.rules import split_payment
from timebank.townships.queries import township

CAUSE = "aid_charge"
"""What holds and transfers of a day of use name as their cause."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: one item, or any of a kind (in one township); for how many days, and for whom."""

    days: int
    item_id: UUID | None = None
    kind: str | None = None
    township_code: str | None = None
    for_person_id: UUID | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Who promised days of use, with both names where somebody acts for the borrower, and on what ``evidence``."""

    by_name: str
    evidence: str | None


def reserve(session: Session, *, actor: Actor, wish: Wish) -> AidLoan:
    """Reserve an aid and hold its days' minutes, granted ones first.

    For oneself, as a proxy, or, with evidence, as a steward for an elder of the township. Raises NotAllowed
    ``registration_needed``, ``not_your_elder``, ``proxy_scope_missing``, ``other_township``; NotFound
    ``person_unknown``, ``aid_unknown``; Refused ``evidence_missing``, ``aid_choice_needed``, ``aid_kind_unknown``,
    ``township_unknown``, ``too_young_to_redeem``, ``amount_invalid``, ``aid_days_too_many``, ``aids_too_many``,
    ``position_limit_reached``, ``insufficient_minutes``, ``not_vested_yet``; Conflict ``person_left``, ``aid_taken``,
    ``aid_not_usable``, ``aid_none_of_kind``.
    """
    nobody_moves(session)
    holder = borrower(session, actor, wish.for_person_id or actor.person(), wish.evidence)
    policies = in_force(session, at=clock.now())
    must_be_of_redeeming_age(session, holder, policies)
    must_be_within_days(wish.days, policies.whole("aid_max_days", holder.township_code))
    must_have_room(_borrowed(session, holder.id), policies.whole("aid_max_items", holder.township_code))
    item = _pick(session, wish, holder.township_code)
    loan = _loan(actor, holder, item, wish, policies)
    session.add(loan)
    # Also where the minutes do not suffice: then the unit of work is undone.
    session.flush()
    said = Said(loan.reserved_by_name, wish.evidence)
    hold_days(session, loan=loan, item=item, holder=holder, after=0, said=said, policies=policies)
    if actor.is_steward:
        note_down(session, actor=actor, action="aid_reserved", subject=("aid_loan", loan.id), days=loan.days)
    words = (
        f"{loan_words(item)}已为您保留到{loan.reserved_until.astimezone(clock.LOCAL):%m月%d日%H:%M}，请凭取用码领取。"
    )
    tell_borrower(session, loan, title="辅具预约成功", body=words)
    return loan


def borrower(session: Session, actor: Actor, holder_id: UUID, evidence: str | None) -> Person:
    """The person who borrows, locked, for whom this actor may act; a steward shows ``evidence``.

    Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``, ``other_township``; NotFound ``person_unknown``;
    Refused ``evidence_missing``.
    """
    if not actor.is_steward and not acts_for(session, actor, holder_id, ProxyScope.AIDS):
        raise NotAllowed("not_your_elder", "只能为本人或登记代办的老人办理")
    holder = person(session, holder_id, for_update=True)
    if actor.is_steward:
        actor.must_steward(holder.township_code)
        if not (evidence or "").strip():
            raise Refused("evidence_missing", "请填写老人本人同意的依据", field="evidence")
    return holder


def hold_days(
    session: Session, *, loan: AidLoan, item: AidItem, holder: Person, after: int, said: Said, policies: PolicyBook
) -> None:
    """Promise the days of use that follow day ``after``, at the price of ``policies``, and hold each one's minutes.

    What a township's people pay in another's aids makes debt, also where a township's grants pay: each such township
    must be within its limit. Raises Refused ``insufficient_minutes``, ``not_vested_yet``, ``position_limit_reached``.
    """
    home = item.home_township_code
    price = price_per_day(policies.value("aid_price_minutes_per_day", home), item.kind)
    paid = choose_sources(session, holder=holder, minutes=price * (loan.days - after), policies=policies)
    for book in sorted(books_of(session, [account_id for account_id, _ in paid]) - {home}):
        must_be_within_limit(session, township_code=book, policies=policies)
    expires_at = _latest_use(loan, policies, home)
    left, now = dict(paid), clock.now()
    for number in range(after + 1, loan.days + 1):
        day = AidLoanDay(
            id=new_id(),
            loan_id=loan.id,
            number=number,
            minutes=price,
            policy_version=policies.version,
            added_at=now,
            added_by_name=said.by_name,
            evidence=(said.evidence or "").strip() or None,
        )
        session.add(day)
        session.flush()
        for account_id, minutes in split_payment(price, left.items()):
            left[account_id] -= minutes
            place_hold(
                session,
                hold_id=new_id(),
                account_id=account_id,
                amount=minutes,
                expires_at=expires_at,
                cause_kind=CAUSE,
                cause_id=day.id,
            )


def _latest_use(loan: AidLoan, policies: PolicyBook, home: str) -> datetime:
    """When a hold would end by itself: long after the day that it is for has been charged or given back."""
    begin = loan.lent_at or loan.reserved_until
    return begin + timedelta(days=loan.days + policies.whole("aid_hold_days", home))


def _borrowed(session: Session, holder_id: UUID) -> int:
    query = select(func.count()).select_from(AidLoan)
    return int(session.scalar(query.where(AidLoan.holder_id == holder_id, AidLoan.status.in_(ACTIVE))) or 0)


def _pick(session: Session, wish: Wish, home: str) -> AidItem:
    """The item to be reserved, locked: the one named, or the nearest free one of a kind."""
    if (wish.item_id is None) == (wish.kind is None):
        raise Refused("aid_choice_needed", "请指明一件辅具，或只选一个种类", field="item_id")
    if wish.item_id is not None:
        kind = session.scalar(select(AidItem.kind).where(AidItem.id == wish.item_id))
        if kind is None:
            raise aid_unknown(wish.item_id)
        _one_at_a_time(session, kind)
        item = lock_item(session, wish.item_id)
        must_be_usable(item.condition)
        loan = active_loan_of(session, item.id)
        if loan is not None:
            raise taken(due_back(loan), item_id=item.id)
        return item
    kind = aid_kind(session, wish.kind or "").code
    if wish.township_code is not None:
        township(session, wish.township_code)
    _one_at_a_time(session, kind)
    return _nearest_free(session, kind, wish.township_code, home)


def _nearest_free(session: Session, kind: str, township_code: str | None, home: str) -> AidItem:
    query = (
        select(AidItem.at_township_code, AidItem.id, AidLoan)
        .outerjoin(AidLoan, (AidLoan.item_id == AidItem.id) & AidLoan.status.in_(ACTIVE))
        .where(AidItem.kind == kind, AidItem.condition.in_(USABLE))
    )
    if township_code is not None:
        query = query.where(AidItem.at_township_code == township_code)
    found = session.execute(query.order_by(AidItem.id)).all()
    for item_id in nearest_first([(at, item_id) for at, item_id, loan in found if loan is None], home):
        item = lock_item(session, item_id)
        # Stewards take items out of use without asking for the kind.
        if item.condition in USABLE:
            return item
    back = [due_back(loan) for _, _, loan in found if loan is not None]
    if back:
        raise taken(min(back), kind=kind)
    raise Conflict("aid_none_of_kind", "目前没有这种可借的辅具", kind=kind)


def _one_at_a_time(session: Session, kind: str) -> None:
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"aids {kind}", 0))))


def _loan(actor: Actor, holder: Person, item: AidItem, wish: Wish, policies: PolicyBook) -> AidLoan:
    now = clock.now()
    hours = policies.whole("aid_reserve_hours", item.home_township_code)
    prices = policies.value("aid_price_minutes_per_day", item.home_township_code)
    return AidLoan(
        id=new_id(),
        item_id=item.id,
        holder_id=holder.id,
        status=LoanStatus.RESERVED,
        days=wish.days,
        price_minutes=price_per_day(prices, item.kind),
        policy_version=policies.version,
        code=f"{secrets.randbelow(1_000_000):06}",
        reserved_at=now,
        reserved_by=actor.login_id,
        reserved_by_name=spoken_name(actor, holder),
        reserved_until=now + timedelta(hours=hours),
        proxy_id=actor.person_id if actor.person_id != holder.id else None,
        evidence=(wish.evidence or "").strip() or None,
    )
