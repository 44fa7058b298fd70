"""Cancelling gives everything back; changing is undoing and placing anew, or nothing at all."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from tests.factories.orders import (
    GREENS,
    LOVE,
    MORNING,
    PORK,
    a_diner,
    a_kitchen,
    at_hour,
    give_money,
    ordered_at,
    placed,
    portions_of,
    purse_of,
    vouchers_for,
)
from tests.factories.people import DAYAN, XIWU, add_person, district, steward
from timebank.canteens.network.actions import set_hours
from timebank.canteens.network.queries import hours_of
from timebank.canteens.network.rules import MealHours
from timebank.canteens.orders.actions import (
    OrderChange,
    cancel_order,
    cancel_orders,
    change_order,
    lock_orders,
    place_order,
    quote_change,
    release_of,
)
from timebank.canteens.orders.models import MealOrderItem, SubsidyUse
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.orders.views import see_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Hold, Transfer


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def test_cancelling_gives_everything_back_and_the_meal_can_be_ordered_again(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, limits={PORK: 1}), a_diner(session)
        give_money(session, kitchen.canteen.id, 100_000)
        [voucher] = vouchers_for(session, diner)
        transfers = session.scalar(select(func.count()).select_from(Transfer))
        order = placed(session, kitchen, diner, PORK, use_voucher=True)
        cancel_order(session, actor=diner, order_id=order.id)
        session.refresh(voucher)
        assert (order.state, order.ended_by_name, voucher.set_aside_for) == ("cancelled", diner.name, None)
        assert (purse_of(session, diner), ordered_at(session, kitchen)) == ((5000, 0), 0)
        assert portions_of(session, kitchen.dish(PORK)) == 0
        assert session.scalar(select(func.sum(SubsidyUse.used_fen))) == 0
        assert set(session.scalars(select(Hold.state))) == {"released"}
        assert session.scalar(select(func.count()).select_from(Transfer)) == transfers
        again = placed(session, kitchen, diner, PORK)
        assert again.pickup_number == 2


def test_the_diner_cancels_before_the_cut_off_and_the_counter_for_a_reason_also_after_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner)
        clock.freeze(at_hour(9))
        tries = [(diner, ""), (kitchen.clerk, ""), (steward(DAYAN), "试"), (add_person(session, XIWU), "")]
        codes = [
            str(getattr(cancel_orders(session, actor=who, order_ids=[order.id], reason=why)[0], "code", "ok"))
            for who, why in [*tries, (kitchen.clerk, "煤气停了"), (diner, "")]
        ]
    assert codes == ["cut_off_passed", "reason_needed", "order_unknown", "order_unknown", "ok", "order_ended"]
    assert (order.state, order.end_reason) == ("cancelled", "煤气停了")


def test_one_bad_id_spoils_no_other_cancellation_and_the_same_twice_is_cancelled_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        orders = [placed(session, kitchen, a_diner(session)) for _ in range(2)]
        ids = [orders[0].id, new_id(), orders[0].id, orders[1].id]
        answers = cancel_orders(session, actor=kitchen.clerk, order_ids=ids, reason="停电")
        assert [getattr(a, "code", "ok") for a in answers] == ["ok", "order_unknown", "order_ended", "ok"]
        assert ordered_at(session, kitchen) == 0


def test_a_change_is_a_new_revision_with_the_same_number(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, limits={PORK: 1}), a_diner(session)
        order = placed(session, kitchen, diner, PORK, GREENS)
        items = ((kitchen.dish(LOVE), 1), (kitchen.dish(GREENS), 2))
        change_order(session, actor=diner, order_id=order.id, change=OrderChange(Way.TAKE_AWAY, items, note="少盐"))
        assert (order.revision, order.pickup_number, order.way, order.note) == (2, 1, "take_away", "少盐")
        assert (order.list_fen, order.portions, ordered_at(session, kitchen)) == (1600, 3, 3)
        assert [portions_of(session, kitchen.dish(name)) for name in (PORK, GREENS, LOVE)] == [0, 2, 1]
        assert purse_of(session, diner) == (5000, order.elder_fen)
        assert session.scalar(select(func.sum(SubsidyUse.used_fen))) == order.government_fen
        assert len(see_order(session, order).items) == 2
        assert session.scalar(select(func.count()).select_from(MealOrderItem)) == 4


def test_what_an_order_has_itself_is_free_for_its_change(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, capacity=1, limits={PORK: 1}), a_diner(session, fen=0)
        [voucher] = vouchers_for(session, diner)
        order = placed(session, kitchen, diner, LOVE, use_voucher=True)
        same = OrderChange(Way.TAKE_AWAY, ((kitchen.dish(LOVE), 1),), use_voucher=True)
        change_order(session, actor=diner, order_id=order.id, change=same)
        session.refresh(voucher)
        assert (order.voucher_id, voucher.set_aside_for, order.revision) == (voucher.id, order.id, 2)
        assert ordered_at(session, kitchen) == 1


def test_fewer_portions_are_had_also_where_the_hours_have_room_for_fewer_meals_now(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, capacity=10), a_diner(session)
        order = placed(session, kitchen, diner, PORK, GREENS)
        for _ in range(2):
            placed(session, kitchen, a_diner(session), PORK, GREENS)
        hours = hours_of(session, kitchen.canteen.id)
        week = [MealHours(h.weekday, h.meal, h.opens_at, h.closes_at, 3) for h in hours]
        set_hours(session, actor=district(), canteen_id=kitchen.canteen.id, week=week)

    def portions(count: int) -> OrderChange:
        return OrderChange(Way.EAT_IN, ((kitchen.dish(PORK), count),))

    for count in (2, 1):
        with bank.unit_of_work() as session:
            changed = change_order(session, actor=diner, order_id=order.id, change=portions(count))
            assert (changed.portions, ordered_at(session, kitchen)) == (count, 4 + count)
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        change_order(session, actor=diner, order_id=order.id, change=portions(2))
    assert refused.value.code == "capacity_reached"


def test_a_change_that_is_refused_leaves_the_order_as_it_was(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, limits={PORK: 1}), a_diner(session, fen=5000)
        order = placed(session, kitchen, diner, GREENS)
        placed(session, kitchen, a_diner(session), PORK)
    held = order.elder_fen
    wishes = {
        "sold_out": OrderChange(Way.EAT_IN, ((kitchen.dish(PORK), 1),)),
        "quantity_too_many": OrderChange(Way.EAT_IN, ((kitchen.dish(LOVE), 6),)),
        "no_voucher": OrderChange(Way.EAT_IN, ((kitchen.dish(LOVE), 1),), use_voucher=True),
    }
    for code, change in wishes.items():
        with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
            change_order(session, actor=diner, order_id=order.id, change=change)
        assert refused.value.code == code
    clock.freeze(at_hour(9))
    with pytest.raises(BankError) as late, bank.unit_of_work() as session:
        change_order(session, actor=diner, order_id=order.id, change=OrderChange(Way.EAT_IN, wishes["sold_out"].items))
    assert late.value.code == "cut_off_passed"
    with bank.session() as session:
        assert (order.revision, purse_of(session, diner)) == (1, (5000, held))
        assert portions_of(session, kitchen.dish(GREENS)) == 1


def test_a_missed_meal_gives_back_limits_and_voucher_but_was_cooked(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        vouchers_for(session, diner)
        order = placed(session, kitchen, diner, PORK, use_voucher=True)
        locked = lock_orders(session, [order.id])
        release_of(session, list(locked.values()), state=OrderState.MISSED, actor=kitchen.clerk, reason="没有来")
        assert (order.state, purse_of(session, diner)[1], ordered_at(session, kitchen)) == ("missed", 0, 1)
        assert session.scalar(select(func.sum(SubsidyUse.used_fen))) == 0
        supper = place_order(session, actor=diner, wanted=kitchen.supper(diner))
        assert supper.government_fen == order.government_fen


def test_a_person_has_the_days_subsidy_once_however_many_meals(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        lunch = placed(session, kitchen, diner, LOVE)
        supper = place_order(session, actor=diner, wanted=kitchen.supper(diner))
        assert (lunch.government_fen > 0, supper.government_fen) == (True, 0)
        cancel_order(session, actor=diner, order_id=lunch.id)
        change = OrderChange(Way.EAT_IN, ((kitchen.dish(LOVE, meal=Meal.SUPPER), 1),))
        change_order(session, actor=diner, order_id=supper.id, change=change)
        assert supper.government_fen == lunch.government_fen


def test_what_a_change_would_cost_is_what_it_costs_and_asking_changes_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        before = (order.revision, order.elder_fen, purse_of(session, diner), ordered_at(session, kitchen))
        change = OrderChange(way=Way.TAKE_AWAY, items=((kitchen.dish(PORK), 2), (kitchen.dish(GREENS), 1)))
        quote = quote_change(session, actor=diner, order_id=order.id, change=change)
        session.refresh(order)
        assert (order.revision, order.elder_fen, purse_of(session, diner), ordered_at(session, kitchen)) == before
        # What the order holds may be spent anew.
        assert quote.purse_fen == before[2][0]
        changed = change_order(session, actor=diner, order_id=order.id, change=change)
        assert changed.elder_fen == quote.decided.receipt.elder_fen


def test_what_cannot_be_changed_has_no_price(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        change = OrderChange(way=Way.EAT_IN, items=((kitchen.dish(GREENS), 1),))
        tries = [(add_person(session, XIWU), order.id, 8), (diner, new_id(), 8), (diner, order.id, 9)]
        codes = []
        for who, order_id, hour in tries:
            clock.freeze(at_hour(hour))
            with pytest.raises(BankError) as refused:
                quote_change(session, actor=who, order_id=order_id, change=change)
            codes.append(refused.value.code)
        assert codes == ["order_unknown", "order_unknown", "cut_off_passed"]
