"""What the rush's benchmark asks of the database afterwards finds whatever is oversold, uncounted or left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from scripts.bench.rush_books import must_be_sound
from scripts.bench.rush_scene import SHORT_BY, Wish, open_district
from scripts.bench.rush_web import Reply
from timebank.canteens.orders.actions import OrderWanted, place_orders
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.replies import claim_key, keep_reply
from timebank.people.queries import actor_of

BROKEN = (
    ("meals beyond", "UPDATE canteen_hours SET capacity_meals = 1"),
    ("meals beyond", "UPDATE meal_service SET ordered_meals = ordered_meals - 1"),
    ("meals beyond", "UPDATE meal_service SET last_pickup_number = last_pickup_number + 1"),
    ("dishes beyond", "UPDATE menu_item SET portions_limit = 1 WHERE portions_ordered = 2"),
    ("dishes beyond", "UPDATE menu_item SET portions_ordered = portions_ordered + 1 WHERE portions_limit IS NULL"),
    ("purses that", "UPDATE ledger_account SET held = held + 1 WHERE kind = 'purse'"),
    ("gifts held", "UPDATE ledger_account SET held = held + 1 WHERE kind = 'donated' AND posted > 0"),
    ("gifts held", "UPDATE ledger_account SET held = held + 1 WHERE kind = 'produce' AND posted > 0"),
    ("holds of no order", "UPDATE ledger_hold SET cause_id = id"),
    ("limits that", "UPDATE subsidy_use SET used_fen = used_fen - 1"),
    ("left a trace", "UPDATE kept_reply SET refused = false"),
    ("left a trace", "UPDATE kept_reply SET login_id = (SELECT login_id FROM kept_reply WHERE status = 201 LIMIT 1)"),
)
"""What is named, and what breaks it."""

TABLES = sorted({statement.split()[1] for _, statement in BROKEN})


@pytest.fixture
def rushed(bank: Database, database_url: str) -> tuple[Database, date, list[Reply]]:
    """Two canteens at which two of six can be served, and what their twelve diners were answered."""
    rush = open_district(database_url, canteens=2, diners=12)
    replies = [_order(bank, rush.day, wish) for wish in rush.lunches]
    codes = [reply.said for reply in replies if reply.status != 201]
    assert sorted(codes) == ["capacity_reached"] * SHORT_BY + ["sold_out"] * SHORT_BY
    return bank, rush.day, replies


def _order(bank: Database, day: date, wish: Wish) -> Reply:
    asked, key = json.loads(wish.body), str(wish.login_id)
    items = tuple((UUID(item["menu_item_id"]), item["quantity"]) for item in asked["items"])
    wanted = OrderWanted(wish.diner_id, UUID(asked["canteen_id"]), day, asked["meal"], asked["way"], items)
    with bank.unit_of_work() as session:
        actor = actor_of(session, wish.login_id)
        assert actor is not None
        claim_key(session, login_id=wish.login_id, key=key, operation="orders.place", request_hash=b"")
        [answer] = place_orders(session, actor=actor, wanted=[wanted])
        refused = isinstance(answer, BankError)
        body = {"code": answer.code} if isinstance(answer, BankError) else {"order_id": str(answer.id)}
        status = 409 if refused else 201
        keep_reply(session, login_id=wish.login_id, key=key, status=status, body=body, refused=refused)
    return Reply(key, status, json.dumps(body).encode(), 0.0, 1.0)


@contextmanager
def tampering(bank: Database) -> Iterator[Session]:
    """A session in which nothing guards the rows, and which leaves nothing behind."""
    with bank.session() as session:
        for table in TABLES:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text("ALTER TABLE menu_item DROP CONSTRAINT ck_menu_item_never_oversold"))
        yield session
        session.rollback()


def test_books_after_a_rush_are_sound_and_whatever_is_broken_is_named(
    rushed: tuple[Database, date, list[Reply]],
) -> None:
    bank, day, replies = rushed
    with bank.session() as session:
        must_be_sound(session, day=day, replies=replies)
        with pytest.raises(RuntimeError, match="not those that were accepted"):
            must_be_sound(session, day=day, replies=[reply for reply in replies if reply.status != 201])
    for named, broken in BROKEN:
        with tampering(bank) as session:
            assert session.execute(text(broken)).rowcount, named  # type: ignore[attr-defined]
            with pytest.raises(RuntimeError, match=named):
                must_be_sound(session, day=day, replies=replies)
