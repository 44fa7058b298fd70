"""Bugs put into the life of orders on purpose, to see that the machine, or the database, catches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from timebank.canteens.orders.actions.judge_orders import Table

placing, releasing, changing, cancelling, judging, laying = (
    import_module(f"timebank.canteens.orders.actions.{name}")
    for name in ("write_orders", "release", "change_order", "cancel_orders", "judge_orders", "lay_table")
)

Sow = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, and how to bring it about."""

    name: str
    sow: Sow


def left_out(module: Any, step: str, answer: Any = None) -> Sow:
    """A step that is not done."""
    return lambda patch: patch.setattr(module, step, lambda *_, **__: answer)


def always_the_first_voucher(patch: pytest.MonkeyPatch) -> None:
    right = Table._take

    def wrong(table: Table, decided: Any) -> None:
        vouchers = {holder: list(found) for holder, found in table.vouchers.items()}
        right(table, decided)
        table.vouchers = vouchers

    patch.setattr(Table, "_take", wrong)
    patch.setattr(placing, "set_aside", lambda *_, **__: None)


def half_of_what_is_to_be_held(patch: pytest.MonkeyPatch) -> None:
    right = Table.to_hold
    patch.setattr(Table, "to_hold", lambda t, d: [(account, fen // 2 or 1) for account, fen in right(t, d)])


BUGS = [
    Bug("a cancelled order keeps its voucher", left_out(releasing, "take_back_aside")),
    Bug("a cancelled order keeps its money", left_out(releasing, "end_holds")),
    Bug("a cancelled order keeps the day's subsidy", left_out(releasing, "_return_uses")),
    Bug("a cancelled order keeps its place", left_out(releasing, "_uncount")),
    Bug("a changed order holds the old money too", left_out(changing, "end_holds")),
    Bug("a changed order keeps the old voucher too", left_out(changing, "take_back_aside")),
    Bug("a change does not have its own shares back", left_out(Table, "put_back")),
    Bug("a diner cancels after the cut-off", left_out(cancelling, "must_be_before")),
    Bug("a diner orders after the cut-off", left_out(judging, "must_be_before")),
    Bug("a voucher is not set aside", always_the_first_voucher),
    Bug("half of the elder's share is held", half_of_what_is_to_be_held),
    Bug("a second lunch is ordered", left_out(laying, "_taken", {})),
    Bug("what was used of the day is not looked at", left_out(laying, "_used", {})),
    Bug("places and portions are not looked at", left_out(Table, "_room")),
    Bug("dishes are not counted", left_out(placing, "count_dishes")),
    Bug("limits are not taken", left_out(placing, "take_uses")),
]
