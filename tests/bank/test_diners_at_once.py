"""Several at the same diner's file at the same moment: one decides, the others hear it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from tests.factories.diners import approved_diner, enrolled, list_of_diners, listed
from tests.factories.people import XIWU, steward
from tests.factories.tasks import NINE
from tests.factories.threads import after_waiting, at_once, codes_of
from tests.postgres import ThrowawayPostgres
from timebank import migrations
from timebank.canteens.diners.actions import (
    Application,
    Grant,
    add_category,
    apply,
    change,
    end_diner,
    join_household,
    review,
)
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.importing.actions.import_diners import DinerImport, import_diners
from timebank.importing.diner_workbook import open_diner_workbook
from timebank.people.models import Person
from timebank.people.queries import person

DISABLED = Grant("disabled", date(2026, 1, 1), "残疾证")


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def applying(who: Actor) -> Callable[[Session], Diner]:
    return lambda session: apply(session, actor=who, form=Application())


def importing(path: Path) -> Callable[[Session], DinerImport]:
    by = Actor(login_id=None, name="陈主任")
    return lambda session: import_diners(session, actor=by, read=lambda: open_diner_workbook(path))


def number_of(bank: Database, who: Actor) -> str:
    with bank.session() as session:
        return session.get_one(Person, who.person()).id_number


def test_one_of_many_applications_at_once_is_taken(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
    assert codes_of(at_once(bank, [applying(elder)] * 6)) == ["ok"] + ["wrong_state"] * 5


def test_one_of_two_stewards_decides(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
        apply(session, actor=elder, form=Application())

    def deciding(approve: bool) -> Callable[[Session], Diner]:
        said = {"person_id": elder.person(), "approve": approve, "reason": "材料"}
        return lambda session: review(session, actor=steward(XIWU), **said)

    assert codes_of(at_once(bank, [deciding(True), deciding(False), deciding(True)])) == ["ok", *["wrong_state"] * 2]


def test_a_category_asked_for_by_many_at_once_is_granted_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        diner = approved_diner(session)

    def granting(session: Session) -> DinerCategory:
        return add_category(session, actor=steward(XIWU), person_id=diner.person(), grant=DISABLED)

    assert codes_of(at_once(bank, [granting] * 5)) == ["category_overlaps"] * 4 + ["ok"]


def test_two_who_join_each_other_at_once_share_one_household(bank: Database) -> None:
    with bank.unit_of_work() as session:
        wife, husband = approved_diner(session), approved_diner(session)

    def joining(one: Actor, other: Actor) -> Callable[[Session], Diner]:
        both = {"person_id": one.person(), "with_person_id": other.person(), "evidence": "户口簿"}
        return lambda session: join_household(session, actor=steward(XIWU), **both)

    calls = [joining(wife, husband), joining(husband, wife)] * 3
    assert codes_of(at_once(bank, calls)) == ["already_same_household"] * 5 + ["ok"]
    with bank.session() as session:
        assert len(set(session.scalars(select(Diner.household_id)))) == 1


def test_a_list_waits_for_an_application_and_approves_it(bank: Database, tmp_path: Path) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
    path = list_of_diners(tmp_path / "a.xlsx", listed(number_of(bank, elder)))
    done = after_waiting(bank, applying(elder), importing(path))
    assert isinstance(done, DinerImport)
    assert (done.diners, done.rejected) == (1, ())
    with bank.session() as session:
        assert session.get_one(Diner, elder.person()).state == "approved"


def test_an_application_waits_for_a_list_and_is_not_needed_any_more(bank: Database, tmp_path: Path) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
    path = list_of_diners(tmp_path / "a.xlsx", listed(number_of(bank, elder)))
    refusal = after_waiting(bank, importing(path), applying(elder))
    assert isinstance(refusal, BankError)
    assert refusal.code == "wrong_state"


def test_a_change_waits_for_who_is_leaving_and_comes_too_late(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = approved_diner(session)

    def leaving(session: Session) -> None:
        person(session, elder.person(), for_update=True).left_at = clock.now()
        end_diner(session, person_id=elder.person())

    def changing(session: Session) -> Diner:
        return change(session, actor=steward(XIWU), person_id=elder.person(), wishes={"diet_form": "soft"})

    refusal = after_waiting(bank, leaving, changing)
    assert isinstance(refusal, BankError)
    assert refusal.code == "person_left"


def test_before_diners_there_was_no_role_of_theirs(postgres: ThrowawayPostgres) -> None:
    url = postgres.create("before_diners")
    engine = create_engine(url)
    try:
        migrations.upgrade(url, "0016_diners")
        values = {"id": new_id(), "sealed": new_id().bytes, "code": XIWU, "now": clock.now()}
        with engine.begin() as connection:
            connection.execute(
                text("""INSERT INTO person (id, name, id_number, id_number_index, born_on, sex, township_code,
                            enrolled_at) VALUES (:id, '梅', :sealed, :sealed, '1950-01-01', 'F', :code, :now)"""),
                values,
            )
            roles = "INSERT INTO person_role (person_id, role, since) VALUES (:id, 'diner', :now), (:id, 'elder', :now)"
            connection.execute(text(roles), values)
        migrations.downgrade(url, "0015_menus")
        with engine.connect() as connection:
            assert list(connection.scalars(text("SELECT role FROM person_role"))) == ["elder"]
            check = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ck_person_role_role_known'"
            assert "diner" not in str(connection.scalar(text(check)))
    finally:
        engine.dispose()
        postgres.drop("before_diners")
