"""Money given to meals: received, passed on from the pot, and followed into the meals that it became."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.meal_donations.schemas import (
    AllotMealDonationsBody,
    AllotmentOfDonationsAnswer,
    MealDonationAnswer,
    MealDonationPage,
    MealDonationsQuery,
    ReceiveMealDonationBody,
)
from app.api.operation import operation
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.actions import NewDonation
from timebank.canteens.subsidies.queries import gifts
from timebank.canteens.subsidies.queries.gifts import DonationItem, DonationStory
from timebank.core.actors import Actor

doors = Doors("meal_donations", __name__, url_prefix="/api/v1/meal-donations", description="助餐捐款")

_OF_THE_DONATION = (
    *("donor_name", "amount_fen", "canteen_id", "received_on", "reference", "note"),
    *("received_at", "received_by_name", "transfer_id"),
)


@operation(
    doors, "", "meal_donations.receive", "登记助餐捐款",
    method="POST", body=ReceiveMealDonationBody, answers=MealDonationAnswer, status=201, key="required",
)  # fmt: skip
def receive(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    made = actions.receive_donation(session, actor=actor, form=NewDonation(**body))
    return _story(gifts.donation_story(session, actor=actor, donation_id=made.id))


@operation(
    doors, "/allot", "meal_donations.allot", "把区级捐款分配给助餐点",
    method="POST", body=AllotMealDonationsBody, answers=AllotmentOfDonationsAnswer, status=201, key="required",
)  # fmt: skip
def allot(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    made = actions.allot_donations(session, actor=actor, **body)
    names = ("canteen_id", "amount_fen", "note", "allotted_at", "allotted_by_name", "transfer_id")
    return {"allotment_id": made.id, **{name: getattr(made, name) for name in names}}


@operation(doors, "", "meal_donations.list", "助餐捐款列表", query=MealDonationsQuery, answers=MealDonationPage)
def list_(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    part = part_of(query, gifts.DONATION_ORDERS)
    wanted = {name: query.get(name) for name in ("canteen_id", "since", "until")}
    found = gifts.donations(session, actor=actor, part=part, **wanted)
    return listed(found.holding([_item(item) for item in found.items]), gifts.DONATION_ORDERS)


@operation(doors, "/<uuid:donation_id>", "meal_donations.show", "一笔捐款变成了多少餐", answers=MealDonationAnswer)
def show(session: Session, actor: Actor, donation_id: UUID) -> dict[str, Any]:
    return _story(gifts.donation_story(session, actor=actor, donation_id=donation_id))


def _item(item: DonationItem) -> dict[str, Any]:
    return {
        "donation_id": item.donation.id,
        "canteen_name": item.canteen_name,
        "reversed": item.reversed,
        **{name: getattr(item.donation, name) for name in _OF_THE_DONATION},
    }


def _story(story: DonationStory) -> dict[str, Any]:
    return {
        **_item(story.item),
        "meals": story.meals,
        "used_fen": story.used_fen,
        "allotted_fen": story.allotted_fen,
        "left_fen": story.left_fen,
        "last_meals": [
            {
                "served_on": one.served_on,
                "meal": one.meal,
                "meal_name": MEAL_NAMES[Meal(one.meal)],
                "canteen_name": one.canteen_name,
                "fen": one.fen,
            }
            for one in story.last_meals
        ],
    }
