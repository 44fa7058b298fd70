"""What must hold between scans made without a line, losses of the guarantee fund and the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def offline_checks() -> Iterator[Check]:
    """A loss has its scan and its movement, no movement is without a loss, and every early ending is listed."""
    yield sql_check(
        "losses_moved",
        "每笔保障金损失恰有一次扫码、一笔划转",
        "guarantee_loss",
        """SELECT l.id, 'minutes ' || l.minutes || ', moved ' || t.total || ' in ' || t.n || ' transfers'
        FROM guarantee_loss l
        JOIN voucher_scan s ON s.id = l.second_scan_id
        CROSS JOIN LATERAL (SELECT count(*) AS n, coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE cause_id = l.id AND kind = 'offline_loss' AND book_code = l.township_code) t
        WHERE t.n <> 1 OR t.total <> l.minutes OR s.accepted OR NOT s.offline
              OR (s.voucher_id, s.canteen_id) IS DISTINCT FROM (l.voucher_id, l.canteen_id)
        ORDER BY l.id LIMIT 1""",
    )
    yield sql_check(
        "loss_movements_caused",
        "保障金支付的划转都有损失记录",
        "ledger_transfer",
        """SELECT t.id, 'pays ' || t.amount || ' minutes for no loss' FROM ledger_transfer t
        WHERE t.kind = 'offline_loss' AND t.reverses_id IS NULL
          AND NOT EXISTS (SELECT FROM guarantee_loss l WHERE l.id = t.cause_id) ORDER BY t.id LIMIT 1""",
    )
    yield sql_check(
        "early_endings_listed",
        "提前结束的用餐券都在助餐点名单上",
        "voucher",
        """SELECT v.id, 'ended at ' || coalesce(v.ended_at::text, '-') || ', listed ' || coalesce(e.n, 0) || ' times'
        FROM voucher v
        LEFT JOIN (SELECT voucher_id, code_hash, count(*) AS n FROM voucher_ending GROUP BY 1, 2) e
        ON e.voucher_id = v.id AND e.code_hash = substring(sha256(convert_to(v.code, 'UTF8')) FOR 8)
        WHERE coalesce(e.n, 0) <> (v.status <> 'issued' AND v.ended_at < v.expires_at)::int ORDER BY v.id LIMIT 1""",
    )
