"""What borrowers and stewards are told about aids."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank.notifications.actions import notify_person
from timebank.redemption.aids.models import AidItem, AidLoan


def loan_words(item: AidItem) -> str:
    """An item as people call it: name and serial."""
    return f"{item.name}（编号{item.serial}）"


def tell_borrower(session: Session, loan: AidLoan, *, title: str, body: str) -> None:
    """Tell the borrower, and the proxy who reserved for them: the borrower may have no phone."""
    notify_person(session, person_id=loan.holder_id, title=title, body=body)
    if loan.proxy_id is not None:
        notify_person(session, person_id=loan.proxy_id, title=title, body=body)
