"""An office's list of diners: whom it brings in, what it leaves as it is, and which rows come back."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.factories.canteens import open_canteen
from tests.factories.diners import (
    approved_diner,
    bring_diners_in,
    enrolled,
    list_of_diners,
    listed,
    sent_back,
)
from tests.factories.imports import rows_of_all_tables
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, steward, valid_id_number
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.canteens.diners.actions import Application, apply, end_diner, review, withdraw_category
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.canteens.diners.queries import facts_on
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import NotAllowed
from timebank.importing.actions.import_diners import import_diners
from timebank.importing.diner_workbook import diner_form, open_diner_workbook, read_diner_workbook
from timebank.importing.package import WorkbookUnreadable
from timebank.notifications.actions import notices_for
from timebank.people.models import ElderFile, Person
from timebank.people.queries import people_by_id_numbers, roles_of

DAY = date(2026, 6, 1)
BORN = date(1944, 3, 8)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "用餐对象.xlsx"


def person_with(session: Session, number: str) -> Person:
    return people_by_id_numbers(session, [number])[number]


def file_with(bank: Database, number: str) -> Diner:
    with bank.session() as session:
        return session.get_one(Diner, person_with(session, number).id)


def number_of(bank: Database, who: Actor) -> str:
    with bank.session() as session:
        return session.get_one(Person, who.person()).id_number


def holding(valid_from: object = "2026-01-01", **cells: object) -> dict[str, object]:
    return {"特殊类别": "低保", "类别起": valid_from, "证明": "低保证12", **cells}


def test_a_row_becomes_a_person_with_an_approved_file(bank: Database, path: Path) -> None:
    with bank.unit_of_work() as session:
        canteen = open_canteen(session, name="白杜村老年食堂")
    elder, child = valid_id_number(BORN), valid_id_number(date(2017, 5, 1))
    told = {
        "村社": "白杜",
        "餐食形态": "碎食",
        "过敏": "花生、鱼类",
        "饮食习惯": "素食",
        "常用助餐点": "白杜村老年食堂",
    }
    told |= {"手机": "13812345678", "送餐地址": "白杜村12号", "送餐备注": "放门口", "类别止": "2026.12.31"}
    rows = [listed(elder, **holding("2026年1月1日", **told)), listed(child, 姓名="周小宝", 同户=elder)]
    rows[0][8] = "低保、残疾人"
    done = bring_diners_in(bank, list_of_diners(path, *rows))
    assert (done.people, done.diners, done.categories, done.already_present, sent_back(done)) == (2, 2, 2, 0, [])
    with bank.session() as session:
        person = person_with(session, elder)
        assert (person.name, person.phone, roles_of(session, person.id)) == ("周桂芬", "13812345678", ["elder"])
        assert session.get_one(ElderFile, person.id).village == "白杜村"
        assert roles_of(session, person_with(session, child).id) == ["diner"]
        facts = facts_on(session, [person.id], DAY)[person.id]
        assert (facts.diet_form, facts.allergies, facts.religious_diet) == ("minced", {"花生", "鱼类"}, "素食")
        assert facts.categories == {"low_income", "disabled"}
        assert facts_on(session, [person.id], date(2027, 1, 1))[person.id].categories == set()
        written = session.scalars(select(AuditEntry).where(AuditEntry.action == "diners_imported")).one()
        assert (written.actor_name, written.facts["diners"]) == ("陈主任", 2)
        assert elder not in str(written.facts)
    file = file_with(bank, elder)
    assert (file.state, file.reviewed_by_name, file.usual_canteen_id) == ("approved", "陈主任", canteen.id)
    assert (file.delivery_address, file.delivery_note) == ("白杜村12号", "放门口")
    assert file_with(bank, child).household_id == file.household_id


def test_importing_twice_changes_nothing_at_all(bank: Database, path: Path) -> None:
    wife, husband = valid_id_number(BORN), valid_id_number(BORN)
    rows = [listed(wife, **holding(), 过敏="鱼类", 村社="白杜", 同户=husband), listed(husband, 姓名="林大海")]
    list_of_diners(path, *rows, listed("1"))
    first = bring_diners_in(bank, path)
    assert (first.diners, first.categories, sent_back(first)) == (2, 1, [(4, "id_number_invalid")])
    before = rows_of_all_tables(bank)
    again = bring_diners_in(bank, path)
    assert (again.people, again.diners, again.categories, again.already_present) == (0, 0, 0, 2)
    assert (sent_back(again), again.notes) == (sent_back(first), [])
    assert rows_of_all_tables(bank) == before


def test_a_trial_run_tells_all_and_changes_nothing(bank: Database, path: Path) -> None:
    list_of_diners(path, listed(valid_id_number(BORN), **holding()))
    before = rows_of_all_tables(bank)
    trial = bring_diners_in(bank, path, dry_run=True)
    assert (trial.diners, trial.categories, trial.dry_run) == (1, 1, True)
    assert rows_of_all_tables(bank) == before
    assert bring_diners_in(bank, path).diners == 1


def test_what_a_file_says_stays_and_what_it_does_not_is_filled(bank: Database, path: Path) -> None:
    with bank.unit_of_work() as session:
        diner = approved_diner(session, allergies=["鱼类"], delivery_note="放门口")
        lone = approved_diner(session)
    number, other = number_of(bank, diner), number_of(bank, lone)
    told = {"姓名": "周桂芳", "餐食形态": "软食", "过敏": "花生", "饮食习惯": "清真", "送餐地址": "白杜村12号"}
    done = bring_diners_in(bank, list_of_diners(path, listed(number, **told, 同户=other), listed(other)))
    file = file_with(bank, number)
    assert (file.diet_form, file.allergies, file.delivery_note) == ("normal", ["鱼类"], "放门口")
    assert (file.religious_diet, file.delivery_address) == ("清真", "白杜村12号")
    assert file.household_id != file_with(bank, other).household_id
    assert [note.text.partition("，")[0] for note in done.notes if note.row == 2] == [
        *("姓名与已登记的不同", "餐食形态与已登记的不同", "过敏原与已登记的不同", "同户与已登记的不同")
    ]
    assert (done.diners, done.already_present) == (0, 2)


def test_an_application_that_waits_is_approved_and_told(bank: Database, path: Path) -> None:
    with bank.unit_of_work() as session:
        waiting, refused, back = enrolled(session), enrolled(session), approved_diner(session)
        for who in (waiting, refused):
            apply(session, actor=who, form=Application())
        review(session, actor=steward(XIWU), person_id=refused.person(), approve=False, reason="材料不全")
        end_diner(session, person_id=back.person())
    numbers = [number_of(bank, who) for who in (waiting, refused, back)]
    done = bring_diners_in(bank, list_of_diners(path, *map(listed, numbers)))
    assert (done.diners, sent_back(done)) == (2, [(3, "diner_refused")])
    assert [file_with(bank, number).state for number in numbers] == ["approved", "refused", "approved"]
    with bank.session() as session:
        told = [notice.title for notice in notices_for(session, person_id=waiting.person(), limit=5)]
    assert told == ["用餐申请已通过"]


def test_whoever_has_left_or_is_reported_dead_comes_back_and_takes_along_who_leans_on_them(
    bank: Database, path: Path
) -> None:
    with bank.unit_of_work() as session:
        gone, dead = add_person(session, XIWU), add_person(session, XIWU)
        session.get_one(Person, gone.person()).left_at = NINE
        session.get_one(Person, dead.person()).death_reported_at = NINE
    first, second = valid_id_number(BORN), valid_id_number(BORN)
    rows = [listed(second, 同户=first), listed(first, 同户=number_of(bank, gone)), listed(number_of(bank, gone))]
    done = bring_diners_in(bank, list_of_diners(path, *rows, listed(number_of(bank, dead))))
    reasons = ["household_unknown", "household_unknown", "person_left", "person_frozen"]
    assert [reason for _, reason in sent_back(done)] == reasons
    with bank.session() as session:
        assert people_by_id_numbers(session, [first, second]) == {}


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "granted", "note"),
    [
        ("2020-01-01", None, 0, None),
        ("2026-01-01", None, 0, "起止与已登记的不同"),
        ("2018-01-01", "2019-12-31", 1, None),
    ],
)
def test_a_category_that_holds_already_is_left_as_it_is(
    bank: Database, path: Path, valid_from: str, valid_until: str | None, granted: int, note: str | None
) -> None:
    with bank.unit_of_work() as session:
        diner = approved_diner(session, categories=["low_income"])
    row = listed(number_of(bank, diner), **holding(valid_from, 类别止=valid_until))
    done = bring_diners_in(bank, list_of_diners(path, row))
    assert done.categories == granted
    assert [note in one.text for one in done.notes if note] == ([True] if note else [])


def test_what_was_withdrawn_as_an_error_is_not_granted_again(bank: Database, path: Path) -> None:
    number = valid_id_number(BORN)
    list_of_diners(path, listed(number, **holding()))
    bring_diners_in(bank, path)
    with bank.unit_of_work() as session:
        category = session.scalars(select(DinerCategory)).one()
        which = {"person_id": category.person_id, "category_id": category.id}
        withdraw_category(session, actor=steward(XIWU), **which, reason="登记在别人名下")
    again = bring_diners_in(bank, path)
    assert (again.categories, [note.text[:9] for note in again.notes]) == (0, ["特殊类别此前已作为"])


def test_a_township_brings_in_its_own_people_only(bank: Database, path: Path) -> None:
    with bank.unit_of_work() as session:
        elsewhere = add_person(session, DAYAN)
    own, others = valid_id_number(BORN), valid_id_number(BORN)
    rows = [listed(own), listed(others, 镇街="尚田"), listed(number_of(bank, elsewhere))]
    done = bring_diners_in(bank, list_of_diners(path, *rows), actor=steward(XIWU))
    assert (done.diners, sent_back(done)) == (1, [(3, "other_township"), (4, "other_township")])
    with pytest.raises(NotAllowed):
        bring_diners_in(bank, path, actor=enrolled_actor(bank))
    done = bring_diners_in(bank, path, actor=steward(SHANGTIAN))
    assert [reason for _, reason in sent_back(done)] == ["other_township", "other_township"]
    done = bring_diners_in(bank, path)
    assert (done.diners, [note.row for note in done.notes]) == (1, [4, 4])


def enrolled_actor(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        return enrolled(session)


def test_a_long_list_takes_no_more_statements_than_a_short_one(bank: Database, tmp_path: Path) -> None:
    def statements(count: int) -> int:
        numbers = [valid_id_number(BORN) for _ in range(count)]
        rows = [
            listed(number, **holding(), 村社="白杜", 同户=numbers[0] if i else None) for i, number in enumerate(numbers)
        ]
        path = list_of_diners(tmp_path / f"{count}.xlsx", *rows)
        said: list[Any] = []
        with bank.unit_of_work() as session:
            event.listen(session.connection(), "before_cursor_execute", lambda *args: said.append(args[2]))
            by = Actor(login_id=None, name="陈主任")
            done = import_diners(session, actor=by, read=lambda: open_diner_workbook(path))
        assert (done.people, done.diners, done.categories, sent_back(done)) == (count, count, count, [])
        return len(said)

    assert statements(3) == statements(60)
    with bank.session() as session:
        households: list[UUID] = list(session.scalars(select(Diner.household_id).distinct()))
    assert len(households) == 2


def test_the_empty_form_can_be_filled_in_and_read(bank: Database, path: Path) -> None:
    assert read_diner_workbook(diner_form(), name="模板.xlsx").diners == ()
    with pytest.raises(WorkbookUnreadable) as unreadable:
        read_diner_workbook(b"whatever", name="模板.xlsx")
    assert unreadable.value.code == "workbook_not_excel"
