"""Rounds: planned after the cut-off, taken as tasks, planned anew, given to couriers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.delivery import (
    a_street,
    a_volunteer,
    accept_round,
    leave,
    lives,
    on_the_way,
    orders_on,
)
from tests.factories.orders import LOVE, a_kitchen, at_hour, placed
from tests.factories.people import DAYAN, XIWU, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.threads import at_once, codes_of
from timebank.canteens.delivery.actions import (
    finish_round,
    give_to_courier,
    plan_due,
    plan_rounds,
    plans_due,
    start_round,
    tell_of_untaken,
    untaken_rounds,
)
from timebank.canteens.delivery.models import DeliveryPlan, DeliveryRound, DeliveryStop
from timebank.canteens.delivery.views import RoundFilter, find_rounds, round_for
from timebank.canteens.network.actions import suspend as suspend_canteen
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.actions import cancel_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import SYSTEM, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.notifications.models import Notice
from timebank.tasks import actions as tasks
from timebank.tasks.models import Task


def refusal(bank: Database, call: object, **how: object) -> str:
    """The code with which an action refuses."""
    with pytest.raises(BankError) as raised, bank.unit_of_work() as session:
        call(session, **how)  # type: ignore[operator]
    return raised.value.code


def told(session: Session, title: str) -> list[str]:
    """Notices to stewards under one title."""
    return list(session.scalars(select(Notice.body).where(Notice.title == title, Notice.audience == "stewards")))


def test_after_the_cut_off_every_order_is_on_one_round_and_the_round_is_a_task(bank: Database) -> None:
    street = a_street(bank, 400, 200, 600)
    [round_] = street.plan(bank)
    with bank.session() as session:
        assert orders_on(session, [round_]) == [[street.orders[n].id for n in (1, 0, 2)]]
        task = session.get_one(Task, round_.task_id)
    assert (task.service_type, task.township_code, task.status, task.places) == ("meal_delivery", XIWU, "open", 1)
    # 1,200 m there and back are 1,560 m by the detour, 7.8 minutes; three stops of three minutes.
    assert (task.minutes, task.minutes) == (17, round_.minutes)
    assert task.starts_at == round_.departs_at == at_hour(10)
    assert (round_.late, round_.unlocated, task.requested_by) == (False, False, street.kitchen.clerk.login_id)


def test_before_the_cut_off_there_is_nothing_to_plan(bank: Database) -> None:
    street = a_street(bank, 200)
    clock.freeze(at_hour(9) - timedelta(seconds=1))
    where = {"canteen_id": street.kitchen.canteen.id, "served_on": street.kitchen.day, "meal": Meal.LUNCH}
    assert refusal(bank, plan_rounds, actor=street.kitchen.clerk, **where) == "cut_off_not_reached"
    with bank.session() as session:
        assert plans_due(session, limit=10) == []


def test_only_whoever_works_at_the_canteen_plans_its_rounds(bank: Database) -> None:
    street, stranger = a_street(bank, 200), a_volunteer(bank)
    where = {"canteen_id": street.kitchen.canteen.id, "served_on": street.kitchen.day, "meal": Meal.LUNCH}
    with bank.unit_of_work() as session:
        other = a_kitchen(session, township_code=DAYAN)
    for actor in (other.clerk, steward(DAYAN), staff(StaffRole.AUDITOR), stranger, street.diners[0]):
        assert refusal(bank, plan_rounds, actor=actor, **where) == "canteen_not_yours"
    assert len(street.plan(bank, steward(XIWU))) == 1


def test_the_job_plans_what_nobody_has_and_only_once(bank: Database) -> None:
    street = a_street(bank, 200, 400)
    with bank.session() as session:
        [service] = plans_due(session, limit=10)
    assert service == (street.kitchen.canteen.id, street.kitchen.day, Meal.LUNCH)
    answers = at_once(bank, [lambda s: (plan_due(s, service=service),) for _ in range(4)])
    assert sorted(answers) == [(False,), (False,), (False,), (True,)]  # type: ignore[type-var]
    with bank.session() as session:
        assert plans_due(session, limit=10) == []
        [round_] = session.scalars(select(DeliveryRound)).all()
        task = session.get_one(Task, round_.task_id)
        assert (task.requested_by, task.requested_by_name) == (None, "系统")


def test_a_door_too_far_away_and_an_address_off_the_map_are_named_not_dropped(bank: Database) -> None:
    street = a_street(bank, 200, 4000, None)
    rounds = street.plan(bank)
    assert [(r.late, r.unlocated) for r in rounds] == [(False, False), (True, False), (False, True)]
    with bank.session() as session:
        assert orders_on(session, rounds) == [[order.id] for order in street.orders]
        [body] = told(session, "送餐可能超时")
    assert "第2趟路太远" in body
    assert "第3趟的地址在地图上没有位置" in body


def test_an_order_to_another_address_than_the_diners_own_is_not_looked_for_at_home(bank: Database) -> None:
    street = a_street(bank)
    clock.freeze(at_hour(8))
    with bank.unit_of_work() as session:
        diner = lives(session, 200)
        placed(session, street.kitchen, diner, LOVE, way=Way.DELIVER, delivery_address="女儿家，南山路9号")
    clock.freeze(at_hour(9))
    [round_] = street.plan(bank)
    assert round_.unlocated


def test_no_round_has_more_stops_than_policy_allows(bank: Database) -> None:
    street = a_street(bank, 100, 101, 102)
    with bank.unit_of_work() as session:
        change_policy(session, "round_max_stops", 2)
    rounds = street.plan(bank)
    with bank.session() as session:
        assert sorted(len(orders) for orders in orders_on(session, rounds)) == [1, 2]


def test_planned_again_only_what_nobody_has_taken_is_replaced(bank: Database) -> None:
    street, volunteer = a_street(bank, 200, 3000, 3100), a_volunteer(bank)
    first = street.plan(bank)
    accept_round(bank, first[1], volunteer)
    again = street.plan(bank)
    with bank.session() as session:
        states = [session.get_one(DeliveryRound, r.id).state for r in first]
        statuses = [session.get_one(Task, r.task_id).status for r in first]
        assert orders_on(session, again) == [[street.orders[0].id], [street.orders[2].id]]
        plan = session.scalars(select(DeliveryPlan)).one()
    assert states == ["replaced", "planned", "replaced"]
    assert statuses == ["cancelled", "accepted", "cancelled"]
    assert [r.number for r in again] == [4, 5]
    assert (plan.times, plan.rounds) == (2, 5)


def test_an_order_cancelled_after_planning_is_left_out_when_planned_again(bank: Database) -> None:
    street = a_street(bank, 200, 400)
    street.plan(bank)
    with bank.unit_of_work() as session:
        cancel_order(session, actor=street.kitchen.clerk, order_id=street.orders[0].id, reason="老人住院")
    [round_] = street.plan(bank)
    with bank.session() as session:
        assert orders_on(session, [round_]) == [[street.orders[1].id]]


def test_of_two_who_accept_one_round_one_carries_it(bank: Database) -> None:
    street = a_street(bank, 200)
    [round_] = street.plan(bank)
    people = [a_volunteer(bank) for _ in range(6)]
    answers = at_once(bank, [lambda s, v=v: tasks.accept(s, actor=v, task_id=round_.task_id) for v in people])
    assert codes_of(answers) == ["ok", *["task_already_accepted"] * 5]


def test_of_accepting_and_planning_again_at_once_the_volunteer_keeps_a_round_or_hears_no(bank: Database) -> None:
    for _ in range(4):
        street, volunteer = a_street(bank, 200), a_volunteer(bank)
        [round_] = street.plan(bank)
        where = {"canteen_id": street.kitchen.canteen.id, "served_on": street.kitchen.day, "meal": Meal.LUNCH}
        answers = at_once(
            bank,
            [
                lambda s, v=volunteer, r=round_: (tasks.accept(s, actor=v, task_id=r.task_id).status,),
                lambda s, k=street.kitchen, w=where: (len(plan_rounds(s, actor=k.clerk, **w)),),
            ],
        )
        with bank.session() as session:
            state = session.get_one(DeliveryRound, round_.id).state
        assert (answers[0] == ("accepted",)) == (state == "planned")
        assert answers[1] == ((0,) if state == "planned" else (1,))


def test_a_volunteer_who_withdraws_frees_the_round(bank: Database) -> None:
    street, volunteer, other = a_street(bank, 200), a_volunteer(bank), a_volunteer(bank)
    [round_] = street.plan(bank)
    accept_round(bank, round_, volunteer)
    with bank.unit_of_work() as session:
        tasks.cancel(session, actor=volunteer, task_id=round_.task_id)  # type: ignore[arg-type]
    with bank.session() as session:
        [view] = find_rounds(session, actor=street.kitchen.clerk, wanted=RoundFilter(), limit=10)
        assert (view.taken, view.task_status) == (False, "open")
        assert find_rounds(session, actor=volunteer, wanted=RoundFilter(), limit=10) == []
    leave(bank, round_, other)


def test_nobody_leaves_before_checking_in_and_nobody_else_leaves_with_the_round(bank: Database) -> None:
    street, volunteer, other = a_street(bank, 200), a_volunteer(bank), a_volunteer(bank)
    [round_] = street.plan(bank)
    assert refusal(bank, start_round, actor=volunteer, round_id=round_.id) == "round_unknown"
    assert refusal(bank, start_round, actor=street.kitchen.clerk, round_id=round_.id) == "round_not_taken"
    accept_round(bank, round_, volunteer)
    assert refusal(bank, start_round, actor=volunteer, round_id=round_.id) == "check_in_first"
    assert refusal(bank, start_round, actor=other, round_id=round_.id) == "round_unknown"
    assert refusal(bank, start_round, actor=steward(DAYAN), round_id=round_.id) == "round_unknown"


def test_leaving_tells_every_diner_when_and_the_code(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 200)
    with bank.session() as session:
        told_diner = select(Notice.body).where(
            Notice.person_id == street.diners[0].person(), Notice.title == "您的饭正在路上"
        )
        [body] = session.scalars(told_diner).all()
    assert "大约10:02送到" in body
    assert "交接码" in body
    assert refusal(bank, start_round, actor=volunteer, round_id=round_.id) == "wrong_state"


def test_a_round_that_nobody_takes_is_told_of_once_before_it_leaves(bank: Database) -> None:
    street = a_street(bank, 200)
    [round_] = street.plan(bank)
    clock.freeze(round_.departs_at - timedelta(minutes=30, seconds=1))
    with bank.session() as session:
        assert untaken_rounds(session, limit=10) == []
    clock.freeze(round_.departs_at - timedelta(minutes=30))
    with bank.session() as session:
        assert untaken_rounds(session, limit=10) == [round_.id]
    answers = at_once(bank, [lambda s: (tell_of_untaken(s, round_id=round_.id),) for _ in range(3)])
    assert sorted(answers) == [(False,), (False,), (True,)]  # type: ignore[type-var]
    with bank.session() as session:
        assert untaken_rounds(session, limit=10) == []
        [body] = told(session, "送餐无人接单")
    assert "应在10:00出发" in body


def test_a_round_that_somebody_takes_is_nothing_to_tell_of(bank: Database) -> None:
    street, volunteer = a_street(bank, 200), a_volunteer(bank)
    [round_] = street.plan(bank)
    accept_round(bank, round_, volunteer)
    clock.freeze(round_.departs_at)
    with bank.unit_of_work() as session:
        assert untaken_rounds(session, limit=10) == []
        assert tell_of_untaken(session, round_id=round_.id) is False


def test_a_round_given_to_a_courier_calls_the_task_off_and_tells_the_volunteer(bank: Database) -> None:
    street, volunteer = a_street(bank, 200), a_volunteer(bank)
    [round_] = street.plan(bank)
    accept_round(bank, round_, volunteer)
    with bank.unit_of_work() as session:
        give_to_courier(session, actor=street.kitchen.clerk, round_id=round_.id, name="应师傅", phone="138 1111 2222")
    with bank.session() as session:
        assert session.get_one(Task, round_.task_id).status == "cancelled"
        [view] = find_rounds(session, actor=street.kitchen.clerk, wanted=RoundFilter(), limit=10)
        bodies = session.scalars(select(Notice.body).where(Notice.person_id == volunteer.person())).all()
    assert (view.taken, view.carrier_name, view.carrier_phone) == (True, "应师傅", "13811112222")
    assert any("改由配送员送餐" in body for body in bodies)
    with bank.unit_of_work() as session:
        started = start_round(session, actor=street.kitchen.clerk, round_id=round_.id)
        assert (started.state, started.carrier) == ("departed", "courier")
    give = {"actor": street.kitchen.clerk, "round_id": round_.id, "name": "别人", "phone": "13811112222"}
    assert refusal(bank, give_to_courier, **give) == "wrong_state"


def test_a_couriers_phone_must_be_one(bank: Database) -> None:
    street = a_street(bank, 200, carrier=Carrier.COURIER)
    [round_] = street.plan(bank)
    assert (round_.carrier, round_.task_id) == ("courier", None)
    for phone in ("12", " "):
        give = {"actor": street.kitchen.clerk, "round_id": round_.id, "name": "应师傅", "phone": phone}
        assert refusal(bank, give_to_courier, **give) == "phone_invalid"


def test_names_and_phones_are_whole_on_the_way_only(bank: Database) -> None:
    street, volunteer = a_street(bank, 200), a_volunteer(bank)
    [round_] = street.plan(bank)
    accept_round(bank, round_, volunteer)

    def seen() -> tuple[str | None, str | None, str | None]:
        with bank.session() as session:
            [stop] = round_for(session, actor=volunteer, round_id=round_.id)[1]
        return stop.name, stop.phone, stop.address

    assert seen() == ("周**", "138****5678", "老街200号")
    with bank.unit_of_work() as session:
        tasks.cancel(session, actor=volunteer, task_id=round_.task_id)  # type: ignore[arg-type]
    leave(bank, round_, volunteer)
    assert seen() == ("周桂芬", "13812345678", "老街200号")
    with bank.unit_of_work() as session:
        cancel_order(session, actor=street.kitchen.clerk, order_id=street.orders[0].id, reason="老人住院")
        finish_round(session, actor=volunteer, round_id=round_.id)
    assert seen() == ("周**", None, None)


def test_rounds_are_seen_by_the_canteens_side_and_their_volunteer_only(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 200)
    with bank.unit_of_work() as session:
        other = a_kitchen(session, township_code=DAYAN)
    seeing = (street.kitchen.clerk, steward(XIWU), district(), staff(StaffRole.AUDITOR), volunteer)
    blind = (other.clerk, steward(DAYAN), a_volunteer(bank), street.diners[0], staff(StaffRole.CARE_PROVIDER, XIWU))
    with bank.session() as session:
        for actor in seeing:
            assert [v.round.id for v in find_rounds(session, actor=actor, wanted=RoundFilter(), limit=9)] == [round_.id]
        for actor in blind:
            assert find_rounds(session, actor=actor, wanted=RoundFilter(), limit=9) == []
            with pytest.raises(BankError):
                round_for(session, actor=actor, round_id=round_.id)
        found = [find_rounds(session, actor=actor, wanted=RoundFilter(), limit=9)[0] for actor in seeing]
        task = session.get_one(Task, round_.task_id)
    # The canteen reads the code out when the volunteer fetches the boxes.
    assert [view.service_code for view in found] == [task.service_code] * 3 + [None, None]


def test_a_round_ends_when_nothing_is_left_and_what_was_cancelled_meanwhile_is_noted(bank: Database) -> None:
    street, round_, volunteer = on_the_way(bank, 200)
    assert refusal(bank, finish_round, actor=volunteer, round_id=round_.id) == "round_has_stops_left"
    with bank.unit_of_work() as session:
        cancel_order(session, actor=street.kitchen.clerk, order_id=street.orders[0].id, reason="老人住院")
    with bank.unit_of_work() as session:
        assert finish_round(session, actor=volunteer, round_id=round_.id).state == "finished"
        assert session.scalars(select(DeliveryStop.outcome)).all() == ["elsewhere"]


def test_what_the_job_plans_for_a_canteen_that_has_since_closed_leaves_at_the_usual_hour(bank: Database) -> None:
    street = a_street(bank, 200)
    with bank.unit_of_work() as session:
        suspend_canteen(session, actor=steward(XIWU), canteen_id=street.kitchen.canteen.id, reason="停电")
        service = (street.kitchen.canteen.id, street.kitchen.day, str(Meal.LUNCH))
        assert plan_due(session, service=service)
        [round_] = session.scalars(select(DeliveryRound)).all()
    assert round_.departs_at == at_hour(10)
    assert round_.planned_by_name == SYSTEM.name
