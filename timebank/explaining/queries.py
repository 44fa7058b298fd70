"""Seeing why: the reason for one transfer, one service, one voucher's life or one refusal, for those concerned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.counter.rules import MEAL_KINDS
from timebank.canteens.orders.models import MealOrder
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed, NotFound
from timebank.core.replies import KeptReply, refused_replies, refused_reply
from timebank.explaining.eaten import explain_meal_order
from timebank.explaining.movements import Moved, explain_movement, rules_of_kind
from timebank.explaining.ordered import explain_care
from timebank.explaining.refusals import explain_refusal, rules_of_refusal
from timebank.explaining.rules import Explanation, Wanted, keys_of, rules_said
from timebank.explaining.served import explain_part, part_of
from timebank.ledger.models import Account, Transfer
from timebank.ledger.queries import PAID_KIND_NAMES, TRANSFER_KIND_NAMES
from timebank.ledger.rules import HOUSE, AccountKind, second_leg_id
from timebank.people.login_models import Login
from timebank.people.models import Person
from timebank.people.queries import acts_for, person
from timebank.people.rules import masked_name
from timebank.policies.queries import rules_in_force
from timebank.redemption.care.rules import CARE_USE
from timebank.tasks.models import Assignment
from timebank.townships.queries import township_names

_OWN_KINDS = (AccountKind.SAVINGS, AccountKind.GRANTED)
_NAMED_IN_FULL = frozenset({"gift", "voucher_gift", "inheritance", "purse_inherited"})
"""Between relatives, who know each other; anybody else's name is shortened."""


def whose(session: Session, actor: Actor, for_person_id: UUID | None) -> UUID:
    """About whom somebody asks: oneself, an elder one acts for, somebody of the steward's township, as auditor anybody.

    What staff look at is written down. Raises NotAllowed ``registration_needed``, ``not_your_elder``,
    ``other_township``; NotFound ``person_unknown``.
    """
    person_id = for_person_id or actor.person()
    if acts_for(session, actor, person_id, None):
        return person_id
    if not (actor.is_steward or actor.staff_role is StaffRole.AUDITOR):
        raise NotAllowed("not_your_elder", "只能查看本人或登记代办的老人")
    seen = person(session, person_id)
    if actor.is_steward:
        actor.must_steward(seen.township_code)
    note_down(session, actor=actor, action="account_looked_at", subject=("person", person_id))
    return person_id


def explain_transfer(session: Session, *, person_id: UUID, transfer_id: UUID) -> Explanation:
    """Why these minutes, or this money, came or went; of a meal every share is explained by the whole meal.

    Raises NotFound ``transfer_unknown``, also for transfers of others.
    """
    named = session.get(Transfer, transfer_id)
    if named is None:
        raise _unknown(transfer_id)
    if named.kind in MEAL_KINDS and named.cause_id is not None and _ate(session, person_id, named.cause_id):
        return explain_meal_order(session, person_id=person_id, order_id=named.cause_id)
    first = named if named.link_id in (None, named.id) else session.get_one(Transfer, named.link_id)
    last = first if first.link_id is None else session.get_one(Transfer, second_leg_id(first.id))
    source, target = session.get_one(Account, first.from_account_id), session.get_one(Account, last.to_account_id)
    if person_id not in (source.person_id, target.person_id):
        raise _unknown(transfer_id)
    came = target.person_id == person_id and (target.kind in _OWN_KINDS or source.person_id != person_id)
    if first.cause_kind == "assignment" and came and first.reverses_id is None:
        part = session.get_one(Assignment, first.cause_id)
        return explain_part(session, part)
    if first.kind == CARE_USE and not came:
        assert first.cause_id is not None
        return explain_care(session, person_id=person_id, booking_id=first.cause_id)
    own, other = (target, source) if came else (source, target)
    moved = _moved(session, first, own, other, came=came)
    return _explained(session, moved, rules_of_kind(first.kind), own.book_code)


