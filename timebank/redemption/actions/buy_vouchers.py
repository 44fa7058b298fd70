"""Buying meal vouchers 购券."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from timebank.audit.actions import note_down
from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.people.queries import acts_for, nobody_moves, person, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.codes import new_code
from timebank.redemption.good_times import GoodTimes
from timebank.redemption.models import Voucher
from timebank.redemption.paying import books_of, choose_sources, must_be_of_redeeming_age
from timebank.redemption.rules import VoidReason, VoucherStatus, shares, within_month


def buy_vouchers(
    session: Session,
    *,
    actor: Actor,
    quantity: int,
    for_person_id: UUID | None = None,
    home_only: bool = False,
    evidence: str | None = None,
) -> list[Voucher]:
    """Turn minutes into vouchers, for oneself or, as a proxy, for an elder; the elder's minutes pay.

    A steward buys for an elder of the township who has no phone, with ``evidence`` of the consent on paper.
    Government-granted minutes are spent before savings, what expires first foremost; a voucher may be paid from
    several of them. ``home_only`` vouchers are good at canteens of the holder's township only, and can be bought
    also while the township is at its hard limit. Raises NotAllowed ``registration_needed``, ``not_your_elder``,
    ``proxy_scope_missing``, ``other_township``; NotFound ``person_unknown``; Conflict ``person_left``; Refused
    ``evidence_missing``, ``too_young_to_redeem``, ``amount_invalid``, ``quantity_too_large``,
    ``monthly_limit_reached``, ``position_limit_reached``, ``insufficient_minutes``, ``not_vested_yet``.
    """
    holder_id = for_person_id or actor.person()
    nobody_moves(session)
    holder, evidence = _holder(session, actor, holder_id, evidence)
    policies = in_force(session, at=clock.now())
    _check(session, holder, quantity, policies)
    if not home_only:
        must_be_within_limit(session, township_code=holder.township_code, policies=policies)
    price = policies.whole("voucher_price_minutes", holder.township_code)
    target = ensure_accounts(session, [(holder_id, holder.township_code)], AccountKind.VOUCHERS)[holder_id]
    paid = choose_sources(session, holder=holder, minutes=quantity * price, policies=policies, also_lock=[target])
    # Minutes that another township granted are owed by that township as soon as they are spent here.
    for book in sorted(books_of(session, [account_id for account_id, _ in paid]) - {holder.township_code}):
        must_be_within_limit(session, township_code=book, policies=policies)
    vouchers = []
    for parts in shares(paid, price):
        voucher = _voucher(actor, holder, price, policies, home_only=home_only)
        voucher.account_id, voucher.source_account_id = target, parts[0][0]
        voucher.issue_evidence = evidence
        vouchers.append((voucher, parts))
    session.add_all(voucher for voucher, _ in vouchers)
    session.flush()
    post_one(session, tuple(_purchase(voucher, *part) for voucher, parts in vouchers for part in parts))
    if actor.person_id != holder_id:
        _tell(session, actor, holder, quantity, price)
    return [voucher for voucher, _ in vouchers]


def _holder(session: Session, actor: Actor, holder_id: UUID, evidence: str | None) -> tuple[Person, str | None]:
    """The holder, locked so that purchases at once are counted one after another, and the consent on paper."""
    if acts_for(session, actor, holder_id, ProxyScope.MEALS):
        return person(session, holder_id, for_update=True), None
    if not actor.is_steward:
        raise NotAllowed("not_your_elder", "只能为本人或登记代办的老人购券")
    holder = person(session, holder_id, for_update=True)
    actor.must_steward(holder.township_code)
    evidence = (evidence or "").strip()
    if not evidence:
        raise Refused("evidence_missing", "请填写老人书面同意的依据", field="evidence")
    return holder, evidence


def _check(session: Session, holder: Person, quantity: int, policies: PolicyBook) -> None:
    must_be_of_redeeming_age(session, holder, policies)
    most = policies.whole("voucher_max_quantity", holder.township_code)
    if quantity < 1:
        raise Refused("amount_invalid", "数量须为正整数", field="quantity")
    if quantity > most:
        raise Refused("quantity_too_large", f"一次最多购买{most}张", field="quantity", max_quantity=most)
    in_month = policies.whole("voucher_max_per_month", holder.township_code)
    within_month(_bought_this_month(session, holder.id) if in_month else 0, quantity, in_month)


def _bought_this_month(session: Session, holder_id: UUID) -> int:
    """Bought since the first of the month; what was given back, under whatever number, counts as not bought."""
    later = aliased(Voucher)
    given_back = or_(later.status == VoucherStatus.REFUNDED, later.void_reason == VoidReason.CANCELLED)
    undone = select(later.id).where(later.origin_id == Voucher.id, given_back).exists()
    month_began = clock.day_start(clock.today().replace(day=1))
    bought = select(func.count()).where(
        Voucher.holder_id == holder_id, Voucher.replaces_id.is_(None), Voucher.issued_at >= month_began, ~undone
    )
    return session.scalars(bought).one()


def _voucher(actor: Actor, holder: Person, price: int, policies: PolicyBook, *, home_only: bool) -> Voucher:
    """A voucher with all that is promised of it; its accounts are still to be filled in."""
    now, number = clock.now(), new_id()
    limits = GoodTimes.by_policy(policies, holder.township_code)
    return Voucher(
        id=number,
        origin_id=number,
        code=new_code(),
        holder_id=holder.id,
        price_minutes=price,
        policy_version=policies.version,
        status=VoucherStatus.ISSUED,
        issued_at=now,
        issued_by=actor.login_id,
        issued_by_name=spoken_name(actor, holder),
        expires_at=now + timedelta(days=policies.whole("voucher_valid_days", holder.township_code)),
        only_township_code=holder.township_code if home_only else None,
        weekdays=limits.weekdays,
        meals=limits.meals,
        on_expiry=policies.value("voucher_on_expiry", holder.township_code),
    )


def _purchase(voucher: Voucher, from_account_id: int, minutes: int) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=from_account_id,
        to_account_id=voucher.account_id,
        amount=minutes,
        kind="voucher_purchase",
        effective_at=voucher.issued_at,
        cause_kind="voucher",
        cause_id=voucher.id,
        note=f"由{voucher.issued_by_name}办理" if voucher.issue_evidence else "",
        policy_version=voucher.policy_version,
        recorded_by=voucher.issued_by,
    )


def _tell(session: Session, actor: Actor, holder: Person, quantity: int, price: int) -> None:
    """The holder hears of it, and what a steward did is written down."""
    body = f"{spoken_name(actor, holder)}为您购买了{quantity}张用餐券，用去{hours_text(quantity * price)}。"
    notify_person(session, person_id=holder.id, title="已为您购买用餐券", body=body)
    if actor.is_steward:
        note_down(session, actor=actor, action="vouchers_bought_for", subject=("person", holder.id), quantity=quantity)
