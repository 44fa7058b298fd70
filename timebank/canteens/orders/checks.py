"""What ``timebank verify`` asks of orders: receipts, counts, limits, holds and vouchers set aside, from raw rows."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def order_checks() -> Iterator[Check]:
    """Every check of orders."""
    yield from _counted()
    yield from _set_aside()


def _counted() -> Iterator[Check]:
    """Receipts add up, and counts are those of the orders."""
    yield sql_check(
        "orders_add_up",
        "每份订餐的价格明细与五方分担相符",
        "meal_order",
        """SELECT o.id, 'revision ' || o.revision || ' ' || meal_receipt_misfit(o) FROM meal_order o
        WHERE meal_receipt_misfit(o) IS NOT NULL ORDER BY o.id LIMIT 1""",
    )
    yield sql_check(
        "meals_counted",
        "各餐已订份数与订餐相符",
        "meal_service",
        """SELECT s.canteen_id, s.served_on || ' ' || s.meal || ' counts ' || s.ordered_meals || ', its orders make '
               || coalesce(o.total, 0)
        FROM meal_service s
        FULL JOIN (SELECT canteen_id, served_on, meal, sum(portions) AS total FROM meal_order
                   WHERE state IN ('placed', 'served', 'missed', 'undelivered')
                   GROUP BY canteen_id, served_on, meal) o USING (canteen_id, served_on, meal)
        WHERE s.ordered_meals IS DISTINCT FROM coalesce(o.total, 0) ORDER BY canteen_id, served_on, meal LIMIT 1""",
    )
    yield sql_check(
        "dishes_counted",
        "每道菜已订份数与订餐相符",
        "menu_item",
        """SELECT m.id, m.name || ' counts ' || m.portions_ordered || ', its orders make ' || coalesce(o.total, 0)
        FROM menu_item m
        LEFT JOIN (SELECT i.menu_item_id, sum(i.quantity) AS total
                   FROM meal_order_item i
                   JOIN meal_order o ON o.id = i.order_id AND o.revision = i.revision
                   WHERE o.state IN ('placed', 'served', 'missed', 'undelivered')
                   GROUP BY i.menu_item_id) o ON o.menu_item_id = m.id
        WHERE m.portions_ordered <> coalesce(o.total, 0) ORDER BY m.id LIMIT 1""",
    )
    yield sql_check(
        "limits_told",
        "每人每天、每户每餐已用补贴额度与订餐相符",
        "subsidy_use",
        """SELECT u.scope_id, u.rule_key || ' on ' || u.served_on || ' used ' || u.used_fen || ', its orders have '
               || coalesce(o.total, 0)
        FROM subsidy_use u
        LEFT JOIN (SELECT scope, scope_id, served_on, meal, rule_key, sum(fen) AS total
                   FROM order_subsidy_use GROUP BY scope, scope_id, served_on, meal, rule_key) o
            USING (scope, scope_id, served_on, meal, rule_key)
        WHERE u.used_fen <> coalesce(o.total, 0) ORDER BY u.scope_id, u.served_on LIMIT 1""",
    )


def _set_aside() -> Iterator[Check]:
    """What waits is held and set aside, and what has ended has nothing left."""
    yield sql_check(
        "ended_orders_have_nothing",
        "取消、未取、未送达、冲正的订餐没有留下补贴额度、冻结和预留的券",
        "meal_order",
        """SELECT o.id, o.state || ', but something of it is left' FROM meal_order o
        WHERE o.state <> 'placed' AND (
            EXISTS (SELECT FROM ledger_hold h WHERE h.cause_id = o.id AND h.state = 'placed')
            OR o.state <> 'served' AND EXISTS (SELECT FROM order_subsidy_use u WHERE u.order_id = o.id AND u.fen > 0)
            OR EXISTS (SELECT FROM voucher v WHERE v.set_aside_for = o.id AND v.status = 'issued'))
        ORDER BY o.id LIMIT 1""",
    )
    yield sql_check(
        "waiting_orders_are_held",
        "每份待取的订餐都冻结了老人、捐款和菜园各自分担的金额",
        "meal_order",
        """SELECT o.id, 'holds ' || coalesce(h.total, 0) || ' fen of '
               || o.elder_fen - o.cash_fen + o.donation_fen + o.garden_fen
        FROM meal_order o
        LEFT JOIN (SELECT cause_id, sum(amount) FILTER (WHERE state = 'placed') AS total,
                          bool_or(state = 'expired') AS expired
                   FROM ledger_hold WHERE cause_kind = 'meal_order' GROUP BY cause_id) h ON h.cause_id = o.id
        WHERE o.state = 'placed' AND h.expired IS NOT TRUE
          AND coalesce(h.total, 0) <> o.elder_fen - o.cash_fen + o.donation_fen + o.garden_fen
        ORDER BY o.id LIMIT 1""",
    )
    yield sql_check(
        "vouchers_set_aside_for_orders",
        "预留的用餐券与待取的订餐一一对应",
        "voucher",
        """SELECT coalesce(v.id, o.voucher_id), 'set aside for an order that is not its own'
        FROM (SELECT id, set_aside_for FROM voucher WHERE set_aside_for IS NOT NULL AND status = 'issued') v
        FULL JOIN (SELECT id, voucher_id FROM meal_order WHERE state = 'placed' AND voucher_id IS NOT NULL) o
            ON o.id = v.set_aside_for AND o.voucher_id = v.id
        WHERE v.id IS NULL OR o.id IS NULL ORDER BY 1 LIMIT 1""",
    )
