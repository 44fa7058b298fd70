"""Served meals for tests of claims: orders with receipts as the bank writes them, and the transfers that pay for them.

The orders are made by hand, receipt line by receipt line, so that a test can also make what the bank never would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from tests.factories.canteens import open_canteen
from tests.factories.diners import approved_diner
from tests.factories.menus import an_item, drafted_menu, monday_of
from tests.factories.people import XIWU, district, steward
from timebank.canteens.counter.actions import correct
from timebank.canteens.diners.queries import facts_on
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.network.actions import approve_grade, propose_grade
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import Service, services_on
from timebank.canteens.orders.models import MealOrder, MealOrderItem, MealOrderLine, MealService
from timebank.canteens.pricing.rules import Meal, Share
from timebank.canteens.subsidies import actions
from timebank.canteens.subsidies.actions import NewDonation, NewProduce
from timebank.canteens.subsidies.models import SubsidyClaim, SubsidyFinding
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.policies.queries import in_force

MARCH, APRIL = "2026-03", "2026-04"
THE_TENTH = date(2026, 3, 10)
NOON, EVENING = time(11, 30), time(17)
PRICE_FEN = 1200
GOVERNMENT_80 = ("government", "government_80", 400)
DONATED, GARDEN = ("donation", "company_donation", 100), ("garden", "garden_produce", 50)
CARRIED, VOUCHER = ("volunteers", "volunteer_delivery", 300), ("volunteers", "voucher", 500)

Borne = tuple[str, str, int]
"""Who bears how much by which rule: share, rule, fen."""

_SOURCES = {
    Share.GOVERNMENT: (AccountKind.SUBSIDY, "meal_government"),
    Share.DONATION: (AccountKind.DONATED, "meal_donation"),
    Share.GARDEN: (AccountKind.PRODUCE, "meal_garden"),
    Share.VOLUNTEERS: (AccountKind.VOLUNTEERED, "meal_volunteers"),
    Share.ELDER: (AccountKind.TILL, "meal_elder"),
}
_OF_CANTEENS = (AccountKind.DONATED, AccountKind.PRODUCE, AccountKind.TILL)


@dataclass(frozen=True, slots=True)
class Place:
    """A canteen of 西坞 and an elder of eighty-two who eats there."""

    canteen: Canteen
    diner: Actor

    @property
    def id(self) -> UUID:
        return self.canteen.id


def a_place(bank: Database, *, capacity: int = 100, township_code: str = XIWU, gifts: bool = True) -> Place:
    """An open canteen with a diner; where asked, with donated money and produce enough for many meals."""
    with bank.unit_of_work() as session:
        canteen = open_canteen(session, township_code, capacity=capacity)
        place = Place(canteen, approved_diner(session, township_code, canteen=canteen.id))
        if gifts:
            give(session, place, 10_000)
            bring(session, place, 10_000)
    return place


def give(session: Session, place: Place | None, fen: int, *, donor: str | None = "甬江食品公司") -> UUID:
    """Money for a canteen, or for the pot; answers the donation."""
    form = NewDonation(fen, clock.today(), f"银行回单{new_id()}", donor, place.id if place is not None else None)
    return actions.receive_donation(session, actor=district(), form=form).id


def bring(session: Session, place: Place, fen: int) -> UUID:
    """Vegetables of this worth; answers the gift."""
    form = NewProduce(place.id, "青菜", 2000, clock.today(), value_fen=fen)
    return actions.receive_produce(session, actor=steward(XIWU), form=form).id


def served(
    session: Session,
    place: Place,
    diner: Actor | None,
    *borne: Borne,
    on: date = THE_TENTH,
    meal: str = Meal.LUNCH,
    at: datetime | None = None,
    price_fen: int = PRICE_FEN,
    delivery_fen: int = 0,
    by: Actor | None = None,
    source: str = "counter",
    policy_version: int | None = None,
) -> UUID:
    """A meal that was eaten and paid: ``borne`` as said, the rest by the elder in cash. Answers the order."""
    at = at or clock.day_start(on).replace(hour=11 if meal == Meal.LUNCH else 17, minute=30)
    order_id = _placed(
        session, place, diner, borne, on, meal, at, (price_fen, delivery_fen), by, source, policy_version
    )
    session.execute(
        update(MealOrder)
        .where(MealOrder.id == order_id)
        .values(state="served", ended_at=at, ended_by=new_id(), ended_by_name="窗口", cash_fen=MealOrder.elder_fen)
    )
    pay_for(session, place, order_id, at=at)
    return order_id


def _placed(
    session: Session,
    place: Place,
    diner: Actor | None,
    borne: Sequence[Borne],
    on: date,
    meal: str,
    at: datetime,
    prices: tuple[int, int],
    by: Actor | None,
    source: str,
    policy_version: int | None,
) -> UUID:
    price_fen, delivery_fen = prices
    shares = {share: sum(fen for of, _, fen in borne if of == share) for share in Share}
    listed = price_fen + delivery_fen
    shares[Share.ELDER] = listed - sum(shares.values())
    version = policy_version or in_force(session, at=at).version
    order = MealOrder(
        id=new_id(),
        diner_id=diner.person() if diner is not None else None,
        canteen_id=place.id,
        served_on=on,
        meal=meal,
        way="deliver" if delivery_fen else "eat_in",
        diet_form="normal",
        **_priced_by(session, diner, on),
        state="placed",
        source=source,
        revision=1,
        portions=1,
        list_fen=listed,
        **{f"{share}_fen": fen for share, fen in shares.items()},
        policy_version=version,
        pickup_number=_counted(session, place.canteen, on, meal),
        delivery_address="老街2号" if delivery_fen else None,
        delivery_note="",
        note="",
        cut_off_at=at - timedelta(hours=2),
        placed_at=at - timedelta(days=1),
        placed_by=by.login_id if by is not None else new_id(),
        placed_by_name=by.name if by is not None else "窗口",
        end_reason="",
    )
    session.add(order)
    session.flush()
    item = _item(session, place.id, on, meal, price_fen)
    item.portions_ordered += 1
    dish = {"menu_item_id": item.id, "name": item.name, "quantity": 1, "price_fen": price_fen, "is_love_meal": False}
    session.execute(insert(MealOrderItem), [{"order_id": order.id, "revision": 1, "line": 1, **dish}])
    listed_lines = [(None, "dish", price_fen), *([(None, "delivery", delivery_fen)] if delivery_fen else [])]
    elder = [("elder", "elder_pays", shares[Share.ELDER])] if shares[Share.ELDER] else []
    rows = [
        {
            "order_id": order.id,
            "revision": 1,
            "line": number,
            "share": share,
            "rule_key": key,
            "label": key,
            "fen": fen,
            "policy_version": version,
        }
        for number, (share, key, fen) in enumerate([*listed_lines, *borne, *elder], start=1)
    ]
    session.execute(insert(MealOrderLine).values(rows))
    return order.id


def _priced_by(session: Session, diner: Actor | None, on: date) -> dict[str, object]:
    if diner is None:
        return {}
    facts = facts_on(session, [diner.person()], on)[diner.person()]
    return {"household_id": facts.household_id, "assessment_level": facts.assessment_level}


def _counted(session: Session, canteen: Canteen, on: date, meal: str) -> int:
    """One place more is taken; answers the number to be called out."""
    service = services_on(session, [(canteen.id, on, meal)])[canteen.id, on, meal]
    assert isinstance(service, Service)
    hours = {"opens_at": service.opens_at, "closes_at": service.closes_at}
    row = {"canteen_id": canteen.id, "served_on": on, "meal": meal, "capacity_meals": 100, **hours}
    new = upsert(MealService).values(**row, ordered_meals=1, last_pickup_number=1)
    more = {"ordered_meals": MealService.ordered_meals + 1, "last_pickup_number": MealService.last_pickup_number + 1}
    counted = new.on_conflict_do_update(index_elements=["canteen_id", "served_on", "meal"], set_=more)
    return int(session.execute(counted.returning(MealService.last_pickup_number)).scalar_one())


def _item(session: Session, canteen_id: UUID, on: date, meal: str, price_fen: int) -> MenuItem:
    monday, name = monday_of(on), f"套餐{price_fen}"
    menu = session.scalar(select(Menu).where(Menu.canteen_id == canteen_id, Menu.week_starts_on == monday))
    if menu is None:
        menu = drafted_menu(session, canteen_id, monday)
        an_item(session, menu, name="白米饭", price_fen=100)
        menu.state, menu.released_at, menu.released_by_name = "released", clock.now(), "沈师傅"
        session.flush()
    found = session.scalar(
        select(MenuItem).where(
            MenuItem.menu_id == menu.id, MenuItem.served_on == on, MenuItem.meal == meal, MenuItem.name == name
        )
    )
    return found or an_item(session, menu, on, meal, name=name, price_fen=price_fen)


def pay_for(session: Session, place: Place, order_id: UUID, *, at: datetime) -> None:
    """The transfers of a served order, as serving posts them."""
    order = session.get_one(MealOrder, order_id, populate_existing=True)
    target = ensure_organisation_accounts(session, [place.id], AccountKind.CANTEEN)[place.id]
    movements = tuple(
        Movement(
            id=new_id(),
            from_account_id=account_of(session, place, share),
            to_account_id=target,
            amount=getattr(order, f"{share}_fen"),
            kind=kind,
            effective_at=at,
            cause_kind="meal_order",
            cause_id=order_id,
            policy_version=order.policy_version,
        )
        for share, (_, kind) in _SOURCES.items()
        if getattr(order, f"{share}_fen")
    )
    post_one(session, movements)


def account_of(session: Session, place: Place, share: Share) -> int:
    """The account that bears a share of this canteen's meals."""
    kind, _ = _SOURCES[share]
    if kind in _OF_CANTEENS:
        return ensure_organisation_accounts(session, [place.id], kind)[place.id]
    return house_account(session, kind)


