"""Holding gifts, donations and hardship help against the transfers that they are, row by row and both ways."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check

# A movement by its first leg, with the account at its other end; a reversal is none of these kinds.
_MOVEMENTS = """
SELECT f.id, f.kind, f.amount, f.unit, f.cause_kind, f.cause_id,
       s.kind AS out_of, s.person_id AS giver_id, s.book_code AS out_book,
       a.kind AS into_kind, a.person_id AS receiver_id, a.book_code AS into_book, a.expires_on
FROM ledger_transfer f
JOIN ledger_account s ON s.id = f.from_account_id
LEFT JOIN ledger_transfer l ON l.link_id = f.id AND l.id <> f.id
JOIN ledger_account a ON a.id = coalesce(l.to_account_id, f.to_account_id)
WHERE f.kind IN ('gift', 'donation', 'hardship_help') AND (f.link_id IS NULL OR f.link_id = f.id)
"""

_ROWS = """
SELECT id, 'gift' AS kind, transfer_id, minutes, giver_id, receiver_id, NULL AS pool_code, 'savings' AS out_of,
       'savings' AS into_kind, NULL::date AS expires_on
FROM giving_gift
UNION ALL
SELECT id, 'donation', transfer_id, minutes, donor_id, NULL, township_code, 'savings', 'pool', NULL FROM giving_donation
UNION ALL
SELECT id, 'hardship_help', transfer_id, minutes, NULL, person_id, township_code, 'pool', 'granted', expires_on
FROM giving_hardship_request WHERE status = 'approved'
"""


_TABLES = {
    "gift": ("giving_gift", "每笔赠与与其划转相符"),
    "donation": ("giving_donation", "每笔捐赠与其划转相符"),
    "hardship_help": ("giving_hardship_request", "每笔困难帮扶与其划转相符"),
}


def giving_checks() -> Iterator[Check]:
    """Each row has its transfer as it says, and each such transfer its row."""
    for kind, (table, title) in _TABLES.items():
        yield sql_check(
            f"{kind}_moved",
            title,
            table,
            f"""SELECT r.id, r.minutes || ' minutes have no such transfer' FROM ({_ROWS}) r
            LEFT JOIN ({_MOVEMENTS}) m ON m.id = r.transfer_id
            WHERE r.kind = '{kind}'
              AND (m.kind = r.kind AND m.cause_kind = r.kind AND m.cause_id = r.id AND m.amount = r.minutes
                   AND m.unit = 'minute' AND m.out_of = r.out_of AND m.into_kind = r.into_kind
                   AND m.giver_id IS NOT DISTINCT FROM r.giver_id
                   AND m.receiver_id IS NOT DISTINCT FROM r.receiver_id
                   AND m.expires_on IS NOT DISTINCT FROM r.expires_on
                   AND (r.pool_code IS NULL OR (m.out_book = r.pool_code AND m.into_book = r.pool_code))) IS NOT TRUE
            ORDER BY r.id LIMIT 1""",
        )
    yield sql_check(
        "giving_transfers_kept",
        "每笔赠与、捐赠、帮扶划转都有登记",
        "ledger_transfer",
        f"""SELECT m.id, m.kind || ' of ' || m.amount || ' minutes belongs to nothing given' FROM ({_MOVEMENTS}) m
        LEFT JOIN ({_ROWS}) r ON r.transfer_id = m.id AND r.kind = m.kind
        WHERE r.id IS NULL ORDER BY m.id LIMIT 1""",
    )
