"""What the dead have left in their purses 余额继承: into the heir's purse, or in cash at the office on evidence.

Order of locks: the person, what was asked for, then the purses.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.purses.models import PurseEstate
from timebank.canteens.purses.queries import purse_accounts
from timebank.canteens.purses.rules import (
    CAUSE_ESTATE,
    ESTATE_PAID,
    INHERITED,
    estate_differs,
    estate_empty,
    must_be_an_estate,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import yuan_text
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import house_account
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_stewards
from timebank.people.models import Person
from timebank.people.queries import person
from timebank.policies.queries import in_force


@dataclass(frozen=True, slots=True)
class Estate:
    """Whose purse, who gets the money, and the paper that names that one."""

    person_id: UUID
    receiver_name: str
    evidence: str


def pay_out_estate(session: Session, *, actor: Actor, estate: Estate) -> PurseEstate:
    """Ask for a dead person's purse to be paid to an heir in cash, or approve what another steward asked for.

    By stewards of the township, two of them, who name the same receiver and the same paper; all that is in the purse
    is paid with the approval. Whoever asked may ask anew, otherwise: what was asked first is taken back. Raises
    NotAllowed ``steward_only``, ``other_township``, ``second_person_needed``; NotFound ``person_unknown``; Conflict
    ``death_not_settled``, ``estate_empty``, ``estate_differs``; Refused ``receiver_missing``, ``evidence_missing``.
    """
    actor.must_be_steward()
    actor.must_steward(person(session, estate.person_id).township_code)
    dead = person(session, estate.person_id, for_update=True)
    actor.must_steward(dead.township_code)
    must_be_an_estate(dead.name, died=dead.died_on is not None, left=dead.left_at is not None)
    receiver, evidence = _said(estate)
    asked = _waiting(session, dead.id)
    purse = purse_accounts(session, [dead.id])[dead.id]
    fen = lock_accounts(session, [purse])[purse].available
    if fen == 0:
        raise estate_empty(dead.name)
    same = asked is not None and (asked.receiver_name, asked.evidence) == (receiver, evidence)
    if asked is not None and asked.requested_by != actor.login_id:
        if not same:
            raise estate_differs(asked.receiver_name, asked.evidence)
        return _paid(session, actor, asked, purse, fen)
    if asked is not None and same:
        raise NotAllowed("second_person_needed", "须由另一位管理员批准")
    if asked is not None:
        asked.withdrawn_at = clock.now()
        session.flush()
    return _asked(session, actor, dead, receiver, evidence, fen)


def inherit_purse(
    session: Session, *, purse: tuple[int, int], fen: int, cause: tuple[str, UUID], recorded_by: UUID | None
) -> None:
    """Move what somebody has left from their purse into the heir's; both accounts (from, to) locked by the caller."""
    movement = Movement(
        id=new_id(),
        from_account_id=purse[0],
        to_account_id=purse[1],
        amount=fen,
        kind=INHERITED,
        effective_at=clock.now(),
        cause_kind=cause[0],
        cause_id=cause[1],
        policy_version=in_force(session, at=clock.now()).version,
        recorded_by=recorded_by,
    )
    post_one(session, (movement,))


def _said(estate: Estate) -> tuple[str, str]:
    receiver, evidence = estate.receiver_name.strip(), estate.evidence.strip()
    if not receiver:
        raise Refused("receiver_missing", "请填写领款人姓名", field="receiver_name")
    if not evidence:
        raise Refused("evidence_missing", "请填写继承依据", field="evidence")
    return receiver, evidence


def _waiting(session: Session, person_id: UUID) -> PurseEstate | None:
    """What was asked for and not answered; the person's row is locked, so that nobody else answers it."""
    waiting = (PurseEstate.approved_at.is_(None), PurseEstate.withdrawn_at.is_(None))
    query = select(PurseEstate).where(PurseEstate.person_id == person_id, *waiting)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def _asked(session: Session, actor: Actor, dead: Person, receiver: str, evidence: str, fen: int) -> PurseEstate:
    assert actor.login_id is not None
    asked = PurseEstate(
        id=new_id(),
        person_id=dead.id,
        receiver_name=receiver,
        evidence=evidence,
        requested_at=clock.now(),
        requested_by=actor.login_id,
        requested_by_name=actor.name,
    )
    session.add(asked)
    session.flush()
    note_down(session, actor=actor, action="estate_asked", subject=("person", dead.id), evidence=evidence)
    body = f"{dead.name}身故后餐费余额{yuan_text(fen)}申请退给{receiver}（{evidence}），待另一位管理员批准。"
    for township_code in (dead.township_code, None):
        notify_stewards(session, township_code=township_code, title="有余额继承待批准", body=body)
    return asked


def _paid(session: Session, actor: Actor, asked: PurseEstate, purse: int, fen: int) -> PurseEstate:
    movement = Movement(
        id=new_id(),
        from_account_id=purse,
        to_account_id=house_account(session, AccountKind.CASH),
        amount=fen,
        kind=ESTATE_PAID,
        effective_at=clock.now(),
        cause_kind=CAUSE_ESTATE,
        cause_id=asked.id,
        note=f"领款人：{asked.receiver_name}",
        policy_version=in_force(session, at=clock.now()).version,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    asked.amount_fen, asked.transfer_id = fen, movement.id
    asked.approved_at, asked.approved_by, asked.approved_by_name = clock.now(), actor.login_id, actor.name
    session.flush()
    subject = ("person", asked.person_id)
    note_down(session, actor=actor, action="estate_paid", subject=subject, evidence=asked.evidence, amount_fen=fen)
    return asked