def undone(bank: Database, order_id: UUID) -> None:
    """A served meal corrected by two stewards, all its shares reversed."""
    for who in (steward(XIWU), steward(XIWU)):
        with bank.unit_of_work() as session:
            correct(session, actor=who, order_id=order_id, reason="老人没有来")


def granted(bank: Database, place: Place) -> int:
    """The subsidy of this year's grade, credited to the canteen; answers how much it is."""
    with bank.unit_of_work() as session:
        propose_grade(session, actor=district(), canteen_id=place.id, year=clock.today().year, grade="A")
    with bank.unit_of_work() as session:
        return approve_grade(session, actor=district(), canteen_id=place.id, year=clock.today().year).subsidy_fen


def computed(bank: Database, place: Place, month: str = MARCH, *, by: Actor | None = None) -> SubsidyClaim:
    """The claim of a month, computed by a steward of the township."""
    with bank.unit_of_work() as session:
        return actions.compute_claim(session, actor=by or steward(XIWU), canteen_id=place.id, month=month)


def findings(bank: Database, claim: SubsidyClaim) -> list[SubsidyFinding]:
    """What was found in a claim."""
    query = select(SubsidyFinding).where(SubsidyFinding.claim_id == claim.id).order_by(SubsidyFinding.number)
    with bank.session() as session:
        return list(session.scalars(query))


