"""What ``timebank verify`` asks of aids: loans, their days and their charges against the ledger, from raw rows."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def aid_checks() -> Iterator[Check]:
    """Every check of aids."""
    yield sql_check(
        "aid_days_paid",
        "每个借用日所扣时长与划转相符",
        "aid_charge",
        """SELECT c.id, c.paid_from || ' ' || c.minutes || ' minutes, transferred ' || t.total
        FROM aid_charge c
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE cause_id = c.id AND kind = 'aid_use' AND reverses_id IS NULL
                              AND (link_id IS NULL OR link_id = id)) t
        WHERE t.total <> CASE c.paid_from WHEN 'owed' THEN 0 ELSE c.minutes END ORDER BY c.id LIMIT 1""",
    )
    yield sql_check(
        "aid_transfers_charged",
        "每笔辅具划转都有对应的借用日",
        "ledger_transfer",
        """SELECT t.id, 'pays for a day that nobody charged' FROM ledger_transfer t
        WHERE t.kind = 'aid_use' AND t.cause_kind = 'aid_charge'
          AND NOT EXISTS (SELECT FROM aid_charge c WHERE c.id = t.cause_id) ORDER BY t.seq LIMIT 1""",
    )
    yield sql_check(
        "aid_days_in_order",
        "每次借用的日子逐日扣付，不缺不重",
        "aid_loan",
        """SELECT l.id, 'charged ' || c.n || ' days up to day ' || c.last FROM aid_loan l
        CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(max(number), 0) AS last FROM aid_charge
                            WHERE loan_id = l.id) c
        WHERE c.n <> c.last
           OR l.status IN ('returned', 'lost')
              AND c.last <> (l.ended_at AT TIME ZONE 'Asia/Shanghai')::date - l.lent_on + 1
           OR l.status NOT IN ('lent', 'returned', 'lost') AND c.n > 0
        ORDER BY l.id LIMIT 1""",
    )
    yield sql_check(
        "aid_holds_end_with_loans",
        "已结束的借用没有留下冻结，未到的借用日都有冻结",
        "aid_loan",
        # Holds that have ended are found by no index: all are summed up once.
        """SELECT l.id, l.status || ': day ' || d.number || ' holds ' || coalesce(h.total, 0) || ' of ' || d.minutes
               || ' minutes'
        FROM aid_loan l JOIN aid_loan_day d ON d.loan_id = l.id
        LEFT JOIN (SELECT cause_id, sum(amount) FILTER (WHERE state = 'placed') AS total,
                          bool_or(state = 'expired') AS expired
                   FROM ledger_hold GROUP BY cause_id) h ON h.cause_id = d.id
        LEFT JOIN aid_charge c ON c.id = d.id
        WHERE h.expired IS NOT TRUE AND coalesce(h.total, 0) <> CASE
            WHEN l.status IN ('reserved', 'lent') AND c.id IS NULL THEN d.minutes ELSE 0 END
        ORDER BY l.id, d.number LIMIT 1""",
    )
    yield sql_check(
        "aids_where_they_are",
        "辅具的现状与其历史最后一条相符",
        "aid_item",
        """SELECT i.id, i.condition || ' in ' || i.at_township_code || ', but its history ends otherwise'
        FROM aid_item i
        LEFT JOIN LATERAL (SELECT condition, township_code FROM aid_item_event WHERE item_id = i.id
                           ORDER BY id DESC LIMIT 1) e ON true
        WHERE (e.condition, e.township_code) IS DISTINCT FROM (i.condition, i.at_township_code)
        ORDER BY i.id LIMIT 1""",
    )
