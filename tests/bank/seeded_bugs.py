"""Bugs put into the ledger on purpose, each on a database of its own, to see that the checks catch them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.bank.ledger_guards import clause, take_away
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger import rules
from timebank.ledger.actions import seal
from timebank.ledger.rules import AccountState, Batch, Leg, Movement, Posting, Result
from timebank.ledger.sealing import SEALED_FIELDS, canonical

posting = import_module("timebank.ledger.actions.post")
"""The module; the package has a function of that name."""

Sow = Callable[[pytest.MonkeyPatch, Database], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, how to bring it about, and which of the test's checks is to see it, by name."""

    name: str
    sow: Sow
    seen_by: str


def lock_dropped(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """Accounts are read and not locked."""
    statement = posting._LOCK_AND_READ
    unlocked = statement.text.replace("FOR NO KEY UPDATE OF a", "")
    assert unlocked != statement.text
    patch.setattr(posting, "_LOCK_AND_READ", text(unlocked).bindparams(*statement._bindparams.values()))


def lock_dropped_and_database_blind(patch: pytest.MonkeyPatch, bank: Database) -> None:
    """Neither the code nor the database minds what others have written meanwhile."""
    lock_dropped(patch, bank)
    with bank.unit_of_work() as session:
        take_away(
            session,
            clause("ledger_apply_transfers", "c.version <> c.next_version OR c.balance <> c.next_balance OR "),
            clause("ledger_apply_transfers", "AND a.version = n.version_before"),
            "ALTER TABLE ledger_transfer DROP CONSTRAINT uq_ledger_transfer_from_account_id_from_version",
            "ALTER TABLE ledger_transfer DROP CONSTRAINT uq_ledger_transfer_to_account_id_to_version",
        )


def ids_not_looked_up(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """Nobody asks whether an id stands already."""
    patch.setattr(posting, "standing_transfers", lambda _session, _ids: {})


def ids_not_looked_up_and_not_unique(patch: pytest.MonkeyPatch, bank: Database) -> None:
    """Nor does the database mind the same id twice."""
    ids_not_looked_up(patch, bank)
    with bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE ledger_transfer DROP CONSTRAINT pk_ledger_transfer CASCADE"))


def floor_off_by_one(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """One more may be spent than is available."""
    patch.setattr(AccountState, "available", property(lambda state: state.posted - state.held + 1))


def ceiling_off_by_one(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The last one available cannot be spent: the other way to be off by one, which no database can see."""
    patch.setattr(AccountState, "available", property(lambda state: state.posted - state.held - 1))


def leg_swapped(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """A leg within a book runs the wrong way round."""
    _swap(patch, linked=False)


def linked_leg_swapped(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The legs of a movement between books run the wrong way round."""
    _swap(patch, linked=True)


def _swap(patch: pytest.MonkeyPatch, *, linked: bool) -> None:
    right = Batch._leg

    def wrong(
        batch: Batch, movement: Movement, leg_id: UUID, source: AccountState, target: AccountState, **link: Any
    ) -> Leg:
        if bool(link) is linked:
            source, target = target, source
        return right(batch, movement, leg_id, source, target, **link)

    patch.setattr(Batch, "_leg", wrong)


def held_added(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """What is held counts twice instead of not at all."""
    patch.setattr(AccountState, "available", property(lambda state: state.posted + state.held))


def replay_posts_again(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """What stands already is posted once more, under another id."""
    right = Batch.decide

    def wrong(batch: Batch, asked: Posting) -> Result:
        if asked and all(movement.id in batch._standing for movement in asked):
            asked = tuple(replace(movement, id=new_id()) for movement in asked)
        return right(batch, asked)

    patch.setattr(Batch, "decide", wrong)


def refusal_leaves_traces(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """Half of a refused posting stays in the states that its neighbours are decided on."""
    right = Batch._leg

    def wrong(batch: Batch, *args: Any, **more: Any) -> Leg:
        leg = right(batch, *args, **more)
        batch._before.clear()
        return leg

    patch.setattr(Batch, "_leg", wrong)


def capture_keeps_the_rest(_patch: pytest.MonkeyPatch, bank: Database) -> None:
    """A capture gives back only what it took."""
    with bank.unit_of_work() as session:
        take_away(
            session,
            clause("ledger_apply_hold", "held - OLD.amount", "held - coalesce(NEW.captured_amount, OLD.amount)"),
        )


def reversal_the_same_way(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """Each leg of a reversal names the wrong leg of what it reverses."""
    patch.setattr(rules, "_reversed_leg", lambda movement, _leg_id, **_linked: movement.reverses_id)


def seal_skips_a_field(patch: pytest.MonkeyPatch, _bank: Database) -> None:
    """The note of a transfer is not sealed."""
    place = SEALED_FIELDS.index("note")

    def without_note(values: Sequence[Any]) -> bytes:
        return canonical([*values[:place], *values[place + 1 :]])

    patch.setattr(seal, "canonical", without_note)


BUGS = [
    Bug("a row lock dropped", lock_dropped, "crowd"),
    Bug("a row lock dropped, and the database blind", lock_dropped_and_database_blind, "crowd"),
    Bug("ids not looked up", ids_not_looked_up, "machine"),
    Bug("ids neither looked up nor unique", ids_not_looked_up_and_not_unique, "machine"),
    Bug("a floor one too low", floor_off_by_one, "machine"),
    Bug("a floor one too high", ceiling_off_by_one, "machine"),
    Bug("a leg swapped", leg_swapped, "machine"),
    Bug("linked legs swapped", linked_leg_swapped, "machine"),
    Bug("held added instead of subtracted", held_added, "machine"),
    Bug("a replay that posts again", replay_posts_again, "machine"),
    Bug("a refused posting that leaves traces", refusal_leaves_traces, "machine"),
    Bug("a capture that forgets to release the rest", capture_keeps_the_rest, "machine"),
    Bug("a reversal that names the wrong legs", reversal_the_same_way, "machine"),
    Bug("a seal that skips a field", seal_skips_a_field, "seals"),
]
