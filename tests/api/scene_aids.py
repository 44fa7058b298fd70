"""Aids of the scene: in 西坞 one reserved and one lent to the elder, one in repair, one free; in 大堰 one free."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.aids import add_aid
from tests.factories.minutes import save_minutes
from tests.factories.people import DAYAN, XIWU, steward
from timebank.core.actors import Actor
from timebank.redemption.aids.actions import Wish, lend, reserve, send_to_repair


def add_aids(session: Session, elder: Actor) -> tuple[dict[str, UUID], dict[str, UUID]]:
    """Ids of items and of loans, by how they stand; all that the elder was given for them is held."""
    items = {name: add_aid(session, XIWU).id for name in ("reserved", "lent", "in_repair", "free_here")}
    items["free"] = add_aid(session, DAYAN, kind="walker", name="助行器").id
    send_to_repair(session, actor=steward(XIWU), item_id=items["in_repair"], reason="轮胎漏气")
    save_minutes(session, elder, 30 * 5)
    wishes = {"reserved": Wish(2, item_id=items["reserved"]), "lent": Wish(3, item_id=items["lent"])}
    loans = {name: reserve(session, actor=elder, wish=wish) for name, wish in wishes.items()}
    lend(session, actor=steward(XIWU), loan_id=loans["lent"].id, condition="good", code=loans["lent"].code)
    return items, {name: loan.id for name, loan in loans.items()}
