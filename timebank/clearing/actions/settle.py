"""Settling a reviewed window 结算, all of it in one transaction, and undoing a settlement that was not paid.

Every township's clearing account is brought, through the house, to where the window's position is zero. What was
settled is then paid, one payment or receipt a township, or carried over into the open window, by policy.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.actions.review import unconfirmed
from timebank.clearing.models import ClearingWindow, Payment, Settlement, Statement
from timebank.clearing.queries import find_window, lock_open_window
from timebank.clearing.queries.positions import priced
from timebank.clearing.queries.seals import seal_of
from timebank.clearing.rules import CARRIED_KIND, IN_REVIEW, WindowStatus, must_stand_at, nets_by_kind, reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text, yuan_text
from timebank.core.errors import Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one, township_accounts, transfers_by_cause
from timebank.ledger.models import Transfer
from timebank.ledger.rules import HOUSE, AccountKind, Movement, second_leg_id
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force


def settle_window(session: Session, *, actor: Actor, window_name: str) -> Settlement:
    """Settle a window whose statements are all confirmed.

    Raises NotAllowed ``district_only``; NotFound ``window_unknown``; Conflict ``window_still_open``,
    ``window_already_settled``, ``window_not_reviewed``.
    """
    actor.must_be_district()
    window = find_window(session, window_name, for_update=True)
    must_stand_at(window.status, *IN_REVIEW)
    waiting = unconfirmed(session, window)
    if waiting:
        raise Conflict("window_not_reviewed", "还有镇街没有确认对账单，不能结算", township_codes=waiting)
    method = in_force(session, at=clock.now()).value("clearing_settlement_method")
    settlement = _begin(session, actor, window, method)
    statements = session.scalars(
        select(Statement).where(Statement.window_number == window.number).order_by(Statement.township_code)
    ).all()
    # In the notes of the transfers it lies under the ledger's seals, so that it cannot be rewritten with the window.
    seal = seal_of(session, window)
    movements = _settling(session, actor, settlement, statements, note=f"{window.name} 结算，封存 {seal.hex()}")
    if method == "carry":
        movements += _carrying(session, actor, window, settlement)
    if movements:
        post_one(session, tuple(movements))
    payments = _instruct(session, settlement, statements) if method == "pay" else []
    if not payments:
        settlement.status, settlement.ended_at, settlement.ended_by_name = "completed", clock.now(), actor.name
    window.status, window.settled_at, window.seal = WindowStatus.SETTLED, settlement.settled_at, seal
    session.flush()
    note_down(
        session,
        actor=actor,
        action="window_settled",
        subject=("clearing_window", window.name),
        settlement_id=str(settlement.id),
        method=method,
        seal=seal.hex(),
        payments=len(payments),
    )
    _tell(session, window, settlement, statements)
    return settlement


def abort_settlement(session: Session, *, actor: Actor, window_name: str, reason: str) -> Settlement:
    """Undo a settlement of which nothing is paid, by new transfers; its window can then be settled again.

    Raises NotAllowed ``district_only``; NotFound ``window_unknown``; Conflict ``window_not_settled``,
    ``settlement_already_paid``, ``carried_window_closed``; Refused ``reason_needed``.
    """
    actor.must_be_district()
    reason = reason_given(reason)
    window = find_window(session, window_name, for_update=True)
    if window.status != WindowStatus.SETTLED:
        raise Conflict("window_not_settled", "这个清算周期没有结算，无可撤销", status=window.status)
    settlement = standing_settlement(session, window)
    _must_be_undoable(session, settlement)
    now = clock.now()
    undoing = [
        Movement(
            id=new_id(),
            from_account_id=last.to_account_id,
            to_account_id=first.from_account_id,
            amount=first.amount,
            kind="settlement_undone" if first.kind == "settlement" else first.kind,
            effective_at=now,
            cause_kind="settlement",
            cause_id=settlement.id,
            note=f"撤销 {window.name} 结算：{reason}",
            recorded_by=actor.login_id,
        )
        for first, last in _legs(session, settlement.id)
    ]
    if undoing:
        post_one(session, tuple(undoing))
    standing = select(Payment).where(Payment.settlement_id == settlement.id, Payment.state == "instructed")
    for payment in session.scalars(standing.with_for_update()):
        payment.state, payment.ended_at, payment.ended_by_name = "withdrawn", now, actor.name
    session.flush()
    settlement.status, settlement.abort_reason = "aborted", reason
    settlement.ended_at, settlement.ended_by_name = now, actor.name
    session.flush()
    window.status, window.settled_at, window.seal = WindowStatus.UNDER_REVIEW, None, None
    session.flush()
    note_down(
        session,
        actor=actor,
        action="settlement_aborted",
        subject=("clearing_window", window.name),
        settlement_id=str(settlement.id),
        reason=settlement.abort_reason,
    )
    body = f"清算周期 {window.name} 的结算已撤销：{settlement.abort_reason}"
    codes = select(Statement.township_code).where(Statement.window_number == window.number)
    for code in [*session.scalars(codes), None]:
        notify_stewards(session, township_code=code, title=f"{window.name} 结算已撤销", body=body)
    return settlement


def standing_settlement(session: Session, window: ClearingWindow) -> Settlement:
    """The settlement of a settled window, locked."""
    query = select(Settlement).where(Settlement.window_number == window.number, Settlement.status != "aborted")
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _begin(session: Session, actor: Actor, window: ClearingWindow, method: str) -> Settlement:
    attempts = select(func.count()).where(Settlement.window_number == window.number)
    settlement = Settlement(
        id=new_id(),
        window_number=window.number,
        attempt=int(session.scalar(attempts) or 0) + 1,
        method=method,
        # The open window cannot close meanwhile, so what is carried over falls into it.
        carried_into=lock_open_window(session).number if method == "carry" else None,
        status="instructed",
        settled_at=clock.now(),
        settled_by=actor.login_id,
        settled_by_name=actor.name,
    )
    session.add(settlement)
    session.flush()
    return settlement


def _settling(
    session: Session,
    actor: Actor,
    settlement: Settlement,
    statements: Sequence[Statement],
    *,
    note: str,
) -> list[Movement]:
    """A debtor is relieved by the house, a creditor relieves the house; the house is left with nothing."""
    owed = {one.township_code: one.position_minutes for one in statements if one.position_minutes}
    settled = township_accounts(session, list(owed), AccountKind.SETTLED)
    netting = township_accounts(session, [HOUSE], AccountKind.NETTING)[HOUSE]
    return [
        _movement(actor, settlement, "settlement", note, settled[code], netting, minutes)
        for code, minutes in sorted(owed.items())
    ]


def _carrying(session: Session, actor: Actor, window: ClearingWindow, settlement: Settlement) -> list[Movement]:
    """The opposite of what was settled, at each price by itself, so that it is priced alike when it is paid."""
    owed = {key: minutes for key, minutes in nets_by_kind(priced(session, window)).items() if minutes}
    owed = {key: minutes for key, minutes in owed.items() if key[0] != HOUSE}
    settled = township_accounts(session, [code for code, _ in owed], AccountKind.SETTLED)
    netting = township_accounts(session, [HOUSE], AccountKind.NETTING)[HOUSE]
    note = f"{window.name} 结转"
    return [
        _movement(actor, settlement, CARRIED_KIND[kind], note, settled[code], netting, -minutes)
        for (code, kind), minutes in sorted(owed.items())
    ]


def _movement(
    actor: Actor, settlement: Settlement, kind: str, note: str, settled: int, netting: int, minutes: int
) -> Movement:
    """Positive minutes go from what the township has settled to the house, negative ones the other way."""
    return Movement(
        id=new_id(),
        from_account_id=settled if minutes > 0 else netting,
        to_account_id=netting if minutes > 0 else settled,
        amount=abs(minutes),
        kind=kind,
        effective_at=settlement.settled_at,
        cause_kind="settlement",
        cause_id=settlement.id,
        note=note,
        recorded_by=actor.login_id,
    )


def _instruct(session: Session, settlement: Settlement, statements: Sequence[Statement]) -> list[Payment]:
    payments = [
        Payment(
            id=new_id(),
            settlement_id=settlement.id,
            township_code=one.township_code,
            attempt=1,
            direction="receive" if one.position_fen > 0 else "pay",
            amount_fen=abs(one.position_fen),
            state="instructed",
            instructed_at=settlement.settled_at,
        )
        for one in statements
        if one.position_fen
    ]
    session.add_all(payments)
    session.flush()
    return payments


def _tell(session: Session, window: ClearingWindow, settlement: Settlement, statements: Sequence[Statement]) -> None:
    for one in statements:
        owed = "应收" if one.position_minutes >= 0 else "应付"
        how = f"结算款{yuan_text(abs(one.position_fen))}" if settlement.method == "pay" else "结转到下一周期"
        body = f"清算周期 {window.name} 已结算，本镇街{owed}{hours_text(abs(one.position_minutes))}，{how}。"
        notify_stewards(session, township_code=one.township_code, title=f"{window.name} 已结算", body=body)


def _must_be_undoable(session: Session, settlement: Settlement) -> None:
    paid = select(Payment.id).where(Payment.settlement_id == settlement.id, Payment.state == "paid")
    if session.scalar(paid.limit(1)) is not None:
        raise Conflict("settlement_already_paid", "已有镇街付款或收款，结算不能撤销，请用冲正更正")
    if settlement.carried_into is None:
        return
    if lock_open_window(session).number != settlement.carried_into:
        raise Conflict("carried_window_closed", "结转到的周期已经关账，结算不能撤销，请用冲正更正")


def _legs(session: Session, settlement_id: UUID) -> list[tuple[Transfer, Transfer]]:
    """The movements of a settlement, as first and last leg."""
    rows = {row.id: row for row in transfers_by_cause(session, settlement_id)}
    return [(first, rows[second_leg_id(first.id)]) for first in rows.values() if first.link_id == first.id]
