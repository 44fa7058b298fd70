"""Bugs put into the borrowing of aids on purpose, each on a database of its own, to see that they are caught."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import text

from tests.factories.people import XIWU
from timebank.core.db import Database
from timebank.core.errors import Conflict
from timebank.redemption.paying import choose_sources

bring_back = import_module("timebank.redemption.aids.actions.bring_back")
charge = import_module("timebank.redemption.aids.actions.charge")
lend = import_module("timebank.redemption.aids.actions.lend")
remind = import_module("timebank.redemption.aids.actions.remind")
reserve = import_module("timebank.redemption.aids.actions.reserve")
"""The modules; the package has functions of some of these names."""

Sow = Callable[[pytest.MonkeyPatch, Database], None]


def a_day_charged_twice(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    right = charge._last_number
    patch.setattr(charge, "_last_number", lambda s, loan: max(0, right(s, loan) - 1))


def a_day_left_out(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    right = charge._last_number
    patch.setattr(charge, "_last_number", lambda s, loan: right(s, loan) or 1)


def every_kind_and_township_at_one_price(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(reserve, "price_per_day", lambda *_: 30)


def paid_to_one_township_wherever_the_aid_belongs(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    right = charge.township_accounts

    def wrong(session: Any, codes: list[str], kind: Any) -> dict[str, int]:
        return dict.fromkeys(codes, right(session, [XIWU], kind)[XIWU])

    patch.setattr(charge, "township_accounts", wrong)


def overdue_days_owed_though_there_are_minutes(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise Conflict("hold_ended", "没有冻结")

    patch.setattr(charge, "charge_minutes", refuse)


def nothing_given_back_on_return(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(bring_back, "release_days", lambda *_, **__: 0)


def nothing_given_back_when_a_reservation_ends(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(lend, "release_days", lambda *_, **__: 0)


def the_last_days_forgotten_on_return(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(bring_back, "charge_begun_days", lambda *_, **__: None)


def the_last_days_forgotten_and_the_database_blind(patch: pytest.MonkeyPatch, bank: Database) -> None:
    the_last_days_forgotten_on_return(patch, bank)
    _blind(bank, "ALTER TABLE aid_loan DISABLE TRIGGER aid_loan_guarded")


def an_aid_lent_twice(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(reserve, "active_loan_of", lambda *_: None)


def an_aid_lent_twice_and_the_database_blind(patch: pytest.MonkeyPatch, bank: Database) -> None:
    an_aid_lent_twice(patch, bank)
    _blind(bank, "DROP INDEX uq_aid_loan_item_active")


def a_broken_aid_reserved(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(reserve, "must_be_usable", lambda _: None)


def days_added_to_an_overdue_loan(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(lend, "overdue_days", lambda *_: 0)


def reminders_sent_again(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    patch.setattr(remind, "_sent", lambda *_: set())


def savings_spent_before_grants(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    def wrong(session: Any, **how: Any) -> list[tuple[int, int]]:
        return choose_sources(session, **how)[::-1]

    patch.setattr(reserve, "choose_sources", wrong)


def _blind(bank: Database, statement: str) -> None:
    with bank.unit_of_work() as session:
        session.execute(text(statement))


BUGS: tuple[Sow, ...] = (
    a_day_charged_twice,
    a_day_left_out,
    every_kind_and_township_at_one_price,
    paid_to_one_township_wherever_the_aid_belongs,
    overdue_days_owed_though_there_are_minutes,
    nothing_given_back_on_return,
    nothing_given_back_when_a_reservation_ends,
    the_last_days_forgotten_on_return,
    the_last_days_forgotten_and_the_database_blind,
    an_aid_lent_twice,
    an_aid_lent_twice_and_the_database_blind,
    a_broken_aid_reserved,
    days_added_to_an_overdue_loan,
    reminders_sent_again,
    savings_spent_before_grants,
)
