"""Purses and counters for tests: money put in over the counter, meals handed over."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.orders import Kitchen, at_hour
from timebank.canteens.counter.actions import mark_missed, orders_missed, serve_orders
from timebank.canteens.network.models import Canteen
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.purses.actions import top_up
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.models import Account, Transfer

MOST_AT_ONCE = 20_000
"""Fen that one top-up may bring, by policy."""


def topped_up(session: Session, person: Actor, canteen: Canteen | None, fen: int) -> None:
    """Money put into a purse over a counter, in as many goes as the policy asks for."""
    clerk = canteen_clerk(canteen or open_canteen(session))
    while fen > 0:
        once = min(fen, MOST_AT_ONCE)
        top_up(session, actor=clerk, person_id=person.person(), amount_fen=once)
        fen -= once


def served(session: Session, kitchen: Kitchen, *orders: MealOrder) -> list[MealOrder]:
    """Orders handed over at noon of the kitchen's day; the clock stays there."""
    clock.freeze(at_hour(12))
    answers = serve_orders(session, actor=kitchen.clerk, order_ids=[order.id for order in orders])
    assert not [answer for answer in answers if isinstance(answer, BankError)], answers
    return [answer for answer in answers if isinstance(answer, MealOrder)]


def balance(session: Session, kind: str, organisation_id: UUID | None = None) -> int:
    """What came into an account without a floor, less what went out, from the transfers themselves."""
    query = select(Account.id).where(Account.kind == kind, Account.unit == "fen", Account.book_code == "house")
    account_id = session.scalars(
        query.where(Account.organisation_id.is_not_distinct_from(organisation_id))
    ).one_or_none()
    moved = select(Transfer).where((Transfer.to_account_id == account_id) | (Transfer.from_account_id == account_id))
    return sum(t.amount if t.to_account_id == account_id else -t.amount for t in session.scalars(moved))


def moved_for(session: Session, order: MealOrder) -> dict[str, int]:
    """What an order has moved, in fen by kind."""
    found: dict[str, int] = {}
    for transfer in session.scalars(select(Transfer).where(Transfer.cause_id == order.id)):
        found[transfer.kind] = found.get(transfer.kind, 0) + transfer.amount
    return found


def run_missed(bank: Database) -> int:
    """What the job does in one turn: each order in a unit of work of its own; answers how many were marked."""
    with bank.session() as session:
        due = orders_missed(session, limit=500)
    done = 0
    for order_id in due:
        with bank.unit_of_work() as session:
            done += mark_missed(session, order_id=order_id)
    return done


def lunch_is_over(minutes: int = 60) -> None:
    """So many minutes after the end of that day's lunch."""
    clock.freeze(at_hour(13).replace(minute=30) + timedelta(minutes=minutes))
