"""Selling at the counter 现卖: ordered and handed over in one go, while the meal is served."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.canteens.counter.actions.serve import serve_order
from timebank.canteens.orders.actions import Quote, place_order, quote
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderSource, OrderWanted
from timebank.canteens.pricing.rules import Way
from timebank.canteens.purses.actions.slips import counter_of
from timebank.core import clock
from timebank.core.actors import Actor


@dataclass(frozen=True, slots=True)
class Sale:
    """What is sold: dishes (item, quantity) of today's meal to a diner, or without one to a guest, who pays cash."""

    meal: str
    items: tuple[tuple[UUID, int], ...]
    person_id: UUID | None = None
    cash: bool = False
    use_voucher: bool = False
    way: str = Way.EAT_IN
    note: str = ""
    accept_unsuitable: bool = False


def sell(session: Session, *, actor: Actor, sale: Sale) -> MealOrder:
    """Sell a meal at the clerk's own counter after the cut-off, priced by the same rules as any other.

    Raises NotAllowed ``clerk_only``, and what ``place_order`` and ``serve_order`` raise.
    """
    order = place_order(session, actor=actor, wanted=_wanted(actor, sale))
    return serve_order(session, actor=actor, order_id=order.id)


def quote_sale(session: Session, *, actor: Actor, sale: Sale) -> Quote:
    """What the meal would cost at the clerk's own counter now; nothing is taken or locked.

    Raises NotAllowed ``clerk_only``, and what ``quote`` raises.
    """
    return quote(session, actor=actor, wanted=_wanted(actor, sale))


def _wanted(actor: Actor, sale: Sale) -> OrderWanted:
    return OrderWanted(
        diner_id=sale.person_id,
        canteen_id=counter_of(actor),
        served_on=clock.today(),
        meal=sale.meal,
        way=sale.way,
        items=sale.items,
        use_voucher=sale.use_voucher,
        note=sale.note,
        source=OrderSource.COUNTER,
        walk_in=True,
        cash=sale.cash,
        accept_unsuitable=sale.accept_unsuitable,
    )
