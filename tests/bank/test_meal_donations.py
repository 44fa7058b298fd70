"""Money and vegetables given to meals: booked, corrected by two, and followed into the meals that they became."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk
from tests.factories.people import SHANGTIAN, XIWU, district, staff, steward
from tests.factories.subsidies import DONATED, GARDEN, Place, a_place, balance_fen, give, served, undone
from tests.factories.threads import at_once, codes_of
from timebank.canteens.pricing.rules import Meal
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.actions import NewDonation, NewProduce
from timebank.canteens.subsidies.models import MealDonation, ProduceGift
from timebank.canteens.subsidies.queries.gifts import DonationStory, donation_story, donations, produce
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.core.sorting import Part
from timebank.ledger.actions import reverse
from timebank.ledger.rules import AccountKind


@pytest.fixture(autouse=True)
def _the_tenth_of_march() -> Iterator[None]:
    clock.freeze(datetime(2026, 3, 10, 18, tzinfo=clock.LOCAL))
    yield
    clock.freeze(None)


@pytest.fixture
def place(bank: Database) -> Place:
    return a_place(bank, gifts=False)


def given(bank: Database, place: Place | None, fen: int) -> UUID:
    with bank.unit_of_work() as session:
        return give(session, place, fen)


def eaten(bank: Database, place: Place, days: int, *, fen: int = 100, meal: str = Meal.LUNCH) -> list[UUID]:
    with bank.unit_of_work() as session:
        line = (DONATED[0], DONATED[1], fen)
        return [
            served(session, place, place.diner, line, on=date(2026, 3, day), meal=meal) for day in range(1, days + 1)
        ]


def story(bank: Database, donation_id: UUID, who: Actor | None = None) -> DonationStory:
    with bank.session() as session:
        return donation_story(session, actor=who or district(), donation_id=donation_id)


def numbers(bank: Database, donation_id: UUID) -> tuple[int, int, int]:
    seen = story(bank, donation_id)
    return seen.meals, seen.used_fen, seen.left_fen


def test_a_donation_is_followed_into_the_meals_that_it_became_first_in_first_out(bank: Database, place: Place) -> None:
    first, second = given(bank, place, 250), given(bank, place, 1000)
    eaten(bank, place, 4)
    # The third meal was paid by both.
    assert numbers(bank, first) == (3, 250, 0)
    assert numbers(bank, second) == (2, 150, 850)
    assert [(meal.served_on.day, meal.fen) for meal in story(bank, second).last_meals] == [(4, 100), (3, 50)]


def test_only_the_last_ten_meals_are_shown(bank: Database, place: Place) -> None:
    donation = given(bank, place, 5000)
    eaten(bank, place, 12)
    seen = story(bank, donation)
    assert (seen.meals, [meal.served_on.day for meal in seen.last_meals]) == (12, list(range(12, 2, -1)))


def test_the_pots_money_is_followed_through_its_allotments_into_the_canteens(bank: Database, place: Place) -> None:
    other = a_place(bank, gifts=False)
    first, second = given(bank, None, 300), given(bank, None, 1000)
    for where, fen in ((place, 200), (other, 200)):
        with bank.unit_of_work() as session:
            actions.allot_donations(session, actor=district(), canteen_id=where.id, amount_fen=fen)
    eaten(bank, place, 1)
    eaten(bank, other, 2)
    assert (numbers(bank, first), story(bank, first).allotted_fen) == ((2, 200, 100), 300)
    assert (numbers(bank, second), story(bank, second).allotted_fen) == ((1, 100, 900), 100)


def test_a_meal_that_was_corrected_gives_back_what_was_donated_to_it(bank: Database, place: Place) -> None:
    donation = given(bank, place, 1000)
    meals = eaten(bank, place, 3)
    undone(bank, meals[0])
    assert numbers(bank, donation) == (2, 200, 800)


def test_a_wrong_donation_is_reversed_by_two_and_the_next_one_paid_for_its_meals(bank: Database, place: Place) -> None:
    wrong, right = given(bank, place, 500), given(bank, place, 1000)
    eaten(bank, place, 2)
    with bank.session() as session:
        transfer_id = session.get_one(MealDonation, wrong).transfer_id
    for who in (district(), steward(XIWU)):
        with bank.unit_of_work() as session:
            state = reverse(session, actor=who, transfer_id=transfer_id, reason="记到了别的助餐点")[0]
    assert state == "reversed"
    assert story(bank, wrong).item.reversed
    assert (numbers(bank, wrong), numbers(bank, right)) == ((0, 0, 0), (2, 200, 800))


def test_what_has_been_eaten_cannot_be_taken_back(bank: Database, place: Place) -> None:
    donation = given(bank, place, 200)
    eaten(bank, place, 1)
    with bank.session() as session:
        transfer_id = session.get_one(MealDonation, donation).transfer_id
    with bank.unit_of_work() as session:
        reverse(session, actor=district(), transfer_id=transfer_id, reason="记错")
    with bank.unit_of_work() as session, pytest.raises(Refused, match="insufficient_fen"):
        reverse(session, actor=district(), transfer_id=transfer_id, reason="同意")


def test_the_pot_is_not_allotted_beyond_what_is_in_it_and_only_by_the_district(bank: Database, place: Place) -> None:
    given(bank, None, 100)
    with bank.unit_of_work() as session, pytest.raises(Refused, match="insufficient_fen"):
        actions.allot_donations(session, actor=district(), canteen_id=place.id, amount_fen=101)
    with bank.unit_of_work() as session, pytest.raises(NotAllowed, match="district_only"):
        actions.allot_donations(session, actor=steward(XIWU), canteen_id=place.id, amount_fen=1)


def test_donations_are_received_and_seen_by_the_township_concerned(bank: Database, place: Place) -> None:
    form = NewDonation(100, clock.today(), "回单", "  ", place.id)
    with bank.unit_of_work() as session, pytest.raises(NotAllowed, match="other_township"):
        actions.receive_donation(session, actor=steward(SHANGTIAN), form=form)
    tomorrow = NewDonation(100, date(2026, 3, 11), "回单", None, place.id)
    with bank.unit_of_work() as session, pytest.raises(Refused, match="day_in_future"):
        actions.receive_donation(session, actor=steward(XIWU), form=tomorrow)
    with bank.unit_of_work() as session:
        made = actions.receive_donation(session, actor=steward(XIWU), form=form)
    assert made.donor_name is None
    pot = given(bank, None, 100)
    with bank.session() as session:
        seen = donations(session, actor=steward(SHANGTIAN), part=Part(10)).items
        assert [item.donation.id for item in seen] == [pot]
    with pytest.raises(NotFound, match="donation_unknown"):
        story(bank, made.id, steward(SHANGTIAN))


def test_produce_is_worth_what_policy_says_unless_a_steward_knows_better(bank: Database, place: Place) -> None:
    brought = NewProduce(place.id, "青菜", 2500, clock.today(), from_name="村民菜园")
    with bank.unit_of_work() as session:
        gift = actions.receive_produce(session, actor=canteen_clerk(place.canteen), form=brought)
    assert (gift.value_fen, gift.proposed_fen) == (1500, 1500)
    dearer = NewProduce(place.id, "青菜", 2500, clock.today(), value_fen=2000)
    with bank.unit_of_work() as session, pytest.raises(NotAllowed, match="value_is_the_stewards"):
        actions.receive_produce(session, actor=canteen_clerk(place.canteen), form=dearer)
    with bank.unit_of_work() as session:
        gift = actions.receive_produce(session, actor=steward(XIWU), form=dearer)
    assert (gift.value_fen, gift.proposed_fen) == (2000, 1500)
    with bank.unit_of_work() as session:
        served(session, place, place.diner, GARDEN)
    with bank.session() as session:
        assert balance_fen(session, place, AccountKind.PRODUCE) == 3450
        assert len(produce(session, actor=canteen_clerk(place.canteen), part=Part(10)).items) == 2
        assert produce(session, actor=steward(SHANGTIAN), part=Part(10)).items == []


def test_produce_of_another_canteen_is_not_the_clerks_business(bank: Database, place: Place) -> None:
    stranger = staff(StaffRole.CANTEEN_CLERK, XIWU, UUID(int=7))
    with bank.unit_of_work() as session, pytest.raises(NotAllowed, match="canteen_not_yours"):
        actions.receive_produce(session, actor=stranger, form=NewProduce(place.id, "青菜", 1000, clock.today()))
    with bank.session() as session:
        assert session.scalars(select(ProduceGift)).all() == []


def refused_reference(bank: Database, place: Place, reference: str) -> Conflict | None:
    """What is said to whoever enters money under this number; None where it is entered."""
    form = NewDonation(100, clock.today(), reference, None, place.id)
    try:
        with bank.unit_of_work() as session:
            actions.receive_donation(session, actor=steward(XIWU), form=form)
    except Conflict as refusal:
        return refusal
    return None


def test_a_receipt_brings_money_in_once_until_its_entry_is_reversed(bank: Database, place: Place) -> None:
    assert refused_reference(bank, place, "回单7号") is None
    again = refused_reference(bank, place, " 回单7号 ")
    assert again is not None
    assert again.code == "reference_already_entered"
    assert again.facts["received_by_name"] == steward(XIWU).name
    assert "2026年03月10日" in again.title
    with bank.session() as session:
        transfer_id = session.scalars(select(MealDonation.transfer_id)).one()
    for who in (district(), district()):
        with bank.unit_of_work() as session:
            reverse(session, actor=who, transfer_id=transfer_id, reason="金额写错")
    assert refused_reference(bank, place, "回单7号") is None
    assert refused_reference(bank, place, "回单7号") is not None


def test_of_many_who_enter_the_same_receipt_at_once_one_does(bank: Database, place: Place) -> None:
    def enter(session: Session) -> object:
        form = NewDonation(100, clock.today(), "回单8号", None, place.id)
        return actions.receive_donation(session, actor=steward(XIWU), form=form)

    assert codes_of(at_once(bank, [enter] * 4)) == ["ok", *["reference_already_entered"] * 3]


def test_the_database_takes_no_receipt_twice_either(bank: Database, place: Place) -> None:
    assert refused_reference(bank, place, "回单9号") is None
    again = text("""INSERT INTO meal_donation (id, amount_fen, canteen_id, received_on, reference, note, received_at,
        received_by, received_by_name, transfer_id)
    SELECT :id, amount_fen, canteen_id, received_on, reference, note, received_at, received_by, received_by_name, :id
    FROM meal_donation""")
    with bank.session() as session, pytest.raises(DBAPIError, match="entered before"):
        session.execute(again, {"id": new_id()})
