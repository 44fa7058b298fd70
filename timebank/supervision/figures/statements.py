"""The statements behind all figures; each answers rows of day or township, key and amount, however many there are."""

from __future__ import annotations

from sqlalchemy import text

_KINDS = """
    ('service_credit', NULL, 'savings', 'earned_minutes', false),
    ('back_fill_credit', NULL, 'savings', 'earned_minutes', false),
    ('surplus', NULL, 'pool', 'surplus_minutes', false),
    ('allotment', NULL, 'granted', 'granted_minutes', false),
    ('seed_grant', NULL, 'granted', 'granted_minutes', false),
    ('gift', 'savings', NULL, 'gift_minutes', false),
    ('donation', 'savings', NULL, 'donated_minutes', false),
    ('voucher_redemption', 'vouchers', NULL, 'spent_meal_minutes', false),
    ('care_use', 'savings', NULL, 'spent_care_minutes', false),
    ('care_use', 'granted', NULL, 'spent_care_minutes', false),
    ('aid_use', 'savings', NULL, 'spent_aid_minutes', false),
    ('aid_use', 'granted', NULL, 'spent_aid_minutes', false),
    ('voucher_redemption', NULL, 'redeemed', 'here_meal_minutes', false),
    ('voucher_redemption', NULL, 'redeemed', 'vouchers_used', true),
    ('care_use', NULL, 'redeemed', 'here_care_minutes', false),
    ('aid_use', NULL, 'redeemed', 'here_aid_minutes', false),
    ('meal_elder', NULL, 'canteen', 'meal_elder_fen', false),
    ('meal_government', NULL, 'canteen', 'meal_government_fen', false),
    ('meal_donation', NULL, 'canteen', 'meal_donation_fen', false),
    ('meal_garden', NULL, 'canteen', 'meal_garden_fen', false),
    ('meal_volunteers', NULL, 'canteen', 'meal_volunteers_fen', false),
    ('meal_missed', NULL, 'canteen', 'meal_missed_fen', false),
    ('money_donated', NULL, 'donated', 'money_donated_fen', false),
    ('produce_given', NULL, 'produce', 'produce_fen', false),
    ('operating_subsidy', NULL, 'canteen', 'operating_subsidy_fen', false)
"""
"""Kind of transfer, kinds of the accounts that it leaves and reaches, the figure, and whether it is counted by number.

A movement between books is two legs, of which only one leaves or reaches a person's, canteen's or redeeming account.
"""

# A reversal is its original backwards: it counts against the figure of the original, on its own day.
_MOVED = f"""
SELECT (t.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS day, t.book_code, k.key,
       sum(CASE WHEN o.id IS NULL THEN 1 ELSE -1 END * CASE WHEN k.by_number THEN 1 ELSE t.amount END)::bigint AS amount
FROM ledger_transfer t
LEFT JOIN ledger_transfer o ON o.id = t.reverses_id
JOIN ledger_account f ON f.id = coalesce(o.from_account_id, t.from_account_id)
JOIN ledger_account g ON g.id = coalesce(o.to_account_id, t.to_account_id)
JOIN (VALUES {_KINDS}) AS k (kind, leaves, reaches, key, by_number)
  ON k.kind = coalesce(o.kind, t.kind) AND (k.leaves IS NULL OR f.kind = k.leaves)
 AND (k.reaches IS NULL OR g.kind = k.reaches)
WHERE t.seq > :since AND t.seq <= :upto
GROUP BY 1, 2, 3
"""

ADD_DAYS = text(f"""
INSERT INTO figure_day AS d (day, book_code, key, amount)
{_MOVED}
ON CONFLICT (day, book_code, key) DO UPDATE SET amount = d.amount + excluded.amount
""")
"""Transfers with ``since < seq <= upto`` into the table of days."""

_TAIL = _MOVED.replace(":since", "(SELECT upto_seq FROM figure_mark)").replace(":upto", "9223372036854775807")

MONTHS_MOVED = text(f"""
SELECT date_trunc('month', d.day)::date AS month, d.book_code, d.key, sum(d.amount)::bigint
FROM (SELECT day, book_code, key, amount FROM figure_day WHERE day >= :first AND day < :after
      UNION ALL
      SELECT day, book_code, key, amount
      FROM ({_TAIL}) tail
      WHERE day >= :first AND day < :after) d
WHERE CAST(:township AS text) IS NULL OR d.book_code = :township
GROUP BY 1, 2, 3
""")
"""What was recorded in the months from ``first`` to before ``after``: the days summed up, and what came after them."""

