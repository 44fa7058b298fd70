"""Who may receive from whom, and how much somebody may give away in a month: one rule for minutes and for vouchers.

Order of locks: both people by id, then their relation.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from timebank.core import clock
from timebank.giving.rules import GIFT, VOUCHER_GIFT, MonthlyCap, month_start, must_be_allowed_relation
from timebank.ledger.models import Account, Transfer
from timebank.people.actions.consent import lock_people
from timebank.people.actions.family import not_relatives
from timebank.people.family_queries import relation_between, seen_from
from timebank.people.family_rules import RELATION_NAMES, Relation
from timebank.people.models import Person
from timebank.people.queries import must_be_here, nobody_moves
from timebank.people.rules import must_be_of_age
from timebank.policies.rules import PolicyBook


def giver_and_receiver(
    session: Session, *, giver_id: UUID, to_person_id: UUID, policies: PolicyBook
) -> tuple[Person, Person, Relation]:
    """Both, locked, with what the receiver is to the giver; the policy of the giver's township decides.

    Whoever is no relative is answered alike whether enrolled or not, and nobody moves from here on. Raises Refused
    ``not_relatives``, ``gift_relation_not_allowed``, ``receiver_too_young``; Conflict ``person_left``,
    ``person_frozen``.
    """
    if to_person_id == giver_id or relation_between(session, giver_id, to_person_id) is None:
        # Before the rows are looked for, so that nobody learns who is enrolled.
        raise not_relatives()
    nobody_moves(session)
    people = lock_people(session, {giver_id, to_person_id})
    registered = relation_between(session, giver_id, to_person_id, keep=True)
    if registered is None:
        raise not_relatives()
    giver, receiver = people[giver_id], people[to_person_id]
    must_be_here(giver)
    must_be_here(receiver)
    relation = seen_from(registered, giver_id)
    home = giver.township_code
    must_be_allowed_relation(relation, policies.value("gift_relations", home), RELATION_NAMES[relation])
    min_age = policies.whole("gift_receiver_min_age", home)
    title = f"接受赠与的人须年满{min_age}周岁"
    must_be_of_age(receiver.born_on, clock.today(), min_age, code="receiver_too_young", title=title)
    return giver, receiver, relation


def must_be_within_cap(session: Session, *, giver: Person, minutes: int, policies: PolicyBook) -> None:
    """Whether ``minutes`` more, as such or in a voucher, fit into the giver's month; the giver's row is locked.

    Raises Refused ``gift_cap_reached``.
    """
    cap = policies.whole("gift_max_minutes_per_month", giver.township_code)
    if cap:
        MonthlyCap(cap, _given_this_month(session, giver.id)).must_allow(minutes)


def _given_this_month(session: Session, giver_id: UUID) -> int:
    """What somebody has given away this month, in minutes; what was reversed does not count."""
    undoing = aliased(Transfer)
    query = (
        select(func.coalesce(func.sum(Transfer.amount), 0))
        .join(Account, Account.id == Transfer.from_account_id)
        .where(
            Account.person_id == giver_id,
            Transfer.kind.in_((GIFT, VOUCHER_GIFT)),
            or_(Transfer.link_id.is_(None), Transfer.link_id == Transfer.id),
            Transfer.effective_at >= month_start(clock.now()),
            ~exists().where(undoing.reverses_id == Transfer.id),
        )
    )
    return int(session.scalar(query) or 0)
