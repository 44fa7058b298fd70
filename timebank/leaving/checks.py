"""Leaving against the ledger: what was to go on has gone on, and whoever has left has nothing set aside."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.ledger.verify import Check, sql_check


def leaving_checks() -> Iterator[Check]:
    """Every leaving and everything late ties to its transfers, and they to it; who left has nothing held."""
    yield sql_check(
        "leavings_paid_out",
        "每次退出的时长与划转相符",
        "leaving",
        """SELECT coalesce(l.id, t.cause_id), 'leaves ' || coalesce(l.minutes, 0) || ' minutes, transfers of '
                  || coalesce(t.minutes, 0)
        FROM (SELECT id, savings_minutes + granted_minutes AS minutes FROM leaving
              UNION ALL SELECT id, minutes FROM leaving_late_minutes) l
        FULL JOIN (SELECT cause_id, sum(amount) AS minutes FROM ledger_transfer
                   WHERE kind IN ('inheritance', 'left_to_pool') AND reverses_id IS NULL
                     AND (link_id IS NULL OR link_id = id) GROUP BY cause_id) t ON t.cause_id = l.id
        WHERE l.id IS NULL OR l.minutes <> coalesce(t.minutes, 0) ORDER BY 1 LIMIT 1""",
    )
    yield sql_check(
        "leavers_settled",
        "已退出的人没有冻结的时长、未用的券、等候的订餐",
        "person",
        """SELECT p.id, 'has left, with something held, vouchers in issue or meals ordered' FROM person p
        WHERE p.left_at IS NOT NULL AND (
            EXISTS (SELECT FROM ledger_account a WHERE a.person_id = p.id AND a.held > 0)
            OR EXISTS (SELECT FROM voucher v WHERE v.holder_id = p.id AND v.status = 'issued')
            OR EXISTS (SELECT FROM leaving l WHERE l.person_id = p.id)
               AND (EXISTS (SELECT FROM meal_order o WHERE o.diner_id = p.id AND o.state = 'placed')
                    OR EXISTS (SELECT FROM standing_order s WHERE s.diner_id = p.id AND s.ended_at IS NULL)
                    OR EXISTS (SELECT FROM diner d WHERE d.person_id = p.id AND d.state <> 'ended')))
        ORDER BY p.id LIMIT 1""",
    )
    yield sql_check(
        "purses_inherited",
        "继承的餐费余额从身故者转给登记的继承人",
        "ledger_transfer",
        """SELECT t.id, t.amount || ' fen that no death passed on' FROM ledger_transfer t
        JOIN ledger_account f ON f.id = t.from_account_id
        JOIN ledger_account r ON r.id = t.to_account_id
        LEFT JOIN leaving l ON l.id = t.cause_id AND t.cause_kind = 'leaving' AND l.reason = 'died'
             AND l.person_id = f.person_id AND l.to_person_id = r.person_id
        WHERE t.kind = 'purse_inherited'
          AND (l.id IS NULL OR (f.kind, r.kind) IS DISTINCT FROM ('purse', 'purse')) ORDER BY t.seq LIMIT 1""",
    )
    yield sql_check(
        "deaths_carried_out_once",
        "身故办结与退出记录相符",
        "death_report",
        """SELECT coalesce(d.id, l.id), 'a death and its leaving do not match'
        FROM (SELECT * FROM death_report WHERE leaving_id IS NOT NULL) d
        FULL JOIN (SELECT * FROM leaving WHERE reason = 'died') l ON l.id = d.leaving_id AND l.person_id = d.person_id
        WHERE d.id IS NULL OR l.id IS NULL ORDER BY 1 LIMIT 1""",
    )
