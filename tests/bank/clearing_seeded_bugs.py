"""Bugs put into clearing on purpose, to see that comparing with the twelve books on paper catches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.clearing import rules
from timebank.clearing.rules import Net, PriceKind

closing = import_module("timebank.clearing.actions.close_window")
moving = import_module("timebank.clearing.actions.move_home")
positions = import_module("timebank.clearing.queries.positions")
review = import_module("timebank.clearing.actions.review")
settling = import_module("timebank.clearing.actions.settle")
tally = import_module("timebank.clearing.actions.tally")

Sow = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, and how to bring it about."""

    name: str
    sow: Sow


def _said_otherwise(patch: pytest.MonkeyPatch, module: Any, statement: str, right: str, wrong: str) -> None:
    """Another wording of a module's SQL."""
    said = getattr(module, statement)
    assert right in said.text, f"{statement} does not say {right}"
    reworded = text(said.text.replace(right, wrong)).bindparams(*said._bindparams.values())
    patch.setattr(module, statement, reworded)


def tail_not_counted(patch: pytest.MonkeyPatch) -> None:
    """What was posted since the last tally is not seen yet."""
    _said_otherwise(patch, positions, "_SUMS", "(:all_time OR :is_open)\n", "(:all_time OR :is_open) AND false\n")


def tail_counted_in_closed_windows(patch: pytest.MonkeyPatch) -> None:
    """What was posted since the last tally is seen in every window."""
    _said_otherwise(patch, positions, "_SUMS", "(:all_time OR :is_open)\n", "(:is_open OR true)\n")


def moved_line_in_both_windows(patch: pytest.MonkeyPatch) -> None:
    """A line that was moved is counted where it is now, and where it was."""
    _said_otherwise(patch, positions, "_SUMS", "AND from_window = :number", "AND from_window = -1")


def moved_line_in_no_window(patch: pytest.MonkeyPatch) -> None:
    """A line that was moved is counted nowhere."""
    _said_otherwise(patch, positions, "_SUMS", "AND to_window = :number", "AND to_window = -1")


def settlements_tallied(patch: pytest.MonkeyPatch) -> None:
    """What settles a window is counted as if somebody had been helped."""
    _said_otherwise(patch, tally, "_ADD", "AND kind NOT IN ('settlement', 'settlement_undone')", "")


def last_leg_not_tallied(patch: pytest.MonkeyPatch) -> None:
    """What is owed is counted up to the newest row, and without it."""
    _said_otherwise(patch, tally, "_OWE", "seq <= :upto", "seq < :upto")


def window_ends_too_early(patch: pytest.MonkeyPatch) -> None:
    """The newest movement before a closing falls into the next window."""
    right = closing.settled_seq
    patch.setattr(closing, "settled_seq", lambda session: max(0, right(session) - 2))


def sign_turned(patch: pytest.MonkeyPatch) -> None:
    """Whoever owes is shown as being owed."""
    right = positions.nets

    def wrong(priced: Any) -> dict[str, Net]:
        return {code: Net(-net.minutes, None if net.fen is None else -net.fen) for code, net in right(priced).items()}

    patch.setattr(positions, "nets", wrong)


def rounded_down(patch: pytest.MonkeyPatch) -> None:
    """Half a fen and more is dropped."""
    patch.setattr(rules, "fen_of", lambda minutes, fen_per_hour: minutes * fen_per_hour // 60)


def aids_priced_as_care(patch: pytest.MonkeyPatch) -> None:
    """The use of an aid costs what an hour of care costs."""
    patch.setitem(rules._PRICED_AS, "aid_use", PriceKind.CARE)


def priced_as_of_now(patch: pytest.MonkeyPatch) -> None:
    """A closed window is shown at prices that came later."""
    right = positions.prices_of
    patch.setattr(positions, "prices_of", lambda session, _window: right(session, None))


def carried_as_another_kind(patch: pytest.MonkeyPatch) -> None:
    """Meals are carried over as care, and so cost something else when they are paid."""
    patch.setitem(rules.CARRIED_KIND, PriceKind.MEAL, "carried_care")


def carried_the_wrong_way(patch: pytest.MonkeyPatch) -> None:
    """What a township owes is carried over as owed to it."""
    right = settling._movement

    def wrong(actor: Any, settlement: Any, kind: str, note: str, settled: int, netting: int, minutes: int) -> Any:
        signed = minutes if kind == "settlement" else -minutes
        return right(actor, settlement, kind, note, settled, netting, signed)

    patch.setattr(settling, "_movement", wrong)


def settled_unreviewed(patch: pytest.MonkeyPatch) -> None:
    """Nobody is asked whether the statements are right."""
    patch.setattr(settling, "unconfirmed", lambda _session, _window: [])


def half_undone(patch: pytest.MonkeyPatch) -> None:
    """An aborted settlement leaves one township settled."""
    right = settling._legs

    def wrong(session: Session, settlement_id: Any) -> Any:
        return right(session, settlement_id)[1:]

    patch.setattr(settling, "_legs", wrong)


def confirmation_outlives_the_ruling(patch: pytest.MonkeyPatch) -> None:
    """A statement that a moved line has changed counts as confirmed still."""
    patch.setattr(review, "_open_again", lambda *_args, **_told: None)


def savings_left_behind(patch: pytest.MonkeyPatch) -> None:
    """Whoever moves finds a new account, empty, and the old one still open."""

    def wrong(*_args: Any) -> tuple[int, None]:
        return 0, None

    patch.setattr(moving, "_take_savings_along", wrong)


BUGS = [
    Bug("the tail is not counted", tail_not_counted),
    Bug("the tail is counted in closed windows too", tail_counted_in_closed_windows),
    Bug("a moved line counts in both windows", moved_line_in_both_windows),
    Bug("a moved line counts in no window", moved_line_in_no_window),
    Bug("settlements are tallied", settlements_tallied),
    Bug("the newest row is not tallied", last_leg_not_tallied),
    Bug("a window ends one movement too early", window_ends_too_early),
    Bug("the sign of positions is turned", sign_turned),
    Bug("fen are rounded down", rounded_down),
    Bug("aids are priced as care", aids_priced_as_care),
    Bug("closed windows are priced as of now", priced_as_of_now),
    Bug("meals are carried over as care", carried_as_another_kind),
    Bug("minutes are carried over the wrong way", carried_the_wrong_way),
    Bug("windows are settled unreviewed", settled_unreviewed),
    Bug("a settlement is half undone", half_undone),
    Bug("a confirmation outlives a ruling", confirmation_outlives_the_ruling),
    Bug("savings are left behind", savings_left_behind),
]
