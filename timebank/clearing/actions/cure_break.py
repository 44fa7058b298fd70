"""Curing a break: naming the movement that puts it right. There is no other way to be rid of one."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.actions.reconcile import lock_lists
from timebank.clearing.curing import cures
from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries.cures import break_for, complaint_of, remedy_of, spent
from timebank.clearing.reconciliation_models import Break
from timebank.clearing.township_lists import BREAK_TYPE_NAMES, BreakType
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, Refused
from timebank.ledger.queries import first_leg
from timebank.notifications.actions import notify_stewards


def cure_break(session: Session, *, actor: Actor, break_id: UUID, transfer_id: UUID) -> Break:
    """Note which movement has put a break right; for the stewards of the owner and the district's.

    ``transfer_id`` may name either leg. Raises NotAllowed ``books_not_yours``, ``steward_only``, ``other_township``;
    NotFound ``break_unknown``; Conflict ``break_already_cured``, ``break_already_ended``; Refused
    ``transfer_cures_nothing``.
    """
    known = break_for(session, actor, break_id)
    actor.must_steward(known.owner_township_code)
    lock_lists(session, known.township_code)
    found = session.get_one(Break, break_id, with_for_update=True, populate_existing=True)
    if found.cured_at is not None:
        raise Conflict(
            "break_already_cured",
            "这项差异已经更正",
            cured_at=found.cured_at,
            cured_by_transfer_id=found.cured_by_transfer_id,
        )
    if found.ended_at is not None:
        raise Conflict("break_already_ended", "这项差异已随新清单消除", ended_at=found.ended_at)
    first = first_leg(session, transfer_id)
    remedy = remedy_of(session, first) if first is not None and first.unit == "minute" else None
    if first is None or remedy is None or not cures(complaint_of(found), remedy) or spent(session, found, first.id):
        raise Refused("transfer_cures_nothing", "这笔划转不能更正这项差异", transfer_id=transfer_id, break_id=break_id)
    found.cured_at, found.cured_by_transfer_id = clock.now(), first.id
    found.cured_by, found.cured_by_name = actor.login_id, actor.name
    session.flush()
    _note_and_tell(session, actor, found)
    return found


def _note_and_tell(session: Session, actor: Actor, cured: Break) -> None:
    note_down(
        session,
        actor=actor,
        action="break_cured",
        subject=("clearing_break", cured.id),
        transfer_id=str(cured.cured_by_transfer_id),
        township_code=cured.township_code,
    )
    if actor.township_code != cured.township_code:
        window = session.get_one(ClearingWindow, cured.window_number)
        body = f"清算周期 {window.name} 往来清单的一项差异（{BREAK_TYPE_NAMES[BreakType(cured.type)]}）已以划转更正。"
        notify_stewards(session, township_code=cured.township_code, title="往来差异已更正", body=body)
