"""What ``timebank verify`` asks of cash at counters: slips and hand-ins against the ledger, from raw rows."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def purse_checks() -> Iterator[Check]:
    """Every check of purses and drawers."""
    yield sql_check(
        "purse_slips_posted",
        "每张收付单恰有一笔划转",
        "purse_slip",
        """SELECT s.id, s.kind || ' of ' || s.amount_fen || ' fen, transferred ' || coalesce(t.amount, 0)
        FROM purse_slip s
        LEFT JOIN ledger_transfer t ON t.id = s.transfer_id AND t.kind = 'purse_' || s.kind
             AND t.cause_kind = 'purse_slip' AND t.cause_id = s.id
        LEFT JOIN ledger_account p
               ON p.id = CASE s.kind WHEN 'top_up' THEN t.to_account_id ELSE t.from_account_id END
              AND p.kind = 'purse' AND p.person_id = s.person_id
        LEFT JOIN ledger_account d
               ON d.id = CASE s.kind WHEN 'top_up' THEN t.from_account_id ELSE t.to_account_id END
              AND d.kind = 'till' AND d.organisation_id = s.canteen_id
        WHERE t.amount IS DISTINCT FROM s.amount_fen OR p.id IS NULL OR d.id IS NULL ORDER BY s.id LIMIT 1""",
    )
    yield sql_check(
        "till_hand_ins_posted",
        "每笔缴款恰有一笔划转",
        "till_hand_in",
        """SELECT h.id, h.amount_fen || ' fen handed in, transferred ' || coalesce(t.amount, 0)
        FROM till_hand_in h
        LEFT JOIN ledger_transfer t ON t.id = h.transfer_id AND t.kind = 'till_handed_in'
             AND t.cause_kind = 'till_hand_in' AND t.cause_id = h.id
        LEFT JOIN ledger_account d ON d.id = t.to_account_id AND d.kind = 'till' AND d.organisation_id = h.canteen_id
        WHERE t.amount IS DISTINCT FROM h.amount_fen OR d.id IS NULL ORDER BY h.id LIMIT 1""",
    )
    yield sql_check(
        "estates_paid",
        "每笔余额继承的现金恰有一笔划转，每笔划转都有依据",
        "purse_estate",
        """SELECT coalesce(e.id, t.id),
                  coalesce(e.amount_fen, 0) || ' fen paid out, transferred ' || coalesce(t.amount, 0)
        FROM (SELECT * FROM purse_estate WHERE approved_at IS NOT NULL) e
        FULL JOIN (SELECT t.*, p.person_id FROM ledger_transfer t
                   JOIN ledger_account p ON p.id = t.from_account_id AND p.kind = 'purse'
                   JOIN ledger_account c ON c.id = t.to_account_id AND c.kind = 'cash'
                   WHERE t.kind = 'purse_estate_paid') t
               ON t.id = e.transfer_id AND t.cause_id = e.id AND t.person_id = e.person_id
        WHERE t.amount IS DISTINCT FROM e.amount_fen ORDER BY 1 LIMIT 1""",
    )
    yield sql_check(
        "cash_transfers_written_down",
        "每笔现金划转都有收付单或缴款记录",
        "ledger_transfer",
        """SELECT t.id, t.kind || ' that no slip tells of' FROM ledger_transfer t
        WHERE t.kind IN ('purse_top_up', 'purse_pay_back', 'till_handed_in')
          AND NOT EXISTS (SELECT FROM purse_slip s WHERE s.transfer_id = t.id)
          AND NOT EXISTS (SELECT FROM till_hand_in h WHERE h.transfer_id = t.id) ORDER BY t.seq LIMIT 1""",
    )
