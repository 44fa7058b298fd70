"""What ``timebank verify`` asks of claims, donations and produce: their rows against the ledger, from raw rows."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check

_GIFTS = (
    ("meal_donations_booked", "每笔助餐捐款与划转相符", "meal_donation", "money_donated", "amount_fen"),
    (
        "allotments_of_donations_booked",
        "每笔捐款分配与划转相符",
        "donation_allotment",
        "donation_allotted",
        "amount_fen",
    ),
    ("produce_booked", "每份菜园食材与划转相符", "produce_gift", "produce_given", "value_fen"),
)


def subsidy_checks() -> Iterator[Check]:
    """Every check of claims, donations and produce."""
    yield from _claim_checks()
    for name, title, table, kind, amount in _GIFTS:
        yield _booked(name, title, table, kind, amount)
        yield _written(name, title, table, kind)


def _claim_checks() -> Iterator[Check]:
    yield sql_check(
        "claims_add_up",
        "每份补贴结算与其明细、规则合计相符",
        "subsidy_claim",
        """SELECT c.id, 'says ' || c.list_fen || ' fen, its meals make ' || coalesce(m.fen, 0) || ' and its lines '
               || coalesce(l.fen, 0)
        FROM subsidy_claim c
        LEFT JOIN (SELECT claim_id, sum(list_fen) AS fen, sum(government_fen) AS government, sum(meals) AS meals
                   FROM subsidy_claim_meal GROUP BY claim_id) m ON m.claim_id = c.id
        LEFT JOIN (SELECT claim_id, sum(fen) AS fen, sum(fen) FILTER (WHERE share = 'government') AS government
                   FROM subsidy_claim_line GROUP BY claim_id) l ON l.claim_id = c.id
        WHERE (coalesce(m.fen, 0), coalesce(l.fen, 0), coalesce(m.government, 0), coalesce(l.government, 0),
               coalesce(m.meals, 0)) <> (c.list_fen, c.list_fen, c.government_fen, c.government_fen, c.meals)
        ORDER BY c.id LIMIT 1""",
    )
    yield sql_check(
        "claims_are_the_ledgers",
        "结算过的每一餐与账目相符",
        "meal_order",
        # A meal that was undone after its newest claim, or in the hour before it was computed, comes into the next one.
        """SELECT m.order_id, 'is claimed with ' || m.fen || ' fen, the ledger has ' || t.fen
        FROM (SELECT m.order_id, c.canteen_id, sum(m.list_fen) AS fen, max(c.computed_at) AS computed_at
              FROM subsidy_claim_meal m JOIN subsidy_claim c ON c.id = m.claim_id
              WHERE c.state <> 'returned' GROUP BY m.order_id, c.canteen_id) m
        JOIN ledger_account a ON a.organisation_id = m.canteen_id AND a.kind = 'canteen'
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount) FILTER (WHERE to_account_id = a.id), 0)
                   - coalesce(sum(amount) FILTER (WHERE from_account_id = a.id), 0) AS fen,
                   coalesce(max(recorded_at), '-infinity') AS newest
            FROM ledger_transfer WHERE cause_id = m.order_id AND a.id IN (to_account_id, from_account_id)) t
        WHERE t.fen <> m.fen AND t.newest < m.computed_at - interval '1 hour' ORDER BY m.order_id LIMIT 1""",
    )
    yield sql_check(
        "claims_paid_as_said",
        "每份已拨付的补贴与划转相符",
        "subsidy_claim",
        """SELECT c.id, c.state || ': left the canteen''s account by ' || coalesce(t.total, 0) || ' fen, of it paid '
               || coalesce(t.paid, 0)
        FROM subsidy_claim c JOIN ledger_account a ON a.organisation_id = c.canteen_id AND a.kind = 'canteen'
        LEFT JOIN LATERAL (
            SELECT sum(s.fen) AS total,
                   coalesce(sum(s.fen) FILTER (WHERE kind = 'canteen_paid'), 0) AS paid,
                   coalesce(sum(s.fen) FILTER (WHERE kind = 'till_netted'), 0) AS netted,
                   coalesce(sum(s.fen) FILTER (WHERE kind = 'subsidy_disallowed'), 0) AS disallowed,
                   coalesce(sum(s.fen) FILTER (WHERE kind = 'in_kind_settled'), 0) AS in_kind
            FROM (SELECT kind, CASE WHEN from_account_id = a.id THEN amount ELSE -amount END AS fen
                  FROM ledger_transfer WHERE cause_id = c.id) s) t ON true
        WHERE ARRAY[coalesce(t.total, 0), coalesce(t.paid, 0), coalesce(t.netted, 0), coalesce(t.disallowed, 0),
                    coalesce(t.in_kind, 0)]::bigint[]
            <> CASE WHEN c.state = 'paid'
                    THEN ARRAY[c.list_fen + c.operating_fen, c.paid_fen, c.netted_fen, c.disallowed_fen,
                               c.garden_fen + c.volunteers_in_kind_fen]
                    ELSE ARRAY[0, 0, 0, 0, 0]::bigint[] END
        ORDER BY c.id LIMIT 1""",
    )
    yield sql_check(
        "settlements_of_canteens_claimed",
        "助餐点的结算划转都有对应的补贴结算",
        "ledger_transfer",
        """SELECT t.id, 'settles a claim that there is not' FROM ledger_transfer t
        WHERE t.kind IN ('subsidy_disallowed', 'in_kind_settled', 'till_netted', 'canteen_paid')
          AND NOT EXISTS (SELECT FROM subsidy_claim c WHERE c.id = t.cause_id AND c.state = 'paid')
        ORDER BY t.seq LIMIT 1""",
    )


def _booked(name: str, title: str, table: str, kind: str, amount: str) -> Check:
    return sql_check(
        name,
        title,
        table,
        f"""SELECT g.id, 'says ' || g.{amount} || ' fen, booked ' || coalesce(t.amount, 0) FROM {table} g
        LEFT JOIN ledger_transfer t ON t.id = g.transfer_id AND t.kind = '{kind}' AND t.cause_id = g.id
        LEFT JOIN ledger_account a ON a.id = t.to_account_id
        WHERE t.amount IS DISTINCT FROM g.{amount} OR a.organisation_id IS DISTINCT FROM g.canteen_id
        ORDER BY g.id LIMIT 1""",
    )


def _written(name: str, title: str, table: str, kind: str) -> Check:
    return sql_check(
        f"{name}_by_somebody",
        f"{title}（划转都有登记）",
        "ledger_transfer",
        f"""SELECT t.id, 'books a gift that nobody wrote down' FROM ledger_transfer t
        WHERE t.kind = '{kind}' AND NOT EXISTS (SELECT FROM {table} g WHERE g.transfer_id = t.id)
        ORDER BY t.seq LIMIT 1""",
    )
