"""What stewards do with aids: enter them, send them to repair and back, retire them. Every change is written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.redemption.aids.models import AidItem, AidItemEvent
from timebank.redemption.aids.queries import active_loan_of, aid_kind, due_back, lock_item
from timebank.redemption.aids.rules import Condition, must_not_be_retired, taken
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class NewItem:
    """An aid as it is entered; it stands in its home township."""

    serial: str
    kind: str
    name: str
    home_township_code: str
    acquired_on: date
    condition: str = Condition.GOOD
    note: str = ""


def enter_item(session: Session, *, actor: Actor, form: NewItem) -> AidItem:
    """Enter an aid 登记辅具, for the stewards of its home township.

    Raises NotAllowed ``steward_only``, ``other_township``; Refused ``township_unknown``, ``aid_kind_unknown``,
    ``date_in_future``; Conflict ``aid_serial_taken``.
    """
    actor.must_be_steward()
    township(session, form.home_township_code)
    actor.must_steward(form.home_township_code)
    aid_kind(session, form.kind)
    if form.acquired_on > clock.today():
        raise Refused("date_in_future", "购置日期不能在将来", field="acquired_on")
    if session.scalar(select(AidItem.id).where(AidItem.serial == form.serial)) is not None:
        raise Conflict("aid_serial_taken", "这个编号的辅具已经登记过", serial=form.serial)
    item = AidItem(
        id=new_id(),
        serial=form.serial,
        kind=form.kind,
        name=form.name,
        home_township_code=form.home_township_code,
        at_township_code=form.home_township_code,
        condition=form.condition,
        acquired_on=form.acquired_on,
        note=form.note,
        entered_at=clock.now(),
    )
    session.add(item)
    session.flush()
    write_event(session, actor=actor, item=item, what="entered", reason=form.note)
    return item


def send_to_repair(session: Session, *, actor: Actor, item_id: UUID, reason: str) -> AidItem:
    """Take an aid out of use for repair 送修; the steward of where it is, or of its home township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``aid_unknown``; Refused ``reason_needed``;
    Conflict ``aid_retired``, ``aid_already_in_repair``, ``aid_taken``.
    """
    item = _free_item(session, actor, item_id)
    if item.condition == Condition.IN_REPAIR:
        raise Conflict("aid_already_in_repair", "这件辅具已在维修")
    return _change(session, actor, item, Condition.IN_REPAIR, "to_repair", reason_given(reason))


def mark_repaired(session: Session, *, actor: Actor, item_id: UUID, condition: str, note: str = "") -> AidItem:
    """Put an aid back into use 修复; ``condition`` is ``good`` or ``worn``.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``aid_unknown``; Conflict ``aid_retired``,
    ``aid_not_in_repair``.
    """
    item = _free_item(session, actor, item_id)
    if item.condition != Condition.IN_REPAIR:
        raise Conflict("aid_not_in_repair", "这件辅具不在维修中", condition=item.condition)
    return _change(session, actor, item, Condition(condition), "repaired", note.strip())


def retire_item(session: Session, *, actor: Actor, item_id: UUID, reason: str) -> AidItem:
    """Retire an aid for good 报废; only the stewards of its home township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``aid_unknown``; Refused ``reason_needed``;
    Conflict ``aid_retired``, ``aid_taken``.
    """
    item = _free_item(session, actor, item_id)
    actor.must_steward(item.home_township_code)
    return _change(session, actor, item, Condition.RETIRED, "retired", reason_given(reason))


def write_event(
    session: Session, *, actor: Actor, item: AidItem, what: str, reason: str = "", loan_id: UUID | None = None
) -> None:
    """Write one change into the item's history, as the item stands now; ``by`` is the one who did it."""
    session.add(
        AidItemEvent(
            item_id=item.id,
            at=clock.now(),
            what=what,
            condition=item.condition,
            township_code=item.at_township_code,
            loan_id=loan_id,
            reason=reason,
            by_login=actor.login_id,
            by_name=actor.name,
        )
    )
    session.flush()


def _free_item(session: Session, actor: Actor, item_id: UUID) -> AidItem:
    """The item, locked, which nobody has reserved or borrowed, and which this steward may change."""
    # Before anything is looked up, so that whoever is no steward learns nothing about what exists.
    actor.must_be_steward()
    item = lock_item(session, item_id)
    if not (actor.stewards(item.at_township_code) or actor.stewards(item.home_township_code)):
        raise NotAllowed("other_township", "只能办理本镇街的事项", township_code=item.at_township_code)
    must_not_be_retired(item.condition)
    loan = active_loan_of(session, item.id)
    if loan is not None:
        raise taken(due_back(loan), item_id=item.id)
    return item


def _change(session: Session, actor: Actor, item: AidItem, condition: Condition, what: str, reason: str) -> AidItem:
    item.condition = condition
    session.flush()
    write_event(session, actor=actor, item=item, what=what, reason=reason)
    return item
