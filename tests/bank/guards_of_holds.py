"""A hold is placed once and ended once, and sets aside only what is there: the database refuses anything else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, Scene
from tests.bank.ledger_guards import Attempt, Guard, clause, constraint
from timebank.core.ids import new_id
from timebank.ledger.actions import place_hold

ONCE = "ends once and changes nothing else"
PLACED = """INSERT INTO ledger_hold (id, cause_kind, cause_id, placed_at, expires_at,
                                     account_id, amount, state, ended_at)
            VALUES (gen_random_uuid(), 'care', gen_random_uuid(), now(), now(),
                    {account}, {amount}, '{state}', {ended_at})"""
RELEASED = "state = 'released', ended_at = now()"


def placing(amount: str = "40", account: str = "{mei}", state: str = "placed", ended_at: str = "NULL") -> Attempt:
    """A hold written by hand."""

    def attempt(session: Session, scene: Scene) -> None:
        ids = {"mei": scene.here.mei, "source": scene.here.source}
        row = {"account": account.format(**ids), "amount": amount, "state": state, "ended_at": ended_at}
        session.execute(text(PLACED.format(**row)))

    return attempt


def ending(*changes: str) -> Attempt:
    """Changes made by hand, one after another, to a hold of 40 on Mei's account."""

    def attempt(session: Session, scene: Scene) -> None:
        hold_id, until = new_id(), NOON + timedelta(days=9)
        asked: dict[str, Any] = {"expires_at": until, "cause_kind": "care", "cause_id": new_id()}
        place_hold(session, hold_id=hold_id, account_id=scene.here.mei, amount=40, **asked)
        for change in changes:
            statement = f"UPDATE ledger_hold SET {change.format(lin=scene.here.lin)} WHERE id = :id"
            session.execute(text(statement), {"id": hold_id})

    return attempt


def cut(found: str, instead: str) -> tuple[str]:
    return (clause("ledger_apply_hold", found, instead),)


def check(name: str) -> tuple[str]:
    return (constraint("ledger_hold", f"ck_ledger_hold_{name}"),)


NEVER_TWICE = cut("OLD.state <> 'placed' OR NEW.state = 'placed'", "false")
NOT_COMPARED = cut("OR (NEW.id, NEW.account_id", "OR false AND (NEW.id, NEW.account_id")
ACCOUNT_FLOOR = constraint("ledger_account", "ck_ledger_account_floor")
NO_BALANCE = constraint("ledger_account", "ck_ledger_account_no_balance_without_floor")
GUARDS = [
    Guard("a hold of more than there is", placing("101"), "ck_ledger_account_floor", (ACCOUNT_FLOOR,)),
    Guard(
        "a hold on an account without a floor",
        placing(account="{source}"),
        "ck_ledger_account_",
        (ACCOUNT_FLOOR, NO_BALANCE),
    ),
    Guard("a hold of nothing", placing("0"), "ck_ledger_hold_amount_range", check("amount_range")),
    Guard(
        "a hold on no account",
        placing(account="0"),
        "fk_ledger_hold_account_id",
        (constraint("ledger_hold", "fk_ledger_hold_account_id"),),
    ),
    Guard(
        "a hold that begins as ended",
        placing(state="released", ended_at="now()"),
        "a hold begins as placed",
        cut("NEW.state <> 'placed'", "false"),
    ),
    Guard("a hold ended twice", ending(RELEASED, RELEASED), ONCE, (*NEVER_TWICE, ACCOUNT_FLOOR)),
    Guard(
        "a released hold captured",
        ending(RELEASED, "state = 'captured', captured_amount = 5"),
        ONCE,
        (*NEVER_TWICE, ACCOUNT_FLOOR),
    ),
    Guard(
        "a released hold placed again",
        ending(RELEASED, "state = 'placed', ended_at = NULL"),
        ONCE,
        (*NEVER_TWICE, ACCOUNT_FLOOR),
    ),
    Guard("a hold touched without ending it", ending("state = 'placed'"), ONCE, NEVER_TWICE),
    *(
        Guard(f"{change} while ending", ending(f"{RELEASED}, {change}"), ONCE, NOT_COMPARED)
        for change in (
            "amount = 39",
            "account_id = {lin}",
            "cause_kind = 'other'",
            "cause_id = gen_random_uuid()",
            "placed_at = placed_at - interval '1 day'",
            "expires_at = expires_at + interval '1 day'",
        )
    ),
    Guard("an end without its time", ending("state = 'released'"), "ck_ledger_hold_ended_whole", check("ended_whole")),
    Guard(
        "a capture of nobody knows how much",
        ending("state = 'captured', ended_at = now()"),
        "ck_ledger_hold_captured_whole",
        check("captured_whole"),
    ),
    Guard(
        "a capture of more than was held",
        ending("state = 'captured', ended_at = now(), captured_amount = 41"),
        "ck_ledger_hold_captured_range",
        check("captured_range"),
    ),
    Guard(
        "an end that nobody knows",
        ending("state = 'gone', ended_at = now()"),
        "ck_ledger_hold_state_known",
        check("state_known"),
    ),
]
