"""Bugs put into the life of vouchers on purpose, to see that the machine catches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from timebank.ledger.actions import township_accounts
from timebank.ledger.actions.way_back import ways_back
from timebank.ledger.models import Account
from timebank.redemption.good_times import GoodTimes
from timebank.redemption.models import Voucher
from timebank.redemption.rules import OnExpiry, VoidReason

# The modules; the package has functions of these names.
buying, giving_back, giving, reissuing, expiring, scanning, judging, choosing, refunding = (
    import_module(f"timebank.redemption.actions.{name}")
    for name in (
        *("buy_vouchers", "give_back", "give_voucher", "reissue_vouchers", "expire_voucher", "redeem_vouchers"),
        *("judge_scans", "choosing", "refund_voucher"),
    )
)

Sow = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True, slots=True)
class Bug:
    """What is wrong, and how to bring it about."""

    name: str
    sow: Sow


def old_card_stays_good(patch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session, replaced: dict[UUID, Voucher], _old: list[Voucher], _reason: VoidReason) -> None:
        session.add_all(replaced.values())
        session.flush()

    patch.setattr(reissuing, "put_in_place", wrong)


def gift_goes_back_to_the_giver(patch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session, *, origin_id: UUID, account: Account) -> list[tuple[int, int]]:
        voucher = session.get_one(Voucher, origin_id)
        while voucher.replaces_id is not None:
            voucher = session.get_one(Voucher, voucher.replaces_id)
        return [(voucher.source_account_id, sum(minutes for _, minutes in right(session, origin_id, account)))]

    def right(session: Session, origin_id: UUID, account: Account) -> list[tuple[int, int]]:
        return ways_back(session, origin_id=origin_id, account=account)

    patch.setattr(giving_back, "ways_back", wrong)


def all_goes_back_to_who_paid_first(patch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session, *, origin_id: UUID, account: Account) -> list[tuple[int, int]]:
        ways = ways_back(session, origin_id=origin_id, account=account)
        return [(ways[0][0], sum(minutes for _, minutes in ways))]

    patch.setattr(giving_back, "ways_back", wrong)


def gift_moves_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(giving, "post_one", lambda _session, _posting: None)


def granted_hours_are_given_away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(giving, "_may_be_given", lambda *_: None)


def expired_ones_are_given_away(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(giving, "must_be_unused", lambda _voucher: None)


def expired_ones_are_refunded(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(refunding, "standing", lambda status, _expires_at, _now: status)


def expiry_always_refunds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(expiring, "OnExpiry", type("Never", (), {"POOL": None}))
    assert OnExpiry.POOL == "pool"


def pool_of_the_other_township(patch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session, _books: Any, kind: Any) -> dict[str, int]:
        every = [book for book, _ in session.query(Account.book_code, Account.id).filter(Account.kind == kind)]
        found = township_accounts(session, every, kind)
        return dict.fromkeys(every, found[max(every)])

    patch.setattr(giving_back, "township_accounts", wrong)


def days_are_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GoodTimes, "on_day", lambda _times, _moment: True)


def last_moment_is_not_looked_at(patch: pytest.MonkeyPatch) -> None:
    right = judging.state_of

    def wrong(voucher: Any, holder: Any) -> Any:
        state = right(voucher, holder)
        return replace(state, expires_at=state.expires_at.replace(year=2999))

    patch.setattr(judging, "state_of", wrong)


def meals_are_paid_to_the_wrong_township(patch: pytest.MonkeyPatch) -> None:
    def wrong(session: Session, books: Any, kind: Any) -> dict[str, int]:
        found = township_accounts(session, ["330213004"], kind)
        return dict.fromkeys(books, found["330213004"])

    patch.setattr(scanning, "township_accounts", wrong)


def refunds_count_in_the_month(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(buying, "VoidReason", type("Never", (), {"CANCELLED": "never"}))


def month_is_not_counted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(buying, "_bought_this_month", lambda _session, _holder_id: 0)


BUGS = [
    Bug("a lost card stays good beside the new one", old_card_stays_good),
    Bug("what was given goes back to the giver", gift_goes_back_to_the_giver),
    Bug("all minutes go back to the account that paid first", all_goes_back_to_who_paid_first),
    Bug("a gift moves no minutes", gift_moves_nothing),
    Bug("granted hours are given away", granted_hours_are_given_away),
    Bug("expired vouchers are given away", expired_ones_are_given_away),
    Bug("expired vouchers are refunded", expired_ones_are_refunded),
    Bug("expiry refunds what should go to the pool", expiry_always_refunds),
    Bug("expiry fills another township's pool", pool_of_the_other_township),
    Bug("days of the week are not looked at", days_are_not_looked_at),
    Bug("a voucher is good for ever", last_moment_is_not_looked_at),
    Bug("a meal is paid to another township", meals_are_paid_to_the_wrong_township),
    Bug("what a steward took back counts in the month", refunds_count_in_the_month),
    Bug("the month is not counted", month_is_not_counted),
]
