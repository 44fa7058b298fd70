"""What becomes of a workbook's records: back-filled hours, their evidence, and what stands in their way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from tests.factories.imports import NOON, balances_of, bring_in, rejected_rows
from tests.factories.people import DAYAN, XIWU, add_elder, district, steward
from tests.factories.workbooks import PLAIN_ROWS, write_plain_workbook
from timebank.audit.models import AuditEntry
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Refused
from timebank.importing.report import Counts
from timebank.importing.workbook import open_workbook
from timebank.ledger.queries import statement
from timebank.notifications.models import Notice
from timebank.people.actions import Enrolment, enrol
from timebank.people.queries import people_by_id_numbers
from timebank.policies.actions import NewValue, approve_change, propose_change
from timebank.policies.queries import in_force
from timebank.tasks import actions as tasks
from timebank.tasks.actions import BackFill, Request
from timebank.tasks.models import Task

HELPER, ELDER = "330224196509023578", "330224195207032431"
HEADING, RECORD = PLAIN_ROWS["服务记录"]


@pytest.fixture(autouse=True)
def _noon() -> None:
    clock.freeze(NOON)


def _write(path: Path, *records: list[object], volunteers: list[list[object]] | None = None) -> Path:
    rows = {"服务记录": [[*HEADING, "记录人"], *records]}
    return write_plain_workbook(path, rows | ({"志愿者名册": volunteers} if volunteers else {}))


def _record(day: str, span: str, *, content: str = "送餐", recorder: str | None = None) -> list[object]:
    return [day, HELPER, ELDER, content, span, recorder]


def _tasks(bank: Database) -> list[Task]:
    with bank.session() as session:
        return list(session.scalars(select(Task).order_by(Task.id).options(selectinload(Task.parts))))


def _person_id(bank: Database, number: str) -> UUID:
    with bank.session() as session:
        return people_by_id_numbers(session, [number])[number].id


def test_a_record_is_back_filled_with_its_evidence_and_who_answers_for_it(bank: Database, tmp_path: Path) -> None:
    path = _write(tmp_path / "十月.xlsx", _record("2026.10.9", "08:30～10:00", recorder="王联络"))
    bring_in(bank, path, approved_by=" 陈 主任 ")
    (task,) = _tasks(bank)
    (part,) = task.parts
    assert (task.back_filled, task.status, part.status) == (True, "confirmed", "confirmed")
    assert task.evidence == "十月.xlsx 服务记录 第2行"
    assert (task.requested_by_name, part.confirmed_by_name) == ("王联络", "陈 主任")
    assert (task.service_type, task.note, task.township_code) == ("meal_delivery", "", XIWU)
    assert task.starts_at == datetime(2026, 10, 9, 0, 30, tzinfo=UTC)
    assert (task.minutes, part.payable_minutes) == (90, 90)


def test_one_audit_entry_tells_of_the_whole_import(bank: Database, tmp_path: Path) -> None:
    path = _write(tmp_path / "十月.xlsx", _record("2026.10.9", "08:30～10:00"), _record("2027.1.1", "08:30～10:00"))
    bring_in(bank, path)
    (task,) = _tasks(bank)
    with bank.session() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "workbook_imported"))
    assert (entry.actor_name, entry.subject_id) == ("陈主任", str(task.requested_by))
    assert entry.facts == {
        "workbook_name": "十月.xlsx",
        "sha256": open_workbook(path).sha256,
        "new": {"volunteers": 1, "elders": 1, "records": 1},
        "minutes": 90,
        "already_present": {"volunteers": 0, "elders": 0, "records": 0},
        "rejected": {"志愿者名册": 0, "老人名册": 0, "服务记录": 1},
    }


def test_the_statement_says_back_filled_and_the_elders_township_owes(bank: Database, tmp_path: Path) -> None:
    bring_in(bank, _write(tmp_path / "a.xlsx", _record("2026.10.9", "08:30～10:00")))
    with bank.session() as session:
        (line,) = statement(session, _person_id(bank, HELPER), limit=5)
        _, found = positions(session, window_name=None)
    assert (line.kind, line.minutes, line.note) == ("back_fill_credit", 90, "送餐（补录）")
    assert line.effective_at == datetime(2026, 10, 9, 2, 0, tzinfo=UTC)
    assert {p.township_code: p.position_minutes for p in found if p.position_minutes} == {XIWU: -90, DAYAN: 90}


def test_a_volunteer_is_told_once_of_all_hours(bank: Database, tmp_path: Path) -> None:
    records = [_record("2026.10.9", "08:30～10:00"), _record("2026.10.10", "08:30～09:00")]
    bring_in(bank, _write(tmp_path / "a.xlsx", *records))
    with bank.session() as session:
        (notice,) = session.scalars(select(Notice))
    assert (notice.person_id, notice.body) == (_person_id(bank, HELPER), "2次服务共2小时已补录，记入您的时间账户。")


def test_the_rate_of_the_service_applies(bank: Database, tmp_path: Path) -> None:
    with bank.unit_of_work() as session:
        rates = in_force(session, at=NOON).value("service_rates_percent")
        values = [NewValue("service_rates_percent", rates | {"bathing": 150})]
        change = propose_change(
            session, actor=district(), values=values, effective_at=NOON, reason="助浴辛苦", source="试点办公室"
        )
        approve_change(session, actor=district(), change_id=change.id)
    path = _write(
        tmp_path / "a.xlsx",
        _record("2026.10.9", "08:30～10:00", content="助浴"),
        _record("2026.10.10", "08:30～10:00", content="修伞"),
    )
    assert bring_in(bank, path).minutes == 135 + 90
    assert balances_of(bank, [HELPER]) == {HELPER: 225}
    assert [(task.service_type, task.note) for task in _tasks(bank)] == [("bathing", ""), ("other", "修伞")]


def test_a_volunteer_too_young_on_the_day_is_refused(bank: Database, tmp_path: Path) -> None:
    nearly = "330224200810100017"  # 18 years old on 10 October 2026
    roster = [PLAIN_ROWS["志愿者名册"][0], ["小梅", nearly, None, "大堰"]]
    days = ("2026-10-09", "2026-10-10")
    young: list[list[object]] = [[day, nearly, ELDER, "送餐", "08:30-10:00", None] for day in days]
    report = bring_in(bank, _write(tmp_path / "a.xlsx", *young, volunteers=roster))
    assert rejected_rows(report)["服务记录"] == [(2, "volunteer_too_young")]
    assert report.new == Counts(1, 1, 1)


def test_the_corrected_file_brings_only_the_corrected_rows(bank: Database, tmp_path: Path) -> None:
    path, good = tmp_path / "a.xlsx", _record("2026.10.9", "08:30～10:00")
    first = bring_in(bank, _write(path, good, _record("2026.10.10", "10:00～08:30"), good))
    assert rejected_rows(first)["服务记录"] == [(3, "times_invalid"), (4, "overlaps")]
    again = bring_in(bank, _write(path, good, _record("2026.10.10", "08:30～10:00"), good))
    assert rejected_rows(again)["服务记录"] == [(4, "overlaps")]
    assert (again.new, again.minutes, again.already_present) == (Counts(0, 0, 1), 90, Counts(1, 1, 1))
    assert balances_of(bank, [HELPER]) == {HELPER: 180}


def test_the_same_service_in_another_workbook_is_there_already(bank: Database, tmp_path: Path) -> None:
    bring_in(bank, _write(tmp_path / "a.xlsx", _record("2026.10.9", "08:30～10:00")))
    other = bring_in(bank, _write(tmp_path / "b.xlsx", _record("2026-10-09", "08:30-10:00", content="助餐")))
    assert (other.new.records, other.already_present.records, other.minutes) == (0, 1, 0)


def test_hours_recorded_by_a_steward_stand_in_the_way(bank: Database, tmp_path: Path) -> None:
    with bank.unit_of_work() as session:
        helper = enrol(session, actor=district(), form=Enrolment("竺梅", HELPER, DAYAN, None, ("volunteer",)))
        elder = enrol(session, actor=district(), form=Enrolment("叶家惠", ELDER, XIWU, None, ("elder",)))
        start = datetime(2026, 10, 9, 0, 30, tzinfo=UTC)
        form = BackFill("meal_help", helper.id, elder.id, start, start + timedelta(minutes=90), "纸质记录")
        tasks.record(session, actor=steward(XIWU), form=form)
    spans = ["08:30-10:00", "09:30-10:30", "10:00-11:00"]
    path = _write(tmp_path / "a.xlsx", *[_record("2026-10-09", span) for span in spans])
    for records in (1, 0):
        report = bring_in(bank, path)
        assert rejected_rows(report)["服务记录"] == [(2, "overlaps"), (3, "overlaps")]
        assert report.new.records == records
    assert balances_of(bank, [HELPER]) == {HELPER: 60}


def _serve_until_now(bank: Database, *, check_out: bool) -> None:
    """Let the helper serve through the app from 08:30 on 9 October 2026."""
    start = datetime(2026, 10, 9, 0, 30, tzinfo=UTC)
    clock.freeze(start)
    with bank.unit_of_work() as session:
        form = Enrolment("竺梅", HELPER, DAYAN, None, ("volunteer",))
        helper = Actor(None, "竺梅", enrol(session, actor=district(), form=form).id)
        wanted = Request("companionship", start, 60)
        task = tasks.request(session, actor=add_elder(session, XIWU), wanted=wanted)
        tasks.accept(session, actor=helper, task_id=task.id)
        tasks.check_in(session, actor=helper, task_id=task.id, service_code=task.service_code or "")
        clock.freeze(start + timedelta(minutes=60))
        if check_out:
            tasks.check_out(session, actor=helper, task_id=task.id)
    clock.freeze(NOON)


@pytest.mark.parametrize(
    ("check_out", "refused"), [(True, [(2, "overlaps")]), (False, [(2, "overlaps"), (3, "overlaps")])]
)
def test_hours_served_through_the_app_stand_in_the_way(
    bank: Database, tmp_path: Path, check_out: bool, refused: list[Any]
) -> None:
    _serve_until_now(bank, check_out=check_out)
    records = [_record("2026-10-09", "09:00-10:00"), _record("2026-10-10", "09:00-10:00")]
    report = bring_in(bank, _write(tmp_path / "a.xlsx", *records))
    assert rejected_rows(report)["服务记录"] == refused
    assert balances_of(bank, [HELPER]) == {HELPER: 60 * (2 - len(refused))}


@pytest.mark.parametrize("nobody", ["", "  ", "　"])
def test_somebody_must_answer_for_an_import(bank: Database, tmp_path: Path, nobody: str) -> None:
    with pytest.raises(Refused, match="approver_missing"):
        bring_in(bank, write_plain_workbook(tmp_path / "a.xlsx"), approved_by=nobody)
    assert _tasks(bank) == []
