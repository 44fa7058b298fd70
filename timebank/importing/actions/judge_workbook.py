"""A workbook's rows, judged by what the bank knows: the same for a trial and for the import itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.errors import BankError
from timebank.importing.actions.enter_people import EnteredRosters
from timebank.importing.actions.known_people import KnownPeople
from timebank.importing.headings import ELDERS, RECORDS, VOLUNTEERS
from timebank.importing.report import Counts, Hours, ImportReport
from timebank.importing.rules import (
    Against,
    Elder,
    Judged,
    Record,
    Townships,
    Volunteer,
    judge_elders,
    judge_records,
    judge_volunteers,
)
from timebank.importing.workbook import OfficeWorkbook
from timebank.people.id_numbers import age_on
from timebank.people.queries import people_by_id_numbers
from timebank.people.rules import must_have_been_here
from timebank.policies.rules import PolicyBook
from timebank.townships.queries import township_names


def judge_rosters(
    session: Session, workbook: OfficeWorkbook, within: str | None
) -> tuple[Judged[Volunteer], Judged[Elder]]:
    """Sort both rosters; ``within`` is the code of the township whose people only may go in, None for the district."""
    townships, today = Townships(township_names(session).items()), clock.today()
    against = _others(session, workbook, within)
    return (
        judge_volunteers(workbook.volunteers, townships=townships, today=today, against=against),
        judge_elders(workbook.elders, townships=townships, today=today, against=against),
    )


def judge_hours(
    workbook: OfficeWorkbook, known: KnownPeople, policies: PolicyBook, within: str | None
) -> Judged[Record]:
    """Sort the records; ``within`` is the code of the township that the elder or the volunteer has to be of."""

    def old_enough(volunteer: str, day: date) -> bool:
        person = known.people[volunteer]
        return age_on(person.born_on, day) >= policies.whole("volunteer_min_age", person.township_code)

    def against(record: Record) -> str | None:
        both = [known.people[number] for number in (record.volunteer_id_number, record.elder_id_number)]
        # 谁组织谁记录: as for hours that are back-filled by hand.
        if within is not None and within not in {person.township_code for person in both}:
            return "service_elsewhere"
        # What was credited while nobody knew better is judged as it was then.
        for someone in () if known.has(record) else both:
            try:
                must_have_been_here(someone.name, record.started_at, left_at=someone.left_at, died_on=someone.died_on)
            except BankError as refusal:
                return refusal.code
        return None

    return judge_records(
        workbook.records,
        volunteers=known.volunteers,
        elders=known.elders,
        now=clock.now(),
        old_enough=old_enough,
        against=against,
        served=known.served,
    )


def report_of(
    entered: EnteredRosters,
    volunteers: Judged[Volunteer],
    elders: Judged[Elder],
    records: Judged[Record],
    hours: tuple[Hours, ...],
) -> ImportReport:
    """What came of it, or would."""
    fresh = sum(one.records for one in hours)
    return ImportReport(
        new=Counts(entered.volunteers, entered.elders, fresh),
        minutes=sum(one.minutes for one in hours),
        already_present=Counts(
            volunteers=len(volunteers.accepted) - entered.volunteers,
            elders=len(elders.accepted) - entered.elders,
            records=len(records.accepted) - fresh,
        ),
        rejected={VOLUNTEERS: volunteers.rejected, ELDERS: elders.rejected, RECORDS: records.rejected},
        notes={VOLUNTEERS: entered.volunteer_notes, ELDERS: entered.elder_notes, RECORDS: ()},
        people=entered.people,
        hours=hours,
    )


def hours_of(earned: Iterable[tuple[Record, str, int]]) -> tuple[Hours, ...]:
    """Records, each with the township where it was served and its minutes, by month and township."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for record, township_code, minutes in earned:
        place = f"{record.started_at:%Y-%m}", township_code
        records, before = sums.get(place, (0, 0))
        sums[place] = records + 1, before + minutes
    return tuple(Hours(month, code, *sums[month, code]) for month, code in sorted(sums))


def _others(session: Session, workbook: OfficeWorkbook, within: str | None) -> Against:
    """Whoever is registered elsewhere, or is to be, stays out of a township's own import."""
    if within is None:
        return lambda _number, _code: None
    numbers = {row.id_number for rows in (workbook.volunteers, workbook.elders) for row in rows if row.id_number}
    homes = {number: person.township_code for number, person in people_by_id_numbers(session, numbers).items()}

    def against(number: str, township_code: str) -> str | None:
        return None if {homes.get(number, within), township_code} == {within} else "other_township"

    return against
