"""Everything that is to agree between the bank and the model on paper, from either side in the same words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.bank.clearing_model import TwelveBooks
from tests.bank.clearing_paper import HOUSE, Month, Settling, fen_owed_to, owed_to, table_of
from timebank.clearing.models import ClearingWindow, Dispute, Payment
from timebank.clearing.queries import matrix, positions, settlements_of, statements_of
from timebank.ledger.queries import trial_balance

ALL = "all"
Facts = dict[str, Any]


def facts_of_bank(session: Session) -> Facts:
    """What the bank shows, through the queries that the doors use."""
    balances = {(line.book, line.account): line.credit - line.debit for line in trial_balance(session, "minute")}
    months = session.scalars(select(ClearingWindow).order_by(ClearingWindow.number)).all()
    found = {name: positions(session, window_name=name)[1] for name in [*(month.name for month in months), ALL]}
    return {
        "books": {place: minutes for place, minutes in balances.items() if minutes},
        "months": [(month.name, month.status) for month in months],
        "owed": [{one.township_code: one.owed_minutes for one in shown} for shown in found.values()],
        "positions": {
            name: {one.township_code: (one.position_minutes, one.position_fen) for one in shown}
            for name, shown in found.items()
        },
        "tables": {name: _table(session, name) for name in found},
        "statements": {month.name: _statements(session, month) for month in months[:-1]},
        "settlings": {month.name: _settlings(session, month) for month in months[:-1]},
        "objections": sorted(
            (month, str(transfer_id), by, ruling or "")
            for month, transfer_id, by, ruling in session.execute(
                select(ClearingWindow.name, Dispute.transfer_id, Dispute.township_code, Dispute.ruling).join(
                    ClearingWindow, ClearingWindow.number == Dispute.window_number
                )
            )
        ),
    }


def facts_on_paper(paper: TwelveBooks) -> Facts:
    """What the model says."""
    balances: Counter[tuple[str, str]] = Counter()
    for book, accounts in paper.books.items():
        for account, minutes in accounts.items():
            balances[book, account.split()[0]] += minutes
    lines = {month.name: (month.lines, month.prices or paper.prices) for month in paper.months}
    # What was carried from month to month is no new debt.
    lines[ALL] = ([line for line in paper.everything if not line.carried], paper.prices)
    return {
        "books": {place: minutes for place, minutes in balances.items() if minutes},
        "months": [(month.name, month.state) for month in paper.months],
        "owed": [{code: paper.books[code]["clearing"] for code in paper.townships}] * len(lines),
        "positions": {name: _paper_positions(paper, *found) for name, found in lines.items()},
        "tables": {name: table_of(*found) for name, found in lines.items()},
        "statements": {month.name: _paper_statements(month) for month in paper.months[:-1]},
        "settlings": {
            month.name: [_paper_settling(number, one) for number, one in enumerate(month.settlings, 1)]
            for month in paper.months[:-1]
        },
        "objections": sorted(
            (month.name, str(objection.line.id), objection.by, objection.ruling)
            for month in paper.months
            for objection in month.objections
        ),
    }


def _table(session: Session, name: str) -> Facts:
    _, lines = matrix(session, window_name=name)
    for line in lines:
        fen = [part.fen for part in line.parts]
        assert line.minutes == sum(part.minutes for part in line.parts)
        assert line.transfers == sum(part.transfers for part in line.parts)
        assert line.fen == (None if None in fen else sum(amount for amount in fen if amount is not None))
    return {
        (line.debtor_township_code, line.creditor_township_code): {
            str(part.price_kind): (part.minutes, part.transfers, part.fen) for part in line.parts
        }
        for line in lines
    }


def _statements(session: Session, month: ClearingWindow) -> Facts:
    return {
        one.township_code: (one.position_minutes, one.position_fen, one.confirmed_at is not None)
        for one in statements_of(session, month)
    }


def _settlings(session: Session, month: ClearingWindow) -> list[Any]:
    names = {number: name for number, name in session.execute(select(ClearingWindow.number, ClearingWindow.name))}
    found = []
    for one in reversed(settlements_of(session, month)):
        payments = session.scalars(select(Payment).where(Payment.settlement_id == one.id)).all()
        cheques = sorted(
            (p.township_code, p.attempt, p.amount_fen if p.direction == "receive" else -p.amount_fen, p.state)
            for p in payments
        )
        into = names[one.carried_into] if one.carried_into is not None else None
        found.append((one.attempt, one.method, into, one.status, cheques))
    return found


def _paper_positions(paper: TwelveBooks, lines: Any, prices: dict[str, int]) -> dict[str, tuple[int, int | None]]:
    minutes, fen = owed_to(lines), fen_owed_to(lines, prices)
    return {code: (minutes[code], fen[code]) for code in paper.townships}


def _paper_statements(month: Month) -> Facts:
    minutes, fen = owed_to(month.lines), fen_owed_to(month.lines, month.prices)
    return {code: (minutes[code], fen[code], agreed) for code, agreed in month.agreed.items()}


def _paper_settling(number: int, one: Settling) -> Any:
    cheques = sorted((cheque.township, cheque.tries, cheque.fen, cheque.state) for cheque in one.cheques)
    return number, one.method, one.into.name if one.into else None, one.state, cheques


def must_sum_to_zero(facts: Facts) -> None:
    """Nothing is owed by nobody: every month, all time and all books sum to zero, and the house keeps nothing."""
    for name, owed in facts["positions"].items():
        assert sum(minutes for minutes, _ in owed.values()) == 0, name
        fen = [amount for _, amount in owed.values()]
        assert None in fen or sum(fen) == 0, name
    assert [sum(owed.values()) for owed in facts["owed"]] == [0] * len(facts["owed"])
    assert sum(facts["books"].values()) == 0
    assert not any(book == HOUSE for book, _ in facts["books"])
