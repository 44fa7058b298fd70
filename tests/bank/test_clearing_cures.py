"""Breaks in the books are cured by movements and by nothing else; the database holds to it as well."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.factories.lists import breaks_seen_by, credit, hand_in, kept_break, workbook
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, staff, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.audit.models import AuditEntry
from timebank.clearing.actions import cure_break
from timebank.clearing.queries import BreakView
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.ledger.actions import reverse
from timebank.ledger.rules import second_leg_id

DAY = "2026-03-10"


@pytest.fixture
def volunteer(bank: Database) -> Actor:
    """王梅 of 西坞; the clock stands at nine on 10 March."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return add_person(session, XIWU)


def only_break(bank: Database, *rows: list[object]) -> BreakView:
    """西坞 hands a list in, which leaves one break; an hour later it may be cured."""
    hand_in(bank, XIWU, workbook(rows))
    (found,) = breaks_seen_by(bank, district())
    clock.freeze(clock.now() + timedelta(hours=1))
    return found


def cure(bank: Database, found: BreakView, transfer_id: UUID, *, by: Actor) -> None:
    with bank.unit_of_work() as session:
        cure_break(session, actor=by, break_id=found.break_id, transfer_id=transfer_id)


def undo(bank: Database, transfer_id: UUID) -> UUID:
    """Reverse a movement, one steward asking and another approving; answers the reversal's first leg."""
    for actor in (steward(XIWU), district()):
        with bank.unit_of_work() as session:
            _, _, reversal = reverse(session, actor=actor, transfer_id=transfer_id, reason="未服务")
    assert reversal is not None
    return reversal


def test_what_the_books_lack_is_cured_by_the_movement_that_makes_it_up(bank: Database, volunteer: Actor) -> None:
    found = only_break(bank, [DAY, "王梅", "大堰", 75])
    made_up = credit(bank, DAYAN, volunteer, 75)
    cure(bank, found, second_leg_id(made_up), by=steward(DAYAN))
    assert breaks_seen_by(bank, district()) == []
    (cured,) = breaks_seen_by(bank, steward(XIWU), open_only=False)
    assert (cured.cured_by_transfer_id, cured.cured_at, cured.ended_at) == (made_up, clock.now(), None)
    with bank.session() as session:
        deed = session.scalars(select(AuditEntry).where(AuditEntry.action == "break_cured")).one()
    assert (deed.subject_id, deed.facts["transfer_id"]) == (str(found.break_id), str(made_up))


def test_what_the_list_has_not_is_cured_by_undoing_the_line(bank: Database, volunteer: Actor) -> None:
    line = credit(bank, DAYAN, volunteer)
    found = only_break(bank)
    assert found.type == "missing_there"
    cure(bank, found, undo(bank, line), by=steward(XIWU))
    assert kept_break(bank, found.break_id).cured_at is not None


@pytest.mark.parametrize("how", ["the difference", "undoing the line"])
def test_a_wrong_amount_is_cured_by_the_difference_or_by_undoing_the_line(
    bank: Database, volunteer: Actor, how: str
) -> None:
    line = credit(bank, DAYAN, volunteer, 60)
    found = only_break(bank, [DAY, "王梅", "大堰", 90])
    transfer_id = credit(bank, DAYAN, volunteer, 30) if how == "the difference" else undo(bank, line)
    cure(bank, found, transfer_id, by=steward(DAYAN))
    assert kept_break(bank, found.break_id).cured_by_transfer_id == transfer_id


def test_a_cured_break_stays_cured_when_the_list_comes_again(bank: Database, volunteer: Actor) -> None:
    row = [DAY, "王梅", "大堰", 75]
    found = only_break(bank, row)
    cure(bank, found, credit(bank, DAYAN, volunteer, 75, on=clock.now() + timedelta(days=1)), by=district())
    made = hand_in(bank, XIWU, workbook([row, ["合计"]]))
    assert (made.found["missing_here"], made.cured_earlier) == (1, 1)
    assert [b.type for b in breaks_seen_by(bank, district())] == ["missing_there"]


def test_a_cured_break_stays_cured_when_the_same_file_comes_again(bank: Database, volunteer: Actor) -> None:
    content = workbook([[DAY, "王梅", "大堰", 75]])
    first = hand_in(bank, XIWU, content)
    (found,) = breaks_seen_by(bank, district())
    clock.freeze(NINE + timedelta(hours=1))
    cure(bank, found, credit(bank, DAYAN, volunteer, 75, on=clock.now() + timedelta(days=1)), by=district())
    again = hand_in(bank, XIWU, content)
    # The books have a line more, so it is matched anew.
    assert again.reconciliation_id != first.reconciliation_id
    assert (again.found["missing_here"], again.cured_earlier) == (1, 1)
    assert [b.type for b in breaks_seen_by(bank, district())] == ["missing_there"]


def test_other_movements_cure_nothing(bank: Database, volunteer: Actor) -> None:
    with bank.unit_of_work() as session:
        other = add_person(session, DAYAN)
    earlier = credit(bank, DAYAN, volunteer, 75, on=NINE - timedelta(days=3))
    hand_in(bank, XIWU, workbook([[DAY, "王梅", "大堰", 75]]))
    found = next(b for b in breaks_seen_by(bank, district()) if b.type == "missing_here")
    clock.freeze(NINE + timedelta(hours=1))
    within = credit(bank, XIWU, volunteer, 75)
    for transfer_id in (
        earlier,
        within,
        uuid4(),
        credit(bank, DAYAN, volunteer, 74),
        credit(bank, SHANGTIAN, volunteer, 75),
        credit(bank, XIWU, other, 75),
    ):
        with pytest.raises(Refused, match="transfer_cures_nothing:"):
            cure(bank, found, transfer_id, by=district())
    assert kept_break(bank, found.break_id).cured_at is None


