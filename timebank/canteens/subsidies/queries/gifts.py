"""Seeing donations and produce: lists, and what became of a gift."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, exists, or_, select, text, true
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from timebank.canteens.orders.models import MealOrder
from timebank.canteens.subsidies.donation_flow import Amount, Used, by_allotment, follow, through_allotments
from timebank.canteens.subsidies.models import MealDonation, ProduceGift
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import NotFound
from timebank.core.sorting import Orders, Part, Slice, slice_of
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import AccountKind
from timebank.townships.models import Organisation

MEALS_SHOWN = 10
"""How many of a donation's last meals are shown, without anybody's name."""

# What came into an account, or went out of it, in the account's own order; what was reversed never happened.
_FLOW = text("""
SELECT t.cause_id, t.kind, CASE WHEN t.to_account_id = :account_id THEN t.amount ELSE -t.amount END AS fen
FROM ledger_transfer t
WHERE (t.to_account_id = :account_id OR t.from_account_id = :account_id) AND t.reverses_id IS NULL
  AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id)
ORDER BY CASE WHEN t.to_account_id = :account_id THEN t.to_version ELSE t.from_version END
""")


@dataclass(frozen=True, slots=True)
class DonationItem:
    """A donation for a list; ``reversed`` where it was taken back as a mistake."""

    donation: MealDonation
    canteen_name: str | None
    reversed: bool


@dataclass(frozen=True, slots=True)
class FedMeal:
    """A meal that a donation went into, without a name."""

    order_id: UUID
    served_on: date
    meal: str
    canteen_name: str
    fen: int


@dataclass(frozen=True, slots=True)
class DonationStory:
    """What became of a donation: meals touched, fen used in them, fen not used yet, and its last meals."""

    item: DonationItem
    meals: int
    used_fen: int
    allotted_fen: int
    left_fen: int
    last_meals: Sequence[FedMeal]


@dataclass(frozen=True, slots=True)
class ProduceItem:
    """A gift of produce for a list."""

    gift: ProduceGift
    canteen_name: str
    reversed: bool


DONATION_ORDERS = Orders(
    of="meal_donations",
    by={
        "received_at": MealDonation.id,
        "received_on": MealDonation.received_on,
        "donor": by_pinyin(MealDonation.donor_name),
        "amount_fen": MealDonation.amount_fen,
        "canteen": by_pinyin(Organisation.name),
    },
    tie=MealDonation.id,
    usual="-received_at",
)


def donations(
    session: Session,
    *,
    actor: Actor,
    part: Part,
    canteen_id: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Slice[DonationItem]:
    """Donations, newest first where ``part`` asks for no other order.

    The pot's and those of canteens of the actor's township; all for the district.
    Raises NotAllowed ``books_not_yours``.
    """
    actor.must_see_books()
    query = (
        select(MealDonation, Organisation.name, _reversed(MealDonation.transfer_id))
        .outerjoin(Organisation, Organisation.id == MealDonation.canteen_id)
        .where(_visible(actor))
    )
    if canteen_id is not None:
        query = query.where(MealDonation.canteen_id == canteen_id)
    if since is not None:
        query = query.where(MealDonation.received_on >= since)
    if until is not None:
        query = query.where(MealDonation.received_on <= until)
    found = slice_of(session, query, DONATION_ORDERS, part)
    return found.holding([DonationItem(*row) for row in found.items])


def donation_story(session: Session, *, actor: Actor, donation_id: UUID) -> DonationStory:
    """One donation with the meals that it became, first in, first out.

    Money of the pot is followed through its allotments into the canteens. Raises NotAllowed ``books_not_yours``;
    NotFound ``donation_unknown``.
    """
    actor.must_see_books()
    query = (
        select(MealDonation, Organisation.name, _reversed(MealDonation.transfer_id))
        .outerjoin(Organisation, Organisation.id == MealDonation.canteen_id)
        .where(MealDonation.id == donation_id, _visible(actor))
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound("donation_unknown", "没有这笔捐款", donation_id=donation_id)
    item = DonationItem(*row)
    used, allotted_fen = _uses(session, item.donation)
    used_fen = sum(one.fen for one in used)
    left = 0 if item.reversed else item.donation.amount_fen - used_fen
    last = _fed(session, used)
    return DonationStory(item, len({one.draw_id for one in used}), used_fen, allotted_fen, left, last)


def _uses(session: Session, donation: MealDonation) -> tuple[list[Used], int]:
    """Into which meals a donation went, in their order; and how much of it the pot has passed on."""
    pot = _flow(session, house_account(session, AccountKind.DONATED))
    parts = by_allotment(follow(*pot))
    mine = {allotment_id: sum(part.fen for part in of if part.id == donation.id) for allotment_id, of in parts.items()}
    if donation.canteen_id is not None:
        canteens: Collection[UUID] = [donation.canteen_id]
    else:
        canteens = _reached(session, [allotment_id for allotment_id, fen in mine.items() if fen])
    accounts = ensure_organisation_accounts(session, canteens, AccountKind.DONATED) if canteens else {}
    used: list[Used] = []
    for _, account_id in sorted(accounts.items()):
        gifts, draws = _flow(session, account_id)
        used += [one for one in follow(through_allotments(gifts, parts), draws) if one.gift_id == donation.id]
    return used, sum(mine.values())


def _reached(session: Session, allotment_ids: Collection[UUID]) -> list[UUID]:
    """The canteens that these allotments went to."""
    query = (
        select(Account.organisation_id)
        .join(Transfer, Transfer.to_account_id == Account.id)
        .where(Transfer.cause_id.in_(allotment_ids), Account.organisation_id.is_not(None))
        .distinct()
    )
    return [canteen_id for canteen_id in session.scalars(query) if canteen_id is not None]


def _flow(session: Session, account_id: int) -> tuple[list[Amount], list[Amount]]:
    """What came into an account and what went out of it, by cause."""
    gifts: list[Amount] = []
    draws: list[Amount] = []
    for cause_id, _, fen in session.execute(_FLOW, {"account_id": account_id}):
        (gifts if fen > 0 else draws).append(Amount(cause_id, abs(fen)))
    return gifts, draws


def _fed(session: Session, used: Sequence[Used]) -> list[FedMeal]:
    fen: dict[UUID, int] = defaultdict(int)
    for one in used:
        fen[one.draw_id] += one.fen
    query = (
        select(MealOrder.id, MealOrder.served_on, MealOrder.meal, Organisation.name)
        .join(Organisation, Organisation.id == MealOrder.canteen_id)
        .where(MealOrder.id.in_(list(fen)[-MEALS_SHOWN:]))
        .order_by(MealOrder.ended_at.desc(), MealOrder.id.desc())
    )
    return [FedMeal(*row, fen[row.id]) for row in session.execute(query)]


PRODUCE_ORDERS = Orders(
    of="produce",
    by={
        "received_at": ProduceGift.id,
        "received_on": ProduceGift.received_on,
        "item": by_pinyin(ProduceGift.item),
        "weight_g": ProduceGift.weight_g,
        "value_fen": ProduceGift.value_fen,
        "from": by_pinyin(ProduceGift.from_name),
        "canteen": by_pinyin(Organisation.name),
    },
    tie=ProduceGift.id,
    usual="-received_at",
)


def produce(
    session: Session,
    *,
    actor: Actor,
    part: Part,
    canteen_id: UUID | None = None,
    since: date | None = None,
    until: date | None = None,
) -> Slice[ProduceItem]:
    """Gifts of produce, newest first where ``part`` asks for no other order; days are those on which they came.

    Of the clerk's own canteen, of the steward's township, or all.

    Raises NotAllowed ``books_not_yours``.
    """
    own = actor.organisation_id if actor.staff_role is StaffRole.CANTEEN_CLERK else None
    if own is None:
        actor.must_see_books()
    query = select(ProduceGift, Organisation.name, _reversed(ProduceGift.transfer_id)).join(
        Organisation, Organisation.id == ProduceGift.canteen_id
    )
    if own is not None:
        query = query.where(ProduceGift.canteen_id == own)
    elif actor.staff_role is StaffRole.TOWNSHIP_STEWARD:
        query = query.where(Organisation.township_code == actor.township_code)
    if canteen_id is not None:
        query = query.where(ProduceGift.canteen_id == canteen_id)
    if since is not None:
        query = query.where(ProduceGift.received_on >= since)
    if until is not None:
        query = query.where(ProduceGift.received_on <= until)
    found = slice_of(session, query, PRODUCE_ORDERS, part)
    return found.holding([ProduceItem(*row) for row in found.items])


def _visible(actor: Actor) -> ColumnElement[bool]:
    if actor.staff_role is not StaffRole.TOWNSHIP_STEWARD:
        return true()
    return or_(MealDonation.canteen_id.is_(None), Organisation.township_code == actor.township_code)


def _reversed(transfer_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    undone = aliased(Transfer)
    return exists().where(undone.reverses_id == transfer_id).label("reversed")
