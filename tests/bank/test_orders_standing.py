"""Standing orders become ordinary ones a while before the cut-off, once a day, or the diner is told why not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.orders import (
    GREENS,
    LOVE,
    PORK,
    Kitchen,
    a_diner,
    a_kitchen,
    at_hour,
    make_proxy,
    placed,
    vouchers_for,
)
from tests.factories.people import DAYAN, XIWU, add_person, steward
from tests.factories.threads import at_once
from timebank.canteens.orders.actions import (
    StandingWanted,
    end_standing_order,
    make_standing_orders,
    pause_standing_order,
    set_standing_order,
    standing_orders_due,
)
from timebank.canteens.orders.models import MealOrder, StandingOrder, StandingOrderDay
from timebank.canteens.orders.views import see_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.rules import insufficient
from timebank.notifications.models import Notice
from timebank.people.rules import ProxyScope


@pytest.fixture(autouse=True)
def _evening() -> None:
    clock.freeze(at_hour(8))


def every_day(kitchen: Kitchen, **how: object) -> StandingWanted:
    told: dict[str, object] = {
        "canteen_id": kitchen.canteen.id,
        "meal": Meal.LUNCH,
        "weekdays": [1, 2, 3, 4, 5, 6, 7],
        "way": Way.EAT_IN,
        "choice": "love_meal",
        "use_vouchers": False,
        "starts_on": kitchen.day + timedelta(days=1),
    }
    return StandingWanted(**{**told, **how})  # type: ignore[arg-type]


def standing(session: Session, kitchen: Kitchen, diner: Actor, **how: object) -> StandingOrder:
    return set_standing_order(session, actor=diner, wanted=every_day(kitchen, **how))


def run_the_job(bank: Database) -> int:
    with bank.session() as session:
        due = standing_orders_due(session, limit=50)
    made = 0
    for one in due:
        with bank.unit_of_work() as session:
            made += make_standing_orders(session, due=one)
    return made


def test_tomorrows_lunch_is_ordered_a_day_before_its_cut_off_and_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        one = standing(session, kitchen, diner)
    assert run_the_job(bank) == 0
    clock.freeze(at_hour(9))
    assert (run_the_job(bank), run_the_job(bank)) == (1, 0)
    with bank.session() as session:
        order = session.scalars(select(MealOrder)).one()
        assert (order.source, order.standing_order_id, order.served_on) == (
            "standing",
            one.id,
            kitchen.day + timedelta(days=1),
        )
        assert [item.name for item in see_order(session, order).items] == [LOVE]


def test_a_soft_diet_gets_the_cheapest_dish_that_suits_and_no_love_meal(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        soft, other = a_diner(session, diet_form="soft"), a_diner(session, diet_form="soft")
        standing(session, kitchen, soft, choice="cheapest")
        standing(session, kitchen, other, choice="love_meal")
    clock.freeze(at_hour(9))
    assert run_the_job(bank) == 1
    with bank.session() as session:
        order = session.scalars(select(MealOrder)).one()
        assert (order.diner_id, [i.name for i in see_order(session, order).items]) == (soft.person(), [GREENS])
        assert session.scalars(select(StandingOrderDay.refusal_code)).all().count("nothing_suitable") == 1


def test_a_purse_too_low_is_told_to_the_diner_and_the_proxies_and_spoils_nobody_elses_lunch(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, poor, other = a_kitchen(session), a_diner(session, fen=0), a_diner(session)
        proxy = add_person(session, XIWU, age=45, name="周小敏")
        make_proxy(session, poor, proxy, scopes=[ProxyScope.MEALS])
        for diner in (poor, other):
            standing(session, kitchen, diner)
    clock.freeze(at_hour(9))
    assert run_the_job(bank) == 1
    with bank.session() as session:
        told = session.scalars(select(Notice.person_id).where(Notice.title == "长期订餐没有订成")).all()
        assert set(told) == {poor.person(), proxy.person()}
        outcomes = session.scalars(select(StandingOrderDay))
        said = {(day.refusal_code, day.refusal_title) for day in outcomes}
        assert said == {(None, None), ("insufficient_fen", insufficient("fen", available=0, needed=400).title)}
    assert run_the_job(bank) == 0


def test_whoever_would_pay_with_a_voucher_and_has_none_pays_from_the_purse(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, one, other = a_kitchen(session), a_diner(session), a_diner(session)
        vouchers_for(session, one)
        for diner in (one, other):
            standing(session, kitchen, diner, use_vouchers=True)
    clock.freeze(at_hour(9))
    assert run_the_job(bank) == 2
    with bank.session() as session:
        paid = {order.diner_id: order.voucher_id is not None for order in session.scalars(select(MealOrder))}
        assert paid == {one.person(): True, other.person(): False}


def test_the_last_portions_go_to_as_many_as_there_are_and_the_rest_are_told(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session, limits={LOVE: 2})
        for _ in range(4):
            standing(session, kitchen, a_diner(session))
    clock.freeze(at_hour(9))
    assert run_the_job(bank) == 2
    with bank.session() as session:
        codes = session.scalars(select(StandingOrderDay.refusal_code)).all()
        assert sorted(map(str, codes)) == ["None", "None", "nothing_suitable", "nothing_suitable"]


def test_nothing_is_ordered_while_paused_after_the_end_or_on_other_weekdays(bank: Database) -> None:
    tomorrow = clock.today() + timedelta(days=1)
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        paused, ended, other_day, over, later = (a_diner(session) for _ in range(5))
        one = standing(session, kitchen, paused)
        pause_standing_order(
            session, actor=paused, standing_order_id=one.id, paused_from=tomorrow, paused_until=tomorrow
        )
        end_standing_order(session, actor=ended, standing_order_id=standing(session, kitchen, ended).id)
        standing(session, kitchen, other_day, weekdays=[(tomorrow + timedelta(days=1)).isoweekday()])
        standing(
            session, kitchen, over, starts_on=clock.today(), ends_on=clock.today(), weekdays=[tomorrow.isoweekday()]
        )
        standing(session, kitchen, later, starts_on=tomorrow + timedelta(days=1))
    clock.freeze(at_hour(9))
    assert run_the_job(bank) == 0


def test_a_lunch_ordered_by_hand_is_not_ordered_twice_and_a_missed_turn_is_told(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
        standing(session, kitchen, diner)
        standing(session, kitchen, other)
        day = kitchen.day + timedelta(days=1)
        placed(session, kitchen, diner, served_on=day, items=((kitchen.dish(PORK, day=day), 1),))
    clock.freeze(at_hour(10, days=1))
    # Those are the lunches of the day after; this day's time is over.
    assert run_the_job(bank) == 2
    with bank.session() as session:
        done = session.execute(select(StandingOrderDay.refusal_code).where(StandingOrderDay.served_on == day))
        assert {row[0] for row in done} == {"cut_off_passed"}


def test_days_whose_cut_off_passed_while_nothing_ran_are_kept_and_told_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        one = standing(session, kitchen, diner)
    clock.freeze(at_hour(9))
    assert run_the_job(bank) == 1
    clock.freeze(at_hour(10, days=4))
    run_the_job(bank)
    run_the_job(bank)
    with bank.session() as session:
        late = select(StandingOrderDay.served_on).where(StandingOrderDay.refusal_code == "cut_off_passed")
        missed = [kitchen.day + timedelta(days=n) for n in (2, 3, 4)]
        assert session.scalars(late.order_by(StandingOrderDay.served_on)).all() == missed
        told = session.scalars(select(Notice.body).where(Notice.body.like("%已过截止时间%"))).all()
        assert sorted(body.split("午餐")[0][-6:] for body in told) == [f"{day:%m月%d日}" for day in missed]
        assert session.get_one(StandingOrder, one.id).ended_at is None


def test_days_before_a_later_one_that_was_done_were_not_missed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        one = standing(session, kitchen, diner)
        first = kitchen.day + timedelta(days=1)
        until = first + timedelta(days=1)
        pause_standing_order(session, actor=diner, standing_order_id=one.id, paused_from=first, paused_until=until)
    clock.freeze(at_hour(9, days=2))
    run_the_job(bank)
    with bank.unit_of_work() as session:
        later = {"paused_from": first + timedelta(days=20), "paused_until": first + timedelta(days=21)}
        pause_standing_order(session, actor=diner, standing_order_id=one.id, **later)
    clock.freeze(at_hour(9, days=3))
    run_the_job(bank)
    with bank.session() as session:
        assert session.scalar(select(func.min(StandingOrderDay.served_on))) == until + timedelta(days=1)


def test_two_processes_make_one_order(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        for _ in range(3):
            standing(session, kitchen, a_diner(session))
    clock.freeze(at_hour(9))
    with bank.session() as session:
        [due] = standing_orders_due(session, limit=50)
    made = at_once(bank, [lambda s: make_standing_orders(s, due=due)] * 4)
    assert sorted(made) == [0, 0, 0, 3]  # type: ignore[type-var]


def test_a_new_standing_order_for_the_same_meal_ends_the_former_one(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        first = standing(session, kitchen, diner)
        second = standing(session, kitchen, diner, choice="cheapest")
        assert (first.ended_at is not None, second.ended_at) == (True, None)


BAD = {
    "days_unclear": {"weekdays": []},
    "canteen_unknown": {"canteen_id": new_id()},
    "delivery_address_needed": {"way": Way.DELIVER},
}


@pytest.mark.parametrize("code", BAD)
def test_a_standing_order_that_cannot_be_is_refused(bank: Database, code: str) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        standing(session, kitchen, diner, **BAD[code])
    assert refused.value.code == code


def test_strangers_and_other_townships_set_and_end_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        one = standing(session, kitchen, diner)
        stranger = add_person(session, XIWU)
    for actor, code in ((stranger, "not_your_elder"), (steward(DAYAN), "other_township")):
        with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
            set_standing_order(session, actor=actor, wanted=every_day(kitchen, for_person_id=diner.person()))
        assert refused.value.code == code
        with pytest.raises(BankError) as unknown, bank.unit_of_work() as session:
            end_standing_order(session, actor=actor, standing_order_id=one.id)
        assert unknown.value.code == "standing_order_unknown"
