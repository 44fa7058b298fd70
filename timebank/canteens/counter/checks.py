"""What ``timebank verify`` asks of meals served: their shares, and what was charged, against the ledger's raw rows."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def counter_checks() -> Iterator[Check]:
    """Every check of the counter."""
    yield sql_check(
        "meals_served_posted",
        "每份取走的餐，五方分担与划转分文不差",
        "meal_order",
        """SELECT o.id, o.state || ': its shares and its transfers differ' FROM meal_order o
        LEFT JOIN (SELECT t.cause_id,
                          sum(amount) FILTER (WHERE t.kind = 'meal_elder' AND f.kind = 'purse') AS purse,
                          sum(amount) FILTER (WHERE t.kind = 'meal_elder' AND f.kind = 'till') AS cash,
                          sum(amount) FILTER (WHERE t.kind = 'meal_government') AS government,
                          sum(amount) FILTER (WHERE t.kind = 'meal_donation') AS donation,
                          sum(amount) FILTER (WHERE t.kind = 'meal_garden') AS garden,
                          sum(amount) FILTER (WHERE t.kind = 'meal_volunteers') AS volunteers,
                          array_agg(DISTINCT a.organisation_id) AS canteens
                   FROM ledger_transfer t
                   JOIN ledger_account f ON f.id = t.from_account_id
                   JOIN ledger_account a ON a.id = t.to_account_id
                   WHERE t.cause_kind = 'meal_order' AND t.reverses_id IS NULL AND t.kind <> 'meal_missed'
                   GROUP BY t.cause_id) p ON p.cause_id = o.id
        WHERE CASE WHEN o.state IN ('served', 'corrected')
              THEN (coalesce(p.purse, 0), coalesce(p.cash, 0), coalesce(p.government, 0), coalesce(p.donation, 0),
                    coalesce(p.garden, 0), coalesce(p.volunteers, 0))
                   IS DISTINCT FROM (o.elder_fen - o.cash_fen, o.cash_fen, o.government_fen, o.donation_fen,
                                     o.garden_fen, o.volunteers_fen)
                   OR p.canteens IS DISTINCT FROM ARRAY[o.canteen_id]
              ELSE p.cause_id IS NOT NULL END
        ORDER BY o.id LIMIT 1""",
    )
    yield sql_check(
        "corrected_meals_undone",
        "冲正的餐恰好全部冲回，未冲正的没有冲回",
        "meal_order",
        """SELECT o.id, o.state || ', of its transfers ' || n.undone || ' of ' || n.total || ' are undone'
        FROM meal_order o
        CROSS JOIN LATERAL (SELECT count(*) AS total, count(r.id) AS undone
                            FROM ledger_transfer t LEFT JOIN ledger_transfer r ON r.reverses_id = t.id
                            WHERE t.cause_id = o.id AND t.cause_kind = 'meal_order' AND t.reverses_id IS NULL) n
        LEFT JOIN meal_correction c ON c.order_id = o.id AND c.approved_by IS NOT NULL
        WHERE n.undone <> CASE o.state WHEN 'corrected' THEN n.total ELSE 0 END
           OR (o.state = 'corrected') <> (c.order_id IS NOT NULL)
        ORDER BY o.id LIMIT 1""",
    )
    yield sql_check(
        "meal_transfers_ordered",
        "每笔用餐划转都有对应的订餐",
        "ledger_transfer",
        """SELECT t.id, t.kind || ' for no meal that was ordered' FROM ledger_transfer t
        WHERE t.kind IN ('meal_elder', 'meal_government', 'meal_donation', 'meal_garden', 'meal_volunteers',
                         'meal_missed')
          AND (t.cause_kind IS DISTINCT FROM 'meal_order'
               OR NOT EXISTS (SELECT FROM meal_order o WHERE o.id = t.cause_id)) ORDER BY t.seq LIMIT 1""",
    )
    yield sql_check(
        "missed_meals_charged",
        "未取的餐只扣了本人应付的部分",
        "meal_order",
        """SELECT o.id, o.state || ', charged ' || m.total || ' of ' || o.elder_fen - o.cash_fen || ' fen'
        FROM meal_order o
        JOIN (SELECT cause_id, sum(amount) AS total FROM ledger_transfer WHERE kind = 'meal_missed' GROUP BY cause_id) m
          ON m.cause_id = o.id
        WHERE o.state NOT IN ('missed', 'undelivered') OR m.total > o.elder_fen - o.cash_fen
        ORDER BY o.id LIMIT 1""",
    )
    yield _vouchers_redeemed()


def _vouchers_redeemed() -> Check:
    return sql_check(
        "meals_vouchers_redeemed",
        "取走的餐用的券确已核销，冲正的餐用的券也已冲回",
        "meal_order",
        """SELECT o.id, o.state || ', but ' || r.standing || ' redemptions of its voucher stand' FROM meal_order o
        CROSS JOIN LATERAL (SELECT count(*) AS standing FROM ledger_transfer t
                            WHERE t.cause_id = o.voucher_id AND t.kind = 'voucher_redemption'
                              AND (t.link_id IS NULL OR t.link_id = t.id)
                              AND NOT EXISTS (SELECT FROM ledger_transfer u WHERE u.reverses_id = t.id)) r
        WHERE o.voucher_id IS NOT NULL
          AND (o.state = 'served' AND r.standing <> 1 OR o.state = 'corrected' AND r.standing <> 0)
        ORDER BY o.id LIMIT 1""",
    )
