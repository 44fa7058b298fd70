"""Who changed, cancelled or set something for a diner is kept; whoever acts for the diner in meals hears of it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.factories.orders import GREENS, LOVE, MORNING, PORK, Kitchen, a_diner, a_kitchen, make_proxy, placed
from tests.factories.people import XIWU, add_person, district
from timebank.audit.models import AuditEntry
from timebank.canteens.orders.actions import (
    OrderChange,
    StandingWanted,
    cancel_order,
    cancel_orders,
    change_order,
    end_standing_order,
    make_standing_orders,
    pause_standing_order,
    set_standing_order,
    standing_orders_due,
)
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.notifications.models import Notice
from timebank.people.models import Person
from timebank.people.rules import ProxyScope


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def noted(session: Session, subject_id: object) -> list[tuple[str, str]]:
    """What was written down about something: the deed, and who did it."""
    query = select(AuditEntry.action, AuditEntry.actor_name).where(AuditEntry.subject_id == str(subject_id))
    return [(action, name) for action, name in session.execute(query.order_by(AuditEntry.id))]


def every_lunch(kitchen: Kitchen, diner: Actor) -> StandingWanted:
    return StandingWanted(
        *(kitchen.canteen.id, Meal.LUNCH, range(1, 8), Way.EAT_IN, "love_meal"),
        use_vouchers=False,
        starts_on=kitchen.day,
        for_person_id=diner.person(),
    )


@pytest.mark.parametrize("by", ["steward", "clerk", "diner"])
def test_a_change_keeps_who_made_it_and_when_and_of_staff_it_is_noted_down(bank: Database, by: str) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        assert (order.revised_at, order.revised_by, order.revised_by_name) == (None, None, None)
    actor = {"steward": district(), "clerk": kitchen.clerk, "diner": diner}[by]
    clock.freeze(MORNING.replace(minute=20))
    change = OrderChange(Way.EAT_IN, ((kitchen.dish(GREENS), 1),))
    with bank.unit_of_work() as session:
        order = change_order(session, actor=actor, order_id=order.id, change=change)
        named = actor.name if by == "diner" else f"{actor.name}（代{diner.name}）"
        assert (order.revised_at, order.revised_by, order.revised_by_name) == (clock.now(), actor.login_id, named)
        assert noted(session, order.id) == ([] if by == "diner" else [("meal_changed", actor.name)])


def test_what_staff_do_with_a_standing_order_is_noted_down(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        of_staff = set_standing_order(session, actor=district(), wanted=every_lunch(kitchen, diner))
        days = {"paused_from": kitchen.day, "paused_until": kitchen.day}
        pause_standing_order(session, actor=kitchen.clerk, standing_order_id=of_staff.id, **days)
        end_standing_order(session, actor=kitchen.clerk, standing_order_id=of_staff.id)
        own = set_standing_order(session, actor=diner, wanted=every_lunch(kitchen, diner))
        end_standing_order(session, actor=diner, standing_order_id=own.id)
        assert noted(session, own.id) == []
        assert noted(session, of_staff.id) == [
            ("standing_order_set", district().name),
            ("standing_order_paused", kitchen.clerk.name),
            ("standing_order_ended", kitchen.clerk.name),
        ]


@pytest.mark.parametrize("scope", [ProxyScope.MEALS, *(s for s in ProxyScope if s is not ProxyScope.MEALS)][:2])
def test_meals_are_told_to_those_who_act_for_the_diner_in_meals_only(bank: Database, scope: ProxyScope) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner, poor = a_kitchen(session), a_diner(session), a_diner(session, fen=0)
        proxy = add_person(session, XIWU, age=45, name="周小敏")
        for elder in (diner, poor):
            make_proxy(session, elder, proxy, scopes=[scope])
        order = placed(session, kitchen, diner)
        cancel_order(session, actor=kitchen.clerk, order_id=order.id, reason="停电")
        set_standing_order(session, actor=poor, wanted=every_lunch(kitchen, poor))
        clock.freeze(MORNING.replace(minute=30))
        for due in standing_orders_due(session, limit=1):
            make_standing_orders(session, due=due)
        titles = session.scalars(select(Notice.title).where(Notice.person_id == proxy.person())).all()
    heard = {title for title in titles if "订餐" in title}
    assert heard == ({"订餐已取消", "长期订餐没有订成"} if scope is ProxyScope.MEALS else set())


def statements_of_cancelling(bank: Database, actor: Actor, orders: Sequence[MealOrder]) -> int:
    statements: list[str] = []

    def listen(*args: object) -> None:
        statements.append(str(args[2]))

    event.listen(bank.engine, "before_cursor_execute", listen)
    try:
        with bank.unit_of_work() as session:
            answers = cancel_orders(session, actor=actor, order_ids=[o.id for o in orders], reason="停电")
    finally:
        event.remove(bank.engine, "before_cursor_execute", listen)
    assert all(isinstance(answer, MealOrder) for answer in answers)
    return len(statements)


@pytest.mark.parametrize("by", ["steward", "clerk"])
def test_many_orders_are_cancelled_in_as_many_statements_as_one(bank: Database, by: str) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        diners = [a_diner(session) for _ in range(15)]
        proxy = add_person(session, XIWU, age=45)
        for diner in diners:
            make_proxy(session, diner, proxy, scopes=[ProxyScope.MEALS])
        orders = [placed(session, kitchen, diner, LOVE) for diner in diners]
    actor = district() if by == "steward" else kitchen.clerk
    counted = [statements_of_cancelling(bank, actor, some) for some in (orders[:1], orders[1:2], orders[2:])]
    assert counted[1] == counted[2]
    with bank.session() as session:
        told = session.scalars(select(Notice.person_id).where(Notice.title == "订餐已取消")).all()
        assert sorted(told) == sorted([proxy.person()] * 15 + [diner.person() for diner in diners])
        cancelled = session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "meal_cancelled")).all()
        assert sorted(cancelled) == (sorted(str(o.id) for o in orders) if by == "steward" else [])


def test_whoever_has_left_hears_nothing_of_a_meal_and_nor_does_a_guest(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, gone = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, gone)
        session.get_one(Person, gone.person()).left_at = clock.now()
        answers = cancel_orders(session, actor=kitchen.clerk, order_ids=[order.id, new_id()], reason="停电")
        assert [getattr(a, "code", "ok") for a in answers] == ["ok", "order_unknown"]
        assert session.scalars(select(Notice).where(Notice.title == "订餐已取消")).all() == []
        session.rollback()
