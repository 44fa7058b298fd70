"""A canteen from its application to its closing: who decides what, its number, its kitchen, what is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import (
    accepted_canteen,
    all_in_order,
    apply_for_canteen,
    canteen_clerk,
    open_canteen,
    whole_week,
)
from tests.factories.people import DAYAN, XIWU, add_canteen, add_person, district, staff, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.audit.models import AuditEntry
from timebank.canteens.network import actions
from timebank.canteens.network.actions import Application, Particulars
from timebank.canteens.network.models import Canteen, CanteenAcceptance
from timebank.canteens.network.queries import canteen_here, organisation_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.notifications.models import Notice

HERE = Particulars("老街1号", "0574-88511234", "nobody", 29.69, 121.47)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def refused(bank: Database, act: Callable[[Session], Any]) -> BankError:
    """The refusal, with nothing kept."""
    with pytest.raises(BankError) as raised, bank.unit_of_work() as session:
        act(session)
    return raised.value


def test_a_canteen_is_applied_for_accepted_opened_suspended_and_closed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        made = apply_for_canteen(session)
        assert (made.state, made.number, made.accepted_at) == ("applied", None, None)
        assert organisation_of(session, made.id).not_serving_since == NINE
        actions.accept(session, actor=district(), canteen_id=made.id, found=all_in_order(session))
        assert (made.state, made.number, made.accepted_at) == ("accepted", f"{XIWU}-001", NINE)
        actions.set_hours(session, actor=steward(XIWU), canteen_id=made.id, week=whole_week())
        actions.open_canteen(session, actor=steward(XIWU), canteen_id=made.id)
        assert (made.state, organisation_of(session, made.id).not_serving_since) == ("open", None)
    later = NINE + timedelta(days=3)
    clock.freeze(later)
    with bank.unit_of_work() as session:
        paused = actions.suspend(session, actor=steward(XIWU), canteen_id=made.id, reason=" 停水 ")
        assert (paused.state, paused.state_reason, paused.suspended_at) == ("suspended", "停水", later)
        assert organisation_of(session, made.id).not_serving_since == later
        assert actions.open_canteen(session, actor=district(), canteen_id=made.id).state_reason == ""
        closed = actions.close(session, actor=steward(XIWU), canteen_id=made.id, reason="搬迁")
        assert (closed.state, closed.number, closed.closed_at) == ("closed", f"{XIWU}-001", later)
    with bank.session() as session:
        done = select(AuditEntry.action).where(AuditEntry.subject_id == str(made.id)).order_by(AuditEntry.id)
        assert session.scalars(done).all() == [
            *("canteen_applied", "canteen_accepted", "canteen_hours_set", "canteen_open", "canteen_suspended"),
            *("canteen_open", "canteen_closed"),
        ]


def test_a_refused_canteen_has_no_number_and_may_be_inspected_again(bank: Database) -> None:
    with bank.unit_of_work() as session:
        made = apply_for_canteen(session)
        good = all_in_order(session)
        bad = replace(good, checked={**good.checked, "消防合格": False}, remarks="灭火器过期")
        for _ in range(2):
            actions.accept(session, actor=district(), canteen_id=made.id, found=bad)
            assert (made.state, made.number, made.state_reason) == ("refused", None, "灭火器过期")
        actions.accept(session, actor=district(), canteen_id=made.id, found=good)
        assert (made.state, made.number) == ("accepted", f"{XIWU}-001")
    with bank.session() as session:
        inspections = select(CanteenAcceptance.passed).order_by(CanteenAcceptance.inspected_at, CanteenAcceptance.id)
        assert session.scalars(inspections).all() == [False, False, True]
        told = select(Notice.title).where(Notice.township_code == XIWU).order_by(Notice.id)
        assert session.scalars(told).all() == ["助餐点未通过验收", "助餐点未通过验收", "助餐点通过验收"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"checked": {}}, "acceptance_points_unfit"),
        ({"inspected_on": NINE.date() + timedelta(days=1)}, "date_in_future"),
        ({"inspected_on": NINE.date() - timedelta(days=1)}, "inspected_too_early"),
        ({"inspector_name": "  "}, "reason_needed"),
    ],
)
def test_an_inspection_that_cannot_be_is_refused(bank: Database, change: dict[str, Any], code: str) -> None:
    with bank.unit_of_work() as session:
        made = apply_for_canteen(session)
        found = replace(all_in_order(session), **change)
    said = refused(bank, lambda s: actions.accept(s, actor=district(), canteen_id=made.id, found=found))
    assert (type(said), said.code) == (Refused, code)
    with bank.session() as session:
        assert (canteen_here(session, made.id).state, session.scalars(select(CanteenAcceptance)).all()) == (
            "applied",
            [],
        )


def test_who_does_not_pass_hears_why(bank: Database) -> None:
    with bank.unit_of_work() as session:
        made = apply_for_canteen(session)
        good = all_in_order(session)
    bad = replace(good, checked={**good.checked, "消防合格": False}, remarks=" ")
    said = refused(bank, lambda s: actions.accept(s, actor=district(), canteen_id=made.id, found=bad))
    assert (said.code, said.facts["field"]) == ("reason_needed", "remarks")


def test_numbers_rise_in_each_township_and_a_closed_canteen_keeps_its_own(bank: Database) -> None:
    with bank.unit_of_work() as session:
        first, second = open_canteen(session), open_canteen(session)
        elsewhere = open_canteen(session, DAYAN)
        actions.close(session, actor=district(), canteen_id=second.id, reason="搬迁")
        third = open_canteen(session)
        numbers = [canteen.number for canteen in (first, second, elsewhere, third)]
    assert numbers == [f"{XIWU}-001", f"{XIWU}-002", f"{DAYAN}-001", f"{XIWU}-003"]


def test_of_many_accepted_at_once_each_gets_a_number_of_its_own(bank: Database) -> None:
    with bank.unit_of_work() as session:
        waiting = [apply_for_canteen(session).id for _ in range(6)]
        found = all_in_order(session)
    calls = [
        lambda s, one=one: actions.accept(s, actor=district(), canteen_id=one, found=found).number for one in waiting
    ]
    assert sorted(map(str, at_once(bank, calls))) == [f"{XIWU}-00{n}" for n in range(1, 7)]


def test_of_two_inspections_at_once_the_later_finds_it_accepted(bank: Database) -> None:
    with bank.unit_of_work() as session:
        made, found = apply_for_canteen(session), all_in_order(session)
    calls = [lambda s: actions.accept(s, actor=district(), canteen_id=made.id, found=found)] * 2
    assert codes_of(at_once(bank, calls)) == ["ok", "wrong_state"]


@pytest.mark.parametrize("who", ["other township", "clerk", "person", "auditor"])
def test_only_its_townships_stewards_and_the_district_decide_about_a_canteen(bank: Database, who: str) -> None:
    with bank.unit_of_work() as session:
        here, waiting = open_canteen(session), apply_for_canteen(session)
        found = all_in_order(session)
        actor = {
            "other township": lambda: steward(DAYAN),
            "clerk": lambda: canteen_clerk(here),
            "person": lambda: add_person(session, XIWU),
            "auditor": lambda: staff(StaffRole.AUDITOR),
        }[who]()
    for act in _decisions(actor, here):
        said = refused(bank, act)
        assert (type(said), said.code) == (NotAllowed, "other_township" if who == "other township" else "steward_only")
    for own in (actor, steward(XIWU)):
        said = refused(bank, lambda s, own=own: actions.accept(s, actor=own, canteen_id=waiting.id, found=found))
        assert (type(said), said.code) == (NotAllowed, "district_only")


def _decisions(actor: Actor, here: Canteen) -> list[Callable[[Session], Any]]:
    day = clock.today() + timedelta(days=1)
    which: dict[str, Any] = {"actor": actor, "canteen_id": here.id}
    return [
        lambda s: actions.apply(s, actor=actor, form=Application("新食堂", XIWU, "village", HERE)),
        lambda s: actions.change(s, **which, particulars=HERE),
        lambda s: actions.open_canteen(s, **which),
        lambda s: actions.suspend(s, **which, reason="停水"),
        lambda s: actions.close(s, **which, reason="搬迁"),
        lambda s: actions.set_hours(s, **which, week=whole_week()),
        lambda s: actions.add_closed_days(s, **which, first_on=day, last_on=day, reason="停电"),
        lambda s: actions.remove_closed_day(s, **which, closed_on=day),
    ]


def test_what_is_not_there_or_already_there_is_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        organisation = add_canteen(session, XIWU, "有名食堂")
    for act in _decisions(district(), Canteen(id=new_id()))[1:]:
        assert (type(said := refused(bank, act)), said.code) == (NotFound, "canteen_unknown")
    form = Application("有名食堂", XIWU, "village", HERE)
    said = refused(bank, lambda s: actions.apply(s, actor=district(), form=form))
    assert (type(said), said.code) == (Conflict, "name_taken")
    nowhere = replace(form, name="无名食堂", township_code="330213999")
    assert refused(bank, lambda s: actions.apply(s, actor=district(), form=nowhere)).code == "township_unknown"
    with bank.session() as session, pytest.raises(NotFound, match="canteen_unknown"):
        canteen_here(session, organisation.id)


def test_of_two_who_take_one_name_at_once_one_is_refused(bank: Database) -> None:
    form = Application("同名食堂", XIWU, "village", HERE)
    calls = [lambda s: actions.apply(s, actor=steward(XIWU), form=form)] * 3
    assert codes_of(at_once(bank, calls)) == ["name_taken", "name_taken", "ok"]


@pytest.mark.parametrize(
    ("lacking", "code"),
    [
        ({"phone": "无"}, "phone_invalid"),
        ({"longitude": None}, "place_incomplete"),
        ({"latitude": 2.0}, "place_far_away"),
    ],
)
def test_particulars_that_cannot_be_are_refused_to_applicants_and_in_changes(
    bank: Database, lacking: dict[str, Any], code: str
) -> None:
    with bank.unit_of_work() as session:
        here = open_canteen(session)
    wrong = replace(HERE, **lacking)
    form = Application("新食堂", XIWU, "village", wrong)
    assert refused(bank, lambda s: actions.apply(s, actor=district(), form=form)).code == code
    assert (
        refused(bank, lambda s: actions.change(s, actor=district(), canteen_id=here.id, particulars=wrong)).code == code
    )


def test_a_canteen_opens_with_hours_and_a_place_and_keeps_them_while_it_is_open(bank: Database) -> None:
    with bank.unit_of_work() as session:
        made = apply_for_canteen(session, place=(None, None))
        actions.accept(session, actor=district(), canteen_id=made.id, found=all_in_order(session))
    which: dict[str, Any] = {"actor": steward(XIWU), "canteen_id": made.id}
    assert refused(bank, lambda s: actions.open_canteen(s, **which)).code == "place_needed"
    with bank.unit_of_work() as session:
        actions.change(session, **which, particulars=HERE)
    assert refused(bank, lambda s: actions.open_canteen(s, **which)).code == "hours_needed"
    with bank.unit_of_work() as session:
        actions.set_hours(session, **which, week=whole_week())
        actions.open_canteen(session, **which)
    nowhere = replace(HERE, latitude=None, longitude=None)
    assert refused(bank, lambda s: actions.change(s, **which, particulars=nowhere)).code == "place_needed"
    assert refused(bank, lambda s: actions.set_hours(s, **which, week=[])).code == "hours_needed"


def test_a_closed_canteen_stays_as_it_was(bank: Database) -> None:
    with bank.unit_of_work() as session:
        here = open_canteen(session)
        actions.close(session, actor=district(), canteen_id=here.id, reason="搬迁")
    codes = [refused(bank, act).code for act in _decisions(district(), here)[1:]]
    assert codes == [*("canteen_closed", "wrong_state", "wrong_state", "wrong_state"), *["canteen_closed"] * 3]


def test_a_reason_is_needed_to_suspend_and_to_close(bank: Database) -> None:
    with bank.unit_of_work() as session:
        here = open_canteen(session)
    for act in (actions.suspend, actions.close):
        said = refused(bank, lambda s, act=act: act(s, actor=district(), canteen_id=here.id, reason=" "))
        assert said.code == "reason_needed"


def test_an_application_can_be_withdrawn_without_a_number(bank: Database) -> None:
    with bank.unit_of_work() as session:
        made = apply_for_canteen(session)
        closed = actions.close(session, actor=steward(XIWU), canteen_id=made.id, reason="不办了")
        assert (closed.state, closed.number) == ("closed", None)


def test_a_canteen_is_served_by_a_kitchen_that_cooks_itself_and_is_open(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen = open_canteen(session, DAYAN)
        point = accepted_canteen(session, kitchen_id=kitchen.id)
        actions.suspend(session, actor=district(), canteen_id=kitchen.id, reason="检修")
    which: dict[str, Any] = {"actor": district(), "canteen_id": point.id}
    assert refused(bank, lambda s: actions.open_canteen(s, **which)).code == "kitchen_unfit"
    with bank.unit_of_work() as session:
        actions.open_canteen(session, actor=district(), canteen_id=kitchen.id)
        actions.open_canteen(session, **which)
    busy = refused(bank, lambda s: actions.close(s, actor=district(), canteen_id=kitchen.id, reason="搬迁"))
    assert (type(busy), busy.code) == (Conflict, "kitchen_in_use")
    with bank.unit_of_work() as session:
        actions.close(session, **which, reason="并入")
        assert actions.close(session, actor=district(), canteen_id=kitchen.id, reason="搬迁").state == "closed"


def test_kitchens_in_a_row_in_a_ring_or_not_there_are_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, other, waiting = open_canteen(session), open_canteen(session), apply_for_canteen(session)
        point = open_canteen(session, kitchen_id=kitchen.id)

    def code(canteen: Canteen, kitchen_id: Any) -> str:
        wanted = replace(HERE, kitchen_id=kitchen_id)
        call = actions.change
        return refused(bank, lambda s: call(s, actor=district(), canteen_id=canteen.id, particulars=wanted)).code

    assert code(other, other.id) == "kitchen_unfit"
    assert code(other, point.id) == "kitchen_unfit"
    assert code(kitchen, other.id) == "kitchen_unfit"
    assert code(other, waiting.id) == "kitchen_unfit"
    assert code(other, new_id()) == "canteen_unknown"
    form = Application("新食堂", XIWU, "neighbour", replace(HERE, kitchen_id=point.id))
    assert refused(bank, lambda s: actions.apply(s, actor=district(), form=form)).code == "kitchen_unfit"


def test_of_two_that_name_one_another_as_kitchen_at_once_one_is_refused(bank: Database) -> None:
    with bank.unit_of_work() as session:
        one, other = open_canteen(session), open_canteen(session)
    calls = [
        lambda s, a=a, b=b: actions.change(
            s, actor=district(), canteen_id=a.id, particulars=replace(HERE, kitchen_id=b.id)
        )
        for a, b in ((one, other), (other, one))
    ]
    assert codes_of(at_once(bank, calls)) == ["kitchen_unfit", "ok"]
