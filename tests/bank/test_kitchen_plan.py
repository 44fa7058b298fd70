"""What a kitchen cooks for itself and for those whom it serves, and what goes where."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from tests.bank.test_delivery_rounds import refusal
from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.delivery import a_volunteer
from tests.factories.orders import GREENS, LOVE, MORNING, PORK, Kitchen, a_diner, a_kitchen, at_hour, placed
from tests.factories.people import DAYAN, XIWU, district, staff, steward
from tests.factories.threads import at_once, codes_of
from timebank.canteens.counter.actions import serve_orders
from timebank.canteens.delivery.actions import mark_cooked
from timebank.canteens.delivery.queries.kitchen import KitchenDay, kitchen_day
from timebank.canteens.orders.actions import cancel_order, place_order
from timebank.canteens.pricing.rules import Meal, Way
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.importing.kitchen_workbook import write_kitchen_day


@pytest.fixture(autouse=True)
def _before_the_cut_off() -> None:
    clock.freeze(MORNING)


def with_a_point(session: Session) -> tuple[Kitchen, Kitchen]:
    """A central kitchen of 西坞, and a point of 大堰 that it cooks for."""
    central = a_kitchen(session, canteen_type="central", name="西坞街道中心食堂")
    return central, a_kitchen(session, township_code=DAYAN, kitchen_id=central.canteen.id, name="箭岭村助餐点")


def look(session: Session, kitchen: Kitchen, actor: Actor | None = None) -> KitchenDay:
    who = actor or kitchen.clerk
    return kitchen_day(session, actor=who, canteen_id=kitchen.canteen.id, served_on=kitchen.day, meal=Meal.LUNCH)


def ordered(session: Session) -> tuple[Kitchen, Kitchen]:
    """Four lunches: two at the kitchen, one of them soft; two at the point, one for somebody who bears no soy."""
    central, point = with_a_point(session)
    placed(session, central, a_diner(session), PORK, GREENS)
    placed(session, central, a_diner(session, diet_form="soft"), GREENS, way=Way.TAKE_AWAY)
    soy = a_diner(session, township_code=DAYAN, allergies=["大豆"])
    placed(session, point, soy, PORK, GREENS, accept_unsuitable=True)
    placed(session, point, a_diner(session, township_code=DAYAN), LOVE, way=Way.DELIVER, delivery_address="箭岭3号")
    return central, point


def test_dishes_are_counted_by_form_and_canteen_and_sum_up(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, _ = ordered(session)
        day = look(session, central)
    here, there = "西坞街道中心食堂", "箭岭村助餐点"
    assert [(d.dish, d.diet_form, d.canteen_name, d.portions) for d in day.dishes] == [
        (GREENS, "normal", here, 1),
        (GREENS, "normal", there, 1),
        (GREENS, "soft", here, 1),
        (LOVE, "normal", there, 1),
        (PORK, "normal", here, 1),
        (PORK, "normal", there, 1),
    ]
    assert [(t.dish, t.diet_form, t.portions) for t in day.totals] == [
        (GREENS, "normal", 2),
        (GREENS, "soft", 1),
        (LOVE, "normal", 1),
        (PORK, "normal", 2),
    ]
    assert (day.boxes, day.portions) == (4, sum(t.portions for t in day.totals))


def test_boxes_go_to_each_canteen_by_form_and_way(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, point = ordered(session)
        day = look(session, central)
    assert [(b.canteen_id, b.diet_form, b.way, b.boxes, b.portions) for b in day.distribution] == [
        (central.canteen.id, "normal", "eat_in", 1, 2),
        (central.canteen.id, "soft", "take_away", 1, 1),
        (point.canteen.id, "normal", "eat_in", 1, 2),
        (point.canteen.id, "normal", "deliver", 1, 1),
    ]


def test_a_box_for_somebody_with_an_allergy_names_the_dishes_that_contain_it_and_no_person(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, _ = ordered(session)
        [line] = look(session, central).allergies
    assert (line.canteen_name, line.pickup_number, line.allergies) == ("箭岭村助餐点", 1, ("大豆",))
    assert line.dishes == (PORK,)


def test_the_numbers_are_provisional_until_the_cut_off_and_stand_from_then_on(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central = a_kitchen(session)
        diners = [a_diner(session) for _ in range(4)]
        orders = [placed(session, central, diner) for diner in diners[:3]]
        before = look(session, central)
        cancel_order(session, actor=diners[0], order_id=orders[0].id)
        assert look(session, central).portions == 2
    assert (before.provisional, before.portions, before.cut_off_at) == (True, 3, at_hour(9))
    clock.freeze(at_hour(9))
    with bank.unit_of_work() as session:
        assert look(session, central).provisional is False
        # What is cancelled now was bought and is cooked; what is sold at the counter now is not for this list.
        cancel_order(session, actor=central.clerk, order_id=orders[1].id, reason="老人住院")
        assert look(session, central).portions == 2
    clock.freeze(at_hour(10))
    with bank.unit_of_work() as session:
        [served] = serve_orders(session, actor=central.clerk, order_ids=[orders[2].id])
        assert not isinstance(served, BankError)
        placed_late = central.lunch(diners[3], walk_in=True)
        place_order(session, actor=central.clerk, wanted=placed_late)
        day = look(session, central)
    assert (day.portions, day.boxes) == (2, 2)


def test_the_kitchens_side_and_auditors_look_in_and_nobody_else(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, point = ordered(session)
        for actor in (central.clerk, steward(XIWU), district(), staff(StaffRole.AUDITOR)):
            assert look(session, central, actor).boxes == 4
    for actor in (point.clerk, steward(DAYAN), a_volunteer(bank), staff(StaffRole.CARE_PROVIDER, XIWU)):
        where = {"canteen_id": central.canteen.id, "served_on": central.day, "meal": Meal.LUNCH}
        assert refusal(bank, kitchen_day, actor=actor, **where) == "canteen_not_yours"


def test_a_point_that_does_not_cook_says_who_does(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, point = with_a_point(session)
        with pytest.raises(BankError) as raised:
            look(session, point)
    assert (raised.value.code, raised.value.facts["kitchen_id"]) == ("not_a_kitchen", central.canteen.id)


def test_a_meal_is_cooked_once_on_its_day_by_its_kitchen(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, point = ordered(session)
    meal = {"canteen_id": central.canteen.id, "served_on": central.day, "meal": Meal.LUNCH}
    tomorrow = {**meal, "served_on": central.day + timedelta(days=1)}
    assert refusal(bank, mark_cooked, actor=central.clerk, **tomorrow) == "cooked_only_today"
    assert refusal(bank, mark_cooked, actor=point.clerk, **meal) == "canteen_not_yours"
    assert refusal(bank, mark_cooked, actor=staff(StaffRole.AUDITOR), **meal) == "canteen_not_yours"
    there = {**meal, "canteen_id": point.canteen.id}
    assert refusal(bank, mark_cooked, actor=point.clerk, **there) == "not_a_kitchen"
    answers = at_once(bank, [lambda s: mark_cooked(s, actor=central.clerk, **meal) for _ in range(4)])
    assert codes_of(answers) == ["already_cooked"] * 3 + ["ok"]
    with bank.session() as session:
        assert look(session, central).cooked_at == MORNING


def test_an_empty_kitchen_has_an_empty_plan(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen = open_canteen(session)
        empty = kitchen_day(
            session, actor=canteen_clerk(canteen), canteen_id=canteen.id, served_on=clock.today(), meal=Meal.SUPPER
        )
    assert (empty.boxes, empty.dishes, empty.distribution, empty.allergies) == (0, [], [], [])


def test_the_workbook_says_the_same(bank: Database) -> None:
    with bank.unit_of_work() as session:
        central, _ = ordered(session)
        day = look(session, central)
    file = BytesIO()
    write_kitchen_day(file, day)
    book = load_workbook(file)
    plan = [row for row in book["生产计划"].iter_rows(min_row=3, values_only=True)]
    assert plan[:3] == [
        (GREENS, "普通", "西坞街道中心食堂", 1),
        (GREENS, "普通", "箭岭村助餐点", 1),
        (GREENS, "普通", "小计", 2),
    ]
    assert plan[-1][-1] == day.portions
    boxes = [row for row in book["分送清单"].iter_rows(min_row=3, values_only=True)]
    assert boxes[-2:] == [("箭岭村助餐点", "普通", "送餐上门", 1, 1), ("合计", None, None, 4, 6)]
    [allergy] = [row for row in book["过敏提示"].iter_rows(min_row=3, values_only=True)]
    assert allergy == ("箭岭村助餐点", 1, "普通", "大豆", PORK)
    assert "仅供参考" in str(book["生产计划"]["A1"].value)
