"""What is due for the jobs of home care, and how to see what they have made of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.care import add_provider, assigned, booked, confirmed, elder_with, visit
from tests.factories.people import XIWU, district, steward
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.redemption.care.models import CareBill, CareBooking, CareCharge
from timebank.redemption.care.queries import ProviderView
from timebank.redemption.care.queries.bookings import still_held

Look = Callable[[Session], object]


def _pair(bank: Database) -> tuple[Actor, ProviderView]:
    with bank.unit_of_work() as session:
        return elder_with(session, 300), add_provider(session)


def booked_a_while_ago(bank: Database) -> Look:
    """A visit that a provider is to be found for."""
    elder, _ = _pair(bank)
    booking = booked(bank, elder)
    clock.freeze(booking.next_assign_at)
    return lambda session: session.get_one(CareBooking, booking.id).status


def visited_three_days_ago(bank: Database) -> Look:
    """A visit that nobody has confirmed."""
    elder, provider = _pair(bank)
    booking = visit(bank, assigned(bank, elder, provider), provider, minutes=45)
    clock.freeze(booking.deadline_at)
    return lambda session: (session.get_one(CareBooking, booking.id).status, still_held(session, booking.id))


def visit_reversed_in_the_ledger(bank: Database) -> Look:
    """A visit whose minutes two stewards have given back."""
    booking = confirmed(bank, *_pair(bank))
    with bank.unit_of_work() as session:
        transfer_id = session.scalars(select(Transfer.id).where(Transfer.cause_id == booking.id)).one()
        reverse(session, actor=steward(XIWU), transfer_id=transfer_id, reason="记错")
        reverse(session, actor=district(), transfer_id=transfer_id, reason="同意")
    charged = select(func.sum(CareCharge.minutes), func.sum(CareCharge.fen))
    return lambda session: tuple(session.execute(charged).one())


def visited_last_month(bank: Database) -> Look:
    """A finished month with a visit and no bill."""
    confirmed(bank, *_pair(bank))
    clock.freeze(clock.day_start(date(2026, 4, 1)))
    return lambda session: session.execute(select(CareBill.month, CareBill.minutes)).all()
