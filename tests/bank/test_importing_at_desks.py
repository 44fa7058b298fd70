"""Workbooks at a desk: looked at without a trace, booked once as they were shown, hours by a second person."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from tests.factories.imports import NOON, bring_in, rejected_rows, rows_of_all_tables
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, district, staff, steward
from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook, write_untidy_workbook
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound
from timebank.core.sorting import Part
from timebank.importing.actions import expect_import, import_workbook
from timebank.importing.actions.office_imports import (
    Upload,
    book_import,
    discard_import,
    forget_file,
    forgotten_files,
    prepare_import,
    write_import_rejects,
)
from timebank.importing.import_rules import ImportKind
from timebank.importing.models import OfficeImport, OfficeImportRow
from timebank.importing.queries import import_for, import_view, imports
from timebank.importing.workbook import open_workbook
from timebank.people.actions import Enrolment, enrol
from timebank.tasks.models import Task

SAMPLE = Path(__file__).parents[1] / "data" / "pilot_workbook.xlsx"
HELPER, ELDER = "330224196509023578", "330224195207032431"
HEADING, RECORD = PLAIN_ROWS["服务记录"]
OF_IMPORTS = {"office_import", "office_import_row", "audit_entry"}


@pytest.fixture(autouse=True)
def _noon() -> None:
    clock.freeze(NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_plain_workbook(tmp_path / "10月.xlsx")


def hand_in(bank: Database, actor: Actor, path: Path, township_code: str | None = None) -> OfficeImport:
    upload = Upload(ImportKind.PEOPLE, path.name, path.read_bytes(), township_code)
    with bank.unit_of_work() as session:
        return prepare_import(session, actor=actor, upload=upload)


def book(bank: Database, actor: Actor, kept: OfficeImport, shown: str | None = None) -> OfficeImport | Conflict:
    with bank.unit_of_work() as session:
        return book_import(session, actor=actor, import_id=kept.id, shown=shown or kept.shown)


def rows_told(bank: Database, import_id: UUID) -> list[tuple[str, int, str | None]]:
    with bank.session() as session:
        query = select(OfficeImportRow).where(OfficeImportRow.import_id == import_id).order_by(OfficeImportRow.place)
        return [(row.sheet, row.row, row.reason) for row in session.scalars(query)]


def count(bank: Database, model: type) -> int:
    with bank.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("within", [None, XIWU])
def test_a_trial_foresees_what_booking_comes_to(bank: Database, tmp_path: Path, seed: int, within: str | None) -> None:
    for number in (seed, seed + 100):  # the second one meets people and hours that are there
        write_untidy_workbook(tmp_path / "a.xlsx", number)
        workbook = open_workbook(tmp_path / "a.xlsx")
        with bank.session() as session:
            expected = expect_import(session, workbook=workbook, within=within)
        with bank.unit_of_work() as session:
            assert import_workbook(session, workbook=workbook, approved_by="甲", within=within) == expected
        with bank.session() as session:
            again = expect_import(session, workbook=workbook, within=within)
        with bank.unit_of_work() as session:
            assert import_workbook(session, workbook=workbook, approved_by="甲", within=within) == again
        assert again.new.records == 0


def test_a_trial_of_the_sample_writes_nothing_and_locks_nothing(bank: Database) -> None:
    before = rows_of_all_tables(bank)
    with bank.session() as session:
        report = expect_import(session, workbook=open_workbook(SAMPLE))
        locks = session.execute(
            text("SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype IN ('advisory', 'relation')")
        ).scalars()
        assert {str(mode) for mode in locks} == {"AccessShareLock"}
        assert not session.new
    assert rows_of_all_tables(bank) == before
    done = bring_in(bank, SAMPLE)
    assert (done, rejected_rows(done)) == (report, rejected_rows(report))


def test_a_workbook_waits_with_its_table_and_is_booked_by_another_steward_once(bank: Database, path: Path) -> None:
    first, second = district(), district()
    before = rows_of_all_tables(bank)
    kept = hand_in(bank, first, path)
    after = rows_of_all_tables(bank)
    assert {name for name in before if before[name] != after[name]} <= OF_IMPORTS
    assert (kept.summary["minutes"], kept.summary["figures"]) == (90, [{"label": "新登记的人", "number": 2}])
    assert kept.summary["hours"] == [{"month": "2026-10", "township_code": XIWU, "records": 1, "minutes": 90}]
    with pytest.raises(NotAllowed, match="second_person_needed"):
        book(bank, first, kept)
    assert count(bank, Task) == 0
    done = book(bank, second, kept)
    assert isinstance(done, OfficeImport)
    assert (done.state, done.booked_by, count(bank, Task)) == ("booked", second.login_id, 1)
    with pytest.raises(Conflict, match="import_booked"):
        book(bank, second, kept)
    assert count(bank, Task) == 1


def test_people_without_hours_are_booked_by_whoever_handed_them_in(bank: Database, tmp_path: Path) -> None:
    path = write_plain_workbook(tmp_path / "a.xlsx", {"服务记录": [HEADING]})
    actor = district()
    kept = hand_in(bank, actor, path)
    done = book(bank, actor, kept)
    assert isinstance(done, OfficeImport)
    assert done.summary["sheets"][0] == {
        "sheet": "志愿者名册",
        "new": 1,
        "changed": 0,
        "already_present": 0,
        "rejected": 0,
    }


def test_what_changed_since_is_shown_anew_and_not_booked(bank: Database, path: Path) -> None:
    first, second = district(), district()
    kept = hand_in(bank, first, path)
    bring_in(bank, path)
    seen, before = kept.shown, count(bank, Task)
    refused = book(bank, second, kept)
    assert isinstance(refused, Conflict)
    assert refused.code == "import_changed"
    with bank.session() as session:
        anew = import_for(session, actor=first, import_id=kept.id)
        assert (anew.state, anew.summary["minutes"], anew.shown != seen) == ("waiting", 0, True)
    with pytest.raises(Conflict, match="import_changed"):  # a page that is still open shows the old table
        book(bank, second, kept, seen)
    done = book(bank, first, anew)  # nothing new in it any more, so nobody else is needed
    assert isinstance(done, OfficeImport)
    assert (done.state, count(bank, Task)) == ("booked", before)


def test_the_same_file_is_looked_at_anew_and_said_to_have_been_booked_before(bank: Database, path: Path) -> None:
    first, second = district(), district()
    kept = hand_in(bank, first, path)
    assert hand_in(bank, first, path).id == kept.id
    book(bank, second, kept)
    again = hand_in(bank, first, path)
    assert again.id != kept.id
    with bank.session() as session:
        view = import_view(session, first, again)
        assert view.earlier is not None
        assert (view.earlier.id, view.may_book, again.summary["minutes"]) == (kept.id, True, 0)


def test_a_township_takes_in_its_own_people_and_hours_only(bank: Database, tmp_path: Path) -> None:
    rows: dict[str, list[list[object]]] = {
        "志愿者名册": [*PLAIN_ROWS["志愿者名册"], ["王芳", "330224196001011235", None, "西坞"]],
        "服务记录": [HEADING, RECORD, ["2026.10.9", HELPER, "330224196001011235", "送餐", "12:00～13:00"]],
    }
    path = write_plain_workbook(tmp_path / "a.xlsx", rows)
    with bank.unit_of_work() as session:
        enrol(session, actor=district(), form=Enrolment("竺梅", HELPER, DAYAN, None, ("volunteer",)))
    kept = hand_in(bank, steward(XIWU), path)
    assert ("志愿者名册", 2, "other_township") in rows_told(bank, kept.id)
    # The elder is 西坞's, so the hours are 西坞's business, whosever the volunteer is.
    assert kept.summary["minutes"] == 90
    other = hand_in(bank, steward(SHANGTIAN), path)
    reasons = {(sheet, reason) for sheet, _, reason in rows_told(bank, other.id)}
    assert other.summary["minutes"] == 0
    assert {("志愿者名册", "other_township"), ("老人名册", "other_township")} <= reasons


def test_hours_between_people_of_other_townships_are_turned_away(bank: Database, path: Path) -> None:
    bring_in(bank, write_plain_workbook(path, {"服务记录": [HEADING]}))
    write_plain_workbook(path)
    kept = hand_in(bank, steward(SHANGTIAN), path)
    assert ("服务记录", 2, "service_elsewhere") in rows_told(bank, kept.id)
    assert hand_in(bank, steward(DAYAN), path).summary["minutes"] == 90


def test_whose_an_import_is(bank: Database, path: Path) -> None:
    xiwu, dayan, auditor = steward(XIWU), steward(DAYAN), staff(StaffRole.AUDITOR)
    kept = hand_in(bank, xiwu, path)
    with bank.session() as session:
        assert [view.kept.id for view in imports(session, actor=auditor, part=Part(5)).items] == [kept.id]
        assert imports(session, actor=dayan, part=Part(5)).items == []
        with pytest.raises(NotFound, match="import_unknown"):
            import_for(session, actor=dayan, import_id=kept.id)
        with pytest.raises(NotAllowed, match="imports_not_yours"):
            imports(session, actor=Actor(None, "某人"), part=Part(5))
    for actor in (auditor, steward(DAYAN)):
        with pytest.raises((NotAllowed, NotFound)):
            book(bank, actor, kept)
        with pytest.raises((NotAllowed, NotFound)), bank.unit_of_work() as session:
            discard_import(session, actor=actor, import_id=kept.id)
    for actor in (auditor, Actor(None, "某人")):
        with pytest.raises(NotAllowed, match="steward_only"):
            hand_in(bank, actor, path)
    with pytest.raises(NotAllowed, match="other_township"):
        hand_in(bank, dayan, path, XIWU)
    whole = hand_in(bank, district(), path)
    with pytest.raises(NotFound, match="import_unknown"):  # the district's own, not one township's
        book(bank, xiwu, whole)
    assert count(bank, Task) == 0


def test_a_discarded_workbook_is_gone_with_its_rows(bank: Database, path: Path) -> None:
    actor = district()
    kept = hand_in(bank, actor, SAMPLE)
    with bank.unit_of_work() as session:
        discard_import(session, actor=actor, import_id=kept.id)
    assert (count(bank, OfficeImport), count(bank, OfficeImportRow)) == (0, 0)
    booked = hand_in(bank, actor, path)
    book(bank, district(), booked)
    with pytest.raises(Conflict, match="import_booked"), bank.unit_of_work() as session:
        discard_import(session, actor=actor, import_id=booked.id)


def test_rows_that_come_back_are_taken_as_a_workbook_and_who_took_them_is_known(bank: Database) -> None:
    actor, file = district(), BytesIO()
    kept = hand_in(bank, actor, SAMPLE)
    with bank.unit_of_work() as session:
        write_import_rejects(session, file, actor=actor, import_id=kept.id)
    found = openpyxl.load_workbook(file)
    told = [(sheet, row) for sheet, row, reason in rows_told(bank, kept.id) if reason is not None]
    listed = [
        (sheet.title, row[[str(cell.value) for cell in sheet[1]].index("原表行号")].value)
        for sheet in found.worksheets
        for row in sheet.iter_rows(min_row=2)
    ]
    assert listed == told
    assert len(told) == kept.summary["rejected"] > 0
    with bank.session() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "import_rejects_taken")).one()
        assert (entry.login_id, entry.facts) == (actor.login_id, {"rows": len(told)})


def test_files_are_forgotten_after_policys_hours_and_with_them_what_was_not_booked(bank: Database, path: Path) -> None:
    actor = district()
    booked, waiting = hand_in(bank, actor, path), hand_in(bank, actor, SAMPLE)
    book(bank, district(), booked)
    with bank.session() as session:
        assert forgotten_files(session) == []
    clock.freeze(NOON.replace(month=12))
    with bank.unit_of_work() as session:
        due = forgotten_files(session)
        assert set(due) == {booked.id, waiting.id}
        for import_id in due:
            forget_file(session, import_id=import_id)
    with bank.session() as session:
        kept = session.scalars(select(OfficeImport)).one()
        assert (kept.id, kept.content) == (booked.id, None)
        assert forgotten_files(session) == []
    with pytest.raises(Conflict, match="import_file_forgotten"), bank.unit_of_work() as session:
        write_import_rejects(session, BytesIO(), actor=actor, import_id=booked.id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE office_import SET shown = 'x'",
        "UPDATE office_import SET state = 'waiting', booked_at = NULL, booked_by = NULL, booked_by_name = NULL",
        "UPDATE office_import SET content = 'x'",
        "DELETE FROM office_import",
        "DELETE FROM office_import_row",
        "UPDATE office_import_row SET reason = 'x'",
        "INSERT INTO office_import_row SELECT import_id, 999, sheet, row, name, reason, text FROM office_import_row",
        "TRUNCATE office_import CASCADE",
    ],
)
def test_the_database_keeps_what_was_booked(bank: Database, tmp_path: Path, statement: str) -> None:
    actor = district()
    roster: list[list[object]] = [*PLAIN_ROWS["志愿者名册"], ["无号", "1", None, "西坞"]]
    kept = hand_in(bank, actor, write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": roster}))
    book(bank, district(), kept)
    with pytest.raises(DBAPIError) as refused, bank.unit_of_work() as session:
        session.execute(text(statement))
    assert refused.value.orig is not None
    assert refused.value.orig.sqlstate in ("TB001", "23514")  # type: ignore[attr-defined]


def test_the_database_lets_nobody_book_hours_alone(bank: Database, path: Path) -> None:
    hand_in(bank, district(), path)
    alone = "UPDATE office_import SET state = 'booked', booked_at = now(), booked_by = uploaded_by, booked_by_name = ''"
    with pytest.raises(DBAPIError, match="hours_by_two"), bank.unit_of_work() as session:
        session.execute(text(alone))


def test_a_cell_that_is_far_too_long_does_not_fill_the_table(bank: Database, tmp_path: Path) -> None:
    roster: list[list[object]] = [*PLAIN_ROWS["志愿者名册"], ["长" * 30_000, "1", None, "西坞"]]
    kept = hand_in(bank, district(), write_plain_workbook(tmp_path / "a.xlsx", {"志愿者名册": roster}))
    with bank.session() as session:
        (row,) = session.scalars(select(OfficeImportRow).where(OfficeImportRow.import_id == kept.id))
        assert len(row.name) == 40


def test_the_file_lies_encrypted(bank: Database, path: Path) -> None:
    hand_in(bank, district(), path)
    with bank.session() as session:
        raw = bytes(session.execute(text("SELECT content FROM office_import")).scalar_one())
        assert not raw.startswith(b"PK")
        assert session.scalars(select(OfficeImport.content)).one() == path.read_bytes()
