"""Who eats in the demo, and of what: two approved diners with their doors on the map, a filled purse, gifts."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.diners.actions import Application, apply
from timebank.canteens.diners.models import Diner
from timebank.canteens.purses.actions import top_up
from timebank.canteens.purses.models import PurseSlip
from timebank.canteens.subsidies.actions import NewDonation, NewProduce, receive_donation, receive_produce
from timebank.canteens.subsidies.models import MealDonation, ProduceGift
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.people.queries import actor_of

GIVEN_TO = "canteen-xiwu"
DONATION_FEN, PRODUCE_FEN = 200_000, 30_000
PRODUCE_G = 60_000


@dataclass(frozen=True, slots=True)
class DemoDiner:
    """Where a diner lives, and the clerk's login of the usual canteen; money in the purse in fen."""

    clerk: str
    address: str
    note: str
    latitude: float
    longitude: float
    purse_fen: int = 0


DINERS = {
    "周奶奶": DemoDiner("canteen-xiwu", "西坞街道西坞村河头路12号", "二楼，请按门铃", 29.6921, 121.4713, 10_000),
    "吴爷爷": DemoDiner("canteen-dayan", "大堰镇大堰村桥头6号", "院门不锁，请送到屋里", 29.5260, 121.2643),
}
"""By name."""


def demo_meals(
    session: Session,
    seeder: Actor,
    *,
    canteens: Mapping[str, UUID],
    clerks: Mapping[str, UUID],
    people: Mapping[str, UUID],
) -> None:
    """Enter the diners, fill a purse, receive gifts: each where nothing of it is there yet.

    Canteens and clerks' logins by the clerks' names, people by their own. What somebody changed in the demo, who left
    or a canteen that closed, may stand in the way of some of it.
    """
    for name, demo in DINERS.items():
        with suppress(BankError), session.begin_nested():
            _enter(session, seeder, people[name], demo, canteens[demo.clerk])
        clerk = actor_of(session, clerks[demo.clerk])
        if clerk is not None:
            with suppress(BankError), session.begin_nested():
                _fill_purse(session, clerk, people[name], demo.purse_fen)
    with suppress(BankError), session.begin_nested():
        _give(session, seeder, canteens[GIVEN_TO])


def _enter(session: Session, seeder: Actor, person_id: UUID, demo: DemoDiner, canteen_id: UUID) -> None:
    if session.get(Diner, person_id) is not None:
        return
    wishes = {
        "usual_canteen_id": canteen_id,
        "delivery_address": demo.address,
        "delivery_note": demo.note,
        "latitude": demo.latitude,
        "longitude": demo.longitude,
    }
    apply(session, actor=seeder, form=Application(person_id, wishes))


def _fill_purse(session: Session, clerk: Actor, person_id: UUID, fen: int) -> None:
    filled = session.scalar(select(PurseSlip.id).where(PurseSlip.person_id == person_id).limit(1))
    if fen and filled is None:
        top_up(session, actor=clerk, person_id=person_id, amount_fen=fen, note="演示充值")


def _give(session: Session, seeder: Actor, canteen_id: UUID) -> None:
    """Money and vegetables enough for many meals."""
    today = clock.today()
    if session.scalar(select(MealDonation.id).where(MealDonation.canteen_id == canteen_id).limit(1)) is None:
        given = NewDonation(DONATION_FEN, today, "演示捐款", "奉化某食品企业", canteen_id)
        receive_donation(session, actor=seeder, form=given)
    if session.scalar(select(ProduceGift.id).where(ProduceGift.canteen_id == canteen_id).limit(1)) is None:
        brought = NewProduce(canteen_id, "青菜", PRODUCE_G, today, PRODUCE_FEN, "西坞村爱心菜园")
        receive_produce(session, actor=seeder, form=brought)
