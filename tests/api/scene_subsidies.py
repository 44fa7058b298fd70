"""Claims of the scene: in 西坞 last month's claim of a canteen, with a finding that nobody has answered; a donation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.diners import approved_diner
from tests.factories.people import XIWU, steward
from tests.factories.subsidies import Place, give, served
from timebank.canteens.network.models import Canteen
from timebank.canteens.subsidies.actions import compute_claim
from timebank.canteens.subsidies.rules import month_of
from timebank.core import clock
from timebank.redemption.care.rules import month_start


@dataclass(frozen=True, slots=True)
class Claims:
    """What the scene has of claims."""

    canteen_id: UUID
    claim_id: UUID
    donation_id: UUID
    month: str


def add_claims(session: Session, canteen_id: UUID) -> Claims:
    """A meal of last month, for which the government gave a yuan too much, and its claim."""
    place = Place(session.get_one(Canteen, canteen_id), approved_diner(session, XIWU, name="毛福根"))
    donation_id = give(session, place, 5000)
    last = clock.local_date(month_start(month_of(clock.now())) - timedelta(days=1))
    over = ("government", "government_80", 500)
    served(session, place, place.diner, over, ("donation", "company_donation", 100), on=last)
    month = f"{last:%Y-%m}"
    claim = compute_claim(session, actor=steward(XIWU), canteen_id=place.id, month=month)
    return Claims(place.id, claim.id, donation_id, month)
