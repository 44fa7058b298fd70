"""Looking a diner up at the counter, by name and last four of the number, with what is in the purse."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from timebank.canteens.network.queries import canteen_here
from timebank.canteens.purses.actions.slips import counter_of
from timebank.canteens.purses.queries import Purse, purses_of
from timebank.core.actors import Actor
from timebank.redemption.actions.find_diners import Diner, find_diners


@dataclass(frozen=True, slots=True)
class FoundDiner:
    """Somebody whom a clerk may mean, and that person's purse."""

    diner: Diner
    purse: Purse


def find_diner(session: Session, *, actor: Actor, name: str, id_last_four: str) -> list[FoundDiner]:
    """People with this name and these last four; every look-up is written down and counted.

    Raises NotAllowed ``clerk_only``, ``too_many_lookups``; NotFound ``canteen_unknown``; Refused
    ``last_four_invalid``.
    """
    canteen_here(session, counter_of(actor))
    found = find_diners(session, actor=actor, name=name, id_last_four=id_last_four)
    purses = purses_of(session, [diner.person_id for diner in found])
    return [FoundDiner(diner, purses[diner.person_id]) for diner in found]
