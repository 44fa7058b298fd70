"""A reversal mirrors one transfer, once, with a reason and a second person: the database refuses any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from tests.bank.ledger_books import Scene, move
from tests.bank.ledger_guards import (
    Guard,
    Row,
    clause,
    constraint,
    insert,
    leg,
    pair,
)
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one

ASKER, APPROVER = new_id(), new_id()
SIGNED = {"recorded_by": ASKER, "approved_by": APPROVER}
NO_MIRROR = "does not mirror what it reverses"


def cut(found: str, instead: str = "") -> str:
    return clause("ledger_apply_transfers", found, instead)


def check(name: str) -> tuple[str]:
    return (constraint("ledger_transfer", f"ck_ledger_transfer_{name}"),)


def gift(session: Session, scene: Scene) -> Any:
    given = move(scene.here.mei, scene.here.lin, 6)
    post_one(session, (given,))
    return given.id


def back(session: Session, scene: Scene, amount: int = 6, **fields: Any) -> Row:
    """The reversal of a fresh gift of 6 from Mei to Lin."""
    given = gift(session, scene)
    row = leg(session, scene.here.lin, scene.here.mei, amount, reverses_id=given, **SIGNED)
    return row | fields


def reversing(promise: str, named: str, taken_away: tuple[str, ...], amount: int = 6, **fields: Any) -> Guard:
    return Guard(promise, lambda s, scene: insert(s, [back(s, scene, amount, **fields)]), named, taken_away)


def to_somebody_else(session: Session, scene: Scene) -> None:
    given = gift(session, scene)
    insert(session, [leg(session, scene.here.lin, scene.here.shared, 6, reverses_id=given, **SIGNED)])


def reversed_twice(session: Session, scene: Scene) -> None:
    row = back(session, scene)
    insert(session, [row])
    insert(session, [leg(session, scene.here.lin, scene.here.mei, 6, reverses_id=row["reverses_id"], **SIGNED)])


def reversal_reversed(session: Session, scene: Scene) -> None:
    row = back(session, scene)
    insert(session, [row])
    insert(session, [leg(session, scene.here.mei, scene.here.lin, 6, reverses_id=row["id"], **SIGNED)])


def crossing(session: Session, scene: Scene, change: Callable[[list[Row], list[Row]], list[Row]]) -> None:
    """Two gifts from Mei here to Mei there, then the legs that would carry one back, changed."""
    gifts = [pair(session, scene, 5) for _ in range(1)]
    insert(session, gifts[0])
    gifts.append(pair(session, scene, 5))
    insert(session, gifts[1])
    first = new_id()
    out = leg(session, scene.there.mei, scene.there.clearing, 5, id=first, link_id=first, **SIGNED)
    into = leg(session, scene.here.clearing, scene.here.mei, 5, link_id=first, **SIGNED)
    out |= {"counterpart_book_code": scene.here.book, "reverses_id": gifts[0][1]["id"]}
    into |= {"counterpart_book_code": scene.there.book, "reverses_id": gifts[0][0]["id"]}
    insert(session, change([out, into], gifts[1]))


UNSIGNED = {"reverses_id": None, "approved_by": None}
GUARDS = [
    reversing("a reversal of another amount", NO_MIRROR, (cut("OR r.amount <> t.amount"),), amount=5),
    Guard(
        "a reversal to somebody else",
        to_somebody_else,
        NO_MIRROR,
        (cut("r.from_account_id <> t.to_account_id OR r.to_account_id <> t.from_account_id", "false"),),
    ),
    Guard("a reversal of a reversal", reversal_reversed, NO_MIRROR, (cut("OR r.reverses_id IS NOT NULL"),)),
    Guard(
        "a second reversal of one transfer",
        reversed_twice,
        "uq_ledger_transfer_reverses",
        ("DROP INDEX uq_ledger_transfer_reverses",),
    ),
    Guard(
        "a reversal of one leg alone",
        lambda s, scene: crossing(s, scene, lambda legs, _: [legs[0], legs[1] | UNSIGNED]),
        "do not pair",
        (cut(", t.approved_by))", "))"), cut("AND NOT EXISTS (", "AND NOT true AND NOT EXISTS (")),
    ),
    Guard(
        "legs that reverse the legs of two different movements",
        lambda s, scene: crossing(s, scene, lambda legs, other: [legs[0], legs[1] | {"reverses_id": other[0]["id"]}]),
        NO_MIRROR,
        (cut("AND NOT EXISTS (", "AND NOT true AND NOT EXISTS ("),),
    ),
    reversing(
        "a reversal of what never was",
        "fk_ledger_transfer_reverses_id",
        (constraint("ledger_transfer", "fk_ledger_transfer_reverses_id"),),
        reverses_id=new_id(),
    ),
    reversing("a reversal that nobody approved", "reversal_approved", check("reversal_approved"), approved_by=None),
    reversing("an approval of what is no reversal", "reversal_approved", check("reversal_approved"), reverses_id=None),
    reversing("a reversal approved by who asked for it", "second_person", check("second_person"), approved_by=ASKER),
    reversing("a reversal that nobody asked for", "second_person", check("second_person"), recorded_by=None),
    reversing("a reversal without a reason", "reversal_reasoned", check("reversal_reasoned"), note=""),
]
