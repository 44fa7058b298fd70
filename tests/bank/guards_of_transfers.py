"""A transfer that does not fit is refused by the database itself, whoever writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from tests.bank.ledger_books import Scene, move
from tests.bank.ledger_guards import (
    Attempt,
    Guard,
    Row,
    clause,
    closed_account,
    constraint,
    insert,
    leg,
    pair,
)
from tests.factories.people import XIWU
from timebank.core.amounts import MAX_AMOUNT, Unit
from timebank.core.ids import new_id
from timebank.ledger.actions import place_hold, post_one, township_accounts
from timebank.ledger.rules import HOUSE, SETTLING_KINDS, AccountKind

Rows = Callable[[Session, Scene], Sequence[Row]]

CAUSE = new_id()
FIT = "does not fit its accounts"
CLOSED_ARE_PASSED_THROUGH = (
    "OR (f.closed_at IS NOT NULL OR a.closed_at IS NOT NULL) AND t.reverses_id IS NULL AND t.kind <> 'savings_moved'"
)
PAIR = "do not pair"
FOLLOW = "does not follow its account's last version"


def rows(build: Rows) -> Attempt:
    return lambda session, scene: insert(session, build(session, scene))


def one(source: str, target: str, amount: int = 5, **fields: Any) -> Attempt:
    """One row between two accounts here."""
    return rows(lambda s, scene: [leg(s, getattr(scene.here, source), getattr(scene.here, target), amount, **fields)])


def cut(found: str, instead: str = "") -> str:
    return clause("ledger_apply_transfers", found, instead)


def check(name: str) -> str:
    return constraint("ledger_transfer", f"ck_ledger_transfer_{name}")


def account_check(name: str) -> str:
    return constraint("ledger_account", f"ck_ledger_account_{name}")


def checked(promise: str, attempt: Attempt, name: str) -> Guard:
    return Guard(promise, attempt, f"ck_ledger_transfer_{name}", (check(name),))


def with_pair(change: Callable[[list[Row], Session, Scene], Sequence[Row]]) -> Attempt:
    return rows(lambda session, scene: change(pair(session, scene, 5), session, scene))


def second_leg_with(**fields: Any) -> Attempt:
    return with_pair(lambda legs, *_: [legs[0], legs[1] | fields])


def money_account(session: Session, scene: Scene) -> int:
    return township_accounts(session, [scene.here.book], AccountKind.CASH, Unit.FEN)[scene.here.book]


def by_hand(session: Session, kind: AccountKind, *, out: bool = True) -> Row:
    """Five minutes given out of, or into, what a book has settled or the house nets."""
    book = HOUSE if kind is AccountKind.NETTING else XIWU
    own, source = (township_accounts(session, [book], each)[book] for each in (kind, AccountKind.ISSUANCE))
    return leg(session, own, source, 5) if out else leg(session, source, own, 5)


def earlier(session: Session, scene: Scene, **fields: Any) -> Row:
    return leg(session, scene.here.mei, scene.here.lin, 5, **fields)


def running_back(session: Session, scene: Scene) -> list[Row]:
    """Two rows in one statement, of which the second one is recorded before the first."""
    first = leg(session, scene.here.source, scene.here.mei, 5)
    second = leg(session, scene.here.source, scene.here.mei, 5)
    first["recorded_at"] = first["recorded_at"] + timedelta(seconds=1)
    return [first, second | {"to_version": first["to_version"] + 1, "to_balance": first["to_balance"] + 5}]


def held_too_much(session: Session, scene: Scene) -> list[Row]:
    until = {"expires_at": scene_time(session, scene), "cause_kind": "care", "cause_id": new_id()}
    place_hold(session, hold_id=new_id(), account_id=scene.here.mei, amount=60, **until)
    return [leg(session, scene.here.mei, scene.here.lin, 41)]


def scene_time(session: Session, scene: Scene) -> Any:
    return leg(session, scene.here.mei, scene.here.lin, 1)["recorded_at"]


def used_id(session: Session, scene: Scene) -> list[Row]:
    used = move(scene.here.source, scene.here.mei, 5)
    post_one(session, (used,))
    return [leg(session, scene.here.source, scene.here.lin, 5, id=used.id)]


NOT_STALE = cut("AND a.version = n.version_before")
UNPAIRED = cut("WHERE t.link_id IS NOT NULL\n        GROUP BY", "WHERE false\n        GROUP BY")
ACCOUNTS = [
    Guard(
        "a transfer to an account that does not exist",
        rows(lambda s, scene: [leg(s, scene.here.source, 10**12, 5)]),
        FIT,
        (cut("f.id IS NULL OR a.id IS NULL\n       OR"),),
    ),
    Guard(
        "a transfer from one book into another without legs",
        rows(lambda s, scene: [leg(s, scene.here.mei, scene.there.mei, 5)]),
        FIT,
        (cut("OR f.book_code <> t.book_code OR a.book_code <> t.book_code"),),
    ),
    Guard(
        "a transfer noted in another book than its accounts'",
        one("mei", "lin", book_code="house"),
        FIT,
        (cut("OR f.book_code <> t.book_code OR a.book_code <> t.book_code"),),
    ),
    Guard(
        "a transfer of minutes into an account of fen",
        rows(lambda s, scene: [leg(s, scene.here.mei, money_account(s, scene), 5)]),
        FIT,
        (cut("OR f.unit <> t.unit OR a.unit <> t.unit"),),
    ),
    Guard(
        "a transfer into a closed account",
        rows(lambda s, scene: [leg(s, scene.here.mei, closed_account(s, scene), 5)]),
        FIT,
        (
            cut(CLOSED_ARE_PASSED_THROUGH),
            account_check("closed_empty"),
        ),
    ),
    Guard(
        "savings moved into a closed account and left there",
        rows(lambda s, scene: [leg(s, scene.here.mei, closed_account(s, scene), 5, kind="savings_moved")]),
        "ck_ledger_account_closed_empty",
        (account_check("closed_empty"),),
    ),
    Guard(
        "a floored account moved without a version",
        one("mei", "lin", from_version=None, from_balance=None),
        FIT,
        (cut("OR f.floored <> (t.from_version IS NOT NULL) OR a.floored <> (t.to_version IS NOT NULL)"),),
    ),
    Guard(
        "an account without a floor given a version",
        one("lin", "source", to_version=1, to_balance=5),
        FIT,
        (
            cut("OR f.floored <> (t.from_version IS NOT NULL) OR a.floored <> (t.to_version IS NOT NULL)"),
            account_check("no_balance_without_floor"),
        ),
    ),
    Guard(
        "a clearing account written by hand",
        one("mei", "clearing"),
        FIT,
        (cut("OR (t.link_id IS NOT NULL) <> ((f.kind = 'clearing') <> (a.kind = 'clearing'))"),),
    ),
    Guard(
        "a link on a transfer that touches no clearing account",
        one("mei", "lin", link_id=new_id(), counterpart_book_code="house"),
        FIT,
        (cut("OR (t.link_id IS NOT NULL) <> ((f.kind = 'clearing') <> (a.kind = 'clearing'))"), UNPAIRED),
    ),
]
SETTLING = cut(
    "OR (f.kind IN ('settled', 'netting') OR a.kind IN ('settled', 'netting'))\n"
    "          <> (t.kind IN ('settlement', 'settlement_undone', 'carried_meal', 'carried_care', 'carried_aid'))"
)
SETTLEMENTS = [
    *(
        Guard(f"a gift out of a book's {kind} account", rows(lambda s, _, k=kind: [by_hand(s, k)]), FIT, (SETTLING,))
        for kind in (AccountKind.SETTLED, AccountKind.NETTING)
    ),
    *(
        Guard(
            f"a gift into a book's {kind} account",
            rows(lambda s, _, k=kind: [by_hand(s, k, out=False)]),
            *(FIT, (SETTLING,)),
        )
        for kind in (AccountKind.SETTLED, AccountKind.NETTING)
    ),
    *(
        Guard(f"a {kind} between two people", one("mei", "lin", kind=kind), FIT, (SETTLING,))
        for kind in sorted(SETTLING_KINDS)
    ),
    Guard(
        "a settlement between two people of two books",
        with_pair(lambda legs, *_: [row | {"kind": "settlement"} for row in legs]),
        *(FIT, (SETTLING,)),
    ),
]
LINKED = [
    Guard("one leg alone", with_pair(lambda legs, *_: legs[:1]), PAIR, (UNPAIRED,)),
    Guard("the other leg alone", with_pair(lambda legs, *_: legs[1:]), PAIR, (UNPAIRED,)),
    Guard(
        "legs of different amounts",
        with_pair(lambda legs, *_: [legs[0], legs[1] | {"amount": 6, "to_balance": legs[1]["to_balance"] + 1}]),
        PAIR,
        (cut("OR l.shapes <> 1"),),
    ),
    *(
        Guard(f"legs that differ in {name}", second_leg_with(**{name: value}), PAIR, (cut("OR l.shapes <> 1"),))
        for name, value in (("kind", "other"), ("recorded_by", new_id()), ("cause_id", new_id()))
    ),
    Guard(
        "a leg that names a third book as its counterpart",
        second_leg_with(counterpart_book_code="house"),
        PAIR,
        (cut("OR l.own <> l.other"),),
    ),
    Guard(
        "two legs that both go into clearing",
        with_pair(
            lambda legs, s, scene: [
                legs[0],
                leg(s, scene.there.mei, scene.there.clearing, 5)
                | {name: legs[1][name] for name in ("link_id", "counterpart_book_code")},
            ]
        ),
        PAIR,
        (cut("OR l.out_of_clearing <> 1"),),
    ),
    Guard(
        "legs linked under an id that is neither's",
        with_pair(
            lambda legs, *_: [row | {"link_id": row["cause_id"]} for row in (x | {"cause_id": CAUSE} for x in legs)]
        ),
        PAIR,
        (cut("OR l.into_clearing <> 1"),),
    ),
]
SEQUENCE = [
    Guard(
        "a version left out",
        rows(
            lambda s, scene: [
                row | {"to_version": row["to_version"] + 1} for row in [leg(s, scene.here.source, scene.here.mei, 5)]
            ]
        ),
        FOLLOW,
        (cut("c.version <> c.next_version OR "), NOT_STALE),
    ),
    Guard(
        "a version written over a newer one",
        rows(lambda s, scene: [leg(s, scene.here.source, scene.here.mei, 5, to_version=0)]),
        FOLLOW,
        (cut("c.version <> c.next_version OR "), NOT_STALE),
    ),
    Guard(
        "a version that is there already",
        rows(lambda s, scene: [leg(s, scene.here.source, scene.here.mei, 5, to_version=1)]),
        "uq_ledger_transfer_to_account_id_to_version",
        (
            constraint("ledger_transfer", "uq_ledger_transfer_to_account_id_to_version"),
            *(cut("c.version <> c.next_version OR "), NOT_STALE),
        ),
    ),
    Guard(
        "a balance that does not follow",
        one("source", "mei", to_balance=1_000_000),
        FOLLOW,
        (cut("c.balance <> c.next_balance OR "),),
    ),
    Guard(
        "a time before the account's last",
        rows(
            lambda s, scene: [
                leg(s, scene.here.mei, scene.here.lin, 5, recorded_at=scene_time(s, scene) - timedelta(microseconds=1))
            ]
        ),
        FOLLOW,
        (cut("OR c.recorded_at < c.recorded_before"),),
    ),
    Guard(
        "a time that runs back within one statement",
        rows(running_back),
        FOLLOW,
        (cut("OR c.recorded_at < c.recorded_before"),),
    ),
    Guard(
        "more than there is",
        one("mei", "lin", 101),
        "ck_ledger_transfer_balances_floor",
        (check("balances_floor"), account_check("floor")),
    ),
    Guard("more than is not held", rows(held_too_much), "ck_ledger_account_floor", (account_check("floor"),)),
    Guard(
        "an id that is used already",
        rows(used_id),
        "pk_ledger_transfer",
        ("ALTER TABLE ledger_transfer DROP CONSTRAINT pk_ledger_transfer CASCADE",),
    ),
    checked("nothing moved", one("mei", "lin", 0), "amount_range"),
    checked("less than nothing moved", one("mei", "lin", -5), "amount_range"),
    checked("more moved than every program can count", one("source", "mei", MAX_AMOUNT + 1), "amount_range"),
    checked("an account moved to itself", one("source", "source"), "two_accounts"),
    checked("a balance without a version on the side it leaves", one("source", "mei", from_balance=1), "from_whole"),
    checked("a balance without a version on the side it enters", one("mei", "source", to_balance=1), "to_whole"),
    checked("a counterpart without a link", one("mei", "lin", counterpart_book_code="house"), "link_whole"),
]
CLOSED_ARE_PASSED_THROUGH = (
    "OR (f.closed_at IS NOT NULL OR a.closed_at IS NOT NULL) AND t.reverses_id IS NULL AND t.kind <> 'savings_moved'"
)

GUARDS = [*ACCOUNTS, *SETTLEMENTS, *LINKED, *SEQUENCE]
