"""What must hold between vouchers, those that replace them, and the ledger."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def voucher_checks() -> Iterator[Check]:
    """A voucher's minutes came in once, and a lost or given one has one successor that is not good beside it."""
    yield sql_check(
        "vouchers_paid",
        "每张用餐券的分钟都曾一次付清",
        "voucher",
        """SELECT v.id, 'price ' || v.price_minutes || ' minutes, paid ' || t.total FROM voucher v
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE cause_id = v.origin_id AND kind IN ('voucher_purchase', 'voucher_gift')
                              AND (link_id IS NULL OR link_id = id)) t
        WHERE t.total <> v.price_minutes ORDER BY v.id LIMIT 1""",
    )
    yield sql_check(
        "vouchers_replaced_once",
        "挂失或转赠的用餐券恰有一张新券",
        "voucher",
        """SELECT n.id, 'replaces ' || o.id || ', which is ' || o.status || ', replaced by '
               || coalesce(o.replaced_by_id::text, 'none')
        FROM voucher n JOIN voucher o ON o.id = n.replaces_id
        WHERE o.status <> 'void' OR o.replaced_by_id IS DISTINCT FROM n.id OR o.price_minutes <> n.price_minutes
        ORDER BY n.id LIMIT 1""",
    )