_PEOPLE_AT = """
SELECT p.township_code, CASE r.role WHEN 'elder' THEN 'elders' ELSE 'volunteers' END AS key, count(*) AS amount
FROM person_role r JOIN person p ON p.id = r.person_id
WHERE r.role IN ('elder', 'volunteer') AND r.since < :end AND (p.left_at IS NULL OR p.left_at >= :end)
GROUP BY 1, 2
UNION ALL
SELECT p.township_code, 'diners', count(*)
FROM diner d JOIN person p ON p.id = d.person_id
WHERE d.reviewed_at < :end AND d.state IN ('approved', 'ended') AND (d.ended_at IS NULL OR d.ended_at >= :end)
  AND (p.left_at IS NULL OR p.left_at >= :end)
GROUP BY 1
UNION ALL
SELECT g.township_code, 'canteens_open', count(*)
FROM canteen c JOIN organisation g ON g.id = c.id
WHERE c.opened_at < :end AND (c.closed_at IS NULL OR c.closed_at >= :end)
  AND (c.state <> 'suspended' OR c.suspended_at >= :end)
GROUP BY 1
"""

_BALANCES_NOW = """
SELECT book_code AS township_code, 'savings_minutes' AS key, sum(posted)::bigint AS amount
FROM ledger_account WHERE kind = 'savings' AND unit = 'minute' AND posted > 0 GROUP BY 1
UNION ALL
SELECT book_code, 'held_minutes', sum(held)::bigint
FROM ledger_account WHERE kind IN ('savings', 'granted') AND unit = 'minute' AND held > 0 GROUP BY 1
"""

# Balances now, without what was recorded since; holds by the time in which they lasted.
_BALANCES_AT = """
SELECT book_code AS township_code, 'savings_minutes' AS key, sum(minutes)::bigint AS amount
FROM (SELECT book_code, posted AS minutes FROM ledger_account WHERE kind = 'savings' AND unit = 'minute'
      UNION ALL
      SELECT a.book_code, t.amount FROM ledger_transfer t
      JOIN ledger_account a ON a.id = t.from_account_id AND a.kind = 'savings' AND a.unit = 'minute'
      WHERE t.recorded_at >= :end
      UNION ALL
      SELECT a.book_code, -t.amount FROM ledger_transfer t
      JOIN ledger_account a ON a.id = t.to_account_id AND a.kind = 'savings' AND a.unit = 'minute'
      WHERE t.recorded_at >= :end) m
GROUP BY 1
UNION ALL
SELECT a.book_code, 'held_minutes', sum(h.amount)::bigint
FROM ledger_hold h
JOIN ledger_account a ON a.id = h.account_id AND a.kind IN ('savings', 'granted') AND a.unit = 'minute'
WHERE h.placed_at < :end AND (h.ended_at IS NULL OR h.ended_at >= :end)
GROUP BY 1
"""

# Canteen by canteen, along ix_meal_order_service alone.
_COUNTS = """
SELECT g.township_code, 'meals' AS key, sum(c.meals)::bigint AS amount
FROM organisation g
CROSS JOIN LATERAL (SELECT count(*) AS meals FROM meal_order o
                    WHERE o.canteen_id = g.id AND o.served_on >= :first AND o.served_on < :after
                      AND o.state = 'served') c
WHERE g.kind = 'canteen' AND c.meals > 0
GROUP BY 1
UNION ALL
SELECT v.township_code, k.key, sum(k.amount)::bigint
FROM (SELECT township_code, count(*) AS visits, sum(served_minutes) AS minutes FROM care_booking
      WHERE status = 'confirmed' AND ended_at >= :begin AND ended_at < :end GROUP BY 1) v
CROSS JOIN LATERAL (VALUES ('visits', v.visits), ('visit_minutes', coalesce(v.minutes, 0))) AS k (key, amount)
GROUP BY 1, 2
"""

_HEADS = """
SELECT p.township_code, 'active_volunteers' AS key, count(DISTINCT a.volunteer_id) AS amount
FROM task_assignment a JOIN person p ON p.id = a.volunteer_id
WHERE a.status = 'confirmed' AND a.confirmed_at >= :begin AND a.confirmed_at < :end
GROUP BY 1
UNION ALL
SELECT d.township_code, 'diners_served', count(*)
FROM (SELECT DISTINCT g.township_code, o.diner_id FROM organisation g JOIN meal_order o ON o.canteen_id = g.id
      WHERE g.kind = 'canteen' AND o.served_on >= :first AND o.served_on < :after AND o.state = 'served'
        AND o.diner_id IS NOT NULL) d
GROUP BY 1
"""


def _of_township(inner: str) -> str:
    return f"SELECT * FROM ({inner}) f WHERE CAST(:township AS text) IS NULL OR township_code = :township"


RUNNING_MONTH = text(_of_township(f"{_PEOPLE_AT} UNION ALL {_BALANCES_NOW} UNION ALL {_COUNTS}"))
"""What stands now, and what was counted in the running month so far; heads are counted once it has ended."""

ENDED_MONTH = text(_of_township(f"{_PEOPLE_AT} UNION ALL {_BALANCES_AT} UNION ALL {_COUNTS} UNION ALL {_HEADS}"))
"""What stood at the end of a month that has ended, and what was counted in it."""

KEPT_MONTHS = text("""
SELECT month, township_code, key, amount FROM figure_month
WHERE month >= :first AND month < :after AND (CAST(:township AS text) IS NULL OR township_code = :township)
""")
"""What was kept of months that have ended."""
