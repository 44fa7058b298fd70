"""Giving savings to a relative 赠与.

Order of locks: both people, so that two gifts at once share one monthly cap; the relation; then both accounts.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.clearing.actions import must_be_within_limit
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.core.errors import NotAllowed
from timebank.core.ids import new_id
from timebank.giving.actions.receiving import giver_and_receiver, must_be_within_cap
from timebank.giving.models import Gift
from timebank.giving.rules import GIFT, must_be_amount
from timebank.ledger.actions import ensure_accounts, post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.people.queries import acts_for, spoken_name
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook


def give(
    session: Session,
    *,
    actor: Actor,
    to_person_id: UUID,
    minutes: int,
    note: str = "",
    for_person_id: UUID | None = None,
) -> Gift:
    """Give minutes of one's savings, or as a proxy an elder's, to a registered relative, of whatever township.

    Granted minutes cannot be given; whoever is too young to redeem may give. Raises NotAllowed
    ``registration_needed``, ``not_your_elder``, ``proxy_scope_missing``; Refused ``amount_invalid``,
    ``not_relatives``, ``gift_relation_not_allowed``, ``receiver_too_young``, ``gift_cap_reached``,
    ``position_limit_reached``, ``insufficient_minutes``; Conflict ``person_left``,
    ``person_frozen``.
    """
    giver_id = for_person_id or actor.person()
    if not acts_for(session, actor, giver_id, ProxyScope.GIFTS):
        raise NotAllowed("not_your_elder", "只能用本人或委托您代办赠与的老人的时长赠与")
    must_be_amount(minutes)
    policies = in_force(session, at=clock.now())
    giver, receiver, relation = giver_and_receiver(
        session, giver_id=giver_id, to_person_id=to_person_id, policies=policies
    )
    must_be_within_cap(session, giver=giver, minutes=minutes, policies=policies)
    if receiver.township_code != giver.township_code:
        must_be_within_limit(session, township_code=giver.township_code, policies=policies)
    gift = Gift(
        id=new_id(),
        giver_id=giver.id,
        receiver_id=receiver.id,
        minutes=minutes,
        relation=relation,
        note=note,
        given_at=clock.now(),
        given_by=actor.login_id,
        given_by_name=spoken_name(actor, giver),
    )
    gift.transfer_id = _move(session, gift, giver, receiver, policies)
    session.add(gift)
    session.flush()
    _tell_both(session, gift, giver, receiver)
    return gift


def _move(session: Session, gift: Gift, giver: Person, receiver: Person, policies: PolicyBook) -> UUID:
    accounts = ensure_accounts(
        session, [(giver.id, giver.township_code), (receiver.id, receiver.township_code)], AccountKind.SAVINGS
    )
    movement = Movement(
        id=new_id(),
        from_account_id=accounts[giver.id],
        to_account_id=accounts[receiver.id],
        amount=gift.minutes,
        kind=GIFT,
        effective_at=gift.given_at,
        cause_kind=GIFT,
        cause_id=gift.id,
        note=f"{gift.given_by_name}赠与{receiver.name}",
        policy_version=policies.version,
        recorded_by=gift.given_by,
    )
    post_one(session, (movement,))
    return movement.id


def _tell_both(session: Session, gift: Gift, giver: Person, receiver: Person) -> None:
    said = f"：{gift.note}" if gift.note else "。"
    hours = hours_text(gift.minutes)
    body = f"{gift.given_by_name}赠与您{hours}，已记入您的时间账户{said}"
    notify_person(session, person_id=receiver.id, title="收到赠与", body=body)
    body = f"{gift.given_by_name}已赠与{receiver.name}{hours}{said}"
    notify_person(session, person_id=giver.id, title="已赠与", body=body)
