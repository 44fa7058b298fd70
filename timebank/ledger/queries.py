"""Seeing the ledger: balances, statements and the trial balance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.ledger.account_names import ACCOUNT_KIND_NAMES
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import AccountKind

TRANSFER_KIND_NAMES = {
    "service_credit": "服务所得",
    "back_fill_credit": "补录所得",
    "voucher_purchase": "购买用餐券",
    "voucher_redemption": "用餐",
    "voucher_refund": "退用餐券",
    "voucher_expiry": "用餐券过期",
    "voucher_gift": "转赠用餐券",
    "surplus": "超出上限转入公益时间池",
    "allotment": "政府购买服务时长",
    "seed_grant": "种子时长",
    "inheritance": "亲属转入",
    "left_to_pool": "退出转入公益时间池",
    "lot_expiry": "到期转入公益时间池",
    "offline_loss": "断网用餐（保障金支付）",
    "care_use": "居家养老服务",
    "gift": "收到赠与",
    "donation": "捐入公益时间池",
    "hardship_help": "困难帮扶",
    "aid_use": "借用康复辅具",
    "operating_subsidy": "助餐点运营补贴",
    "purse_top_up": "餐费充值",
    "purse_pay_back": "餐费退款",
    "purse_inherited": "餐费余额继承",
    "purse_estate_paid": "餐费余额退给继承人",
    "meal_elder": "餐费（老人付一点）",
    "meal_missed": "未取餐收费",
    "meal_government": "餐费（政府补一点）",
    "meal_donation": "餐费（企业捐一点）",
    "meal_garden": "餐费（菜园供一点）",
    "meal_volunteers": "餐费（志愿者帮一点）",
    "till_handed_in": "助餐点缴款",
    "money_donated": "收到助餐捐款",
    "donation_allotted": "分配助餐捐款",
    "produce_given": "收到菜园食材",
    "subsidy_disallowed": "扣回不予补贴",
    "in_kind_settled": "实物与志愿服务结清",
    "till_netted": "助餐点现金抵扣",
    "canteen_paid": "拨付助餐点",
    "reversal": "冲正",
    "savings_moved": "随人迁移",
    "settlement": "清算结算",
    "settlement_undone": "结算撤销",
    "carried_meal": "上期结转（助餐）",
    "carried_care": "上期结转（照护）",
    "carried_aid": "上期结转（辅具）",
}

PAID_KIND_NAMES = {
    "service_credit": "支付服务",
    "back_fill_credit": "支付服务（补录）",
    "gift": "赠与亲属",
    "donation": "捐赠",
    "surplus": "支付服务（志愿者超出上限部分）",
}
"""The same kinds, seen from the side that pays."""


@dataclass(frozen=True, slots=True)
class Balance:
    """A person's minutes: own savings, government grants still in force, what is held of them, what may be used."""

    savings_minutes: int
    granted_minutes: int
    held_minutes: int
    available_minutes: int
    voucher_minutes: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a statement; ``minutes`` is signed, ``balance_minutes`` is the account's after it."""

    transfer_id: UUID
    posted_at: datetime
    effective_at: datetime
    kind: str
    minutes: int
    balance_minutes: int
    counterpart_book_code: str
    note: str
    account_id: int
    version: int
    expires_on: date | None = None


@dataclass(frozen=True, slots=True)
class TrialLine:
    """The balance of all of a book's accounts of one kind, on the side where it stands."""

    book: str
    account: str
    account_name: str
    debit: int
    credit: int


def first_leg(session: Session, transfer_id: UUID) -> Transfer | None:
    """The first leg of the movement between books that ``transfer_id`` is a leg of; None where it is part of none."""
    named = session.get(Transfer, transfer_id)
    return session.get_one(Transfer, named.link_id) if named is not None and named.link_id is not None else None


def balance_of(session: Session, person_id: UUID) -> Balance:
    """What a person has, over all books; lots that have expired no longer count."""
    rows = session.execute(
        select(Account.kind, func.sum(Account.posted), func.sum(Account.held))
        .where(
            Account.person_id == person_id,
            Account.unit == "minute",
            Account.expires_on.is_(None) | (Account.expires_on >= clock.today()),
        )
        .group_by(Account.kind)
    )
    posted, held = {}, 0
    for kind, total, set_aside in rows:
        posted[kind] = int(total)
        held += int(set_aside)
    savings, granted = posted.get(AccountKind.SAVINGS, 0), posted.get(AccountKind.GRANTED, 0)
    vouchers = posted.get(AccountKind.VOUCHERS, 0)
    return Balance(savings, granted, held, savings + granted - held, vouchers, clock.now())


