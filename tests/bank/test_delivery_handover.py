"""At the door: the code, what is paid, what comes back, and two who say different things at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.bank.test_delivery_rounds import refusal, told
from tests.factories.delivery import a_street, a_volunteer, leave, lives, on_the_way, stop_for
from tests.factories.orders import LOVE, a_kitchen, placed, purse_of, vouchers_for
from tests.factories.people import DAYAN, XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.threads import at_once, codes_of
from timebank.canteens.delivery.actions import (
    deliver,
    finish_round,
    give_to_courier,
    mark_cooked,
    report_undelivered,
    start_round,
)
from timebank.canteens.delivery.queries.figures import punctuality
from timebank.canteens.delivery.queries.rounds import code_of, code_to_say, handover_codes
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError, Refused
from timebank.ledger.models import Transfer
from timebank.notifications.models import Notice
from timebank.people.actions import register_proxy
from timebank.redemption.models import Voucher
from timebank.tasks import actions as tasks
from timebank.tasks.models import Task


def hand_over(bank: Database, actor: Actor, order: MealOrder, code: str | None = None, **how: str) -> object:
    with bank.unit_of_work() as session:
        typed = code_of(order.id) if code is None else code
        return deliver(session, actor=actor, order_id=order.id, handover_code=typed, **how)


def bring_back(bank: Database, actor: Actor, order: MealOrder, reason: str) -> None:
    with bank.unit_of_work() as session:
        report_undelivered(session, actor=actor, order_id=order.id, reason=reason, note="门锁着")


def wrong(order: MealOrder) -> str:
    return f"{(int(code_of(order.id)) + 1) % 10_000:04}"


def kinds_of(session: Session, order: MealOrder) -> dict[str, int]:
    """Fen moved for an order, by kind of transfer."""
    rows = session.execute(select(Transfer.kind, Transfer.amount).where(Transfer.cause_id == order.id))
    return {row.kind: row.amount for row in rows}


def test_a_meal_handed_over_with_its_code_is_served_and_paid(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200, 400)
    order, diner = street.orders[0], street.diners[0]
    with bank.session() as session:
        assert purse_of(session, diner)[1] == order.elder_fen
        assert handover_codes(session, [order.id]) == {order.id: code_of(order.id)}
        assert code_to_say(session, actor=diner, order_id=order.id) == code_of(order.id)
        assert code_to_say(session, actor=street.kitchen.clerk, order_id=order.id) is None
    hand_over(bank, volunteer, order)
    with bank.session() as session:
        served, stop = session.get_one(MealOrder, order.id), stop_for(session, order)
        assert (served.state, served.ended_by_name) == ("served", "王梅")
        assert (stop.outcome, stop.closed_by_name, stop.misses) == ("delivered", "王梅", 0)
        assert purse_of(session, diner) == (5000 - order.elder_fen, 0)
        assert sum(kinds_of(session, order).values()) == order.list_fen
        assert handover_codes(session, [order.id]) == {}


def test_the_whole_way_earns_the_volunteer_the_minutes_of_the_task(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 200, 400)
    for order in street.orders:
        hand_over(bank, volunteer, order)
    clock.freeze(round_.departs_at + timedelta(minutes=12))
    with bank.unit_of_work() as session:
        assert finish_round(session, actor=volunteer, round_id=round_.id).state == "finished"
        tasks.check_out(session, actor=volunteer, task_id=round_.task_id)  # type: ignore[arg-type]
    with bank.unit_of_work() as session:
        confirmation = tasks.Confirmation(round_.task_id, steward(XIWU), rating=5)  # type: ignore[arg-type]
        assert tasks.confirm(session, confirmation=confirmation).parts[0].payable_minutes == 12


@pytest.mark.parametrize("typed", [" {} ", "{}\n", "full"])
def test_a_code_may_be_typed_with_blanks_and_full_width_digits(bank: Database, typed: str) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    code = code_of(street.orders[0].id)
    said = "".join(chr(ord(c) + 0xFEE0) for c in code) if typed == "full" else typed.format(code)
    assert not isinstance(hand_over(bank, volunteer, street.orders[0], said), BankError)


def test_wrong_codes_are_counted_and_then_only_the_canteen_can_say_that_it_arrived(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    order = street.orders[0]
    with bank.unit_of_work() as session:
        change_policy(session, "handover_code_most_misses", 2)
    answers = [hand_over(bank, volunteer, order, wrong(order)) for _ in range(3)]
    assert [a.code for a in answers if isinstance(a, Refused)] == ["handover_code_wrong"] * 2 + [
        "handover_code_blocked"
    ]
    assert [a.facts.get("tries_left") for a in answers if isinstance(a, Refused)] == [1, 0, None]
    # Not even the right one helps now, and what a carrier writes down is no evidence.
    for actor, how in ((volunteer, {}), (volunteer, {"evidence": "老人确认"}), (street.kitchen.clerk, {})):
        answer = hand_over(bank, actor, order, **how)
        assert isinstance(answer, Refused)
        assert answer.code == "handover_code_blocked"
    hand_over(bank, street.kitchen.clerk, order, "", evidence="电话问过老人，已收到")
    with bank.session() as session:
        stop = stop_for(session, order)
        assert (stop.outcome, stop.evidence, stop.misses) == ("delivered", "电话问过老人，已收到", 2)


def test_many_wrong_codes_at_once_are_all_counted(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    order = street.orders[0]
    calls = [lambda s: deliver(s, actor=volunteer, order_id=order.id, handover_code=wrong(order)) for _ in range(8)]
    assert codes_of(at_once(bank, calls)) == ["handover_code_blocked"] * 3 + ["handover_code_wrong"] * 5


def test_without_a_code_nothing_is_handed_over(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    say = {"actor": volunteer, "order_id": street.orders[0].id, "handover_code": "  "}
    assert refusal(bank, deliver, **say) == "handover_code_needed"


def test_nobody_but_the_carrier_and_the_canteen_hands_over(bank: Database) -> None:
    street, _, _ = on_the_way(bank, 200)
    with bank.unit_of_work() as session:
        other = a_kitchen(session, township_code=DAYAN).clerk
    order = street.orders[0]
    for actor in (other, steward(DAYAN), a_volunteer(bank), street.diners[0]):
        code = {"handover_code": code_of(order.id)}
        assert refusal(bank, deliver, actor=actor, order_id=order.id, **code) == "stop_unknown"
        back = {"order_id": order.id, "reason": "late"}
        assert refusal(bank, report_undelivered, actor=actor, **back) == "stop_unknown"


def test_before_the_round_has_left_nothing_is_handed_over(bank: Database) -> None:
    street = a_street(bank, 200)
    order, clerk = street.orders[0], street.kitchen.clerk
    code = {"actor": clerk, "order_id": order.id, "handover_code": code_of(order.id)}
    assert refusal(bank, deliver, **code) == "stop_unknown"
    street.plan(bank)
    assert refusal(bank, deliver, **code) == "wrong_state"
    assert refusal(bank, report_undelivered, actor=clerk, order_id=order.id, reason="late") == "wrong_state"


def test_a_couriers_round_is_handed_over_by_the_canteen(bank: Database) -> None:
    street = a_street(bank, 200, carrier=Carrier.COURIER)
    [round_] = street.plan(bank)
    clerk = street.kitchen.clerk
    with bank.unit_of_work() as session:
        give_to_courier(session, actor=clerk, round_id=round_.id, name="应师傅", phone="13811112222")
        start_round(session, actor=clerk, round_id=round_.id)
    assert not isinstance(hand_over(bank, clerk, street.orders[0]), BankError)


def test_handing_over_twice_is_handing_over_once(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    order = street.orders[0]
    calls = [
        lambda s: deliver(s, actor=volunteer, order_id=order.id, handover_code=code_of(order.id)) for _ in range(5)
    ]
    assert codes_of(at_once(bank, calls)) == ["ok", *["stop_closed"] * 4]
    with bank.session() as session:
        assert purse_of(session, street.diners[0]) == (5000 - order.elder_fen, 0)


def test_of_delivered_and_undelivered_at_once_exactly_one_is_true(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 100, 200, 300, 400)
    for order in street.orders:
        code = code_of(order.id)
        answers = at_once(
            bank,
            [
                lambda s, o=order.id, c=code: deliver(s, actor=volunteer, order_id=o, handover_code=c),
                lambda s, o=order.id: report_undelivered(s, actor=street.kitchen.clerk, order_id=o, reason="late"),
            ],
        )
        assert codes_of(answers) == ["ok", "stop_closed"]
        with bank.session() as session:
            state = session.get_one(MealOrder, order.id).state
            assert stop_for(session, order).outcome == {"served": "delivered"}.get(state, state)


@pytest.mark.parametrize(
    ("reason", "charged"), [("nobody_home", 1), ("refused", 1), ("wrong_address", 0), ("spilled", 0), ("late", 0)]
)
def test_a_meal_brought_back_costs_what_policy_says_and_the_rest_is_given_back(
    bank: Database, reason: str, charged: int
) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    order, diner = street.orders[0], street.diners[0]
    bring_back(bank, volunteer, order, reason)
    with bank.session() as session:
        ended, stop = session.get_one(MealOrder, order.id), stop_for(session, order)
        assert (ended.state, ended.end_reason) == ("undelivered", reason)
        assert (stop.outcome, stop.reason, stop.note) == ("undelivered", reason, "门锁着")
        assert purse_of(session, diner) == (5000 - charged * order.elder_fen, 0)
        assert kinds_of(session, order) == ({"meal_missed": order.elder_fen} if charged else {})
        bodies = session.scalars(select(Notice.body).where(Notice.title == "送餐没有送到")).all()
    assert len(bodies) == 1
    assert ("已全部退回" in bodies[0]) == (not charged)


def test_half_of_an_odd_share_is_rounded_for_the_elder(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200)
    halves = {"nobody_home": 33, "refused": 100, "wrong_address": 0, "spilled": 0, "late": 0}
    with bank.unit_of_work() as session:
        change_policy(session, "undelivered_charge_percent", halves)
    bring_back(bank, volunteer, street.orders[0], "nobody_home")
    with bank.session() as session:
        assert purse_of(session, street.diners[0]) == (5000 - street.orders[0].elder_fen * 33 // 100, 0)


def test_where_nobody_was_at_home_the_proxies_and_the_stewards_hear_of_it_at_once(bank: Database) -> None:
    street, _, volunteer = on_the_way(bank, 200, 400)
    elder = street.diners[0].person()
    with bank.unit_of_work() as session:
        daughter = add_person(session, XIWU, age=45, name="周小敏")
        register_proxy(
            session,
            actor=district(),
            elder_id=elder,
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="1号",
        )
    bring_back(bank, volunteer, street.orders[0], "nobody_home")
    bring_back(bank, volunteer, street.orders[1], "spilled")
    with bank.session() as session:
        heard = select(Notice.body).where(Notice.person_id == daughter.person(), Notice.title == "送餐没有送到")
        [body] = session.scalars(heard).all()
        assert "请尽快联系老人" in body
        assert len(told(session, "送餐时家中无人")) == 1


def test_minutes_from_cooking_to_the_door_are_kept_and_counted_by_month(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 100, 200, 300, 400)
    kitchen = street.kitchen
    hand_over(bank, volunteer, street.orders[0])
    with bank.unit_of_work() as session:
        cooked = {"canteen_id": kitchen.canteen.id, "served_on": kitchen.day, "meal": Meal.LUNCH}
        mark_cooked(session, actor=kitchen.clerk, **cooked)
    for order, minutes in zip(
        street.orders[1:3], (timedelta(minutes=15), timedelta(minutes=15, seconds=1)), strict=True
    ):
        clock.freeze(round_.departs_at + minutes)
        hand_over(bank, volunteer, order)
    bring_back(bank, volunteer, street.orders[3], "late")
    with bank.session() as session:
        taken = [stop_for(session, order).minutes_after_cooking for order in street.orders]
        assert taken == [None, 15, 16, None]
        [found] = punctuality(session, actor=kitchen.clerk, month="2026-03", limit=9)
        assert (found.delivered, found.undelivered, found.timed, found.in_time, found.percent_in_time) == (
            3,
            1,
            2,
            1,
            50,
        )
        assert punctuality(session, actor=steward(DAYAN), month="2026-03", limit=9) == []
        assert punctuality(session, actor=district(), month="2026-04", limit=9) == []
        for actor, month, code in (
            (volunteer, "2026-03", "books_not_yours"),
            (district(), "2026-3", "month_invalid"),
        ):
            with pytest.raises(BankError) as raised:
                punctuality(session, actor=actor, month=month, limit=9)
            assert raised.value.code == code


def test_a_voucher_set_aside_is_redeemed_at_the_door_and_given_back_where_nobody_was_at_home(bank: Database) -> None:
    street = a_street(bank)
    clock.freeze(clock.now() - timedelta(hours=1))
    with bank.unit_of_work() as session:
        diners = [lives(session, 100 * n) for n in (1, 2)]
        for diner in diners:
            vouchers_for(session, diner)
        orders = [placed(session, street.kitchen, d, LOVE, way=Way.DELIVER, use_voucher=True) for d in diners]
    clock.freeze(clock.now() + timedelta(hours=1))
    volunteer = a_volunteer(bank)
    [round_] = street.plan(bank)
    leave(bank, round_, volunteer)
    hand_over(bank, volunteer, orders[0])
    bring_back(bank, volunteer, orders[1], "nobody_home")
    with bank.session() as session:
        statuses = [session.get_one(Voucher, order.voucher_id).status for order in orders]
        assert session.get_one(Task, round_.task_id).status == "checked_in"
    assert statuses == ["redeemed", "issued"]
