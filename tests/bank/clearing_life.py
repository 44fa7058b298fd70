"""A bank in which clearing has seen everything once, and raw SQL against its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.bank.ledger_guards import Attempt, take_away
from tests.factories.clearing import close, closed_and_confirmed, confirm_all, eat, payments_of, settle, transfer_of
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.clearing import actions as clearing
from timebank.clearing.actions.review import Ruling
from timebank.clearing.models import ClearingWindow, Dispute
from timebank.core import clock
from timebank.core.db import Database

CONFIRMED = {"confirmed_at": "now()", "confirmed_by": "gen_random_uuid()", "confirmed_by_name": "'西坞'"}
RULING = {"ruling": "'stays'", "ruling_reason": "'查过'", "ruled_at": "raised_at"}
RULING |= {"ruled_by": "gen_random_uuid()", "ruled_by_name": "'区'"}


@dataclass(frozen=True, slots=True)
class Life:
    """Numbers of windows, each in another state, and ids of rows in them; what is moved went from review to carried."""

    paid: int
    review: int
    carried: int
    closed: int
    empty: int
    open: int
    paid_settlement: UUID
    aborted_settlement: UUID
    carried_settlement: UUID
    empty_settlement: UUID
    payment_paid: UUID
    payment_failed: UUID
    payment_again: UUID
    payment_instructed: UUID
    dispute_moved: UUID
    dispute_stays: UUID
    dispute_waiting: UUID
    line_paid: UUID
    line_moved: UUID
    line_stays: UUID
    line_waiting: UUID
    line_free: UUID
    line_closed: UUID


def live(bank: Database) -> Life:
    """Windows paid, under review after a settlement was undone, carried over, closed, empty and open."""
    clock.freeze(NINE)
    known: dict[str, Any] = {**_pay_a_window(bank), **_review_a_window(bank)}
    clock.freeze(NINE + timedelta(days=1))
    known |= _carry_a_window(bank)
    clock.freeze(NINE + timedelta(days=2))
    with bank.unit_of_work() as session:
        change_policy(session, "clearing_settlement_method", "pay")
    known["line_closed"] = transfer_of(bank, eat(bank, XIWU))
    known["closed"] = _number(bank, close(bank))
    empty = close(bank)
    known |= {"empty": _number(bank, empty), "empty_settlement": settle(bank, empty).id}
    _reach_the_hard_limit(bank)
    with bank.unit_of_work() as session:
        clearing.recompute(session, day=clock.today())
    return Life(**known, open=_number(bank, None))


def _pay_a_window(bank: Database) -> dict[str, Any]:
    """尚田 has paid, what 大堰 is to receive failed and is tried again, 西坞 waits."""
    line = transfer_of(bank, eat(bank, DAYAN, meals=2))
    eat(bank, XIWU)
    window = closed_and_confirmed(bank)
    settlement, payments = settle(bank, window), payments_of(bank, window)
    with bank.unit_of_work() as session:
        clearing.payment_paid(session, actor=district(), payment_id=payments[SHANGTIAN].id, outside_reference="国库-1")
        clearing.payment_failed(session, actor=district(), payment_id=payments[DAYAN].id, problem="户名不符")
        again = clearing.instruct_again(session, actor=district(), payment_id=payments[DAYAN].id)
    return {
        "paid": _number(bank, window),
        "line_paid": line,
        "paid_settlement": settlement.id,
        "payment_paid": payments[SHANGTIAN].id,
        "payment_failed": payments[DAYAN].id,
        "payment_again": again.id,
        "payment_instructed": payments[XIWU].id,
    }


def _review_a_window(bank: Database) -> dict[str, Any]:
    """One line is moved, one stays, one waits; between them the window was settled, and that was undone."""
    names = ("line_moved", "line_stays", "line_waiting", "line_free")
    lines: dict[str, Any] = {name: transfer_of(bank, eat(bank, DAYAN)) for name in names}
    window = close(bank)
    moved = dispute(bank, window, lines["line_moved"], "moved")
    stays = dispute(bank, window, lines["line_stays"], "stays")
    confirm_all(bank, window)
    settlement = settle(bank, window)
    abort(bank, window)
    return lines | {
        "review": _number(bank, window),
        "aborted_settlement": settlement.id,
        "dispute_moved": moved.id,
        "dispute_stays": stays.id,
        "dispute_waiting": dispute(bank, window, lines["line_waiting"]).id,
    }


def _carry_a_window(bank: Database) -> dict[str, Any]:
    with bank.unit_of_work() as session:
        change_policy(session, "clearing_settlement_method", "carry")
    eat(bank, XIWU)
    window = closed_and_confirmed(bank)
    return {"carried": _number(bank, window), "carried_settlement": settle(bank, window).id}


def _reach_the_hard_limit(bank: Database) -> None:
    """A voucher in hand is honoured beyond the limit; and the district lets the township go on."""
    _, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 30, township_code=SHANGTIAN)
        change_policy(session, "position_hard_limit_minutes", 60, township_code=SHANGTIAN)
        counter = clerk(add_canteen(session, DAYAN))
    assert scan(bank, counter, voucher.code).verdict.accepted
    with bank.unit_of_work() as session:
        clearing.tally_new_movements(session)
        clearing.grant_override(
            session,
            actor=district(),
            township_code=SHANGTIAN,
            extra_minutes=60,
            valid_until=clock.now() + timedelta(days=3),
            reason="下周结算，先行放行",
        )


def abort(bank: Database, window: str) -> None:
    """The settlement of a window is undone."""
    with bank.unit_of_work() as session:
        clearing.abort_settlement(session, actor=district(), window_name=window, reason="账号有误")


def dispute(bank: Database, window: str, transfer_id: UUID, ruling: Ruling | None = None) -> Dispute:
    """尚田 objects to a line, and the district rules on it."""
    with bank.unit_of_work() as session:
        raised = clearing.dispute_line(
            session, actor=steward(SHANGTIAN), window_name=window, transfer_id=transfer_id, reason="当天没有这位老人"
        )
        if ruling is not None:
            clearing.rule_dispute(session, actor=district(), dispute_id=raised.id, ruling=ruling, reason="查过签到表")
        return raised


def _number(bank: Database, name: str | None) -> int:
    found = ClearingWindow.status == "open" if name is None else ClearingWindow.name == name
    with bank.session() as session:
        return session.scalars(select(ClearingWindow.number).where(found)).one()


def raw(*statements: str, behind: Sequence[str] = ()) -> Attempt:
    """An attempt of SQL, ``{name}`` being the life's; ``behind`` are guards in front of the one meant, taken away."""

    def attempt(session: Session, life: Life) -> None:
        take_away(session, *behind)
        for statement in statements:
            session.execute(text(statement.format(**asdict(life))))

    return attempt


def copy_of(table: str, found: str, **changes: str) -> str:
    """SQL that inserts a copy of the rows ``r`` found, with changed columns, each given as SQL."""
    changed = ", ".join(f"'{column}', {value}" for column, value in changes.items())
    return (
        f"INSERT INTO {table} SELECT c.* FROM {table} r CROSS JOIN LATERAL"
        f" jsonb_populate_record(NULL::{table}, to_jsonb(r) || jsonb_build_object({changed})) c WHERE {found}"
    )


def changed(table: str, found: str, **changes: str) -> str:
    """SQL that changes columns, each given as SQL, of the rows found."""
    return f"UPDATE {table} SET {', '.join(f'{column} = {value}' for column, value in changes.items())} WHERE {found}"


def confirming(number: str) -> str:
    """SQL that confirms every statement of a window."""
    return changed("clearing_statement", f"window_number = {{{number}}}", **CONFIRMED)


def reviewing(number: str) -> tuple[str, str]:
    """SQL that confirms every statement of a window and rules on every dispute that waits there."""
    waiting = f"window_number = {{{number}}} AND ruling IS NULL"
    return confirming(number), changed("clearing_dispute", waiting, **RULING)
