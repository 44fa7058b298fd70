"""Ways back: into which accounts minutes return that somebody had paid, even where those are closed by now."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.ledger.actions.accounts import ensure_accounts, ensure_lot
from timebank.ledger.actions.post import transfers_by_cause
from timebank.ledger.models import Account
from timebank.ledger.rules import AccountKind
from timebank.people.queries import person

_PAID_OUTRIGHT, _GIVEN = "voucher_purchase", "voucher_gift"


def ways_back(session: Session, *, origin_id: UUID, account: Account) -> list[tuple[int, int]]:
    """Where each minute of a voucher came from: ``(account_id, minutes)`` for each account that paid.

    ``origin_id`` is the id under which the minutes came into the vouchers' ``account``. An expired lot takes its
    minutes too, and the sweep finds them; what somebody gave stays with the account's holder, as savings.
    """
    paid = [
        leg
        for leg in transfers_by_cause(session, origin_id)
        if leg.kind in (_PAID_OUTRIGHT, _GIVEN) and leg.link_id in (None, leg.id)
    ]
    return [
        (
            in_place_of(session, session.get_one(Account, leg.from_account_id))
            if leg.kind == _PAID_OUTRIGHT
            else _savings_at_home(session, account),
            leg.amount,
        )
        for leg in paid
    ]


def in_place_of(session: Session, account: Account) -> int:
    """An account itself while it is open; otherwise the one that has its place.

    For a lot that is one of the same book and last day; for anything else the holder's savings at home. Whoever has
    left gets it opened anew: what lies in it follows the rest of what they left behind.
    """
    if account.closed_at is None:
        return account.id
    if account.kind == AccountKind.GRANTED:
        assert account.person_id is not None
        assert account.expires_on is not None
        return ensure_lot(
            session, person_id=account.person_id, book_code=account.book_code, expires_on=account.expires_on
        )
    return _savings_at_home(session, account)


def _savings_at_home(session: Session, account: Account) -> int:
    assert account.person_id is not None
    holder = person(session, account.person_id)
    return ensure_accounts(session, [(holder.id, holder.township_code)], AccountKind.SAVINGS)[holder.id]
