"""What ``timebank verify`` asks of home care: bookings against the ledger, days and bills against what they count."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def care_checks() -> Iterator[Check]:
    """All checks of home care, in the order in which they are made."""
    yield sql_check(
        "care_captured",
        "每次居家养老服务扣划的分钟与划转、账单明细相符",
        "care_booking",
        """SELECT b.id, b.status || ' with ' || coalesce(b.captured_minutes, 0) || ' and ' || b.excess_minutes
               || ' minutes captured, transferred ' || t.total || ', charged ' || c.total
        FROM care_booking b
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE cause_id = b.id AND kind = 'care_use' AND (link_id IS NULL OR link_id = id)) t
        CROSS JOIN LATERAL (SELECT coalesce(sum(minutes), 0) AS total FROM care_charge
                            WHERE booking_id = b.id AND kind <> 'correction') c
        WHERE coalesce(b.captured_minutes, 0) + b.excess_minutes <> t.total OR c.total <> t.total
        ORDER BY b.id LIMIT 1""",
    )
    yield sql_check(
        "care_holds",
        "每次居家养老预约冻结的分钟与预约相符，办结后不再冻结",
        "care_booking",
        # Holds that have ended are found by no index: all are summed up once.
        """SELECT b.id, b.status || ' with ' || b.held_minutes || ' minutes to hold, held in all '
               || coalesce(h.total, 0) || ', still held ' || coalesce(h.placed, 0)
        FROM care_booking b
        LEFT JOIN (SELECT cause_id, sum(amount) AS total, sum(amount) FILTER (WHERE state = 'placed') AS placed
                   FROM ledger_hold GROUP BY cause_id) h ON h.cause_id = b.id
        WHERE coalesce(h.total, 0) <> b.held_minutes OR b.ended_at IS NOT NULL AND coalesce(h.placed, 0) <> 0
        ORDER BY b.id LIMIT 1""",
    )
    yield sql_check(
        "care_days",
        "居家养老机构每天已约分钟与预约相符",
        "care_capacity",
        """SELECT d.provider_id, d.day || ' has ' || d.used_minutes || ' minutes taken, its bookings make '
               || coalesce(b.total, 0)
        FROM care_capacity d
        LEFT JOIN (SELECT provider_id, day, sum(minutes) AS total FROM care_booking WHERE care_takes_place(status)
                   GROUP BY provider_id, day) b ON b.provider_id = d.provider_id AND b.day = d.day
        WHERE d.used_minutes <> coalesce(b.total, 0) ORDER BY d.provider_id, d.day LIMIT 1""",
    )
    yield sql_check(
        "care_bills",
        "居家养老账单与各行相符，冲正已从账单扣回的不超过原额",
        "care_bill",
        """SELECT id, problem FROM (
            SELECT b.id, 'says ' || b.minutes || ' minutes and ' || b.fen || ' fen, its lines make ' || c.minutes
                   || ' and ' || c.fen AS problem
            FROM care_bill b
            CROSS JOIN LATERAL (SELECT count(*) AS lines, coalesce(sum(minutes), 0) AS minutes,
                                       coalesce(sum(fen), 0) AS fen FROM care_charge WHERE bill_id = b.id) c
            WHERE (b.lines, b.minutes, b.fen) IS DISTINCT FROM (c.lines, c.minutes, c.fen)
            UNION ALL
            SELECT c.id, 'takes back ' || -c.minutes || ' minutes, but the reversal has ' || t.amount
            FROM care_charge c JOIN ledger_transfer t ON t.id = c.reversal_id
            WHERE c.minutes <> -t.amount OR t.reverses_id IS NULL) found
        ORDER BY 1 LIMIT 1""",
    )