# Each side is one walk backwards along its own unique index (account, version).
_STATEMENT = text("""
SELECT id, recorded_at, effective_at, kind, minutes, balance, counterpart, note, account_id, version
FROM (
    (SELECT coalesce(link_id, id) AS id, recorded_at, effective_at, kind, -amount AS minutes, from_balance AS balance,
            coalesce(counterpart_book_code, book_code) AS counterpart, note,
            from_account_id AS account_id, from_version AS version
     FROM ledger_transfer WHERE from_account_id = :account_id AND from_version < :before
     ORDER BY from_version DESC LIMIT :most)
    UNION ALL
    (SELECT coalesce(link_id, id), recorded_at, effective_at, kind, amount, to_balance,
            coalesce(counterpart_book_code, book_code), note, to_account_id, to_version
     FROM ledger_transfer WHERE to_account_id = :account_id AND to_version < :before
     ORDER BY to_version DESC LIMIT :most)
) lines
ORDER BY version DESC LIMIT :most
""")

_FIRST_PAGE = 2**62


def statement(
    session: Session,
    person_id: UUID,
    *,
    limit: int,
    after: tuple[int, int] | None = None,
    kind: AccountKind = AccountKind.SAVINGS,
) -> Sequence[StatementLine]:
    """A person's savings, newest line first, at most ``limit`` lines after the line ``(account_id, version)``.

    Whoever moved between townships has one savings account after another; the statement walks back through them. Of
    ``granted`` minutes it is lot by lot, what expires last foremost.
    """
    accounts = session.execute(
        select(Account.id, Account.expires_on)
        .where(Account.person_id == person_id, Account.kind == kind, Account.unit == "minute")
        .order_by(Account.closed_at.desc().nulls_first(), Account.expires_on.desc(), Account.id.desc())
    ).all()
    expiry: dict[int, date | None] = {row.id: row.expires_on for row in accounts}
    account_ids, before = list(expiry), _FIRST_PAGE
    if after is not None:
        if after[0] not in account_ids:
            return []
        account_ids, before = account_ids[account_ids.index(after[0]) :], after[1]
    lines: list[StatementLine] = []
    for account_id in account_ids:
        wanted = {"account_id": account_id, "before": before, "most": limit - len(lines)}
        rows = session.execute(_STATEMENT, wanted)
        lines += [replace(StatementLine(*row), expires_on=expiry[account_id]) for row in rows]
        before = _FIRST_PAGE
        if len(lines) == limit:
            break
    return lines


# Accounts with a floor keep their balance; of the others it is the newest checkpoint and the transfers since.
BALANCES = """
SELECT a.id, a.book_code, a.kind, a.unit,
       CASE WHEN a.floored THEN a.posted ELSE coalesce(c.balance, 0) + i.total - o.total END AS balance
FROM ledger_account a
LEFT JOIN LATERAL (SELECT upto_seq, balance FROM ledger_checkpoint
                   WHERE account_id = a.id AND NOT a.floored ORDER BY upto_seq DESC LIMIT 1) c ON true
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                    WHERE NOT a.floored AND to_account_id = a.id AND to_version IS NULL
                      AND seq > coalesce(c.upto_seq, 0)) i
CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                    WHERE NOT a.floored AND from_account_id = a.id AND from_version IS NULL
                      AND seq > coalesce(c.upto_seq, 0)) o
WHERE a.unit = :unit
"""

_TRIAL = text(
    f"SELECT book_code, kind, sum(balance)::bigint FROM ({BALANCES}) b GROUP BY book_code, kind ORDER BY 1, 2"
)


def trial_balance(session: Session, unit: str) -> Sequence[TrialLine]:
    """Every book's accounts by kind: what came out of them on the debit side, what is in them on the credit side."""
    return [
        TrialLine(book, kind, ACCOUNT_KIND_NAMES[AccountKind(kind)], max(0, -balance), max(0, balance))
        for book, kind, balance in session.execute(_TRIAL, {"unit": unit})
    ]
