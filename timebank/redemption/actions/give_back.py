"""Giving a voucher's minutes back to where they came from."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.actions.way_back import ways_back
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind, Movement
from timebank.people.queries import nobody_moves
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus


def give_back(
    session: Session, voucher: Voucher, status: VoucherStatus, *, kind: str, actor: Actor | None, note: str = ""
) -> None:
    """End an unused voucher, which is locked: each minute returns to the account that it came from.

    Minutes of a voucher that was given by somebody stay with whom it was given to.
    """
    nobody_moves(session)
    account = session.get_one(Account, voucher.account_id)
    ways = ways_back(session, origin_id=voucher.origin_id, account=account)
    _move(session, voucher, ways, status, kind, actor.login_id if actor else None, note)


def let_go_to_pool(session: Session, voucher: Voucher, *, kind: str) -> None:
    """End a voucher whose time is over, which is locked: its minutes go to the pool of the book they lie in."""
    book = session.get_one(Account, voucher.account_id).book_code
    pool = township_accounts(session, [book], AccountKind.POOL)[book]
    _move(session, voucher, [(pool, voucher.price_minutes)], VoucherStatus.EXPIRED, kind, None, "转入公益时间池")


def _move(
    session: Session,
    voucher: Voucher,
    ways: list[tuple[int, int]],
    status: VoucherStatus,
    kind: str,
    recorded_by: UUID | None,
    note: str,
) -> None:
    now = clock.now()
    movements = tuple(
        Movement(
            id=new_id(),
            from_account_id=voucher.account_id,
            to_account_id=account_id,
            amount=minutes,
            kind=kind,
            effective_at=now,
            cause_kind="voucher",
            cause_id=voucher.id,
            note=note,
            policy_version=voucher.policy_version,
            recorded_by=recorded_by,
        )
        for account_id, minutes in ways
    )
    post_one(session, movements)
    voucher.status, voucher.ended_at = status, now
