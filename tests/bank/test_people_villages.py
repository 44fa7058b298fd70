"""Where in their township people live: entered with them, filled in later, gone when they move away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from tests.factories.leaving import leave
from tests.factories.people import (
    DAYAN,
    XIWU,
    add_canteen,
    born_for_age,
    clerk,
    district,
    steward,
    valid_id_number,
)
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.allotments.actions import NewAssessment, assess
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import Refused
from timebank.people.actions import Enrolment, enrol, register, wechat_login
from timebank.people.models import ElderFile, Person
from timebank.people.queries import actor_of
from timebank.redemption.actions import find_diners


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def form_for(**changed: object) -> Enrolment:
    form = Enrolment("周桂芬", valid_id_number(born_for_age(82)), XIWU, "13812345678", ("elder",))
    return replace(form, **changed)  # type: ignore[arg-type]


def entered(bank: Database, form: Enrolment) -> Person:
    with bank.unit_of_work() as session:
        return enrol(session, actor=district(), form=form)


def village_of(bank: Database, person: Person) -> str | None:
    with bank.session() as session:
        file = session.get(ElderFile, person.id)
        return file.village if file is not None else None


def test_a_clerk_sees_the_village_that_a_steward_entered(bank: Database) -> None:
    form = form_for(village=" 蒋家池头村委会")
    person = entered(bank, form)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
        [found] = find_diners(session, actor=counter, name="周桂芬", id_last_four=form.id_number[-4:])
    assert (found.person_id, found.township_name, found.village) == (person.id, "西坞街道", "蒋家池头村")


def test_enrolling_again_fills_a_missing_village_and_leaves_another_as_it_is(bank: Database) -> None:
    form = form_for()
    person = entered(bank, form)
    assert village_of(bank, person) is None
    for written in ("白杜村", "东陈村", None, " "):
        entered(bank, replace(form, village=written))
        assert village_of(bank, person) == "白杜村"


def test_a_village_is_filled_into_the_file_that_an_assessment_made(bank: Database) -> None:
    form = form_for()
    person = entered(bank, form)
    with bank.unit_of_work() as session:
        assess(session, actor=steward(XIWU), person_id=person.id, found=NewAssessment(2, "评估表", ["独居"]))
    entered(bank, replace(form, village="白杜村"))
    with bank.session() as session:
        file = session.get_one(ElderFile, person.id)
        assert (file.village, file.assessment_level, file.circumstances) == ("白杜村", 2, ["独居"])


def test_a_village_of_another_township_is_refused_and_enters_nobody(bank: Database) -> None:
    with pytest.raises(Refused, match="village_unknown:") as refusal:
        entered(bank, form_for(village="白杜村", township_code=DAYAN))
    assert refusal.value.facts == {"field": "village", "township_code": DAYAN}
    with bank.session() as session:
        assert session.scalars(select(Person)).all() == []


@pytest.mark.parametrize(("lives_in", "village"), [(XIWU, "白杜村"), (DAYAN, None)])
def test_who_registers_names_the_village_of_where_they_are_registered(
    bank: Database, lives_in: str, village: str | None
) -> None:
    form = form_for(village="白杜村", roles=())
    person = entered(bank, replace(form, township_code=lives_in, village=None, roles=("elder",)))
    with bank.unit_of_work() as session:
        phone = actor_of(session, wechat_login(session, openid="openid-1").id)
        assert phone is not None
        assert register(session, actor=phone, form=form).id == person.id
    assert village_of(bank, person) == village


def test_who_is_new_registers_with_a_village(bank: Database) -> None:
    with bank.unit_of_work() as session:
        phone = actor_of(session, wechat_login(session, openid="openid-1").id)
        assert phone is not None
        person = register(session, actor=phone, form=form_for(village="白杜村", roles=()))
    assert village_of(bank, person) == "白杜村"


def test_whoever_moves_lives_in_no_village_of_the_old_township(bank: Database) -> None:
    person = entered(bank, form_for(village="白杜村"))
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=person.id, township_code=DAYAN, evidence="户口簿")
    assert village_of(bank, person) is None


@pytest.mark.parametrize(("township_code", "village"), [(XIWU, "白杜村"), (DAYAN, None)])
def test_whoever_comes_back_elsewhere_does_so_without_the_old_village(
    bank: Database, township_code: str, village: str | None
) -> None:
    form = form_for(village="白杜村")
    person = entered(bank, form)
    leave(bank, district(), person_id=person.id, evidence="申请书")
    entered(bank, replace(form, village=None, township_code=township_code))
    assert village_of(bank, person) == village


def test_a_village_and_an_assessment_at_once_make_one_file(bank: Database) -> None:
    form = form_for()
    person = entered(bank, form)
    answers = at_once(
        bank,
        [
            lambda s: enrol(s, actor=district(), form=replace(form, village="白杜村")).id,
            lambda s: assess(s, actor=steward(XIWU), person_id=person.id, found=NewAssessment(2, "评估表")).id,
            lambda s: enrol(s, actor=district(), form=replace(form, village="东陈村")).id,
        ],
    )
    assert codes_of(answers) == ["ok"] * 3
    assert village_of(bank, person) in {"白杜村", "东陈村"}