def explain_task(session: Session, *, person_id: UUID, task_id: UUID) -> Explanation:
    """Why a service brought somebody so many minutes, or none. Raises NotFound ``task_unknown``."""
    return explain_part(session, part_of(session, person_id=person_id, task_id=task_id))


def refusals_of(
    session: Session, *, actor: Actor, limit: int, before: tuple[datetime, str] | None = None
) -> list[KeptReply]:
    """What the asker was refused, newest first. Raises NotAllowed ``registration_needed``."""
    actor.person()
    assert actor.login_id is not None
    return refused_replies(session, login_id=actor.login_id, limit=limit, before=before)


def explain_reply(session: Session, *, actor: Actor, key: str, names: Mapping[str, str]) -> Explanation:
    """Why a request was refused that was sent under ``key``; ``names`` says what operations are called.

    Raises NotAllowed ``registration_needed``; NotFound ``refusal_unknown``.
    """
    actor.person()
    kept = refused_reply(session, login_id=actor.login_id, key=key) if actor.login_id is not None else None
    if kept is None or not isinstance(kept.body, dict):
        raise NotFound("refusal_unknown", "没有找到这次被拒绝的办理，或已超过保存期限")
    at = kept.answered_at or kept.kept_at
    wanted = rules_of_refusal(str(kept.body["code"]))
    found = rules_in_force(session, keys_of(wanted), township_code=actor.township_code, at=at)
    version = max((rule.policy_version for rule in found.values()), default=None)
    said = rules_said(wanted, found)
    what = names.get(kept.operation, kept.operation)
    return explain_refusal(kept.body, at=at, what=what, policy_version=version, rules=said)


def _explained(session: Session, moved: Moved, wanted: Sequence[Wanted], book_code: str) -> Explanation:
    found = rules_in_force(session, keys_of(wanted), township_code=book_code, at=moved.at)
    return explain_movement(moved, rules_said(wanted, found))


def _moved(session: Session, transfer: Transfer, own: Account, other: Account, *, came: bool) -> Moved:
    names = {**township_names(session), HOUSE: "区清算中心"}
    undone = session.get(Transfer, transfer.reverses_id) if transfer.reverses_id is not None else None
    name = TRANSFER_KIND_NAMES.get(transfer.kind, transfer.kind)
    lot = own if own.expires_on is not None else other
    return Moved(
        kind=transfer.kind,
        kind_name=name if came else PAID_KIND_NAMES.get(transfer.kind, name),
        minutes=transfer.amount if came else -transfer.amount,
        at=transfer.recorded_at,
        effective_at=transfer.effective_at,
        own_township=names[own.book_code],
        other_township=names[other.book_code],
        other_name=_name(session, other, own, transfer.kind),
        note=transfer.note,
        done_by=_login_name(session, transfer.recorded_by),
        approved_by=_login_name(session, transfer.approved_by),
        policy_version=transfer.policy_version,
        reversed_kind_name=TRANSFER_KIND_NAMES.get(undone.kind) if undone is not None else None,
        expires_on=None if lot.expires_on is None else f"{lot.expires_on:%Y年%m月%d日}",
        unit=transfer.unit,
    )


def _ate(session: Session, person_id: UUID, order_id: UUID) -> bool:
    order = session.get(MealOrder, order_id)
    return order is not None and order.diner_id == person_id


def _name(session: Session, other: Account, own: Account, kind: str) -> str | None:
    if other.person_id is None or other.person_id == own.person_id:
        return None
    name = session.get_one(Person, other.person_id).name
    return name if kind in _NAMED_IN_FULL else masked_name(name)


def _login_name(session: Session, login_id: UUID | None) -> str | None:
    """Who stood behind a login; what the bank did by itself was done by nobody."""
    login = session.get(Login, login_id) if login_id is not None else None
    return login.display_name if login is not None else None


def _unknown(transfer_id: UUID) -> NotFound:
    return NotFound("transfer_unknown", "没有这笔划转", transfer_id=transfer_id)
