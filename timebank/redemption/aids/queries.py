"""Seeing aids and their history, and locking items and loans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Date, Integer, and_, case, cast, func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotFound, Refused
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.redemption.aids.models import AidItem, AidItemEvent, AidKind, AidLoan
from timebank.redemption.aids.rules import ACTIVE, USABLE, Condition, due_back_on

_FREE = and_(AidItem.condition.in_(USABLE), AidLoan.id.is_(None))
_RESERVED_UNTIL = cast(func.timezone(str(clock.LOCAL), AidLoan.reserved_until), Date)

AID_ITEM_ORDERS = Orders(
    of="aid_items",
    by={
        "entered": AidItem.id,
        "serial": by_pinyin(AidItem.serial),
        "kind": by_pinyin(AidKind.name),
        "township": AidItem.at_township_code,
        "condition": by_course(AidItem.condition, list(Condition)),
        # What can be had now comes first.
        "available": case((_FREE, 0), else_=1),
        # As ``due_back`` has it of one loan; an item that nobody has is due on no day.
        "due_back_on": func.coalesce(AidLoan.due_on, _RESERVED_UNTIL + cast(AidLoan.days - 1, Integer), type_=Date),
    },
    tie=AidItem.id,
    usual="entered",
)


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items are wanted; ``available`` leaves only those that can be borrowed now."""

    kind: str | None = None
    township_code: str | None = None
    serial: str | None = None
    available: bool = False


@dataclass(frozen=True, slots=True)
class ItemView:
    """An item for a screen; ``due_back_on`` says when a taken one is to be free. No borrower is named here."""

    item: AidItem
    kind_name: str
    available: bool
    due_back_on: date | None


def aid_kinds(session: Session) -> dict[str, str]:
    """Names of the kinds by code."""
    return {row.code: row.name for row in session.execute(select(AidKind.code, AidKind.name).order_by(AidKind.code))}


def aid_kind(session: Session, code: str) -> AidKind:
    """One kind. Raises Refused ``aid_kind_unknown``."""
    found = session.get(AidKind, code)
    if found is None:
        raise Refused("aid_kind_unknown", "没有这种辅具", kind=code)
    return found


def lock_item(session: Session, item_id: UUID) -> AidItem:
    """One item, nobody else changing it until the unit of work ends. Raises NotFound ``aid_unknown``."""
    query = select(AidItem).where(AidItem.id == item_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise aid_unknown(item_id)
    return found


def aid_unknown(item_id: UUID) -> NotFound:
    """The refusal for an item that is not there."""
    return NotFound("aid_unknown", "没有这件辅具", item_id=item_id)


def lock_loan(session: Session, loan_id: UUID) -> AidLoan:
    """One loan, nobody else changing it until the unit of work ends. Raises NotFound ``aid_loan_unknown``."""
    query = select(AidLoan).where(AidLoan.id == loan_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise loan_unknown(loan_id)
    return found


def loan_unknown(loan_id: UUID) -> NotFound:
    """The refusal for a loan that is not there, or nobody's business of the asker."""
    return NotFound("aid_loan_unknown", "没有这次辅具借用", loan_id=loan_id)


def active_loan_of(session: Session, item_id: UUID) -> AidLoan | None:
    """The loan that an item is reserved or lent in, if any."""
    return session.scalar(select(AidLoan).where(AidLoan.item_id == item_id, AidLoan.status.in_(ACTIVE)))


def due_back(loan: AidLoan) -> date:
    """When the item of a loan that has not ended is to be free again."""
    return due_back_on(loan.due_on, clock.local_date(loan.reserved_until), loan.days)


def find_items(session: Session, *, wanted: ItemFilter, part: Part) -> Slice[ItemView]:
    """Items that are not retired, in the order in which they were entered where ``part`` asks for no other."""
    query = (
        select(AidItem, AidKind.name, AidLoan)
        .join(AidKind, AidKind.code == AidItem.kind)
        .outerjoin(AidLoan, (AidLoan.item_id == AidItem.id) & AidLoan.status.in_(ACTIVE))
        .where(AidItem.condition != "retired")
    )
    if wanted.kind is not None:
        query = query.where(AidItem.kind == wanted.kind)
    if wanted.township_code is not None:
        query = query.where(AidItem.at_township_code == wanted.township_code)
    if wanted.serial is not None:
        query = query.where(AidItem.serial == wanted.serial)
    if wanted.available:
        query = query.where(_FREE)
    found = slice_of(session, query, AID_ITEM_ORDERS, part)
    return found.holding([_seen(*row) for row in found.items])


def see_item(session: Session, item: AidItem) -> ItemView:
    """One item for a screen."""
    return _seen(item, aid_kind(session, item.kind).name, active_loan_of(session, item.id))


def item_history(session: Session, *, actor: Actor, item_id: UUID) -> tuple[ItemView, Sequence[AidItemEvent]]:
    """One item with everything that happened to it, oldest first; for stewards and auditors.

    Raises NotAllowed ``books_not_yours``; NotFound ``aid_unknown``.
    """
    actor.must_see_books()
    item = session.get(AidItem, item_id)
    if item is None:
        raise aid_unknown(item_id)
    events = select(AidItemEvent).where(AidItemEvent.item_id == item_id).order_by(AidItemEvent.id)
    return see_item(session, item), session.scalars(events).all()


def _seen(item: AidItem, kind_name: str, loan: AidLoan | None) -> ItemView:
    free = loan is None and item.condition in USABLE
    return ItemView(item, kind_name, free, due_back(loan) if loan is not None else None)
