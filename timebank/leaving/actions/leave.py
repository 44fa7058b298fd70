"""Leaving 退出: by the person, or before a steward for whoever has no phone."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.giving.rules import must_be_allowed_relation
from timebank.leaving.actions.settle import Farewell, lock_for_leaving, settle
from timebank.leaving.models import Leaving
from timebank.leaving.rules import LeavingReason, evidence_given, must_name_one
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.actions.family import not_relatives
from timebank.people.family_queries import relation_between, seen_from
from timebank.people.family_rules import RELATION_NAMES
from timebank.people.models import Person
from timebank.people.queries import must_be_here, nobody_moves, oneself_or_stewarded
from timebank.policies.queries import in_force


@dataclass(frozen=True, slots=True)
class Wish:
    """Where the savings shall go, ``pool`` or ``relative``; a steward names the person and the paper."""

    to: str
    to_person_id: UUID | None = None
    person_id: UUID | None = None
    evidence: str | None = None


def leave(session: Session, *, actor: Actor, wish: Wish) -> Leaving:
    """Settle everything of a person and close the accounts; grants go to the pool, savings where the person wants.

    Raises NotAllowed ``registration_needed``, ``steward_only``, ``other_township``; NotFound ``person_unknown``;
    Refused ``relative_needed``, ``not_relatives``, ``gift_relation_not_allowed``, ``evidence_missing``; Conflict
    ``person_left``, ``person_frozen``, ``not_settled_yet``, ``purse_not_empty``.
    """
    leaver_id = oneself_or_stewarded(session, actor, wish.person_id)
    evidence = None if leaver_id == actor.person_id else evidence_given(wish.evidence)
    must_name_one(wish.to, wish.to_person_id, leaver_id)
    nobody_moves(session)
    if wish.to_person_id is not None and relation_between(session, leaver_id, wish.to_person_id) is None:
        # Before the row is looked for, so that nobody learns who is enrolled.
        raise not_relatives()
    people = lock_for_leaving(session, leaver_id, wish.to_person_id)
    for one in people.values():
        must_be_here(one)
    receiver = people[wish.to_person_id] if wish.to_person_id is not None else None
    if receiver is not None:
        _must_be_allowed(session, people[leaver_id], receiver)
    farewell = Farewell(people[leaver_id], receiver, LeavingReason.LEFT, evidence)
    leaving = settle(session, actor=actor, farewell=farewell)
    tell(session, farewell, leaving)
    session.flush()
    return leaving


def tell(session: Session, farewell: Farewell, leaving: Leaving) -> None:
    """The receiver hears of the minutes; the stewards of the township, of the leaving."""
    name, savings = farewell.leaver.name, hours_text(leaving.savings_minutes)
    said = "已办理退出" if farewell.reason is LeavingReason.LEFT else "已身故，账户已清户"
    where = "公益时间池"
    if farewell.receiver is not None:
        where = f"亲属{farewell.receiver.name}"
        body = f"{name}{said}，{savings}储蓄时长已转入您的时间账户。"
        notify_person(session, person_id=farewell.receiver.id, title="亲属时长已转入", body=body)
    body = f"{name}{said}：{savings}储蓄时长转入{where}，{hours_text(leaving.granted_minutes)}政府时长收回公益时间池。"
    title = "有人员退出" if farewell.reason is LeavingReason.LEFT else "身故清户已办结"
    notify_stewards(session, township_code=leaving.township_code, title=title, body=body)
    if farewell.reason is LeavingReason.LEFT:
        own = f"您已退出时间银行：{savings}储蓄时长转入{where}。荣誉时长为您保留，欢迎再来。"
        notify_person(session, person_id=farewell.leaver.id, title="退出已办结", body=own)


def _must_be_allowed(session: Session, leaver: Person, receiver: Person) -> None:
    """The relative is still one, of a kind that policy lets minutes be given to."""
    relation = relation_between(session, leaver.id, receiver.id)
    if relation is None:
        raise not_relatives()
    word = seen_from(relation, leaver.id)
    allowed = in_force(session, at=clock.now()).value("gift_relations", leaver.township_code)
    must_be_allowed_relation(word, allowed, RELATION_NAMES[word])
