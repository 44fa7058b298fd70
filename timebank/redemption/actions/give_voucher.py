"""Giving a voucher to a relative 转赠: its minutes go along, across books where the two live in different townships.

Order of locks: both people and their relation, then the voucher, then the ledger's accounts.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.giving.actions.receiving import giver_and_receiver, must_be_within_cap
from timebank.giving.rules import VOUCHER_GIFT
from timebank.ledger.actions import ensure_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.people.queries import acts_for, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.redemption.actions.choosing import lock_voucher, must_be_unused, voucher_unknown
from timebank.redemption.actions.replacing import put_in_place, successor_of
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoidReason


def give_voucher(session: Session, *, actor: Actor, voucher_id: UUID, to_person_id: UUID) -> Voucher:
    """Give an unused voucher to a registered relative; answers the relative's, with a code of its own.

    It is good as long, on the same days and at the same meals; the giver's printout is void. Its minutes count towards
    what the giver may give away in a month. For the holder, or a proxy who was allowed to give. Raises NotAllowed
    ``proxy_scope_missing``; NotFound ``voucher_unknown``; Conflict ``voucher_not_issued``, ``person_left``,
    ``person_frozen``; Refused ``not_relatives``, ``gift_relation_not_allowed``, ``receiver_too_young``,
    ``voucher_not_giftable``, ``position_limit_reached``, ``gift_cap_reached``.
    """
    holder_id = session.scalar(select(Voucher.holder_id).where(Voucher.id == voucher_id))
    if holder_id is None or not acts_for(session, actor, holder_id, ProxyScope.GIFTS):
        raise voucher_unknown(voucher_id)
    policies = in_force(session, at=clock.now())
    giver, receiver, _ = giver_and_receiver(session, giver_id=holder_id, to_person_id=to_person_id, policies=policies)
    voucher = lock_voucher(session, voucher_id)
    must_be_unused(voucher)
    _may_be_given(session, voucher, receiver, policies)
    must_be_within_cap(session, giver=giver, minutes=voucher.price_minutes, policies=policies)
    target = ensure_accounts(session, [(receiver.id, receiver.township_code)], AccountKind.VOUCHERS)[receiver.id]
    given = successor_of(voucher, actor=actor, giver=giver, holder_id=receiver.id, account_id=target, given=True)
    put_in_place(session, {voucher.id: given}, [voucher], VoidReason.GIVEN)
    post_one(session, (_gift(voucher, given, actor, f"由{given.issued_by_name}赠与{receiver.name}", policies),))
    _tell(session, actor, giver, receiver, given)
    return given


def _may_be_given(session: Session, voucher: Voucher, receiver: Person, policies: PolicyBook) -> None:
    if voucher.only_township_code not in (None, receiver.township_code):
        title = "这张券只能在购券时所在的镇街使用，不能转赠给其他镇街的亲属"
        raise Refused("voucher_not_giftable", title, only_township_code=voucher.only_township_code)
    of_grants = (
        select(Transfer.id)
        .join(Account, Account.id == Transfer.from_account_id)
        .where(Transfer.cause_id == voucher.origin_id, Account.kind == AccountKind.GRANTED)
    )
    if session.scalars(of_grants.limit(1)).first() is not None:
        raise Refused("voucher_not_giftable", "用政府购买服务时长购买的券只能本人使用，不能转赠")
    book = session.get_one(Account, voucher.account_id).book_code
    if book != receiver.township_code:
        must_be_within_limit(session, township_code=book, policies=policies)


def _gift(voucher: Voucher, given: Voucher, actor: Actor, note: str, policies: PolicyBook) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=voucher.account_id,
        to_account_id=given.account_id,
        amount=voucher.price_minutes,
        kind=VOUCHER_GIFT,
        effective_at=given.issued_at,
        cause_kind="voucher",
        cause_id=given.id,
        note=note,
        policy_version=policies.version,
        recorded_by=actor.login_id,
    )


def _tell(session: Session, actor: Actor, giver: Person, receiver: Person, given: Voucher) -> None:
    last_day = f"{given.expires_at.astimezone(clock.LOCAL):%Y年%m月%d日}"
    price, named = hours_text(given.price_minutes), given.issued_by_name
    to_receiver = f"{named}送给您一张{price}的用餐券，{last_day}前可用。"
    notify_person(session, person_id=receiver.id, title="收到一张用餐券", body=to_receiver)
    if actor.person_id != giver.id:
        to_giver = f"{spoken_name(actor, giver)}把您的一张用餐券送给了{receiver.name}。"
        notify_person(session, person_id=giver.id, title="已转赠一张用餐券", body=to_giver)
