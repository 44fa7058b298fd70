"""Enrolling by a steward, registering on the phone, proxies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.people import (
    DAYAN,
    SHANGTIAN,
    XIWU,
    add_elder,
    add_person,
    born_for_age,
    district,
    staff,
    steward,
    valid_id_number,
)
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.people import id_numbers
from timebank.people.actions import Enrolment, end_proxy, enrol, register, register_proxy, wechat_login
from timebank.people.models import Person
from timebank.people.queries import actor_of, acts_for, find_by_id_number, person, roles_of


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def form_for(age: int = 70, **changed: object) -> Enrolment:
    form = Enrolment("王梅", valid_id_number(born_for_age(age)), XIWU, "13812345678", ("volunteer",))
    return replace(form, **changed)  # type: ignore[arg-type]


def fresh_phone(session: Session, openid: str = "openid-1") -> Actor:
    actor = actor_of(session, wechat_login(session, openid=openid).id)
    assert actor is not None
    return actor


def test_enrolling_twice_is_enrolling_once_and_adds_roles_and_a_missing_phone(bank: Database) -> None:
    form = form_for(phone=None)
    with bank.unit_of_work() as session:
        first = enrol(session, actor=steward(XIWU), form=form)
        assert (first.born_on, first.sex, first.phone) == (date(1956, 1, 1), first.sex, None)
    again = replace(form, name=" 王 梅 ", roles=("elder", "volunteer"), phone="0574-88831881")
    for phone in ("0574-88831881", "13812345678"):
        with bank.unit_of_work() as session:
            person = enrol(session, actor=steward(XIWU), form=replace(again, phone=phone))
            assert (person.id, person.phone) == (first.id, "0574-88831881")
            assert roles_of(session, person.id) == ["elder", "volunteer"]
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1


def test_a_person_is_enrolled_in_one_township(bank: Database) -> None:
    form = form_for()
    with bank.unit_of_work() as session:
        enrol(session, actor=steward(XIWU), form=form)
    with pytest.raises(Conflict, match="enrolled_elsewhere:") as refusal, bank.unit_of_work() as session:
        enrol(session, actor=steward(DAYAN), form=replace(form, township_code=DAYAN))
    assert refusal.value.facts == {"township_code": XIWU}


def test_forms_that_do_not_hold_enter_nobody(bank: Database) -> None:
    form = form_for()
    wrong: list[tuple[Enrolment, str]] = [
        (replace(form, id_number=form.id_number[:-1]), "id_number_invalid"),
        (replace(form, name="\u200b "), "name_missing"),
        (replace(form, phone="12345"), "phone_invalid"),
        (replace(form, township_code="330213999"), "township_unknown"),
        (replace(form, roles=()), "role_unknown"),
        (replace(form, roles=("elder", "king")), "role_unknown"),
    ]
    for broken, code in wrong:
        with pytest.raises(Refused, match=f"{code}:"), bank.unit_of_work() as session:
            enrol(session, actor=district(), form=broken)
    with bank.unit_of_work() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 0
        enrol(session, actor=district(), form=form)
        with pytest.raises(Refused, match="name_mismatch:"):
            enrol(session, actor=district(), form=replace(form, name="王丽"))


def test_only_a_steward_of_the_township_enrols(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        for actor, code in (
            (elder, "steward_only"),
            (staff(StaffRole.AUDITOR), "steward_only"),
            (steward(DAYAN), "other_township"),
        ):
            with pytest.raises(NotAllowed, match=f"{code}:"):
                enrol(session, actor=actor, form=form_for())


def test_a_steward_finds_people_of_the_own_township_only(bank: Database) -> None:
    form = form_for()
    number = id_numbers.parse(form.id_number, today=clock.today())
    with bank.unit_of_work() as session:
        person = enrol(session, actor=steward(XIWU), form=form)
        for actor in (steward(XIWU), district()):
            assert find_by_id_number(session, actor=actor, id_number=number).id == person.id
        with pytest.raises(NotFound, match="person_unknown:"):
            find_by_id_number(session, actor=steward(DAYAN), id_number=number)
        with pytest.raises(NotAllowed, match="steward_only:"):
            find_by_id_number(session, actor=add_elder(session, XIWU), id_number=number)


def test_who_registers_and_was_enrolled_is_bound_and_not_doubled(bank: Database) -> None:
    form = form_for(70)
    with bank.unit_of_work() as session:
        enrolled = enrol(session, actor=steward(XIWU), form=replace(form, roles=("elder",), phone=None))
    with bank.unit_of_work() as session:
        phone = fresh_phone(session)
        person = register(
            session, actor=phone, form=replace(form, township_code=DAYAN, id_number=form.id_number.lower())
        )
        assert (person.id, person.township_code, person.phone) == (enrolled.id, XIWU, "13812345678")
        actor = actor_of(session, phone.login_id) if phone.login_id else None
        assert actor is not None
        assert (actor.person_id, actor.name, actor.roles) == (person.id, "王梅", frozenset({"volunteer", "elder"}))
        assert session.scalar(select(func.count()).select_from(Person)) == 1


def test_roles_follow_the_age_of_who_registers(bank: Database) -> None:
    with bank.unit_of_work() as session:
        for age, roles in ((17, []), (18, ["volunteer"]), (59, ["volunteer"]), (60, ["elder", "volunteer"])):
            person = register(session, actor=fresh_phone(session, f"openid-{age}"), form=form_for(age))
            assert roles_of(session, person.id) == roles


def test_nobody_registers_as_somebody_else_or_twice(bank: Database) -> None:
    form = form_for()
    with bank.unit_of_work() as session:
        enrol(session, actor=steward(XIWU), form=form)
        first, second = fresh_phone(session, "openid-1"), fresh_phone(session, "openid-2")
    with pytest.raises(Refused, match="name_mismatch:"), bank.unit_of_work() as session:
        register(session, actor=first, form=replace(form, name="王丽"))
    with bank.unit_of_work() as session:
        register(session, actor=first, form=form)
    for actor, wanted in ((first, form), (first, form_for()), (second, form)):
        with pytest.raises(Conflict, match="already_registered:"), bank.unit_of_work() as session:
            register(session, actor=actor, form=wanted)
    with bank.session() as session:
        assert second.login_id is not None
        unbound = actor_of(session, second.login_id)
        assert unbound is not None
        with pytest.raises(NotAllowed, match="registration_needed:"):
            unbound.person()


@pytest.mark.parametrize(("mark", "code"), [("left_at", "person_left"), ("death_reported_at", "person_frozen")])
def test_nobody_registers_as_somebody_who_has_left_or_is_reported_dead(bank: Database, mark: str, code: str) -> None:
    form = form_for()
    with bank.unit_of_work() as session:
        gone = enrol(session, actor=steward(XIWU), form=form)
        phone = fresh_phone(session)
        setattr(gone, mark, clock.now())
    with pytest.raises(Conflict, match=f"{code}:"), bank.unit_of_work() as session:
        register(session, actor=phone, form=form)
    with bank.session() as session:
        assert phone.login_id is not None
        unbound = actor_of(session, phone.login_id)
        assert unbound is not None
        assert unbound.person_id is None


def test_somebody_who_is_locked_is_seen_as_they_are_by_then(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    with bank.unit_of_work() as session:
        known = person(session, elder.person())
        assert known.left_at is None
        with bank.unit_of_work() as meanwhile:
            person(meanwhile, elder.person()).left_at = clock.now()
        assert person(session, elder.person(), for_update=True) is known
        assert known.left_at == clock.now()


@pytest.mark.parametrize("enrolled_before", [False, True])
def test_of_two_phones_that_register_one_number_at_once_one_is_bound(bank: Database, enrolled_before: bool) -> None:
    form = form_for()
    with bank.unit_of_work() as session:
        phones = [fresh_phone(session, f"openid-{n}") for n in range(5)]
        if enrolled_before:
            enrol(session, actor=steward(XIWU), form=form)
    answers = at_once(bank, [lambda s, p=p: register(s, actor=p, form=form) for p in phones])
    assert codes_of(answers) == ["already_registered"] * 4 + ["ok"]
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(Person)) == 1


def test_one_number_enrolled_and_registered_at_once_is_one_person(bank: Database) -> None:
    form = form_for()
    with bank.unit_of_work() as session:
        phone = fresh_phone(session)
    answers = at_once(
        bank,
        [
            lambda s: enrol(s, actor=steward(XIWU), form=form).id,
            lambda s: register(s, actor=phone, form=form).id,
            lambda s: enrol(s, actor=district(), form=form).id,
        ],
    )
    assert not any(isinstance(answer, BankError) for answer in answers)
    assert len(set(answers)) == 1


def test_a_proxy_acts_from_registration_to_its_end(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, daughter = add_elder(session, XIWU), add_person(session, SHANGTIAN, age=50)
        assert not acts_for(session, daughter, elder.person(), None)
        wanted = {"elder_id": elder.person(), "proxy_id": daughter.person()}
        proxy = register_proxy(session, actor=steward(XIWU), **wanted, relation="女儿", consent_evidence="同意书第1号")
        assert acts_for(session, daughter, elder.person(), None)
        assert not acts_for(session, elder, daughter.person(), None)
        with pytest.raises(Conflict, match="proxy_already_registered:"):
            register_proxy(session, actor=steward(XIWU), **wanted, relation="女儿", consent_evidence="再来一次")
        end_proxy(session, actor=district(), registration_id=proxy.id)
        assert not acts_for(session, daughter, elder.person(), None)
        with pytest.raises(Conflict, match="proxy_ended:"):
            end_proxy(session, actor=district(), registration_id=proxy.id)
        register_proxy(session, actor=steward(XIWU), **wanted, relation="女儿", consent_evidence="同意书第2号")
        assert acts_for(session, daughter, elder.person(), None)


def test_proxies_are_for_the_elders_steward_to_register(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, daughter = add_elder(session, XIWU), add_person(session, SHANGTIAN, age=50)
        refused: list[tuple[Actor, object, object, str]] = [
            (daughter, elder.person(), daughter.person(), "steward_only"),
            (steward(SHANGTIAN), elder.person(), daughter.person(), "other_township"),
            (steward(XIWU), elder.person(), elder.person(), "proxy_is_oneself"),
            (steward(XIWU), elder.person(), new_id(), "person_unknown"),
            (steward(XIWU), new_id(), daughter.person(), "person_unknown"),
        ]
        for actor, elder_id, proxy_id, code in refused:
            with pytest.raises(BankError, match=f"{code}:"):
                register_proxy(
                    session,
                    actor=actor,
                    elder_id=elder_id,  # type: ignore[arg-type]
                    proxy_id=proxy_id,  # type: ignore[arg-type]
                    relation="女儿",
                    consent_evidence="同意书",
                )
        with pytest.raises(NotFound, match="proxy_unknown:"):
            end_proxy(session, actor=district(), registration_id=new_id())
