"""Jobs of the meal programme."""

from __future__ import annotations

from app.jobs.job import BATCH, EVERY_FEW_S, Job
from timebank.canteens.counter import actions as counter
from timebank.canteens.delivery import actions as delivery
from timebank.canteens.orders import actions as orders
from timebank.canteens.ratings import actions as ratings
from timebank.canteens.subsidies import actions as subsidies


def meal_jobs() -> tuple[Job, ...]:
    """All of them."""
    return _order_jobs() + _counter_jobs() + _delivery_jobs() + _subsidy_jobs() + _rating_jobs()


def _subsidy_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "compute_claims",
            "每月结算助餐补贴",
            600,
            lambda s: subsidies.claims_due(s, limit=BATCH),
            lambda s, due: subsidies.compute_due_claim(s, canteen_id=due[0], month=due[1]),
        ),
    )


def _delivery_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "plan_rounds",
            "截止后安排送餐趟次",
            EVERY_FEW_S,
            lambda s: delivery.plans_due(s, limit=BATCH),
            lambda s, service: delivery.plan_due(s, service=service),
        ),
        Job(
            "tell_of_untaken_rounds",
            "送餐无人接单提醒",
            60,
            lambda s: delivery.untaken_rounds(s, limit=BATCH),
            lambda s, round_id: delivery.tell_of_untaken(s, round_id=round_id),
        ),
        Job(
            "end_deliveries",
            "没有送出的餐退回",
            60,
            lambda s: delivery.deliveries_left_over(s, limit=BATCH),
            lambda s, service: delivery.end_deliveries(s, service=service),
        ),
    )


def _order_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "make_standing_orders",
            "长期订餐下单",
            60,
            lambda s: orders.standing_orders_due(s, limit=BATCH),
            lambda s, due: orders.make_standing_orders(s, due=due),
        ),
        Job(
            "stop_meals",
            "停餐日、暂停的助餐点退订",
            EVERY_FEW_S,
            lambda s: orders.meals_stopped(s, limit=BATCH),
            lambda s, slot: orders.stop_meal(s, slot=slot),
        ),
        Job(
            "stop_leavers_meals",
            "退出、身故的用餐人退订",
            60,
            lambda s: orders.orders_of_leavers(s, limit=BATCH),
            lambda s, order_id: orders.stop_order(s, order_id=order_id),
        ),
    )


def _counter_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "mark_missed_orders",
            "供餐结束未取餐",
            60,
            lambda s: counter.orders_missed(s, limit=BATCH),
            lambda s, order_id: counter.mark_missed(s, order_id=order_id),
        ),
    )


def _rating_jobs() -> tuple[Job, ...]:
    return (
        Job(
            "draw_follow_ups",
            "每月抽取回访的用餐对象",
            600,
            ratings.draws_due,
            lambda s, due: ratings.draw_follow_ups(s, month=due[0], township_code=due[1]),
        ),
    )
