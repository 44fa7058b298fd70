"""What ``timebank verify`` asks of rounds: stops against their orders, rounds against their tasks, from raw rows."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def delivery_checks() -> Iterator[Check]:
    """Every check of deliveries."""
    yield sql_check(
        "stops_as_their_orders",
        "送达的站点恰好是取走的外送餐，未送达的恰好是未送达的餐",
        "meal_order",
        """SELECT o.id, o.state || ', but its stop is ' || coalesce(s.outcome, 'open or nowhere') FROM meal_order o
        LEFT JOIN delivery_stop s ON s.order_id = o.id AND s.outcome IS DISTINCT FROM 'replaced'
        WHERE o.way = 'deliver'
          AND ((o.state IN ('served', 'corrected')) <> (coalesce(s.outcome, '') = 'delivered')
               OR (o.state = 'undelivered') <> (coalesce(s.outcome, '') = 'undelivered')
                  AND NOT (o.state = 'undelivered' AND o.end_reason = 'not_brought' AND s.order_id IS NULL))
        ORDER BY o.id LIMIT 1""",
    )
    yield sql_check(
        "rounds_are_their_tasks",
        "志愿者配送的每一趟都是一项任务，时间、时长、镇街相符",
        "delivery_round",
        """SELECT r.id, 'its task ' || coalesce(t.id::text, 'is missing') || ' is another shift' FROM delivery_round r
        JOIN organisation o ON o.id = r.canteen_id
        LEFT JOIN task t ON t.id = r.task_id
        WHERE (r.carrier = 'volunteers' OR r.task_id IS NOT NULL)
          AND (t.service_type, t.township_code, t.starts_at, t.minutes, t.places::bigint, t.elder_id)
              IS DISTINCT FROM ('meal_delivery', o.township_code, r.departs_at, r.minutes, 1::bigint, NULL::uuid)
        ORDER BY r.id LIMIT 1""",
    )
    yield sql_check(
        "rounds_end_with_their_stops",
        "出发的每一趟有人送，结束的每一趟没有留下站点",
        "delivery_round",
        """SELECT r.id, r.state || ' with ' || count(*) FILTER (WHERE s.outcome IS NULL) || ' of ' || count(s.*)
               || ' stops open'
        FROM delivery_round r LEFT JOIN delivery_stop s ON s.round_id = r.id
        GROUP BY r.id, r.state
        HAVING count(s.*) = 0
            OR r.state IN ('finished', 'replaced', 'lapsed') AND count(*) FILTER (WHERE s.outcome IS NULL) > 0
            OR r.state = 'replaced' AND count(*) FILTER (WHERE s.outcome <> 'replaced') > 0
            OR r.state = 'planned' AND count(s.outcome) > 0
        ORDER BY r.id LIMIT 1""",
    )
