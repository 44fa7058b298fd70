"""Verifying the whole bank 核验: the ledger and clearing from raw rows, and vouchers and tasks against them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.allotments.checks import allotment_checks
from timebank.canteens.checks import canteen_checks
from timebank.clearing.verify import clearing_checks
from timebank.giving.checks import giving_checks
from timebank.leaving.checks import leaving_checks
from timebank.ledger.verify import Check, Misfit, ledger_checks, sql_check
from timebank.redemption.aids.checks import aid_checks
from timebank.redemption.care.checks import care_checks
from timebank.redemption.offline_checks import offline_checks
from timebank.redemption.voucher_checks import voucher_checks


@dataclass(frozen=True, slots=True)
class Verified:
    """One check's outcome."""

    check: Check
    misfit: Misfit | None


def checks() -> Iterator[Check]:
    """All checks, in the order in which they are made."""
    yield from ledger_checks()
    yield from clearing_checks()
    yield from giving_checks()
    yield from allotment_checks()
    yield from leaving_checks()
    yield sql_check(
        "vouchers_covered",
        "未用的用餐券与账户中的分钟相符",
        "ledger_account",
        """SELECT a.id, 'holds ' || a.posted || ' minutes; its vouchers in issue make ' || coalesce(v.total, 0)
        FROM ledger_account a
        LEFT JOIN (SELECT account_id, sum(price_minutes) AS total FROM voucher WHERE status = 'issued'
                   GROUP BY account_id) v ON v.account_id = a.id
        WHERE a.kind = 'vouchers' AND a.posted <> coalesce(v.total, 0) ORDER BY a.id LIMIT 1""",
    )
    yield sql_check(
        "redemptions_paid_once",
        "每张已用的券恰有一次核销、一笔划转",
        "voucher",
        """SELECT v.id, 'status ' || v.status || ', accepted scans ' || s.n || ', redemption transfers ' || t.n
        FROM voucher v
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM voucher_scan WHERE voucher_id = v.id AND accepted) s
        CROSS JOIN LATERAL (SELECT count(*) AS n FROM ledger_transfer
                            WHERE cause_id = v.id AND kind = 'voucher_redemption'
                              AND (link_id IS NULL OR link_id = id) AND amount = v.price_minutes) t
        WHERE s.n <> (v.status = 'redeemed')::int OR t.n <> (v.status = 'redeemed')::int ORDER BY v.id LIMIT 1""",
    )
    yield from voucher_checks()
    yield from offline_checks()
    yield from aid_checks()
    yield sql_check(
        "services_credited",
        "每次确认的服务与所得划转相符",
        "task_assignment",
        """SELECT p.id, 'payable ' || coalesce(p.payable_minutes, 0) || ' minutes, credited ' || t.total
        FROM task_assignment p
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE cause_id = p.id AND reverses_id IS NULL
                              AND (link_id IS NULL OR link_id = id)) t
        WHERE coalesce(p.payable_minutes, 0) <> t.total ORDER BY p.id LIMIT 1""",
    )
    yield sql_check(
        "reversed_services_undone",
        "已冲正的服务没有留下所得",
        "task_assignment",
        """SELECT p.id, 'counts as reversed, but a credit of it still stands' FROM task_assignment p
        WHERE p.status = 'reversed' AND EXISTS (
            SELECT FROM ledger_transfer t WHERE t.cause_id = p.id AND t.reverses_id IS NULL
              AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id))
        ORDER BY p.id LIMIT 1""",
    )
    yield from care_checks()
    yield from canteen_checks()


def verify(session: Session) -> Iterator[Verified]:
    """Make every check, whatever the earlier ones found, on one unchanging view of the database."""
    session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
    for check in checks():
        yield Verified(check, check.first_misfit(session))
