"""The records go in: back-filled hours, marked as such for ever, credited in one posting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.core.amounts import hours_text
from timebank.importing.actions.judge_workbook import hours_of
from timebank.importing.report import Hours
from timebank.importing.rules import Record
from timebank.importing.service_ids import imported_task_id
from timebank.importing.service_words import ServiceWords
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.policies.rules import PolicyBook
from timebank.tasks.actions.accept import settle_status
from timebank.tasks.actions.back_fill import BackFill, recorded_task
from timebank.tasks.actions.confirm import mark_confirmed, payable
from timebank.tasks.caps import Share
from timebank.tasks.models import Task
from timebank.tasks.payment import Due, due_of, pay
from timebank.tasks.rules import at_rate


@dataclass(frozen=True, slots=True)
class Origin:
    """Where hours come from: this import's id, the workbook's name and its sheet, and who answers for it."""

    import_id: UUID
    workbook_name: str
    sheet: str
    approver: Actor

    def evidence(self, row: int) -> str:
        """What proves one record: ``2026年10月.xlsx 服务记录 第12行``."""
        return f"{self.workbook_name} {self.sheet} 第{row}行"


def credit_hours(
    session: Session,
    *,
    records: Sequence[Record],
    people: Mapping[str, Person],
    words: ServiceWords,
    origin: Origin,
    policies: PolicyBook,
) -> tuple[Hours, ...]:
    """Record and credit hours that the bank does not have yet; answers what was credited, by month and township.

    The elder's township pays, in policy's order, into the volunteer's account at home.
    """
    dues: list[Due] = []
    earned: list[tuple[Record, str, int]] = []
    for record in records:
        volunteer, elder = people[record.volunteer_id_number], people[record.elder_id_number]
        task = _task(record, volunteer, elder, words, origin)
        part = task.parts[0]
        mark_confirmed(part, step="approve_record", minutes=payable(task, part, policies), actor=origin.approver)
        settle_status(task)
        session.add(task)
        name = words.name_of(task.service_type)
        dues.append(due_of(task, part, volunteer_book=volunteer.township_code, service_name=name))
        earned.append((record, task.township_code, dues[-1].minutes))
    session.flush()
    _tell_volunteers(session, dues, pay(session, dues, policies))
    session.flush()
    return hours_of(earned)


def expect_hours(
    records: Sequence[Record], people: Mapping[str, Person], words: ServiceWords, policies: PolicyBook
) -> tuple[Hours, ...]:
    """What ``credit_hours`` would credit; nothing is written."""
    earned: list[tuple[Record, str, int]] = []
    for record in records:
        township_code = people[record.elder_id_number].township_code
        rate = policies.rate_percent(words.read(record.content)[0], township_code)
        earned.append((record, township_code, at_rate(record.minutes, rate)))
    return hours_of(earned)


def _task(record: Record, volunteer: Person, elder: Person, words: ServiceWords, origin: Origin) -> Task:
    service_type, note = words.read(record.content)
    form = BackFill(
        service_type=service_type,
        volunteer_id=volunteer.id,
        elder_id=elder.id,
        started_at=record.started_at,
        ended_at=record.ended_at,
        evidence=origin.evidence(record.row),
        note=note,
    )
    return recorded_task(
        form,
        task_id=imported_task_id(volunteer.id, elder.id, record.started_at, record.ended_at),
        township_code=elder.township_code,
        recorded_by=origin.import_id,
        recorder_name=record.recorder or origin.approver.name,
    )


def _tell_volunteers(session: Session, dues: Sequence[Due], shares: Mapping[UUID, Share]) -> None:
    """One notice a volunteer, not one a record: an office hands in a month at a time."""
    minutes: Counter[UUID] = Counter()
    surplus: Counter[UUID] = Counter()
    for due in dues:
        minutes[due.volunteer_id] += due.minutes
        surplus[due.volunteer_id] += shares[due.part_id].surplus_minutes if due.part_id in shares else 0
    services = Counter(due.volunteer_id for due in dues)
    for volunteer_id, total in minutes.items():
        body = f"{services[volunteer_id]}次服务共{hours_text(total)}已补录，记入您的时间账户。"
        if beyond := surplus[volunteer_id]:
            own = hours_text(total - beyond)
            body = (
                f"{services[volunteer_id]}次服务共{hours_text(total)}已补录：{own}记入您的时间账户，"
                f"超出上限的{hours_text(beyond)}转入公益时间池，荣誉时长照计。"
            )
        notify_person(session, person_id=volunteer_id, title="补录时长已到账", body=body)
