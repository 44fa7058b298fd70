"""Bugs put into the closing of windows on purpose, each on a database of its own, to see that the checks catch them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.bank import clearing_crowd
from tests.bank.ledger_guards import clause, take_away
from tests.bank.seeded_bugs import Bug
from timebank.clearing.models import ClearingWindow, TallyMark
from timebank.clearing.rules import Sum, WindowStatus
from timebank.core.db import Database
from timebank.ledger.actions import seal

closing = import_module("timebank.clearing.actions.close_window")
tally = import_module("timebank.clearing.actions.tally")
"""The modules; the package has functions of these names."""


def _newest(session: Session) -> int:
    return int(session.scalar(seal._NEWEST_SEQ) or 0)


def closing_does_not_wait(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The window ends at the newest number, whoever is still posting below it."""
    patch.setattr(closing, "settled_seq", _newest)


def tally_does_not_wait(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """What is tallied goes up to a number that is not settled."""
    patch.setattr(tally, "settled_seq", _newest)


def end_taken_twice(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The next window begins at the number that is the newest when it opens, not where the last one ended."""
    right = closing._open_next

    def wrong(session: Session, window: ClearingWindow) -> ClearingWindow:
        ended = SimpleNamespace(number=window.number, closed_at=window.closed_at, to_seq=_newest(session))
        opened: ClearingWindow = right(session, ended)
        return opened

    patch.setattr(closing, "_open_next", wrong)


def end_taken_twice_and_database_blind(patch: pytest.MonkeyPatch, bank: Database) -> None:
    """Nor does the database mind where a window begins."""
    end_taken_twice(patch, bank)
    minded = "\n           OR NEW.from_seq <> (SELECT coalesce(max(w.to_seq), 0) FROM clearing_window w)"
    with bank.unit_of_work() as session:
        take_away(session, clause("clearing_guard_window", minded))


def statements_with_what_came_later(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """Statements are drawn up over everything there is, not up to the end."""
    right = closing.sums_of

    def wrong(session: Session, window: ClearingWindow) -> Sequence[Sum]:
        summed: Sequence[Sum] = right(session, SimpleNamespace(number=window.number, status=WindowStatus.OPEN))
        return summed

    patch.setattr(closing, "sums_of", wrong)


def creditors_leg_decides(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """A movement is tallied where its second leg lies."""
    right = tally._ADD.text
    wrong = right.replace(
        "SELECT :number, book_code, counterpart_book_code", "SELECT :number, counterpart_book_code, book_code"
    )
    wrong = wrong.replace("id = link_id", "id <> link_id")
    assert wrong.count("<>") == right.count("<>") + 1
    patch.setattr(tally, "_ADD", text(wrong))


def last_leg_forgotten(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The lines of a window are looked for up to its end, where a second leg may lie beyond it."""
    patch.setattr(closing, "_LAST_LEG", text("SELECT CAST(:to_seq AS bigint)"))


def tally_by_two_at_once(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The tally's mark is read and not locked, so that two processes count the same movements."""

    def wrong(session: Session) -> int:
        mark, upto = session.scalars(select(TallyMark)).one(), tally.settled_seq(session)
        return 0 if upto is None else int(tally.tally_up_to(session, mark, upto))

    patch.setattr(clearing_crowd, "tally_new_movements", wrong)


def window_not_locked(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """Two who close at once both find the window open."""
    right = closing.find_window
    patch.setattr(closing, "find_window", lambda session, name, **_for_update: right(session, name))


BUGS = [
    Bug("a closing that does not wait for postings", closing_does_not_wait, "waits"),
    Bug("a tally that does not wait for postings", tally_does_not_wait, "tally"),
    Bug("an end taken twice", end_taken_twice, "waits"),
    Bug("an end taken twice, and the database blind", end_taken_twice_and_database_blind, "waits"),
    Bug("statements with what came after the end", statements_with_what_came_later, "waits"),
    Bug("the creditor's leg decides", creditors_leg_decides, "legs"),
    Bug("a second leg beyond the end forgotten", last_leg_forgotten, "legs"),
    Bug("two tallies of the same movements", tally_by_two_at_once, "crowd"),
    Bug("a window that is not locked", window_not_locked, "crowd"),
]
