"""Placing orders: priced now, counted, held; nothing is posted, and what is refused changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.diners import enrolled
from tests.factories.orders import (
    GREENS,
    LOVE,
    MORNING,
    PORK,
    Kitchen,
    a_diner,
    a_kitchen,
    at_hour,
    give_money,
    make_proxy,
    ordered_at,
    placed,
    portions_of,
    purse_of,
    vouchers_for,
)
from tests.factories.people import DAYAN, XIWU, add_person, steward
from timebank.canteens.network.actions import add_closed_days
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.actions import OrderWanted, cancel_order, place_order, place_orders, quote
from timebank.canteens.orders.models import MealOrder, MealOrderItem, MealOrderLine, SubsidyUse
from timebank.canteens.orders.views import see_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Hold, Transfer
from timebank.notifications.models import Notice
from timebank.people.models import Person
from timebank.people.rules import ProxyScope


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def test_an_order_is_priced_counted_and_held_and_nothing_is_posted(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=5000)
        before = session.scalar(select(func.count()).select_from(Transfer))
        order = placed(session, kitchen, diner, PORK, GREENS)
    with bank.session() as session:
        assert (order.list_fen, order.portions, order.pickup_number, order.state) == (1700, 2, 1, "placed")
        assert (order.list_fen, order.source) == (order.elder_fen + order.government_fen, "phone")
        assert order.government_fen > 0
        assert purse_of(session, diner) == (5000, order.elder_fen)
        assert (ordered_at(session, kitchen), portions_of(session, kitchen.dish(PORK))) == (2, 1)
        assert session.scalar(select(func.sum(SubsidyUse.used_fen))) == order.government_fen
        assert session.scalar(select(func.count()).select_from(Transfer)) == before
        view = see_order(session, order)
        assert [(item.name, item.price_fen) for item in view.items] == [(PORK, 1200), (GREENS, 500)]
        assert sum(line.fen for line in view.lines if line.share is None) == 1700
        assert {line.policy_version for line in view.lines} == {order.policy_version}


def test_money_given_to_the_canteen_is_held_with_the_order(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        give_money(session, kitchen.canteen.id, 100_000)
        order = placed(session, kitchen, diner, PORK)
        held = dict(session.execute(select(Hold.account_id, Hold.amount).where(Hold.cause_id == order.id)).all())
        assert order.donation_fen > 0
        assert sorted(held.values()) == sorted([order.elder_fen, order.donation_fen])


def test_a_later_price_touches_no_order_made_before(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        asked = quote(session, actor=diner, wanted=kitchen.supper(diner))
        assert asked.decided.receipt.list_fen == 600
        assert see_order(session, order).items[0].price_fen == 1200


def test_a_quote_takes_nothing_and_tells_what_the_purse_lacks(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=100)
        asked = quote(session, actor=diner, wanted=kitchen.lunch(diner, PORK, use_voucher=True))
    assert (asked.purse_fen, asked.decided.voucher_id) == (100, None)
    assert asked.decided.receipt.elder_fen > 100
    with bank.session() as session:
        assert (ordered_at(session, kitchen), purse_of(session, diner)) == (0, (100, 0))
        assert session.scalar(select(func.count()).select_from(MealOrder)) == 0


def test_a_voucher_pays_what_would_be_left_to_the_elder_and_is_set_aside(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=0)
        # Both expire at the same moment, and ids of one moment come in any order.
        first = min(vouchers_for(session, diner, 2), key=lambda voucher: voucher.id)
        order = placed(session, kitchen, diner, use_voucher=True)
        session.refresh(first)
        assert (order.voucher_id, order.elder_fen, first.set_aside_for) == (first.id, 0, order.id)
        again = place_order(session, actor=diner, wanted=kitchen.supper(diner, use_voucher=True))
        assert again.voucher_id not in (None, first.id)


def test_a_proxy_a_clerk_and_a_steward_order_with_both_names(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        proxy = add_person(session, XIWU, age=45, name="周小敏")
        make_proxy(session, diner, proxy, scopes=[ProxyScope.MEALS])
        found = []
        for actor in (proxy, kitchen.clerk, steward(XIWU)):
            order = place_order(session, actor=actor, wanted=kitchen.lunch(diner))
            found.append((order.source, order.placed_by_name))
            cancel_order(session, actor=actor, order_id=order.id, reason="试")
        about_meals = (Notice.person_id == diner.person(), Notice.title.contains("订餐"))
        told = session.scalars(select(Notice.title).where(*about_meals)).all()
    assert found == [
        ("proxy", "周小敏（代周桂芬）"),
        ("counter", f"{kitchen.clerk.name}（代周桂芬）"),
        ("steward", f"{steward(XIWU).name}（代周桂芬）"),
    ]
    assert sorted(told) == ["已为您订餐"] * 3 + ["订餐已取消"] * 3


def test_a_guest_pays_cash_at_the_counter_and_takes_nothing_from_the_government(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        clock.freeze(at_hour(11))
        order = place_order(session, actor=kitchen.clerk, wanted=kitchen.lunch(None, PORK, cash=True, walk_in=True))
        assert (order.elder_fen, order.cash_fen, order.government_fen, order.source) == (1200, 1200, 0, "counter")
        assert session.scalar(select(func.count()).select_from(Hold)) == 0


Wish = Callable[[Session, Kitchen, Actor], tuple[Actor, OrderWanted]]


def _by(**how: object) -> Wish:
    return lambda _session, kitchen, diner: (diner, kitchen.lunch(diner, PORK, **how))


def _later(hour: int) -> Wish:
    def wish(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
        clock.freeze(at_hour(hour))
        return diner, kitchen.lunch(diner, PORK)

    return wish


def _closed(session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    day = kitchen.day + timedelta(days=1)
    days = {"first_on": day, "last_on": day, "reason": "停水"}
    add_closed_days(session, actor=steward(XIWU), canteen_id=kitchen.canteen.id, **days)  # type: ignore[arg-type]
    items = ((kitchen.dish(day=day), 1),)
    return diner, replace(kitchen.lunch(diner), served_on=day, items=items)


def _no_breakfast_dish(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return diner, replace(kitchen.lunch(diner), items=((kitchen.dish(meal=Meal.SUPPER), 1),))


def _too_many(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return diner, replace(kitchen.lunch(diner), items=((kitchen.dish(), 6),))


def _twice(session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    placed(session, kitchen, diner)
    session.flush()
    return diner, kitchen.lunch(diner, PORK)


def _stranger(session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return add_person(session, XIWU, name="吴强"), kitchen.lunch(diner)


def _scope_missing(session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    proxy = add_person(session, XIWU, age=45, name="周小敏")
    make_proxy(session, diner, proxy, scopes=[ProxyScope.HELP])
    return proxy, kitchen.lunch(diner)


def _other_clerk(session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return canteen_clerk(open_canteen(session)), kitchen.lunch(diner)


def _other_steward(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return steward(DAYAN), kitchen.lunch(diner)


def _not_approved(session: Session, kitchen: Kitchen, _diner: Actor) -> tuple[Actor, OrderWanted]:
    nobody = enrolled(session)
    return nobody, kitchen.lunch(nobody)


def _left(session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    session.get_one(Person, diner.person()).left_at = clock.now()
    return diner, kitchen.lunch(diner)


def _guest_on_the_phone(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return diner, kitchen.lunch(None, cash=True)


def _in_cash_beforehand(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return kitchen.clerk, kitchen.lunch(diner, cash=True)


def _nowhere(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return diner, kitchen.lunch(diner, canteen_id=new_id())


def _far(_session: Session, kitchen: Kitchen, diner: Actor) -> tuple[Actor, OrderWanted]:
    return diner, kitchen.lunch(diner, served_on=kitchen.day + timedelta(days=15))


REFUSED: dict[str, tuple[Wish, str]] = {
    "past the cut-off": (_later(9), "cut_off_passed"),
    "for a closed day": (_closed, "canteen_closed_that_day"),
    "at a canteen that is not there": (_nowhere, "canteen_unknown"),
    "two weeks and a day ahead": (_far, "too_far_ahead"),
    "a dish of another meal": (_no_breakfast_dish, "item_unknown"),
    "six of one dish": (_too_many, "quantity_too_many"),
    "nothing at all": (_by(items=()), "items_unclear"),
    "a second lunch": (_twice, "already_ordered"),
    "by a stranger": (_stranger, "not_your_elder"),
    "by a proxy for other things": (_scope_missing, "proxy_scope_missing"),
    "by another canteen's clerk": (_other_clerk, "canteen_not_yours"),
    "by a steward of elsewhere": (_other_steward, "other_township"),
    "for nobody on file": (_not_approved, "diner_not_approved"),
    "for somebody who has left": (_left, "person_left"),
    "for a guest on the phone": (_guest_on_the_phone, "clerk_only"),
    "in cash on the phone": (_by(cash=True), "clerk_only"),
    "in cash before the meal": (_in_cash_beforehand, "cash_only_at_once"),
    "with a voucher that nobody has": (_by(use_voucher=True), "no_voucher"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_ordered_is_refused_and_changes_nothing(bank: Database, case: str) -> None:
    wish, code = REFUSED[case]
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        actor, wanted = wish(session, kitchen, diner)
    before = _everything(bank, kitchen, diner)
    with bank.unit_of_work() as session:
        [answer] = place_orders(session, actor=actor, wanted=[wanted])
    assert isinstance(answer, BankError)
    assert answer.code == code
    assert _everything(bank, kitchen, diner) == before


def _everything(bank: Database, kitchen: Kitchen, diner: Actor) -> object:
    with bank.session() as session:
        rows = [
            session.scalar(select(func.count()).select_from(table))
            for table in (MealOrder, MealOrderItem, MealOrderLine, Hold, SubsidyUse, Notice)
        ]
        return rows, ordered_at(session, kitchen), purse_of(session, diner)


def test_the_purse_is_told_short_with_what_it_has_and_what_is_needed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=50)
        [answer] = place_orders(session, actor=diner, wanted=[kitchen.lunch(diner, PORK)])
    assert isinstance(answer, BankError)
    assert (answer.code, answer.facts["available_fen"]) == ("insufficient_fen", 50)
    assert answer.facts["needed_fen"] > 50


def test_an_allergy_is_named_and_may_be_overruled_by_the_diner(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        diner = a_diner(session, allergies=["大豆"], diet_form="soft")
        wanted = kitchen.lunch(diner, PORK)
        [refused] = place_orders(session, actor=diner, wanted=[wanted])
        assert isinstance(refused, BankError)
        assert refused.code == "dish_not_suitable"
        assert refused.facts["reasons"] == ["“红烧肉”不能做成软食", "“红烧肉”含有大豆，您对它过敏"]
        order = place_order(session, actor=diner, wanted=replace(wanted, accept_unsuitable=True))
        assert (order.unsuitable_accepted, order.diet_form) == (True, "soft")


def test_a_meal_is_delivered_where_somebody_carries_it_and_an_address_is_known(bank: Database) -> None:
    with bank.unit_of_work() as session:
        nobody = a_kitchen(session, carrier=Carrier.NOBODY)
        kitchen = a_kitchen(session, carrier=Carrier.COURIER)
        diner = a_diner(session)
        wishes = [one.lunch(diner, way=Way.DELIVER) for one in (nobody, kitchen)]
        codes = [str(getattr(a, "code", "")) for a in place_orders(session, actor=diner, wanted=wishes)]
        assert codes == ["delivery_not_offered", "delivery_address_needed"]
        order = place_order(session, actor=diner, wanted=replace(wishes[1], delivery_address="老街3号"))
        delivery = [line.fen for line in see_order(session, order).lines if line.rule_key == "delivery"]
        assert (order.delivery_address, order.list_fen) == ("老街3号", 600 + sum(delivery))


def test_places_and_portions_run_out_with_how_many_are_left(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session, capacity=2, limits={PORK: 1})
        diners = [a_diner(session, name=f"老人{n}") for n in range(4)]
        wishes = [kitchen.lunch(diners[0], PORK), kitchen.lunch(diners[1], PORK), kitchen.lunch(diners[2], LOVE)]
        answers = place_orders(session, actor=kitchen.clerk, wanted=[*wishes, kitchen.lunch(diners[3], GREENS)])
        assert [getattr(a, "code", "ok") for a in answers] == ["ok", "sold_out", "ok", "capacity_reached"]
        assert [o.pickup_number for o in answers if isinstance(o, MealOrder)] == [1, 2]
        refused = [a.facts for a in answers if isinstance(a, BankError)]
        assert (refused[0]["left_portions"], refused[1]["left_portions"]) == (0, 0)
