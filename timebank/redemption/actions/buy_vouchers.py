"""Buying meal vouchers 购券."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement, insufficient
from timebank.people.models import Person
from timebank.people.queries import acts_for, nobody_moves, person
from timebank.people.rules import must_be_of_age
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.codes import new_code
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus
from timebank.tasks.rules import split_payment


def buy_vouchers(
    session: Session, *, actor: Actor, quantity: int, for_person_id: UUID | None = None, home_only: bool = False
) -> list[Voucher]:
    """Turn minutes into vouchers, for oneself or, as a proxy, for an elder; the elder's minutes pay.

    Government-granted minutes are spent before savings, what expires first foremost; a voucher may be paid from
    several of them. ``home_only`` vouchers are good at canteens of the holder's township only, and can be bought
    also while the township is at its hard limit. Raises NotAllowed ``registration_needed``, ``not_your_elder``;
    NotFound ``person_unknown``; Refused ``too_young_to_redeem``, ``amount_invalid``, ``quantity_too_large``,
    ``position_limit_reached``, ``insufficient_minutes``.
    """
    holder_id = for_person_id or actor.person()
    if not acts_for(session, actor, holder_id):
        raise NotAllowed("not_your_elder", "只能为本人或登记代办的老人购券")
    nobody_moves(session)
    holder = person(session, holder_id)
    now = clock.now()
    policies = in_force(session, at=now)
    _check(holder, quantity, policies)
    if not home_only:
        must_be_within_limit(session, township_code=holder.township_code, policies=policies)
    price = policies.whole("voucher_price_minutes", holder.township_code)
    target = ensure_accounts(session, [(holder_id, holder.township_code)], AccountKind.VOUCHERS)[holder_id]
    shares, paying_books = _choose_sources(session, holder_id, target, quantity, price)
    # Minutes that another township granted are owed by that township as soon as they are spent here.
    for book in sorted(paying_books - {holder.township_code}):
        must_be_within_limit(session, township_code=book, policies=policies)
    expires_at = now + timedelta(days=policies.whole("voucher_valid_days", holder.township_code))
    only = holder.township_code if home_only else None
    vouchers = [
        _voucher(holder_id, target, paid[0][0], price, policies.version, now, expires_at, only, actor)
        for paid in shares
    ]
    session.add_all(vouchers)
    session.flush()
    purchases = [
        _purchase(voucher, account_id, minutes, now)
        for voucher, paid in zip(vouchers, shares, strict=True)
        for account_id, minutes in paid
    ]
    post_one(session, tuple(purchases))
    return vouchers


def _check(holder: Person, quantity: int, policies: PolicyBook) -> None:
    min_age = policies.whole("redeem_min_age", holder.township_code)
    title = f"本人兑换须年满{min_age}周岁"
    must_be_of_age(holder.born_on, clock.today(), min_age, code="too_young_to_redeem", title=title)
    most = policies.whole("voucher_max_quantity", holder.township_code)
    if quantity < 1:
        raise Refused("amount_invalid", "数量须为正整数", field="quantity")
    if quantity > most:
        raise Refused("quantity_too_large", f"一次最多购买{most}张", field="quantity", max_quantity=most)


def _choose_sources(
    session: Session, holder_id: UUID, target: int, quantity: int, price: int
) -> tuple[list[list[tuple[int, int]]], set[str]]:
    """For each voucher which account pays how many minutes, and the books of all of them.

    Raises Refused ``insufficient_minutes``.
    """
    sources = session.scalars(
        select(Account.id)
        .where(
            Account.person_id == holder_id,
            Account.unit == "minute",
            Account.kind.in_([AccountKind.GRANTED, AccountKind.SAVINGS]),
            Account.closed_at.is_(None),
            Account.expires_on.is_(None) | (Account.expires_on >= clock.today()),
        )
        .order_by(Account.expires_on.nulls_last(), Account.id)
    ).all()
    states = lock_accounts(session, [*sources, target])
    left = {account_id: states[account_id].available for account_id in sources}
    if sum(left.values()) < quantity * price:
        raise insufficient("minute", available=sum(left.values()), needed=quantity * price)
    shares = []
    for _ in range(quantity):
        shares.append(split_payment(price, left.items()))
        for account_id, minutes in shares[-1]:
            left[account_id] -= minutes
    return shares, {states[account_id].book_code for paid in shares for account_id, _ in paid}


def _voucher(
    holder_id: UUID,
    account_id: int,
    source: int,
    price: int,
    version: int,
    now: datetime,
    expires_at: datetime,
    only_township_code: str | None,
    actor: Actor,
) -> Voucher:
    return Voucher(
        id=new_id(),
        code=new_code(),
        holder_id=holder_id,
        account_id=account_id,
        source_account_id=source,
        price_minutes=price,
        policy_version=version,
        status=VoucherStatus.ISSUED,
        issued_at=now,
        issued_by=actor.login_id,
        expires_at=expires_at,
        only_township_code=only_township_code,
    )


def _purchase(voucher: Voucher, from_account_id: int, minutes: int, now: datetime) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=from_account_id,
        to_account_id=voucher.account_id,
        amount=minutes,
        kind="voucher_purchase",
        effective_at=now,
        cause_kind="voucher",
        cause_id=voucher.id,
        policy_version=voucher.policy_version,
        recorded_by=voucher.issued_by,
    )
