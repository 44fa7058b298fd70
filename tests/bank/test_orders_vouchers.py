"""A voucher that a meal was ordered with is that meal's, at every counter and on every card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.family import make_relatives
from tests.factories.orders import MORNING, PORK, Kitchen, a_diner, a_kitchen, at_hour, placed, vouchers_for
from tests.factories.people import district
from timebank.canteens.orders.actions import cancel_order, place_order
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.redemption.actions import (
    expire_voucher,
    expired_vouchers,
    give_voucher,
    redeem_set_aside,
    redeem_vouchers,
    refund_voucher,
    reissue_vouchers,
    void_voucher,
)
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.rules import Scan


@pytest.fixture(autouse=True)
def _morning() -> None:
    clock.freeze(MORNING)


def ordered(bank: Database) -> tuple[Kitchen, Actor, MealOrder, Voucher]:
    """A lunch that one of two vouchers is to pay."""
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=0)
        vouchers_for(session, diner, 2)
        order = placed(session, kitchen, diner, PORK, use_voucher=True)
        return kitchen, diner, order, session.get_one(Voucher, order.voucher_id)


@pytest.mark.parametrize("offline", [False, True])
def test_a_scan_of_it_is_refused_with_a_word_about_the_order(bank: Database, offline: bool) -> None:
    kitchen, _, order, voucher = ordered(bank)
    clock.freeze(at_hour(11))
    with bank.unit_of_work() as session:
        scans = [Scan(voucher.code, "n1", clock.now(), offline=offline)]
        [answer] = redeem_vouchers(session, actor=kitchen.clerk, scans=scans)
        assert (answer.verdict.accepted, answer.verdict.reason) == (False, "voucher_set_aside")
        assert "订餐" in answer.sentence
        cancel_order(session, actor=kitchen.clerk, order_id=order.id, reason="试")
        [again] = redeem_vouchers(session, actor=kitchen.clerk, scans=[Scan(voucher.code, "n2")])
        assert again.verdict.accepted


DEEDS: dict[str, Callable[[Session, Actor, Voucher], object]] = {
    "refund": lambda s, diner, voucher: refund_voucher(s, actor=diner, voucher_id=voucher.id),
    "void": lambda s, _, voucher: void_voucher(s, actor=district(), voucher_id=voucher.id, reason="试"),
    "reissue": lambda s, diner, voucher: reissue_vouchers(s, actor=diner, voucher_ids=[voucher.id]),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_else_becomes_of_it_until_the_order_is_cancelled(bank: Database, deed: str) -> None:
    _, diner, order, voucher = ordered(bank)
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        DEEDS[deed](session, diner, voucher)
    assert (refused.value.code, refused.value.facts["order_id"]) == ("voucher_set_aside", order.id)
    with bank.unit_of_work() as session:
        cancel_order(session, actor=diner, order_id=order.id)
        DEEDS[deed](session, diner, voucher)


def test_a_lost_card_is_made_anew_without_it(bank: Database) -> None:
    _, diner, _, voucher = ordered(bank)
    with bank.unit_of_work() as session:
        [new] = reissue_vouchers(session, actor=diner, for_person_id=diner.person())
        assert new.replaces_id != voucher.id
        assert session.get_one(Voucher, voucher.id).status == "issued"


def test_it_does_not_expire_before_the_order_has_ended(bank: Database) -> None:
    _, diner, order, voucher = ordered(bank)
    clock.freeze(voucher.expires_at + timedelta(seconds=1))
    with bank.unit_of_work() as session:
        other = session.scalars(select(Voucher.id).where(Voucher.id != voucher.id)).one()
        assert expired_vouchers(session, limit=9) == [other]
        assert not expire_voucher(session, voucher_id=voucher.id)
        cancel_order(session, actor=district(), order_id=order.id, reason="试")
        assert voucher.id in expired_vouchers(session, limit=9)
        assert expire_voucher(session, voucher_id=voucher.id)
        assert diner.person_id == voucher.holder_id


def test_one_that_expires_before_the_meal_is_not_taken(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, days=1), a_diner(session, fen=0)
        [voucher] = vouchers_for(session, diner)
        last_day = voucher.expires_at - timedelta(days=1)
    clock.freeze(last_day.replace(hour=0))
    with bank.unit_of_work() as session:
        late = a_kitchen(session, days=3)
        day = clock.local_date(voucher.expires_at) + timedelta(days=1)
        wanted = late.lunch(diner, served_on=day, items=((late.dish(day=day), 1),), use_voucher=True)
        with pytest.raises(BankError) as refused:
            place_order(session, actor=diner, wanted=wanted)
    assert refused.value.code == "no_voucher"
    assert kitchen.day < day


def test_redeemed_for_its_order_it_is_used_once_with_a_scan_of_its_own(bank: Database) -> None:
    kitchen, _, order, voucher = ordered(bank)
    with bank.unit_of_work() as session:
        asked = {"for_ids": [order.id], "canteen_id": kitchen.canteen.id}
        used = redeem_set_aside(session, actor=kitchen.clerk, **asked)
        assert {order_id: v.id for order_id, v in used.items()} == {order.id: voucher.id}
        assert redeem_set_aside(session, actor=kitchen.clerk, **asked) == {}
        spent = session.get_one(Voucher, voucher.id)
        assert (spent.status, spent.canteen_id) == ("redeemed", kitchen.canteen.id)
        assert session.scalars(select(VoucherScan.accepted)).all() == [True]
        # Its order is to be served in the same unit of work; here that is all there is to it.
        session.rollback()


def test_gifts_of_it_are_refused(bank: Database) -> None:
    _, diner, _, voucher = ordered(bank)
    with bank.unit_of_work() as session:
        relative = a_diner(session, fen=0, name="周建国")
        make_relatives(session, diner, relative)
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        give_voucher(session, actor=diner, voucher_id=voucher.id, to_person_id=relative.person())
    assert refused.value.code == "voucher_set_aside"
