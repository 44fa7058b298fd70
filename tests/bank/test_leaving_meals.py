"""Leaving with meals ordered and money in the purse: what waits is cancelled, the purse is paid back first."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.factories.leaving import is_here, leave
from tests.factories.leaving_meals import lunches_for_long, state_of
from tests.factories.orders import (
    LOVE,
    MORNING,
    PORK,
    Kitchen,
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
from tests.factories.people import DAYAN, XIWU, district, steward
from tests.factories.purses import balance, served, topped_up
from timebank.canteens.counter.actions import correct
from timebank.canteens.diners.models import Diner
from timebank.canteens.orders.actions import place_order
from timebank.canteens.orders.models import StandingOrder, SubsidyUse
from timebank.canteens.purses.actions import pay_back
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict
from timebank.leaving import queries
from timebank.ledger.models import Hold
from timebank.notifications.models import Notice
from timebank.people.models import Person
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def of_xiwu(bank: Database, fen: int = 0, **how: object) -> tuple[Kitchen, Actor]:
    with bank.unit_of_work() as session:
        return a_kitchen(session), a_diner(session, fen, **how)


def refused(bank: Database, leaver: Actor) -> Conflict:
    with pytest.raises(Conflict) as raised:
        leave(bank, leaver)
    with bank.session() as session:
        assert is_here(session, leaver)
    return raised.value


def test_whatever_waits_is_cancelled_whatever_the_cut_off_and_given_back(bank: Database) -> None:
    kitchen, diner = of_xiwu(bank)
    with bank.unit_of_work() as session:
        vouchers_for(session, diner, 2)
        today = placed(session, kitchen, diner, use_voucher=True)
        supper = place_order(session, actor=diner, wanted=kitchen.supper(diner, use_voucher=True))
        standing = lunches_for_long(session, kitchen, diner)
    clock.freeze(at_hour(11))
    with bank.session() as session:
        seen = queries.preview(session, actor=diner, person_id=None)
        assert (seen.meal_orders, seen.standing_orders, seen.purse_fen, seen.may_leave) == (2, 1, 0, True)
    leave(bank, diner)
    assert state_of(bank, today) == state_of(bank, supper) == ("cancelled", "本人退出")
    with bank.session() as session:
        assert (ordered_at(session, kitchen), ordered_at(session, kitchen, "supper")) == (0, 0)
        assert portions_of(session, kitchen.dish(LOVE)) == 0
        assert set(session.scalars(select(SubsidyUse.used_fen))) == {0}
        assert session.get_one(StandingOrder, standing.id).ended_at == clock.now()
        diner_file = session.get_one(Diner, diner.person())
        assert (diner_file.state, diner_file.ended_at) == ("ended", clock.now())


def test_a_voucher_set_aside_for_a_meal_is_refunded_with_the_others(bank: Database) -> None:
    kitchen, diner = of_xiwu(bank)
    with bank.unit_of_work() as session:
        vouchers = vouchers_for(session, diner, 2)
        give_money(session, kitchen.canteen.id, 5000)
        order = placed(session, kitchen, diner, use_voucher=True)
        assert order.voucher_id in {one.id for one in vouchers}
        assert order.elder_fen == 0
    left = leave(bank, diner)
    assert (left.vouchers_refunded, left.savings_minutes) == (2, 120)
    with bank.session() as session:
        assert {(v.status, v.set_aside_for) for v in session.scalars(select(Voucher))} == {("refunded", None)}
        assert set(session.scalars(select(Hold.state))) <= {"released"}


def test_nobody_leaves_with_money_in_the_purse_and_hears_where_it_is_paid_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, far = a_kitchen(session), a_kitchen(session, township_code=DAYAN)
        a_kitchen(session, township_code="330213007")
        diner = a_diner(session, 0, canteen=far.canteen.id)
        topped_up(session, diner, kitchen.canteen, 3000)
        order = placed(session, kitchen, diner, PORK)
    refusal = refused(bank, diner)
    assert refusal.code == "purse_not_empty"
    held = order.elder_fen
    assert (refusal.facts["available_fen"], refusal.facts["held_fen"]) == (3000 - held, held)
    assert "30.00元" in refusal.title
    assert [one["canteen_id"] for one in refusal.facts["counters"]] == [str(far.canteen.id), str(kitchen.canteen.id)]
    assert refusal.detail is not None
    assert f"{held / 100:.2f}元为已订的餐冻结" in refusal.detail
    assert state_of(bank, order) == ("placed", "")
    with bank.session() as session:
        assert purse_of(session, diner) == (3000, held)
        seen = queries.preview(session, actor=diner, person_id=None)
        assert (seen.may_leave, [thing.kind for thing in seen.open_things]) == (False, ["meal_money"])


def test_once_the_purse_is_paid_back_there_is_nothing_in_the_way(bank: Database) -> None:
    kitchen, diner = of_xiwu(bank)
    with bank.unit_of_work() as session:
        topped_up(session, diner, kitchen.canteen, 3000)
        pay_back(session, actor=kitchen.clerk, person_id=diner.person(), amount_fen=3000)
    leave(bank, diner)
    with bank.session() as session:
        assert not is_here(session, diner)


def test_a_meal_corrected_after_leaving_is_paid_back_over_a_counter(bank: Database) -> None:
    kitchen, diner = of_xiwu(bank)
    with bank.unit_of_work() as session:
        topped_up(session, diner, kitchen.canteen, 1200)
        [order] = served(session, kitchen, placed(session, kitchen, diner, PORK))
        rest = purse_of(session, diner)[0]
        assert order.elder_fen == 1200 - rest > 0
        if rest:
            pay_back(session, actor=kitchen.clerk, person_id=diner.person(), amount_fen=rest)
    leave(bank, diner)
    with bank.session() as session:
        told = session.scalars(select(Notice.id).where(Notice.person_id == diner.person())).all()
    for actor in (steward(XIWU), district()):
        with bank.unit_of_work() as session:
            correct(session, actor=actor, order_id=order.id, reason="刷错了人")
    with bank.unit_of_work() as session:
        assert purse_of(session, diner) == (order.elder_fen, 0)
        pay_back(session, actor=kitchen.clerk, person_id=diner.person(), amount_fen=order.elder_fen)
    with bank.session() as session:
        assert balance(session, "canteen", kitchen.canteen.id) == 0
        # Whoever has left is told nothing.
        assert session.scalars(select(Notice.id).where(Notice.person_id == diner.person())).all() == told


def test_whoever_moves_keeps_purse_orders_and_usual_canteen_and_the_new_township_sees_to_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = a_kitchen(session)
        diner = a_diner(session, 5000, canteen=kitchen.canteen.id)
        order = placed(session, kitchen, diner, PORK)
    with bank.unit_of_work() as session:
        how = {"township_code": DAYAN, "evidence": "户口簿"}
        move_home(session, actor=steward(XIWU), person_id=diner.person(), **how)
    with bank.unit_of_work() as session:
        assert session.get_one(Person, diner.person()).township_code == DAYAN
        assert session.get_one(Diner, diner.person()).usual_canteen_id == kitchen.canteen.id
        body = session.scalars(select(Notice.body).where(Notice.title == "登记已迁移")).one()
        assert "已订的餐和餐费余额照常使用" in body
        served(session, kitchen, order)
        assert purse_of(session, diner) == (5000 - order.elder_fen, 0)
    with bank.session() as session:
        assert (
            queries.preview(session, actor=steward(DAYAN), person_id=diner.person()).purse_fen == 5000 - order.elder_fen
        )
        with pytest.raises(BankError, match="other_township"):
            queries.preview(session, actor=steward(XIWU), person_id=diner.person())
