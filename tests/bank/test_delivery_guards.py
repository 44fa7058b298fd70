"""What the database refuses about kitchens and rounds, by raw SQL; and what ``verify`` finds where it was got round."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.delivery import Street, a_street, on_the_way
from timebank.canteens.delivery.actions import deliver, mark_cooked, plan_rounds
from timebank.canteens.delivery.models import DeliveryRound
from timebank.canteens.delivery.queries.rounds import code_of
from timebank.canteens.pricing.rules import Meal
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.supervision.verify import verify

STOP = """INSERT INTO delivery_stop (round_id, position, order_id, note) VALUES (:round, 9, :order, '')"""
CLOSED = "closed_at = now(), closed_by_name = '某人'"


def refused(session: Session, statement: str, **values: Any) -> str:
    """The constraint or the SQLSTATE that refuses the statement."""
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(statement), values)
    session.rollback()
    diagnosis = raised.value.orig.diag  # type: ignore[union-attr]
    return str(diagnosis.constraint_name or diagnosis.sqlstate)


def one_delivered(bank: Database) -> tuple[Street, DeliveryRound, Actor]:
    """A round on its way with one stop delivered and one open, the meal marked as cooked."""
    street, round_, volunteer = on_the_way(bank, 200, 400)
    with bank.unit_of_work() as session:
        cooked = {"canteen_id": street.kitchen.canteen.id, "served_on": street.kitchen.day, "meal": Meal.LUNCH}
        mark_cooked(session, actor=street.kitchen.clerk, **cooked)
        order = street.orders[0].id
        deliver(session, actor=volunteer, order_id=order, handover_code=code_of(order))
    return street, round_, volunteer


def test_an_order_is_on_one_round_at_a_time(bank: Database) -> None:
    street = a_street(bank, 200, 3000)
    first, second = street.plan(bank)
    with bank.session() as session:
        for order in street.orders:
            values = {"round": second.id, "order": order.id}
            assert refused(session, STOP, **values) == "uq_delivery_stop_order"
    assert first.id != second.id


def test_only_an_order_to_be_delivered_of_the_rounds_own_meal_comes_on_it(bank: Database) -> None:
    street = a_street(bank, 200)
    [round_] = street.plan(bank)
    other = a_street(bank, 200)
    with bank.session() as session:
        assert refused(session, STOP, round=round_.id, order=other.orders[0].id) == "TB001"
    street, away, _ = on_the_way(bank, 300)
    with bank.session() as session:
        # Nothing is put on a round that has left.
        assert refused(session, STOP, round=away.id, order=street.orders[0].id) == "TB001"


@pytest.mark.parametrize(
    "change",
    [
        *(f"DELETE FROM {t}" for t in ("kitchen_batch", "delivery_plan", "delivery_round", "delivery_stop")),
        *(f"TRUNCATE {t} CASCADE" for t in ("kitchen_batch", "delivery_plan", "delivery_round", "delivery_stop")),
        "UPDATE kitchen_batch SET cooked_at = cooked_at - interval '1 hour'",
        "UPDATE delivery_round SET minutes = 90",
        "UPDATE delivery_round SET late = NOT late",
        "UPDATE delivery_round SET departs_at = departs_at + interval '1 hour'",
        "UPDATE delivery_round SET departed_at = departed_at - interval '1 hour'",
        "UPDATE delivery_round SET task_id = NULL, carrier = 'courier', courier_name = '某人', courier_phone = 'x'",
        "UPDATE delivery_round SET state = 'planned', departed_at = NULL, departed_by_name = NULL",
        "UPDATE delivery_round SET state = 'finished', ended_at = now(), ended_by_name = '某人'",
        f"UPDATE delivery_stop SET outcome = 'undelivered', reason = 'late', {CLOSED} WHERE outcome = 'delivered'",
        "UPDATE delivery_stop SET minutes_after_cooking = 1 WHERE outcome = 'delivered'",
        "UPDATE delivery_stop SET planned_minutes = 1 WHERE outcome IS NULL",
        "UPDATE delivery_stop SET position = 7 WHERE outcome IS NULL",
        "UPDATE delivery_stop SET misses = -1 WHERE outcome IS NULL",
        f"UPDATE delivery_stop SET outcome = 'delivered', {CLOSED} WHERE outcome IS NULL",
        f"UPDATE delivery_stop SET outcome = 'undelivered', reason = 'late', {CLOSED} WHERE outcome IS NULL",
        f"UPDATE delivery_stop SET outcome = 'replaced', {CLOSED} WHERE outcome IS NULL",
        f"UPDATE delivery_stop SET outcome = 'elsewhere', {CLOSED} WHERE outcome IS NULL",
    ],
)
def test_what_a_round_is_and_what_became_of_it_is_never_rewritten(bank: Database, change: str) -> None:
    one_delivered(bank)
    with bank.session() as session:
        assert refused(session, change) == "TB001"


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ("UPDATE delivery_stop SET outcome = 'delivered' WHERE outcome IS NULL", "ck_delivery_stop_closed_whole"),
        ("UPDATE delivery_stop SET reason = 'late' WHERE outcome IS NULL", "ck_delivery_stop_reason_fits"),
        ("UPDATE delivery_stop SET evidence = '电话' WHERE outcome IS NULL", "ck_delivery_stop_delivered_only"),
        ("UPDATE delivery_round SET courier_name = '某人'", "ck_delivery_round_courier_fits"),
        ("UPDATE delivery_round SET told_at = now(), ended_by_name = 'x'", "ck_delivery_round_ended_by_somebody"),
    ],
)
def test_half_of_a_fact_is_refused(bank: Database, change: str, by: str) -> None:
    one_delivered(bank)
    with bank.session() as session:
        session.execute(text("ALTER TABLE delivery_round DISABLE TRIGGER USER"))
        session.execute(text("ALTER TABLE delivery_stop DISABLE TRIGGER USER"))
        assert refused(session, change) == by


def test_a_round_without_a_carrier_does_not_leave_and_one_begins_as_a_plan(bank: Database) -> None:
    street = a_street(bank, 200)
    [round_] = street.plan(bank)
    gone = """UPDATE delivery_round
        SET state = 'departed', departed_at = now(), departed_by_name = '某人', carrier = 'courier'"""
    copy = """INSERT INTO delivery_round (id, canteen_id, served_on, meal, number, carrier, state, departs_at, minutes,
        late, unlocated, policy_version, planned_at, planned_by_name, departed_at, departed_by_name,
        courier_name, courier_phone)
    SELECT :id, canteen_id, served_on, meal, 9, 'courier', 'departed', departs_at, minutes, late, unlocated,
        policy_version, planned_at, planned_by_name, now(), '某人', '某人', 'x' FROM delivery_round"""
    with bank.session() as session:
        assert refused(session, gone) == "ck_delivery_round_somebody_carries"
        assert refused(session, copy, id=new_id()) == "TB001"
    assert round_.state == "planned"


def test_a_replaced_round_is_history(bank: Database) -> None:
    street = a_street(bank, 200)
    street.plan(bank)
    street.plan(bank)
    with bank.session() as session:
        old = "UPDATE delivery_round SET told_at = now() WHERE state = 'replaced'"
        assert refused(session, old) == "TB001"
        assert refused(session, "UPDATE delivery_stop SET misses = 3 WHERE outcome = 'replaced'") == "TB001"


@pytest.mark.parametrize(
    ("damage", "found_by"),
    [
        ("UPDATE delivery_stop SET outcome = NULL, closed_at = NULL, closed_by_name = NULL, closed_by = NULL,"
         " minutes_after_cooking = NULL WHERE outcome = 'delivered'", {"stops_as_their_orders"}),
        (f"UPDATE delivery_stop SET outcome = 'undelivered', reason = 'late', {CLOSED} WHERE outcome IS NULL",
         {"stops_as_their_orders"}),
        ("UPDATE delivery_round SET minutes = minutes + 1", {"rounds_are_their_tasks"}),
        ("UPDATE task SET township_code = '330213107'", {"rounds_are_their_tasks"}),
        ("UPDATE task SET service_type = 'canteen_shift'", {"rounds_are_their_tasks"}),
        ("UPDATE delivery_round SET state = 'finished', ended_at = now(), ended_by_name = '某人'",
         {"rounds_end_with_their_stops"}),
        ("DELETE FROM delivery_stop", {"rounds_end_with_their_stops", "stops_as_their_orders"}),
    ],
)  # fmt: skip
def test_rows_that_do_not_agree_are_found(unverified_bank: Database, damage: str, found_by: set[str]) -> None:
    one_delivered(unverified_bank)
    assert found(unverified_bank) == set()
    with unverified_bank.unit_of_work() as session:
        for table in ("delivery_round", "delivery_stop"):
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(damage))
    assert found(unverified_bank) == found_by


def test_a_stop_of_an_order_that_was_served_without_it_is_found(unverified_bank: Database) -> None:
    street = a_street(unverified_bank, 200)
    with unverified_bank.unit_of_work() as session:
        where = {"canteen_id": street.kitchen.canteen.id, "served_on": street.kitchen.day, "meal": Meal.LUNCH}
        plan_rounds(session, actor=street.kitchen.clerk, **where)
        session.execute(text("ALTER TABLE meal_order DISABLE TRIGGER USER"))
        session.execute(text("UPDATE meal_order SET state = 'undelivered', ended_at = now(), ended_by_name = '某人'"))
    assert "stops_as_their_orders" in found(unverified_bank)


def found(bank: Database) -> set[str]:
    with bank.session() as session:
        return {verified.check.name for verified in verify(session) if verified.misfit is not None}