def answered(bank: Database, claim: SubsidyClaim, decision: str = "upheld") -> None:
    """Every finding answered alike."""
    for one in findings(bank, claim):
        with bank.unit_of_work() as session:
            actions.decide_finding(
                session, actor=steward(XIWU), claim_id=claim.id, number=one.number, decision=decision, reason="已核实"
            )


def approved(bank: Database, claim: SubsidyClaim) -> None:
    """Approved by two."""
    for who in (steward(XIWU), district()):
        with bank.unit_of_work() as session:
            actions.approve_claim(session, actor=who, claim_id=claim.id)


def paid(bank: Database, claim: SubsidyClaim) -> SubsidyClaim:
    """Approved by two and paid."""
    approved(bank, claim)
    with bank.unit_of_work() as session:
        return actions.pay_claim(session, actor=district(), claim_id=claim.id, reference="拨款单1号")


def balance_fen(session: Session, place: Place, kind: AccountKind) -> int:
    """What is in an account of a canteen, from its transfers."""
    account_id = ensure_organisation_accounts(session, [place.id], kind)[place.id]
    query = """SELECT coalesce(sum(CASE WHEN to_account_id = :id THEN amount ELSE -amount END), 0)
    FROM ledger_transfer WHERE :id IN (to_account_id, from_account_id)"""
    return int(session.execute(text(query), {"id": account_id}).scalar_one())