def test_one_movement_cures_one_break(bank: Database, volunteer: Actor) -> None:
    hand_in(bank, XIWU, workbook([[DAY, "王梅", "大堰", 75], [DAY, "王芳", "大堰", 75]]))
    first, second = breaks_seen_by(bank, district())
    clock.freeze(NINE + timedelta(hours=1))
    made_up = credit(bank, DAYAN, volunteer, 75)
    cure(bank, first, made_up, by=district())
    with pytest.raises(Refused, match="transfer_cures_nothing:"):
        cure(bank, second, made_up, by=district())
    with pytest.raises(Conflict, match="break_already_cured:"):
        cure(bank, first, made_up, by=district())


def test_two_who_cure_at_once_cure_once(bank: Database, volunteer: Actor) -> None:
    found = only_break(bank, [DAY, "王梅", "大堰", 75])
    movements = [credit(bank, DAYAN, volunteer, 75) for _ in range(2)]
    cures = [
        partial(cure_break, actor=district(), break_id=found.break_id, transfer_id=transfer_id)
        for transfer_id in movements
    ]
    assert codes_of(at_once(bank, cures)) == ["break_already_cured", "ok"]


@pytest.mark.parametrize(
    ("actor", "refusal", "code"),
    [
        (steward(XIWU), NotAllowed, "other_township"),
        (steward(SHANGTIAN), NotFound, "break_unknown"),
        (staff(StaffRole.AUDITOR), NotAllowed, "steward_only"),
        (staff(StaffRole.CANTEEN_CLERK, DAYAN), NotAllowed, "books_not_yours"),
    ],
)
def test_only_its_owner_and_the_district_cure_a_break(
    bank: Database, volunteer: Actor, actor: Actor, refusal: type[BankError], code: str
) -> None:
    found = only_break(bank, [DAY, "王梅", "大堰", 75])
    made_up = credit(bank, DAYAN, volunteer, 75)
    with pytest.raises(refusal, match=f"{code}:"):
        cure(bank, found, made_up, by=actor)


def test_a_break_that_the_list_has_corrected_cannot_be_cured(bank: Database, volunteer: Actor) -> None:
    found = only_break(bank, [DAY, "王梅", "大堰", 75])
    hand_in(bank, XIWU, workbook([]))
    made_up = credit(bank, DAYAN, volunteer, 75)
    with pytest.raises(Conflict, match="break_already_ended:"):
        cure(bank, found, made_up, by=district())
    with pytest.raises(NotFound, match="break_unknown:"), bank.unit_of_work() as session:
        cure_break(session, actor=district(), break_id=uuid4(), transfer_id=made_up)


CURED = "UPDATE clearing_break SET cured_at = now(), cured_by_name = 'x', cured_by_transfer_id = '{}'"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM clearing_break",
        "TRUNCATE clearing_break",
        "UPDATE clearing_break SET minutes_there = 1",
        "UPDATE clearing_break SET opened_at = opened_at + interval '1 day'",
        "UPDATE clearing_break SET owner_township_code = NULL",
        "UPDATE clearing_break SET type = 'duplicate'",
        'INSERT INTO clearing_break SELECT (jsonb_populate_record(b, \'{"copy": 1, "id": '
        '"019aa000-0000-7000-8000-000000000000", "ended_at": "2026-03-12", "ended_reason": "list_corrected"}\')).*'
        " FROM clearing_break b",
        "UPDATE clearing_reconciliation SET matched = 7",
        "DELETE FROM clearing_reconciliation",
        "TRUNCATE clearing_reconciliation CASCADE",
    ],
)
def test_what_was_found_stays_as_it_was(bank: Database, volunteer: Actor, statement: str) -> None:
    only_break(bank, [DAY, "王梅", "大堰", 75])
    with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
        session.execute(text(statement))
    assert getattr(refused.value.orig, "sqlstate", None) == "TB001"


def test_the_database_lets_no_other_movement_cure_a_break(bank: Database, volunteer: Actor) -> None:
    earlier = credit(bank, DAYAN, volunteer, 75, on=NINE - timedelta(days=3))
    line = credit(bank, DAYAN, volunteer, 20)
    hand_in(bank, XIWU, workbook([[DAY, "王梅", "大堰", 75], [DAY, "王梅", "大堰", 20]]))
    first = next(b for b in breaks_seen_by(bank, district()) if b.type == "missing_here")
    clock.freeze(NINE + timedelta(hours=1))
    wrong = [earlier, credit(bank, DAYAN, volunteer, 74), credit(bank, SHANGTIAN, volunteer, 75), undo(bank, line)]
    right = credit(bank, DAYAN, volunteer, 75)
    one = f" WHERE id = '{first.break_id}'"
    for transfer_id in (*wrong, second_leg_id(right)):
        with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
            session.execute(text(CURED.format(transfer_id) + one))
        assert getattr(refused.value.orig, "sqlstate", None) == "TB001"
    with bank.unit_of_work() as session:
        session.execute(text(CURED.format(right) + one))
    with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
        session.execute(text("UPDATE clearing_break SET cured_at = NULL" + one))
    assert getattr(refused.value.orig, "sqlstate", None) == "TB001"


def test_the_same_break_does_not_stand_twice(bank: Database, volunteer: Actor) -> None:
    only_break(bank, [DAY, "王梅", "大堰", 75])
    another = "(jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*"
    with pytest.raises(IntegrityError, match="uq_clearing_break_standing"), bank.unit_of_work() as session:
        session.execute(text(f"INSERT INTO clearing_break SELECT {another} FROM clearing_break b"))
