"""Bugs put into home care on purpose, each on a database of its own, to see that the machine catches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest

from timebank.redemption.care import choosing, rules
from timebank.redemption.care.rules import Charge
from timebank.tasks.rules import served_minutes

HOME = "timebank.redemption.care.actions."
assigning, booking, cancelling, capacity, confirming, settling, attending, acting = (
    import_module(HOME + name)
    for name in ("assign", "book", "cancel", "capacity", "confirm", "settle", "attend", "acts")
)
"""The modules; the package has functions of some of these names."""


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, and how to bring it about."""

    name: str
    sow: Callable[[pytest.MonkeyPatch], None]


def put(module: Any, name: str, instead: Callable[..., Any]) -> Callable[[pytest.MonkeyPatch], None]:
    """Replace one function of a module."""
    return lambda patch: patch.setattr(module, name, instead)


def _charge(*, tolerance: bool = True, cap: bool = True) -> Callable[..., Charge]:
    right = rules.charge_for

    def wrong(served: int, **more: Any) -> Charge:
        found = right(served, **{**more, "tolerance": more["tolerance"] if tolerance else 0})
        return found if cap else Charge(found.held + found.excess, 0)

    return wrong


def _deadline(**wrong: str) -> Callable[..., Any]:
    right = rules.deadline_of
    return lambda status, **more: right(wrong.get(status, status), **more)


def _choose_any(visit: choosing.Visit, candidates: Any) -> choosing.Choice | None:
    able = sorted((c for c in candidates if c.left_minutes >= visit.minutes), key=lambda c: c.provider_id)
    return choosing.Choice(able[-1].provider_id, "随便") if able else None


def _auto_excess(session: Any, booked: Any, policies: Any) -> None:
    charge = confirming.charge_now(booked, policies)
    end = settling.End("confirm", charge, "visit", confirming.SYSTEM, "到期自动确认")
    settling.end_booking(session, booked, end, policies)


BUGS = [
    Bug("more is captured than was held", put(confirming, "charge_for", _charge(cap=False))),
    Bug("no tolerance", put(confirming, "charge_for", _charge(tolerance=False))),
    Bug("any figure is taken for consent", put(confirming, "_agreed", lambda _, accepted, **__: accepted or 0)),
    Bug("an excess is charged without consent", put(confirming, "_agreed", lambda excess, *_, **__: excess)),
    Bug("time consents to an excess", put(import_module(HOME + "lapse"), "confirm_by_time", _auto_excess)),
    Bug("cancelling is never late", put(cancelling, "is_late", lambda *_: False)),
    Bug("cancelling is always late", put(cancelling, "is_late", lambda *_: True)),
    Bug("nothing is released", put(settling, "release_minutes", lambda *_, **__: 0)),
    Bug("who declined is asked again", put(capacity, "declined_by", lambda *_: set())),
    Bug("a full day is filled", put(assigning, "must_have_room", lambda *_: None)),
    Bug("the chosen one has no preference", put(assigning, "choose", _choose_any)),
    Bug("two visits at once", put(booking, "_must_be_free", lambda *_: None)),
    Bug("nobody is missed in time", put(acting, "deadline_of", _deadline(assigned="checked_in"))),
    Bug("nobody confirms by time", put(acting, "deadline_of", _deadline(checked_out="disputed"))),
    Bug("ended holds are captured", put(settling, "hold_stands", lambda *_: True)),
    Bug("nobody at home costs everything", put(attending, "at_rate", lambda minutes, _: minutes)),
    Bug("a visit is a minute longer", put(attending, "served_minutes", lambda *of: served_minutes(*of) + 1)),
]  # fmt: skip
